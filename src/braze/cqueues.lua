-- braze for cqueues: a coroutine of a controller waits for a condition, and one more of it watches the client's
-- descriptor.

-- Taken now: a sandbox may remove them afterwards.
local coroutine, error, setmetatable = coroutine, error, setmetatable

local host = require "braze.host"
local cqueues = require "cqueues"
local auxlib = require "cqueues.auxlib"
local condition = require "cqueues.condition"

-- Of each client: in which controllers it is watched, and the condition that ends those watches.
local watches = setmetatable({}, { __mode = "k" })

local controller = { now = cqueues.monotime }

-- Which coroutines inside a controller's own are resumed whenever the controller resumes that: those of
-- cqueues.auxlib, which hands on what waits. Any other one would give what cqueues waits for to whoever asked it for a
-- value.
local handed_on = setmetatable({}, { __mode = "k" })

local function is_resumed()
  local inside, is_own = cqueues.running()
  if not inside or is_own then return inside ~= nil end
  local resumer = handed_on[coroutine.running()]
  return resumer ~= nil and resumer.resumed
end

local auxlib_resume, auxlib_wrap = auxlib.resume, auxlib.wrap

function auxlib.resume(resumed, ...)
  handed_on[resumed] = { resumed = is_resumed() }
  return auxlib_resume(resumed, ...)
end

function auxlib.wrap(body)
  local resumer = {}
  local resume = auxlib_wrap(function(...)
    handed_on[coroutine.running()] = resumer
    return body(...)
  end)
  return function(...)
    resumer.resumed = is_resumed()
    return resume(...)
  end
end

local way_out = "call it inside controller:wrap(function() ... end), and run controller:loop()"

function controller.refusal()
  if is_resumed() then return end
  if not cqueues.running() then return "this is no coroutine of a cqueues controller", way_out end
  return "this is a coroutine inside of a controller's own, which the controller would not resume",
    "call it in the controller's coroutine itself, or make this one with auxlib.wrap of cqueues.auxlib"
end

function controller.start_refusal()
  if not cqueues.running() then return "this is no coroutine of a cqueues controller", way_out end
end

-- An error of an on_done must not end the watching: it is raised by a coroutine of its own.
local function raise(err)
  cqueues.running():wrap(function() error(err, 0) end)
end

local weak_values = { __mode = "v" } -- else the coroutine would keep its client

-- Watched in each controller that starts a call: any other one may not be stepped any more.
function controller.watch(client)
  local here = cqueues.running()
  -- Where close is called outside of any, who started the calls watches them.
  if not here or not client:_busy() then return end
  local watch = watches[client]
  if not watch then
    watch = { controllers = setmetatable({}, { __mode = "k" }), idle = condition.new() }
    watches[client] = watch
  end
  local mark = watch.controllers[here]
  -- Made anew where a debug hook raised in the middle of this, or in the coroutine itself.
  if mark and mark.attached and mark.thread and coroutine.status(mark.thread) ~= "dead" then return end
  mark = setmetatable({ attached = false }, weak_values)
  local thread = coroutine.create(function()
    while client:_busy() and watch.controllers[here] == mark do
      cqueues.poll(client.core, watch.idle)
      local delivered, err = client:_deliver()
      if not delivered then raise(err) end
    end
    if watch.controllers[here] ~= mark then return end
    watch.idle:signal()
    watch.controllers[here] = nil
    cqueues.cancel(client.core:pollfd()) -- else the controller would keep it when the client is gone
  end)
  mark.thread = thread
  watch.controllers[here] = mark
  here:attach(thread)
  mark.attached = true
end

function controller.wait(seconds, announce)
  local place = condition.new()
  announce(place)
  place:wait(seconds)
end

function controller.wake(place)
  place:signal()
end

return host.make("braze.cqueues", controller)
