-- Counts for spec/proof/coverage: coverage.lua GCOV_JSON FAILED: adds up what gcov says of each build, lists what was not reached.
-- A line is reached where one build reached it. A branch is one of one line: where two builds see the same number of branches in a
-- line (they compile the same text), their counts are added up, else each build's branches count for themselves.

local cjson = require "cjson"
local least_lines, least_branches = 100, 95

local lines, branches = {}, {} -- by "file:line"

local function add(object)
  for _, file in ipairs(object.files) do
    local path = file.file:match "src/[%w_]+%.[ch]$"
    if path then
      for _, line in ipairs(file.lines) do
        local place = ("%s:%d"):format(path, line.line_number)
        lines[place] = (lines[place] or 0) + line.count
        if #line.branches > 0 then
          local name = place .. ":" .. #line.branches
          local counts = branches[name] or { place = place }
          branches[name] = counts
          for i, branch in ipairs(line.branches) do counts[i] = (counts[i] or 0) + branch.count end
        end
      end
    end
  end
end

for line in io.lines(arg[1]) do
  if line:sub(1, 1) == "{" then add(cjson.decode(line)) end
end
assert(next(lines), "gcov said nothing")

-- --- The reasons ------------------------------------------------------------------------------------------

local failed = tonumber(arg[2])
local entries = {}
for line in io.lines "spec/proof/uncovered" do
  if line:find "%S" and not line:find "^#" then
    local path, piece, why = line:match "^(%S+) | (.-) | (.+)$"
    if path then
      entries[#entries + 1] = { path = path, piece = piece, why = why, line = line, used = 0 }
    else
      print("spec/proof/uncovered: no line of three parts: " .. line)
      failed = failed + 1
    end
  end
end

local texts = {}
local function text_of(path, number)
  if not texts[path] then
    texts[path] = {}
    for line in io.lines(path) do table.insert(texts[path], line) end
  end
  return texts[path][number] or ""
end

local unexplained = {}

local function list(place, what)
  local path, number = place:match "^(.*):(%d+)$"
  local text = text_of(path, tonumber(number)):match "^%s*(.-)%s*$"
  local why
  for _, entry in ipairs(entries) do
    if entry.path == path and text:find(entry.piece, 1, true) then
      why, entry.used = why or entry.why, entry.used + 1
    end
  end
  local said = ("  %s %s: %s"):format(what, place, text:sub(1, 100))
  if why then print(("%s\n      %s"):format(said, why)) else table.insert(unexplained, said) end
end

local function sorted(set)
  local places = {}
  for place in pairs(set) do places[#places + 1] = place end
  table.sort(places, function(one, other)
    local path, number = one:match "^([^:]+):(%d+)"
    local other_path, other_number = other:match "^([^:]+):(%d+)"
    if path ~= other_path then return path < other_path end
    if number ~= other_number then return tonumber(number) < tonumber(other_number) end
    return one < other
  end)
  return places
end

local line_count, reached_lines, branch_count, reached_branches = 0, 0, 0, 0
for _, place in ipairs(sorted(lines)) do
  line_count = line_count + 1
  if lines[place] > 0 then
    reached_lines = reached_lines + 1
  else
    list(place, "line")
  end
end
for _, name in ipairs(sorted(branches)) do
  local counts = branches[name]
  local missed = {}
  for i, count in ipairs(counts) do
    branch_count = branch_count + 1
    if count > 0 then
      reached_branches = reached_branches + 1
    else
      missed[#missed + 1] = i
    end
  end
  if #missed > 0 and lines[counts.place] > 0 then
    list(counts.place, ("branch %s of %d,"):format(table.concat(missed, " "), #counts))
  end
end
for _, entry in ipairs(entries) do
  if entry.used == 0 and not entry.why:find "^sometimes" then
    print("spec/proof/uncovered: reached by now, or gone: " .. entry.line)
  end
end

local line_share, branch_share = 100 * reached_lines / line_count, 100 * reached_branches / branch_count
local short = (line_share < least_lines and 1 or 0) + (branch_share < least_branches and 1 or 0)
-- Last, where a reader of a long log looks.
if #unexplained > 0 then print(("%d places without a reason:\n%s"):format(#unexplained, table.concat(unexplained, "\n"))) end
local bad = failed + short + #unexplained
-- Cut, not rounded: 99.97 is not 100.
print(("coverage: %d of %d lines (%.2f %%), %d of %d branches (%.2f %%), %d bad"):format(reached_lines, line_count,
  math.floor(line_share * 100) / 100, reached_branches, branch_count, math.floor(branch_share * 100) / 100, bad))
os.exit(bad == 0)
