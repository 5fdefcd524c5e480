-- A 60 Hz loop with 500 cold TLS calls started at once, and cancel and close while nothing comes back.

local tools = require "subjects.tools"

local calls, max_connections, rounds = 500, 16, 5
local name_server = "127.83.83.83"

-- --- The loop ------------------------------------------------------------------------------------------------------

local function loop_rows()
  local rows = {}
  for _, interpreter in ipairs(tools.interpreters) do
    for _, most in ipairs { "64", "" } do
      rows[#rows + 1] = {
        name = ("%s, step(%s)"):format(interpreter.name, most),
        needs = tools.needs(interpreter),
        most = most,
        lines = {},
        -- The host has a processor, and so has the service; the worker runs where there is room.
        command = ("env %s %s %s bench/frames.lua %d %d %s"):format(
          tools.environment(tools.secure .. tools.constant_answer, interpreter.version, tools.bundle),
          tools.everywhere, interpreter.program, calls, max_connections, most),
      }
    end
  end
  return tools.keep_what_is_here(rows)
end

local function median_of(lines, name)
  local numbers = {}
  for i, line in ipairs(lines) do numbers[i] = line[name] end
  return tools.median(numbers), tools.quantile(numbers, 1)
end

local function show_loop(rows)
  print(("\nA loop of 60 frames a second: %d cold TLS calls started at once, max_connections %d, median of %d runs")
    :format(calls, max_connections, rounds))
  print(("%-22s %9s %13s %12s   %s"):format("", "start us", "longest step", "of the worst",
    "in line for a processor meanwhile"))
  local results = {}
  for i, row in ipairs(rows) do
    local start = median_of(row.lines, "start_us")
    local step, worst = median_of(row.lines, "step_us")
    local waited = median_of(row.lines, "waited_us")
    local over = median_of(row.lines, "over_us")
    local seconds = median_of(row.lines, "seconds")
    print(("%-22s %9.1f %10.3f ms %9.3f ms   %.3f ms; all done after %.2f s"):format(row.name, start, step / 1000,
      worst / 1000, waited / 1000, seconds))
    if row.most == "" then
      local what = "longest step above 0.05 ms and 2 us an answer"
      local verdict = tools.judge(("%s, %s, us"):format(row.name, what), over, "at most", 0, "%d")
      print(("    %s: %.1f us, %s"):format(what, over, verdict))
    else
      local verdict = tools.judge(row.name .. ", longest step, ms", step / 1000, "at most", 0.20)
      print(("    longest step %.3f ms, %s"):format(step / 1000, verdict))
    end
    print(("    start %.1f us, %s"):format(start, tools.judge(row.name .. ", start, us", start, "at most", 20, "%d")))
    results[i] = { name = row.name, start_us = start, longest_step_us = step, over_us = over, runs = row.lines }
  end
  return results
end

-- --- Cancel and close ----------------------------------------------------------------------------------------------

-- A name server of one's own: the resolver's file is another one for the command alone.
local function with_name_server(command)
  local file = os.tmpname()
  tools.write_file(file, ("nameserver %s\n"):format(name_server))
  local line = ("mount --bind %s /etc/resolv.conf && NAME_SERVER=%s %s"):format(file, name_server, command)
  return "unshare -m sh -c " .. tools.quote(line) .. " ", file
end

local function can_change_name_server()
  return tools.output_of "id -u" == "0" and tools.exists "unshare" and
    os.execute "unshare -m true 2>/dev/null"
end

local stalls = {
  { kind = "answer", title = "a peer that never answers" },
  { kind = "handshake", title = "a handshake that never ends" },
  { kind = "name", title = "a name look-up that hangs" },
}

local function measure_stall(name, interpreter, kind)
  local command = ("env LUA_CPATH=%s %s %s bench/stall.lua %s"):format(
    tools.quote(("build/%s/?.so;;"):format(interpreter.version)), tools.everywhere, interpreter.program, kind)
  local lines, file = {}, nil
  if kind == "name" then command, file = with_name_server(command) end
  for round = 1, rounds do lines[round] = tools.line_of(name, command) end
  if file then os.remove(file) end
  local cancel, close = median_of(lines, "cancel_us"), median_of(lines, "close_us")
  local collect = median_of(lines, "collect_us")
  local longest = math.max(cancel, close) / 1000
  print(("%-40s %8.3f %8.3f %8.3f   %s"):format(name, cancel / 1000, close / 1000, collect / 1000,
    tools.judge(name .. ", cancel and close, ms", longest, "at most", 5, "%d")))
  return { name = name, cancel_us = cancel, close_us = close, collect_us = collect, runs = lines }
end

local function measure_stalls()
  print(("\nCancel and close with 16 calls in flight and nothing coming back, median of %d runs, ms"):format(rounds))
  print(("%-40s %8s %8s %8s"):format("", "cancel", "close", "collect"))
  local results = {}
  for _, interpreter in ipairs(tools.interpreters) do
    for _, stall in ipairs(stalls) do
      local name = ("%s, %s"):format(interpreter.name, stall.title)
      if stall.kind == "name" and not can_change_name_server() then
        print(("Left out: %s (needs root and unshare)"):format(name))
      elseif #tools.keep_what_is_here { { name = name, needs = tools.needs(interpreter) } } > 0 then
        results[#results + 1] = measure_stall(name, interpreter, stall.kind)
      end
    end
  end
  return results
end

local frames = {}

function frames.measure()
  local rows = loop_rows()
  tools.in_turn(rows, rounds, function(row, round) row.lines[round] = tools.line_of(row.name, row.command) end)
  return { loop = show_loop(rows), stalls = measure_stalls() }
end

return frames
