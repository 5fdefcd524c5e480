-- Measures braze beside bare C and the curl command, prints the figures with the bars that they have to reach, and writes
-- them to a file: measure.lua RESULTS. Started by bench/run, which has the stand-in running.
--
-- Nothing here compares times of two different minutes: in each round everything runs once, one after the other and each
-- round in another order. A figure is the median over the rounds of the quotient of two times of the same round.

local cjson = require "cjson"
local braze = require "braze"

local key = "braze-standin-key"
local body = '{"campaign_id":"56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b","send_id":"send-1"}'
local plain = ("http://127.0.0.1:%s/fast"):format(os.getenv "HTTP_PORT")
local secure = ("https://127.0.0.1:%s/fast"):format(os.getenv "HTTPS_PORT")
local user_agent = "braze-lua/" .. braze._VERSION:match "%S+$"

-- --- Small tools ---------------------------------------------------------------------------------------------------

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- What a command line prints, without the last line feed.
local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  local good = pipe:close()
  if not good then error("failed: " .. command, 0) end
  return (text:gsub("\n$", ""))
end

local function first_line(command)
  return (output_of(command .. " 2>&1 || true"):match "^[^\n]*")
end

local function has(file_or_program)
  return os.execute(("test -e %s || command -v %s >/dev/null"):format(quote(file_or_program), quote(file_or_program)))
end

