-- The JSON of the command: what is read, where a mistake is, and what is written.

local braze = require "braze"
local cjson = require "cjson"
local json = require "braze.command.json"

describe("braze.command.json", function()
  it("reads what JSON has", function()
    for _, row in ipairs {
      { "1", 1 }, { "-0.5e1", -5 }, { "1E2", 100 }, { ' "a" ', "a" }, { "true", true }, { "false", false },
      { '"\\b\\f\\n\\r\\t\\"\\\\\\/"', '\b\f\n\r\t"\\/' }, { '"\\u0041\\u00e9\\u20ac"', "A\195\169\226\130\172" },
      { '"\\uD83D\\uDE00"', "\240\159\152\128" }, { '"\127"', "\127" }, { "null", braze.null },
      { '{"a":{"b":[1,{"c":2}]}}', { a = { b = { 1, { c = 2 } } } } },
    } do
      assert.same({ row[2] }, { json.decode(row[1]) })
    end
  end)

  it("knows an empty array from an empty object", function()
    assert.equal('{"a":[],"b":{}}', json.encode(json.decode '{"a": [], "b": {}}'))
  end)

  it("keeps whole numbers whole", function()
    assert.equal("[0,1,-1,12345678901234,1e+300]", json.encode(json.decode "[0,1.0,-1,12345678901234,1e300]"))
  end)

  it("says what is wrong, and where", function()
    for _, row in ipairs {
      { "", "a value is expected (column 1)" },
      { "{", "a name in double quotes is expected (column 2)" },
      { "{a:1}", "a name in double quotes is expected (column 2)" },
      { '{"a" 1}', '":" is expected (column 6)' },
      { '{"a":1', "an object that does not end (column 1)" },
      { '{"a":1,}', "a name in double quotes is expected (column 8)" },
      { '{"a":1 "b":2}', '"," or "}" is expected (column 8)' },
      { '{"a":1,"a":2}', '"a" is there twice (column 8)' },
      { "[1", "an array that does not end (column 1)" },
      { "[1 2]", '"," or "]" is expected (column 4)' },
      { "[1,]", "a value is expected (column 4)" },
      { "01", "a number that JSON does not have (column 1)" },
      { "1.", "a number that JSON does not have (column 1)" },
      { "-", "a number that JSON does not have (column 1)" },
      { "0x10", "a number that JSON does not have (column 1)" },
      { "NaN", "a value is expected (column 1)" },
      { '"a', "a string that does not end (column 1)" },
      { '"\\x"', "an unknown escape in a string (column 2)" },
      { '"\\u00g0"', "\\u without four hexadecimal digits (column 4)" },
      { '"\\ud800"', "half of a pair of \\u (column 2)" },
      { '"\\ud800\\u0041"', "half of a pair of \\u (column 2)" },
      { '"\\udc00"', "half of a pair of \\u (column 2)" },
      { '"a\nb"', "a control character in a string; write \\n for a new line (line 1, column 3)" },
      { "[1,\n 2,\n x]", "a value is expected (line 3, column 2)" },
      { "1 2", "something stands behind the end of the value (column 3)" },
      { ("["):rep(300), "more than 200 values inside one another (column 201)" },
    } do
      assert.same({ nil, row[2] }, { json.decode(row[1]) })
    end
  end)

  it("writes the names in order, on one line or on several", function()
    local value = { b = { 1, "x" }, a = { c = true }, d = braze.list {}, e = {} }
    assert.equal('{"a":{"c":true},"b":[1,"x"],"d":[],"e":{}}', json.encode(value))
    assert.equal('{\n  "a": {\n    "c": true\n  },\n  "b": [\n    1,\n    "x"\n  ],\n  "d": [],\n  "e": {}\n}',
      json.encode(value, "  "))
  end)

  it("writes every text so that it can be read again", function()
    for _, text in ipairs { "", "a\0b", '"\\/', "\1\31\127", "\195\164\226\130\172\240\159\152\128" } do
      assert.equal(text, cjson.decode(json.encode { text })[1])
    end
  end)

  it("writes what is no UTF-8 as U+FFFD", function()
    local replaced = "\239\191\189"
    for _, row in ipairs {
      { "a\255b", "a" .. replaced .. "b" }, { "\195", replaced }, { "\192\128", replaced:rep(2) },
      { "\237\160\128", replaced:rep(3) }, { "\244\144\128\128", replaced:rep(4) },
      { "\226\130x", replaced:rep(2) .. "x" },
    } do
      assert.equal('"' .. row[2] .. '"', json.encode(row[1]))
    end
  end)

  it("writes a fraction with as many digits as it has", function()
    assert.equal("[0.1,0.30000000000000004,-2.5]", json.encode { 0.1, 0.1 + 0.2, -2.5 })
    assert.equal("[null,null]", json.encode { 0 / 0, math.huge })
  end)

  it("writes a text that is JSON already as it is", function()
    assert.equal('{"a":{ "b" : 1 }}', json.encode { a = json.raw '{ "b" : 1 }' })
  end)
end)
