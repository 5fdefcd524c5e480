-- The public paths that faults are tried on. Each run has a state of its own: setup(name) prepares without faults and
-- returns the function that runs with them; check() judges what came of it and makes the next calls, again without.

local env = ...

local paths, order = {}, {}
local context
local judge = assert(loadfile "spec/proof/faults/fault_judge.lua")

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

path("a long send", function()
  local braze = require "braze"
  local warm = client(env.http, true)
  local text = ("caf\195\169 \"quoted\"\n"):rep(40)
  local given = { campaign_id = "campaign_identifier", broadcast = false, recipients = {} }
  for number = 1, 10 do
    given.recipients[number] = { external_user_id = "u" .. number, trigger_properties = { price = number / 4,
      text = text, empty = braze.list {}, null = braze.null, list = { 1e-9, true } } }
  end
  return function() return warm:trigger_campaign(given) end
end, { bars = "lua core" })

path("pages of a list", function()
  local warm = client(env.service, true)
  return function()
    local count = 0
    for _ in warm:each("GET /campaigns/list", { page = 0 }, { items = "campaigns" }) do count = count + 1 end
    return { count = count }
  end
end, { bars = "lua core" })

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

-- --- Operations, routes and lists: by clients that no later call is made with ------------------------------------

local function aside(endpoint)
  local made = client(endpoint)
  context.client = nil
  return made
end

path("an operation with tables", function()
  local braze = require "braze"
  local made = aside(env.http)
  local given = { campaign_id = "campaign_identifier", broadcast = false, recipients = braze.list {},
    trigger_properties = { deep = { list = braze.list {}, null = braze.null }, plain = { 1.5, "two", true } } }
  return function() return made:trigger_campaign(given) end
end, { bars = "lua libcurl core pairs" })

path("a route with a query", function()
  local made = aside(env.service)
  local query, given = { page = 3, sort_direction = "asc" }, { query = { ["last_edit.time[gt]"] = "2020-01-01T00:00:00Z" } }
  return function() return made:call("GET /campaigns/list", query, given) end
end, { bars = "lua core pairs" })

path("a list", function()
  local made = aside(env.service)
  return function()
    local count = 0
    for item in made:each("list_campaigns", { page = 2 }) do count = count + (item.id and 1 or 0) end
    return count > 0
  end
end, { bars = "lua core pairs" })

path("a list at its end, safe", function()
  local made = require "braze.safe".new(options(env.service))
  local given = { items = "campaigns", max_pages = 0 }
  context.expect = "usage"
  return function()
    local next_item, problem = made:each("GET /campaigns/list", { page = 0 }, given)
    if next_item then problem = select(2, next_item()) end
    made:close()
    error(problem, 0)
  end
end, { bars = "lua core pairs" })

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

-- An on_event that keeps what it is told.
local function with_events()
  local events = {}
  context.events = events
  return { on_event = function(event) events[#events + 1] = event.type end }
end

path("events", function()
  local warm = client(env.http, true, with_events())
  return function() return warm:create_send_id(parameters) end
end)

path("started, with events", function()
  local start = starter(1)
  local warm = client(env.http, true, with_events())
  return function()
    start(warm)
    warm:wait(env.timeout)
    return context.requests[1]:result()
  end
end)

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
    local good, wrong, word = pcall(judge(env, context, options, parameters), raised, value, sources, posts)
    if not good then return "the check itself: " .. tostring(wrong), "other" end
    return wrong, word
  end,
}
