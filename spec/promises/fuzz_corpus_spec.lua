-- The corpus of spec/proof/fuzz, replayed on the objects of the build under test: what was found once stays found.

local build = assert(os.getenv "BRAZE_BUILD", "BRAZE_BUILD names the directory of the build under test")

local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1; echo status $?"))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

describe("the fuzz corpus", function()
  for _, target in ipairs { "response", "settings", "answer" } do
    it("holds of " .. target .. " nothing that breaks a claim", function()
      local output = run(("spec/proof/fuzz/replay %s '%s'"):format(target, build))
      local count = tonumber(output:match "(%d+) files\nstatus 0\n$")
      assert.is_truthy(count and count > 0, output:sub(-2000))
    end)
  end
end)
