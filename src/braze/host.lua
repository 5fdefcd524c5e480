-- What the modules for hosts share: the face of braze, in which every call and every wait goes through the host's own
-- way of waiting. Nothing here knows a host, and nothing about HTTP.
--
-- A host is a table of functions:
--   now()                    seconds on the clock that wait goes by
--   refusal()                nil where the code that runs now may wait, else what is wrong and what to do instead
--   watch(client)            at each start: sees to it that client:_deliver() runs in the loop while client:_busy()
--   wait(seconds, announce)  yields until the time is up (nil: for ever), or until wake is called with the value that
--                            it gave to announce before it yielded
--   wake(value)              ends such a wait
--   start_refusal()          as refusal, for start, which does not wait (optional)
--   report(err)              called with each usage error that is raised (optional)

-- In a static host only "braze" is in package.preload; loading it names the rest.
if package.preload["braze"] and not package.preload["braze.core"] then require "braze" end

local core = require "braze.core"
local blocking = core.braze
local safe = blocking.safe

local host_module = {}

local function usage(message, hint)
  return blocking.error { kind = "usage", message = message, hint = hint }
end

-- PUC Lua 5.1 does not say whether it can yield, but a C function below (pcall, table.sort) means that it can't, and so
-- does the function of a for loop. A metamethod can't either, which nothing shows.
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
    hint = "call it from a coroutine of the host, with no C function (pcall on Lua 5.1, table.sort) in between"
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
    module.host.wait(left, function(value)
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

local function check_seconds(seconds, what)
  if seconds == nil or (type(seconds) == "number" and seconds >= 0) then return end
  return usage(what .. " takes a number of seconds that is not negative", "leave it out to wait as long as it takes")
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
  local err = check_seconds(seconds, "wait")
  if not err and not self.core:done() then err = waiting_error(module, "wait") end
  if err then return nil, err end
  return wait_until(module, self, seconds, function() return self.core:done() end)
end

local client_methods = {}

--- Whether something is still to be delivered.
function client_methods:_busy()
  return self.core:pending() > 0
end

--- Runs the on_done of what has finished and wakes who waits for it. True, or false and what an on_done raised.
function client_methods:_deliver()
  local good, delivered, err = pcall(self.core.step, self.core)
  if not good then return false, delivered end
  return delivered ~= nil, err
end

local function wake_who_waits_for_all(self)
  if self.waiters and self.core:pending() == 0 then wake_all(self.module, self) end
end

-- Starts a call, with another on_done than the caller's. The core's request, or nil and an error.
local function begin(self, name, params, options, on_done)
  local given = options
  if options == nil then
    given = { on_done = on_done }
  elseif type(options) == "table" then
    given = {}
    for key, value in pairs(options) do given[key] = value end
    -- One that is no function is refused with all else that is wrong in the options.
    if given.on_done == nil or type(given.on_done) == "function" then given.on_done = on_done end
  end
  local started, err = self.core:start(name, params, given)
  if not started then return nil, err end
  self.module.host.watch(self)
  return started
end

local function start(self, name, params, options)
  local module = self.module
  if module.host.start_refusal then
    local message, hint = module.host.start_refusal()
    if message then return nil, usage("start is not possible: " .. message, hint) end
  end
  local request = { client = self }
  local on_done = type(options) == "table" and options.on_done
  local started, err = begin(self, name, params, options, function(failure, result)
    local good, raised = true, nil
    if on_done then good, raised = pcall(on_done, failure, result) end
    wake_all(module, request)
    wake_who_waits_for_all(self)
    if not good then error(raised, 0) end
  end)
  if not started then return nil, err end
  request.core = started
  return setmetatable(request, self.request_metatable)
end

client_methods.start = start

-- The on_done of a call that is waited for. Made by a function that returns: nginx may kill the light thread that
-- waits, and with it the locals of functions that have not.
local function take_answer(self, call)
  return function(failure, answer)
    call.done, call.failure, call.answer = true, failure, answer
    if call.place ~= nil then self.module.host.wake(call.place) end
    wake_who_waits_for_all(self)
  end
end

function client_methods:create_send_id(params, options)
  local err = waiting_error(self.module, "create_send_id")
  if err then return nil, err end
  if self.closed then
    return nil, usage("create_send_id was called on a client that is closed",
      "make another one with " .. self.module.name .. ".new")
  end
  if type(options) == "table" and options.on_done ~= nil then
    return nil, usage("on_done is an option of start alone", "a call that is not started returns its result")
  end
  local call = {}
  local started, start_error = begin(self, "create_send_id", params, options, take_answer(self, call))
  if not started then return nil, start_error end
  local function announce(place)
    call.place = place
  end
  while not call.done do
    self.module.host.wait(nil, announce)
    call.place = nil
  end
  return call.answer, call.failure
end

function client_methods:wait(seconds)
  local err = check_seconds(seconds, "wait")
  if not err and self.core:pending() > 0 then err = waiting_error(self.module, "wait") end
  if err then return nil, err end
  return wait_until(self.module, self, seconds, function() return self.core:pending() == 0 end)
end

function client_methods:pending()
  return self.core:pending()
end

function client_methods:close()
  self.closed = true
  self.core:close()
  -- What was cancelled is delivered by the loop, which may be asleep.
  if self:_busy() then self.module.host.watch(self) end
end

local function check_self(metatables, self, what, name)
  local metatable = type(self) == "table" and getmetatable(self)
  if metatable and metatables[metatable] then return end
  return usage(("%s was called on a %s value, not on a %s"):format(name, type(self), what),
    ("write %s:%s(...)"):format(what, name))
end

local function raise(module, value, err)
  if err == nil then return value end
  if module.host.report and blocking.is_error(err) and err.kind == "usage" then module.host.report(err) end
  error(err, 0)
end

--- The methods in one of the two styles.
local function style(module, methods, metatables, what, raising)
  local styled = {}
  for name, method in pairs(methods) do
    if name:sub(1, 1) == "_" then
      styled[name] = method
    elseif raising then
      styled[name] = function(self, ...)
        local err = check_self(metatables, self, what, name)
        if err then return raise(module, nil, err) end
        return raise(module, method(self, ...))
      end
    else
      styled[name] = function(self, ...)
        local err = check_self(metatables, self, what, name)
        if err then return nil, err end
        return method(self, ...)
      end
    end
  end
  return styled
end

--- One of the two styles of a module: its functions and classes.
local function make_style(module, raising)
  local metatables = module.metatables
  local client_metatable = { __name = module.name .. ".client" }
  local request_metatable = { __name = module.name .. ".request" }
  metatables.client[client_metatable] = true
  metatables.request[request_metatable] = true
  client_metatable.__index = style(module, client_methods, metatables.client, "client", raising)
  request_metatable.__index = style(module, request_methods, metatables.request, "request", raising)
  client_metatable.__close = client_methods.close
  client_metatable.__tostring = function(client)
    return (tostring(client.core):gsub("^braze", module.name))
  end
  request_metatable.__tostring = function(request)
    return (tostring(request.core):gsub("^braze", module.name))
  end

  local function new(options)
    local created, err = safe.new(options)
    if not created then return nil, err end
    return setmetatable({
      core = created,
      module = module,
      request_metatable = request_metatable,
    }, client_metatable)
  end

  local default
  local function create_send_id(params, options)
    if not default then
      local good, mistake = pcall(core.check_call, params, options)
      if not good then return nil, mistake end
      local created, err = new()
      if not created then return nil, err end
      default = created
    end
    return client_methods.create_send_id(default, params, options)
  end

  local face = { _VERSION = blocking._VERSION, is_error = blocking.is_error }
  face.instances = raising and blocking.instances or safe.instances
  if raising then
    face.new = function(options) return raise(module, new(options)) end
    face.create_send_id = function(params, options) return raise(module, create_send_id(params, options)) end
    face.error = blocking.error
  else
    face.new, face.create_send_id, face.error = new, create_send_id, safe.error
  end
  return face
end

--- The module for a host.
---@param name string as in require
---@param host table see above
---@return braze.yielding
function host_module.make(name, host)
  local module = { name = name, host = host, metatables = { client = {}, request = {} } }
  local face = make_style(module, true)
  face.safe = make_style(module, false)
  return face
end

host_module.core = core

return host_module
