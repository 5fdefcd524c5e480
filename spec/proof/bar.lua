-- What the bars in this folder share: the build under test, seed and versions, the count of what was bad, and a call
-- both blocking and started.
--
--   local bar = require "spec.proof.bar"
--   local run = bar.start "split" ; run:check(good, case, what is wrong) ; run:finish("%d splits", "splits")
--
-- From the clone's root after `make variants`. BRAZE_BUILD names another build's directory than build/5.4.

local bar = {}

local build = os.getenv "BRAZE_BUILD" or "build/5.4"
package.path = "./?.lua;" .. package.path
package.cpath = build .. "/?.so;" .. package.cpath

local braze = require "braze"
local socket = require "socket"

-- Far above what any call here takes: who waits that long waits for a hang.
local hang = 60
local most_shown = 20
local default_seed = 20261120

bar.key = 'canary/"key\\0123456789'
bar.modes = { "blocking", "started" }

function bar.output_of(command)
  local pipe = assert(io.popen(command))
  local output = pipe:read "a"
  pipe:close()
  return (output:gsub("%s+$", ""))
end

function bar.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

function bar.read_file(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

function bar.write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  return path
end

-- The number behind a name in /proc/self/status, in bytes where the kernel counts kB.
function bar.status(name)
  local number, unit = bar.read_file "/proc/self/status":match("\n" .. name .. ":%s*(%d+) ?(k?B?)")
  return tonumber(number) * (unit == "kB" and 1024 or 1)
end

-- Open descriptors of this process, the one that looks left out.
function bar.descriptors()
  return tonumber(bar.output_of("ls /proc/" .. bar.process() .. "/fd | wc -l"))
end

function bar.process()
  return bar.read_file "/proc/self/stat":match "^%d+"
end

-- Waits until a condition holds, at most so many seconds; looks again as soon as it may.
function bar.wait_until(condition, seconds)
  local deadline = socket.gettime() + (seconds or 10)
  while not condition() do
    if socket.gettime() > deadline then return false end
    socket.sleep(0.002)
  end
  return true
end

-- Seconds that no change of the wall clock touches, and the clock's name.
local function find_clock()
  local found, clock = pcall(require, "cqueues")
  if found then return clock.monotime, "monotonic (cqueues)" end
  found, clock = pcall(require, "luv")
  if found then return function() return clock.hrtime() / 1e9 end, "monotonic (luv)" end
  return socket.gettime, "wall (neither cqueues nor luv is here)"
end
bar.monotonic, bar.clock_name = find_clock()

local run_methods = {}
local run_metatable = { __index = run_methods }

-- Reads what one part of a bar prints: counts are summed, what is bad is shown. A part that crashes is bad itself.
local function read_part(run, number, pipe)
  local last, ended = "its start", false
  for line in pipe:lines() do
    local counts, case = line:match "^COUNTS(.*)", line:match "^AT (.*)"
    for name, count in (counts or ""):gmatch "([%a_]+)=(%d+)" do
      run.counts[name] = (run.counts[name] or 0) + math.tointeger(tonumber(count))
    end
    ended, last = ended or counts, case or last
    if not counts and not case then print(line) end
  end
  pipe:close()
  run.bad = run.bad + (run.counts.bad or 0)
  run.counts.bad = 0
  run:check(ended, "part " .. number, "it ended early, at " .. last)
end

-- Begins a bar: prints the versions of what it runs on. Arguments: a number is the seed, "long" the longer
-- form. With parts, this process starts itself so many times over, and only those do the work: run.working.
function bar.start(name, parts)
  local run = setmetatable({ name = name, bad = 0, seed = default_seed, long = false, counts = {} }, run_metatable)
  for _, argument in ipairs(arg) do
    if argument == "long" then run.long = true end
    if tonumber(argument) then run.seed = math.tointeger(tonumber(argument)) end
  end
  math.randomseed(run.seed)
  -- The seed is named by bars that draw from it, and by no other.
  local random = math.random
  function math.random(...) -- luacheck: ignore 122
    run.counts.draws = 1
    return random(...)
  end
  run.part = tonumber(os.getenv "BRAZE_PROOF_PART")
  run.parts, run.working = parts or 1, run.part or not parts
  if run.part then return run end
  print(("%s: %s form"):format(name, run.long and "long" or "short"))
  print(("%s; %s; libcurl %s; %s; %s"):format(braze._VERSION, _VERSION, bar.output_of "pkg-config --modversion libcurl",
    bar.output_of("openssl version"):match "^%S+ %S+", bar.output_of "uname -sr"))
  local pipes = {}
  for number = 1, parts or 0 do
    pipes[number] = assert(io.popen(("BRAZE_PROOF_PART=%d exec %s %s %s 2>&1"):format(number,
      bar.quote(arg[-1] or "lua5.4"),
      bar.quote(arg[0]), table.concat(arg, " "))))
  end
  for number, pipe in ipairs(pipes) do read_part(run, number, pipe) end
  return run
end

-- Whether a case is this part's: they are dealt out by their index.
function run_methods:mine(index, case)
  local mine = not self.part or index % self.parts == self.part - 1
  if mine and self.part and case then
    print("AT " .. case)
    io.stdout:flush()
  end
  return mine
end

function run_methods:count(name, number)
  self.counts[name] = (self.counts[name] or 0) + (number or 1)
end

-- Counts a case as bad unless it is good; says why. Returns whether it was.
function run_methods:check(good, case, wrong)
  if good then return true end
  self.bad = self.bad + 1
  if self.bad <= most_shown then print(("BAD %s: %s"):format(case, wrong or "")) end
  if self.bad == most_shown + 1 then print "(more that is bad is counted, not shown)" end
  io.stdout:flush()
  return false
end

-- Prints the closing line, made from a format by the counts named, and ends the process.
function run_methods:finish(format, ...)
  local numbers = {}
  for position, name in ipairs { ... } do numbers[position] = self.counts[name] or 0 end
  if self.part then
    local line = { "COUNTS bad=" .. self.bad }
    for name, number in pairs(self.counts) do line[#line + 1] = ("%s=%d"):format(name, number) end
    print(table.concat(line, " "))
  else
    if self.counts.draws then print("seed " .. self.seed) end
    print(("%s: %s, %d bad"):format(self.name, format:format(table.unpack(numbers)), self.bad))
  end
  os.exit(self.bad == 0)
end

function bar.client(options)
  local all = { api_key = bar.key, timeout = 20, retries = 0 }
  for name, value in pairs(options) do all[name] = value end
  return braze.new(all)
end

-- The result or the error of a call to an operation or a route, in one of bar.modes. What hangs is an error of the
-- bar's own kind.
function bar.call_to(name, mode, client, parameters, options)
  if mode == "blocking" then
    local method = client[name]
    if method then return select(2, pcall(method, client, parameters, options)) end
    return select(2, pcall(client.call, client, name, parameters, options))
  end
  local started, request = pcall(client.start, client, name, parameters, options)
  if not started then return request end
  if not request:wait(hang) then
    request:cancel()
    return { kind = "HANG" }
  end
  local answer = select(2, pcall(request.result, request))
  client:step()
  return answer
end

-- The same for create_send_id.
function bar.call(mode, client, parameters, options)
  return bar.call_to("create_send_id", mode, client, parameters, options)
end

-- "kind maybe_applied status" of an answer, "made" for a result.
function bar.describe(answer)
  if type(answer) ~= "table" then return "NO TABLE " .. tostring(answer) end
  if not braze.is_error(answer) and answer.status then return "made " .. answer.status end
  return ("%s %s %s"):format(answer.kind, tostring(answer.maybe_applied), answer.status or "-")
end

bar.is_error = braze.is_error
bar.braze = braze

return bar
