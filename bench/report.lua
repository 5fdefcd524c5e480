#!/usr/bin/env lua5.4
-- What "make bench" leaves behind for readers.
--   report.lua write RESULTS  bench/results/ from a measurement: results.json, table.md, the plots; then the README
--   report.lua again          table.md, the plots and the README's line from the results.json that is there
--   report.lua check          says what is not as these two would make it; "make lint" asks

local here = arg[0]:match "^(.*)/" or "."
package.path = here .. "/?.lua;" .. package.path

local cjson = require "cjson"
local plots = require "report.plots"
local summary = require "report.summary"
local tables = require "report.tables"

local folder, readme = here .. "/results", here .. "/../README.md"
local first, last = "<!-- measured: this line is made by bench/report.lua -->\n", "<!-- end of measured -->\n"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
end

local function committed()
  return cjson.decode(read(folder .. "/results.json"))
end

-- The README with the line about these results between its markers.
local function readme_with(results)
  local text = read(readme)
  local _, start = text:find(first, 1, true)
  local stop = text:find(last, 1, true)
  assert(start and stop and start < stop, "README.md has lost the markers of the line about the bench")
  return text:sub(1, start) .. tables.line(results) .. "\n" .. text:sub(stop)
end

local commands = {}

function commands.again()
  local results = committed() -- rounded, so that every text is made of what is committed
  write(folder .. "/table.md", tables.all(results))
  if not plots.draw(results, folder) then print "Not drawn anew: any plot, since gnuplot is missing" end
  write(readme, readme_with(results))
  print "Written: bench/results, and the README's line about it"
end

function commands.write(path)
  os.execute(("mkdir -p '%s'"):format(folder))
  write(folder .. "/results.json", summary.text(summary.of(cjson.decode(read(path)))))
  commands.again()
end

function commands.check()
  local results = committed()
  if read(readme) ~= readme_with(results) then
    print "README.md: its line about the bench is old; bench/report.lua again"
  end
  if read(folder .. "/table.md") ~= tables.all(results) then print "bench/results/table.md is not of results.json" end
  if read(folder .. "/results.json") ~= summary.text(results) then print "bench/results/results.json was edited" end
end

local command = commands[arg[1]]
if not command or arg[1] == "write" and not arg[2] then
  io.stderr:write "usage: report.lua write RESULTS | again | check\n"
  os.exit(2)
end
command(arg[2])
