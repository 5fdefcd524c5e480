-- What the peer does with one connection: reads bytes, counts requests, and plays the steps of a script.

local cjson = require "cjson"
local socket = require "socket"
local tasks = require "peer.tasks"

local steps = {}

local chunk_size = 65536
-- Long enough for two sends to leave in two segments.
local seconds_between_halves = 0.002

-- A new connection: `total` bytes were received, the steps have used `taken` of them.
function steps.connection(client, number)
  client:settimeout(0)
  client:setoption("tcp-nodelay", true)
  return {
    number = number, plain = client, socket = client, received = {}, total = 0, taken = 0,
    unparsed = "", parsed = 0, requests = {},
  }
end

-- Ends the script from inside a step.
local function finish(how)
  error({ ended = how }, 0)
end

-- Waits for what a socket call asked for by its error; false when that was no request to wait.
local function wait_as_told(problem, one, usual)
  if problem == "wantread" or (problem == "timeout" and usual == "read") then
    tasks.wait { read = { one } }
  elseif problem == "wantwrite" or problem == "timeout" then
    tasks.wait { write = { one } }
  else
    return false
  end
  return true
end

-- Notes each whole request in the bytes that have arrived, with the offset of its end.
local function find_requests(connection)
  while true do
    local _, head_end = connection.unparsed:find("\r\n\r\n", 1, true)
    if not head_end then return end
    local head = connection.unparsed:sub(1, head_end):lower()
    local size = head_end + (tonumber(head:match "\r\ncontent%-length:[ \t]*(%d+)") or 0)
    if #connection.unparsed < size then return end
    connection.parsed = connection.parsed + size
    table.insert(connection.requests, {
      offset = connection.parsed,
      body = connection.unparsed:sub(head_end + 1, size),
    })
    connection.unparsed = connection.unparsed:sub(size + 1)
  end
end

local function note_received(connection, data)
  table.insert(connection.received, data)
  connection.total = connection.total + #data
  -- Inside a tunnel the bytes are no longer requests to this peer.
  if not connection.target then
    connection.unparsed = connection.unparsed .. data
    find_requests(connection)
  end
end

-- Reads what is there, at most `most` bytes; nil once the client has closed its side.
local function receive(connection, most)
  while true do
    local data, problem, partial = connection.socket:receive(most)
    data = data or partial
    if data and data ~= "" then
      note_received(connection, data)
      return data
    end
    if not wait_as_told(problem, connection.socket, "read") then return nil end
  end
end

local function receive_or_finish(connection, most)
  return receive(connection, most) or finish "client closed"
end

-- Sends all of the text to a socket; false when the other side is gone.
function steps.send(to, text)
  local next_byte = 1
  while next_byte <= #text do
    local last, problem, last_sent = to:send(text, next_byte)
    next_byte = (last or last_sent or next_byte - 1) + 1
    if not last and not wait_as_told(problem, to, "write") then return false end
  end
  return true
end

local function send_or_finish(connection, text)
  if not steps.send(connection.socket, text) then finish "client closed" end
end

-- Runs a change on the descriptor itself: TLS objects know neither its options nor a close without a goodbye.
local function with_descriptor(connection, change)
  local plain, wrapped = connection.plain, connection.socket
  if wrapped == plain then return change(plain) end
  plain:setfd(wrapped:getfd())
  change(plain)
  plain:setfd(-1)
end

-- Closes: "fin" as a server does, "reset" with a TCP reset, "cut" without TLS's goodbye.
local function close(connection, how)
  if how ~= "fin" then
    with_descriptor(connection, function(plain)
      if how == "reset" then plain:setoption("linger", { on = true, timeout = 0 }) end
      plain:close()
    end)
  end
  -- A TLS object only learns here that its descriptor is gone; nothing was opened since that could be mistaken for it.
  connection.socket:close()
  if connection.target then connection.target:close() end
end

-- A string as the inside of a JSON string.
local function json_inside(text)
  return (cjson.encode(text):sub(2, -2))
end

