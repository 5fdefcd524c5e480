-- The scripted peer: a server that plays, byte for byte and pause for pause, what nginx cannot.
--
-- Prints the ports of its data and its control listener, then serves both until the control connection closes.
-- spec.support.scripted_peer starts it and documents the steps; each command and each reply is one line of JSON.

package.path = arg[0]:gsub("[^/]*$", "") .. "?.lua;" .. package.path

local cjson = require "cjson"
local socket = require "socket"
local steps = require "peer.steps"
local tasks = require "peer.tasks"

local seconds_without_control = 30

local connections = {}
local played_scripts = {}
local default_script

local function listen(port)
  local listener = assert(socket.tcp4())
  assert(listener:setoption("reuseaddr", true))
  assert(listener:bind("127.0.0.1", port))
  assert(listener:listen(1024))
  listener:settimeout(0)
  return listener
end

local function port_of(listener)
  local _, port = listener:getsockname()
  return tonumber(port)
end

local function accept(client)
  local connection = steps.connection(client, #connections + 1)
  connections[connection.number] = connection
  local script = table.remove(played_scripts, 1) or default_script or { { hold = true } }
  connection.task = tasks.spawn(function() steps.play(connection, script) end, function(fault)
    connection.ended = type(fault) == "table" and fault.ended or "peer failed: " .. tostring(fault)
    steps.abandon(connection)
  end)
end

local data_listener = listen(0)
local data_port = port_of(data_listener)
local accepting

local function start_accepting()
  accepting = tasks.spawn(function()
    while true do
      local client = data_listener:accept()
      if client then accept(client) else tasks.wait { read = { data_listener } } end
    end
  end)
end

local function from_hexadecimal(text)
  return (text:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

local function to_hexadecimal(text)
  return (text:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- Decodes the texts of a script that came as hexadecimal digits, and checks each step.
local function prepare(script)
  for _, step in ipairs(script) do
    for _, name in ipairs { "write", "write_each", "write_split", "repeat_write" } do
      local digits = step[name .. "_hex"]
      if digits then step[name] = from_hexadecimal(digits) end
    end
  end
  steps.check(script)
  return script
end

local function count()
  local counts = { connections = #connections, requests = 0, ended = 0 }
  for _, connection in ipairs(connections) do
    counts.requests = counts.requests + #connection.requests
    if connection.ended then counts.ended = counts.ended + 1 end
  end
  return counts
end

-- The commands of the control connection: function(message) -> reply.
local commands = { count = count }

function commands.play(message)
  table.insert(played_scripts, message.script)
end

function commands.default(message)
  default_script = message.script
end

function commands.log()
  local entries = {}
  for position, connection in ipairs(connections) do
    entries[position] = {
      received_hex = to_hexadecimal(table.concat(connection.received)),
      requests = #connection.requests,
      ended = connection.ended,
    }
  end
  return { connections = entries }
end

function commands.wait(message)
  local function reached()
    local counts = count()
    for name, number in pairs(counts) do
      if number < (message[name] or 0) then return false end
    end
    return true
  end
  if not reached() then
    tasks.wait { condition = reached, deadline = socket.gettime() + message.seconds }
  end
  local reply = count()
  reply.reached = reached()
  return reply
end

function commands.reset()
  for _, connection in ipairs(connections) do
    tasks.drop(connection.task)
    steps.abandon(connection)
  end
  connections, played_scripts, default_script = {}, {}, nil
  -- And those that nobody has accepted yet: what was sent before does not belong to what comes next.
  local early = data_listener:accept()
  while early do
    early:close()
    early = data_listener:accept()
  end
end

function commands.refuse()
  tasks.drop(accepting)
  data_listener:close()
end

function commands.accept()
  data_listener = listen(data_port)
  start_accepting()
end

local function obey(message)
  if message.script then
    local fine, fault = pcall(prepare, message.script)
    if not fine then return { error = fault } end
  end
  return commands[message.command](message) or { done = true }
end

-- Reads a line of the control connection; nil once that is closed.
local function read_line(control)
  local line = ""
  while true do
    local whole, problem, partial = control:receive("*l", line)
    if whole then return whole end
    if problem ~= "timeout" then return nil end
    line = partial
    tasks.wait { read = { control } }
  end
end

local control_listener = listen(0)
io.write(("%d %d\n"):format(data_port, port_of(control_listener)))
io.stdout:flush()

start_accepting()
tasks.spawn(function()
  tasks.wait { read = { control_listener }, deadline = socket.gettime() + seconds_without_control }
  local control = control_listener:accept()
  control_listener:close()
  if control then
    control:settimeout(0)
    control:setoption("tcp-nodelay", true)
    local line = read_line(control)
    while line do
      steps.send(control, cjson.encode(obey(cjson.decode(line))) .. "\n")
      line = read_line(control)
    end
  end
  tasks.stop()
end)
tasks.run()
-- The control connection goes last: who sees its end knows that all else is closed.
commands.reset()
data_listener:close()
