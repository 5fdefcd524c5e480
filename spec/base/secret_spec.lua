-- secret: what must never be seen is found in any text, however it is written there, and nothing else is touched.

local core = require("spec.support.test_build").core

local key = "0f1e2d3c-4b5a/6978+8796\"a5b4\\c3d2=e1f0"
local user, password = "proxy-user-name", "p%a:s@s word"

local function keep(secrets)
  local settings = core.settings.new()
  for which, text in pairs(secrets) do settings:set_secret(which, text) end
  return settings
end

local one = keep { api_key = key }
local all = keep { api_key = key, proxy_user = user, proxy_password = password }

-- Ways to write a character in a text.
local ways = {
  plain = function(character) return character end,
  ["JSON, the least"] = function(character) return (character:gsub('["\\]', "\\%0")) end,
  ["JSON, with the slash"] = function(character) return (character:gsub('["\\/]', "\\%0")) end,
  ["JSON, \\u00xx in lower case"] = function(character) return ("\\u%04x"):format(character:byte()) end,
  ["JSON, \\u00XX in upper case"] = function(character) return ("\\u%04X"):format(character:byte()) end,
  ["percent in upper case"] = function(character) return ("%%%02X"):format(character:byte()) end,
  ["percent in lower case"] = function(character) return ("%%%02x"):format(character:byte()) end,
  ["percent where a URL needs it"] = function(character)
    return (character:gsub("[^%w%-._~]", function(other) return ("%%%02X"):format(other:byte()) end))
  end,
}

local function write(text, way)
  return (text:gsub(".", way))
end

-- Redacts, and checks what is always true: whoever asks first whether there is something is told so rightly.
local function redact(settings, text)
  local safe, whole = settings:redact(text)
  assert.is_true(whole)
  assert.equal(safe ~= text, settings:found(text))
  return safe
end

