-- One row of calls for spec/proof/fuzz/arguments:
--
--   INTERPRETER spec/proof/fuzz/argument_calls.lua SEED CALLS BUILD [compiled] [FIRST]     FIRST prints each call from there on
--
-- Good is a result, or an error of one of the kinds. A plain text from Lua's own argument check is good only where Lua itself
-- calls: metamethods, and what braze.core has for the modules for hosts.

local seed, most_calls, build = tonumber(arg[1]), tonumber(arg[2]), arg[3]
local compiled = arg[4] == "compiled"
local first_shown = tonumber(arg[#arg]) and #arg > 3 and tonumber(arg[#arg])
package.path = "./?.lua;./src/?.lua;" .. package.path
package.cpath = build .. "/?.so;" .. package.cpath

local core = require "braze.core"
local braze = core.braze
local socket = require "socket"
local always_collect = require "spec.support.always_collect"
local argument_values = require "spec.proof.fuzz.argument_values"
local scripted_peer = require "spec.support.scripted_peer"

local unpack = table.unpack or unpack -- luacheck: ignore 143
local getmetatable = debug.getmetatable

local peer = scripted_peer.start()
local list = '[{"id":"a"},1,null,"x"]'
peer:default { { read = "request" }, { write = scripted_peer.answer(201, { ["x-ratelimit-limit"] = 100,
  ["x-ratelimit-remaining"] = 99, link = ("<%s/campaigns/list?page=1>; rel=next"):format(peer.url) }, ('{"message":"success",'
  .. '"send_id":"%%{send_id}","campaigns":%s,"data":%s,"dispatch_id":"d","schedule_id":"s"}'):format(list, list)) }, { again = true } }
local closed = socket.bind("127.0.0.1", 0)
local _, closed_port = closed:getsockname()
closed:close()
local urls = { peer.url, ("http://127.0.0.1:%d"):format(closed_port), "https://localhost:" .. closed_port }

local values = argument_values(core, seed, urls)
local random, one_of, some, keep, random_value = values.random, values.one_of, values.some, values.keep, values.random_value
local clients, requests, channels, errors = values.clients, values.requests, values.channels, values.errors
local key, boom, nothing, hostile = values.key, values.boom, values.nothing, values.hostile

-- --- What is called ----------------------------------------------------------------------------------------

local shown

local function self_of(list_of_them)
  return random(8) == 1 and random_value() or some(list_of_them)
end

local client_methods = { "create_send_id", "operation", "operation", "call", "call", "each", "start", "start", "step", "wait", "pending",
  "pollfd", "getfd", "events", "close" }
local request_methods = { "done", "result", "wait", "cancel" }

local models = { braze.new { api_key = key, endpoint = urls[1], retries = 0 }, braze.safe.new { api_key = key, endpoint = urls[1], retries = 0 } }
local method_tables = { getmetatable(models[1]).__index, getmetatable(models[2]).__index }
local request_models = {}
for i, model in ipairs(models) do
  request_models[i] = assert(model:start("create_send_id", { campaign_id = "campaign" }))
  assert(request_models[i]:wait(20))
  model:wait(20)
end
local request_tables = { getmetatable(request_models[1]).__index, getmetatable(request_models[2]).__index }
local channel_model = assert(core.channel())
local metatables = { getmetatable(models[1]), getmetatable(models[2]), getmetatable(request_models[1]), getmetatable(request_models[2]),
  getmetatable(channel_model), getmetatable(braze.error { kind = "server" }) }
local metamethods = { "__gc", "__close", "__tostring", "__concat" }

-- A wait without an end, or a long one, is right and no test.
local function seconds()
  local value = one_of { 0, 0.001, 0.01, false, "x", -1, 0 / 0, -math.huge, "1", function() end, {} }
  return value
end

-- What a call calls.
local function any_target()
  if random(8) == 1 then return random_value() end
  return random(4) == 1 and one_of(values.paths) or one_of(values.operation_names)
end

-- Each gives a function, its name, its arguments, and whether Lua's own errors are good.
local function any_client_method()
  local name = one_of(client_methods)
  local self = self_of(clients)
  if name == "operation" then name = one_of(values.operation_names) end
  local f = one_of(method_tables)[name]
  if braze.operations[name] then return f, name, { self, values.parameters(name), values.call_options() } end
  if name == "start" or name == "call" or name == "each" then
    local called = any_target()
    return f, name, { self, called, values.parameters(called), values.call_options(name == "start") }
  end
  if name == "wait" then return f, name, { self, seconds() } end
  if name == "step" then return f, name, { self, random(2) == 1 and random_value() or nil } end
  if name == "close" and random(3) > 1 then return f, name, { random_value() } end
  return f, name, { self, random_value() }
end

local function any_request_method()
  local name = one_of(request_methods)
  return one_of(request_tables)[name], "request." .. name, { self_of(requests), name == "wait" and seconds() or random_value() }
end

local function any_core()
  local channel = self_of(channels)
  local name = one_of { "accept", "poke", "close", "notify", "channel", "is_yieldable", "seconds", "call", "thread", "resumes", "check_call" }
  if name == "notify" then return core.notify, name, { self_of(clients), one_of { -1, 1e9, "x", false, 2 ^ 53 } }, true end
  if core[name] then return core[name], name, { random_value(), random_value() }, true end
  return getmetatable(channel_model).__index[name], "channel." .. name, { channel, random_value() }, true
end

-- The steps of a walk through a list, as the modules for hosts take them.
local function any_page()
  local name = one_of { "open", "ask", "take", "item" }
  if name == "open" then
    local called = any_target()
    return core.pages.open, "pages.open", { called, values.parameters(called), values.call_options() }
  end
  local walk = random(8) == 1 and random_value() or nil
  if walk == nil or type(walk) == "table" then walk = some(values.walks) end -- what is in a walk is its own
  return core.pages[name], "pages." .. name, { walk, random(2) == 1 and { campaigns = { random_value() }, data = {} } or random_value() }, true
end

local function any_metamethod()
  local metatable, name = one_of(metatables), one_of(metamethods)
  local f = metatable[name]
  if not f then return tostring, "tostring", { some(clients) or some(requests) }, true end
  return f, name, { random(2) == 1 and random_value() or self_of(one_of { clients, requests, channels, errors }), random_value() }, true
end

local choices = {
  function() return one_of { braze.new, braze.safe.new }, "new", { values.client_options() } end,
  function() return one_of { braze.new, braze.safe.new }, "new", { values.client_options(), random_value() } end,
  function() return one_of { braze.error, braze.safe.error }, "error", { values.error_fields() } end,
  function() return one_of { braze.list, braze.safe.list }, "list", { random_value() } end,
  function() return one_of { braze.is_error, braze.safe.is_error }, "is_error", { random_value() } end,
  function()
    local name = one_of(values.operation_names)
    return one_of { braze, braze.safe }[name], "default", { values.parameters(name), random_value() }
  end,
  function()
    local called = any_target()
    return one_of { braze, braze.safe }.call, "default", { called, values.parameters(called), values.call_options() }
  end,
  function() return some(values.iterators) or nothing, "iterator", { random_value() } end,
  any_page, any_page,
  any_client_method, any_client_method, any_client_method, any_client_method, any_request_method, any_request_method,
  any_core, any_metamethod,
  function()
    local failure = some(errors)
    return function() return failure .. "x", tostring(failure) end, "error as text", {}, true
  end,
  function()
    return function(...) return coroutine.wrap(function(...) return braze.new(...) end)(...) end, "new in a coroutine", { values.client_options() }
  end,
}

values.on_dones = {
  nothing, boom,
  function() error() end,
  function() error(setmetatable({}, hostile)) end,
  function(_, _) collectgarbage() end,
  function() coroutine.yield() end,
  function() local client = some(clients) if client then client:close() end end,
  function() local client = some(clients) if client then client:step() end end,
  function() local client = some(clients) if client then client:start("create_send_id", { campaign_id = "again" }) end end,
}

-- --- What is good ------------------------------------------------------------------------------------------

local kinds = {}
for kind in ("usage network tls timeout rate_limited auth rejected server protocol cancelled"):gmatch "%S+" do kinds[kind] = true end

-- What an on_done of ours raised comes out of step and wait as it is.
local function is_ours(failure)
  if failure == nil or failure == "metamethod" or rawequal(getmetatable(failure), hostile) then return true end
  return type(failure) == "string" and (failure:find "yield" or failure:find "^metamethod") ~= nil
end

local function fault_of(failure, name, plain)
  if braze.is_error(failure) then
    if not kinds[failure.kind] then return "an error of the kind " .. tostring(failure.kind) end
    if type(rawget(failure, "message")) ~= "string" and name ~= "error as text" and name ~= "error" then return "an error without a message" end
    local text = tostring(failure)
    if name ~= "error" and name ~= "error as text" and text:find "[%c]" then return ("a control character in %q"):format(text) end
    if name ~= "error" and name ~= "error as text" and text:find(key, 1, true) then return "an error with the key in it" end
    return nil
  end
  if (name == "step" or name == "wait" or name == "close") and is_ours(failure) then return nil end
  if plain and (type(failure) == "string" or is_ours(failure)) then return nil end
  return "an error that is none of ours: " .. tostring(type(failure) == "table" and "a table" or failure)
end

local function remember(value, name)
  local metatable = getmetatable(value)
  if name == "each" and type(value) == "function" then keep(values.iterators, value) end
  if name == "pages.open" and type(value) == "table" and metatable == nil then keep(values.walks, value) end
  if metatable == metatables[1] or metatable == metatables[2] then
    keep(clients, value)
  elseif metatable == metatables[3] or metatable == metatables[4] then
    keep(requests, value)
  elseif metatable == metatables[5] then
    keep(channels, value)
  elseif metatable == metatables[6] then
    -- One that braze.error was given a kind or a text for is the caller's to answer for.
    keep(errors, value)
  end
end

-- The environment of the row must not make it a client of a real service.
assert(not os.getenv "BRAZE_API_KEY" and not os.getenv "BRAZE_REST_ENDPOINT", "BRAZE_API_KEY and BRAZE_REST_ENDPOINT must not be set")

local counts = { calls = 0, results = 0, errors = 0, wrong = 0 }

local function describe(value)
  if type(value) == "string" then return ("%q"):format(#value > 60 and value:sub(1, 60) .. "..." or value) end
  if type(value) == "table" and rawequal(getmetatable(value), nil) then
    local parts = {}
    for name, field in pairs(value) do
      parts[#parts + 1] = ("[%s]=%s"):format(type(name), type(field) == "string" and ("%q"):format(field:sub(1, 40)) or type(field))
    end
    return "{" .. table.concat(parts, ",") .. "}"
  end
  return type(value) == "number" and tostring(value) or type(value)
end

local function check(f, name, arguments, plain)
  local count = 4
  local returned
  counts.calls = counts.calls + 1
  shown = first_shown and counts.calls >= first_shown
  if shown then
    local parts = {}
    for i = 1, count do parts[i] = describe(arguments[i]) end
    io.stderr:write(("%d %s(%s)\n"):format(counts.calls, name, table.concat(parts, ", ")))
  end
  -- In a coroutine now and then: nothing of ours yields.
  if random(10) == 1 then
    local thread = coroutine.create(function(...) return f(...) end) -- PUC Lua 5.1 takes no function of C's
    returned = { coroutine.resume(thread, unpack(arguments, 1, count)) }
  else
    returned = { pcall(f, unpack(arguments, 1, random(20) == 1 and random(3) - 1 or count)) }
  end
  local failure = returned[2]
  local fault
  if not returned[1] then
    fault = fault_of(failure, name, plain)
    counts.errors = counts.errors + 1
  elseif failure == nil and returned[3] ~= nil and braze.is_error(returned[3]) then
    fault = fault_of(returned[3], name, plain)
    failure = returned[3]
    counts.errors = counts.errors + 1
  else
    counts.results = counts.results + 1
  end
  remember(failure, returned[1] and name)
  if fault then
    counts.wrong = counts.wrong + 1
    if counts.wrong <= 20 then
      local parts = {}
      for i = 1, count do parts[i] = describe(arguments[i]) end
      print(("call %d, %s(%s): %s"):format(counts.calls, name, table.concat(parts, ", "), fault))
    end
  end
end

always_collect(compiled)
while counts.calls < most_calls do check(one_of(choices)()) end
collectgarbage("setpause", 200)
for i = 1, 24 do
  if clients[i] then pcall(clients[i].close, clients[i]) end
end
values, clients, requests, channels, errors, models, request_models = nil, nil, nil, nil, nil, nil, nil -- luacheck: ignore 311
collectgarbage()
collectgarbage()
peer:stop()
print(("%d calls, %d wrong; %d results, %d errors"):format(counts.calls, counts.wrong, counts.results, counts.errors))
