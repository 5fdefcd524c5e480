-- lua-http on cqueues: luahttp.lua CALLS WARM_UP [IN_FLIGHT]
-- One connection for each coroutine, kept; without IN_FLIGHT one call after the other. Debian's runs on Lua 5.1 and
-- LuaJIT.

local client = require "http.client"
local common = require "peers.common"
local cqueues = require "cqueues"
local headers_of = require "http.headers"
local version = require "http.version"

local scheme, host, port, folder = common.endpoint:match "^(%l+)://([^:/]+):(%d+)(.*)$"
local path = folder .. "/sends/id/create"
local tls = scheme == "https"
local patience = 30 -- seconds
local context

if tls then
  local store = require "openssl.x509.store".new()
  store:add(common.ca_file)
  context = require "http.tls".new_client_context()
  context:setStore(store)
end

local function connect()
  local options = { host = host, port = tonumber(port), tls = tls, ctx = context, version = 1.1 }
  return assert(client.connect(options, patience))
end

local function call(connection)
  local body, stream, headers = common.body(), connection:new_stream(), headers_of.new()
  headers:append(":method", "POST")
  headers:append(":scheme", scheme)
  headers:append(":authority", host .. ":" .. port)
  headers:append(":path", path)
  headers:append("authorization", common.authorization)
  headers:append("content-type", "application/json")
  headers:append("content-length", tostring(#body))
  assert(stream:write_headers(headers, false, patience))
  assert(stream:write_body_from_string(body, patience))
  local answer = assert(stream:get_headers(patience))
  return common.is_good(tonumber(answer:get ":status"), stream:get_body_as_string(patience),
    answer:get "x-ratelimit-limit", answer:get "x-ratelimit-remaining", answer:get "x-ratelimit-reset")
end

local in_flight = tonumber(arg[3])
local name = "lua-http " .. version.version

if not in_flight then
  local connection = connect()
  common.in_turn("lua-http", name, cqueues.monotime, function() return call(connection) end)
  return
end

local connections, bad = {}, 0

local function run(count)
  local loop, begun = cqueues.new(), 0
  for i = 1, in_flight do
    loop:wrap(function()
      connections[i] = connections[i] or connect()
      while begun < count do
        begun = begun + 1
        if not call(connections[i], begun) then bad = bad + 1 end
      end
    end)
  end
  assert(loop:loop())
end

local calls, warm_up = tonumber(arg[1]), tonumber(arg[2])
if warm_up > 0 then run(warm_up) end
local wall, cpu = cqueues.monotime(), os.clock()
run(calls)
common.report("lua-http", name, calls, bad, cqueues.monotime() - wall, os.clock() - cpu)
