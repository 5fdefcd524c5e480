-- Started calls, plain HTTP: 20,000 of them, 50 in flight, beside two programs without Lua (libcurl's multi interface
-- alone, and the same with a worker thread); and one in flight, beside the blocking call.

local timing = require "subjects.timing"
local tools = require "subjects.tools"

local in_flight = 50
local many = { rounds = 7, calls = 20000, warm_up = 1000, endpoint = tools.plain }
local one = { rounds = 15, calls = 3000, warm_up = 300, endpoint = tools.plain }
local most_added_us = 15

-- --- Fifty ---------------------------------------------------------------------------------------------------------

local function make_rows()
  local rows = { timing.c_multi("C, multi alone", in_flight), timing.c_worker("C with a worker", in_flight) }
  for _, way in ipairs { "wait", "select" } do
    for _, interpreter in ipairs(tools.interpreters) do
      local row = timing.started_calls(("braze, %s, %s"):format(interpreter.name, way), interpreter, in_flight, way)
      row.bars = way == "wait"
      rows[#rows + 1] = row
    end
  end
  return tools.keep_what_is_here(rows)
end

local function judge_row(row, result, where)
  local function bar(what, figure, sense, limit)
    local verdict = tools.judge(table.concat({ row.name, where, what }, ", "), figure, sense, limit)
    print(("    %s %.2f, %s"):format(what, figure, verdict))
  end
  bar("CPU beside multi alone", result.cpu_to_multi, "at most", 1.35)
  bar("CPU beside a worker", result.cpu_to_worker, "at most", 1.25)
  bar("throughput beside multi alone", result.throughput_to_multi, "at least", 0.85)
  bar("throughput beside a worker", result.throughput_to_worker, "at least", 0.80)
end

local function show_many(where)
  local rows = many.rows
  local multi, worker = rows[1], rows[2]
  print(("\n%d started calls, %d in flight, plain HTTP, %d rounds, client and service on %s"):format(many.calls,
    in_flight, many.rounds, where))
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
    if row.bars then judge_row(row, result, where) end
  end
  return results
end

-- --- One -----------------------------------------------------------------------------------------------------------

-- Pairs of rows that differ in the worker's thread alone.
local function make_pairs()
  local list = { { name = "C", timing.bare_c "C, blocking", timing.c_worker("C with a worker", 1) } }
  for _, interpreter in ipairs(tools.interpreters) do
    local name = "braze, " .. interpreter.name
    local blocking = timing.blocking_calls(name .. ", blocking", interpreter.program, interpreter.version)
    local started = timing.started_calls(name .. ", started", interpreter, 1, "wait")
    if #tools.keep_what_is_here { blocking } > 0 then
      list[#list + 1] = { name = name, bars = true, blocking, started }
    end
  end
  return list
end

local function show_one(where, list)
  print(("\nOne call in flight through the worker's thread, beside a blocking one, %d rounds, on %s"):format(one.rounds,
    where))
  print(("%-28s %12s %12s %12s %12s"):format("wall us, then CPU us more", "blocking", "started", "more", "CPU more"))
  local results = {}
  for i, pair in ipairs(list) do
    local more, cpu_more = {}, {}
    for round, wall in ipairs(pair[2].wall) do
      more[round], cpu_more[round] = wall - pair[1].wall[round], pair[2].cpu[round] - pair[1].cpu[round]
    end
    local result = {
      name = pair.name, blocking_us = tools.median(pair[1].wall), started_us = tools.median(pair[2].wall),
      added_us = tools.median(more), added_cpu_us = tools.median(cpu_more), added_us_of_each_round = more,
    }
    results[i] = result
    print(("%-28s %12.1f %12.1f %12.1f %12.1f"):format(pair.name, result.blocking_us, result.started_us,
      result.added_us, result.added_cpu_us))
    if pair.bars then
      local what = ("%s, %s, CPU us more with one in flight"):format(pair.name, where)
      print("    CPU more " .. tools.judge(what, result.added_cpu_us, "at most", most_added_us, "%d"))
    end
  end
  return results
end

-- -------------------------------------------------------------------------------------------------------------------

local flight = {}

function flight.measure()
  many.rows = make_rows()
  timing.check_that_all_send_the_same(timing.commands_of { many })
  local list, results = make_pairs(), {}
  one.rows = {}
  for _, pair in ipairs(list) do table.move(pair, 1, 2, #one.rows + 1, one.rows) end
  for _, where in ipairs { { "one processor", "" }, { "all processors", tools.everywhere .. " env " } } do
    if where[1] == "one processor" or tools.everywhere ~= "" then
      timing.time_calls(many, where[2])
      local fifty = show_many(where[1])
      timing.time_calls(one, where[2])
      results[where[1]:match "%a+"] = {
        rounds = many.rounds, calls = many.calls, in_flight = in_flight, rows = fifty, one = show_one(where[1], list),
      }
    end
  end
  return results
end

return flight
