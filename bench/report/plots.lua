-- The pictures of bench/results: bars that lie, with their numbers behind them, and lines; drawn by gnuplot as SVG.

local summary = require "report.summary"

local plots = {}

local versions -- the line at the foot of each picture

local colours = { "#2a6f97", "#e08e45", "#7a9e7e", "#8d6a9f", "#b5b5b5", "#c8553d" }

local function quote(text)
  return "'" .. text:gsub("'", "''") .. "'"
end

local function draw(script)
  local pipe = assert(io.popen("gnuplot", "w"))
  pipe:write(script)
  assert(pipe:close(), "gnuplot failed")
end

local width, font, small = 860, 13, 10

local function header(picture, height, top, bottom)
  return ([[
set terminal svg size %d,%d noenhanced font 'sans-serif,%d' background 'white'
set output %s
set title %s noenhanced font ',15'
set key off
set border 3
set tics nomirror out
set grid xtics linecolor rgb '#dddddd'
set tmargin at screen %g
set bmargin at screen %g
set label %s at screen 0.5,%g center font ',%d' textcolor rgb '#777777'
]]):format(width, height, font, quote(picture.file), quote(picture.title), 1 - top / height, bottom / height,
    quote(versions), 10 / height, small)
end

-- A square of its colour and the name of each series, centred, in as many lines as it takes. gnuplot's own legend cuts
-- off and overlaps. Returns the lines of the script and how high they are; "bottom" is where the lowest line stands.
local function legend(names, height, bottom)
  local letter, square, gap = font * 0.54, 14, 26
  local rows, used = { {} }, 0
  for i, name in ipairs(names) do
    local wide = square + 6 + utf8.len(name) * letter + gap
    if used + wide > width - 40 then
      rows[#rows + 1] = {}
      used = 0
    end
    table.insert(rows[#rows], { i, name, wide })
    used = used + wide
  end
  local script, line = {}, 22
  for place, row in ipairs(rows) do
    local all = -gap
    for _, entry in ipairs(row) do all = all + entry[3] end
    local x, y = (width - all) / 2, bottom + (#rows - place) * line
    for _, entry in ipairs(row) do
      script[#script + 1] = ("set object rectangle from screen %g,%g to screen %g,%g fillcolor rgb '%s' fillstyle "
        .. "solid noborder"):format(x / width, (y - 6) / height, (x + square) / width, (y + 8) / height,
        colours[entry[1]])
      script[#script + 1] = ("set label %s at screen %g,%g left"):format(quote(entry[2]), (x + square + 6) / width,
        (y + 1) / height)
      x = x + entry[3]
    end
  end
  return table.concat(script, "\n"), #rows * line
end

-- One after the other at the right of zero, or beside each other, from the top to the bottom.
local function boxes(picture)
  local lines, most = {}, 0
  local count = #picture.series
  local function add(left, right, middle, half, series)
    lines[#lines + 1] = ("set object rectangle from %g,%g to %g,%g fillcolor rgb '%s' fillstyle solid noborder")
      :format(left, middle - half, right, middle + half, colours[series])
  end
  for i, row in ipairs(picture.rows) do
    local from, y = 0, -i
    for j = 1, count do
      local value = row[2][j] or 0
      if picture.stacked then
        add(from, from + value, y, 0.32, j)
        from = from + value
      elseif row[2][j] then
        local height = 0.8 / count
        local middle = y + 0.4 - height * (j - 0.5)
        add(0, value, middle, height * 0.45, j)
        lines[#lines + 1] = ("set label %s at %g,%g offset 0.6,0 font ',11'"):format(
          quote(picture.format:format(value)), value, middle)
        from = math.max(from, value)
      end
    end
    if picture.stacked then
      lines[#lines + 1] = ("set label %s at %g,%g offset 0.6,0 font ',11'"):format(quote(picture.format:format(from)),
        from, y)
    end
    most = math.max(most, from)
  end
  return table.concat(lines, "\n"), most
end

-- picture: file, title, unit, series (names), rows ({ label, { number for each series } }), stacked, format.
function plots.bars(picture)
  local objects, most = boxes(picture)
  local names = {}
  for i, row in ipairs(picture.rows) do names[i] = ("%s %d"):format(quote(row[1]), -i) end
  local body = #picture.rows * (picture.stacked and 34 or 14 + 18 * #picture.series)
  local _, legend_height = legend(picture.series, 100, 0)
  local top, bottom = 50, 100 + legend_height
  local height = top + body + bottom
  draw(header(picture, height, top, bottom) .. table.concat({
    ("set ytics (%s) scale 0"):format(table.concat(names, ", ")),
    ("set xrange [0:%g]"):format(most * 1.12), ("set yrange [%g:-0.4]"):format(-#picture.rows - 0.6),
    "set xlabel " .. quote(picture.unit), (legend(picture.series, height, 36)), objects, "plot NaN",
  }, "\n") .. "\n")
end

-- picture: file, title, x, y (labels), lines ({ name, { { x, y }, ... } }); both axes logarithmic.
function plots.lines(picture)
  local data, parts, names = {}, {}, {}
  for i, line in ipairs(picture.lines) do
    data[#data + 1] = ("$line%d << END"):format(i)
    for _, point in ipairs(line[2]) do data[#data + 1] = ("%g %g"):format(point[1], point[2]) end
    data[#data + 1] = "END"
    names[i] = line[1]
    parts[i] = ("$line%d using 1:2 with linespoints linewidth 2 pointtype 7 pointsize 0.7 linecolor rgb '%s'")
      :format(i, colours[i])
  end
  local height = 460
  draw(header(picture, height, 50, 122) .. table.concat({
    table.concat(data, "\n"), (legend(names, height, 36)), "set logscale xy", "set grid ytics linecolor rgb '#dddddd'",
    "set xlabel " .. quote(picture.x), "set ylabel " .. quote(picture.y), picture.range or "", "set lmargin 10",
    "plot " .. table.concat(parts, ", \\\n  "),
  }, "\n") .. "\n")
end

-- --- What is drawn -------------------------------------------------------------------------------------------------

local function peers_in_turn(group, file)
  local rows, left_out = {}, ""
  for _, row in ipairs(group.rows) do
    if row.name:find "connects anew" then -- a thousand times as long: the others would be lines beside it
      left_out = ("; not drawn: %s (%.0f ms)"):format(row.name, row.wall_us / 1000)
    else
      rows[#rows + 1] = { row.name, { row.cpu_us, row.wall_us } }
    end
  end
  table.sort(rows, function(a, b) return a[2][1] < b[2][1] end)
  plots.bars {
    file = file, title = "One warm https call on loopback" .. left_out,
    unit = "microseconds a call, median; less is better", series = { "processor time", "wall time" }, rows = rows,
    format = "%.1f",
  }
end

local function peers_in_flight(one, all, file)
  local rows, series = {}, { "client and service on one processor" }
  if all then series[2] = "on all processors" end
  for i, row in ipairs(one.rows) do
    rows[i] = { row.name, { row.calls_a_second / 1000, all and all.rows[i].calls_a_second / 1000 or nil } }
  end
  plots.bars {
    file = file, title = "50 calls in flight, plain HTTP on loopback",
    unit = "thousand calls a second, median; more is better", series = series, rows = rows, format = "%.1f",
  }
end

-- The parts as they add up to a call with the hashed directory, and to one with the bundle; curl's is one.
local function cold_parts(cold, file)
  local part, curl = {}, nil
  for i, found in ipairs(cold.parts) do part[i] = math.max(0, found.cpu_us / 1000) end
  for _, row in ipairs(cold.cold.rows) do
    if row.name == "curl, bundle" then curl = row.cpu_us / 1000 end
  end
  local function row(name, trust)
    return { name, { part[1], part[2] + part[3], part[4] + part[8], part[5], trust } }
  end
  plots.bars {
    file = file, title = "A cold call over TLS, process start to end", stacked = true, format = "%.1f",
    unit = "milliseconds of processor time, median; less is better",
    series = { "Lua itself", "loading libcurl and braze", "starting libcurl, the call", "TLS handshake", "trust store",
      "curl, not taken apart" },
    rows = {
      row("braze, hashed directory", part[6]), row("braze, bundle", part[7]),
      { "curl command, bundle", { 0, 0, 0, 0, 0, curl } },
    },
  }
end

local function whose_instructions(found, file)
  local function row(name, shares)
    return { name, {
      (shares["braze.so"] + shares["bare C"]) / 1000, shares["lua-cjson"] / 1000, shares.Lua / 1000,
      shares["libcurl and below"] / 1000,
    } }
  end
  local rows = { row("braze, Lua 5.4", found.shares) }
  if found.careful_shares then rows[2] = row("careful bare C", found.careful_shares) end
  rows[#rows + 1] = row("bare C", found.bare_shares)
  plots.bars {
    file = file, stacked = true, format = "%.1f",
    title = ("Instructions of one warm %s call, the kernel's left out"):format(found.protocol or "http"),
    unit = "thousand instructions (callgrind); less is better",
    series = { "braze.so, or bare C's own", "lua-cjson", "Lua", "libcurl and below" }, rows = rows,
  }
end

local function openresty(rows, file)
  local list = {}
  for i, row in ipairs(rows) do
    list[i] = { row.name, { row.main_us, math.max(0, row.all_us - row.main_us) } }
  end
  plots.bars {
    file = file, title = "OpenResty, one nginx worker, 50 at once, answers without delay", stacked = true,
    unit = "microseconds of processor time a call, median; less is better",
    series = { "the worker's main thread", "its other threads" }, rows = list, format = "%.1f",
  }
end

local function scale(rows, file)
  local lines, of = {}, {}
  for _, row in ipairs(rows) do
    if not of[row.name] then
      of[row.name] = {}
      lines[#lines + 1] = { row.name, of[row.name] }
    end
    table.insert(of[row.name], { row.calls, row.cpu_us })
  end
  plots.lines {
    file = file, title = "Calls started at once, answered after 100 ms, at most 1,000 connections",
    x = "calls started at once", y = "processor time a call, microseconds", lines = lines,
    range = "set yrange [10:1000]",
  }
end

local function is_there(value)
  return type(value) == "table" and next(value) ~= nil
end

-- Draws all that was measured into a folder; false where gnuplot is missing. A picture of what was left out stays as it
-- was, and it is said which.
function plots.draw(results, folder)
  if not os.execute "command -v gnuplot >/dev/null" then return false end
  local peers = results.peers
  versions = summary.machine(results)
  local drawings = {
    { "peers.svg", peers, function(file) peers_in_turn(peers.https, file) end },
    { "flight.svg", peers, function(file) peers_in_flight(peers.flight_one, peers.flight_all, file) end },
    { "cold.svg", results.cold, function(file) cold_parts(results.cold, file) end },
    { "instructions.svg", results.instructions, function(file) whose_instructions(results.instructions, file) end },
    { "openresty.svg", results.openresty, function(file) openresty(results.openresty.without_delay, file) end },
    { "scale.svg", results.scale, function(file) scale(results.scale, file) end },
  }
  for _, drawing in ipairs(drawings) do
    if is_there(drawing[2]) then
      drawing[3](folder .. "/" .. drawing[1])
    else
      print(("Not drawn anew: %s, since that was not measured"):format(drawing[1]))
    end
  end
  return true
end

return plots
