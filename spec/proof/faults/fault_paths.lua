-- The public paths that faults are tried on. Each run has a state of its own: setup(name) prepares without faults and
-- returns the function that runs with them; check() judges what came of it and makes the next calls, again without.

local env = ...

local paths, order = {}, {}
local context

local function path(name, setup, more)
  paths[name] = { setup = setup, bars = more and more.bars, close = more and more.close }
  order[#order + 1] = name
end

-- The send_id is the one that the stand-in's /fast answers with: another one would be another call's answer.
local parameters = { campaign_id = "campaign_identifier", send_id = "send_identifier" }

local function options(endpoint, more)
  local made = { api_key = "braze-standin-key", endpoint = endpoint, timeout = env.timeout, retries = 0 }
  if endpoint:find "^https" then made.ca_file = env.ca_file end
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

-- A client in the context, made before the faults, that has made one call where it is to be warm.
local function client(endpoint, warm, more)
  context.options = options(endpoint, more)
  context.client = require "braze".new(context.options)
  if warm then context.client:create_send_id(parameters) end
  return context.client
end

-- Starts calls, counts how often each on_done runs.
local function starter(count)
  local delivered, requests = {}, {}
  context.delivered, context.requests = delivered, requests
  local start_options = {}
  for i = 1, count do
    delivered[i] = 0
    requests[i] = false
    start_options[i] = { on_done = function() delivered[i] = delivered[i] + 1 end }
  end
  return function(a_client)
    for i = 1, count do requests[i] = a_client:start("create_send_id", parameters, start_options[i]) end
  end
end

-- --- Loading and making ---------------------------------------------------------------------------------------

path("require", function()
  for _, name in ipairs { "braze", "braze.safe", "braze.core" } do package.loaded[name] = nil end
  return function() return require "braze.safe" end
end)

path("new", function()
  local braze = require "braze"
  context.options = options(env.http)
  return function()
    context.client = braze.new(context.options)
    return context.client
  end
end)

path("new from the environment", function()
  local braze = require "braze"
  context.options = options(env.http)
  return function()
    context.client = braze.new()
    return context.client
  end
end)

path("a proxy that refuses", function()
  local braze = require "braze"
  context.expect, context.options = "network", options(env.https, { endpoint = "https://rest.iad-01.braze.com",
    proxy = "http://us%65r:pass%77ord@" .. env.refused, timeout = env.timeout, ca_file = env.ca_file })
  return function()
    context.client = braze.new(context.options)
    return context.client:create_send_id(parameters)
  end
end, { bars = "lua libcurl core pairs" })

-- --- Blocking calls -------------------------------------------------------------------------------------------

local function cold(endpoint)
  return function()
    local braze = require "braze"
    context.options, context.single = options(endpoint), endpoint == env.http
    return function()
      context.client = braze.new(context.options)
      return context.client:create_send_id(parameters)
    end
  end
end

path("http", cold(env.http), { bars = "lua libcurl core system pairs" })
path("https", cold(env.https), { bars = "lua libcurl core system pairs" })
path("https to a directory of roots", function()
  local act = cold(env.https)()
  context.options.ca_file = env.ca_directory
  return act
end, { bars = "libcurl system" })

path("https by name", cold(env.named), { bars = "libcurl core system pairs" })

path("http again", function()
  local warm = client(env.http, true)
  context.single = true
  return function() return warm:create_send_id(parameters) end
end, { bars = "lua libcurl core system pairs" })

path("https again", function()
  local warm = client(env.https, true)
  return function() return warm:create_send_id(parameters) end
end, { bars = "libcurl core" })

path("the default client", function()
  local braze = require "braze"
  return function() return braze.create_send_id(parameters) end
end)

-- --- Blocking errors ------------------------------------------------------------------------------------------

local function failing(expect, endpoint, more, given)
  return function()
    local failed = client(endpoint, false, more)
    context.expect, context.more = expect, given
    return function() return failed:create_send_id(given or parameters) end
  end
end

path("401", failing("auth", env.service, { api_key = "nobodys-key-nobodys-key" }))
path("400", failing("rejected", env.service, nil, { campaign_id = "no such campaign", send_id = "fault" }))
path("connection refused", failing("network", "http://" .. env.refused), { bars = "lua libcurl core system pairs" })
path("certificate refused", failing("tls", env.https, { ca_file = "/dev/null" }))
path("a retry", failing("network", "http://" .. env.refused, { retries = 1 }), { bars = "core libcurl" })
path("wrong parameter", failing("usage", env.http, nil, { campain_id = "x" }), { bars = "lua core" })
path("wrong option", function()
  local braze = require "braze"
  context.expect = "usage"
  local wrong = options(env.http, { timeuot = 1 })
  return function() return braze.new(wrong) end
end, { bars = "lua core" })

path("safe", function()
  local safe = require "braze.safe"
  context.options = options(env.http)
  context.expect, context.recovers = "usage", true
  return function()
    local made = assert(safe.new(context.options))
    context.client = made
    assert(made:create_send_id(parameters))
    local result, problem = made:create_send_id {}
    assert(result == nil)
    error(problem, 0)
  end
end)

path("error objects", function()
  local braze = require "braze"
  return function()
    local made = braze.error { kind = "rate_limited", status = 429 }
    assert(braze.is_error(made) and tostring(made) .. made == made .. tostring(made))
    return made
  end
end, { bars = "lua" })

path("a client's small methods", function()
  local small = client(env.http)
  return function()
    assert(small:pollfd() == small:getfd() and small:events() == "r" and small:pending() == 0 and small:step() == 0)
    return tostring(small)
  end
end)

-- The channel makes a folder: what opens it may fail, but what removes it may not, so no system calls here.
path("core", function()
  local core = require "braze.core"
  local notified = client(env.http)
  return function()
    local channel, where = core.channel()
    if not channel then error(where, 0) end
    core.notify(notified, -1)
    assert(channel:accept() == nil)
    channel:poke()
    channel:close()
    return core.is_yieldable() ~= nil and core.seconds(1) == 1
  end
end, { bars = "lua core" })

-- --- Started calls --------------------------------------------------------------------------------------------

local function started(endpoint, expect)
  return function()
    local braze = require "braze"
    local start = starter(2)
    context.options, context.expect = options(endpoint), expect
    return function()
      context.client = braze.new(context.options)
      start(context.client)
      context.client:wait(env.timeout + 1)
      return context.client:pending() == 0
    end
  end
end

path("started, http", started(env.http), { bars = "lua libcurl core system pairs" })
path("started, https", started(env.https), { bars = "lua libcurl core system pairs" })
path("started, refused", started("http://" .. env.refused, "network"), { bars = "lua libcurl core system pairs" })

path("started, asked", function()
  local made = client(env.http)
  context.requests = { false }
  return function()
    local request = made:start("create_send_id", parameters)
    context.requests[1] = request
    request:wait(env.timeout + 1)
    if not request:done() then return false end
    return request:result()
  end
end, { bars = "lua libcurl core system pairs" })

path("started and cancelled", function()
  local made = client(env.slow)
  local start = starter(2)
  context.expect = "cancelled"
  return function()
    start(made)
    for _, request in ipairs(context.requests) do request:cancel() end
    made:wait(env.timeout)
    return made:pending() == 0
  end
end, { bars = "lua libcurl core system pairs" })

path("started and closed", function()
  local made = client(env.slow)
  local start = starter(2)
  context.expect = "cancelled"
  return function()
    start(made)
    made:close()
    made:wait(env.timeout)
    return made:pending() == 0
  end
end, { bars = "lua libcurl core system pairs" })

path("started and collected", function()
  local braze = require "braze"
  local given = options(env.slow)
  local call = { on_done = error }
  return function()
    braze.new(given):start("create_send_id", parameters, call)
    collectgarbage()
    collectgarbage()
    return true
  end
end, { bars = "lua libcurl core pairs" })

-- --- lua_close: the function does nothing, the faults come while the state is closed -----------------------------

local function nothing() return true end

path("lua_close, idle", function()
  client(env.https, true)
  return nothing
end, { close = true })

path("lua_close, in flight", function()
  local start = starter(2)
  start(client(env.slow))
  return nothing
end, { close = true, bars = "lua libcurl core system pairs" })

path("lua_close, not delivered", function()
  local start = starter(1)
  start(client(env.http))
  context.requests[1]:wait(env.timeout)
  return nothing
end, { close = true })

-- --- Judging ---------------------------------------------------------------------------------------------------

-- What a fault of each source may end in, beside a result and what the path itself ends in.
local allowed = {
  lua = {},
  core = { network = true },
  libcurl = { network = true, tls = true },
  system = { network = true, tls = true, timeout = true },
}

local function is_allowed(kind, sources)
  if kind == context.expect then return true end
  for source in sources:gmatch "%a+" do
    if allowed[source][kind] then return true end
  end
  return false
end

-- nil where the error is one that the fault may cause, or what is wrong with it; and a word for it.
local function judge_error(problem, sources)
  local braze = require "braze"
  if type(problem) == "string" then
    if problem:find "not enough memory" then return nil, "not enough memory" end
    return "an error that is no braze error: " .. problem, "other"
  end
  if not braze.is_error(problem) then return "an error of type " .. type(problem), "other" end
  local text = tostring(problem)
  if is_allowed(problem.kind, sources) then return nil, problem.kind end
  -- Descriptors and threads run out: a usage error that names the cause.
  if sources:find "system" and text:find "nothing was sent; look at the process's limits" then return nil, "limits" end
  return "an error of the wrong kind: " .. text, problem.kind
end

-- What is sent and what is told of it, where one call went over plain HTTP.
local function judge_posts(value, posts)
  if not context.single or type(value) ~= "table" or not value.attempts then return end
  if posts > value.attempts then return ("%d requests left, %d are told"):format(posts, value.attempts) end
  if posts > 0 and value.maybe_applied == false then return "a request left, and maybe_applied is false" end
end

local function judge_requests(raised, sources)
  for i, request in ipairs(context.requests or {}) do
    if request then
      if not request:done() then return ("request %d is not done"):format(i) end
      local good, problem = pcall(request.result, request)
      local wrong = not good and judge_error(problem, sources)
      if wrong then return wrong end
    end
    local times = context.delivered and context.delivered[i]
    if times and (times > 1 or (times == 0 and request and not raised)) then
      return ("on_done %d ran %d times"):format(i, times)
    end
  end
end

-- The client at hand, if it is open, must go on as without a fault; and so must a new one.
local function call_again(again, expect)
  local good, result, problem = pcall(again.create_send_id, again, context.more or parameters)
  if expect then
    local kind = type(problem or result) == "table" and (problem or result).kind
    if kind ~= expect then return "the next call: " .. tostring(problem or result) end
    return
  end
  if not good or not result then return "the next call: " .. tostring(problem or result) end
  if type(result.send_id) ~= "string" then return "the next call has no send_id" end
end

local function start_again(again)
  for i = 1, 2 do
    local request = again:start("create_send_id", parameters)
    if not request:wait(2) then return ("the next started call (%d) is not done after 2 s"):format(i) end
    again:wait(2)
    if again:pending() > 0 then return "the next started call is not delivered after 2 s" end
    local result, problem = request:result()
    if not result then return "the next started call: " .. tostring(problem) end
    if not result.send_id then return "the next started call has no send_id" end
  end
end

local function next_calls()
  local braze = require "braze"
  local wrong
  local held = context.client
  if held and not tostring(held):find "closed" and context.options.endpoint ~= env.slow then
    local expect = not context.recovers and context.expect or nil
    held:wait(2)
    wrong = call_again(held, expect)
    if wrong then return wrong end
    if not expect then wrong = start_again(held) end
  elseif not held then
    context.more = nil
    held = braze.new(options(env.http))
    wrong = call_again(held)
    held:close()
  end
  return wrong
end

-- Lua 5.1's require gives no module whose first load failed until a host takes its mark away.
local function forget_marks()
  for _, name in ipairs { "braze", "braze.safe", "braze.core" } do
    if type(package.loaded[name]) ~= "table" then package.loaded[name] = nil end
  end
end

local function check_run(raised, value, sources, posts)
  local wrong, word
  forget_marks()
  if raised then
    wrong, word = judge_error(value, sources)
  elseif value == false then
    wrong, word = "not done within its deadline", "hang"
  elseif context.expect and type(value) == "table" and value.send_id then
    wrong, word = "a result where an error belongs", "result"
  else
    word = "result"
  end
  wrong = wrong or judge_posts(value, posts)
  if context.options and context.options.endpoint == env.slow then
    for _, request in ipairs(context.requests) do
      if request then request:cancel() end
    end
  end
  if context.client and not wrong then
    local good, problem = pcall(context.client.wait, context.client, env.timeout + 1)
    wrong = not good and judge_error(problem, sources)
    if context.client:pending() > 0 then wrong = "calls are pending for longer than their timeout" end
  end
  wrong = wrong or judge_requests(raised, sources) or next_calls()
  return wrong or nil, word
end

return {
  names = function(bar)
    local names = {}
    for _, name in ipairs(order) do
      local bars = paths[name].bars or "lua libcurl core pairs"
      if bars:find(bar, 1, true) then names[#names + 1] = name end
    end
    return names
  end,

  setup = function(name)
    context = {}
    local act = paths[name].setup()
    collectgarbage()
    return act, paths[name].close or false
  end,

  -- check(raised, value, sources, posts) -> what is wrong or nil, a word for the outcome
  check = function(raised, value, sources, posts)
    local good, wrong, word = pcall(check_run, raised, value, sources, posts)
    if not good then return "the check itself: " .. tostring(wrong), "other" end
    return wrong, word
  end,
}
