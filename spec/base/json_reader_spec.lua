-- json_reader: JSON read and compared where there is no Lua, as the ledger needs it.

local json = require("spec.support.test_build").core.json

describe("json.is_valid", function()
  local good = {
    "{}", "[]", "null", "true", "false", "0", "-0", "10", "0.5", "1e5", "1E+5", "2.5e-3", '""', '"a"',
    ' [ 1 , { "a" : [ ] } ] \r\n\t',
    '"\\u00e9\\n\\/"', '{"a":1,"a":2}', ("["):rep(1000) .. ("]"):rep(1000),
  }
  for _, text in ipairs(good) do
    it("takes " .. text:sub(1, 30), function() assert.is_true(json.is_valid(text)) end)
  end

  local bad = {
    "", " ", "{", "[", "]", "{]", "[1,]", "[,1]", "[1 2]", '{"a"}', '{"a":}', '{"a":1,}', "{a:1}", "{1:1}", "01",
    "1.", ".5", "+1", "-", "1e", "1e+",
    "nul", "nulll", "True", "NaN", "Infinity", "'a'", '"a', '"\\x"', '"\\u12"', '"\\u12g4"', '"\\', '"a\nb"', "{}{}",
    "1 2", "\0", "{}\0", '"\\\0"',
    ("["):rep(1001) .. ("]"):rep(1001), ("["):rep(500000),
  }
  for _, text in ipairs(bad) do
    it("refuses " .. ("%q"):format(text:sub(1, 30)), function() assert.is_false(json.is_valid(text)) end)
  end
end)

describe("json.digest", function()
  it("is the same in whatever order an object has its members, and whatever blanks there are", function()
    local digest = json.digest '{"a":1,"b":{"c":[1,2],"d":null}}'
    assert.matches("^%x+$", digest)
    assert.equal(digest, json.digest ' { "b" : { "d":null, "c":[ 1 , 2 ] } , "a" : 1 } ')
  end)

  local different = {
    { "[1,2]", "[2,1]" }, { "[1,2]", "[12]" }, { "[[1],2]", "[1,[2]]" }, { "[[]]", "[]" }, { "[]", "{}" },
    { '["1"]', "[1]" }, { "null", "false" },
    { '{"a":1}', '{"a":2}' }, { '{"a":1}', '{"b":1}' }, { '{"a":1,"b":2}', '{"a":2,"b":1}' },
    { '{"a":{"b":1}}', '{"a":{},"b":1}' },
    { '{"a":1,"a":1}', "{}" }, { '[{"a":1}]', '{"a":[1]}' }, { '["a","b"]', '["a\\",\\"b"]' },
  }
  for _, pair in ipairs(different) do
    it("tells " .. pair[1] .. " from " .. pair[2], function()
      assert.is_truthy(json.digest(pair[1]))
      assert.is_truthy(json.digest(pair[2]))
      assert.not_equal(json.digest(pair[1]), json.digest(pair[2]))
    end)
  end

  it("is none of what is no JSON", function() assert.is_nil(json.digest "{") end)
end)

describe("json.member", function()
  it("is the value as it is written, and what a string stands for", function()
    local text, meant = json.member('{"x":{"message":1}, "message" : "a\\u00e9\\ud83d\\ude00\\"\\n" }', "message")
    assert.equal('"a\\u00e9\\ud83d\\ude00\\"\\n"', text)
    assert.equal('a\195\169\240\159\152\128"\n', meant)
    text, meant = json.member('{"a":[1,{"b":2}]}', "a")
    assert.equal('[1,{"b":2}]', text)
    assert.is_nil(meant)
  end)

  it("is found by what its name stands for, and the last of several", function()
    assert.equal("2", (json.member('{"\\u0061":1,"a":2}', "a")))
    assert.equal("1", (json.member('{"\\u0061":1}', "a")))
  end)

  for _, text in ipairs { "", "[]", '"a"', '{"b":1}', '{"a"', '{"a":', '{"a":}', '{"a" 1}', "{" } do
    it("is none in " .. text, function() assert.is_nil((json.member(text, "a"))) end)
  end
end)

describe("json.number", function()
  for text, number in pairs { ["0"] = 0, ["12"] = 12, ["-3"] = -3, ["1.25"] = 1.25, ["1764115200.5"] = 1764115200.5 } do
    it("reads " .. text, function() assert.equal(number, json.number(text)) end)
  end
  for _, text in ipairs { "", "a", "1a", "1.2.3", "null", '"1"' } do
    it("takes " .. text .. " for absent", function() assert.equal(-0.5, json.number(text)) end)
  end
end)

describe("json.write_string", function()
  it("writes what is read as the same", function()
    for byte = 0, 127 do
      local written = json.write_string("a" .. string.char(byte) .. "b")
      local _, meant = json.member('{"a":' .. written .. "}", "a")
      assert.equal("a" .. string.char(byte) .. "b", meant)
    end
  end)

  it("puts U+FFFD where a byte is no UTF-8", function()
    assert.equal('"a\239\191\189b\239\191\189"', json.write_string "a\255b\128")
  end)

  it("writes nothing that does not fit", function() assert.is_nil(json.write_string(("x"):rep(5000))) end)
end)
