-- A long answer: get_send_analytics of a mebibyte, beside lua-cjson decoding the same text. Processor time, http.

local tools = require "subjects.tools"

local rounds, calls, warm_up, most = 7, 20, 3, 1.2

local reads = {}

function reads.measure()
  local rows = {}
  for _, interpreter in ipairs(tools.interpreters) do
    rows[#rows + 1] = {
      name = "braze, " .. interpreter.name, needs = tools.needs(interpreter), braze = {}, cjson = {},
      command = ("%s %s bench/read.lua %d %d"):format(tools.environment(tools.plain .. tools.constant_answer,
        interpreter.version), interpreter.program, calls, warm_up),
    }
  end
  rows = tools.keep_what_is_here(rows)
  local length
  tools.in_turn(rows, rounds, function(row, round)
    local line = tools.line_of(row.name, row.command)
    row.braze[round], row.cjson[round], length = line.braze_us, line.cjson_us, line.length
  end)
  print(("\nAn answer of %d bytes, %d rounds of %d calls%13s %12s"):format(length or 0, rounds, calls, "CPU us",
    "lua-cjson us"))
  local results = {}
  for i, row in ipairs(rows) do
    local figure = tools.median(tools.quotients(row.braze, row.cjson))
    results[i] = {
      name = row.name, cpu_us = tools.median(row.braze), cjson_us = tools.median(row.cjson), ratio = figure,
    }
    print(("%-40s %20.0f %12.0f"):format(row.name, results[i].cpu_us, results[i].cjson_us))
    print(("    CPU / lua-cjson %.2f, %s"):format(figure,
      tools.judge(row.name .. ", an answer of 1 MiB, CPU / lua-cjson", figure, "at most", most)))
  end
  return results
end

return reads
