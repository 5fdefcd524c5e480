-- Starts an nginx with ngx_lua for specs, with the configuration that a spec gives it; it ends with the process.
--
--   local server = openresty.start { server = "location / { content_by_lua_block { ngx.say(1) } }" }
--   server:get "/" ; server:log() ; server:signal "HUP" ; server:stop()

local http = require "socket.http"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"

local openresty = {}

local support = debug.getinfo(1, "S").source:match "^@(.*)openresty%.lua$"
local most_attempts = 10
-- Far above what anything takes: who waits that long waits in vain.
local longest_wait = 30
local pause_between_looks = 0.005

-- Given on the command line, since the configuration may be an example's own.
local directives = "daemon off; %{user}"

local temporary_paths = [[
  client_body_temp_path temporary/client;
  proxy_temp_path temporary/proxy;
  fastcgi_temp_path temporary/fastcgi;
  uwsgi_temp_path temporary/uwsgi;
  scgi_temp_path temporary/scgi;
]]

local configuration = [[
load_module /usr/lib/nginx/modules/ndk_http_module.so;
load_module /usr/lib/nginx/modules/ngx_http_lua_module.so;
pid nginx.pid;
error_log error.log warn;
worker_processes %{workers};
%{main}
events { worker_connections 1024; }
http {
  access_log off;
  default_type text/plain;
  lua_shared_dict notes 1m;
  %{http}
  server {
    listen 127.0.0.1:%{port};
    %{server}
  }
}
]]

-- Runs nginx as long as its own input is open, then ends it and removes the folder.
local launcher = [[
  cd "$1" || exit
  shift
  "$@" </dev/null >output 2>&1 &
  nginx=$!
  while read -r line; do :; done
  kill "$nginx" 2>/dev/null
  wait "$nginx"
  rm -rf "$PWD"
]]

local server_methods = {}
local server_metatable = { __index = server_methods }

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function first_line_of(command)
  local pipe = assert(io.popen(command))
  local line = pipe:read "*l"
  pipe:close()
  return line
end

local function read_file(path)
  local file = io.open(path)
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

--- Calls look until it returns something true, which is returned, for at most so many seconds; then nil.
function openresty.eventually(look, seconds)
  local deadline = socket.gettime() + (seconds or longest_wait)
  repeat
    local found = look()
    if found then return found end
    socket.sleep(pause_between_looks)
  until socket.gettime() > deadline
end

local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return tonumber(port)
end

-- Whether nginx writes its pid, which it does once it listens; else what it said.
local function await_start(directory)
  local output
  local started = openresty.eventually(function()
    output = (read_file(directory .. "/output") or "") .. (read_file(directory .. "/error.log") or "")
    return (read_file(directory .. "/nginx.pid") or "") ~= "" and "started" or output:find "%[emerg%]" and "failed"
  end)
  return started == "started", output
end

