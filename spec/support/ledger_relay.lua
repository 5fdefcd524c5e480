-- A network between us and a ledger's server, which specs cut, and on which they count.
--
--   local relay = ledger_relay.start(server.port)
--   relay.url(server.fresh())   the same ledger, over the relay
--   relay.cut()                 from here on nothing is relayed, and nothing is closed
--   relay.mend()                it goes on, with what was sent meanwhile
--   relay.turns()               round trips so far
--   relay.stop()                ends it

local child = require "spec.support.child"
local socket = require "socket"

local ledger_relay = {}
local program = debug.getinfo(1, "S").source:match "^@(.*)ledger_relay%.lua$" .. "ledger/relay"
local most_seconds = 20

local function read(path)
  local file = io.open(path)
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

local function wait_until(condition, what)
  local deadline = socket.gettime() + most_seconds
  while not condition() do
    assert(socket.gettime() < deadline, "the relay did not " .. what)
    socket.sleep(0.002)
  end
end

--- Starts a relay to a port of loopback.
function ledger_relay.start(server_port)
  local folder = child.output_of("mktemp -d"):gsub("%s+$", "")
  local own = child.output_of("echo $PPID"):gsub("%s+$", "")
  local line = "setsid python3 %s %s %d %s >%s/log 2>&1 </dev/null &"
  os.execute(line:format(child.quote(program), folder, server_port, own, folder))
  wait_until(function() return read(folder .. "/port") end, "start")
  local port = read(folder .. "/port")
  local relay = {}

  function relay.url(url)
    local changed, times = url:gsub(":" .. server_port .. "/", ":" .. port .. "/")
    assert(times == 1, "the URL has no port of the server")
    return changed
  end

  function relay.cut()
    child.write_file(folder .. "/cut", "")
    wait_until(function() return read(folder .. "/silent") end, "stop")
  end

  function relay.mend()
    os.remove(folder .. "/cut")
    wait_until(function() return not read(folder .. "/silent") end, "go on")
  end

  function relay.turns() return tonumber(read(folder .. "/turns")) end

  function relay.stop()
    child.write_file(folder .. "/stop", "")
    wait_until(function() return not read(folder .. "/port") end, "end")
    os.execute("rm -rf " .. child.quote(folder))
  end

  return relay
end

return ledger_relay
