-- Who holds how much memory, block by block: an idle client, and a call in flight until it is delivered (http); and how
-- many blocks a warm https call asks for. "Ours" is what braze.so, Lua and lua-cjson asked for, "theirs" what
-- libcurl and the libraries behind it did. Exact numbers, without any rounds: a preloaded malloc notes who asked.

local service = require "subjects.service"
local tools = require "subjects.tools"

local clients, calls, max_connections, in_flight = 100, 2000, 500, 500
local idle_kib, flying_kib, delivered_kib, most_blocks = 8, 16, 0.5, 78

local function run(endpoint, words)
  local environment = tools.environment_of_call(endpoint, "5.4")
    :gsub("LUA_CPATH='", "LUA_CPATH='build/bench/5.4/?.so;")
  return tools.line_of("memory.lua", ("%s LD_PRELOAD=build/bench/5.4/allocations.so lua5.4 bench/memory.lua %s"):format(
    environment, words))
end

local function show(name, share, bar, what)
  local ours, theirs = share.ours / 1024, share.theirs / 1024
  print(("%-52s %9.2f %9.2f %9.2f %9.2f"):format(name, ours, share.braze / 1024, share.lua / 1024, theirs))
  if bar then print("    ours " .. tools.judge(what, ours, "at most", bar, "%.1f")) end
  return {
    name = name, ours_kib = ours, braze_kib = share.braze / 1024, lua_kib = share.lua / 1024, theirs_kib = theirs,
  }
end

local function show_blocks(share)
  local all = share.ours + share.theirs
  print(("\nBlocks of memory that a warm https call asks for: %.1f in all (braze.so %.1f, Lua %.1f, lua-cjson %.1f, "
    .. "libcurl and what it calls %.1f)"):format(all, share.braze, share.lua, share.cjson, share.theirs))
  print("    in all " .. tools.judge("blocks of memory, a warm https call", all, "at most", most_blocks, "%d"))
  return { all = all, braze = share.braze, lua = share.lua, cjson = share.cjson, theirs = share.theirs }
end

local memory = {}

function memory.measure()
  local rows = tools.keep_what_is_here {
    { name = "memory", needs = { "build/bench/5.4/allocations.so", "build/5.4/braze.so", "lua5.4" } },
  }
  if #rows == 0 then return {} end
  local idle = run(tools.plain .. tools.constant_answer, "idle " .. clients)
  local warm = run(tools.secure .. tools.constant_answer, "call 2000")
  local slow = service.start("slow", {})
  local flight = run(slow.url .. "/slow", ("flight %d %d"):format(in_flight, max_connections))
  local queued = run(slow.url .. "/slow", ("flight %d %d"):format(calls, max_connections))
  slow.stop()
  print(("\nMemory, Lua 5.4, KiB each%27s %9s %9s %9s %9s"):format("", "ours", "braze.so", "Lua", "theirs"))
  return {
    held = {
      show("client, made", idle.made, idle_kib, "idle client, made, KiB of ours"),
      show("client, after a blocking call", idle.used, idle_kib, "idle client, after a call, KiB of ours"),
      show("client, closed", idle.closed),
      show(("started call, %d in flight"):format(in_flight), flight.flying, flying_kib,
        "started call in flight, KiB of ours"),
      show("the same, delivered", flight.delivered, delivered_kib, "started call, delivered, KiB of ours"),
      show(("started call, %d, of which %d in flight"):format(calls, max_connections), queued.flying, flying_kib,
        "started call, most of them queued, KiB of ours"),
      show("the same, delivered", queued.delivered, delivered_kib, "started call queued, delivered, KiB of ours"),
    },
    blocks = show_blocks(warm.blocks),
  }
end

return memory
