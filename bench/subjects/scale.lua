-- 1 to 10,000 calls started at once against an answer that takes 100 ms, at most 1,000 connections: processor time and
-- memory a call, beside libcurl's multi interface alone.

local service = require "subjects.service"
local tools = require "subjects.tools"

local rounds, max_connections, most_beside_ten = 3, 1000, 1.2
local points = {
  { calls = 1, batches = 10 }, { calls = 10, batches = 10 }, { calls = 100, batches = 6 },
  { calls = 1000, batches = 3 }, { calls = 10000, batches = 1 },
}

local function make_programs()
  local programs = {
    {
      name = "C, multi alone",
      command = function(endpoint, point)
        return ("%s build/bench/multi %d %d %d %d %d %s"):format(tools.environment(endpoint), point.calls,
          point.batches, point.calls, point.calls, max_connections, tools.user_agent)
      end,
    },
  }
  for _, interpreter in ipairs(tools.interpreters) do
    programs[#programs + 1] = {
      name = "braze, " .. interpreter.name,
      needs = tools.needs(interpreter),
      bars = true,
      command = function(endpoint, point)
        return ("%s %s bench/started.lua %d %d %d %d %d"):format(tools.environment(endpoint, interpreter.version),
          interpreter.program, point.calls, point.batches, point.calls, point.calls, max_connections)
      end,
    }
  end
  return tools.keep_what_is_here(programs)
end

-- One row is one program at one number of calls; "of[calls]" finds it again.
local function make_rows(programs)
  local rows = {}
  for _, program in ipairs(programs) do
    program.of = {}
    for _, point in ipairs(points) do
      local row = { program = program, point = point, cpu = {}, wall = {}, memory = {}, lua = {} }
      rows[#rows + 1] = row
      program.of[point.calls] = row
    end
  end
  return rows
end

local function measure_all(rows, endpoint)
  tools.in_turn(rows, rounds, function(row, round)
    local line = tools.line_of(row.program.name, row.program.command(endpoint, row.point))
    row.cpu[round], row.wall[round] = line.cpu_us, line.wall_us
    row.memory[round], row.lua[round] = line.memory_kib / row.point.calls, (line.lua_kib or 0) / row.point.calls
  end)
end

local function figure(programs)
  local bare = programs[1]
  for _, program in ipairs(programs) do
    for _, point in ipairs(points) do
      local row = program.of[point.calls]
      row.cpu_us, row.memory_kib = tools.median(row.cpu), tools.median(row.memory)
      row.seconds = tools.median(row.wall) * point.calls / 1e6
      row.beside_ten = tools.median(tools.quotients(row.cpu, program.of[10].cpu))
      row.beside_bare = tools.median(tools.quotients(row.cpu, bare.of[point.calls].cpu))
      local beyond = {}
      for i, size in ipairs(row.memory) do beyond[i] = size - bare.of[point.calls].memory[i] end
      row.beyond_bare_kib = tools.median(beyond)
    end
  end
end

local function show(programs)
  print(("\nStarted at once against an answer after 100 ms, max_connections %d, %d rounds")
    :format(max_connections, rounds))
  print(("%-16s %7s %10s %10s %10s %10s %12s %12s"):format("", "calls", "CPU us", "/ at 10", "/ bare C", "seconds",
    "KiB a call", "beyond bare"))
  local results = {}
  for _, program in ipairs(programs) do
    for _, point in ipairs(points) do
      local row, verdict = program.of[point.calls], ""
      if program.bars and point.calls > 10 then
        local what = ("%s, CPU of %d at once beside 10"):format(program.name, point.calls)
        verdict = "   " .. tools.judge(what, row.beside_ten, "at most", most_beside_ten)
      end
      print(("%-16s %7d %10.1f %10.2f %10.2f %10.3f %12.1f %12.1f%s"):format(program.name, point.calls, row.cpu_us,
        row.beside_ten, row.beside_bare, row.seconds, row.memory_kib, row.beyond_bare_kib, verdict))
      results[#results + 1] = {
        name = program.name, calls = point.calls, cpu_us = row.cpu_us, beside_ten = row.beside_ten,
        beside_bare = row.beside_bare, seconds = row.seconds, memory_kib = row.memory_kib,
        beyond_bare_kib = row.beyond_bare_kib, lua_kib = tools.median(row.lua),
      }
    end
  end
  return results
end

local scale = {}

function scale.measure()
  local slow = service.start("slow", {})
  local programs = make_programs()
  measure_all(make_rows(programs), slow.url .. "/slow")
  slow.stop()
  figure(programs)
  return show(programs)
end

return scale
