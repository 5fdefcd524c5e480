-- A guard that hangs on no clock: instructions and allocations of the warm blocking call, each with a budget. It is
-- part of "make test".
--
-- valgrind counts both, for two numbers of calls; what one call takes is the difference, so that start and end cost
-- nothing. Started by .ci/with-standin. The budgets hold for the Makefile's own CFLAGS.

local few, many, warm_up = 100, 300, 50

local interpreters = {
  -- libcurl itself makes 38 or 39 allocations a call; Lua's tables and strings are the rest. LuaJIT's own allocator is
  -- not seen.
  { name = "Lua 5.4", program = "lua5.4", build = "build/5.4", allocations = 60, instructions = 6200 },
  { name = "LuaJIT", program = "luajit", build = "build/5.1", allocations = 46, instructions = 6200 },
}

local port = assert(os.getenv "HTTP_PORT", "HTTP_PORT names the stand-in's port: start this by .ci/with-standin")
local output = os.tmpname()

local function run(interpreter, tool, calls)
  local environment = ("BRAZE_API_KEY=braze-standin-key-w-budget BRAZE_REST_ENDPOINT=http://127.0.0.1:%s/fast "
    .. "LUA_CPATH='%s/?.so;;'"):format(port, interpreter.build)
  local command = ("%s valgrind %s %s bench/blocking.lua %d %d 2>&1"):format(environment, tool, interpreter.program,
    calls, warm_up)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  if not pipe:close() or not text:find('"bad":0,', 1, true) then error(command .. "\n" .. text, 0) end
  return text
end

-- valgrind's word for the blocks that were allocated so far, whoever asked for them.
local function allocations(interpreter, calls)
  local text = run(interpreter, "--leak-check=no", calls)
  return tonumber((text:match "total heap usage: ([%d,]+) allocs":gsub(",", "")))
end

-- Instructions that lie in braze.so, and all of them.
local function instructions(interpreter, calls)
  local ours, all = 0, 0
  run(interpreter, "--tool=callgrind --callgrind-out-file=" .. output, calls)
  local pipe = assert(io.popen("callgrind_annotate --threshold=100 --auto=no " .. output))
  for line in pipe:lines() do
    local number, where = line:match "^%s*([%d,]+) %([^)]*%)%s+(.*)$"
    number = number and tonumber((number:gsub(",", "")))
    if where and where:find "^PROGRAM TOTALS" then
      all = number
    elseif where and where:find "/braze%.so%]$" then
      ours = ours + number
    end
  end
  assert(pipe:close())
  return ours, all
end

local passed, failed = 0, 0

local function judge(what, figure, budget)
  local good = figure > 0 and figure <= budget
  if good then passed = passed + 1 else failed = failed + 1 end
  print(("%s %s: %.1f of at most %d"):format(good and "ok    " or "FAILED", what, figure, budget))
end

for _, interpreter in ipairs(interpreters) do
  local calls = many - few
  judge("allocations of a warm call, " .. interpreter.name,
    (allocations(interpreter, many) - allocations(interpreter, few)) / calls, interpreter.allocations)
  local ours_few, all_few = instructions(interpreter, few)
  local ours_many, all_many = instructions(interpreter, many)
  local ours, all = (ours_many - ours_few) / calls, (all_many - all_few) / calls
  judge("instructions of braze.so in a warm call, " .. interpreter.name, ours, interpreter.instructions)
  print(("       %.1f %% of the %.0f that the call takes"):format(100 * ours / all, all))
end
os.remove(output)
print(("budget: %d passed, %d failed"):format(passed, failed))
os.exit(failed == 0)
