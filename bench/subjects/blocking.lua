-- The blocking call on a connection that is there already. The headline is https, as the service is: beside bare C that
-- is as careful with this libcurl as braze has to be, and beside bare C that keeps its handle. http comes second.

local timing = require "subjects.timing"
local tools = require "subjects.tools"

local function braze(name, interpreter, version, at_most)
  return timing.blocking_calls("braze, " .. name, interpreter, version, at_most)
end

local function rows_of_all()
  return {
    timing.bare_c "bare C",
    timing.bare_c "bare C again: the noise",
    timing.careful_c "careful bare C",
    braze("Lua 5.4", "lua5.4", "5.4"),
    braze("LuaJIT", "luajit", "5.1"),
    braze("Lua 5.3", "lua5.3", "5.3"),
    braze("Lua 5.1", "lua5.1", "5.1"),
  }
end

local https = {
  title = "Warm blocking https call: %d rounds of %d calls on one connection",
  rounds = 41, calls = 1500, warm_up = 300, endpoint = tools.secure, unit = "us", divisor = 1, compared_with = "bare C",
  rows = rows_of_all(),
}

local http = {
  title = "The same over plain http: %d rounds of %d calls",
  rounds = 21, calls = 2000, warm_up = 300, endpoint = tools.plain, unit = "us", divisor = 1, compared_with = "bare C",
  rows = rows_of_all(),
}

-- braze's processor time by that of the careful program, with the aim for the two interpreters that matter most.
local function judge_beside_careful(group, protocol)
  local careful = tools.find(group.rows, "careful bare C")
  for _, row in ipairs(group.rows) do
    local interpreter = row.name:match "^braze, (.*)"
    if interpreter == "Lua 5.4" or interpreter == "LuaJIT" then
      local figure = tools.median(tools.quotients(row.cpu, careful.cpu))
      row.cpu_beside_careful = figure
      print(("%-40s %.2f, %s"):format(row.name .. ", CPU / careful bare C", figure,
        tools.judge(("%s, %s, CPU / careful bare C"):format(row.name, protocol), figure, "at most", 1.10)))
    end
  end
end

local blocking = {}

function blocking.measure()
  local results = {}
  https.rows, http.rows = tools.keep_what_is_here(https.rows), tools.keep_what_is_here(http.rows)
  timing.check_that_all_send_the_same(timing.commands_of { https, http })
  for _, pair in ipairs { { "https", https }, { "http", http } } do
    local protocol, group = pair[1], pair[2]
    timing.time_calls(group)
    timing.figure(group)
    timing.show(group)
    judge_beside_careful(group, protocol)
    results[protocol] = timing.results_of(group)
  end
  return results
end

return blocking
