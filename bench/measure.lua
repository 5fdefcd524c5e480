-- Measures braze beside bare C and the curl command, prints the figures with the bars that they have to reach, and
-- writes them to a file: measure.lua RESULTS. Started by bench/run, which has the stand-in running.
--
-- No two times of different minutes are compared: in each round everything runs once, one after the other, each round
-- in another order, and a figure is the median over the rounds of the quotient of two times of the same round.

local braze = require "braze"
local cjson = require "cjson"
local http = require "socket.http"

local key = "braze-standin-key"
local plain = "http://127.0.0.1:" .. os.getenv "HTTP_PORT"
local secure = "https://127.0.0.1:" .. os.getenv "HTTPS_PORT"
local constant_answer = "/fast" -- the stand-in's folder for benchmarks
local bundle, hashed = os.getenv "CA_BUNDLE", os.getenv "CA_HASHED"
local user_agent = "braze-lua/" .. braze._VERSION:match "%S+$"
local body = '{"campaign_id":"56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b","send_id":"send-1"}'

-- --- Small tools ---------------------------------------------------------------------------------------------------

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  if not pipe:close() then error("failed: " .. command, 0) end
  return (text:gsub("\n$", ""))
end

local function first_line(command)
  return output_of(command .. " 2>&1 || true"):match "^[^\n]*"
end

local function exists(file_or_program)
  local name = quote(file_or_program)
  return os.execute(("test -e %s || command -v %s >/dev/null"):format(name, name))
end

