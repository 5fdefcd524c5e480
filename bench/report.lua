#!/usr/bin/env lua5.4
-- What "make bench" leaves behind for readers.
--   report.lua write RESULTS  bench/results/ from a measurement: results.json, table.md, the plots; then the README
--   report.lua readme         the README's tables from bench/results/results.json
--   report.lua check          says what is not as these two would make it; "make lint" asks

local here = arg[0]:match "^(.*)/" or "."
package.path = here .. "/?.lua;" .. package.path

local cjson = require "cjson"
local plots = require "report.plots"
local summary = require "report.summary"
local tables = require "report.tables"

local folder, readme = here .. "/results", here .. "/../README.md"
local first, last = "<!-- measured: made by bench/report.lua -->\n", "<!-- end of measured -->\n"

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

-- The README with the tables of these results between its markers.
local function readme_with(results)
  local text = read(readme)
  local _, start = text:find(first, 1, true)
  local stop = text:find(last, 1, true)
  assert(start and stop and start < stop, "README.md has lost the markers of its tables")
  return text:sub(1, start) .. "\n" .. tables.readme(results) .. "\n\n" .. text:sub(stop)
end

local commands = {}

function commands.readme()
  write(readme, readme_with(committed()))
end

function commands.write(path)
  os.execute(("mkdir -p '%s'"):format(folder))
  write(folder .. "/results.json", summary.text(summary.of(cjson.decode(read(path)))))
  local results = committed() -- rounded, so that every text is made of what is committed
  write(folder .. "/table.md", tables.all(results))
  if not plots.draw(results, folder) then print "Not drawn anew: any plot, since gnuplot is missing" end
  commands.readme()
  print "Written: bench/results, and the tables of README.md"
end

function commands.check()
  local results = committed()
  if read(readme) ~= readme_with(results) then print "README.md: its tables are old; bench/report.lua readme" end
  if read(folder .. "/table.md") ~= tables.all(results) then print "bench/results/table.md is not of results.json" end
  if read(folder .. "/results.json") ~= summary.text(results) then print "bench/results/results.json was edited" end
end

local command = commands[arg[1]]
if not command or arg[1] == "write" and not arg[2] then
  io.stderr:write "usage: report.lua write RESULTS | readme | check\n"
  os.exit(2)
end
command(arg[2])
