-- The same call through other clients: one after the other over http and https, and 50 in flight. All of them build the
-- JSON, POST it with the bearer key, parse the answer, read three headers and check the status; npm's braze-api alone
-- does less, since it hands back nothing but the body.

local service = require "subjects.service"
local timing = require "subjects.timing"
local tools = require "subjects.tools"

local node_folder = "build/bench/node"
local in_flight = 50
local least = { ["lua-http, LuaJIT"] = 1.5, ["npm braze-api"] = 3 } -- times its throughput

-- --- Who is here ---------------------------------------------------------------------------------------------------

local function has_module(interpreter, name)
  return os.execute(("%s -e %s >/dev/null 2>&1"):format(interpreter, tools.quote(('require "%s"'):format(name))))
end

-- Each peer says what it lacks, or nil.
local function lacks_module(interpreter, names)
  return function()
    if not tools.exists(interpreter) then return interpreter .. " is missing" end
    for _, name in ipairs(names) do
      if not has_module(interpreter, name) then return ("%s has no module \"%s\""):format(interpreter, name) end
    end
  end
end

local node_lacks
local function lacks_node()
  if node_lacks == nil then
    local pipe = assert(io.popen("bench/peers/install_node " .. node_folder .. " 2>&1"))
    local said = pipe:read "*a"
    node_lacks = not pipe:close() and (said:match "[^\n]+" or "npm failed") or false
  end
  return node_lacks or nil
end

local resty_folder = os.getenv "RESTY"
local function lacks_resty()
  if not resty_folder then return "RESTY names no folder that holds resty/http.lua" end
  if not tools.exists(resty_folder .. "/resty/http.lua") then return "RESTY's folder holds no resty/http.lua" end
  return not tools.exists "curl" and "curl is missing" or nil
end

