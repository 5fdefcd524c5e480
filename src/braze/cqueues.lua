-- braze for cqueues: a coroutine of a controller waits for a condition, and one more of it watches the client's
-- descriptor.

local host = require "braze.host"
local cqueues = require "cqueues"
local condition = require "cqueues.condition"

-- Of each client: in which controllers it is watched, and the condition that ends those watches.
local watches = setmetatable({}, { __mode = "k" })

local controller = { now = cqueues.monotime }

function controller.refusal()
  if cqueues.running() then return end
  return "this is no coroutine of a cqueues controller",
    "call it inside controller:wrap(function() ... end), and run controller:loop()"
end

controller.start_refusal = controller.refusal

-- An error of an on_done must not end the watching: it is raised by a coroutine of its own.
local function raise(err)
  cqueues.running():wrap(function() error(err, 0) end)
end

-- Watched in each controller that starts a call: any other one may not be stepped any more.
function controller.watch(client)
  local here = cqueues.running()
  if not here then return end -- close outside of any: who started the calls watches them
  local watch = watches[client]
  if not watch then
    watch = { controllers = setmetatable({}, { __mode = "k" }), idle = condition.new() }
    watches[client] = watch
  end
  if watch.controllers[here] then return end
  watch.controllers[here] = true
  here:wrap(function()
    while client:_busy() do
      cqueues.poll(client.core, watch.idle)
      local delivered, err = client:_deliver()
      if not delivered then raise(err) end
    end
    watch.idle:signal()
    watch.controllers[cqueues.running()] = nil
    cqueues.cancel(client.core:pollfd()) -- else the controller would keep it when the client is gone
  end)
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
