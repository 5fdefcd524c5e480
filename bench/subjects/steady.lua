-- What has to stay as it is: no call fails while nginx is told to reload every second, and memory is flat under load.
-- 20 s each; "long" lasts a minute and more.

local cjson = require "cjson"
local openresty = require "subjects.openresty"
local service = require "subjects.service"
local tools = require "subjects.tools"

local reload_seconds = 20
local load_seconds, first_look = tools.long and 60 or 20, tools.long and 10 or 5
local connections = 50

-- Resident memory of a process, KiB.
local function resident(pid)
  return tonumber(tools.read_file(("/proc/%s/status"):format(pid)):match "VmRSS:%s*(%d+)")
end

local function reload_each_second()
  local slow = service.start("slow", {})
  local host = service.start("host", { ENDPOINT = slow.url .. "/slow", RESTY = ".", everywhere = true })
  -- A connection for each request: nginx that goes away closes those that are kept alive, and wrk may just then be
  -- sending on one, which has nothing to do with what the handler calls.
  local load = assert(io.popen(openresty.wrk_command(host.url .. "/braze", connections, reload_seconds,
    "-H 'Connection: close'")))
  local reloads, most_workers = 0, 1
  for _ = 1, reload_seconds - 1 do
    tools.sleep(1)
    assert(os.execute("kill -HUP " .. host.pid))
    reloads = reloads + 1
    most_workers = math.max(most_workers, #host.workers())
  end
  local report = openresty.report_of(load:read "*a")
  load:close()
  tools.sleep(2)
  local left = #host.workers()
  print(("\nnginx reloads every second under %d calls in flight, %d s"):format(connections, reload_seconds))
  print(("    %d calls, %d reloads, at most %d workers at once, %d after the end")
    :format(report.n, reloads, most_workers, left))
  print(("    %d failed (wrk: status %d, connect %d, read %d, write %d, timeout %d), %s")
    :format(report.bad, report.status, report.connect, report.read, report.write, report.timeout,
    tools.judge("calls that failed during reloads", report.bad, "at most", 0, "%d")))
  local errors = host.errors()
  if report.status > 0 then error("a call failed during a reload:\n" .. errors:sub(1, 2000), 0) end
  for line in errors:gmatch "[^\n]+" do
    if line:find("[alert]", 1, true) or line:find("[error]", 1, true) then print("    nginx: " .. line:sub(1, 160)) end
  end
  host.stop()
  slow.stop()
  report.reloads, report.workers_left = reloads, left
  return report
end

-- Two processes under load at the same time: an nginx worker, and a plain Lua.
local function memory_under_load()
  local fast = service.start("slow", {})
  local host = service.start("host", { ENDPOINT = fast.url .. "/fast", RESTY = ".", everywhere = true })
  local load = assert(io.popen(openresty.wrk_command(host.url .. "/braze", connections, load_seconds + 2)))
  local plain = assert(io.popen(("exec env %s %s sh -c 'echo $$; exec lua5.4 bench/started.lua %d 1 0 50 50'"):format(
    tools.environment(fast.url .. "/fast", "5.4"), tools.everywhere, load_seconds * 100000)))
  local processes = { { name = "nginx worker", pid = host.workers()[1] }, { name = "Lua 5.4", pid = plain:read "*l" } }
  tools.sleep(first_look)
  for _, process in ipairs(processes) do process.first = resident(process.pid) end
  tools.sleep(load_seconds - first_look)
  print(("\nResident memory under load, %d calls in flight each, KiB"):format(connections))
  for _, process in ipairs(processes) do
    process.last = resident(process.pid)
    local grown = process.last / process.first
    local verdict = tools.judge(process.name .. ", memory at the end beside the first look", grown, "at most", 1.02)
    print(("%-14s after %d s %d, after %d s %d: %.3f, %s"):format(process.name, first_look, process.first, load_seconds,
      process.last, grown, verdict))
  end
  os.execute("kill " .. processes[2].pid)
  plain:close()
  local report = openresty.report_of(load:read "*a")
  load:close()
  host.stop()
  fast.stop()
  tools.refuse_failures("braze in nginx", report.bad)
  print(("    %d calls in nginx, none failed"):format(report.n))
  return { seconds = { first_look, load_seconds }, processes = processes, calls_in_nginx = report.n }
end

local steady = {}

function steady.measure()
  if not openresty.is_here() then return cjson.null end
  return { reload = reload_each_second(), memory = memory_under_load() }
end

return steady
