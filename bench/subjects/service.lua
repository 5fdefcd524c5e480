-- An nginx for as long as a subject needs it: service.start(NAME, SETTINGS) runs bench/nginx/NAME.conf.

local socket = require "socket"
local tools = require "subjects.tools"

local service = {}

local quote = tools.quote
local here = tools.output_of "pwd"
local root = tools.output_of "spec/support/nginx"

-- All are open at once, so that none is given twice.
local function free_ports(count)
  local listeners, ports = {}, {}
  for i = 1, count do
    listeners[i] = assert(socket.bind("127.0.0.1", 0))
    local _, port = listeners[i]:getsockname()
    ports[i] = math.floor(tonumber(port))
  end
  for _, listener in ipairs(listeners) do listener:close() end
  return ports
end

local function read(path)
  local file = io.open(path)
  local text = file and file:read "*a" or ""
  if file then file:close() end
  return text
end

-- Starts it; settings fill in the @NAMES@ of the file, "everywhere" lets it run on all processors. The result:
--   port, url, pid (the master's), workers() (their pids), errors() (the log), stop()
-- It ends with this process at the latest, since its stdin is a pipe from here.
function service.start(name, settings)
  local directory = tools.output_of "mktemp -d"
  local port = free_ports(1)[1]
  assert(os.execute(("mkdir %s/temporary && chmod 755 %s"):format(quote(directory), quote(directory))))
  local values = { PORT = tostring(port), ROOT = root, HERE = here, DIRECTORY = directory, USER = "",
    BUNDLE = tools.bundle }
  if tools.output_of "id -u" == "0" then values.USER = "user root;" end
  for key, value in pairs(settings) do values[key] = value end
  local text = tools.read_file(("bench/nginx/%s.conf"):format(name)):gsub("@(%u+)@", values)
  tools.write_file(directory .. "/nginx.conf", text)
  local nginx = ("%s %s/usr/sbin/nginx -p %s/ -c nginx.conf -e error.log"):format(
    settings.everywhere and tools.everywhere or "", quote(root), quote(directory))
  local lifeline = assert(io.popen(([[env %s %s >%s/output 2>&1 & pid=$!
    trap '' INT; while read -r _; do :; done; kill $pid; wait $pid; rm -rf %s]]):format(
    tools.environment(settings.ENDPOINT or "http://127.0.0.1", "5.1"), nginx, quote(directory), quote(directory)), "w"))
  local deadline = socket.gettime() + 10
  while read(directory .. "/nginx.pid") == "" do
    if socket.gettime() > deadline then
      error(("nginx did not start: %s%s"):format(read(directory .. "/output"), read(directory .. "/error.log")), 0)
    end
    socket.sleep(0.02)
  end
  local running = { port = port, url = "http://127.0.0.1:" .. port, pid = read(directory .. "/nginx.pid"):match "%d+" }

  function running.errors()
    return read(directory .. "/error.log")
  end

  function running.workers()
    local pids = {}
    local list = read(("/proc/%s/task/%s/children"):format(running.pid, running.pid))
    for pid in list:gmatch "%d+" do pids[#pids + 1] = pid end
    return pids
  end

  function running.stop()
    lifeline:close()
  end

  return running
end

return service
