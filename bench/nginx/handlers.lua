-- luacheck: std +ngx_lua
-- The handlers that are compared: the same work, done through braze and through lua-resty-http, and none of it.

local handlers = {}

local campaign_id = "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b"

local function parameters()
  return { campaign_id = campaign_id, send_id = "send_identifier" }
end

local function finish(good, err)
  if good then
    ngx.print "good\n"
  else
    ngx.log(ngx.ERR, tostring(err))
    ngx.status = 500
    ngx.print "bad\n"
  end
end

local client

-- Key and endpoint are in the environment.
function handlers.braze()
  client = client or require "braze".new { max_connections = 1000 }
  local good, result = pcall(client.create_send_id, client, parameters())
  local rate_limit = good and result.rate_limit
  finish(good and result.status == 201 and result.message == "success" and result.send_id
    and rate_limit.limit and rate_limit.remaining and rate_limit.reset, result)
end

-- Whether lua-resty-http's call was good, and what went wrong.
local function call_by_resty(endpoint)
  local cjson = require "cjson"
  local result, err = require "resty.http".new():request_uri(endpoint .. "/sends/id/create", {
    method = "POST",
    body = cjson.encode(parameters()),
    headers = { ["Authorization"] = "Bearer braze-standin-key", ["Content-Type"] = "application/json" },
    keepalive_pool = 1000,
    ssl_verify = true,
    ssl_server_name = "localhost", -- the stand-in is reached by its address, which ngx_lua can't verify
  })
  if not result then return false, err end
  local answer = cjson.decode(result.body)
  return result.status == 201 and answer.message == "success" and answer.send_id
    and tonumber(result.headers["X-RateLimit-Limit"]) and tonumber(result.headers["X-RateLimit-Remaining"])
    and tonumber(result.headers["X-RateLimit-Reset"]), "not the answer that was expected"
end

function handlers.resty(endpoint)
  finish(call_by_resty(endpoint))
end

-- Calls one after the other in one handler, as bench/blocking.lua makes them, and the same line of JSON.
function handlers.resty_in_turn(endpoint, calls, warm_up)
  local bad, wall, cpu = 0, nil, nil
  for round = 1 - warm_up, calls do
    if round == 1 then
      ngx.update_time()
      wall, cpu = ngx.now(), os.clock()
    end
    if not call_by_resty(endpoint) then bad = bad + 1 end
  end
  cpu = os.clock() - cpu
  ngx.update_time()
  wall = ngx.now() - wall
  ngx.say(('{"peer":"lua-resty-http","version":"lua-resty-http %s","n":%d,"bad":%d,"wall_us":%.3f,"cpu_us":%.3f}')
    :format(require "resty.http"._VERSION, calls, bad, wall / calls * 1e6, cpu / calls * 1e6))
end

function handlers.sleep()
  ngx.sleep(0.1)
  finish(true)
end

return handlers
