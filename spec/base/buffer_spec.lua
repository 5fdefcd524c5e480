-- buffer: bytes that grow up to a hard cap, on memory of their own or of the caller's.

local buffer = require("spec.support.test_build").core.buffer

-- What every buffer must be after anything: a C string as long as it says.
local function check(one, expected)
  local text, length, capacity, c_length = one:read()
  assert.equal(expected, text)
  assert.equal(#expected, length)
  assert.equal(#(expected:match "^[^%z]*"), c_length)
  assert.is_true(length == 0 or capacity > length)
end

describe("buffer.append", function()
  it("begins empty", function() check(buffer.new(10), "") end)

  it("takes up to the limit, byte for byte", function()
    for limit = 0, 9 do
      for length = 0, 10 do
        local one, text = buffer.new(limit), ("abcdefghij"):sub(1, length)
        assert.equal(length <= limit, one:append(text))
        check(one, text:sub(1, limit))
      end
    end
  end)

  it("keeps what fits of the piece that goes over, and nothing afterwards", function()
    local one = buffer.new(5)
    assert.is_true(one:append "abc")
    assert.is_false(one:append "defg")
    check(one, "abcde")
    assert.is_false(one:append "h")
    assert.is_true(one:append "")
    check(one, "abcde")
  end)

  it("grows over every size on the way to the limit", function()
    local one, expected = buffer.new(5000), {}
    for number = 1, 4999 do
      expected[number] = string.char(97 + number % 26)
      assert.is_true(one:append(expected[number]))
    end
    check(one, table.concat(expected))
    assert.is_true(one:append "!")
    assert.is_false(one:append "!")
    check(one, table.concat(expected) .. "!")
  end)

  it("takes at once what is longer than the first piece of memory", function()
    for _, length in ipairs { 255, 256, 257, 511, 512, 513, 100000 } do
      local one = buffer.new(1048576)
      assert.is_true(one:append(("x"):rep(length)))
      check(one, ("x"):rep(length))
    end
  end)

  it("takes NULs", function()
    local one = buffer.new(10)
    assert.is_true(one:append "a\0b")
    check(one, "a\0b")
  end)
end)

describe("buffer.reserve", function()
  it("makes room for just what was asked for, and keeps what is there", function()
    for _, kept in ipairs { 0, 1, 255, 256, 5000 } do
      for _, more in ipairs { 0, 1, 255, 256, 100000 } do
        local one, text = buffer.new(1000000), ("x"):rep(kept)
        one:append(text)
        local before = select(3, one:read())
        assert.is_true(one:reserve(more))
        check(one, text)
        local capacity = select(3, one:read())
        assert.equal(before > kept + more and before or kept + more + 1, capacity)
        assert.is_true(one:append(("y"):rep(more)))
        check(one, text .. ("y"):rep(more))
        assert.equal(capacity, (select(3, one:read())))
      end
    end
  end)

  it("gives an open one some more, and leaves the limit as it is", function()
    local one = buffer.new(5)
    one:open()
    assert.is_true(one:reserve(1000))
    check(one, "")
    assert.is_true((select(3, one:read())) > 1250)
    assert.is_false(one:append "abcdef")
    check(one, "abcde")
  end)
end)

describe("buffer.print", function()
  it("appends as printf does, below the limit", function()
    local one = buffer.new(12)
    assert.is_true(one:print("first", 1))
    assert.is_false(one:print("second", 2))
    check(one, "first=1secon")
  end)

  it("says that it cut a text that is too long for one print", function()
    local one = buffer.new(5000)
    assert.is_true(one:print(("x"):rep(1021), 1))
    check(one, ("x"):rep(1021) .. "=1")
    one:clear()
    assert.is_false(one:print(("x"):rep(1022), 1))
    check(one, ("x"):rep(1022) .. "=")
  end)
end)

describe("buffer.clear", function()
  it("keeps a small piece of memory and gives a large one back", function()
    local one = buffer.new(100000)
    one:append "abc"
    one:clear()
    check(one, "")
    assert.equal(256, (select(3, one:read())))
    one:append(("x"):rep(5000))
    assert.is_true((select(3, one:read())) > 4096)
    one:clear()
    check(one, "")
    assert.equal(0, (select(3, one:read())))
    assert.is_true(one:append "again")
    check(one, "again")
  end)
end)

describe("buffer.free", function()
  it("leaves a buffer that can be used, with the same limit", function()
    local one = buffer.new(5)
    one:append "abc"
    one:free()
    check(one, "")
    assert.equal(0, (select(3, one:read())))
    assert.is_false(one:append "abcdefg")
    check(one, "abcde")
    one:free()
    one:free()
    check(one, "")
  end)
end)

describe("buffer.borrow", function()
  it("cuts at its memory, less one byte for the NUL", function()
    for size = 1, 10 do
      local one = buffer.borrow(size)
      check(one, "")
      assert.equal(size > 5, one:append "abcde")
      check(one, ("abcde"):sub(1, size - 1))
      assert.equal(size, (select(3, one:read())))
    end
  end)

  it("stays where it is when it is cleared or freed", function()
    local one = buffer.borrow(8192)
    one:append(("x"):rep(8000))
    one:clear()
    check(one, "")
    assert.equal(8192, (select(3, one:read())))
    one:append "abc"
    one:free()
    check(one, "abc")
  end)
end)