describe("a whole secret", function()
  for name, way in pairs(ways) do
    it("is redacted, written as " .. name, function()
      local written = write(key, way)
      assert.equal("***", redact(one, written))
      assert.equal("before ***", redact(one, "before " .. written))
      assert.equal("*** behind", redact(one, written .. " behind"))
      assert.equal('{"message":"Invalid API key: ***"}', redact(one,
        '{"message":"Invalid API key: ' .. written .. '"}'))
      assert.equal("***", redact(one, written .. written))
      assert.equal("a***b***c", redact(one, "a" .. written .. "b" .. written .. "c"))
    end)

    it("is redacted beside the others, written as " .. name, function()
      for _, text in ipairs { key, user, password } do
        assert.equal("<***>", redact(all, "<" .. write(text, way) .. ">"))
      end
      assert.equal("***:***@host ***", redact(all, write(user, way) .. ":" .. write(password,
        way) .. "@host " .. write(key, way)))
    end)
  end

  it("is redacted with every character written in another way", function()
    local names = {}
    for name in pairs(ways) do names[#names + 1] = name end
    table.sort(names)
    local seed = 1
    for _ = 1, 500 do
      local written = key:gsub(".", function(character)
        seed = (seed * 16807) % 2147483647
        -- A plain backslash before an escape would read as an escaped backslash.
        if character == "\\" then return seed % 2 == 0 and "\\\\" or "%5c" end
        return ways[names[seed % #names + 1]](character)
      end)
      assert.equal("<***>", redact(one, "<" .. written .. ">"))
    end
  end)

  it("is redacted behind a beginning of itself", function()
    assert.equal("0f1e2***", redact(one, "0f1e2" .. key))
    assert.equal("***", redact(one, key:sub(1, 8) .. key))
    assert.equal("0f0f***", redact(one, "0f0f" .. key))
  end)

  it("may be short", function()
    local short = keep { api_key = "abc" }
    assert.equal("x***x***", redact(short, "xabcxabc"))
    assert.equal("xabxbc", redact(short, "xabxbc"))
    assert.equal("***", redact(keep { api_key = "x" }, "x"))
  end)

  it("of a proxy that is short is left in, for it stands in innocent text too", function()
    assert.equal('{"send_id":"x"}', redact(keep { proxy_user = "id", proxy_password = "send" }, '{"send_id":"x"}'))
    assert.equal("a *** b", redact(keep { proxy_password = "sesame" }, "a sesame b"))
  end)

  it("that is empty is none", function()
    assert.equal("any text", redact(keep { proxy_user = "" }, "any text"))
    assert.equal("any text", redact(keep {}, "any text"))
    assert.equal("", redact(all, ""))
  end)

  it("is found among NULs and bytes that are no text", function()
    assert.equal("\0\255***\0", redact(one, "\0\255" .. key .. "\0"))
  end)
end)

describe("a part of a secret", function()
  it("is redacted from eight characters on, wherever the rest is missing", function()
    for length = 1, #key - 1 do
      local part = key:sub(1, length)
      local text = "a key " .. part .. "! and more"
      assert.equal(length >= 8 and "a key ***! and more" or text, redact(one, text), length)
    end
  end)

  it("is redacted from four characters on where the text ends", function()
    for length = 1, #key - 1 do
      local text = "a key " .. key:sub(1, length)
      assert.equal(length >= 4 and "a key ***" or text, redact(one, text), length)
    end
  end)

  for name, way in pairs(ways) do
    it("is redacted at any cut of the text, written as " .. name, function()
      local written = write(key, way)
      for length = 1, #written do
        local safe = redact(one, "key " .. written:sub(1, length))
        local rest = safe:match "^key (.*)$"
        -- What is left is a mask, or so little that it tells nothing: at most three characters, and one more that
        -- was cut.
        assert.is_true(rest == "***" or #rest <= #write(key:sub(1, 4), way), length .. ": " .. safe)
        if length >= #write(key:sub(1, 4), way) then assert.equal("***", rest, length) end
      end
    end)
  end
end)

describe("what is no secret", function()
  it("stays as it is", function()
    for _, text in ipairs {
      "a plain message", key:sub(1, 7) .. "x", key:sub(2, 8) .. key:sub(12, 18), (key:sub(1, 7):gsub(".", "%0 "))
        .. "x",
      key:sub(-7), "\\", "%", "%3", "\\u", "\\u00", "a\\", "a%", "\\u0030f1e2dx", "%30f1e2dx", "\\u0030f1", "%30f1",
        "\\x30f1e2dx", "%zz%zz",
      "0\0f1e2d3x", "***", '{"message":"success","send_id":"0f1e2d3"}',
      "\\u01300f1x", "\\u30f1e2d3x",
    } do
      assert.equal(text, redact(one, text))
    end
  end)

  it("is every text of other letters", function()
    local seed = 7
    for _ = 1, 300 do
      local letters = {}
      for position = 1, 200 do
        seed = (seed * 16807) % 2147483647
        letters[position] = ("ghijklmnop%\\u/\" "):sub(seed % 16 + 1, seed % 16 + 1)
      end
      local text = table.concat(letters)
      assert.equal(text, redact(one, text))
    end
  end)
end)

describe("the output's limit", function()
  it("cuts, says so, and shows nothing of the secret", function()
    local text = "before " .. key .. " between " .. key .. " behind"
    local safe = "before *** between *** behind"
    for limit = 0, #safe + 5 do
      local cut, whole = one:redact(text, limit)
      assert.equal(safe:sub(1, limit), cut)
      assert.equal(limit >= #safe, whole)
    end
  end)
end)

describe("the key", function()
  it("is kept once, as the header that it is sent in", function()
    local read = one:read()
    assert.equal(key, read.api_key)
    assert.equal("Authorization: Bearer " .. key, read.authorization)
  end)

  it("is wiped", function()
    for count = 0, 8 do
      assert.equal(("\0"):rep(count) .. ("password"):sub(count + 1), core.secret.wipe("password", count))
    end
  end)
end)
