-- Does something to a client in the middle of each of its methods, at every point where Lua code may run: where Lua
-- calls a function or returns from one (a hook), and where it may collect (a finalizer, with the collector always at
-- work). Prints "N points, B bad" and a line for each that is bad. Run in an interpreter of its own, which may crash:
--
--   LUA spec/support/reentry.lua URL REFUSING LIBRARY [EVERY]
--
-- URL and REFUSING: two peers, one of which refuses all. LIBRARY: the test build, which has fork. EVERY: 3 is each
-- third point, of most methods.
--
-- Good is a result, or an error of one of the kinds; afterwards no request is in flight, and the next client works.

package.path = "./?.lua;./src/?.lua;" .. package.path

local always_collect = require "spec.support.always_collect"
local braze = require "braze"
require "cjson" -- PUC Lua 5.1 can't load it in a finalizer that runs while it is loaded

local url, refusing_url, every = arg[1], arg[2], tonumber(arg[4] or 1)
local process = assert(package.loadlib(arg[3], "luaopen_braze_process_spec"))()
local key = "braze-key-0123456789"
local points, bad = 0, 0
local new_finalizer = newproxy and function(finalize) getmetatable(newproxy(true)).__gc = finalize end
  or function(finalize) setmetatable({}, { __gc = finalize }) end

local known = {}
for kind in ("usage network tls timeout rate_limited auth rejected server protocol cancelled"):gmatch "%S+" do
  known[kind] = true
end

local function new(other_url, on_event)
  return braze.new { api_key = key, endpoint = other_url or url, timeout = 20, retries = 0, on_event = on_event }
end

-- --- What is done, each on a table with client, request, params and options ---------------------------------

local function collect() collectgarbage() collectgarbage() end

-- Memory that was freed is used for something else.
local function reuse()
  local texts = {}
  for number = 1, 200 do texts[number] = ("Z"):rep(20 + number * 2) .. number end
  return texts
end

local actions = {
  { "close", function(now) now.client:close() end },
  { "close and collect", function(now)
    now.client:close()
    collect()
    reuse()
  end },
  { "collect by hand", function(now) getmetatable(now.client).__gc(now.client) end },
  { "collect the request by hand", function(now)
    if now.request then getmetatable(now.request).__gc(now.request) end
  end },
  { "change the parameters", function(now)
    now.params.campaign_id, now.params.send_id, now.options.on_done, now.options.timeout = nil, 5, 5, "x"
    collect()
    reuse()
  end },
  { "another call", function(now) pcall(now.client.create_send_id, now.client, { campaign_id = "inner" }) end },
  { "start and wait", function(now)
    local good = pcall(now.client.start, now.client, "create_send_id", { campaign_id = "inner" })
    if good then pcall(now.client.wait, now.client, 20) end
  end },
  { "step", function(now) pcall(now.client.step, now.client) end },
  { "result and cancel", function(now)
    if not now.request then return end
    local _, answer = pcall(now.request.result, now.request)
    if not braze.is_error(answer) or answer.kind ~= "usage" then now.inner = answer end
    pcall(now.request.cancel, now.request)
    pcall(now.request.wait, now.request, 0)
  end },
  { "fork, and start in the child's next finalizer", function(now)
    now.child = process.fork()
    if now.child > 0 then return end
    new_finalizer(function()
      local good, request = pcall(now.client.start, now.client, "create_send_id", { campaign_id = "inner" })
      now.inner_request = good and request
    end)
    always_collect()
  end },
  { "fork", function(now) now.child = process.fork() end },
  { "raise", function() error("raised inside", 0) end, raises = true },
}

-- --- Where: each makes its objects, and returns what is to run -----------------------------------------------

local function params()
  return { campaign_id = ("c"):rep(200), send_id = ("s"):rep(60) }
end

local function started(now)
  now.delivered = 0
  now.options = { on_done = function(failure)
    now.delivered = now.delivered + 1
    now.failure = failure
  end }
  now.request = now.client:start("create_send_id", now.params, now.options)
  now.request:wait(20)
end

local methods = {
  { "create_send_id", function(now)
    return function() return now.client:create_send_id(now.params, now.options) end
  end },
  { "create_send_id, refused", function(now)
    now.client = new(refusing_url)
    return function() return now.client:create_send_id(now.params, now.options) end
  end },
  { "create_send_id, a mistake", function(now)
    now.params[key] = 1
    return function() return now.client:create_send_id(now.params, now.options) end
  end, all = true },
  { "create_send_id, with events", function(now)
    now.client = new(url, function(event) now.event = event.type end)
    return function() return now.client:create_send_id(now.params, now.options) end
  end },
  { "step, with events", function(now)
    now.client = new(url, function(event) now.event = event.type end)
    started(now)
    return function() return now.client:step() end
  end },
  { "start", function(now)
    now.delivered = 0
    now.options.on_done = function() now.delivered = now.delivered + 1 end
    return function() now.request = now.client:start("create_send_id", now.params, now.options) end
  end },
  { "start, with a worker", function(now)
    now.client:start("create_send_id", { campaign_id = "first" })
    now.client:wait(20)
    now.delivered = 0
    now.options.on_done = function() now.delivered = now.delivered + 1 end
    return function() now.request = now.client:start("create_send_id", now.params, now.options) end
  end },
  { "result", function(now)
    started(now)
    now.asks = true
    return function() return now.request:result() end
  end },
  { "result, refused", function(now)
    now.client = new(refusing_url)
    started(now)
    now.asks = true
    return function() return now.request:result() end
  end },
  { "step", function(now)
    started(now)
    return function() return now.client:step() end
  end },
  { "wait", function(now)
    started(now)
    return function() return now.client:wait(20) end
  end },
  { "tostring", function(now)
    started(now)
    return function() return tostring(now.client) .. tostring(now.request) end
  end },
  { "new", function()
    return function()
      local client = new()
      client:close()
      return client
    end
  end },
}

