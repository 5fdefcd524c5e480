-- Who holds how much memory: memory.lua idle CLIENTS | flight CALLS MAX_CONNECTIONS | call CALLS
-- Runs with build/bench/5.4/allocations.so preloaded, on Lua 5.4. Prints one line of JSON, bytes (or blocks) for each
-- client or call: "ours" is braze.so's, Lua's and lua-cjson's, "theirs" everybody else's.
-- BRAZE_API_KEY and BRAZE_REST_ENDPOINT are in the environment.

local allocations = require "allocations"
local braze = require "braze"
local cjson = require "cjson"
local socket = require "socket"

local function kind_of(library)
  if library:find "braze%.so$" then return "braze" end
  if library:find "cjson%.so$" then return "cjson" end
  if library:find "lua5%.4$" or library:find "liblua5%.4" then return "lua" end
  if library:find "libcurl" then return "libcurl" end
  return "others"
end

local function sums_of(list)
  local sums = { braze = 0, cjson = 0, lua = 0, libcurl = 0, others = 0 }
  for library, number in pairs(list) do sums[kind_of(library)] = sums[kind_of(library)] + number end
  return sums
end

-- Collected first, so that what is counted is what is needed.
local function held_now()
  collectgarbage()
  collectgarbage()
  return sums_of(allocations.held())
end

local function share(before, after, count)
  local result = {}
  for kind, number in pairs(after) do result[kind] = (number - before[kind]) / count end
  result.ours = result.braze + result.cjson + result.lua
  result.theirs = result.libcurl + result.others
  return result
end

local function parameters()
  return { campaign_id = "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b", send_id = "send_identifier" }
end

local modes = {}

-- Clients that were made, and that have made one blocking call each.
function modes.idle(count)
  braze.new():create_send_id(parameters()) -- what is made once is there
  local clients = {}
  for i = 1, count do clients[i] = false end -- the list has its size
  local before = held_now()
  for i = 1, count do clients[i] = braze.new() end
  local made = share(before, held_now(), count)
  for i = 1, count do clients[i]:create_send_id(parameters()) end
  local used = share(before, held_now(), count)
  for i = 1, count do clients[i]:close() end
  return { made = made, used = used, closed = share(before, held_now(), count) }
end

-- Calls while they are in flight, and once they are delivered. The answer takes its time.
function modes.flight(count, max_connections)
  local client = braze.new { max_connections = max_connections, timeout = 60 }
  local bad = 0
  local options = {
    on_done = function(err, result) if err or result.status ~= 201 then bad = bad + 1 end end,
  }
  client:start("create_send_id", parameters(), options) -- the thread is there
  client:wait()
  local before = held_now()
  for _ = 1, count do client:start("create_send_id", parameters(), options) end
  socket.sleep(0.05)
  local flying = share(before, held_now(), count)
  client:wait()
  assert(bad == 0, "a call failed")
  return { flying = flying, delivered = share(before, held_now(), count) }
end

-- How many blocks one warm call asks for.
function modes.call(count)
  local client = braze.new()
  for _ = 1, 300 do client:create_send_id(parameters()) end
  local before = sums_of(allocations.counted())
  for _ = 1, count do client:create_send_id(parameters()) end
  return { blocks = share(before, sums_of(allocations.counted()), count) }
end

local result = modes[arg[1]](tonumber(arg[2]), tonumber(arg[3]))
result.bad = 0
print(cjson.encode(result))