local function quantile(numbers, part)
  local sorted = table.move(numbers, 1, #numbers, 1, {})
  table.sort(sorted)
  local place = 1 + (#sorted - 1) * part
  local low, high = math.floor(place), math.ceil(place)
  return sorted[low] + (sorted[high] - sorted[low]) * (place - low)
end

local function quotients(over, under)
  local result = {}
  for i = 1, #over do result[i] = over[i] / under[i] end
  return result
end

-- --- What runs -----------------------------------------------------------------------------------------------------

local function environment(endpoint, version, ca_file)
  return table.concat({
    "BRAZE_API_KEY=" .. key,
    "BRAZE_REST_ENDPOINT=" .. endpoint,
    "LUA_CPATH=" .. quote(("build/%s/?.so;;"):format(version)),
    ca_file and "BRAZE_CA_FILE=" .. quote(ca_file) or "",
  }, " ")
end

local rounds_of_calls, calls, warm_up = 15, 3000, 300
local bare = ("build/bench/bare %d %d %s"):format(calls, warm_up, user_agent)

local function blocking(name, interpreter, version, most)
  return {
    name = name,
    command = ("%s bench/blocking.lua %d %d"):format(interpreter, calls, warm_up),
    version = version,
    needs = { interpreter, ("build/%s/braze.so"):format(version) },
    most = most,
  }
end

local warm = {
  title = ("Warm blocking call: %d rounds of %d calls, one connection, plain HTTP"):format(rounds_of_calls, calls),
  unit = "us", divisor = 1, rounds = rounds_of_calls, under = "bare C",
  rows = {
    { name = "bare C", command = bare, version = "5.4", needs = {} },
    { name = "bare C again: the noise", command = bare, version = "5.4", needs = {} },
    blocking("braze, Lua 5.4", "lua5.4", "5.4", 1.10),
    blocking("braze, LuaJIT", "luajit", "5.1", 1.10),
    blocking("braze, Lua 5.3", "lua5.3", "5.3"),
    blocking("braze, Lua 5.1", "lua5.1", "5.1"),
  },
}

local bundle, hashed = os.getenv "CA_BUNDLE", os.getenv "CA_HASHED"

local curl = table.concat({
  "curl -q --silent --show-error --fail --http1.1 --noproxy '*' --cacert", quote(bundle), "--user-agent", user_agent,
  "--header 'Authorization: Bearer " .. key .. "' --header 'Content-Type: application/json'",
  "--header 'Accept: application/json' --data", quote(body), secure .. "/sends/id/create",
}, " ")

local cold = {
  title = "Cold call, process start to end, TLS: %d rounds",
  unit = "ms", divisor = 1000, rounds = 25, under = "curl, bundle",
  rows = {
    { name = "curl, bundle", command = curl, needs = { "curl" } },
    { name = "curl, bundle again: the noise", command = curl, needs = { "curl" } },
    {
      name = "braze, Lua 5.4, hashed directory", most = 0.5, needs = {},
      command = environment(secure, "5.4", hashed) .. " lua5.4 bench/cold.lua",
    },
    {
      name = "braze, Lua 5.4, bundle", needs = {},
      command = environment(secure, "5.4", bundle) .. " lua5.4 bench/cold.lua",
    },
    {
      name = "braze, LuaJIT, hashed directory", needs = { "luajit", "build/5.1/braze.so" },
      command = environment(secure, "5.1", hashed) .. " luajit bench/cold.lua",
    },
  },
}

-- Lua links libcurl itself, so that both differ in nothing else. Only the dynamic linker knows the library's name.
local libcurl = output_of "ldd build/5.4/braze.so || true":match "libcurl[%w-]*%.so[.%d]*"

local loading = {
  title = "Loading alone, process start to end: %d rounds",
  unit = "ms", divisor = 1000, rounds = 25, under = "lua5.4 and libcurl",
  rows = {
    { name = "lua5.4 and libcurl", needs = {},
      command = "lua5.4 -e " .. quote(('assert(package.loadlib("%s", "*"))'):format(libcurl or "libcurl.so.4")) },
    { name = "lua5.4 and require \"braze\"", command = "lua5.4 -e " .. quote 'require "braze"', needs = {} },
    { name = "lua5.4 alone", command = "lua5.4 -e ''", needs = {} },
  },
}

-- Takes out the rows whose program is not here, and says so.
local function keep_what_is_here(group)
  local kept = {}
  for _, row in ipairs(group.rows) do
    local missing
    for _, need in ipairs(row.needs) do
      if not has(need) then missing = need end
    end
    if missing then
      print(("Left out: %s (%s is missing)"):format(row.name, missing))
    else
      kept[#kept + 1] = row
    end
  end
  group.rows = kept
end

local function refuse_failures(row, bad)
  if bad > 0 then error(("%s: %d calls failed"):format(row.name, bad), 0) end
end

-- Runs the programs that time their calls themselves.
local function time_calls(group)
  local count = #group.rows
  for _, row in ipairs(group.rows) do row.cpu, row.wall = {}, {} end
  for round = 1, group.rounds do
    for i = 1, count do
      local row = group.rows[(round + i) % count + 1]
      local line = cjson.decode(output_of(environment(plain, row.version) .. " " .. row.command))
      refuse_failures(row, line.bad)
      row.cpu[round], row.wall[round], row.says = line.cpu_us, line.wall_us, line.version
    end
  end
end

-- Runs programs that are timed from their start to their end.
local function time_processes(group)
  local words = { "build/bench/processes " .. group.rounds }
  for _, row in ipairs(group.rows) do words[#words + 1] = row.command end
  local lines = cjson.decode(output_of(table.concat(words, " -- ")))
  for i, row in ipairs(group.rows) do
    refuse_failures(row, lines[i].bad)
    row.cpu, row.wall = lines[i].cpu_us, lines[i].wall_us
  end
  group.title = group.title:format(group.rounds)
end

-- --- What came of it -----------------------------------------------------------------------------------------------

local function find(group, name)
  for _, row in ipairs(group.rows) do
    if row.name == name then return row end
  end
end

local function judge(group)
  local under = find(group, group.under)
  for _, row in ipairs(group.rows) do
    local quotient = under and quotients(row.cpu, under.cpu) or {}
    row.cpu_median, row.wall_median = quantile(row.cpu, 0.5), quantile(row.wall, 0.5)
    if under then
      row.ratio, row.low, row.high = quantile(quotient, 0.5), quantile(quotient, 0.25), quantile(quotient, 0.75)
      row.wall_ratio = quantile(quotients(row.wall, under.wall), 0.5)
      row.reached = row.most and row.ratio <= row.most
    end
  end
end

local function show(group)
  print(("\n%s\n%-34s %10s %10s   CPU / %s"):format(group.title, "", "CPU " .. group.unit, "wall " .. group.unit, group.under))
  for _, row in ipairs(group.rows) do
    local line = ("%-34s %10.2f %10.2f"):format(row.name, row.cpu_median / group.divisor, row.wall_median / group.divisor)
    if row.ratio and row.name ~= group.under then
      line = line .. ("   %.2f (%.2f to %.2f)"):format(row.ratio, row.low, row.high)
    end
    if row.most then
      local verdict = row.ratio == nil and "not measured" or row.reached and "reached" or "NOT reached"
      line = line .. ("   at most %.2f: %s"):format(row.most, verdict)
    end
    print(line)
  end
end

local function versions()
  local bare_row = find(warm, "bare C")
  local nginx = output_of "spec/support/nginx" .. "/usr/sbin/nginx"
  local list = {
    { "braze", braze._VERSION }, { "libcurl", bare_row.says }, { "lua-cjson", cjson._VERSION },
    { "nginx", first_line(quote(nginx) .. " -v") }, { "curl", first_line "curl --version" },
    { "compiler", first_line((os.getenv "CC" or "cc") .. " --version") }, { "kernel", first_line "uname -srm" },
    { "processor", first_line "sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1" },
    { "cores", first_line "getconf _NPROCESSORS_ONLN" }, { "load", first_line "cut -d ' ' -f 1-3 /proc/loadavg" },
  }
  for _, interpreter in ipairs { "lua5.4", "luajit", "lua5.3", "lua5.1" } do
    if has(interpreter) then list[#list + 1] = { interpreter, first_line(interpreter .. " -v"):match "^[^-]*[^- ]" } end
  end
  return list
end

local function results_of(groups, list)
  local results = { versions = {} }
  for _, pair in ipairs(list) do results.versions[pair[1]] = pair[2] end
  for name, group in pairs(groups) do
    local kept = { title = group.title, compared_with = group.under, rounds = group.rounds, rows = {} }
    for i, row in ipairs(group.rows) do
      kept.rows[i] = {
        name = row.name, cpu_us = row.cpu_median, wall_us = row.wall_median, cpu_ratio = row.ratio, wall_ratio = row.wall_ratio,
        at_most = row.most, reached = row.reached, cpu_us_of_each_round = row.cpu, wall_us_of_each_round = row.wall,
      }
    end
    results[name] = kept
  end
  return results
end

local function write(path, text)
  local file = assert(io.open(path, "w"))
  assert(file:write(text, "\n"))
  assert(file:close())
end

for _, group in ipairs { warm, cold, loading } do keep_what_is_here(group) end
time_calls(warm)
time_processes(cold)
time_processes(loading)
for _, group in ipairs { warm, cold, loading } do
  judge(group)
  show(group)
end

local list = versions()
print()
for _, pair in ipairs(list) do print(("%-10s %s"):format(pair[1], pair[2])) end
write(arg[1], cjson.encode(results_of({ warm = warm, cold = cold, loading = loading }, list)))
print("\nAll of it, each round included: " .. arg[1])
