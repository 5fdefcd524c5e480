-- Starts scripted peers for specs: servers on loopback that do to a client whatever a script says.
--
--   local peer = scripted_peer.start()
--   peer:play { { read = "request" }, { write = scripted_peer.created("send_identifier") } }
--   (call peer.url) ; peer:log()[1].received ; peer:stop()
--
-- A script is played once for one connection; at its end the connection is closed. Its steps:
--
--   { read = "request" }                   until a whole request (by Content-Length) has arrived
--   { read = 17 }                          exactly so many bytes, and not one more
--   { read = "any" }                       whatever comes next
--   { read = "end" }                       until the client closes its side
--   { write = text }                       text; also with the placeholders below
--   { write_each = text, pause = 0.01 }    a byte at a time, pause seconds apart
--   { write_split = text, at = 9 }         two sends, cut after 9 bytes (pause = seconds between them)
--   { repeat_write = text, times = 100 }   without times until the client closes
--   { pause = 0.1 }                        seconds
--   { close = "fin" }                      or "reset" (TCP reset), or "cut" (TLS without its goodbye)
--   { half_close = true }                  the peer's FIN, reading goes on
--   { tls = { certificate = path, key = path } }   TLS as the server; any other parameter of luasec's
--   { connect = port }                     from here a tunnel to 127.0.0.1:port, until either side closes
--   { again = true }                       the script from its first step, on the same connection
--   { hold = true }                        open and silent until the client closes
--
-- In a text, %{send_id} and %{campaign_id} stand for those of the connection's last request (without a send_id
-- for an id that only this request gets), %{content_length} for the number of bytes behind the blank line.

local cjson = require "cjson"
local socket = require "socket"

local scripted_peer = {}

local support = debug.getinfo(1, "S").source:match "^@(.*)scripted_peer%.lua$"
local interpreters = "lua5.4 lua5.3 luajit lua5.1 lua"
local texts_of_steps = { "write", "write_each", "write_split", "repeat_write" }
-- Far above what any command takes: who waits that long waits for a peer that is gone.
local command_timeout = 30

local reasons = {
  [200] = "OK", [201] = "Created", [202] = "Accepted", [204] = "No Content", [429] = "Too Many Requests",
}

