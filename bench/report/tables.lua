-- bench/results/table.md, in Markdown, and the one line that the README has of it.

local cjson = require "cjson"
local summary = require "report.summary"

local tables = {}

local columns = { "Lua 5.4", "LuaJIT" }

-- --- Bars ----------------------------------------------------------------------------------------------------------

-- The table of measures: the text, the patterns that its bars' names match, for Lua 5.4 and LuaJIT ("%s" is the
-- interpreter; one that is measured on one of them has a column of its own), and the unit. Of several bars in a cell it
-- is the worst that is shown.
local measures = {
  { "warm https call, CPU / careful bare C", "^braze, %s, https, CPU / careful bare C$" },
  { "the same, CPU / the cheapest peer", "^braze, %s, warm over https, CPU beside " },
  { "the same over http, CPU / careful bare C", "^braze, %s, http, CPU / careful bare C$" },
  { "the same over http, CPU / the cheapest peer", "^braze, %s, warm over http, CPU beside " },
  { "a warm https call, instructions / careful bare C", "^instructions of a warm https call / careful", column = 1 },
  { "the same, instructions of Lua and lua-cjson", "^instructions of Lua and lua%-cjson", column = 1 },
  { "the same, instructions of `braze.so` / all", "^instructions of braze%.so", column = 1 },
  { "the same, blocks of memory asked for", "^blocks of memory, a warm", column = 1 },
  { "a send of 50 KB over https, CPU / lua-curl", "^braze, %s, a send of 50 KB, https" },
  { "the same over http, CPU / lua-curl", "^braze, %s, a send of 50 KB, http," },
  { "the same, memory of ours / its JSON", "^a send of 50 KB, memory", column = 1 },
  { "an answer of 1 MiB, CPU / lua-cjson's decoding", "^braze, %s, an answer of 1 MiB" },
  { "cold call, CPU / `curl` with the bundle", "^braze, %s, hashed directory, CPU " },
  { "cold call, wall / `curl` with the bundle", "^braze, %s, hashed directory, wall " },
  { "cold call with the bundle, too, CPU", "^braze, %s, bundle, CPU " },
  { "cold call with the bundle, too, wall", "^braze, %s, bundle, wall " },
  { "`require`, time / loading libcurl", "^require, ", column = 1 },
  { "50 in flight, calls a second / bare C multi", "^braze, %s, wait, .*throughput beside multi" },
  { "50 in flight, calls a second / npm `braze-api`", "^braze, %s, 50 in flight .*npm" },
  { "50 in flight, calls a second / lua-http", "^braze, %s, 50 in flight .*lua%-http" },
  { "1 in flight by the worker, µs of CPU more than blocking", "^braze, %s, .*CPU us more with one in flight$" },
  { "`step(64)` in a loop of 60 frames a second, longest, ms", "^%s, step%(64%), longest step, ms$" },
  { "10,000 started at once, CPU a call / 10 at once", "^braze, %s, CPU of 10000 at once beside 10$" },
  { "a call in flight, KiB of ours", "^started call in flight, KiB", column = 1 },
  { "the same once delivered, KiB", "^started call, delivered", column = 1 },
  { "an idle client, KiB of ours", "^idle client, ", column = 1 },
  { "OpenResty, 50 at once, calls a second / lua-resty-http", "^OpenResty without delay, throughput", column = 2 },
  { "OpenResty, CPU of the main thread / lua-resty-http", "^OpenResty .*main thread", column = 2 },
  { "OpenResty, 50 at once, CPU of the whole process", "^OpenResty without delay, whole", column = 2 },
  { "`braze.so`, stripped, KiB", "^size of braze%.so, KiB, %s$" },
}

-- As short as it can be without looking like the bar where that was missed.
local function short_number(bar)
  local text = (bar.figure >= 10 and "%.0f" or "%.2f"):format(bar.figure)
  if not bar.reached and tonumber(text) == bar.bar then text = ("%.3f"):format(bar.figure) end
  return text
end

local function is_worse(bar, than)
  if not than then return true end
  if not bar.figure or not than.figure then return not bar.figure end
  if bar.sense == "at most" then return bar.figure > than.figure end
  return bar.figure < than.figure
end

local function escaped(text)
  return (text:gsub("%p", "%%%0"))
end

local function worst_bar(bars, pattern)
  local worst
  for _, bar in ipairs(bars) do
    if bar.what:find(pattern) and is_worse(bar, worst) then worst = bar end
  end
  return worst