--- A service in this very process, which reads and answers requests only when the spec says so: take(count) waits until
--- so many more are there (waiting holds their connections), answer() answers all, close() ends it.
function openresty.service()
  local goodbye = scripted_peer.answer(201, { connection = "close" }, '{"message":"success","send_id":"made"}')
  local listener = assert(socket.bind("127.0.0.1", 0, 256))
  local _, port = listener:getsockname()
  listener:settimeout(longest_wait)
  local service = { url = "http://127.0.0.1:" .. port, waiting = {} }

  function service.take(count)
    for _ = 1, count do
      local connection = assert(listener:accept())
      local length
      repeat
        local line = assert(connection:receive "*l")
        length = line:lower():match "^content%-length: (%d+)" or length
      until line == ""
      assert(connection:receive(tonumber(length)))
      service.waiting[#service.waiting + 1] = connection
    end
  end

  function service.answer()
    for _, connection in ipairs(service.waiting) do
      connection:send(goodbye)
      connection:close()
    end
    service.waiting = {}
  end

  function service.close()
    service.answer()
    listener:close()
  end

  return service
end

--- Starts nginx. The settings, all optional: main, http and server, texts for these levels of nginx.conf; workers,
--- their number; environment, a table of variables that nginx starts with; file, the path of another whole
--- nginx.conf, which listens on 127.0.0.1:8080 (another port is put there) and names its pid file; build, a build for
--- Lua 5.1 in the place of the one under test.
function openresty.start(settings)
  local root = assert(first_line_of(quote(support .. "nginx")), "nginx with ngx_lua is missing")
  local build = settings.build or assert(os.getenv "BRAZE_BUILD", "BRAZE_BUILD names the directory of the build")
  local here = first_line_of "pwd" .. "/"
  if build:sub(1, 1) ~= "/" then build = here .. build end
  local environment = {
    "env", "LUA_PATH=" .. quote(("%ssrc/?.lua;%s/usr/share/lua/5.1/?.lua;;"):format(here, root)),
    "LUA_CPATH=" .. quote(build .. "/?.so;;"),
  }
  for name, value in pairs(settings.environment or {}) do
    environment[#environment + 1] = name .. "=" .. quote(value)
  end
  local values = {
    root = root, workers = settings.workers or 1, main = settings.main or "", http = settings.http or "",
    server = settings.server or "",
    user = first_line_of 'if [ "$(id -u)" = 0 ]; then echo "user $(id -un) $(id -gn);"; else echo; fi',
  }
  local text = settings.file and assert(read_file(settings.file)) or configuration
  if not text:find "client_body_temp_path" then text = text:gsub("\nhttp {\n", "%0" .. temporary_paths) end
  text = text:gsub("pid [%w.-]+;", "pid nginx.pid;"):gsub("127%.0%.0%.1:8080", "127.0.0.1:%%{port}")
    :gsub("load_module /", "load_module %%{root}/")
  local output
  for _ = 1, most_attempts do -- somebody else may take the free port first
    local directory, port = first_line_of "mktemp -d", free_port()
    values.port = port
    os.execute("mkdir " .. directory .. "/temporary")
    local file = assert(io.open(directory .. "/nginx.conf", "w"))
    file:write((text:gsub("%%{(%w+)}", values)))
    file:close()
    local command = "%s sh -c %s sh %s %s/usr/sbin/nginx -p %s/ -c nginx.conf -e error.log -g %s"
    local lifeline = assert(io.popen(command:format(table.concat(environment, " "), quote(launcher), directory, root,
      directory, quote((directives:gsub("%%{(%w+)}", values)))), "w"))
    local started
    started, output = await_start(directory)
    if started then
      return setmetatable({
        url = "http://127.0.0.1:" .. port, port = port, directory = directory, lifeline = lifeline,
        pid = tonumber((read_file(directory .. "/nginx.pid"):match "%d+")),
      }, server_metatable)
    end
    lifeline:close()
    if not output:find "Address already in use" then break end
  end
  error("nginx did not start: " .. output, 2)
end

--- Body and status of the answer to a GET.
function server_methods:get(path)
  return http.request(self.url .. path)
end

--- Sends a GET and returns the connection, whose answer is still to be read (with receive "*a").
function server_methods:send(path)
  local connection = assert(socket.connect("127.0.0.1", self.port))
  connection:settimeout(longest_wait)
  assert(connection:send(("GET %s HTTP/1.0\r\n\r\n"):format(path)))
  return connection
end

--- The text of the error log; with a pattern: waits until that is found in it, and returns whether it was.
function server_methods:log(pattern)
  local function text() return read_file(self.directory .. "/error.log") or "" end
  if not pattern then return text() end
  return openresty.eventually(function() return text():find(pattern) end, 5) ~= nil
end

--- Sends a signal to the master.
function server_methods:signal(name)
  assert(first_line_of(("kill -%s %d && echo sent"):format(name, self.pid)))
end

--- The process ids of master and workers that have not ended.
function server_methods:processes()
  local ids = {}
  local pipe = assert(io.popen "cat /proc/[0-9]*/stat 2>/dev/null")
  for line in pipe:lines() do
    local id, state, parent = line:match "^(%d+) %(.*%) (%a) (%d+) "
    local ours = tonumber(id) == self.pid or tonumber(parent) == self.pid
    if ours and state ~= "Z" then ids[#ids + 1] = tonumber(id) end
  end
  pipe:close()
  return ids
end

--- Waits until connections are refused; whether they are.
function server_methods:refuses()
  return openresty.eventually(function()
    local connection = socket.connect("127.0.0.1", self.port)
    if connection then connection:close() end
    return not connection
  end) or false
end

--- Waits until master and workers are gone; whether they are.
function server_methods:ended(seconds)
  return openresty.eventually(function() return #self:processes() == 0 end, seconds) or false
end

--- Ends nginx, and returns once nothing of it is left.
function server_methods:stop()
  if self.lifeline then self.lifeline:close() end
  self.lifeline = nil
end

return openresty