-- --- Ways to get in between: run a function with something done at one point. True: the point was reached ------

local function by_hook(number, run, act)
  local count, reached, outcome = 0, false, nil
  local function hook()
    count = count + 1
    if count < number or outcome then return end
    debug.sethook()
    reached = true
    act()
  end
  -- The hook sees the inner pcall return, too.
  local good, raised = pcall(function()
    debug.sethook(hook, "cr")
    outcome = { pcall(run) }
  end)
  debug.sethook()
  return reached, outcome or { good, raised }
end

-- Where finalizers may run is for the collector to say: as often as it can, each leaves the next one behind.
local function by_finalizer(number, run, act)
  local count, reached, over = 0, false, false
  local function finalize()
    if over then return end
    count = count + 1
    if count == number then
      reached = true
      pcall(act)
    elseif count < number then
      new_finalizer(finalize)
    end
  end
  always_collect()
  new_finalizer(finalize)
  local outcome = { pcall(run) }
  over = true
  collectgarbage("setpause", 200)
  collectgarbage("setstepmul", 200)
  return reached, outcome
end

-- --- All of them -------------------------------------------------------------------------------------------

local function complain(what, why)
  bad = bad + 1
  print(what .. ": " .. why)
end

-- What is wrong with the outcome, or nil.
local function fault(now, outcome, action)
  local value = outcome[2]
  if not outcome[1] then
    if action.raises and value == "raised inside" then return end
    if not braze.is_error(value) then return "not a braze error: " .. tostring(value) end
    if not known[value.kind] then return "kind " .. tostring(value.kind) end
    if tostring(value):find("ZZZ", 1, true) then return "foreign memory: " .. tostring(value) end
    if value.kind == "rejected" and not value.errors then return "the answer was cut" end
    if tostring(value):find(key, 1, true) then return "the key: " .. tostring(value) end
  end
  if now.asks and now.inner and value ~= now.inner then return "two answers" end
  if now.failure and tostring(now.failure):find "is gone" then return "the answer is gone" end
  if now.child == 0 then
    reuse()
    tostring(now.client)
    if now.inner_request and not now.inner_request:wait(20) then return "lost in the child" end
  end
  local good, quiet = pcall(now.client.wait, now.client, 25)
  if good and not quiet then return "in flight for ever" end
  if now.delivered and now.delivered > 1 then return "delivered " .. now.delivered .. " times" end
  if now.child == 0 then return end -- the parent delivers
  if good and now.request and now.delivered == 0 and action[1] ~= "change the parameters"
    and action[1] ~= "collect the request by hand" then return "never delivered" end
end

local function try(way, name, method, action)
  local number, reached, outcome = 1 -- luacheck: ignore 221
  repeat
    local now = { client = new(), params = params(), options = {} }
    local run = method[2](now)
    reached, outcome = way(number, run, function() action[2](now) end)
    if reached then points = points + 1 end
    local why = fault(now, outcome, action)
    if now.child == 0 then
      local before = name == "hook" and method[1] == "step" and number > 1 and number < 8 -- it took anything
      if before and now.delivered > 0 then why = "delivered the parent's" end
      if why then io.stderr:write("in the child: ", why, "\n") end
      process.exit(why and 1 or 0)
    end
    if not why and now.child then
      local how, status = process.wait(now.child, 30)
      if status == 99 and os.getenv "BRAZE_VALGRIND" then status = 0 end -- it lost what was its parent's
      if how ~= "exited" or status ~= 0 then why = ("the child %s (%s)"):format(how, status) end
    end
    if why then complain(("%s, %s, point %d of %s"):format(name, action[1], number, method[1]), why) end
    pcall(now.client.close, now.client)
    number = number + (method.all and 1 or every)
  until not reached
end

new():create_send_id { campaign_id = "first" }
for _, method in ipairs(methods) do
  for _, action in ipairs(actions) do
    try(by_hook, "hook", method, action)
    if not action.raises then try(by_finalizer, "finalizer", method, action) end
  end
end
collect()
print(("%d points, %d bad"):format(points, bad))
