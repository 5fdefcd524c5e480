-- braze for copas: a copas thread sleeps until one more, which waits for the client's descriptor, wakes it.
-- For copas 1.1.7 and for 2 to 4: the first knows no sleep and no time at all.

-- Taken now: a sandbox may remove them afterwards.
local coroutine, error, ipairs, math, next, pairs, select, setmetatable =
  coroutine, error, ipairs, math, next, pairs, select, setmetatable

local host = require "braze.host"
local copas = require "copas"
local socket = require "socket"

local core = host.core

-- What copas waits with: luasocket's select takes any object with the methods getfd and dirty, and copas asks it with
-- receive, which says at first that it is not ready, so that copas selects it, and ready behind that.
local function selectable(object)
  local selected = true
  function object.receive()
    selected = not selected
    if selected then return "ready" end
    return nil, "timeout"
  end
  return object
end

local watched = setmetatable({}, { __mode = "k" })

local scheduler = { now = socket.gettime }

-- On Lua 5.1 a protected call of copas is a coroutine of its own, but it is the thread around it that sleeps.
local coxpcall = package.loaded["coxpcall"]
local running = coxpcall and coxpcall.running or coroutine.running

-- A copas thread is a coroutine that copas itself resumes. Copas names them nowhere, so it is looked at what resumes:
-- the coroutine that called one of these functions.
local resumer
-- Where this module is loaded inside a copas thread, copas resumes threads already, until its next step.
local is_resuming_already = running() ~= nil and select(2, running()) ~= true

local function leave(before, ...)
  resumer = before
  return ...
end

local function watch_resumer(name)
  local original = copas[name]
  copas[name] = original and function(...)
    local before = resumer
    resumer = core.thread()
    if name == "step" then is_resuming_already = false end
    return leave(before, original(...))
  end
end

for _, name in ipairs { "step", "addthread", "addnamedthread", "addserver" } do watch_resumer(name) end

function scheduler.refusal()
  local thread, is_main = running()
  local hint = "call it inside copas.addthread(function() ... end), and run copas.loop()"
  if not thread or is_main then return "this is no copas thread", hint end
  if is_resuming_already or resumer and core.resumes(resumer, thread) then return end
  return "this coroutine is no copas thread, and copas would not resume it", hint
end

-- luasocket's select takes no descriptor from its limit on, and a copas that selects one ends with an error.
function scheduler.prepare(client)
  local descriptor, err = client.core:getfd()
  if not descriptor then return err.message or err, err.hint end
  if not socket._SETSIZE or descriptor < socket._SETSIZE then return end
  return ("the client's descriptor is %d, and luasocket's select takes none above %d"):format(descriptor,
    socket._SETSIZE - 1), "use the client once before so many files and connections are open"
end

-- An error of an on_done must not end the watching: it is raised by a thread of its own.
local function raise(err)
  copas.addthread(function() error(err, 0) end)
end

local weak_values = { __mode = "v" } -- else the thread would keep its client

function scheduler.watch(client)
  if not client:_busy() then return end
  local known = watched[client]
  -- Made anew where a debug hook raised in the middle of this, or in the thread itself.
  if known and known.added and known.thread and coroutine.status(known.thread) ~= "dead" then return end
  local mark = setmetatable({ added = false }, weak_values)
  local descriptor = selectable {
    getfd = function() return client.core:getfd() end,
    dirty = function() return false end,
    close = function() watched[client] = nil end, -- by copas.cancelall, which ends the thread below
  }
  watched[client] = mark
  local thread = copas.addthread(function()
    mark.thread = coroutine.running()
    while client:_busy() and watched[client] == mark do
      copas.receive(descriptor)
      local delivered, err = client:_deliver()
      if not delivered then raise(err) end
    end
    if watched[client] == mark then watched[client] = nil end
  end)
  mark.thread = mark.thread or thread -- copas 3 and 4 begin it later
  mark.added = true
end

local function use_sleep()
  local pause = copas.pause or copas.sleep
  local pause_forever = copas.pauseforever or function() copas.sleep(-1) end
  function scheduler.wait(seconds, announce)
    announce((running()))
    if seconds then pause(seconds) else pause_forever() end
  end

  scheduler.wake = copas.wakeup
end

-- A thread of copas 1.1.7 can do nothing but select, so each waits for an object that is "dirty" once it is woken. Such
-- an object's descriptor is never looked at, but has to be one that select could take.
local function use_select()
  local highest_descriptor = socket._SETSIZE - 1
  local deadlines = {}

  function scheduler.wait(seconds, announce)
    local place = selectable { close = function() end }
    function place.getfd() return place.woken and highest_descriptor or -1 end
    function place.dirty() return place.woken end
    if seconds then deadlines[place] = scheduler.now() + seconds end
    announce(place)
    copas.receive(place)
    deadlines[place] = nil
  end

  function scheduler.wake(place)
    place.woken = true
  end

  -- The loop goes by copas.step: it is given less time where somebody's is up earlier.
  local step = copas.step
  function copas.step(timeout)
    local now = next(deadlines) and scheduler.now()
    for _, deadline in pairs(deadlines) do
      timeout = math.min(timeout or math.huge, math.max(deadline - now, 0))
    end
    local handled = step(timeout)
    now = next(deadlines) and scheduler.now()
    for place, deadline in pairs(deadlines) do
      if deadline <= now then place.woken = true end
    end
    return handled
  end
end

if copas.wakeup then use_sleep() else use_select() end

return host.make("braze.copas", scheduler)
