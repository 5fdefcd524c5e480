-- A long call: trigger_campaign for 50 recipients, 50 KB of JSON, beside lua-curl with lua-cjson, which does the same
-- work. Processor time on a warm connection, and the memory that one call needs at most, beside what is there before it
-- and beside Lua's own tables. The memory is measured on Lua 5.1, for which Debian has lua-curl, by a preloaded malloc.

local timing = require "subjects.timing"
local tools = require "subjects.tools"

local most_cpu, most_memory = 0.9, 1.5 -- times lua-curl's, times the length of the body
local program = { braze = "bench/send.lua", ["lua-curl"] = "bench/peers/luacurl.lua" }

local function lacks_lua_curl(interpreter)
  local has = os.execute(("%s -e 'require \"curl\"; require \"cjson\"; require \"socket\"' >/dev/null 2>&1"):format(
    interpreter))
  return not has and { "lua-curl for " .. interpreter } or {}
end

local function row(name, interpreter, version)
  local client = name:match "^[%w-]+"
  local is_peer = client ~= "braze"
  return {
    name = name, is_peer = is_peer,
    needs = is_peer and lacks_lua_curl(interpreter) or { interpreter, ("build/%s/braze.so"):format(version) },
    command = function(endpoint, calls, warm_up)
      local ca_file = endpoint:find "^https:" and (is_peer and tools.bundle or tools.hashed) or nil
      return ("%s %s %s %d %d%s"):format(tools.environment(endpoint, version, ca_file), interpreter, program[client],
        calls, warm_up, is_peer and " send" or "")
    end,
  }
end

local function group(title, endpoint)
  return {
    title = title, rounds = 15, calls = 400, warm_up = 50, endpoint = endpoint, unit = "us", divisor = 1,
    compared_with = "lua-curl, LuaJIT",
    rows = tools.keep_what_is_here {
      row("braze, Lua 5.4", "lua5.4", "5.4"), row("braze, LuaJIT", "luajit", "5.1"),
      row("lua-curl, LuaJIT", "luajit"), row("lua-curl, Lua 5.1", "lua5.1"),
    },
  }
end

local function time(one, protocol)
  timing.time_calls(one)
  timing.figure(one)
  timing.show(one)
  for _, entry in ipairs(one.rows) do
    if not entry.is_peer and entry.cpu_ratio then
      local what = ("%s, a send of 50 KB, %s, CPU beside lua-curl"):format(entry.name, protocol)
      print(("%-40s %.2f, %s"):format(entry.name .. ", CPU / lua-curl", entry.cpu_ratio,
        tools.judge(what, entry.cpu_ratio, "at most", most_cpu)))
    end
  end
  return timing.results_of(one)
end

-- Bytes that one call needs at most: those of Lua and its modules, and with libcurl's and what is behind it.
local function memory_of(client)
  local path = "LUA_CPATH='build/bench/5.1/?.so;build/5.1/?.so;;'"
  return tools.line_of(client, ("%s %s LD_PRELOAD=build/bench/5.1/allocations.so lua5.1 %s 1 0%s memory"):format(
    tools.environment(tools.plain .. tools.constant_answer), path, program[client],
    client == "braze" and "" or " send"))
end

local function measure_memory(body)
  local rows = tools.keep_what_is_here {
    { name = "memory of a send", needs = { "build/bench/5.1/allocations.so", "build/5.1/braze.so", "lua5.1" } },
  }
  if #rows == 0 then return nil end
  local results = {}
  print(("\nMemory of one send of %d bytes, KiB at most, Lua 5.1%10s %9s"):format(body, "of Lua", "of all"))
  for _, client in ipairs { "braze", "lua-curl" } do
    if client == "braze" or #lacks_lua_curl "lua5.1" == 0 then
      local found = memory_of(client)
      results[#results + 1] = { name = client, ours_kib = found.ours / 1024, all_kib = found.all / 1024,
        times_the_body = found.ours / body }
      print(("%-55s %9.1f %9.1f"):format(client .. ", its modules and Lua", found.ours / 1024, found.all / 1024))
    end
  end
  local figure = results[1].times_the_body
  print(("    braze, times the body: %.2f, %s"):format(figure, tools.judge(
    "a send of 50 KB, memory of ours beyond Lua's tables, times the body", figure, "at most", most_memory)))
  return results
end

local sends = {}

function sends.measure()
  local body = #require "cjson".encode(require "campaign".parameters())
  local https = group(("A send of %d bytes, https (%s): %%d rounds of %%d calls"):format(body, tools.tls_of_lua_curl),
    tools.secure)
  local http = group("The same over plain http: %d rounds of %d calls", tools.plain)
  timing.check_that_all_ask_the_same(timing.commands_of { https, http })
  return { body = body, https = time(https, "https"), http = time(http, "http"), memory = measure_memory(body) }
end

return sends
