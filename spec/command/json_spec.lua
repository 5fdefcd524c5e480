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

  it("refuses a number that would lose digits, with the number", function()
    for _, number in ipairs {
      "123456789012345", "-9007199254740993", "12345678901234567890", "0.10000000000000000001", "1.00000000000000001e5",
      "1e400", "1e-400", "3e-324",
    } do
      assert.same({ nil, number .. " would lose digits; give it as a string, or round it" },
        { json.decode(('{"a":[1,%s]}'):format(number)) })
    end
    for _, text in ipairs { '"123456789012345"', '{"123456789012345":1}', '"\\"123456789012345"', '"\\\\"' } do
      assert.equal(text, json.encode(json.decode(text)))
    end
    assert.equal("[0.5,0,1e+300]", json.encode(json.decode "[0.50000000000000000000,0.00000000000000000000,1e300]"))
  end)

  it("says what is wrong, and where", function()
    for _, row in ipairs {
      { "", "Expected value at line 1, column 1" },
      { "{", "Expected object key string at line 1, column 2" },
      { "{a:1}", "Expected object key string but found invalid token at line 1, column 2" },
      { '{"a" 1}', "Expected colon at line 1, column 6" },
      { '{"a":1', "Expected comma or object end at line 1, column 7" },
      { '{"a":1,}', "Expected object key string at line 1, column 8" },
      { '{"a":1 "b":2}', "Expected comma or object end at line 1, column 8" },
      { '{"a":1,"a":2}', '"a" is there twice in one object' },
      { '[{"b":{"a":false,"c":1,"a":null}}]', '"a" is there twice in one object' },
      { "[1", "Expected comma or array end at line 1, column 3" },
      { "[1 2]", "Expected comma or array end at line 1, column 4" },
      { "[1,]", "Expected value at line 1, column 4" },
      { "[1,\n 2,\n x]", "Expected value but found invalid token at line 3, column 2" },
      { "1 2", "Expected the end at line 1, column 3" },
      { "{}\0{}", "it has a zero byte, so it is no text" },
      { ("["):rep(300), "Found too many nested data structures (201) at line 1, column 201" },
    } do
      assert.same({ nil, row[2] }, { json.decode(row[1]) })
    end
  end)

  it("refuses what is no JSON, although dkjson would take some of it", function()
    for _, text in ipairs {
      "01", "-", "0x10", "NaN", ".5", "+1", '"a', '"\\x"', '"\\u00g0"', '"\\ud800"', '"\\ud800\\u0041"', '"\\udc00"',
      "// no\n1", "/* no */1", "\239\187\1911", "{1:2}", "{1}", '["a":1]',
    } do
      local value, wrong = json.decode(text)
      assert.is_nil(value, text)
      assert.matches("at line %d, column %d+$", wrong)
    end
  end)

  it("writes the names in order, on one line or on several", function()
    local value = { b = { 1, "x" }, a = { c = true }, d = braze.list {}, e = {} }
    assert.equal('{"a":{"c":true},"b":[1,"x"],"d":[],"e":{}}', json.encode(value))
    assert.equal('{\n  "a":{\n    "c":true\n  },\n  "b":[1,"x"],\n  "d":[],\n  "e":{\n  }\n}', json.encode(value, true))
  end)

  it("writes every text so that it can be read again", function()
    for _, text in ipairs { "", "a\0b", '"\\/', "\1\31\127", "\195\164\226\130\172\240\159\152\128" } do
      assert.equal(text, cjson.decode(json.encode { text })[1])
    end
  end)

  it("writes bytes that are no UTF-8 as they are", function()
    assert.equal('"a\255b"', json.encode "a\255b")
  end)

  it("writes names that look like those of an array as an object", function()
    assert.equal('{"n":3}', json.encode { n = 3 })
    assert.equal('{"n":0.5}', json.encode { n = 0.5 })
    assert.equal('{"1.5":"x"}', json.encode { [1.5] = "x" })
    assert.equal('{"3":"x"}', json.encode { [3] = "x" })
  end)

  it("writes null for what JSON does not have", function()
    assert.equal('{"a":null,"b":[null,1]}', json.encode { a = braze.null, b = { print, 1 } })
    assert.equal("null", json.encode(nil))
  end)

  it("writes a fraction with as many digits as it has", function()
    assert.equal("[0.1,0.30000000000000004,-2.5]", json.encode { 0.1, 0.1 + 0.2, -2.5 })
    assert.equal(2 ^ 60, cjson.decode(json.encode { 2 ^ 60 })[1])
    assert.equal("[null,null]", json.encode { 0 / 0, math.huge })
  end)

  it("writes a text that is JSON already as it is", function()
    assert.equal('{"a":{ "b" : 1 }}', json.encode { a = json.raw '{ "b" : 1 }' })
  end)
end)
