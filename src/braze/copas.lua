-- braze for copas: a copas thread sleeps until it is woken by one more that reads from a socket the client writes to:
-- copas can wait for nothing but luasocket's own sockets.

local host = require "braze.host"
local copas = require "copas"
local socket = require "socket"

local watched = setmetatable({}, { __mode = "k" })
local pairs_of_sockets = setmetatable({}, { __mode = "k" })

local scheduler = { now = socket.gettime }

function scheduler.refusal()
  local running, is_main = coroutine.running()
  if running and not is_main then return end
  return "this is no copas thread", "call it inside copas.addthread(function() ... end), and run copas.loop()"
end

-- Two ends of one connection on loopback. Somebody else's may come in between, so the ends are compared.
local function connect_pair()
  local server = assert(socket.bind("127.0.0.1", 0))
  local address, port = server:getsockname()
  local writing = assert(socket.connect(address, port))
  local own_address, own_port = writing:getsockname()
  local reading
  repeat
    if reading then reading:close() end
    reading = assert(server:accept())
    local peer_address, peer_port = reading:getpeername()
  until peer_address == own_address and tostring(peer_port) == tostring(own_port)
  server:close()
  reading:settimeout(0)
  writing:settimeout(0)
  return { reading = reading, writing = writing }
end

local function pair_for(client)
  local pair = pairs_of_sockets[client]
  if not pair then
    pair = connect_pair()
    pairs_of_sockets[client] = pair
    host.core.notify(client.core, pair.writing:getfd())
  end
  return pair
end

-- An error of an on_done must not end the watching: it is raised by a thread of its own.
local function raise(err)
  copas.addthread(function() error(err, 0) end)
end

function scheduler.watch(client)
  if watched[client] then return end
  watched[client] = true
  local pair = pair_for(client)
  copas.addthread(function()
    while client:_busy() do
      copas.receive(pair.reading, 1)
      local delivered, err = client:_deliver()
      if not delivered then raise(err) end
    end
    watched[client] = nil
  end)
end

function scheduler.wait(seconds, announce)
  local waiting = coroutine.running()
  announce(waiting)
  copas.sleep(seconds or -1)
end

function scheduler.wake(waiting)
  copas.wakeup(waiting)
end

return host.make("braze.copas", scheduler)