local function quantile(numbers, part)
  local sorted = table.move(numbers, 1, #numbers, 1, {})
  table.sort(sorted)
  local place = 1 + (#sorted - 1) * part
  local low, high = math.floor(place), math.ceil(place)
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low)
end

local function quotients(over, under)
  local result = {}
  for i = 1, #over do result[i] = over[i] / under[i] end
  return result
end

-- --- What runs -----------------------------------------------------------------------------------------------------
-- A row's command is made for an endpoint; one that times its calls itself also takes their number and the warm-up's.

local function environment(endpoint, version, ca_file)
  local names = { "BRAZE_API_KEY=" .. key, "BRAZE_REST_ENDPOINT=" .. endpoint }
  if version then names[#names + 1] = "LUA_CPATH=" .. quote(("build/%s/?.so;;"):format(version)) end
  if ca_file then names[#names + 1] = "BRAZE_CA_FILE=" .. quote(ca_file) end
  return table.concat(names, " ")
end

local function bare_c(name)
  return {
    name = name,
    needs = {},
    command = function(endpoint, calls, warm_up)
      return ("%s build/bench/bare %d %d %s"):format(environment(endpoint), calls, warm_up, user_agent)
    end,
  }
end

local function blocking(name, interpreter, version, at_most)
  return {
    name = name,
    at_most = at_most,
    needs = { interpreter, ("build/%s/braze.so"):format(version) },
    command = function(endpoint, calls, warm_up)
      return ("%s %s bench/blocking.lua %d %d"):format(environment(endpoint, version), interpreter, calls, warm_up)
    end,
  }
end

local function curl(name)
  return {
    name = name,
    needs = { "curl" },
    command = function(endpoint)
      return table.concat({
        "curl -q --silent --show-error --fail --http1.1 --noproxy '*' --cacert", quote(bundle),
        "--user-agent", user_agent, "--header", quote("Authorization: Bearer " .. key),
        "--header 'Content-Type: application/json' --data", quote(body), endpoint .. "/sends/id/create",
      }, " ")
    end,
  }
end

local function cold_call(name, interpreter, version, ca_file, at_most)
  return {
    name = name,
    at_most = at_most,
    needs = { interpreter, ("build/%s/braze.so"):format(version) },
    command = function(endpoint)
      return ("%s %s bench/cold.lua"):format(environment(endpoint, version, ca_file), interpreter)
    end,
  }
end

local function lua_that_runs(name, code)
  return { name = name, needs = {}, command = function() return "lua5.4 -e " .. quote(code) end }
end

-- Lua links libcurl itself, so that the two differ in nothing else. The library's name is known to the linker alone.
local libcurl = output_of "ldd build/5.4/braze.so || true":match "libcurl[%w-]*%.so[.%d]*" or "libcurl.so.4"

local warm = {
  title = "Warm blocking call: %d rounds of %d calls on one connection, plain HTTP",
  rounds = 25, calls = 2000, warm_up = 300, endpoint = plain, unit = "us", divisor = 1, compared_with = "bare C",
  rows = {
    bare_c "bare C",
    bare_c "bare C again: the noise",
    blocking("braze, Lua 5.4", "lua5.4", "5.4", 1.10),
    blocking("braze, LuaJIT", "luajit", "5.1", 1.10),
    blocking("braze, Lua 5.3", "lua5.3", "5.3"),
    blocking("braze, Lua 5.1", "lua5.1", "5.1"),
  },
}

local cold = {
  title = "Cold call: process start to end, TLS, %d rounds",
  rounds = 31, endpoint = secure, unit = "ms", divisor = 1000, compared_with = "curl, bundle",
  rows = {
    curl "curl, bundle",
    curl "curl, bundle again: the noise",
    cold_call("braze, Lua 5.4, hashed directory", "lua5.4", "5.4", hashed, 0.5),
    cold_call("braze, Lua 5.4, bundle", "lua5.4", "5.4", bundle),
    cold_call("braze, LuaJIT, hashed directory", "luajit", "5.1", hashed),
  },
}

local loading = {
  title = "Loading: process start to end, %d rounds",
  rounds = 31, unit = "ms", divisor = 1000, compared_with = "Lua 5.4 with libcurl",
  rows = {
    lua_that_runs("Lua 5.4 with libcurl", ('assert(package.loadlib("%s", "*"))'):format(libcurl)),
    lua_that_runs("Lua 5.4 with require \"braze\"", 'require "braze"'),
    lua_that_runs("Lua 5.4 alone", ""),
  },
}

-- --- How it runs ---------------------------------------------------------------------------------------------------

-- Takes out the rows whose program is not here, and says so.
local function keep_what_is_here(group)
  local kept = {}
  for _, row in ipairs(group.rows) do
    local missing
    for _, need in ipairs(row.needs) do
      if not exists(need) then missing = need end
    end
    if missing then
      print(("Left out: %s (%s is missing)"):format(row.name, missing))
    else
      kept[#kept + 1] = row
    end
  end
  group.rows = kept
end

-- The one request that a command sends, as the stand-in saw it.
local function request_of(row, endpoint)
  assert(http.request(plain .. "/standin/reset", ""))
  output_of(row.command(endpoint, 1, 0))
  local log = cjson.decode((assert(http.request(plain .. "/standin/log"))))
  local request = log.requests[1]
  if #log.requests ~= 1 then error(("%s sent %d requests, not 1"):format(row.name, #log.requests), 0) end
  request.headers.host = nil -- the port differs
  return { method = request.method, path = request.path, headers = request.headers, body = request.body }
end

local function first_difference(left, right)
  if type(left) ~= "table" or type(right) ~= "table" then return left ~= right and "" or nil end
  for _, pair in ipairs { { left, right }, { right, left } } do
    for name, value in pairs(pair[1]) do
      local difference = first_difference(value, pair[2][name])
      if difference then return name .. (difference == "" and "" or "." .. difference) end
    end
  end
end

-- Who does less must not look faster.
local function check_that_all_send_the_same(groups)
  local first
  for _, group in ipairs(groups) do
    for _, row in ipairs(group.rows) do
      local request = request_of(row, group.endpoint)
      first = first or request
      local difference = first_difference(first, request)
      if difference then error(("%s sends another %s than bare C"):format(row.name, difference), 0) end
    end
  end
end

local function refuse_failures(row, bad)
  if bad > 0 then error(("%s: %d calls failed"):format(row.name, bad), 0) end
end

-- Runs the programs that time their calls themselves.
local function time_calls(group)
  local count = #group.rows
  for _, row in ipairs(group.rows) do row.cpu, row.wall = {}, {} end
  for round = 1, group.rounds do
    for i = 1, count do
      local row = group.rows[(round + i) % count + 1]
      local command = row.command(group.endpoint .. constant_answer, group.calls, group.warm_up)
      local line = cjson.decode(output_of(command))
      refuse_failures(row, line.bad)
      row.cpu[round], row.wall[round], row.version = line.cpu_us, line.wall_us, line.version
    end
  end
end

-- Runs programs that are timed from their start to their end.
local function time_processes(group)
  local words = { "build/bench/processes " .. group.rounds }
  for _, row in ipairs(group.rows) do
    words[#words + 1] = row.command(group.endpoint and group.endpoint .. constant_answer)
  end
  local lines = cjson.decode(output_of(table.concat(words, " -- ")))
  for i, row in ipairs(group.rows) do
    refuse_failures(row, lines[i].bad)
    row.cpu, row.wall = lines[i].cpu_us, lines[i].wall_us
  end
end

-- --- What came of it -----------------------------------------------------------------------------------------------

local function find(group, name)
  for _, row in ipairs(group.rows) do
    if row.name == name then return row end
  end
end

local function judge(group)
  local under = find(group, group.compared_with)
  for _, row in ipairs(group.rows) do
    row.cpu_us, row.wall_us = quantile(row.cpu, 0.5), quantile(row.wall, 0.5)
    if under then
      local cpu = quotients(row.cpu, under.cpu)
      row.cpu_ratio, row.low, row.high = quantile(cpu, 0.5), quantile(cpu, 0.25), quantile(cpu, 0.75)
      row.wall_ratio = quantile(quotients(row.wall, under.wall), 0.5)
      if row.at_most then row.reached = row.cpu_ratio <= row.at_most end
    end
  end
end

local function show(group)
  local heads = { "", "CPU " .. group.unit, "wall " .. group.unit, "CPU / " .. group.compared_with }
  print("\n" .. group.title:format(group.rounds, group.calls))
  print(("%-34s %9s %9s   %s"):format(table.unpack(heads)))
  for _, row in ipairs(group.rows) do
    local parts = { ("%-34s %9.2f %9.2f"):format(row.name, row.cpu_us / group.divisor, row.wall_us / group.divisor) }
    if row.cpu_ratio and row.name ~= group.compared_with then
      parts[#parts + 1] = ("%.2f (half of them %.2f to %.2f)"):format(row.cpu_ratio, row.low, row.high)
    end
    if row.at_most then
      local verdict = row.reached == nil and "not measured" or row.reached and "reached" or "NOT REACHED"
      parts[#parts + 1] = ("at most %.2f: %s"):format(row.at_most, verdict)
    end
    print(table.concat(parts, "   "))
  end
end

local function versions()
  local nginx = quote(output_of "spec/support/nginx" .. "/usr/sbin/nginx")
  local list = {
    { "braze", braze._VERSION }, { "libcurl", find(warm, "bare C").version }, { "lua-cjson", cjson._VERSION },
  }
  for _, interpreter in ipairs { "lua5.4", "luajit", "lua5.3", "lua5.1" } do
    if exists(interpreter) then list[#list + 1] = { interpreter, first_line(interpreter .. " -v"):match "^%S+ %S+" } end
  end
  for _, pair in ipairs {
    { "curl", "curl --version" }, { "nginx", nginx .. " -v" }, { "compiler", (os.getenv "CC" or "cc") .. " --version" },
    { "kernel", "uname -srm" }, { "processor", "sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1" },
    { "cores", "getconf _NPROCESSORS_ONLN" }, { "load", "cut -d ' ' -f 1-3 /proc/loadavg" },
  } do list[#list + 1] = { pair[1], first_line(pair[2]) } end
  return list
end

local function results_of(groups, list)
  local results = { versions = {} }
  for _, pair in ipairs(list) do results.versions[pair[1]] = pair[2] end
  for name, group in pairs(groups) do
    local rows = {}
    for i, row in ipairs(group.rows) do
      rows[i] = {
        name = row.name, cpu_us = row.cpu_us, wall_us = row.wall_us, cpu_ratio = row.cpu_ratio,
        wall_ratio = row.wall_ratio, at_most = row.at_most, reached = row.reached,
        cpu_us_of_each_round = row.cpu, wall_us_of_each_round = row.wall,
      }
    end
    results[name] = { rounds = group.rounds, calls = group.calls, compared_with = group.compared_with, rows = rows }
  end
  return results
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text, "\n"))
  assert(file:close())
end

for _, group in ipairs { warm, cold, loading } do keep_what_is_here(group) end
check_that_all_send_the_same { warm, cold }
time_calls(warm)
time_processes(cold)
time_processes(loading)
for _, group in ipairs { warm, cold, loading } do
  judge(group)
  show(group)
end
local list = versions()
print()
for _, pair in ipairs(list) do print(("%-10s %s"):format(pair[1], pair[2])) end
write(arg[1], cjson.encode(results_of({ warm = warm, cold = cold, loading = loading }, list)))
print("\nEvery round: " .. arg[1])
