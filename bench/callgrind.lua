-- Reads what "valgrind --tool=callgrind" writes: how many instructions each function took, by library.
--
-- read(PATH) gives { total, functions }; functions["LIBRARY NAME"] is { library, name, own, below, calls }: its own
-- instructions, those of what it called, by the library that was called, and how often it was called. What leads to
-- main is in none of them, or every program would be a callee of its own start.

local callgrind = {}

-- "(12) name" gives a number its name, "(12)" stands for it from then on.
local function reader_of_names()
  local names = {}
  return function(text)
    local number, name = text:match "^%((%d+)%)%s*(.*)$"
    if not number then return text end
    if name ~= "" then names[number] = name end
    return names[number]
  end
end

function callgrind.read(path)
  local library_name, function_name = reader_of_names(), reader_of_names()
  local found = { total = 0, functions = {} }
  local library, called_library, called, current, times = "", nil, nil, nil, nil

  local function entry(of, name)
    local key = of .. " " .. name
    local known = found.functions[key]
    if not known then
      known = { library = of, name = name, own = 0, below = {}, calls = 0 }
      found.functions[key] = known
    end
    return known
  end

  local function leads_to_main(name)
    return name:find "start_main" or name:find "start_call_main" or name == "(below main)" or name == "main"
  end

  local on = {}
  function on.ob(value) library = library_name(value) end
  function on.fn(value) current = entry(library, function_name(value)) end
  function on.cob(value) called_library = library_name(value) end
  function on.cfn(value) called = function_name(value) end
  function on.calls(value)
    times = tonumber(value:match "^%d+")
    local callee = entry(called_library or library, called)
    callee.calls = callee.calls + times
  end

  for line in io.lines(path) do
    local word, value = line:match "^(%l+)=(.*)$"
    local cost = not word and line:match "^[%d+*-]%d* (%d+)$"
    if word and on[word] then
      on[word](value)
    elseif cost and times then -- the line behind "calls" is what the callee took
      local to = called_library or library
      if not leads_to_main(called) then current.below[to] = (current.below[to] or 0) + tonumber(cost) end
      times, called_library = nil, nil
    elseif cost then
      current.own = current.own + tonumber(cost)
      found.total = found.total + tonumber(cost)
    end
  end
  return found
end

-- What each call of a longer run takes beyond a shorter one, so that start and end are left out.
function callgrind.per_call(short, long, calls)
  local result = { total = (long.total - short.total) / calls, functions = {} }
  for key, after in pairs(long.functions) do
    local before = short.functions[key] or { own = 0, below = {}, calls = 0 }
    local entry = { library = after.library, name = after.name, own = (after.own - before.own) / calls, below = {} }
    entry.calls = (after.calls - before.calls) / calls
    for library, cost in pairs(after.below) do
      entry.below[library] = (cost - (before.below[library] or 0)) / calls
    end
    result.functions[key] = entry
  end
  return result
end

return callgrind
