-- The server of spec/proof/peers/load: does to each request what the first word of its send_id says, and counts them.
--
-- Prints its port; ends when the connection that asked for "GET /counts" closes, or with its control connection.

local socket = require "socket"

local listener = assert(socket.tcp4())
assert(listener:setoption("reuseaddr", true))
assert(listener:bind("127.0.0.1", 0))
assert(listener:listen(1024))
listener:settimeout(0)
io.write((select(2, listener:getsockname())), "\n")
io.stdout:flush()

local seen, connections, pending, control = {}, {}, {}, nil

local function answer(status, body)
  return ("HTTP/1.1 %d Status\r\ncontent-length: %d\r\n\r\n%s"):format(status, #body, body)
end

local function close(client, how)
  if how == "reset" then client:setoption("linger", { on = true, timeout = 0 }) end
  client:close()
  for position, one in ipairs(connections) do
    if one == client then
      connections[position] = connections[#connections]
      connections[#connections] = nil
      break
    end
  end
  pending[client] = nil
end

local function send(client, text)
  local at = 1
  while at <= #text do
    local last, problem, partial = client:send(text, at)
    at = (last or partial or at - 1) + 1
    if not last and problem ~= "timeout" then return close(client) end
  end
end

local acts = {}
function acts.good(client, id) send(client, answer(201, '{"message":"success","send_id":"' .. id .. '"}')) end
function acts.many(client, id) send(client, answer(429, '{"message":"' .. id .. '"}')) end
function acts.server(client, id) send(client, answer(500, '{"message":"' .. id .. '"}')) end
function acts.garbage(client, id) send(client, answer(200, "garbage " .. id)) end
function acts.reset(client) close(client, "reset") end
function acts.stall() end

local function counts()
  local lines = {}
  for id, count in pairs(seen) do lines[#lines + 1] = ("%s %d"):format(id, count) end
  return table.concat(lines, "\n")
end

-- Acts on the whole requests that have come; none of a connection that was closed meanwhile.
local function act_on(client)
  while pending[client] do
    local text = pending[client]
    local head, body_at = text:match "^(.-)\r\n\r\n()"
    if not head then return end
    if head:find "^GET" then
      control = client
      pending[client] = ""
      return send(client, answer(200, counts()))
    end
    local last = body_at - 1 + tonumber(head:match "Content%-Length: (%d+)")
    if #text < last then return end
    local id = text:sub(body_at, last):match '"send_id":"([^"]*)"'
    pending[client] = text:sub(last + 1)
    seen[id] = (seen[id] or 0) + 1
    acts[id:match "^%a+"](client, id)
  end
end

while true do
  local readers = { listener, table.unpack(connections) }
  for _, client in ipairs((socket.select(readers))) do
    if client == listener then
      local accepted = listener:accept()
      if accepted then
        accepted:settimeout(0)
        accepted:setoption("tcp-nodelay", true)
        connections[#connections + 1], pending[accepted] = accepted, ""
      end
    elseif pending[client] then
      local data, problem, partial = client:receive(65536)
      data = data or partial or ""
      pending[client] = pending[client] .. data
      if problem == "closed" then
        if client == control then os.exit(true) end
        close(client)
      else
        act_on(client)
      end
    end
  end
end
