-- braze for luv: a coroutine that makes a call waits for a uv_poll on the client's descriptor, and the loop goes on.

local host = require "braze.host"
local uv = require "luv"

local polls = {}

local luv = {}

function luv.now()
  uv.update_time()
  return uv.now() / 1000
end

function luv.refusal()
  local running, is_main = coroutine.running()
  if running and not is_main then return end
  return "this is no coroutine", "call it inside coroutine.wrap(function() ... end)(), and run the loop with uv.run()"
end

-- Raises in a callback of its own, so that nothing else that is to be done now is left out. luv prints only strings.
local function raise(err)
  local timer = uv.new_timer()
  timer:start(0, 0, function()
    timer:close()
    error(tostring(err), 0)
  end)
end

-- The poll keeps the client and the loop alive, so there is none while nothing is to come.
function luv.watch(client)
  if polls[client] then return end
  local poll = uv.new_poll(client.core:pollfd())
  polls[client] = poll
  poll:start("r", function()
    local delivered, err = client:_deliver()
    if not client:_busy() and polls[client] == poll then
      polls[client] = nil
      poll:close()
    end
    if not delivered then raise(err) end
  end)
end

-- What a coroutine raises goes to the loop, with the coroutine's own traceback.
local function resume(waiting)
  if coroutine.status(waiting) ~= "suspended" then return end -- closed meanwhile
  local good, err = coroutine.resume(waiting)
  if not good then raise(debug.traceback(waiting, tostring(err))) end
end

function luv.wait(seconds, announce)
  local waiting = coroutine.running()
  local place = {}
  local timer
  function place.wake()
    if place.woken then return end
    place.woken = true
    if timer then
      timer:stop()
      timer:close()
    end
    resume(waiting)
  end
  if seconds then
    timer = uv.new_timer()
    timer:start(math.max(1, math.ceil(seconds * 1000)), 0, place.wake)
  end
  announce(place)
  repeat coroutine.yield() until place.woken -- others may resume it too
end

function luv.wake(place)
  place.wake()
end

return host.make("braze.luv", luv)
