-- What the peers written in Lua share: the arguments, the call's parameters, what a good answer is, and the loop that
-- bench/blocking.lua has, too. Each takes CALLS WARM_UP and prints one line of JSON; BRAZE_API_KEY and
-- BRAZE_REST_ENDPOINT are in the environment, and BRAZE_CA_FILE where it is https.

local cjson = require "cjson"

local jit = rawget(_G, "jit")

local common = {
  endpoint = os.getenv "BRAZE_REST_ENDPOINT",
  url = os.getenv "BRAZE_REST_ENDPOINT" .. "/sends/id/create",
  authorization = "Bearer " .. os.getenv "BRAZE_API_KEY",
  ca_file = os.getenv "BRAZE_CA_FILE",
  lua = jit and jit.version or _VERSION,
}

function common.body()
  return cjson.encode { campaign_id = "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b", send_id = "send_identifier" }
end

-- The three headers come as they are in the answer, the body as text.
function common.is_good(status, body, limit, remaining, reset)
  local answer = cjson.decode(body)
  return status == 201 and answer.message == "success" and answer.send_id
    and tonumber(limit) and tonumber(remaining) and tonumber(reset)
end

function common.report(peer, version, calls, bad, wall, cpu)
  print(('{"peer":"%s, %s","version":"%s","n":%d,"bad":%d,"wall_us":%.3f,"cpu_us":%.3f}')
    :format(peer, common.lua, version, calls, bad, wall / calls * 1e6, cpu / calls * 1e6))
end

-- Calls one after the other; call() is true if its answer was good.
function common.in_turn(peer, version, now, call)
  local calls, warm_up = tonumber(arg[1]), tonumber(arg[2])
  local bad, wall, cpu = 0, nil, nil
  for number = 1 - warm_up, calls do
    if number == 1 then wall, cpu = now(), os.clock() end
    if not call() then bad = bad + 1 end
  end
  common.report(peer, version, calls, bad, now() - wall, os.clock() - cpu)
end

return common
