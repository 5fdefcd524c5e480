-- target: a text that is longer than there is room for ends where the room does.

local target = require("spec.support.test_build").core.target

describe("a target that is too long for its room", function()
  local room = 4095

  it("is cut, wherever in a pair the room ends", function()
    for left = 0, 12 do
      local path = "/" .. ("x"):rep(room - 1 - left)
      local written = target.query(path, "n m", "v/w")
      assert.equal((path .. "?n%20m=v%2Fw"):sub(1, #written), written)
      assert.is_true(#written <= room)
      assert.is_true(#written >= #path)
    end
  end)

  it("is cut where it is decoded", function()
    assert.equal(("x"):rep(room), target.query(("%78"):rep(room + 10)))
  end)
end)
