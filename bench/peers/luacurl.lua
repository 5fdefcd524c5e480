-- lua-curl, Debian's module "curl", on one easy handle: luacurl.lua CALLS WARM_UP

local common = require "peers.common"
local curl = require "curl"
local socket = require "socket"

local body, headers

local easy = curl.easy_init()
easy:setopt(curl.OPT_URL, common.url)
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

local version = curl.version and curl.version() or ""
common.in_turn("lua-curl", version, socket.gettime, function(number)
  body, headers = {}, {}
  easy:setopt(curl.OPT_POSTFIELDS, common.body(number))
  easy:perform()
  return common.is_good(headers.status, table.concat(body), headers["x-ratelimit-limit"],
    headers["x-ratelimit-remaining"], headers["x-ratelimit-reset"])
end)
