-- Starts calls side by side, on any Lua, as bench/multi.c and bench/worker.c do in C:
-- started.lua CALLS BATCHES WARM_UP IN_FLIGHT MAX_CONNECTIONS [WAY]
-- A batch is so many calls, IN_FLIGHT of them at a time: each answer starts the next call. WAY is how the program
-- waits: "wait" (client:wait, the default) or "select" (luasocket's select on the client, and client:step).
-- Prints one line of JSON; BRAZE_API_KEY and BRAZE_REST_ENDPOINT are in the environment.

local braze = require "braze"
local socket = require "socket"

local calls, batches, warm_up = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
local in_flight, max_connections, way = tonumber(arg[4]), tonumber(arg[5]), arg[6] or "wait"
local jit = rawget(_G, "jit")
local lua = jit and jit.version or _VERSION

local client = braze.new { max_connections = max_connections, timeout = 60 }
local bad, begun, last = 0, 0, 0
local first_error

local options = {}

local function start_next()
  begun = begun + 1
  client:start("create_send_id", {
    campaign_id = "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b",
    send_id = "send_identifier",
  }, options)
end

-- Whether the answer holds all that bare C looks for.
local function is_good(result)
  local rate_limit = result.rate_limit
  return result.status == 201 and result.message == "success" and result.send_id
    and rate_limit.limit and rate_limit.remaining and rate_limit.reset
end

function options.on_done(err, result)
  if err or not is_good(result) then
    bad = bad + 1
    first_error = first_error or err
  end
  if begun < last then start_next() end
end

local ways = {}

function ways.wait()
  client:wait()
end

function ways.select()
  local list = { client }
  while client:pending() > 0 do
    socket.select(list, nil, 10)
    client:step()
  end
end

local function run(count)
  begun, last = 0, count
  for _ = 1, math.min(count, in_flight) do start_next() end
  ways[way]()
end

local function memory_kib(name)
  local file = io.open "/proc/self/status"
  if not file then return 0 end
  local size = file:read "*a":match(name .. ":%s*(%d+)")
  file:close()
  return tonumber(size) or 0
end

run(1)
collectgarbage()
local before, lua_before = memory_kib "VmRSS", collectgarbage "count"
if warm_up > 0 then run(warm_up) end
local wall, cpu = socket.gettime(), os.clock()
for _ = 1, batches do run(calls) end
cpu = os.clock() - cpu
wall = socket.gettime() - wall

if first_error then io.stderr:write(tostring(first_error), "\n") end
calls = calls * batches
print(('{"peer":"braze, %s","version":"%s","n":%d,"bad":%d,"wall_us":%.3f,"cpu_us":%.3f,'
  .. '"memory_kib":%d,"lua_kib":%d}'):format(lua, braze._VERSION, calls, bad, wall / calls * 1e6, cpu / calls * 1e6,
    memory_kib "VmHWM" - before, math.floor(collectgarbage "count" - lua_before)))
