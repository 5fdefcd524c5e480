-- Loads the seam build: the core's pure functions, a clock that specs control, and braze itself on that clock.
--
--   local seam = require "spec.support.seam"
--   seam.core.text.utf8_length "é" ; seam.clock.take { chance = 0 } ; seam.braze.new { … }

local build = assert(os.getenv "BRAZE_BUILD", "BRAZE_BUILD names the directory of the build under test")
local path = build .. "/seam/braze.so"

local function open(name)
  return assert(package.loadlib(path, name))()
end

local seam = { core = open "luaopen_braze_core_spec" }
seam.clock = seam.core.clock

-- braze only for who asks: a second copy of the library, whose clients and errors are not those of require "braze".
-- What the other one left behind is collected before, and a spec file uses either this braze or require "braze".
return setmetatable(seam, {
  __index = function(self, name)
    if name ~= "braze" then return nil end
    collectgarbage()
    collectgarbage()
    self.braze = open "luaopen_braze"
    return self.braze
  end,
})
