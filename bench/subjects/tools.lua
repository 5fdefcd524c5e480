-- What every subject of "make bench" uses: running programs in turn, medians, bars, what programs are given.
--
-- A subject is a module with measure(), which prints its tables and returns what goes into the results.
-- No two times of different minutes are compared: in each round everything runs once, one after the other, each round
-- in another order, and a figure is the median over the rounds of the quotient of two times of the same round.

local braze = require "braze"
local cjson = require "cjson"

local tools = {
  key = "braze-standin-key",
  plain = "http://127.0.0.1:" .. os.getenv "HTTP_PORT",
  secure = "https://127.0.0.1:" .. os.getenv "HTTPS_PORT",
  constant_answer = "/fast", -- the stand-in's folder for benchmarks
  bundle = os.getenv "CA_BUNDLE",
  hashed = os.getenv "CA_HASHED",
  authority = os.getenv "CA_FILE",
  user_agent = "braze-lua/" .. braze._VERSION:match "%S+$",
  body = '{"campaign_id":"56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b","send_id":"send_identifier"}',
  -- Everything runs on the processor of the stand-in; a command behind this may use all of them.
  everywhere = os.getenv "EVERYWHERE" or "",
  long = os.getenv "LONG" == "1",
  -- Debian's lua-curl has a libcurl of its own; another libcurl takes the place of both.
  tls_of_lua_curl = os.getenv "OTHER_LIBCURL" and "lua-curl has the same libcurl" or "lua-curl's is GnuTLS",
  bars = {},
}

function tools.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

function tools.output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  if not pipe:close() then error("failed: " .. command, 0) end
  return (text:gsub("\n$", ""))
end

-- What a program says of itself in one line of JSON. A call that failed is an error.
function tools.line_of(name, command)
  local line = cjson.decode(tools.output_of(command))
  tools.refuse_failures(name, line.bad)
  return line
end

function tools.refuse_failures(name, bad)
  if bad > 0 then error(("%s: %d calls failed"):format(name, bad), 0) end
end

function tools.first_line(command)
  return tools.output_of(command .. " 2>&1 || true"):match "^[^\n]*"
end

function tools.exists(file_or_program)
  local name = tools.quote(file_or_program)
  return os.execute(("test -e %s || command -v %s >/dev/null"):format(name, name))
end

function tools.read_file(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

function tools.write_file(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text))
  assert(file:close())
end

function tools.quantile(numbers, part)
  local sorted = table.move(numbers, 1, #numbers, 1, {})
  table.sort(sorted)
  local place = 1 + (#sorted - 1) * part
  local low, high = math.floor(place), math.ceil(place)
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low)
end

function tools.median(numbers)
  return tools.quantile(numbers, 0.5)
end

function tools.quotients(over, under)
  local result = {}
  for i = 1, #over do result[i] = over[i] / under[i] end
  return result
end

function tools.sleep(seconds)
  require "socket".sleep(seconds)
end

-- What stands in front of a command: where the service is, and the braze that is built for an interpreter.
function tools.environment(endpoint, version, ca_file)
  local quote = tools.quote
  local names = { "BRAZE_API_KEY=" .. tools.key, "BRAZE_REST_ENDPOINT=" .. endpoint }
  if version then names[#names + 1] = "LUA_CPATH=" .. quote(("build/%s/?.so;;"):format(version)) end
  if ca_file then names[#names + 1] = "BRAZE_CA_FILE=" .. quote(ca_file) end
  return table.concat(names, " ")
end

-- The same for a call: over TLS it trusts the hashed directory.
function tools.environment_of_call(endpoint, version)
  return tools.environment(endpoint, version, endpoint:find "^https:" and tools.hashed or nil)
end

-- The interpreters that the bars are for, and what a program of one needs.
tools.interpreters = {
  { name = "Lua 5.4", program = "lua5.4", version = "5.4" },
  { name = "LuaJIT", program = "luajit", version = "5.1" },
}

function tools.needs(interpreter)
  return { interpreter.program, ("build/%s/braze.so"):format(interpreter.version) }
end

-- The rows whose programs are here; of the others it is said aloud that they are not.
function tools.keep_what_is_here(rows)
  local kept = {}
  for _, row in ipairs(rows) do
    local missing
    for _, need in ipairs(row.needs or {}) do
      if not tools.exists(need) then missing = need end
    end
    if missing then
      print(("Left out: %s (%s is missing)"):format(row.name, missing))
    else
      kept[#kept + 1] = row
    end
  end
  return kept
end

-- Calls run(row, round) for each row in each round, each round in another order.
function tools.in_turn(rows, rounds, run)
  for round = 1, rounds do
    for i = 1, #rows do run(rows[(round + i) % #rows + 1], round) end
  end
end

function tools.find(rows, name)
  for _, row in ipairs(rows) do
    if row.name == name then return row end
  end
end

-- Notes whether a figure reached its bar, and says so in a few words. sense is "at most" or "at least".
function tools.judge(what, figure, sense, bar, format)
  local reached
  if figure and sense == "at most" then reached = figure <= bar end
  if figure and sense == "at least" then reached = figure >= bar end
  tools.bars[#tools.bars + 1] = { what = what, figure = figure, sense = sense, bar = bar, reached = reached }
  local verdict = reached == nil and "not measured" or reached and "reached" or "NOT REACHED"
  return ("%s " .. (format or "%.2f") .. ": %s"):format(sense, bar, verdict)
end

return tools
