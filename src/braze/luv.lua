-- braze for luv: a coroutine that makes a call waits for a uv_poll on the client's descriptor, and the loop goes on.

-- Taken now: a sandbox may remove them afterwards.
local coroutine, debug, error, math, pairs, setmetatable, tostring =
  coroutine, debug, error, math, pairs, setmetatable, tostring

local host = require "braze.host"
local uv = require "luv"

-- Of each client that has something in flight: its poll and the descriptor that this is for. The poll itself keeps the
-- client and the loop alive, so there is none while nothing is to come.
local polls = setmetatable({}, { __mode = "k" })
-- The places of those who wait with a limit, each with its timer.
local limited = {}

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

-- Whoever closes all handles of the loop (uv.walk) closes ours too.
local function close(handle)
  if not handle:is_closing() then handle:close() end
end

local function limit(place)
  local left = place.deadline - luv.now()
  place.timer = uv.new_timer()
  place.timer:start(math.max(1, math.ceil(left * 1000)), 0, place.wake)
end

local function close_poll(client)
  local watched = polls[client]
  polls[client] = nil
  if watched then close(watched.poll) end
end

-- A poll that was closed by others is made again, and so are the timers of those who wait. A fork's child has another
-- descriptor.
function luv.prepare(client)
  local descriptor, err = client.core:pollfd()
  if not descriptor then return err.message or err, err.hint end
  local watched = polls[client]
  if watched and watched.started and watched.descriptor == descriptor and not watched.poll:is_closing() then return end
  close_poll(client)
  for place in pairs(limited) do
    if place.timer:is_closing() then limit(place) end
  end
  local poll, reason = uv.new_poll(descriptor)
  if not poll then return "luv can't poll the client's descriptor: " .. tostring(reason) end
  watched = { poll = poll, descriptor = descriptor, started = false }
  polls[client] = watched -- known before it is started: a debug hook may raise in between
  local started, fault = poll:start("r", function()
    local delivered, raised = client:_deliver()
    if not client:_busy() then close_poll(client) end
    if not delivered then raise(raised) end
  end)
  if started then
    watched.started = true
    return
  end
  close_poll(client)
  return "luv can't poll the client's descriptor: " .. tostring(fault)
end

function luv.watch(client)
  if client:_busy() then luv.prepare(client) else close_poll(client) end
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
  function place.wake()
    if place.woken then return end
    place.woken = true
    if place.timer then close(place.timer) end
    limited[place] = nil
    resume(waiting)
  end
  if seconds then
    place.deadline = luv.now() + seconds
    limit(place)
    limited[place] = true
  end
  announce(place)
  repeat coroutine.yield() until place.woken -- others may resume it too
end

function luv.wake(place)
  place.wake()
end

return host.make("braze.luv", luv)
