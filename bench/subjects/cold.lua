-- A process that makes one call and ends, as a script run by cron does: beside the curl command, and taken apart. What
-- "require" costs, and the size of what it loads.

local timing = require "subjects.timing"
local tools = require "subjects.tools"

local quote = tools.quote
local rounds, calls_more, most_kib = 41, 100, 112

-- --- What runs -----------------------------------------------------------------------------------------------------

local function curl(name, option, certificates)
  return {
    name = name,
    needs = { "curl" },
    command = function(endpoint)
      return table.concat({
        "curl -q --silent --show-error --fail --http1.1 --noproxy '*'", option, quote(certificates),
        "--user-agent", tools.user_agent, "--header", quote("Authorization: Bearer " .. tools.key),
        "--header 'Content-Type: application/json' --header 'Accept-Encoding: identity' --data", quote(tools.body),
        endpoint .. "/sends/id/create",
      }, " ")
    end,
  }
end

local function cold_call(name, interpreter, ca_file, at_most)
  return {
    name = name,
    at_most = at_most, wall_at_most = at_most,
    needs = tools.needs(interpreter),
    command = function(endpoint)
      return ("%s %s bench/cold.lua"):format(tools.environment(endpoint, interpreter.version, ca_file),
        interpreter.program)
    end,
  }
end

local lua, luajit = tools.interpreters[1], tools.interpreters[2]

local cold = {
  title = "Cold call: process start to end, TLS, %d rounds",
  rounds = rounds, endpoint = tools.secure, unit = "ms", divisor = 1000, compared_with = "curl, bundle",
  rows = {
    curl("curl, bundle", "--cacert", tools.bundle),
    curl("curl, bundle again: the noise", "--cacert", tools.bundle),
    curl("curl, bundle and hashed directory", "--capath", tools.hashed),
    cold_call("braze, Lua 5.4, hashed directory", lua, tools.hashed, 0.36),
    cold_call("braze, Lua 5.4, bundle", lua, tools.bundle, 1.05),
    cold_call("braze, LuaJIT, hashed directory", luajit, tools.hashed, 0.36),
    cold_call("braze, LuaJIT, bundle", luajit, tools.bundle, 1.05),
  },
}

-- --- The parts -----------------------------------------------------------------------------------------------------

local function lua_that_runs(name, code)
  return { name = name, command = function() return "lua5.4 -e " .. quote(code) end }
end

-- The same process with one thing more each time; the parts are the differences.
local function steps(name, endpoint, ca_file, calls)
  return {
    name = name, endpoint = endpoint,
    command = function(where)
      return ("%s lua5.4 bench/cold.lua %d"):format(tools.environment(where, "5.4", ca_file), calls)
    end,
  }
end

-- Lua links libcurl itself, as it links a module, so that the two differ in nothing else; a function that is looked up
-- and not called keeps the symbols to the module; os.exit leaves libcurl loaded, as braze does. The library's name is
-- known to the linker alone.
local libcurl = tools.output_of "ldd build/5.4/braze.so || true":match "libcurl[%w-]*%.so[.%d]*" or "libcurl.so.4"

local processes = {
  rounds = rounds,
  rows = {
    lua_that_runs("alone", "os.exit()"),
    lua_that_runs("libcurl", ('assert(package.loadlib("%s", "curl_version")) os.exit()'):format(libcurl)),
    lua_that_runs("braze", 'require "braze" os.exit()'),
    steps("plain", tools.plain, nil, 1),
    steps("plain, many", tools.plain, nil, 1 + calls_more),
    steps("one certificate", tools.secure, tools.authority, 1),
    steps("hashed", tools.secure, tools.hashed, 1),
    steps("bundle", tools.secure, tools.bundle, 1),
  },
}

local parts = {
  { "Lua itself, start and end", "alone" },
  { "loading libcurl and what it needs", "libcurl", "alone" },
  { "loading braze.so", "braze", "libcurl" },
  { "starting libcurl, lua-cjson, TCP connection", "plain", "braze", without_call = true },
  { "TLS handshake, one certificate trusted", "one certificate", "plain" },
  { "trust store: hashed directory", "hashed", "one certificate" },
  { "trust store: bundle instead", "bundle", "one certificate" },
  { "the call itself, as one more on the same connection", "plain, many", "plain", each = calls_more },
}

local function difference(left, right, divisor)
  local result = {}
  for i = 1, #left do result[i] = (left[i] - right[i]) / (divisor or 1) end
  return result
end

local function part_of(part, of)
  local result = { name = part[1] }
  for _, kind in ipairs { "cpu", "wall" } do
    local numbers = of[part[2]][kind]
    if part[3] then numbers = difference(numbers, of[part[3]][kind], part.each) end
    if part.without_call then
      numbers = difference(numbers, difference(of["plain, many"][kind], of.plain[kind], calls_more))
    end
    result[kind .. "_us"] = tools.median(numbers)
  end
  return result
end

-- "require" beside loading libcurl alone, both without the interpreter's own start.
local function loading_ratio(of, kind)
  local over = difference(of.braze[kind], of.alone[kind])
  return tools.median(tools.quotients(over, difference(of.libcurl[kind], of.alone[kind])))
end

local function take_apart()
  timing.time_processes(processes)
  local of, results = {}, {}
  for _, row in ipairs(processes.rows) do of[row.name] = row end
  print(("\nThe parts of a cold call, Lua 5.4, %d rounds%17s %9s"):format(rounds, "CPU ms", "wall ms"))
  for i, part in ipairs(parts) do
    local result = part_of(part, of)
    results[i] = result
    print(("%-52s %9.3f %9.3f"):format(result.name, result.cpu_us / 1000, result.wall_us / 1000))
  end
  local loading = { cpu_ratio = loading_ratio(of, "cpu"), wall_ratio = loading_ratio(of, "wall") }
  for _, kind in ipairs { "CPU", "wall" } do
    local figure = loading[kind:lower() .. "_ratio"]
    print(("    require \"braze\" / loading libcurl, %s %.2f, %s"):format(kind, figure,
      tools.judge("require, " .. kind .. " / loading libcurl", figure, "at most", 1.2)))
  end
  return results, loading
end

-- --- The size ------------------------------------------------------------------------------------------------------

local function sizes()
  local results = {}
  print "\nbraze.so, stripped, KiB"
  for _, interpreter in ipairs(tools.interpreters) do
    local file = os.tmpname()
    tools.output_of(("strip -o %s build/%s/braze.so"):format(quote(file), interpreter.version))
    local kib = #tools.read_file(file) / 1024
    os.remove(file)
    results[interpreter.name] = kib
    print(("%-52s %9.1f   %s"):format(interpreter.name, kib,
      tools.judge("size of braze.so, KiB, " .. interpreter.name, kib, "at most", most_kib, "%d")))
  end
  return results
end

local subject = {}

function subject.measure()
  cold.rows = tools.keep_what_is_here(cold.rows)
  timing.check_that_all_send_the_same(timing.commands_of { cold })
  timing.time_processes(cold)
  timing.figure(cold)
  timing.show(cold)
  local parts_found, loading = take_apart()
  return { cold = timing.results_of(cold), parts = parts_found, loading = loading, size_kib = sizes() }
end

return subject
