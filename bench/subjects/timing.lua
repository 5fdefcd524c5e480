-- What the subjects share that time whole commands beside each other: that all of them send the same, running them in
-- turn, and the table of what came of it.
--
-- A group is { title, rounds, unit, divisor, compared_with, rows }, and where calls are timed also calls, warm_up and
-- endpoint. A row has a name and a command made for (endpoint, calls, warm_up), and may have needs, calls of its own,
-- and the bars at_most (CPU) and wall_at_most, both beside the row that the group is compared with.

local cjson = require "cjson"
local http = require "socket.http"
local tools = require "subjects.tools"

local timing = {}

-- --- All send the same ---------------------------------------------------------------------------------------------

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

-- What every client has to send; beside it each may have headers, and an order of JSON, of its own.
local function what_is_asked(request)
  local headers = request.headers
  return {
    method = request.method, path = request.path, body = cjson.decode(request.body),
    headers = { authorization = headers.authorization, content_type = headers["content-type"]:match "^[^;]*" },
  }
end

local function check(commands, look_at)
  local first
  for _, command in ipairs(commands) do
    local request = look_at(request_of(command[1], command[2], command[3] or 1))
    first = first or request
    local difference = first_difference(first, request)
    if difference then error(("%s sends another %s than %s"):format(command[1], difference, commands[1][1]), 0) end
  end
end

-- Who does less must not look faster. Takes lists of a name, a command that sends a request, and how often it does.
function timing.check_that_all_send_the_same(commands)
  check(commands, function(request) return request end)
end

function timing.check_that_all_ask_the_same(commands)
  check(commands, what_is_asked)
end

function timing.commands_of(groups)
  local commands = {}
  for _, group in ipairs(groups) do
    for _, row in ipairs(group.rows) do
      commands[#commands + 1] = { row.name, row.command(group.endpoint, 1, 0), row.requests }
    end
  end
  return commands
end

-- --- Running -------------------------------------------------------------------------------------------------------

-- Runs the programs that time their calls themselves; "prefix" stands in front of each command.
function timing.time_calls(group, prefix)
  for _, row in ipairs(group.rows) do row.cpu, row.wall = {}, {} end
  tools.in_turn(group.rows, group.rounds, function(row, round)
    local calls, warm_up = row.calls or group.calls, row.warm_up or group.warm_up
    local command = row.command(group.endpoint .. tools.constant_answer, calls, warm_up)
    local line = tools.line_of(row.name, (prefix or "") .. command)
    row.cpu[round], row.wall[round], row.version = line.cpu_us, line.wall_us, line.version
  end)
end

-- Runs programs that are timed from their start to their end.
function timing.time_processes(group)
  local words = { "build/bench/processes " .. group.rounds }
  for _, row in ipairs(group.rows) do
    local endpoint = row.endpoint or group.endpoint
    words[#words + 1] = row.command(endpoint and endpoint .. tools.constant_answer)
  end
  local lines = cjson.decode(tools.output_of(table.concat(words, " -- ")))
  for i, row in ipairs(group.rows) do
    tools.refuse_failures(row.name, lines[i].bad)
    row.cpu, row.wall = lines[i].cpu_us, lines[i].wall_us
  end
end

-- --- What came of it -----------------------------------------------------------------------------------------------

function timing.figure(group)
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

function timing.show(group)
  local beside = " / " .. group.compared_with
  print("\n" .. group.title:format(group.rounds, group.calls))
  print(("%-40s %9s %9s   %s, then wall"):format("", "CPU " .. group.unit, "wall " .. group.unit, "CPU" .. beside))
  for _, row in ipairs(group.rows) do
    local line = ("%-40s %9.2f %9.2f"):format(row.name, row.cpu_us / group.divisor, row.wall_us / group.divisor)
    if row.cpu_ratio and row.name ~= group.compared_with then
      line = ("%s   %.2f (half of them %.2f to %.2f), %.2f"):format(line, row.cpu_ratio, row.low, row.high,
        row.wall_ratio)
    end
    print(line)
    for _, bar in ipairs { { "CPU", row.cpu_ratio, row.at_most }, { "wall", row.wall_ratio, row.wall_at_most } } do
      if bar[3] then
        local what = ("%s, %s%s"):format(row.name, bar[1], beside)
        print(("    %s %s"):format(bar[1], tools.judge(what, bar[2], "at most", bar[3])))
      end
    end
  end
end

function timing.results_of(group)
  local rows = {}
  for i, row in ipairs(group.rows) do
    rows[i] = {
      name = row.name, version = row.version, cpu_us = row.cpu_us, wall_us = row.wall_us, cpu_ratio = row.cpu_ratio,
      wall_ratio = row.wall_ratio, cpu_beside_careful = row.cpu_beside_careful,
      at_most = row.at_most, wall_at_most = row.wall_at_most,
      cpu_us_of_each_round = row.cpu, wall_us_of_each_round = row.wall,
    }
  end
  return { rounds = group.rounds, calls = group.calls, compared_with = group.compared_with, rows = rows }
end

-- --- Rows that more than one subject has ---------------------------------------------------------------------------

function timing.bare_c(name)
  return {
    name = name,
    command = function(endpoint, calls, warm_up)
      return ("%s build/bench/bare %d %d %s"):format(tools.environment_of_call(endpoint), calls, warm_up,
        tools.user_agent)
    end,
  }
end

-- As careful with this libcurl as braze has to be: bench/bare.c says how, and why.
function timing.careful_c(name)
  return {
    name = name,
    command = function(endpoint, calls, warm_up)
      return ("%s build/bench/bare %d %d %s careful"):format(tools.environment_of_call(endpoint), calls, warm_up,
        tools.user_agent)
    end,
  }
end

function timing.blocking_calls(name, interpreter, version, at_most)
  return {
    name = name,
    at_most = at_most,
    needs = { interpreter, ("build/%s/braze.so"):format(version) },
    command = function(endpoint, calls, warm_up)
      return ("%s %s bench/blocking.lua %d %d"):format(tools.environment_of_call(endpoint, version), interpreter,
        calls, warm_up)
    end,
  }
end

function timing.c_multi(name, in_flight)
  return {
    name = name,
    requests = 2, -- one to begin with, before it looks at its memory
    command = function(endpoint, calls, warm_up)
      return ("%s build/bench/multi %d 1 %d %d %d %s"):format(tools.environment(endpoint), calls, warm_up, in_flight,
        in_flight, tools.user_agent)
    end,
  }
end

function timing.c_worker(name, in_flight)
  return {
    name = name,
    command = function(endpoint, calls, warm_up)
      return ("%s build/bench/worker %d %d %d %s"):format(tools.environment(endpoint), calls, warm_up, in_flight,
        tools.user_agent)
    end,
  }
end

function timing.started_calls(name, interpreter, in_flight, way)
  return {
    name = name,
    requests = 2,
    needs = tools.needs(interpreter),
    command = function(endpoint, calls, warm_up)
      return ("%s %s bench/started.lua %d 1 %d %d %d %s"):format(tools.environment(endpoint, interpreter.version),
        interpreter.program, calls, warm_up, in_flight, in_flight, way)
    end,
  }
end

return timing
