-- How many instructions a warm blocking https call takes, and whose they are: counted by callgrind, which no other load
-- on the machine disturbs. The kernel's are not among them. The figures are the difference of two runs of unequal
-- length.
--
-- A library's own instructions are those of its functions, with what they call in the C library. libcurl's are the
-- rest: its own and those of all that it calls, what it calls back apart.

local callgrind = require "callgrind"
local timing = require "subjects.timing"
local tools = require "subjects.tools"

local short, long, warm_up = 500, 1500, 100
local most_share, most_functions = 0.06, 20
local most_beside_careful, most_of_lua = 1.10, 17000
local most_beside_bare = 1.12 -- where libcurl lets a handle serve again, and the careful program is the bare one

local owners = {
  { name = "braze.so", pattern = "/braze%.so$" },
  { name = "lua-cjson", pattern = "cjson[^/]*%.so[.%d]*$" },
  { name = "Lua", pattern = "/lua5%.4$" },
  { name = "Lua", pattern = "/liblua5%.4" },
  { name = "bare C", pattern = "/bare$" },
  { name = "libcurl", pattern = "/libcurl[^/]*$" },
}

local function owner_of(library)
  for _, owner in ipairs(owners) do
    if library:find(owner.pattern) then return owner.name end
  end
end

-- Its own instructions and, of what it called, those of libraries that belong to nobody: the C library, mostly.
local function own_of(entry)
  local sum = entry.own
  for library, cost in pairs(entry.below) do
    if not owner_of(library) then sum = sum + cost end
  end
  return sum
end

local function inclusive_of(entry)
  local sum = entry.own
  for _, cost in pairs(entry.below) do sum = sum + cost end
  return sum
end

-- What a call of a row takes, and what its program says of itself.
local function profile(row)
  local runs, line = {}, nil
  for i, calls in ipairs { short, long } do
    local file = os.tmpname()
    local command = row.command(tools.secure .. tools.constant_answer, calls, warm_up)
    line = tools.line_of(row.name, "env " .. command:gsub("(%S+ bench/blocking)",
      "valgrind -q --tool=callgrind --callgrind-out-file=" .. file .. " %1"):gsub("(build/bench/bare)",
      "valgrind -q --tool=callgrind --callgrind-out-file=" .. file .. " %1"))
    runs[i] = callgrind.read(file)
    os.remove(file)
  end
  return callgrind.per_call(runs[1], runs[2], long - short), line
end

local function shares_of(found)
  local shares = { ["braze.so"] = 0, ["lua-cjson"] = 0, Lua = 0, ["bare C"] = 0 }
  local rest = found.total
  for _, entry in pairs(found.functions) do
    local owner = owner_of(entry.library)
    if owner and shares[owner] then
      shares[owner] = shares[owner] + own_of(entry)
      rest = rest - own_of(entry)
    end
  end
  shares["libcurl and below"] = rest
  return shares
end

local function show_shares(name, total, shares)
  print(("%-22s %9.0f"):format(name, total))
  for _, owner in ipairs { "braze.so", "lua-cjson", "Lua", "bare C", "libcurl and below" } do
    if shares[owner] > 0 then
      print(("    %-18s %9.0f   %5.1f %%"):format(owner, shares[owner], shares[owner] / total * 100))
    end
  end
end

local function functions_of(found, owner)
  local list = {}
  for _, entry in pairs(found.functions) do
    if owner_of(entry.library) == owner and inclusive_of(entry) >= 0.5 then
      list[#list + 1] = {
        name = entry.name, own = own_of(entry), inclusive = inclusive_of(entry), calls = entry.calls,
      }
    end
  end
  table.sort(list, function(a, b)
    if a.own ~= b.own then return a.own > b.own end
    return a.name < b.name
  end)
  return list
end

local function show_functions(list, total)
  local heads = { "functions of braze.so, by call", "own", "% of all", "with all in", "calls" }
  print(("\n%-34s %9s %9s %12s %9s"):format(table.unpack(heads)))
  for i = 1, math.min(#list, most_functions) do
    local entry = list[i]
    print(("%-34s %9.0f %9.2f %12.0f %9.1f"):format(entry.name, entry.own, entry.own / total * 100, entry.inclusive,
      entry.calls))
  end
end

local instructions = {}

function instructions.measure()
  local bare, careful = timing.bare_c "bare C", timing.careful_c "careful bare C"
  local braze = timing.blocking_calls("braze, Lua 5.4", "lua5.4", "5.4")
  braze.needs[#braze.needs + 1] = "valgrind"
  if #tools.keep_what_is_here { braze } == 0 then return {} end
  local ours, theirs = profile(braze), profile(bare)
  local carefully, said = profile(careful)
  local shares, bare_shares, careful_shares = shares_of(ours), shares_of(theirs), shares_of(carefully)
  print "\nInstructions of a warm blocking https call, the kernel's left out"
  show_shares("braze, Lua 5.4", ours.total, shares)
  show_shares("bare C", theirs.total, bare_shares)
  show_shares("careful bare C", carefully.total, careful_shares)
  local part = shares["braze.so"] / ours.total
  print(("    braze.so %.3f of the call, %s"):format(part,
    tools.judge("instructions of braze.so / the whole call", part, "at most", most_share)))
  local name, under, most = "careful bare C", carefully, most_beside_careful
  if not said.renews then name, under, most = "bare C", theirs, most_beside_bare end
  local beside = ours.total / under.total
  print(("    all / %s %.3f, %s"):format(name, beside,
    tools.judge("instructions of a warm https call / " .. name, beside, "at most", most)))
  local of_lua = shares["lua-cjson"] + shares.Lua
  print(("    Lua and lua-cjson %.0f, %s"):format(of_lua,
    tools.judge("instructions of Lua and lua-cjson in a warm https call", of_lua, "at most", most_of_lua, "%d")))
  local with_lua = (shares["braze.so"] + shares["lua-cjson"] + shares.Lua) / ours.total
  print(("    with Lua and lua-cjson %.3f"):format(with_lua))
  local list = functions_of(ours, "braze.so")
  show_functions(list, ours.total)
  return {
    protocol = "https", calls = long - short, total = ours.total, shares = shares,
    bare_total = theirs.total, bare_shares = bare_shares,
    careful_total = carefully.total, careful_shares = careful_shares,
    part = part, part_with_lua = with_lua, functions = table.move(list, 1, most_functions, 1, {}),
  }
end

return instructions
