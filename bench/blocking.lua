-- Calls through braze one after the other, on any Lua, as bench/bare.c does in C: blocking.lua CALLS WARM_UP.
-- Prints one line of JSON; BRAZE_API_KEY and BRAZE_REST_ENDPOINT are in the environment.

local braze = require "braze"
local socket = require "socket"

local calls, warm_up = tonumber(arg[1]), tonumber(arg[2])
local jit = rawget(_G, "jit")
local lua = jit and jit.version or _VERSION

-- Whether the answer holds all that bare C looks for. What goes wrong on the way is raised, and ends the run.
local function call()
  local result = braze.create_send_id {
    campaign_id = "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b",
    send_id = "send_identifier",
  }
  local rate_limit = result.rate_limit
  return result.status == 201 and result.message == "success" and result.send_id
    and rate_limit.limit and rate_limit.remaining and rate_limit.reset
end

local bad, wall, cpu = 0, nil, nil
for number = 1 - warm_up, calls do
  if number == 1 then wall, cpu = socket.gettime(), os.clock() end
  if not call() then bad = bad + 1 end
end
cpu = os.clock() - cpu
wall = socket.gettime() - wall

print(('{"peer":"braze, %s","version":"%s","n":%d,"bad":%d,"wall_us":%.3f,"cpu_us":%.3f}')
  :format(lua, braze._VERSION, calls, bad, wall / calls * 1e6, cpu / calls * 1e6))
