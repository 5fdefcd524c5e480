-- What the stand-in answers: Braze's POST /sends/id/create as documented, and the few calls specs steer it with.
--
-- Runs in nginx with one worker. Between two yields nothing else runs, so plain tables are exact counters.

local cjson = require "cjson"
local json = require "cjson.safe"

local service = {}

local quota_per_day = 100
local seconds_per_day = 86400
local longest_body = 4 * 1024 * 1024
local longest_send_id = 64
local longest_logged_body = 64 * 1024
local longest_log = 10000
local rate_headers = { "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset" }

local workspace_of_key = {
  ["braze-standin-key"] = "main",
  ["braze-standin-key-2"] = "second",
}
local key_without_permission = "braze-standin-key-no-permission"

local known_campaigns = {
  ["campaign_identifier"] = true,
  ["56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b"] = true,
}

-- What the service remembers; reset forgets all of it.
local workspaces, created_of_campaign, log

local function reset()
  workspaces, created_of_campaign, log = {}, {}, { first = 1, last = 0 }
end
reset()

local function uuid(hexadecimal)
  return (hexadecimal:gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x+)$", "%1-%2-%3-%4-%5"))
end

local function reply(status, body)
  ngx.status = status
  ngx.header["content-type"] = "application/json"
  ngx.header["content-length"] = #body
  ngx.print(body)
end

local function refuse(status, message)
  reply(status, cjson.encode { message = message })
end

-- The body that has arrived; a large one lies in a file.
local function read_body()
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  local path = not body and ngx.req.get_body_file()
  if path then
    local file = assert(io.open(path, "rb"))
    body = file:read "*a"
    file:close()
  end
  return body or ""
end

local function remember(path, body)
  log.last = log.last + 1
  log[log.last] = cjson.encode {
    method = ngx.req.get_method(),
    path = path,
    headers = ngx.req.get_headers(0),
    body = body:sub(1, longest_logged_body),
    body_length = #body,
    connection = tonumber(ngx.var.connection),
    connection_requests = tonumber(ngx.var.connection_requests),
    tls = ngx.var.ssl_protocol,
  }
  if log.last - log.first >= longest_log then
    log[log.first] = nil
    log.first = log.first + 1
  end
end

-- The workspace of a key, or nil.
local function find_workspace(key)
  return workspace_of_key[key] or key:match "^braze%-standin%-key%-w%-[%w_%-]+$"
end

-- Today's quota of a workspace: used units and the pairs that used them.
local function quota_of(workspace)
  local day = math.floor(ngx.time() / seconds_per_day)
  local quota = workspaces[workspace]
  if not quota or quota.day ~= day then
    quota = { day = day, used = 0, pairs = {} }
    workspaces[workspace] = quota
  end
  return quota
end

local function set_rate_headers(quota)
  ngx.header["x-ratelimit-limit"] = quota_per_day
  ngx.header["x-ratelimit-remaining"] = quota_per_day - quota.used
  ngx.header["x-ratelimit-reset"] = (quota.day + 1) * seconds_per_day
end

-- The key of the request's one bearer credential, or nil.
local function bearer_key()
  local authorization = ngx.var.http_authorization
  local scheme, key = (authorization or ""):match "^(%a+) (%S+)$"
  return scheme and scheme:lower() == "bearer" and key or nil
end

local function is_json_type(content_type)
  local media_type = (content_type or ""):match "^%s*([^;%s]*)%s*;?"
  return media_type:lower() == "application/json"
end

-- What is wrong with a send_id that was given, or nil.
local function fault_of_send_id(send_id)
  if type(send_id) ~= "string" then return "send_id must be a string" end
  if send_id == "" then return "send_id must not be empty" end
  if send_id:find "[\128-\255]" then return "send_id must be ASCII" end
  if #send_id > longest_send_id then return "send_id must be at most 64 characters" end
end

-- The parameters of a request body, or nil and what is wrong with them.
local function parse_parameters(body)
  local parameters = body:find "^%s*{" and json.decode(body)
  if not parameters then return nil, "Malformed JSON" end
  local campaign_id, send_id = parameters.campaign_id, parameters.send_id
  if type(campaign_id) ~= "string" or campaign_id == "" then
    return nil, "campaign_id must be a string of the campaign api identifier"
  end
  if not known_campaigns[campaign_id] and not campaign_id:find "^campaign%-" then
    return nil, "Invalid Campaign ID"
  end
  local fault = send_id ~= nil and fault_of_send_id(send_id)
  if fault then return nil, fault end
  return parameters
end

-- Creates the pair, unless it exists. Returns its send_id, or nil when the day's quota is used up.
local function create(quota, campaign_id, send_id)
  local pair = send_id and #campaign_id .. ":" .. campaign_id .. send_id
  if pair and quota.pairs[pair] then return send_id end
  if quota.used >= quota_per_day then return nil end
  quota.used = quota.used + 1
  created_of_campaign[campaign_id] = (created_of_campaign[campaign_id] or 0) + 1
  if pair then quota.pairs[pair] = true end
  return send_id or uuid(ngx.md5(ngx.var.request_id .. campaign_id))
end

local function create_send_id(body)
  if not is_json_type(ngx.var.http_content_type) then
    return refuse(415, "Unsupported Media Type")
  end
  local key = bearer_key()
  if not key then
    return refuse(401, "Error authenticating credentials")
  end
  if key == key_without_permission then
    return refuse(403, "Access Denied")
  end
  local workspace = find_workspace(key)
  if not workspace then
    -- nginx leaves out a header without a value; a blank one arrives as empty.
    for _, name in ipairs(rate_headers) do
      ngx.header[name] = " "
    end
    return refuse(401, "Invalid API key: " .. key)
  end

  local quota = quota_of(workspace)
  set_rate_headers(quota)
  if #body > longest_body then
    return refuse(413, "Request Entity Too Large")
  end
  local parameters, fault = parse_parameters(body)
  if not parameters then
    return refuse(400, fault)
  end
  local send_id = create(quota, parameters.campaign_id, parameters.send_id)
  if not send_id then
    return refuse(429, "You have exceeded your rate limit")
  end
  set_rate_headers(quota)
  reply(201, '{"message":"success","send_id":' .. cjson.encode(send_id) .. "}")
end

-- The calls that steer the stand-in, by method and path; they are not logged themselves.
local steering = {
  ["POST /standin/reset"] = function()
    reset()
    reply(200, '{"message":"success"}')
  end,
  ["GET /standin/log"] = function()
    -- Joined by hand: cjson would write an empty log as an object.
    reply(200, '{"requests":[' .. table.concat(log, ",", log.first, log.last) .. "]}")
  end,
  ["GET /standin/count"] = function()
    local campaign_id = ngx.req.get_uri_args().campaign_id
    reply(200, cjson.encode { count = created_of_campaign[campaign_id] or 0 })
  end,
}

function service.answer()
  local method = ngx.req.get_method()
  local path = ngx.var.request_uri:match "^[^?]*"
  local steer = steering[method .. " " .. path]
  if steer then return steer() end

  local body = read_body()
  remember(path, body)
  ngx.header["x-request-id"] = uuid(ngx.var.request_id)

  local delay, behind_delay = path:match "^/slow/(%d+)(/.*)$"
  if delay then ngx.sleep(tonumber(delay) / 1000) end
  local called = behind_delay or path:match "^/gateway(/.*)$" or path
  if called == "/sends/id/create/" then
    return refuse(403, "Access Denied")
  end
  if method ~= "POST" or called ~= "/sends/id/create" then
    return refuse(404, "Invalid URL")
  end
  return create_send_id(body)
end

return service
