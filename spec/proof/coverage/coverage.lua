-- Counts for spec/proof/coverage/coverage: coverage.lua GCOV_JSON FAILED GCOV_JSON_OF_SPECS_ALONE: adds up what gcov says of each build,
-- lists what was not reached in the first.
-- A line is reached where one build reached it. A branch is one of one line: where two builds see the same number of branches in a
-- line (they compile the same text), their counts are added up, else each build's branches count for themselves.

local cjson = require "cjson"
local least_lines, least_branches = 100, 95
local least_lines_of_specs, least_branches_of_specs = 97, 88

-- By "file:line": how often each line was run, and each branch of a line.
local function add(object, lines, branches)
  for _, file in ipairs(object.files) do
    local path = file.file:match "src/[%w_/]+%.[ch]$"
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

local function read(path)
  local lines, branches = {}, {}
  for line in io.lines(path) do
    if line:sub(1, 1) == "{" then add(cjson.decode(line), lines, branches) end
  end
  assert(next(lines), "gcov said nothing")
  return lines, branches
end

-- How many lines and branches there are and were reached: lines, reached lines, branches, reached branches.
local function sums_of(lines, branches)
  local line_count, reached_lines, branch_count, reached_branches = 0, 0, 0, 0
  for _, count in pairs(lines) do
    line_count = line_count + 1
    if count > 0 then reached_lines = reached_lines + 1 end
  end
  for _, counts in pairs(branches) do
    for _, count in ipairs(counts) do
      branch_count = branch_count + 1
      if count > 0 then reached_branches = reached_branches + 1 end
    end
  end
  return line_count, reached_lines, branch_count, reached_branches
end

-- Cut, not rounded: 99.97 is not 100.
local function share(reached, all)
  return math.floor(10000 * reached / all) / 100
end

local lines, branches = read(arg[1])

-- --- The reasons ------------------------------------------------------------------------------------------

local failed = tonumber(arg[2])
local entries = {}
for line in io.lines "spec/proof/coverage/uncovered" do
  if line:find "%S" and not line:find "^#" then
    local path, piece, why = line:match "^(%S+) | (.-) | (.+)$"
    if path then
      entries[#entries + 1] = { path = path, piece = piece, why = why, line = line, used = 0 }
    else
      print("spec/proof/coverage/uncovered: no line of three parts: " .. line)
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

for _, place in ipairs(sorted(lines)) do
  if lines[place] == 0 then list(place, "line") end
end
for _, name in ipairs(sorted(branches)) do
  local counts = branches[name]
  local missed = {}
  for i, count in ipairs(counts) do
    if count == 0 then missed[#missed + 1] = i end
  end
  if #missed > 0 and lines[counts.place] > 0 then
    list(counts.place, ("branch %s of %d,"):format(table.concat(missed, " "), #counts))
  end
end
for _, entry in ipairs(entries) do
  if entry.used == 0 and not entry.why:find "^sometimes" then
    print("spec/proof/coverage/uncovered: reached by now, or gone: " .. entry.line)
  end
end

-- The figures of a run, in words, and how many of the two are too low.
local function figures(with_lines, with_branches, least_of_lines, least_of_branches)
  local line_count, reached_lines, branch_count, reached_branches = sums_of(with_lines, with_branches)
  local line_share, branch_share = share(reached_lines, line_count), share(reached_branches, branch_count)
  local low = (line_share < least_of_lines and 1 or 0) + (branch_share < least_of_branches and 1 or 0)
  return ("%d of %d lines (%.2f %%), %d of %d branches (%.2f %%)"):format(reached_lines, line_count, line_share,
    reached_branches, branch_count, branch_share), low
end

local specs_lines, specs_branches = read(arg[3])
local of_specs, low_of_specs = figures(specs_lines, specs_branches, least_lines_of_specs, least_branches_of_specs)
local of_all, low_of_all = figures(lines, branches, least_lines, least_branches)
-- Last, where a reader of a long log looks.
if #unexplained > 0 then print(("%d places without a reason:\n%s"):format(#unexplained, table.concat(unexplained, "\n"))) end
local bad = failed + low_of_specs + low_of_all + #unexplained
print(("coverage: specs alone %s; with each call of the core refused once %s, %d bad"):format(of_specs, of_all, bad))
os.exit(bad == 0)
