-- json: strings and numbers as JSON has them.

local core = require("spec.support.test_build").core
local buffer, number = core.buffer, core.json.number
local cjson = require "cjson"

local function written(text, limit)
  local one = buffer.new(limit or 1000000, true)
  local taken, bad = one:string(text)
  return (one:read()), taken, bad
end

describe("json: a string", function()
  it("of each byte alone and at each place among plain ones is what a reader reads", function()
    for byte = 0, 127 do
      local character = string.char(byte)
      for length = 0, 17 do
        local text = ("a"):rep(length) .. character .. ("b"):rep(17 - length)
        local json, taken, bad = written(text)
        assert.is_true(taken)
        assert.equal(0, bad)
        assert.equal(text, cjson.decode("[" .. json .. "]")[1])
        local plain = byte >= 32 and byte ~= 127 and character ~= '"' and character ~= "\\"
        assert.equal(plain, json == '"' .. text .. '"', byte)
      end
    end
  end)

  it("has the short escapes where there are some, and no control character as it is", function()
    assert.equal([["\b\f\n\r\t\"\\\u0000\u001f\u007f/"]], (written "\b\f\n\r\t\"\\\0\31\127/"))
  end)

  it("of characters of two to four bytes is left as it is", function()
    for _, character in ipairs {
      "\194\128", "\223\191", "\224\160\128", "\237\159\191", "\239\191\191", "\244\143\191\191",
    } do
      for length = 0, 9 do
        local text = ("a"):rep(length) .. character .. ("b"):rep(9 - length) .. "\n" .. character
        local json, taken, bad = written(text)
        assert.is_true(taken)
        assert.equal(0, bad)
        assert.equal('"' .. text:gsub("\n", "\\n") .. '"', json)
      end
    end
  end)

  it("that is not UTF-8 is refused, with the place", function()
    local wrong = {
      "\128", "\192\128", "\193\191", "\224\159\191", "\237\160\128", "\240\143\191\191", "\244\144\128\128",
      "\245\128\128\128", "\255", "\194", "\226\130", "\240\159\166",
    }
    for _, bytes in ipairs(wrong) do
      for length = 0, 9 do
        local _, taken, bad = written(("a"):rep(length) .. bytes)
        assert.is_false(taken)
        assert.equal(length + 1, bad)
      end
    end
    local _, _, bad = written "ok\n\195\164\195"
    assert.equal(6, bad)
  end)

  it("is taken up to the limit, whatever it needs", function()
    for _, text in ipairs { "", "abc", "a\nb", "\1", "\1\2\"x", "\195\164" } do
      local whole = (written(text))
      for limit = 0, #whole + 1 do
        local part, taken, bad = written(text, limit)
        assert.equal(limit >= #whole, taken, text .. limit)
        assert.equal(0, bad)
        assert.is_true(#part <= limit)
        if taken then assert.equal(whole, part) else assert.equal(limit, #part) end
      end
    end
  end)
end)

describe("json: a number", function()
  it("has no more digits than it needs, and reads as the same number", function()
    local rows = {
      { 0, "0" }, { 1, "1" }, { -1, "-1" }, { 10, "10" }, { 99999999999999, "99999999999999" },
      { -99999999999999, "-99999999999999" }, { 1e14, "1e+14" }, { 0.5, "0.5" }, { -0.5, "-0.5" }, { 12.25, "12.25" },
      { 0.0001, "0.0001" }, { 0.001, "0.001" }, { 0.01, "0.01" }, { 100.5, "100.5" },
      { 1234567890.1234, "1234567890.1234" },
      { 0.00001, "1e-05" }, { 19.99, "19.99" }, { 1e300, "1e+300" }, { 2 ^ 53, nil }, { 0.1 + 0.2, nil },
      { 1 / 3, nil }, { 123456789012345, nil }, { 1e15, "1e+15" }, { -2.5e-7, "-2.5e-07" },
      { 9999999999.9999, "9999999999.9999" },
    }
    for _, row in ipairs(rows) do
      assert.equal(row[2], number(row[1]), tostring(row[1]))
      if row[2] then assert.equal(row[1], tonumber(row[2])) end
    end
  end)

  it("is written as printf does it, with or without its help", function()
    local seed = 20261126
    for _ = 1, 20000 do
      seed = (seed * 1103515245 + 12345) % 2147483648
      local digits, scale = seed % 1000000007, 10 ^ (seed % 9)
      local value = (seed % 2 == 0 and -1 or 1) * digits / scale
      local expected = ("%.14g"):format(value)
      local text = number(value)
      assert.equal(tonumber(expected) == value, text ~= nil)
      if text then assert.equal(value, tonumber(text)) end
      if text and value ~= 0 then assert.equal(expected, text) end
    end
  end)
end)

describe("json: an open buffer", function()
  it("grows in small steps, and holds what came in", function()
    for _, add in ipairs { "append", "add" } do
      local one, expected = buffer.new(1000000, true), {}
      for count = 1, 3000 do
        expected[count] = ("%d,"):format(count)
        assert.is_true(one[add](one, expected[count]))
      end
      local text, length, capacity = one:read()
      assert.equal(table.concat(expected), text)
      assert.is_true(capacity > length and capacity <= length * 1.25 + 512)
      one:free()
      assert.equal("", (one:read()))
      assert.is_true(one:append "again")
      assert.equal("again", (one:read()))
    end
  end)

  it("takes single bytes up to its limit", function()
    for _, limit in ipairs { 0, 1, 5 } do
      local one = buffer.new(limit, true)
      assert.equal(limit >= 5, one:add "abcde")
      assert.is_false(one:add "x")
      assert.equal(("abcde"):sub(1, limit), (one:read()))
    end
  end)
end)
