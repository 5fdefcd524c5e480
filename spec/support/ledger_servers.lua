-- The stores that a ledger may be in, each with a real server where it has one: started unprivileged in a folder of its
-- own, on a free port of loopback, and ended with this process.
--
--   local servers = require "spec.support.ledger_servers"
--   for _, kind in ipairs(servers.kinds) do … local server = servers.start(kind) … server.stop() end
--
-- A server has `url`, and
--   fresh()        the URL of a ledger in which nothing is
--   signal(name)   sends a signal to all of its processes: "KILL", "STOP", "CONT"
--   again()        starts it again after a KILL, on the same data
--   stop()         ends it

local child = require "spec.support.child"
local socket = require "socket"

local quote = child.quote
local servers = { kinds = { "sqlite", "postgresql", "redis" } }

local folder_of_this = debug.getinfo(1, "S").source:match "^@(.*)ledger_servers%.lua$" .. "ledger/"
local start_timeout = 60

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

local function succeeds(command)
  local good = os.execute(command)
  return good == true or good == 0
end

local function run(command)
  assert(succeeds(command), command)
end

-- psql and redis-cli are where the servers are.
local function with_programs(command)
  servers.programs = servers.programs or output_of("sh " .. quote(folder_of_this .. "programs"))
  return "PATH=" .. quote(servers.programs) .. ":$PATH; " .. command
end

--- Runs redis-cli on a server of that kind.
function servers.redis_cli(server, command)
  run(with_programs(("redis-cli -p %d %s >/dev/null"):format(server.port, command)))
end

--- Has psql run a statement in the database of that URL.
function servers.psql(url, statement)
  run(with_programs(("psql -q %s -c %s >/dev/null"):format(quote(url), quote(statement))))
end

function servers.free_port()
  local listening = assert(socket.bind("127.0.0.1", 0))
  local _, port = listening:getsockname()
  listening:close()
  return math.floor(tonumber(port))
end

-- Whether it answers: PostgreSQL to the request for TLS, Redis to a PING.
local function answers(kind, port)
  local connection = socket.tcp()
  connection:settimeout(1)
  if not connection:connect("127.0.0.1", port) then
    connection:close()
    return false
  end
  connection:send(kind == "redis" and "PING\r\n" or "\0\0\0\8\4\210\22\47")
  local answer = connection:receive(1)
  connection:close()
  return answer == "+" or answer == "N" or answer == "S"
end

local count = 0

local function new_folder()
  local folder = output_of "mktemp -d"
  run("chmod 755 " .. quote(folder))
  local keep = "setsid sh %s %s %s >/dev/null 2>&1 </dev/null &"
  run(keep:format(quote(folder_of_this .. "keep"), quote(folder), output_of "echo $PPID"))
  return folder
end

local function stop(folder)
  local file = io.open(folder .. "/stop", "w")
  if file then file:close() end
end

local function start_sqlite()
  local folder = new_folder()
  local server = { kind = "sqlite", folder = folder, url = folder .. "/first.db" }
  function server.fresh()
    count = count + 1
    return ("%s/%d.db"):format(folder, count)
  end
  function server.stop() stop(folder) end
  return server
end

local function start_server(kind, environment)
  local folder = new_folder()
  local port = servers.free_port()
  local server = { kind = kind, folder = folder, port = port }
  local serve = quote(folder_of_this .. "serve")
  local begin = ("%s sh %s %s %s %d"):format(environment or "", serve, kind, quote(folder), port)

  function server.again()
    os.remove(folder .. "/group")
    run(begin)
    local deadline = socket.gettime() + start_timeout
    while not answers(kind, port) do
      if socket.gettime() > deadline then
        local log = output_of("tail -n 20 " .. quote(folder .. "/log"))
        stop(folder)
        error(kind .. " did not start: " .. log)
      end
      socket.sleep(0.02)
    end
    if kind == "postgresql" then -- it may still be starting up
      local ask = "PGCONNECT_TIMEOUT=2 psql -h 127.0.0.1 -p %d -U braze -d postgres -c 'SELECT 1' >/dev/null 2>&1"
      while not succeeds(with_programs(ask:format(port))) and socket.gettime() < deadline do socket.sleep(0.05) end
    end
  end

  -- PostgreSQL's processes leave the group of the one that has begun them.
  function server.signal(name)
    local first = assert(io.open(folder .. "/group")):read "*l"
    local all = first .. " " .. output_of(("ps -o pid= --ppid %s | tr '\\n' ' '"):format(first))
    os.execute(("kill -%s %s 2>/dev/null"):format(name, all))
    if name ~= "KILL" then return end
    while output_of(("ps -o stat= -p %s | grep -v Z"):format(first)) ~= "" do socket.sleep(0.01) end
  end

  function server.fresh()
    count = count + 1
    if kind == "redis" then
      servers.redis_cli(server, "flushall")
      return ("redis://127.0.0.1:%d/0"):format(port)
    end
    local create = "psql -q -h 127.0.0.1 -p %d -U braze -d postgres -c 'CREATE DATABASE d%d'"
    run(with_programs(create:format(port, count)))
    return ("postgresql://braze@127.0.0.1:%d/d%d"):format(port, count)
  end

  function server.stop() stop(folder) end

  server.again()
  server.url = (kind == "redis" and "redis://127.0.0.1:%d/0" or "postgresql://braze@127.0.0.1:%d/postgres"):format(port)
  return server
end

--- Starts a store of that kind. `environment` goes to the server's script: "FSYNC=on ".
function servers.start(kind, environment)
  return kind == "sqlite" and start_sqlite() or start_server(kind, environment)
end

return servers