-- Fills the placeholders from the last whole request; one without a send_id is answered with an id made here.
local function fill(connection, text)
  if not text:find("%{", 1, true) then return text end
  local last = connection.requests[#connection.requests]
  local decoded, parameters = pcall(cjson.decode, last and last.body or "")
  if not decoded or type(parameters) ~= "table" then parameters = {} end
  local send_id, campaign_id = parameters.send_id, parameters.campaign_id
  if type(send_id) ~= "string" then
    send_id = ("peer-%d-%d"):format(connection.number, #connection.requests)
  end
  if type(campaign_id) ~= "string" then campaign_id = "" end
  text = text:gsub("%%{([%a_]+)}", { send_id = json_inside(send_id), campaign_id = json_inside(campaign_id) })
  local _, head_end = text:find("\r\n\r\n", 1, true)
  return (text:gsub("%%{content_length}", tostring(#text - (head_end or #text))))
end

local function read_request(connection)
  local position = 1
  while true do
    local request = connection.requests[position]
    if not request then
      receive_or_finish(connection, chunk_size)
    elseif request.offset > connection.taken then
      connection.taken = request.offset
      return
    else
      position = position + 1
    end
  end
end

-- Never takes a byte more than asked for, as a peer that died there.
local function read_bytes(connection, count)
  connection.taken = connection.taken + count
  while connection.total < connection.taken do
    receive_or_finish(connection, connection.taken - connection.total)
  end
end

local function read_any(connection)
  if connection.total == connection.taken then receive_or_finish(connection, chunk_size) end
  connection.taken = connection.total
end

local function read_to_end(connection)
  repeat until not receive(connection, chunk_size)
  connection.taken = connection.total
end

-- Copies what has arrived at one side of a tunnel to the other; false once either is closed.
local function pass_on(connection, from, to)
  local data, problem, partial = from:receive(chunk_size)
  data = data or partial or ""
  if from == connection.socket and data ~= "" then note_received(connection, data) end
  if not steps.send(to, data) then return false end
  return not problem or problem == "timeout" or problem:find "^want" ~= nil
end

-- The steps by their names: function(connection, value of the name, the whole step).
local verbs = {}

function verbs.read(connection, what)
  if what == "request" then return read_request(connection) end
  if what == "any" then return read_any(connection) end
  if what == "end" then return read_to_end(connection) end
  read_bytes(connection, what)
end

function verbs.write(connection, text)
  send_or_finish(connection, fill(connection, text))
end

function verbs.write_each(connection, text, step)
  for byte in fill(connection, text):gmatch "." do
    send_or_finish(connection, byte)
    tasks.pause(step.pause or 0)
  end
end

function verbs.write_split(connection, text, step)
  text = fill(connection, text)
  send_or_finish(connection, text:sub(1, step.at))
  tasks.pause(step.pause or seconds_between_halves)
  send_or_finish(connection, text:sub(step.at + 1))
end

function verbs.repeat_write(connection, text, step)
  text = fill(connection, text)
  for _ = 1, step.times or math.huge do
    send_or_finish(connection, text)
  end
end

function verbs.pause(_, seconds)
  tasks.pause(seconds)
end

function verbs.close(connection, how)
  close(connection, how)
  connection.closed = true
  finish(how)
end

function verbs.half_close(connection)
  with_descriptor(connection, function(plain) plain:shutdown "send" end)
end

function verbs.hold(connection)
  read_to_end(connection)
  finish "client closed"
end

-- Starts over; play sees to that.
function verbs.again() end

-- Reads until the client closes: what it has sent and nobody reads would make the system reset the connection, and the
-- alert that says why would be lost.
local function read_past_handshake(connection)
  with_descriptor(connection, function(plain)
    local problem
    repeat problem = select(2, plain:receive(chunk_size)) until not wait_as_told(problem or "timeout", plain, "read")
  end)
end

function verbs.tls(connection, given)
  local parameters = { mode = "server", protocol = "any", options = "all", verify = "none" }
  for name, value in pairs(given) do parameters[name] = value end
  local wrapped, fault = require("ssl").wrap(connection.plain, parameters)
  if not wrapped then finish("tls: " .. tostring(fault)) end
  connection.socket = wrapped
  wrapped:settimeout(0)
  while true do
    local done, problem = wrapped:dohandshake()
    if done then return end
    if not wait_as_told(problem, wrapped, "read") then
      if given.verify then read_past_handshake(connection) end
      finish("tls: " .. tostring(problem))
    end
  end
end

-- Makes the connection a tunnel to a port of this machine until either side closes.
function verbs.connect(connection, port)
  local target = assert(socket.tcp4())
  target:settimeout(0)
  -- The port has come through JSON and may be a float, which luasocket would not take.
  target:connect("127.0.0.1", ("%d"):format(port))
  tasks.wait { write = { target } }
  if not target:getpeername() then
    target:close()
    finish "connect failed"
  end
  local early = table.concat(connection.received):sub(connection.taken + 1)
  connection.target = target
  local open = steps.send(target, early)
  while open do
    tasks.wait { read = { connection.socket, target } }
    open = pass_on(connection, connection.socket, target) and pass_on(connection, target, connection.socket)
  end
  finish "tunnel closed"
end

-- Most steps have one name; a pause beside another name is that step's.
local function verb_of(step)
  local found
  for name in pairs(type(step) == "table" and step or {}) do
    if verbs[name] and (not found or found == "pause") then found = name end
  end
  return found
end

-- Raises what is wrong with a script.
function steps.check(script)
  for position, step in ipairs(script) do
    if not verb_of(step) then
      error("step " .. position .. " is none that the peer knows: " .. cjson.encode(step), 0)
    end
  end
end

-- Plays a script to its end, then closes. Raises { ended = how }, always: that is how a task of it ends.
function steps.play(connection, script)
  local position = 1
  while script[position] do
    local step = script[position]
    local verb = verb_of(step)
    verbs[verb](connection, step[verb], step)
    position = verb == "again" and 1 or position + 1
  end
  finish "script ended"
end

-- Closes what a script has left open.
function steps.abandon(connection)
  if not connection.closed then
    connection.closed = true
    close(connection, "fin")
  end
end

return steps
