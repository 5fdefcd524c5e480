-- redact: the caller's own text, which may begin as the key does and then stays as it is, however it looks; and the
-- edges of what is a secret's: a text's end, bytes that are no UTF-8, a key that looks like an escape.

local core = require("spec.support.test_build").core

local key = "0fa1b2c3-d4e5-46f7-8899-aabbccddeeff"
local settings = core.settings.new()
settings:set_secret("api_key", key)

local function with(secrets)
  local other = core.settings.new()
  for which, text in pairs(secrets) do other:set_secret(which, text) end
  return other
end

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
    assert.equal("<mi***e-o***ly>", (with { api_key = "n" }:redact("<mine-only>", nil, "mine-only")))
  end)

  it("stays from eight characters on", function()
    assert.equal("<" .. key:sub(1, 8) .. ">", redact("<" .. key:sub(1, 8) .. ">", key:sub(1, 8)))
    local proxy = with { proxy_password = "sesame" }
    assert.equal("<***1>", (proxy:redact("<sesame1>", nil, "sesame1")))
    assert.equal("<sesame12>", (proxy:redact("<sesame12>", nil, "sesame12")))
  end)

  it("stays in each place, escaped in one and plain in the next", function()
    local own = "mine-" .. part
    local text = own:gsub("%-", "\\u002d") .. " " .. own
    assert.equal(text, redact(text, own))
  end)

  -- At the escape two readings part: one of them leaves the own text, the other one does not.
  it("stays up to where another part of the key begins inside of an escape of it", function()
    local odd = with { api_key = "b2c3-d4e5-2dd4e5zz" }
    assert.equal("b2c3%***", (odd:redact("b2c3%2Dd4e5zz", nil, "b2c3%2Dd4e5")))
    odd = with { api_key = "b2c3-d4e5-f6g7.2df6g7zz" }
    assert.equal("b2c3-d4e5%***", (odd:redact("b2c3-d4e5%2Df6g7zz", nil, "b2c3-d4e5%2Df6g7")))
  end)
end)

describe("a text's end, where a secret may be cut", function()
  it("may have what is passed over behind the secret", function()
    for _, passed in ipairs { " ", "%20", "\\n", "\194\173", "\226\128\139", "\\u00ad", "%C2%AD", "&#xad;" } do
      assert.equal("<***", redact("<" .. key:sub(1, 5) .. passed), passed)
      assert.equal("<***", redact("<" .. key:sub(1, 4) .. "\\u0062" .. passed), passed)
    end
  end)

  it("may have what only looks like an escape in front of the secret", function()
    local odd = with { api_key = "51c-efghi" }
    assert.equal("a %***", (odd:redact "a %51c-%65"))
    assert.equal("a %51c", (odd:redact "a %51c"))
    assert.equal("a %51%63-z", (odd:redact "a %51%63-z"))
  end)
end)

describe("a run of the key's characters", function()
  local first, second = key:sub(1, 4), key:sub(5, 8)

  it("is two short ones with bytes between them that are no UTF-8", function()
    for _, between in ipairs { "\226@\139", "\226\128K", "\226\\u0180\139", "\226\128\\u018b", "\194", "\239\187" } do
      local text = "<" .. first .. between .. second .. ">"
      assert.equal(text, redact(text), text)
    end
    local text = "\226 <0fa1b2\128\139c3>"
    assert.equal(text, redact(text))
  end)

  it("is masked where the key itself looks as if it were escaped", function()
    local odd = with { api_key = "ab%41cd%42ef" }
    assert.equal("<***>", (odd:redact "<ab%41cd%42ef>"))
    assert.equal("<***>", (odd:redact "<ab%2541cd%2542ef>"))
    assert.equal("<***>", (odd:redact "<ab%41c\194\173d%42ef>"))
  end)

  it("stays where more than four layers of escapes hide it", function()
    local text = "<" .. key:sub(1, 8):gsub(".", function(letter) return ("%%%02X"):format(letter:byte()) end) .. ">"
    for _ = 1, 3 do text = text:gsub("%%", "%%25") end
    assert.equal("<***>", redact(text))
    text = text:gsub("%%", "%%25")
    assert.equal(text, redact(text))
  end)
end)

describe("a text that is longer than its limit", function()
  it("is cut, and says so", function()
    for limit, shown in pairs { [2] = "<a", [4] = "<a b", [6] = "<a b**", [7] = "<a b***" } do
      local safe, whole = settings:redact("<a b" .. key .. ">", limit)
      assert.equal(shown, safe)
      assert.is_false(whole)
    end
    local safe, whole = settings:redact("<a b" .. key .. ">", 8)
    assert.equal("<a b***>", safe)
    assert.is_true(whole)
  end)
end)
