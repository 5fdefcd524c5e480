-- "make bench": measure.lua RESULTS SUBJECT... measures the subjects named, prints the figures with the bars that they
-- have to reach, and writes them to a file. Started by bench/run, which has the stand-in running. OTHER names the file
-- that it wrote with another libcurl, if it did: then both columns are printed, and the results hold both.

local cjson = require "cjson"
local tables = require "report.tables"
local timing = require "subjects.timing"
local tools = require "subjects.tools"

-- The one that programs load here, as it names itself.
local function libcurl()
  local bare = timing.bare_c "bare C"
  return tools.line_of(bare.name, bare.command(tools.plain .. tools.constant_answer, 1, 0)).version
end

local function versions()
  local exists, first_line = tools.exists, tools.first_line
  local nginx = tools.quote(tools.output_of "spec/support/nginx" .. "/usr/sbin/nginx")
  local list = {
    { "braze", require "braze"._VERSION },
    { "libcurl", libcurl() },
    { "lua-cjson", cjson._VERSION },
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

local function measured_with_the_other()
  local path = os.getenv "OTHER"
  return path and tools.exists(path) and cjson.decode(tools.read_file(path)) or nil
end

local function print_columns(rows)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do widths[i] = math.max(widths[i] or 0, utf8.len(text)) end
  end
  for _, row in ipairs(rows) do
    local cells = {}
    for i, text in ipairs(row) do cells[i] = text .. (" "):rep(widths[i] - utf8.len(text)) end
    lines[#lines + 1] = table.concat(cells, "  ")
  end
  print("\n" .. table.concat(lines, "\n"))
end

local results = { versions = {}, libcurl = measured_with_the_other() }
local list = versions() -- the load is that before the first subject
for i = 2, #arg do
  local subject = require("subjects." .. arg[i])
  results[arg[i]] = subject.measure()
end

print()
for _, pair in ipairs(list) do
  results.versions[pair[1]] = pair[2]
  print(("%-10s %s"):format(pair[1], pair[2]))
end
results.bars = tools.bars
local reached, missed = 0, {}
for _, bar in ipairs(tools.bars) do
  if bar.reached then reached = reached + 1 else missed[#missed + 1] = bar.what end
end
if results.libcurl then print_columns(tables.both_libcurls(results)) end
tools.write_file(arg[1], cjson.encode(results) .. "\n")
print(("\n%d of %d bars reached%s%s"):format(reached, #tools.bars, #missed > 0 and "; not: " or "",
  table.concat(missed, "; ")))
print("Every round: " .. arg[1])
local complete = os.getenv "COMPLETE"
if complete == "1" then
  assert(os.execute("bench/report.lua write " .. tools.quote(arg[1])))
elseif complete == "0" then
  print "bench/results stays as it is: it is written when all subjects are measured."
end
