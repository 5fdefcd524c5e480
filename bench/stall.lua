-- How long cancel and close keep the host's thread, while nothing comes back: stall.lua answer|handshake|name
--   answer     the peer takes the request and never answers
--   handshake  the peer takes the connection and never says a word of TLS
--   name       the name server takes the question and never answers; the caller sees to it that it is the only one
-- Prints one line of JSON.

local braze = require "braze"
local socket = require "socket"

local kind = arg[1]
local now = socket.gettime
local in_flight = 16

-- The kernel takes connections and what is sent on them for a listener that never does.
local listener = assert(socket.bind("127.0.0.1", 0))
local _, port = listener:getsockname()
local endpoint = ("%s://127.0.0.1:%d"):format(kind == "answer" and "http" or "https", port)
local name_server
if kind == "name" then
  endpoint = "https://rest.iad-99.braze.com"
  name_server = assert(socket.udp())
  assert(name_server:setsockname(assert(os.getenv "NAME_SERVER"), 53))
  name_server:settimeout(5)
end

local function start(client)
  local requests = {}
  for number = 1, in_flight do
    requests[number] = client:start("create_send_id", { campaign_id = "campaign", send_id = "send-" .. number })
  end
  return requests
end

local client = braze.new { api_key = "key", endpoint = endpoint, max_connections = in_flight }
local requests = start(client)
if name_server then assert(name_server:receive(), "no name was looked up") end
socket.sleep(0.2)
for _, request in ipairs(requests) do assert(not request:done(), "a call is done that can't be") end

local began = now()
requests[1]:cancel()
local cancel = now() - began
assert(requests[1]:done())
socket.sleep(0.05)

began = now()
client:close()
local close = now() - began
for _, request in ipairs(requests) do assert(request:done()) end
client:step()

-- A client that is collected, not closed.
do
  local forgotten = braze.new { api_key = "key", endpoint = endpoint, max_connections = in_flight }
  start(forgotten)
  socket.sleep(0.2)
end
began = now()
collectgarbage()
collectgarbage()
local collect = now() - began

print(('{"bad":0,"cancel_us":%.2f,"close_us":%.2f,"collect_us":%.2f}')
  :format(cancel * 1e6, close * 1e6, collect * 1e6))
