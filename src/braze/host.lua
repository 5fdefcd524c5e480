-- What the modules for hosts share: the face of braze, in which every call and every wait goes through the host's own
-- way of waiting. Nothing here knows a host, and nothing about HTTP.
--
-- A host is a table of functions:
--   now()                    seconds on the clock that wait goes by
--   refusal()                nil where the host's loop would resume the code that runs now if it yielded, else what
--                            is wrong and what to do instead; whether a yield is possible is asked of Lua itself
--   prepare(client)          before a call is handed over: makes what watch needs, or says what is wrong and what to
--                            do (optional)
--   watch(client)            after that, whether or not it was handed over: sees to it that client:_deliver() runs in
--                            the loop while client:_busy(); drops what is not needed for that
--   wait(seconds, announce)  yields until the time is up (nil: for ever), or until wake is called with the value that
--                            it gave to announce before it yielded
--   wake(value)              ends such a wait
--   start_refusal()          as refusal, for start, which does not wait (optional)
--   report(err)              called with each usage error that is raised (optional)
--   explain(err)             adds to the error of a client that could not be made what only this host knows (optional)
--   defer(run)               has run() called later, where an on_done can hurt nobody; without it an on_done runs
--                            inside client:_deliver(), and so does an on_event (optional)

-- Taken now: a sandbox may remove them afterwards.
local coroutine, debug, error, next, pairs, pcall, rawget, setmetatable, tostring, type =
  coroutine, debug, error, next, pairs, pcall, rawget, setmetatable, tostring, type

-- In a static host only "braze" is in package.preload; loading it names the rest.
if package.preload["braze"] and not package.preload["braze.core"] then require "braze" end

local core = require "braze.core"
local blocking = core.braze
local safe = blocking.safe
-- Taken now, too: the module is a plain table, which its users may change.
local make_error, is_error = blocking.error, blocking.is_error
local operations = {}
for name in pairs(blocking.operations) do operations[name] = true end

local host_module = {}

local function usage(message, hint)
  return make_error { kind = "usage", message = message, hint = hint }
end

--- What an error calls a call. Another name than an operation's may be anything, a key in the wrong place too.
local function call_name(name, otherwise)
  return type(name) == "string" and operations[name] and name or otherwise
end

-- Where Lua can't tell: a C function below (pcall, table.sort) means on PUC Lua 5.1 that no yield is possible, and so
-- does the function of a for loop.
local function is_yieldable()
  local answer = core.is_yieldable()
  if answer ~= nil then return answer end
  if not coroutine.running() then return false end
  local level = 2
  while true do
    local info = debug.getinfo(level, "Sn")
    if not info then return true end
    if info.what == "C" or info.name == "(for generator)" then return false end
    level = level + 1
  end
end

--- The usage error of code that can't wait, or nil.
---@param module table
---@param what string the function that would have to wait
local function waiting_error(module, what)
  local message, hint = module.host.refusal()
  if not message and not is_yieldable() then
    message = "no yield is possible here"
    hint = "call it from a coroutine of the host with nothing in between that can't yield: a C function such as "
      .. "table.sort, an on_done, and on Lua 5.1 pcall, a metamethod and an iterator"
  end
  if message then return usage(what .. " can't wait: " .. message, hint) end
end

--- Waits until finished() or until the time is up, among those who wait for a request or a client.
local function wait_until(module, awaited, seconds, finished)
  local deadline = seconds and module.host.now() + seconds
  while not finished() do
    local left = deadline and deadline - module.host.now()
    if left and left <= 0 then break end
    local waiters = awaited.waiters or {}
    local place
    awaited.waiters = waiters
    module.host.wait(left or nil, function(value)
      place = value
      waiters[value] = true
    end)
    if place ~= nil then waiters[place] = nil end
  end
  return finished()
end

-- Those woken may wait again at once, for which they get another table.
local function wake_all(module, awaited)
  local waiters = awaited.waiters
  if not waiters then return end
  awaited.waiters = nil
  for value in pairs(waiters) do module.host.wake(value) end
end

-- Every function that may fail comes in the style of braze.safe first: nil and an error. The raising one is made from
-- it, without a pcall, which a yield could not cross on Lua 5.1.

local request_methods = {}

function request_methods:done()
  return self.core:done()
end

function request_methods:result()
  return self.core:result()
end

function request_methods:cancel()
  self.core:cancel()
end

function request_methods:wait(seconds)
  local module = self.client.module
  local most, mistake = core.seconds(seconds)
  if mistake then return nil, mistake end
  if self.core:done() then return true end
  local err = waiting_error(module, "wait")
  if err then return nil, err end
  module.host.watch(self.client)
  return wait_until(module, self, most, function() return self.core:done() end)