local function keep(rows)
  local kept = {}
  for _, row in ipairs(tools.keep_what_is_here(rows)) do
    local reason = row.lacks and row.lacks()
    if reason then print(("Left out: %s (%s)"):format(row.name, reason)) else kept[#kept + 1] = row end
  end
  return kept
end

-- --- What runs -----------------------------------------------------------------------------------------------------

local host -- the nginx that lua-resty-http runs in

local function lua_peer(name, interpreter, modules, script, more)
  local row = {
    name = name, is_peer = true,
    lacks = lacks_module(interpreter, modules),
    command = function(endpoint, calls, warm_up)
      local ca_file = endpoint:find "^https:" and (more.ca_file or tools.bundle) or nil
      return ("%s %s bench/peers/%s.lua %d %d %s"):format(tools.environment(endpoint, nil, ca_file), interpreter,
        script, calls, warm_up, more.in_flight or "")
    end,
  }
  row.calls, row.warm_up = more.calls, more.warm_up
  return row
end

-- Node compiles what has run often: it is given more calls to warm up.
local function node_peer(count)
  return {
    name = "npm braze-api", is_peer = true, lacks = lacks_node, warm_up = 2000,
    command = function(endpoint, calls, warm_up)
      return ("%s NODE_EXTRA_CA_CERTS=%s node bench/peers/braze_api.mjs %s %d %d %d"):format(
        tools.environment(endpoint), tools.quote(tools.authority), node_folder, calls, warm_up, count)
    end,
  }
end

local function resty_peer()
  return {
    name = "lua-resty-http in nginx", is_peer = true, lacks = lacks_resty,
    command = function(endpoint, calls, warm_up)
      host = host or service.start("host", { ENDPOINT = endpoint, RESTY = resty_folder })
      return "curl -q --silent --show-error --fail --noproxy '*' " .. tools.quote(
        ("%s/resty-in-turn?endpoint=%s&calls=%d&warm_up=%d"):format(host.url, endpoint, calls, warm_up))
    end,
  }
end

local lua_curl = { "curl", "cjson", "socket" }
local lua_http = { "http.client", "cqueues", "cjson" }

local function ours()
  return timing.bare_c "bare C", timing.blocking_calls("braze, Lua 5.4", "lua5.4", "5.4"),
    timing.blocking_calls("braze, LuaJIT", "luajit", "5.1")
end

local function make_groups()
  local bare, lua54, luajit = ours()
  local bare_tls, lua54_tls, luajit_tls = ours()
  local bundle_for_context = { ca_file = tools.authority }
  return {
    http = {
      title = "The same over plain http: %d rounds of %d calls",
      rounds = 15, calls = 1500, warm_up = 500, endpoint = tools.plain,
      rows = {
        bare, lua54, luajit,
        lua_peer("lua-curl, LuaJIT", "luajit", lua_curl, "luacurl", {}),
        lua_peer("lua-http, LuaJIT", "luajit", lua_http, "luahttp", {}),
        lua_peer("luasocket, Lua 5.4, connects anew", "lua5.4", { "socket.http", "cjson" }, "luasocket",
          { calls = 300, warm_up = 20 }),
        resty_peer(), node_peer(1),
      },
    },
    https = {
      title = ("Beside peers, warm, https (%s): %%d rounds of %%d calls"):format(tools.tls_of_lua_curl),
      rounds = 15, calls = 1000, warm_up = 300, endpoint = tools.secure,
      rows = {
        bare_tls, timing.careful_c "careful bare C", lua54_tls, luajit_tls,
        lua_peer("lua-curl, LuaJIT", "luajit", lua_curl, "luacurl", {}),
        lua_peer("lua-http, LuaJIT", "luajit", lua_http, "luahttp", bundle_for_context),
        lua_peer("luasec, Lua 5.4, connects anew", "lua5.4", { "ssl.https", "cjson" }, "luasocket",
          { calls = 20, warm_up = 2, ca_file = tools.hashed }),
        resty_peer(), node_peer(1),
      },
    },
    flight = {
      title = "Beside peers, %d rounds of %d calls, 50 in flight, plain HTTP",
      rounds = 7, calls = 5000, warm_up = 1000, endpoint = tools.plain,
      rows = {
        timing.c_multi("C, multi alone", in_flight),
        timing.started_calls("braze, Lua 5.4", tools.interpreters[1], in_flight, "wait"),
        timing.started_calls("braze, LuaJIT", tools.interpreters[2], in_flight, "wait"),
        lua_peer("lua-http, LuaJIT", "luajit", lua_http, "luahttp", { in_flight = in_flight }),
        node_peer(in_flight),
      },
    },
  }
end

-- --- What came of it -----------------------------------------------------------------------------------------------

-- braze on each interpreter beside a peer: figures by the interpreter's name, and what they are worth, in words.
local function judge_beside(group, peer, figure_of, what, sense, bar)
  local figures, words = {}, {}
  for _, row in ipairs(group.rows) do
    local interpreter = row.name:match "^braze, (.*)"
    if interpreter then
      local figure = figure_of(row)
      figures[interpreter] = figure
      local verdict = tools.judge(("%s, %s %s"):format(row.name, what, peer.name), figure, sense, bar)
      words[#words + 1] = ("%s %.2f, %s"):format(interpreter, figure, verdict)
    end
  end
  return figures, table.concat(words, "; ")
end

local function result_of(row)
  return { name = row.name, version = row.version, cpu_us = tools.median(row.cpu), wall_us = tools.median(row.wall),
    calls_a_second = 1e6 / tools.median(row.wall), cpu_us_of_each_round = row.cpu, wall_us_of_each_round = row.wall }
end

local function show_in_turn(group, where)
  print("\n" .. group.title:format(group.rounds, group.calls))
  print(("%-36s %9s %9s   %s"):format("", "CPU us", "wall us", "braze's CPU beside it"))
  local results = {}
  for i, row in ipairs(group.rows) do
    local result, words = result_of(row), ""
    if row.is_peer then
      result.braze_cpu_beside, words = judge_beside(group, row, function(braze)
        return tools.median(tools.quotients(braze.cpu, row.cpu))
      end, ("warm over %s, CPU beside"):format(where), "at most", 1)
    end
    results[i] = result
    print(("%-36s %9.1f %9.1f   %s"):format(row.name, result.cpu_us, result.wall_us, words))
  end
  return { rounds = group.rounds, calls = group.calls, rows = results }
end

local function show_flight(group, where)
  print(("\n%s, client and service on %s"):format(group.title:format(group.rounds, group.calls), where))
  print(("%-36s %9s %9s   %s"):format("", "CPU us", "calls/s", "braze's throughput beside it"))
  local results = {}
  for i, row in ipairs(group.rows) do
    local result, words = result_of(row), ""
    if row.is_peer then
      result.braze_throughput_beside, words = judge_beside(group, row, function(braze)
        return tools.median(tools.quotients(row.wall, braze.wall))
      end, ("50 in flight on %s, throughput beside"):format(where), "at least", least[row.name])
    end
    results[i] = result
    print(("%-36s %9.1f %9.0f   %s"):format(row.name, result.cpu_us, result.calls_a_second, words))
  end
  return { rounds = group.rounds, calls = group.calls, in_flight = in_flight, rows = results }
end

local peers = {}

function peers.measure()
  local groups, results = make_groups(), {}
  for _, name in ipairs { "https", "http", "flight" } do
    local group = groups[name]
    group.rows = keep(group.rows)
  end
  timing.check_that_all_ask_the_same(timing.commands_of { groups.https, groups.http, groups.flight })
  for _, name in ipairs { "https", "http" } do
    timing.time_calls(groups[name])
    results[name] = show_in_turn(groups[name], name)
  end
  if host then host.stop() end
  host = nil
  for _, where in ipairs { { "one processor", "" }, { "all processors", tools.everywhere .. " env " } } do
    if where[1] == "one processor" or tools.everywhere ~= "" then
      timing.time_calls(groups.flight, where[2])
      results["flight_" .. where[1]:match "%a+"] = show_flight(groups.flight, where[1])
    end
  end
  return results
end

return peers
