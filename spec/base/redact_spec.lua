-- redact: a run of eight characters of a secret is found in a text, wherever in the secret it is from and however often
-- the text was encoded.

local core = require("spec.support.test_build").core

local key = "0fa1b2c3-d4e5-46f7-8899-aabbccddeeff"
local settings = core.settings.new()
settings:set_secret("api_key", key)

-- Redacts, and checks what is always true: whoever asks first whether there is something is told so rightly.
local function redact(text)
  local safe, whole = settings:redact(text)
  assert.is_true(whole)
  assert.equal(safe ~= text, settings:found(text))
  return safe
end

local function each_as(format)
  return function(text) return (text:gsub(".", function(letter) return format:format(letter:byte()) end)) end
end

local json, percent, decimal = each_as "\\u%04x", each_as "%%%02X", each_as "&#%d;"

local function base64(text)
  local digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  return (text:gsub("..?.?", function(three)
    local one, two, last = three:byte(1, 3)
    local number = one * 65536 + (two or 0) * 256 + (last or 0)
    local written = {}
    for position = 1, #three + 1 do
      local digit = math.floor(number / 64 ^ (4 - position)) % 64 + 1
      written[position] = digits:sub(digit, digit)
    end
    return table.concat(written) .. ("="):rep(3 - #three)
  end))
end

describe("a run of the key's characters", function()
  it("is masked from eight on, wherever in the key it is from", function()
    for first = 1, #key do
      for last = first, #key do
        local text = "<" .. key:sub(first, last) .. ">"
        assert.equal(last - first >= 7 and "<***>" or text, redact(text), first .. " to " .. last)
      end
    end
  end)

  it("is one with characters of no width inside, and two short ones with any other inside", function()
    local function utf8_of(number)
      local last, middle = 0x80 + number % 64, math.floor(number / 64) % 64
      if number < 0x800 then return string.char(0xC0 + middle, last) end
      return string.char(0xE0 + math.floor(number / 4096), 0x80 + middle, last)
    end
    local ways = { utf8_of }
    for _, format in ipairs { "\\u%04x", "&#x%x;", "&#%d;" } do
      ways[#ways + 1] = function(number) return format:format(number) end
    end
    for _, range in ipairs {
      { 0xAD, 0xAD }, { 0x200B, 0x200F }, { 0x2028, 0x202E }, { 0x2060, 0x2064 }, { 0xFEFF, 0xFEFF },
    } do
      for number = range[1] - 1, range[2] + 1 do
        local hidden = number >= range[1] and number <= range[2]
        for way, write in ipairs(ways) do
          local text = "<" .. key:sub(1, 4) .. write(number) .. key:sub(5, 8) .. ">"
          assert.equal(hidden and "<***>" or text, redact(text), ("%x, %d"):format(number, way))
        end
      end
    end
  end)

  it("is masked in each of its parts where something stands between them", function()
    assert.equal("***!***", redact(key:sub(1, 18) .. "!" .. key:sub(19)))
    assert.equal('["***","***"]', redact('["' .. key:sub(1, 9) .. '","' .. key:sub(10) .. '"]'))
  end)

  -- Where the text ends, "&", "%" or a backslash may begin an escape that was cut off; it may be the key's own, too.
  it("is masked where it ends with what may begin an escape, and the text ends there", function()
    for _, last in ipairs { "&", "%", "\\" } do
      local odd = core.settings.new()
      odd:set_secret("api_key", "first-part" .. last .. "second-part")
      assert.equal("<***", (odd:redact("<\\u0073t-part" .. last)), last)
    end
  end)

  it("is masked in any case", function()
    assert.equal("<***>", redact("<" .. key:upper() .. ">"))
    assert.equal("<***>", redact("<" .. key:sub(5, 20):upper() .. key:sub(21) .. ">"))
  end)

  local ways = {
    ["JSON's escapes"] = json, ["a URL's"] = percent, ["HTML's, decimal"] = decimal,
      ["HTML's, hexadecimal"] = each_as "&#x%x;",
    ["escapes as \\x30"] = each_as "\\x%02x", ["base64"] = base64,
      ["base64 behind a byte"] = function(text) return base64("x" .. text) end,
    ["base64 behind two"] = function(text) return base64("xy" .. text) end,
    ["JSON in JSON"] = function(text) return (json(text):gsub("\\", "\\\\")) end,
    ["JSON in JSON in JSON"] = function(text) return (json(text):gsub("\\", "\\\\\\\\")) end,
    ["a URL in a URL"] = function(text) return (percent(text):gsub("%%", "%%25")) end,
    ["a URL in JSON"] = function(text) return (percent(text):gsub("%%", "\\u0025")) end,
    ["JSON in a URL in JSON"] = function(text) return (percent(json(text)):gsub("%%", "\\u0025")) end,
    ["HTML in JSON"] = function(text) return (decimal(text):gsub("&", "\\u0026")) end,
    ["HTML in HTML"] = function(text) return (decimal(text):gsub("&", "&amp;")) end,
    ["lines of seven"] = function(text) return (text:gsub(".......", "%0\n")) end,
    ["lines of seven in JSON"] = function(text) return (text:gsub(".......", "%0\\n")) end,
    ["UTF-16"] = function(text) return (text:gsub(".", "%0\0")) end,
    ["parts with soft hyphens"] = function(text) return (text:gsub("....", "%0\194\173")) end,
    ["parts with JSON's soft hyphens"] = function(text) return (text:gsub("....", "%0\\u00ad")) end,
    ["parts with a URL's soft hyphens"] = function(text) return (text:gsub("....", "%0%%C2%%AD")) end,
    ["parts with spaces of no width"] = function(text) return (text:gsub("....", "%0\226\128\139")) end,
  }
  for name, way in pairs(ways) do
    it("is masked as " .. name, function()
      for _, text in ipairs { key, key:sub(2), key:sub(1, -2), key:sub(9), key:upper() } do
        if text ~= key:upper() or not name:find "base64" then
          local safe = redact('{"message":"' .. way(text) .. '!"}')
          -- Of base64 a digit or two at either end tell nothing; what is passed over may stand at the end.
          local rest = safe:match '^{"message":"(.*)!"}$'
          assert.is_truthy(rest, safe)
          assert.is_truthy(rest:find("***", 1, true), safe)
          local shown = rest:gsub("%*", ""):gsub("\194\173", ""):gsub("\226\128\139", ""):gsub("%%C2%%AD",
            ""):gsub("\\u00ad", ""):gsub("\\n", "")
          assert.is_true(#shown <= 6, safe)
        end
      end
    end)
  end

  it("is masked behind what only begins like a character without width", function()
    for _, before in ipairs { "\226", "\226\0", "\226\128", "\194", "\239\187", "\\u20" } do
      assert.equal(before .. "***!", redact(before .. percent(key) .. "!"))
      local short = core.settings.new()
      short:set_secret("api_key", "-")
      assert.equal(before .. "***!", (short:redact(before .. "%2D!")))
    end
  end)

  it("of seven stays, however it is written", function()
    for name, way in pairs(ways) do
      local text = "<" .. way(key:sub(10, 16)) .. ">"
      if not name:find "base64" then assert.equal(text, redact(text), name) end
    end
  end)

  it("is found in time that grows with the text alone", function()
    for _, text in ipairs { "\\", "%", "&#", "%25", "\\u005c", "&amp;", "\\\\u", "\226\128", "&#x0000000" } do
      local long = text:rep(math.floor(100000 / #text))
      assert.equal(long, redact(long), text)
    end
  end)
end)

-- What is quickly told to hold nothing (src/base/sieve.c) is read in words of eight bytes.
describe("where a run stands among the words of a text", function()
  local fillers = { "z", "Z", "\195\188", "\230\151\165" }

  it("does not matter", function()
    for before = 0, 17 do
      for behind = 0, 9 do
        for first = 1, #key - 7 do
          local run = key:sub(first, first + 7)
          local text = ("z"):rep(before) .. run .. ("z"):rep(behind)
          if not settings:found(text) then error("not found: " .. text) end
        end
      end
    end
  end)

  it("does not matter beside any other character, or in capitals", function()
    for _, filler in ipairs(fillers) do
      for before = 0, 9 do
        local front, run = filler:rep(before), key:sub(5, 12)
        assert.equal(front .. "***" .. filler, redact(front .. run .. filler))
        assert.equal(front .. "***" .. filler, redact(front .. run:upper() .. filler))
      end
    end
  end)

  it("does not matter where it is broken into lines", function()
    for before = 0, 9 do
      for broken = 1, 7 do
        for _, gap in ipairs { "\n", " ", "\0", "\127", (" "):rep(8) } do
          local run = key:sub(9, 8 + broken) .. gap .. key:sub(9 + broken, 16)
          assert.equal(("z"):rep(before) .. "***z", redact(("z"):rep(before) .. run .. "z"))
        end
      end
    end
  end)

  it("does not matter at the end, where four characters may be what is left of a key that was cut off", function()
    for before = 0, 17 do
      for part = 4, 7 do
        local text = ("z"):rep(before) .. key:sub(1, part)
        assert.equal(("z"):rep(before) .. "***", redact(text))
        assert.equal(text .. "z", redact(text .. "z"))
      end
    end
  end)

  it("does not matter behind what is passed over", function()
    for before = 0, 17 do
      for behind = 0, 17 do
        local text = "z\nz" .. ("z"):rep(before) .. key:sub(9, 16) .. ("z"):rep(behind)
        if not settings:found(text) then error("not found: " .. text) end
      end
    end
  end)

  it("does not matter where it is in parts of three with something of no width between them", function()
    for _, gap in ipairs { "\194\173", "\226\128\139", "\239\187\191", "\\u00ad", "%C2%AD", "&#xad;" } do
      for before = 0, 9 do
        local parts = { key:sub(9, 11), key:sub(12, 14), key:sub(15, 16) }
        assert.equal(("z"):rep(before) .. "***z", redact(("z"):rep(before) .. table.concat(parts, gap) .. "z"))
      end
    end
  end)

  it("does not matter with what stands beside the letters in ASCII", function()
    local odd = core.settings.new()
    odd:set_secret("api_key", "@AZ[`az{/09:!~-.")
    for before = 0, 9 do
      for first = 1, 9 do
        local run = ("@AZ[`az{/09:!~-."):sub(first, first + 7)
        assert.equal(("x"):rep(before) .. "***x", (odd:redact(("x"):rep(before) .. run .. "x")))
      end
    end
  end)
end)

describe("what only looks like an escape in front of a secret", function()
  -- The key's first two characters are hexadecimal digits, so "%" before them makes an escape of them: seven are left.
  local hidden = "51c-efghi"
  local odd = core.settings.new()
  odd:set_secret("api_key", hidden)

  for _, before in ipairs { "%", "%%", "\\x", "&#x", "%25", "\\u00", "%2525" } do
    it("hides nothing of it: " .. before, function()
      for _, rest in ipairs { "c-efghi", "c-%65fghi", "c-efg\\u0068i", "c&#45;efghi" } do
        local shown = odd:redact("a " .. before .. "51" .. rest .. " z")
        assert.is_nil(shown:find("fg", 1, true), shown)
        assert.matches("%*%*%*", shown)
      end
    end)
  end
end)

describe("what the caller gave himself", function()
  local function redact_with(own, text)
    return (settings:redact(text, 1000, own))
  end

  it("stays where all of it stands, and nowhere else", function()
    local own = "mine-" .. key:sub(1, 12)
    assert.equal('{"send_id":"' .. own .. '"}', redact_with(own, '{"send_id":"' .. own .. '"}'))
    assert.equal(own .. own, redact_with(own, own .. own))
    assert.equal("m***", redact_with(own, "m" .. key:sub(1, 12)))
    assert.equal(own:sub(1, 10) .. "***", redact_with(own, own .. key:sub(13, 13)))
    assert.equal("*** " .. own .. " ***", redact_with(own, key .. " " .. own .. " " .. key))
    assert.equal("***.", redact_with("", key .. "."))
    assert.equal("***.", redact_with("0", key .. "."))
  end)

  it("stays as JSON writes it", function()
    local own = 'a/"\\' .. key:sub(1, 12) .. "\n"
    for _, written in ipairs { own, (own:gsub("[\\\"]", "\\%0"):gsub("\n", "\\n")), (own:gsub("[\\\"/]",
      "\\%0"):gsub("\n", "\\n")), json(own) } do
      assert.equal('{"send_id":"' .. written .. '"}', redact_with(own, '{"send_id":"' .. written .. '"}'))
    end
  end)

  it("does not stay where it has the whole key in it", function()
    assert.equal("x***", redact_with("x" .. key, "x" .. key))
    assert.equal("***", redact_with(key, key))
  end)
end)