local peer_methods = {}
local peer_metatable = { __index = peer_methods }

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function to_hexadecimal(text)
  return (text:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

local function from_hexadecimal(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

-- A copy of a script in which every text is hexadecimal digits: JSON has no arbitrary bytes.
local function encode_script(script)
  local encoded = {}
  for position, step in ipairs(script) do
    local copy = {}
    for name, value in pairs(step) do copy[name] = value end
    for _, name in ipairs(texts_of_steps) do
      if copy[name] then
        copy[name .. "_hex"], copy[name] = to_hexadecimal(copy[name]), nil
      end
    end
    encoded[position] = copy
  end
  return encoded
end

local function command(peer, message, seconds)
  local control = peer.control
  control:settimeout((seconds or 0) + command_timeout)
  assert(control:send(cjson.encode(message) .. "\n"))
  local line, fault = control:receive "*l"
  if not line then error("the scripted peer does not answer: " .. fault, 3) end
  local reply = cjson.decode(line)
  if reply.error then error(reply.error, 3) end
  return reply
end

-- Starts a peer of its own process; it ends with stop or with this process.
function scripted_peer.start()
  -- In the background of popen's shell, so that closing the pipe never waits for the peer.
  local choose = 'for lua in %s; do '
    .. 'if "$lua" -e \'require "socket"\' 2>/dev/null; then "$lua" %s </dev/null & exit; fi; done'
  local output = assert(io.popen(choose:format(interpreters, quote(support .. "peer.lua"))))
  local port, control_port = output:read "*n", output:read "*n"
  output:close()
  assert(control_port, "the scripted peer did not start: it needs a Lua with luasocket and lua-cjson")
  local control = assert(socket.connect("127.0.0.1", control_port))
  control:setoption("tcp-nodelay", true)
  port = math.floor(port)
  return setmetatable({ port = port, url = ("http://127.0.0.1:%d"):format(port), control = control }, peer_metatable)
end

-- Adds a script for the next connection that has none yet.
function peer_methods:play(script)
  command(self, { command = "play", script = encode_script(script) })
end

-- Sets the script of every connection that has none of its own (at first: hold).
function peer_methods:default(script)
  command(self, { command = "default", script = encode_script(script) })
end

-- All connections so far, in their order: { received = bytes, requests = whole ones, ended = how, or nil if open }.
-- ended: "script ended", "client closed", "fin", "reset", "cut", "tunnel closed", "connect failed", "tls: …".
function peer_methods:log()
  local entries = command(self, { command = "log" }).connections
  for _, entry in ipairs(entries) do
    entry.received, entry.received_hex = from_hexadecimal(entry.received_hex), nil
    entry.requests = math.floor(entry.requests)
  end
  return entries
end

-- The send_ids that came over each connection, as one text each.
function peer_methods:send_ids()
  local texts = {}
  for number, connection in ipairs(self:log()) do
    local ids = {}
    for id in connection.received:gmatch '"send_id":"(.-)"' do ids[#ids + 1] = id end
    texts[number] = table.concat(ids, " ")
  end
  return texts
end

-- The number of whole requests on all connections.
function peer_methods:requests()
  return math.floor(command(self, { command = "count" }).requests)
end

-- Waits until there were so many connections, whole requests and ended connections: { connections, requests,
-- ended, seconds }, all optional, seconds 5. Returns whether it came to that, and the numbers.
function peer_methods:wait(goal)
  local seconds = goal.seconds or 5
  local reply = command(self, {
    command = "wait", seconds = seconds,
    connections = goal.connections, requests = goal.requests, ended = goal.ended,
  }, seconds)
  local numbers = {}
  for _, name in ipairs { "connections", "requests", "ended" } do
    numbers[name] = math.floor(reply[name])
  end
  return reply.reached, numbers
end

-- Forgets scripts and log, and drops open connections.
function peer_methods:reset()
  command(self, { command = "reset" })
end

-- From here connections are refused, until accept.
function peer_methods:refuse()
  command(self, { command = "refuse" })
end

function peer_methods:accept()
  command(self, { command = "accept" })
end

-- Ends the peer and waits until it is gone.
function peer_methods:stop()
  if not self.control then return end
  -- A child of this process may hold a copy of the socket; shutting it down reaches the peer all the same.
  self.control:shutdown "send"
  self.control:settimeout(command_timeout)
  self.control:receive "*a"
  self.control:close()
  self.control = nil
end

-- The text of a whole answer with its Content-Length. Headers are a table of names to values, or a list of lines.
function scripted_peer.answer(status, headers, body)
  body = body or ""
  local lines = { ("HTTP/1.1 %d %s"):format(status, reasons[status] or "Status") }
  local names = {}
  for name in pairs(headers or {}) do names[#names + 1] = name end
  table.sort(names, function(one, other) return tostring(one) < tostring(other) end)
  for _, name in ipairs(names) do
    local value = headers[name]
    lines[#lines + 1] = type(name) == "number" and value or name .. ": " .. tostring(value)
  end
  local length = body:find("%{", 1, true) and "%{content_length}" or tostring(#body)
  lines[#lines + 1] = "content-length: " .. length
  return table.concat(lines, "\r\n") .. "\r\n\r\n" .. body
end

-- The answer to a creation; without a send_id it echoes the request's.
function scripted_peer.created(send_id)
  local tomorrow = (math.floor(os.time() / 86400) + 1) * 86400
  return scripted_peer.answer(201, {
    ["content-type"] = "application/json",
    ["x-ratelimit-limit"] = 100,
    ["x-ratelimit-remaining"] = 99,
    ["x-ratelimit-reset"] = ("%d"):format(tomorrow),
    ["x-request-id"] = "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
  }, '{"message":"success","send_id":"' .. (send_id or "%{send_id}") .. '"}')
end

return scripted_peer
