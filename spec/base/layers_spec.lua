-- layers: escapes that are none, or not yet: the key is found behind them, and what is no escape stands as it is.

local core = require("spec.support.test_build").core

local key = "0fa1b2c3-d4e5-46f7-8899-aabbccddeeff"
local settings = core.settings.new()
settings:set_secret("api_key", key)

local function redact(text) return (settings:redact(text)) end

describe("what looks like an escape", function()
  for name, text in pairs {
    ["a decimal entity with a letter in it"] = "&#1a;",
    ["an entity without digits"] = "&#;",
    ["a hexadecimal entity without digits"] = "&#X;",
    ["an entity beyond all characters"] = "&#99999999999;",
    ["a name that is none"] = "&ampere;",
    ["a name that breaks off"] = "&am ",
    ["a backslash before a NUL"] = "\\\0",
    ["a backslash before a character that is not ASCII"] = "\\\195\164",
    ["a backslash before an escaped one that is not ASCII"] = "\\\\u00e4",
    ["a backslash before a letter that means nothing"] = "\\q",
    ["a percent sign before other letters"] = "%zz",
    ["a percent sign before one digit"] = "%4z",
  } do
    it("is left as it stands, and hides nothing behind it: " .. name, function()
      assert.equal(text .. " <***> " .. text, redact(text .. " <" .. key .. "> " .. text))
      assert.equal(text, redact(text))
    end)
  end

  it("is the key's own character, however it is written", function()
    for _, written in ipairs { "&#x2d;", "&#X2D;", "&#45;", "\\u002d", "\\x2d", "%2d", "&amp;#45;", "\\u0026#45;" } do
      assert.equal("<***>", redact("<" .. key:gsub("%-", (written:gsub("%%", "%%%%"))) .. ">"), written)
    end
  end)

  it("may be the first byte of a character that the text's end has cut", function()
    for _, rest in ipairs { "\194", "\226", "\226\128", "\195", "\\u00ad", "&#173;", "\194\173 \195\164" } do
      assert.equal("<***>" .. rest, redact("<" .. key .. ">" .. rest), rest)
      assert.equal("%41 <***", redact("%41 <" .. key .. rest):sub(1, 8), rest)
    end
  end)

  -- The text may have been cut in the middle of an escape.
  it("is the end of the key where the text ends in it", function()
    for _, cut in ipairs { "&", "&#", "&#4", "&#x", "&am", "\\", "\\u", "\\u00", "%", "%2" } do
      assert.equal("<***", redact("<" .. key:sub(1, 8) .. cut):sub(1, 4), cut)
    end
  end)
end)

describe("a character without width", function()
  local shown = {}
  local function utf8_of(number)
    return string.char(0xE0 + math.floor(number / 4096), 0x80 + math.floor(number / 64) % 64, 0x80 + number % 64)
  end
  for _, number in ipairs { 0x200B, 0x200F, 0x2028, 0x202E, 0x2060, 0x2064, 0xFEFF } do
    shown[utf8_of(number)] = true
  end
  for _, number in ipairs { 0x200A, 0x2010, 0x2027, 0x202F, 0x205F, 0x2065, 0x2100, 0xFEFE, 0xFF00 } do
    shown[utf8_of(number)] = false
  end
  shown["\194\173"], shown["\194\172"] = true, false
  -- Not all of a character's bytes, or written as entities.
  shown["\194"], shown["\226\128"], shown["\226"], shown["\239\187"] = false, false, false, false
  shown["&#173;"], shown["&#8203;"], shown["&#8300;"] = true, true, false
  shown["\226&#8300;&#8300;"], shown["\226\128&#8300;"] = false, false

  it("hides no part of the key, and one with width parts it", function()
    for character, invisible in pairs(shown) do
      local text = "<" .. key:sub(1, 6) .. character .. key:sub(7, 12) .. ">"
      assert.equal(invisible and "<***>" or text, redact(text), character)
    end
  end)
end)
