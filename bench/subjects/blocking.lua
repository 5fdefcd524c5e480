-- The blocking call on a connection that is there already, beside bare C.

local timing = require "subjects.timing"
local tools = require "subjects.tools"

local warm = {
  title = "Warm blocking call: %d rounds of %d calls on one connection, plain HTTP",
  rounds = 41, calls = 2000, warm_up = 300, endpoint = tools.plain, unit = "us", divisor = 1, compared_with = "bare C",
  rows = {
    timing.bare_c "bare C",
    timing.bare_c "bare C again: the noise",
    timing.blocking_calls("braze, Lua 5.4", "lua5.4", "5.4", 1.05),
    timing.blocking_calls("braze, LuaJIT", "luajit", "5.1", 1.05),
    timing.blocking_calls("braze, Lua 5.3", "lua5.3", "5.3"),
    timing.blocking_calls("braze, Lua 5.1", "lua5.1", "5.1"),
  },
}

local blocking = {}

function blocking.measure()
  warm.rows = tools.keep_what_is_here(warm.rows)
  timing.check_that_all_send_the_same(timing.commands_of { warm })
  timing.time_calls(warm)
  timing.figure(warm)
  timing.show(warm)
  return { warm = timing.results_of(warm) }
end

return blocking
