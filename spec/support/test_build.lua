-- Loads the test build: the core's pure functions, a clock that specs control, and braze itself on that clock.
--
--   local test_build = require "spec.support.test_build"
--   test_build.core.text.utf8_length "é" ; test_build.clock.take { random = 0 } ; test_build.braze.new { … }

local build = assert(os.getenv "BRAZE_BUILD", "BRAZE_BUILD names the directory of the build under test")
local path = build .. "/test/braze.so"

local function open(name)
  return assert(package.loadlib(path, name))()
end

local test_build = { core = open "luaopen_braze_core_spec" }
test_build.clock = test_build.core.clock

-- braze only for who asks: a second copy of the library, whose clients and errors are not those of require "braze".
-- What the other one left behind is collected before, and a spec file uses either this braze or require "braze".
return setmetatable(test_build, {
  __index = function(self, name)
    if name ~= "braze" then return nil end
    collectgarbage()
    collectgarbage()
    self.braze = open "luaopen_braze"
    return self.braze
  end,
})
