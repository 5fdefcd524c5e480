-- 20,000 started calls, 50 of them in flight, plain HTTP, beside two programs without Lua: libcurl's multi interface
-- alone, and the same with a worker thread.

local blocking = require "subjects.blocking"
local tools = require "subjects.tools"

local calls, warm_up, in_flight, rounds = 20000, 1000, 50, 7

local function c_program(name, format)
  return {
    name = name,
    command = function(endpoint, count, warm)
      return tools.environment(endpoint) .. " " .. format(count, warm) .. " " .. tools.user_agent
    end,
  }
end

local function started(interpreter, way, bars)
  return {
    name = ("braze, %s, %s"):format(interpreter.name, way),
    needs = tools.needs(interpreter),
    bars = bars,
    command = function(endpoint, count, warm)
      return ("%s %s bench/started.lua %d 1 %d %d %d %s"):format(tools.environment(endpoint, interpreter.version),
        interpreter.program, count, warm, in_flight, in_flight, way)
    end,
  }
end

local function make_rows()
  local rows = {
    c_program("C, multi alone", function(count, warm)
      return ("build/bench/multi %d 1 %d %d %d"):format(count, warm, in_flight, in_flight)
    end),
    c_program("C with a worker", function(count, warm)
      return ("build/bench/worker %d %d %d"):format(count, warm, in_flight)
    end),
  }
  rows[2].requests = 1 -- the others make one to begin with, before they look at their memory
  for _, interpreter in ipairs(tools.interpreters) do rows[#rows + 1] = started(interpreter, "wait", true) end
  for _, interpreter in ipairs(tools.interpreters) do rows[#rows + 1] = started(interpreter, "select") end
  return tools.keep_what_is_here(rows)
end

local function show(title, where, rows)
  local multi, worker = rows[1], rows[2]
  print("\n" .. title)
  print(("%-28s %8s %8s   %-17s %-17s"):format("", "CPU us", "calls/s", "CPU / multi, worker",
    "calls/s / multi, worker"))
  local results = {}
  for i, row in ipairs(rows) do
    local cpu, wall = tools.median(row.cpu), tools.median(row.wall)
    local result = {
      name = row.name, cpu_us = cpu, calls_a_second = 1e6 / wall,
      cpu_to_multi = tools.median(tools.quotients(row.cpu, multi.cpu)),
      cpu_to_worker = tools.median(tools.quotients(row.cpu, worker.cpu)),
      throughput_to_multi = tools.median(tools.quotients(multi.wall, row.wall)),
      throughput_to_worker = tools.median(tools.quotients(worker.wall, row.wall)),
      cpu_us_of_each_round = row.cpu, wall_us_of_each_round = row.wall,
    }
    results[i] = result
    print(("%-28s %8.2f %8.0f   %8.2f %8.2f   %8.2f %8.2f"):format(row.name, cpu, 1e6 / wall, result.cpu_to_multi,
      result.cpu_to_worker, result.throughput_to_multi, result.throughput_to_worker))
    if row.bars then
      local function bar(what, figure, sense, limit)
        local verdict = tools.judge(table.concat({ row.name, where, what }, ", "), figure, sense, limit)
        print(("    %s %.2f, %s"):format(what, figure, verdict))
      end
      bar("CPU beside multi alone", result.cpu_to_multi, "at most", 1.35)
      bar("CPU beside a worker", result.cpu_to_worker, "at most", 1.25)
      bar("throughput beside multi alone", result.throughput_to_multi, "at least", 0.75)
      bar("throughput beside a worker", result.throughput_to_worker, "at least", 0.80)
    end
  end
  return { rounds = rounds, calls = calls, in_flight = in_flight, rows = results }
end

local function time(rows, prefix)
  for _, row in ipairs(rows) do row.cpu, row.wall = {}, {} end
  tools.in_turn(rows, rounds, function(row, round)
    local command = row.command(tools.plain .. tools.constant_answer, calls, warm_up)
    local line = tools.line_of(row.name, prefix .. command)
    row.cpu[round], row.wall[round] = line.cpu_us, line.wall_us
  end)
end

local flight = {}

function flight.measure()
  local rows, commands, results = make_rows(), {}, {}
  for i, row in ipairs(rows) do commands[i] = { row.name, row.command(tools.plain, 1, 0), row.requests or 2 } end
  blocking.check_that_all_send_the_same(commands)
  for _, where in ipairs { { "one processor", "" }, { "all processors", tools.everywhere .. " env " } } do
    if where[1] == "one processor" or tools.everywhere ~= "" then
      time(rows, where[2])
      local title = "%d started calls, %d in flight, plain HTTP, %d rounds, client and service on %s"
      results[where[1]:match "%a+"] = show(title:format(calls, in_flight, rounds, where[1]), where[1], rows)
    end
  end
  return results
end

return flight