end

local function cell(bar)
  if not bar then return "–" end
  if not bar.figure then return "not measured" end
  return short_number(bar) .. (bar.reached and "" or " **missed**")
end

local function limit(bar)
  return bar and ("%s %s"):format(bar.sense == "at most" and "≤" or "≥", ("%.5g"):format(bar.bar)) or "–"
end

local function table_of_measures(results)
  local lines = { "| measure | to reach | Lua 5.4 | LuaJIT |", "| --- | --- | --- | --- |" }
  for _, measure in ipairs(measures) do
    local cells, any = {}, nil
    for i, column in ipairs(columns) do
      local bar
      if not measure.column or measure.column == i then
        bar = worst_bar(results.bars, (measure[2]:gsub("%%s", function() return escaped(column) end)))
      end
      any = any or bar
      cells[i] = cell(bar)
    end
    lines[#lines + 1] = ("| %s | %s | %s |"):format(measure[1], limit(any), table.concat(cells, " | "))
  end
  return table.concat(lines, "\n")
end

-- --- Peers ---------------------------------------------------------------------------------------------------------

-- A client's rows have other names where it is used in another way.
local clients = {
  { "bare C on libcurl", "bare C", "bare C", "C, multi alone" },
  { "bare C, as careful as this libcurl demands", "careful bare C", "careful bare C" },
  { "**braze**, Lua 5.4", "braze, Lua 5.4", "braze, Lua 5.4", "braze, Lua 5.4" },
  { "**braze**, LuaJIT", "braze, LuaJIT", "braze, LuaJIT", "braze, LuaJIT" },
  { "lua-curl and lua-cjson, LuaJIT", "lua-curl, LuaJIT", "lua-curl, LuaJIT" },
  { "lua-resty-http in nginx", "lua-resty-http in nginx", "lua-resty-http in nginx" },
  { "lua-http, LuaJIT", "lua-http, LuaJIT", "lua-http, LuaJIT", "lua-http, LuaJIT" },
  { "luasocket, luasec, Lua 5.4", "luasocket, Lua 5.4, connects anew", "luasec, Lua 5.4, connects anew" },
  { "npm `braze-api` on Node", "npm braze-api", "npm braze-api", "npm braze-api" },
}

local function row_of(group, name)
  for _, row in ipairs(group and group.rows or {}) do
    if row.name == name then return row end
  end
end

local function whole(number)
  local text = ("%.0f"):format(number)
  local grouped = #text > 3 and text:reverse():gsub("(%d%d%d)", "%1,"):reverse():gsub("^,", "") or text
  return grouped
end

local function table_of_peers(results)
  local peers = type(results.peers) == "table" and results.peers or {}
  local lines = {
    "| client | https: CPU µs | https: wall µs | http: CPU µs | http: wall µs | 50 in flight, http: calls/s |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
  }
  for _, client in ipairs(clients) do
    local http, https = row_of(peers.http, client[2]), row_of(peers.https, client[3])
    local flight = row_of(peers.flight_one, client[4])
    local cells = {
      client[1], https and whole(https.cpu_us) or "–", https and whole(https.wall_us) or "–",
      http and whole(http.cpu_us) or "–", http and whole(http.wall_us) or "–",
      flight and whole(flight.calls_a_second) or "–",
    }
    lines[#lines + 1] = "| " .. table.concat(cells, " | ") .. " |"
  end
  return table.concat(lines, "\n")
end

-- --- The texts -----------------------------------------------------------------------------------------------------

-- The group of rows that the headline rests on: the subject of its own, or what was measured beside the peers.
local function warm_https(results)
  return results.blocking and results.blocking.https or results.peers and results.peers.https
end

-- braze's processor time by that of another row, for both interpreters, as "1.47 times (LuaJIT 1.43)"; or nil. The
-- field holds the median of the quotients of each round, where that was measured.
local function times(group, other, field)
  local under = row_of(group, other)
  local figures = {}
  for i, name in ipairs(columns) do
    local row = row_of(group, "braze, " .. name)
    if not row or not under then return nil end
    figures[i] = row[field] or row.cpu_us / under.cpu_us
  end
  return ("%.2f times (LuaJIT %.2f)"):format(figures[1], figures[2])
end

-- The README's line.
function tables.line(results)
  local group = warm_https(results)
  local bare, careful = times(group, "bare C", "cpu_ratio"), times(group, "careful bare C", "cpu_beside_careful")
  if not bare then return "What a call costs: [bench/results](bench/results/table.md)." end
  local line = ("A warm https call takes %s the processor time of bare C on libcurl %s"):format(bare,
    results.versions.libcurl)
  if careful then line = line .. ", and " .. careful .. " that of bare C that avoids the same defect of libcurl" end
  return line .. ": [bench/results](bench/results/table.md)."
end

local function about_measures()
  return "Several bars may stand behind one row: one processor and all of them, 50 and 500 calls at once, each of the "
    .. "peers. The worst of them is shown. All bars are at the end of this page."
end

local function about_peers()
  return "One call after the other on a warm connection, and 50 at once, everything on one processor. lua-curl's TLS "
    .. "is GnuTLS, that of bare C and braze is OpenSSL, so that row compares the TLS libraries, too. luasocket and "
    .. "luasec connect anew for each call. npm's client returns no headers, so it does less."
end

local function versions_of_peers(results)
  local seen, lines = {}, {}
  for _, group in ipairs { "http", "https" } do
    for _, row in ipairs((results.peers or {})[group] and results.peers[group].rows or {}) do
      local version = row.version ~= cjson.null and row.version
      if version and not row.name:find "^braze" and not seen[row.name] then
        seen[row.name] = true
        lines[#lines + 1] = ("- %s: %s"):format(row.name, version)
      end
    end
  end
  return table.concat(lines, "\n")
end

local function figure_of(bar)
  if not bar or not bar.figure then return "–" end
  return (math.abs(bar.figure) >= 1000 and "%.0f" or "%.3g"):format(bar.figure)
end

local function all_bars(results)
  local lines = { "| bar | to reach | measured | |", "| --- | --- | --- | --- |" }
  local reached = 0
  for _, bar in ipairs(results.bars) do
    local word = bar.reached and "reached" or bar.figure and "**missed**" or "not measured"
    if bar.reached then reached = reached + 1 end
    lines[#lines + 1] = ("| %s | %s | %s | %s |"):format(bar.what, limit(bar), figure_of(bar), word)
  end
  return table.concat(lines, "\n"), reached
end

-- --- Another libcurl -----------------------------------------------------------------------------------------------

-- All figures of one run to set beside another's: some that have no bar, then the bars.
local function figures_of(run)
  local list, found = {}, run.instructions
  for _, name in ipairs { "bare C", "careful bare C", "braze, Lua 5.4", "braze, LuaJIT" } do
    local row = row_of(run.blocking and run.blocking.https, name)
    if row then list[#list + 1] = { what = name .. ", a warm https call, µs of CPU", figure = row.cpu_us } end
  end
  if found and found.total then
    table.move({
      { what = "bare C, instructions of a warm https call", figure = found.bare_total },
      { what = "careful bare C, the same", figure = found.careful_total },
      { what = "braze, Lua 5.4, the same", figure = found.total },
    }, 1, 3, #list + 1, list)
  end
  return table.move(run.bars, 1, #run.bars, #list + 1, list)
end

local function find_figure(list, what)
  for _, entry in ipairs(list) do
    if entry.what == what then return entry end
  end
end

-- Rows of four texts, the heads first: what it is, what is to be reached, the figure with each libcurl.
function tables.both_libcurls(results)
  local other = results.libcurl
  local left, right = figures_of(results), figures_of(other)
  local rows = { { "figure", "to reach", "the system's, " .. results.versions.libcurl:match "[%d.]+",
    "the other, " .. other.versions.libcurl:match "[%d.]+" } }
  local function text(entry)
    return figure_of(entry) .. (entry and entry.reached == false and " missed" or "")
  end
  local function add(entry, beside, beyond)
    rows[#rows + 1] = { entry.what, entry.bar and limit(entry) or "–", text(beside), text(beyond) }
  end
  for _, entry in ipairs(right) do add(entry, find_figure(left, entry.what), entry) end
  for _, entry in ipairs(left) do -- its measure, where it must renew its handles
    if entry.what:find "/ careful bare C$" and not find_figure(right, entry.what) then add(entry, entry, nil) end
  end
  return rows
end

local function about_both_libcurls(results)
  local lines = {}
  for i, row in ipairs(tables.both_libcurls(results)) do
    lines[#lines + 1] = ("| %s |"):format(table.concat(row, " | "):gsub("missed", "**missed**"))
    if i == 1 then lines[2] = "| --- | --- | --- | --- |" end
  end
  return "Measured apart from the rest, so that only what stands in one column may be compared. From 8.1.0 on braze "
    .. "uses a handle again, as bare C does.\n\n" .. table.concat(lines, "\n")
end

local function functions(results)
  local found = results.instructions
  if type(found) ~= "table" or not found.functions then return "Not measured." end
  local protocol = found.protocol or "http"
  local lines = { ("| instructions of one warm %s call | | of all |"):format(protocol), "| --- | ---: | ---: |" }
  for _, owner in ipairs { "braze.so", "lua-cjson", "Lua", "libcurl and below" } do
    lines[#lines + 1] = ("| %s | %s | %.1f %% |"):format(owner, whole(found.shares[owner]),
      found.shares[owner] / found.total * 100)
  end
  lines[#lines + 1] = ("| all | %s | 100 %% |"):format(whole(found.total))
  lines[#lines + 1] = ("| bare C, all | %s | |"):format(whole(found.bare_total))
  if found.careful_total then
    lines[#lines + 1] = ("| careful bare C, all | %s | |"):format(whole(found.careful_total))
  end
  lines[#lines + 1] = "\n| function of `braze.so` | its own, and the C library's for it | with all it calls | calls |"
  lines[#lines + 1] = "| --- | ---: | ---: | ---: |"
  for _, entry in ipairs(found.functions) do
    lines[#lines + 1] = ("| `%s` | %s | %s | %.4g |"):format(entry.name, whole(entry.own), whole(entry.inclusive),
      entry.calls)
  end
  return table.concat(lines, "\n")
end

local function parts(results)
  local cold = results.cold
  if type(cold) ~= "table" or not cold.parts then return "Not measured." end
  local lines = { "| part of a cold call | CPU ms | wall ms |", "| --- | ---: | ---: |" }
  for _, part in ipairs(cold.parts) do
    lines[#lines + 1] = ("| %s | %.2f | %.2f |"):format(part.name, part.cpu_us / 1000, part.wall_us / 1000)
      :gsub("%-0%.00", "0.00")
  end
  return table.concat(lines, "\n")
end

local function held(results)
  local found = results.memory
  if type(found) ~= "table" or not found.held then return "Not measured." end
  local lines = { "| KiB each | ours | of `braze.so` | of Lua | libcurl's |", "| --- | ---: | ---: | ---: | ---: |" }
  for _, row in ipairs(found.held) do
    lines[#lines + 1] = ("| %s | %.2f | %.2f | %.2f | %.2f |"):format(row.name, row.ours_kib, row.braze_kib,
      row.lua_kib, row.theirs_kib)
  end
  return table.concat(lines, "\n")
end

-- How far two runs of the same program lie apart: no smaller difference means anything.
local function noise(results)
  local lines = {}
  local blocking, cold = results.blocking or {}, results.cold or {}
  for _, group in ipairs { blocking.https or {}, blocking.http or {}, cold.cold or {} } do
    for _, row in ipairs(group.rows or {}) do
      if row.name:find "the noise$" then
        lines[#lines + 1] = ("- %s, beside the first: CPU %.3f, wall %.3f"):format(row.name, row.cpu_ratio,
          row.wall_ratio)
      end
    end
  end
  return table.concat(lines, "\n")
end

-- All of it, for bench/results/table.md.
function tables.all(results)
  local bars, reached = all_bars(results)
  local other = results.libcurl and "## Another libcurl\n\n" .. about_both_libcurls(results) .. "\n\n" or ""
  return table.concat({
    "# Measured", "Written by `make bench` from the figures in `results.json`. How it is measured: "
      .. "[docs/performance.md](../../docs/performance.md).",
    summary.machine(results) .. ".", noise(results), "## Measures", about_measures(), table_of_measures(results),
    "## Peers", about_peers(), table_of_peers(results), versions_of_peers(results),
    "![One warm https call through each client](peers.svg)", "![50 calls in flight](flight.svg)",
    "## Whose instructions", functions(results), "![Instructions of one warm call](instructions.svg)",
    "## What a cold call is made of", parts(results), "![A cold call, process start to end](cold.svg)",
    "## Many at once", "![Processor time by calls started at once](scale.svg)",
    "![Processor time in OpenResty](openresty.svg)", "## Memory", held(results), other .. "## Every bar",
    ("%d of %d reached."):format(reached, #results.bars), bars,
  }, "\n\n") .. "\n"
end

return tables
