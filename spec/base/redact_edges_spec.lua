-- redact: the caller's own text, which may begin as the key does and then stays as it is, however it looks.

local core = require("spec.support.test_build").core

local key = "0fa1b2c3-d4e5-46f7-8899-aabbccddeeff"
local settings = core.settings.new()
settings:set_secret("api_key", key)

local function redact(text, own) return (settings:redact(text, nil, own)) end

describe("the caller's own text", function()
  local part = key:sub(1, 12)

  it("stays, also where it looks as if it were escaped", function()
    for _, own in ipairs {
      part .. "-mine", part .. "\\u0041", "\\n" .. part, "%41" .. part, part .. "\\", part .. "&#65;",
    } do
      assert.equal("<" .. own .. ">", redact("<" .. own .. ">", own), own)
      assert.equal(own, redact(own, own), own)
      assert.equal("<***> <" .. own .. ">", redact("<" .. key .. "> <" .. own .. ">", own), own)
    end
  end)

  it("stays where a JSON text has it escaped", function()
    local own = part .. '"mine\\'
    assert.equal('"' .. part .. '\\"mine\\\\"', redact('"' .. part .. '\\"mine\\\\"', own))
  end)

  it("is masked where only a part of it is there, or more than it", function()
    local own = part .. "-mine"
    assert.equal("<***>", redact("<" .. part .. ">", own))
    assert.equal("<***", redact("<" .. part, own))
    assert.equal("<***-min>", redact("<" .. part .. "-min>", own))
    assert.equal("<***>", redact("<" .. key .. ">", own))
  end)

  it("is masked where it holds the whole key", function()
    assert.equal("<x***y>", redact("<x" .. key .. "y>", "x" .. key .. "y"))
  end)
end)
