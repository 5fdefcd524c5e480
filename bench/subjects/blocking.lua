-- The blocking call: warm, cold and its loading, beside bare C and the curl command.

local cjson = require "cjson"
local http = require "socket.http"
local tools = require "subjects.tools"

local quote, environment = tools.quote, tools.environment
local blocking = {}

-- --- What runs -----------------------------------------------------------------------------------------------------
-- A row's command is made for an endpoint; one that times its calls itself also takes their number and the warm-up's.

local function bare_c(name)
  return {
    name = name,
    command = function(endpoint, calls, warm_up)
      return ("%s build/bench/bare %d %d %s"):format(environment(endpoint), calls, warm_up, tools.user_agent)
    end,
  }
end

local function blocking_calls(name, interpreter, version, at_most)
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
        "curl -q --silent --show-error --fail --http1.1 --noproxy '*' --cacert", quote(tools.bundle),
        "--user-agent", tools.user_agent, "--header", quote("Authorization: Bearer " .. tools.key),
        "--header 'Content-Type: application/json' --data", quote(tools.body), endpoint .. "/sends/id/create",
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
  return { name = name, command = function() return "lua5.4 -e " .. quote(code) end }
end

-- Lua links libcurl itself, so that the two differ in nothing else. The library's name is known to the linker alone.
local libcurl = tools.output_of "ldd build/5.4/braze.so || true":match "libcurl[%w-]*%.so[.%d]*" or "libcurl.so.4"

local warm = {
  title = "Warm blocking call: %d rounds of %d calls on one connection, plain HTTP",
  rounds = 25, calls = 2000, warm_up = 300, endpoint = tools.plain, unit = "us", divisor = 1, compared_with = "bare C",
  rows = {
    bare_c "bare C",
    bare_c "bare C again: the noise",
    blocking_calls("braze, Lua 5.4", "lua5.4", "5.4", 1.10),
    blocking_calls("braze, LuaJIT", "luajit", "5.1", 1.10),
    blocking_calls("braze, Lua 5.3", "lua5.3", "5.3"),
    blocking_calls("braze, Lua 5.1", "lua5.1", "5.1"),
  },
}

local cold = {
  title = "Cold call: process start to end, TLS, %d rounds",
  rounds = 31, endpoint = tools.secure, unit = "ms", divisor = 1000, compared_with = "curl, bundle",
  rows = {
    curl "curl, bundle",
    curl "curl, bundle again: the noise",
    cold_call("braze, Lua 5.4, hashed directory", "lua5.4", "5.4", tools.hashed, 0.5),
    cold_call("braze, Lua 5.4, bundle", "lua5.4", "5.4", tools.bundle),
    cold_call("braze, LuaJIT, hashed directory", "luajit", "5.1", tools.hashed),
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

-- The request that a command sends, once or a given number of times, as the stand-in saw the last of them.
local function request_of(name, command, times)
  assert(http.request(tools.plain .. "/standin/reset", ""))
  tools.output_of(command)
  local log = cjson.decode((assert(http.request(tools.plain .. "/standin/log"))))
  local request = log.requests[#log.requests]
  if #log.requests ~= times then error(("%s sent %d requests, not %d"):format(name, #log.requests, times), 0) end
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

-- Who does less must not look faster. Takes lists of a name, a command that sends a request, and how often it does.
function blocking.check_that_all_send_the_same(commands)
  local first
  for _, command in ipairs(commands) do
    local request = request_of(command[1], command[2], command[3] or 1)
    first = first or request
    local difference = first_difference(first, request)
    if difference then error(("%s sends another %s than %s"):format(command[1], difference, commands[1][1]), 0) end
  end
end

local function commands_of(groups)
  local commands = {}
  for _, group in ipairs(groups) do
    for _, row in ipairs(group.rows) do commands[#commands + 1] = { row.name, row.command(group.endpoint, 1, 0) } end
  end
  return commands
end

-- Runs the programs that time their calls themselves.
local function time_calls(group)
  for _, row in ipairs(group.rows) do row.cpu, row.wall = {}, {} end
  tools.in_turn(group.rows, group.rounds, function(row, round)
    local command = row.command(group.endpoint .. tools.constant_answer, group.calls, group.warm_up)
    local line = tools.line_of(row.name, command)
    row.cpu[round], row.wall[round], row.version = line.cpu_us, line.wall_us, line.version
  end)
end

-- Runs programs that are timed from their start to their end.
local function time_processes(group)
  local words = { "build/bench/processes " .. group.rounds }
  for _, row in ipairs(group.rows) do
    words[#words + 1] = row.command(group.endpoint and group.endpoint .. tools.constant_answer)
  end
  local lines = cjson.decode(tools.output_of(table.concat(words, " -- ")))
  for i, row in ipairs(group.rows) do
    tools.refuse_failures(row.name, lines[i].bad)
    row.cpu, row.wall = lines[i].cpu_us, lines[i].wall_us
  end
end

-- --- What came of it -----------------------------------------------------------------------------------------------

local function figure(group)
  local under = tools.find(group.rows, group.compared_with)
  for _, row in ipairs(group.rows) do
    row.cpu_us, row.wall_us = tools.median(row.cpu), tools.median(row.wall)
    if under then
      local cpu = tools.quotients(row.cpu, under.cpu)
      row.cpu_ratio, row.low, row.high = tools.median(cpu), tools.quantile(cpu, 0.25), tools.quantile(cpu, 0.75)
      row.wall_ratio = tools.median(tools.quotients(row.wall, under.wall))
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
    if row.at_most then parts[#parts + 1] = tools.judge(row.name .. ", CPU", row.cpu_ratio, "at most", row.at_most) end
    print(table.concat(parts, "   "))
  end
end

local function results_of(group)
  local rows = {}
  for i, row in ipairs(group.rows) do
    rows[i] = {
      name = row.name, cpu_us = row.cpu_us, wall_us = row.wall_us, cpu_ratio = row.cpu_ratio,
      wall_ratio = row.wall_ratio, at_most = row.at_most,
      cpu_us_of_each_round = row.cpu, wall_us_of_each_round = row.wall,
    }
  end
  return { rounds = group.rounds, calls = group.calls, compared_with = group.compared_with, rows = rows }
end

function blocking.measure()
  for _, group in ipairs { warm, cold, loading } do group.rows = tools.keep_what_is_here(group.rows) end
  blocking.check_that_all_send_the_same(commands_of { warm, cold })
  time_calls(warm)
  time_processes(cold)
  time_processes(loading)
  for _, group in ipairs { warm, cold, loading } do
    figure(group)
    show(group)
  end
  return { warm = results_of(warm), cold = results_of(cold), loading = results_of(loading) }
end

return blocking
