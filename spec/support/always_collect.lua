-- Makes the collector work all the time: from here on nearly every allocation drives a whole cycle of it, so that what
-- nothing holds is gone at once, and finalizers run wherever they may.
--
-- LuaJIT's compiled code goes back to its beginning when a cycle reaches its atomic step inside of it. With a cycle due
-- at each allocation it would do so for ever: either the compiler is off, or cycles begin a little later ("compiled").

return function(compiled)
  collectgarbage "restart"
  if _VERSION == "Lua 5.4" then
    collectgarbage("incremental", 1, 1000, 1) -- luacheck: ignore 143
    return
  end
  local jit = rawget(_G, "jit")
  if jit and not compiled then
    jit.off()
    jit.flush()
  end
  collectgarbage("setpause", compiled and 101 or 1)
  collectgarbage("setstepmul", 10000)
end
