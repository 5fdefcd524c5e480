-- luasocket's http, or luasec's https, a new connection for each call, since neither keeps one:
-- luasocket.lua CALLS WARM_UP

local common = require "peers.common"
local ltn12 = require "ltn12"
local socket = require "socket"

local secure = common.url:find "^https:"
local http = secure and require "ssl.https" or require "socket.http"
local version = secure and "LuaSec " .. require "ssl"._VERSION or socket._VERSION

common.in_turn(secure and "luasec" or "luasocket", version, socket.gettime, function()
  local body, parts = common.body(), {}
  local request = {
    url = common.url, method = "POST", source = ltn12.source.string(body), sink = ltn12.sink.table(parts),
    headers = {
      ["Authorization"] = common.authorization, ["Content-Type"] = "application/json", ["Content-Length"] = #body,
    },
  }
  -- A folder of certificates, as braze is given one: reading a bundle would be nearly all of each call.
  if secure then request.capath, request.verify, request.protocol = common.ca_file, "peer", "any" end
  local good, status, headers = http.request(request)
  assert(good, status)
  return common.is_good(status, table.concat(parts), headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"],
    headers["x-ratelimit-reset"])
end)