end

local client_methods = {}

--- Whether something is still to be delivered.
function client_methods:_busy()
  return self.core:pending() > 0
end

--- How many requests are not delivered to the caller yet.
function client_methods:_left()
  return self.core:pending() + self.deferred
end

--- Runs the on_done of what has finished and wakes who waits for it. True, or false and what an on_done raised.
function client_methods:_deliver()
  local good, delivered, err = pcall(self.core.step, self.core)
  if not good then return false, delivered end
  return delivered ~= nil, err
end

local function wake_who_waits_for_all(self)
  if self.waiters and self:_left() == 0 then wake_all(self.module, self) end
end

local function closed_error(self, what)
  if not self.closed then return end
  return usage(what .. " was called on a client that is closed", "make another one with " .. self.module.name .. ".new")
end

-- Starts a call, with another on_done than the caller's. The core's request, or nil and an error.
local function begin(self, name, params, options, on_done)
  local host = self.module.host
  local given = options
  if options == nil then
    given = { on_done = on_done }
  elseif type(options) == "table" then
    given = {}
    for key, value in next, options do given[key] = value end -- as the core reads them: without metamethods
    -- One that is no function is refused with all else that is wrong in the options.
    if given.on_done == nil or type(given.on_done) == "function" then given.on_done = on_done end
  end
  if host.prepare and not self.closed then
    local message, hint = host.prepare(self)
    if message then return nil, usage(call_name(name, "start") .. " is not possible: " .. message, hint) end
  end
  local started, err = self.core:start(name, params, given)
  host.watch(self)
  return started, err
end

-- Runs an on_done or on_event of the caller's, at once or where the host wants it to run. Raises what it raised.
local function run_on_done(self, on_done, failure, result)
  local defer = self.module.host.defer
  if not defer then
    local good, raised = pcall(on_done, failure, result)
    return good, raised
  end
  self.deferred = self.deferred + 1
  defer(function()
    local good, raised = core.call(on_done, failure, result)
    self.deferred = self.deferred - 1
    wake_who_waits_for_all(self)
    if not good then error(raised, 0) end
  end)
  return true
end

-- The options of a client whose on_event runs where the host wants it to run: before the on_done of the same call.
local function with_deferred_events(self, options)
  local on_event = type(options) == "table" and rawget(options, "on_event")
  if not self.module.host.defer or type(on_event) ~= "function" then return options end
  local given = {}
  for key, value in next, options do given[key] = value end
  given.on_event = function(event) run_on_done(self, on_event, event) end
  return given
end

local function start(self, name, params, options)
  local module = self.module
  if module.host.start_refusal then
    local message, hint = module.host.start_refusal()
    if message then return nil, usage("start is not possible: " .. message, hint) end
  end
  local request = { client = self }
  local on_done = type(options) == "table" and rawget(options, "on_done")
  local started, err = begin(self, name, params, options, function(failure, result)
    local good, raised = true, nil
    if on_done then good, raised = run_on_done(self, on_done, failure, result) end
    wake_all(module, request)
    wake_who_waits_for_all(self)
    if not good then error(raised, 0) end
  end)
  if not started then return nil, err end
  request.core = started
  module.objects[request] = "request"
  return setmetatable(request, self.request_metatable)
end

client_methods.start = start

-- The on_done of a call that is waited for. Made by a function that returns: nginx may kill the light thread that
-- waits, and with it the locals of functions that have not.
local function wake_caller(self, call)
  return function()
    if call.place ~= nil then self.module.host.wake(call.place) end
    wake_who_waits_for_all(self)
  end
end

function client_methods:call(name, params, options)
  local host = self.module.host
  local what = call_name(name, "call")
  local err = waiting_error(self.module, what) or closed_error(self, what)
  if err then return nil, err end
  if type(options) == "table" and rawget(options, "on_done") ~= nil then
    return nil, usage("on_done is an option of start alone", "a call that is not started returns its result")
  end
  if not operations[name] then
    local _, mistake = core.check_name(self.core, name)
    if mistake then return nil, mistake end
  end
  local call = {}
  local started, start_error = begin(self, name, params, options, wake_caller(self, call))
  if not started then return nil, start_error end
  local function announce(place)
    call.place = place
  end
  -- It takes its own answer, whoever delivers.
  while not started:done() do
    host.wait(nil, announce)
    call.place = nil
  end
  return started:result()
end

for name in pairs(operations) do
  client_methods[name] = function(self, params, options)
    return client_methods.call(self, name, params, options)
  end
end

-- The page that failed stands in the error.
local function with_page(err, number)
  if is_error(err) then err.page = number end
  return err
end

