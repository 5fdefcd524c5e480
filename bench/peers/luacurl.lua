-- lua-curl, Debian's module "curl", on one easy handle: luacurl.lua CALLS WARM_UP, or luacurl.lua CALLS WARM_UP send
-- [memory] for the long trigger_campaign that bench/send.lua sends.

local cjson = require "cjson"
local common = require "peers.common"
local curl = require "curl"
local socket = require "socket"

local sends = arg[3] == "send"
local body, headers

local easy = curl.easy_init()
easy:setopt(curl.OPT_URL, sends and common.endpoint .. "/campaigns/trigger/send" or common.url)
easy:setopt(curl.OPT_HTTPHEADER, { "Authorization: " .. common.authorization, "Content-Type: application/json" })
easy:setopt(curl.OPT_NOSIGNAL, 1)
if common.ca_file then easy:setopt(curl.OPT_CAINFO, common.ca_file) end
easy:setopt(curl.OPT_WRITEFUNCTION, function(bytes)
  body[#body + 1] = bytes
  return #bytes
end)
easy:setopt(curl.OPT_HEADERFUNCTION, function(line)
  local name, value = line:match "^([^:]+):%s*(.-)%s*$"
  if name then
    headers[name:lower()] = value
  elseif line:find "^HTTP/" then
    headers.status = tonumber(line:match "^HTTP/%S+ (%d+)")
  end
  return #line
end)

-- The text is kept in a variable: libcurl reads it where it is.
local function post(text)
  body, headers = {}, {}
  easy:setopt(curl.OPT_POSTFIELDS, text)
  easy:perform()
  return headers.status, table.concat(body), headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"],
    headers["x-ratelimit-reset"]
end

local version = curl.version and curl.version() or ""
if sends then
  table.remove(arg, 3)
  require "campaign".run("lua-curl", version, socket.gettime, function(parameters)
    local text = cjson.encode(parameters)
    local status, answer, limit, remaining, reset = post(text)
    local decoded = cjson.decode(answer)
    return status == 201 and decoded.message == "success" and decoded.dispatch_id
      and tonumber(limit) and tonumber(remaining) and tonumber(reset)
  end)
else
  common.in_turn("lua-curl", version, socket.gettime, function()
    local text = common.body()
    return common.is_good(post(text))
  end)
end
