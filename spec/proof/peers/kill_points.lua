-- For the bar "kill-sends": the points at which a peer dies, its steps there, and what it has read.

local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"

local kill_points = {}

kill_points.read = { read = "request" }

-- The steps that kill a connection at a point, `answer` being what the peer would have said.
function kill_points.steps(point, answer)
  if point.stage == "request" then return { read = point.at }, { close = point.how } end
  return kill_points.read, { write = answer:sub(1, point.at) }, { close = point.how }
end

-- All points up to a length, or each `step`-th with the ends.
function kill_points.each_of(length, step)
  local points, first = {}, math.random(0, step - 1)
  for at = 0, length do
    if at % step == first or at == 0 or at >= length - 1 then points[#points + 1] = at end
  end
  return points
end

-- Waits until the peer has accepted all connections that came before, then returns the log of those.
function kill_points.log(peer)
  peer:default { { hold = true } }
  local last = assert(socket.connect("127.0.0.1", peer.port))
  assert(last:send "last")
  local connections
  repeat
    connections = peer:log()
    local arrived
    for index, connection in ipairs(connections) do
      if connection.received == "last" then arrived = index end
    end
    if arrived then table.remove(connections, arrived) else socket.sleep(0.001) end
  until arrived
  last:close()
  return connections
end

-- The whole requests and the bytes in a log.
function kill_points.count(connections)
  local requests, bytes = 0, 0
  for _, connection in ipairs(connections) do
    requests, bytes = requests + connection.requests, bytes + #connection.received
  end
  return requests, bytes
end

-- The length of the request that `call` makes.
function kill_points.length_of_request(peer, answer, call)
  peer:reset()
  peer:play { kill_points.read, { write = answer } }
  call()
  return #peer:log()[1].received
end

kill_points.start = scripted_peer.start

return kill_points
