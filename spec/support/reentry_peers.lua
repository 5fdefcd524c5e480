-- The command that walks spec/support/reentry.lua with peers of its own, which are stopped by the function that comes
-- with it.

local scripted_peer = require "spec.support.scripted_peer"

--- @param interpreter string  a command, with a wrapper in front of it if need be
--- @param build string  the directory of the build under test
--- @param every integer  1 is each point, 3 each third
return function(interpreter, build, every)
  local answering, refusing = scripted_peer.start(), scripted_peer.start()
  local refusal = ([[{"message":"refused: %s","errors":["one",{"fraction":1.5},"%s"]}]])
    :format(("r"):rep(300), ("e"):rep(6000))
  answering:default { { read = "request" }, { write = scripted_peer.created() }, { again = true } }
  refusing:default { { read = "request" }, { write = scripted_peer.answer(400, nil, refusal) }, { again = true } }
  local library = build:gsub("/oldest$", "") .. "/test/braze.so"
  local command = ("LUA_PATH='./?.lua;./src/?.lua;;' LUA_CPATH='%s/?.so;;' timeout 400 %s %s %s %s %s %d 2>&1")
    :format(build, interpreter, "spec/support/reentry.lua", answering.url, refusing.url, library, every)
  return command, function()
    answering:stop()
    refusing:stop()
  end
end
