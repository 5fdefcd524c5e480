-- Handlers of one nginx worker that call a service which takes 100 ms, through braze and through lua-resty-http, beside
-- one that only sleeps for so long; and the worker's processor time for each call, its main thread's for itself. Then
-- the same without the delay: how many calls a second.

local cjson = require "cjson"
local service = require "subjects.service"
local tools = require "subjects.tools"

local rounds, seconds, settle_seconds = 3, 2, 1 -- wrk takes whole ones
local connections = { 50, 500 }
local without_delay, rounds_without_delay = 50, 7

local openresty = {}

-- --- Tools of "steady" too -----------------------------------------------------------------------------------------

-- What puts load on a handler; "more" is more of wrk's options.
function openresty.wrk_command(url, count, duration, more)
  return ("wrk -t 1 -c %d -d %ds -s bench/nginx/report.lua %s %s"):format(count, duration, more or "", url)
end

function openresty.report_of(output)
  local report = output:match "REPORT ({.-})"
  return cjson.decode(report or error("wrk said: " .. output, 0))
end

-- Processor seconds of a process so far: its main thread's, and all threads'.
local function processor_seconds(pid)
  local main, all = 0, 0
  for task in tools.output_of(("ls /proc/%s/task"):format(pid)):gmatch "%d+" do
    local spent = tonumber(tools.read_file(("/proc/%s/task/%s/schedstat"):format(pid, task)):match "^%d+") / 1e9
    all = all + spent
    if task == pid then main = spent end
  end
  return main, all
end

function openresty.is_here()
  local missing = not tools.exists "wrk" and "wrk" or not tools.exists "build/5.1/braze.so" and "build/5.1/braze.so"
  if missing then print(("\nLeft out: everything in nginx (%s is missing)"):format(missing)) end
  return not missing
end

-- --- What is measured ----------------------------------------------------------------------------------------------

local function make_rows(...)
  local rows = { ... }
  rows[#rows + 1] = { name = "braze", path = "/braze" }
  local folder = os.getenv "RESTY"
  if folder and tools.exists(folder .. "/resty/http.lua") then
    rows[#rows + 1] = { name = "lua-resty-http", path = "/resty" }
  else
    print "\nLeft out: lua-resty-http (RESTY names no folder that holds resty/http.lua)"
  end
  return rows
end

local function measure_at(host, rows, count, times)
  for _, row in ipairs(rows) do row.p50, row.p99, row.main, row.all, row.us = {}, {}, {}, {}, {} end
  local worker = host.workers()[1]
  tools.in_turn(rows, times, function(row, round)
    tools.output_of(openresty.wrk_command(host.url .. row.path, count, settle_seconds)) -- makes the connections
    local main, all = processor_seconds(worker)
    local output = tools.output_of(openresty.wrk_command(host.url .. row.path, count, seconds))
    local report = openresty.report_of(output)
    local main_after, all_after = processor_seconds(worker)
    if report.bad > 0 then
      error(("%s: %d of %d calls failed\n%s"):format(row.name, report.bad, report.n, host.errors():sub(1, 2000)), 0)
    end
    row.p50[round], row.p99[round] = report.p50_us / 1000, report.p99_us / 1000
    row.main[round] = (main_after - main) / report.n * 1e6
    row.all[round] = (all_after - all) / report.n * 1e6
    row.us[round] = report.us / report.n
  end)
end

local function show(rows, count)
  print(("\nOpenResty, one worker, %d at once, an answer after 100 ms, %d rounds"):format(count, rounds))
  print(("%-22s %8s %8s %12s %12s"):format("", "p50 ms", "p99 ms", "main us/call", "all us/call"))
  local results, sleep, resty = {}, rows[1], rows[3]
  for i, row in ipairs(rows) do
    local result = {
      name = row.name, p50_ms = tools.median(row.p50), p99_ms = tools.median(row.p99),
      main_us = tools.median(row.main), all_us = tools.median(row.all),
    }
    results[i] = result
    print(("%-22s %8.2f %8.2f %12.1f %12.1f"):format(row.name, result.p50_ms, result.p99_ms, result.main_us,
      result.all_us))
  end
  local added, beside = {}, nil
  for i, p50 in ipairs(rows[2].p50) do added[i] = p50 - sleep.p50[i] end
  results[2].added_ms = tools.median(added)
  local what = ("OpenResty at %d, "):format(count)
  print(("    braze adds %.2f ms at the median, %s"):format(results[2].added_ms,
    tools.judge(what .. "added ms", results[2].added_ms, "at most", 2)))
  if resty then
    beside = tools.median(tools.quotients(rows[2].main, resty.main))
    results[2].main_to_resty = beside
    results[2].all_to_resty = tools.median(tools.quotients(rows[2].all, resty.all))
  end
  print(("    main thread %s of lua-resty-http's, %s%s"):format(beside and ("%.2f"):format(beside) or "-",
    tools.judge(what .. "main thread beside lua-resty-http", beside, "at most", 0.45),
    beside and ("; the whole process %.2f"):format(results[2].all_to_resty) or ""))
  return results
end

local function show_without_delay(rows)
  print(("\nOpenResty, one worker, %d at once, an answer without delay, %d rounds"):format(without_delay,
    rounds_without_delay))
  print(("%-22s %8s %8s %8s %12s %12s"):format("", "calls/s", "p50 ms", "p99 ms", "main us/call", "all us/call"))
  local results, braze, resty = {}, rows[1], rows[2]
  for i, row in ipairs(rows) do
    local result = {
      name = row.name, calls_a_second = 1e6 / tools.median(row.us), p50_ms = tools.median(row.p50),
      p99_ms = tools.median(row.p99), main_us = tools.median(row.main), all_us = tools.median(row.all),
    }
    results[i] = result
    print(("%-22s %8.0f %8.2f %8.2f %12.1f %12.1f"):format(row.name, result.calls_a_second, result.p50_ms,
      result.p99_ms, result.main_us, result.all_us))
  end
  local function bar(key, what, over, under, sense, limit)
    local figure = resty and tools.median(tools.quotients(over[key], under[key]))
    local verdict = tools.judge("OpenResty without delay, " .. what, figure, sense, limit)
    print(("    %s %s of lua-resty-http's, %s"):format(what, figure and ("%.2f"):format(figure) or "-", verdict))
    return figure
  end
  results[1].throughput_to_resty = bar("us", "throughput", resty, braze, "at least", 1.2)
  results[1].main_to_resty = bar("main", "main thread", braze, resty, "at most", 0.45)
  results[1].all_to_resty = bar("all", "whole process", braze, resty, "at most", 0.85)
  return results
end

-- Measures the rows in a host whose service answers as "folder" of slow.conf does.
local function with_host(folder, measure)
  local slow = service.start("slow", {})
  local host = service.start("host",
    { ENDPOINT = slow.url .. folder, RESTY = os.getenv "RESTY" or ".", everywhere = true })
  measure(host)
  host.stop()
  slow.stop()
end

function openresty.measure()
  if not openresty.is_here() then return {} end
  local rows, results = make_rows { name = "ngx.sleep(0.1) alone", path = "/sleep" }, {}
  with_host("/slow", function(host)
    for _, count in ipairs(connections) do
      measure_at(host, rows, count, rounds)
      results["at_" .. count] = show(rows, count)
    end
  end)
  rows = make_rows()
  with_host("/fast", function(host) measure_at(host, rows, without_delay, rounds_without_delay) end)
  results.without_delay = show_without_delay(rows)
  return results
end

return openresty
