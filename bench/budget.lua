-- A guard that does not depend on a clock: instructions and allocations of the warm blocking call, each with a budget,
-- over https, as the service is, and over http. It is a bar of "make proof".
--
-- valgrind counts both, for two numbers of calls; what one call takes is the difference, so that start, handshake and
-- end cost nothing. The service answers after 20 ms, so that each call waits once, as any call does over a network:
-- where the answer comes at once, how often the engine looks is up to the machine. Started by tools/with-standin. The
-- budgets hold for the Makefile's own CFLAGS and for the libcurl of Debian 12, where each response has a handle of its
-- own; other versions need less.

local few, many, warm_up, measurements = 20, 60, 20, 3

-- Most allocations of a call are libcurl's; Lua's tables and strings are the rest. LuaJIT's own allocator is not seen.
-- Instructions are those of braze.so alone. They were 6,600, and one allocation fewer with LuaJIT, while the module had
-- one operation. Since then a call's fields are checked and written by an operation's row, and the values that an error
-- may show are kept; a body and the texts of a header are searched for the key in any case and through escapes; and all
-- that arrives is counted.
local interpreters = {
  { name = "Lua 5.4", program = "lua5.4", build = "build/5.4",
    https = { allocations = 80, instructions = 8550 }, http = { allocations = 73, instructions = 8450 } },
  -- https alone: what differs from Lua 5.4 does so over both.
  { name = "LuaJIT", program = "luajit", build = "build/5.1", https = { allocations = 68, instructions = 8450 } },
}

local function variable(name)
  return assert(os.getenv(name), name .. " is the stand-in's: start this by tools/with-standin")
end

local services = {
  { name = "https", environment = ("BRAZE_REST_ENDPOINT=https://127.0.0.1:%s/slow/20 BRAZE_CA_FILE='%s'"):format(
    variable "HTTPS_PORT", variable "CA_FILE") },
  { name = "http", environment = ("BRAZE_REST_ENDPOINT=http://127.0.0.1:%s/slow/20"):format(variable "HTTP_PORT") },
}
local output = os.tmpname()

local function run(interpreter, service, tool, calls)
  local environment = ("BRAZE_API_KEY=braze-standin-key-w-budget %s LUA_CPATH='%s/?.so;;'"):format(service.environment,
    interpreter.build)
  local command = ("%s valgrind %s %s bench/blocking.lua %d %d 2>&1"):format(environment, tool, interpreter.program,
    calls, warm_up)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  if not pipe:close() or not text:find('"bad":0,', 1, true) then error(command .. "\n" .. text, 0) end
  return text
end

-- valgrind's word for the blocks that were allocated so far, whoever asked for them.
local function allocations(interpreter, service, calls)
  local text = run(interpreter, service, "--leak-check=no", calls)
  return tonumber((text:match "total heap usage: ([%d,]+) allocs":gsub(",", "")))
end

-- Instructions that lie in braze.so, all of them, and those of braze.so that lie in the ledger.
local function instructions(interpreter, service, calls)
  local ours, all, ledger = 0, 0, 0
  run(interpreter, service, "--tool=callgrind --callgrind-out-file=" .. output, calls)
  local pipe = assert(io.popen("callgrind_annotate --threshold=100 --auto=no " .. output))
  for line in pipe:lines() do
    local number, where = line:match "^%s*([%d,]+) %([^)]*%)%s+(.*)$"
    number = number and tonumber((number:gsub(",", "")))
    if where and where:find "^PROGRAM TOTALS" then
      all = number
    elseif where and where:find "/braze%.so%]$" then
      ours = ours + number
    end
    if where and where:find "^src/ledger/" then ledger = ledger + number end
  end
  assert(pipe:close())
  return ours, all, ledger
end

local passed, failed = 0, 0

local function judge(what, figure, budget)
  local good = figure > 0 and figure <= budget
  if good then passed = passed + 1 else failed = failed + 1 end
  print(("%s %s: %.0f of at most %d"):format(good and "ok    " or "FAILED", what, figure, budget))
end

-- Where the machine is so busy that an answer is there before the engine waits, the figures are others.
-- What is over the budget is measured again, and the least counts.
local function least_instructions(interpreter, service, budget)
  local least, all
  local ledger_few, ledger_many
  for _ = 1, measurements do
    local ours_few, all_few, ours_many, all_many
    ours_few, all_few, ledger_few = instructions(interpreter, service, few)
    ours_many, all_many, ledger_many = instructions(interpreter, service, many)
    local ours = (ours_many - ours_few) / (many - few)
    if not least or ours < least then least, all = ours, (all_many - all_few) / (many - few) end
    if least <= budget then break end
  end
  assert(ledger_many > 0, "callgrind names no function of the ledger, though a client that is closed lets go of one")
  return least, all, ledger_many - ledger_few
end

local function measure(interpreter, service, budget)
  local calls, where = many - few, ("in a warm %s call, %s"):format(service.name, interpreter.name)
  local blocks = (allocations(interpreter, service, many) - allocations(interpreter, service, few)) / calls
  judge("allocations " .. where, math.floor(blocks + 0.5), budget.allocations) -- one call in 40 may wait twice
  local ours, all, ledger = least_instructions(interpreter, service, budget.instructions)
  judge("instructions of braze.so " .. where, ours, budget.instructions)
  -- The clients have none. What other parts ask, whether a call has a job, is theirs.
  if ledger == 0 then passed = passed + 1 else failed = failed + 1 end
  print(("%s of the ledger's functions %s: %d"):format(ledger == 0 and "ok     instructions" or "FAILED instructions",
    where, ledger))
  print(("       %.1f %% of the %.0f that the call takes"):format(100 * ours / all, all))
end

for _, interpreter in ipairs(interpreters) do
  for _, service in ipairs(services) do
    local budget = interpreter[service.name]
    if budget then measure(interpreter, service, budget) end
  end
end
os.remove(output)
print(("budget: %d passed, %d failed"):format(passed, failed))
os.exit(failed == 0)
