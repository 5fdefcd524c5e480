-- Starts the stand-in of the Braze REST API for specs, once for a process; it ends with the process.
--
--   local service = standin.start()
--   (call service.http or service.https with service.key) ; service.log().requests ; service.reset()

local cjson = require "cjson"
local http = require "socket.http"
local ltn12 = require "ltn12"
local socket = require "socket"

local standin = {}

local support = debug.getinfo(1, "S").source:match "^@(.*)standin%.lua$"
-- Where the one service is kept: busted loads this module anew for each file.
local registry_key = "spec.support.standin"
local start_timeout = 60
local pause_between_looks = 0.005

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read_file(path)
  local file = io.open(path)
  if not file then return nil end
  local text = file:read "*a"
  file:close()
  return text
end

-- Starts the launcher with its stdin in our hands. Returns that and what the launcher says of the service.
local function launch()
  local output = assert(io.popen "mktemp -d")
  local directory = output:read "*l"
  output:close()
  assert(directory, "mktemp made no folder for the stand-in")
  local start = ("exec sh %s %s"):format(quote(support .. "standin/standin"), quote(directory))
  local lifeline = assert(io.popen(start, "w"))
  local deadline = socket.gettime() + start_timeout
  while true do
    local ready, failed = read_file(directory .. "/ready"), read_file(directory .. "/failed")
    if ready then return lifeline, ready end
    if failed or socket.gettime() > deadline then
      lifeline:close()
      error("the stand-in did not start: " .. (failed or "no answer within " .. start_timeout .. " s"), 3)
    end
    socket.sleep(pause_between_looks)
  end
end

local function call(url, body)
  local answer, status = http.request(url, body)
  if status ~= 200 then error("the stand-in answered " .. tostring(status) .. " to " .. url, 3) end
  return cjson.decode(answer)
end

-- Starts the service, or returns the one that runs:
--   http, https       endpoint URLs; also http_port, https_port
--   key, second_key   keys of two workspaces; workspace_key(word) gives a key of a workspace of that name
--   campaign_id       a campaign that exists, as does every "campaign-…"
--   ca_file, ca_directory, server_certificate, server_key   paths, as spec/support/certificates makes them
--   reset()           forgets log, counts and quotas
--   log()             { requests = { { method, path, headers, body, connection, connection_requests, … } } }
--   count(campaign)   ids created for a campaign
--   send(method, path, body, headers)   a request by luasocket: the body a table or a text; a header that is false is
--                     left out. Returns status, body, headers, the body's text; nil where no answer came
--   sends()           { { operation, campaign_id, send_id, recipients, … } }, what went out
--   schedules()       { { schedule_id, operation, text, … } }, what is still to go out
--   steer(what)       one of its switches, as "quota?bucket=hour&limit=3"; README.md there lists them
--   stop()            ends the service and waits until nothing of it is left
function standin.start()
  local registry = debug.getregistry()
  if registry[registry_key] then return registry[registry_key] end

  local lifeline, ready = launch()
  local function value(name)
    return ready:match(name .. "=([^\n]*)")
  end
  local ca_file = value "CA_FILE"
  local certificates = ca_file:match "^(.*/)"
  local service = {
    http_port = tonumber(value "HTTP_PORT"),
    https_port = tonumber(value "HTTPS_PORT"),
    http = "http://127.0.0.1:" .. value "HTTP_PORT",
    https = "https://localhost:" .. value "HTTPS_PORT",
    ca_file = ca_file,
    ca_directory = value "CA_DIRECTORY",
    server_certificate = certificates .. "server.pem",
    server_key = certificates .. "server.key",
    key = "braze-standin-key",
    second_key = "braze-standin-key-2",
    key_without_permission = "braze-standin-key-no-permission",
    campaign_id = "campaign_identifier",
  }

  function service.workspace_key(word)
    return "braze-standin-key-w-" .. word
  end

  function service.reset()
    call(service.http .. "/standin/reset", "")
  end

  function service.log()
    return call(service.http .. "/standin/log")
  end

  function service.count(campaign_id)
    local escaped = campaign_id:gsub("[^%w%-_]", function(byte) return ("%%%02X"):format(byte:byte()) end)
    return math.floor(call(service.http .. "/standin/count?campaign_id=" .. escaped).count)
  end

  function service.send(method, path, body, headers)
    local text = type(body) == "table" and cjson.encode(body) or body
    local all = { authorization = "Bearer " .. service.key }
    if text then all["content-type"], all["content-length"] = "application/json", #text end
    for name, content in pairs(headers or {}) do all[name] = content or nil end
    local chunks = {}
    local good, code, answer_headers = http.request {
      url = service.http .. path, method = method, headers = all, source = text and ltn12.source.string(text),
      sink = ltn12.sink.table(chunks),
    }
    if not good then return nil, code end
    local answer = table.concat(chunks)
    return code, answer ~= "" and cjson.decode(answer) or answer, answer_headers, answer
  end

  function service.sends()
    return call(service.http .. "/standin/sends").sends
  end

  function service.schedules()
    return call(service.http .. "/standin/schedules").schedules
  end

  function service.steer(what)
    call(service.http .. "/standin/" .. what, "")
  end

  function service.stop()
    if not lifeline then return end
    lifeline:close()
    lifeline = nil
    registry[registry_key] = nil
  end

  registry[registry_key] = service
  return service
end

return standin