--- An iterator in the style of braze.safe over the items of a list.
function client_methods:each(name, params, options)
  local pages = core.pages
  local closed = closed_error(self, "each")
  if closed then return nil, closed end
  local walk, mistake = pages.open(self.core, name, params, options)
  if not walk then return nil, mistake end
  return function()
    while true do
      local item = pages.item(walk)
      if item ~= nil then return item end
      local asked, given, number = pages.ask(walk)
      if not asked then return nil, given end
      local result, err = self:_call(name, asked, given)
      if not result then return nil, with_page(err, number) end
      local _, wrong = pages.take(walk, result)
      if wrong then return nil, wrong end
    end
  end
end

client_methods._call = client_methods.call

function client_methods:wait(seconds)
  local most, mistake = core.seconds(seconds)
  if mistake then return nil, mistake end
  if self:_left() == 0 then return true end
  local err = waiting_error(self.module, "wait")
  if err then return nil, err end
  self.module.host.watch(self)
  return wait_until(self.module, self, most, function() return self:_left() == 0 end)
end

function client_methods:pending()
  self.module.host.watch(self) -- who asks may be the only one who comes by
  return self:_left()
end

function client_methods:close()
  self.closed = true
  self.core:close()
  -- What was cancelled is delivered by the loop, which may be asleep.
  self.module.host.watch(self)
end

local function check_self(module, self, what, name)
  if module.objects[self] == what then return end
  local given = type(self) == "table" and "a table that is no " .. what or "a " .. type(self) .. " value"
  return usage(("%s was called on %s, not on a %s"):format(name, given, what), ("write %s:%s(...)"):format(what, name))
end

local function raise(module, value, err)
  if err == nil then return value end
  if module.host.report and is_error(err) and err.kind == "usage" then module.host.report(err) end
  error(err, 0)
end

--- The methods in one of the two styles.
local function style(module, methods, what, raising)
  local styled = {}
  for name, method in pairs(methods) do
    if name:sub(1, 1) == "_" then
      styled[name] = method
    elseif raising then
      styled[name] = function(self, ...)
        local err = check_self(module, self, what, name)
        if err then return raise(module, nil, err) end
        return raise(module, method(self, ...))
      end
    else
      styled[name] = function(self, ...)
        local err = check_self(module, self, what, name)
        if err then return nil, err end
        return method(self, ...)
      end
    end
  end
  return styled
end

--- One of the two styles of a module: its functions and classes.
local function make_style(module, raising)
  local client_metatable = { __name = module.name .. ".client" }
  local request_metatable = { __name = module.name .. ".request" }
  client_metatable.__index = style(module, client_methods, "client", raising)
  if raising then
    local each = client_metatable.__index.each
    client_metatable.__index.each = function(...)
      local next_item = each(...)
      return function() return raise(module, next_item()) end
    end
  end
  request_metatable.__index = style(module, request_methods, "request", raising)
  client_metatable.__close = client_metatable.__index.close
  client_metatable.__tostring = function(client)
    return (tostring(client.core):gsub("^braze", module.name))
  end
  request_metatable.__tostring = function(request)
    return (tostring(request.core):gsub("^braze", module.name))
  end

  local function new(options)
    local client = {
      module = module,
      request_metatable = request_metatable,
      deferred = 0, -- what is still to run of what the core has delivered
    }
    local created, err = safe.new(with_deferred_events(client, options))
    if not created then
      if module.host.explain and is_error(err) then module.host.explain(err) end
      return nil, err
    end
    client.core = created
    module.objects[client] = "client"
    return setmetatable(client, client_metatable)
  end

  local default
  local function call(name, params, options)
    if not default then
      local good, mistake = pcall(core.check_call, name, params, options)
      if not good then return nil, mistake end
      local created, err = new()
      if not created then return nil, err end
      default = created
    end
    return client_methods.call(default, name, params, options)
  end

  -- What is no call is the same as where nothing waits.
  local face = {}
  for name, value in pairs(raising and blocking or safe) do face[name] = value end
  face.safe = nil
  if raising then
    face.new = function(options) return raise(module, new(options)) end
    face.call = function(...) return raise(module, call(...)) end
  else
    face.new, face.call = new, call
  end
  for name in pairs(operations) do
    if raising then
      face[name] = function(params, options) return raise(module, call(name, params, options)) end
    else
      face[name] = function(params, options) return call(name, params, options) end
    end
  end
  return face
end

--- The module for a host.
---@param name string as in require
---@param host table see above
---@return braze.yielding
function host_module.make(name, host)
  -- objects: what each client and request that was made here is.
  local module = { name = name, host = host, objects = setmetatable({}, { __mode = "k" }) }
  local face = make_style(module, true)
  face.safe = make_style(module, false)
  return face
end

host_module.core = core

return host_module
