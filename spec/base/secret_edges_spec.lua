-- secret: keys that repeat themselves, and where a text begins and ends with parts of one.

local core = require("spec.support.test_build").core

local function with(key, more)
  local settings = core.settings.new()
  settings:set_secret("api_key", key)
  for name, text in pairs(more or {}) do settings:set_secret(name, text) end
  return settings
end

-- In the words of the core: parts too, as everywhere but in an answer that is a success.
local function redact(settings, text)
  return (settings:redact(text))
end

describe("a key that repeats itself", function()
  it("is hidden where its own beginning stands before it", function()
    local key = "aaaaaaaab"
    for count = 0, 20 do
      assert.equal("***", redact(with(key), ("a"):rep(count) .. key), count)
    end
    assert.equal("x***y", redact(with(key), "xaaaaaaaaaaaaby"))
  end)

  it("is hidden where one overlaps another", function()
    local key = "abcdefghabcd"
    assert.equal("***", redact(with(key), "abcdefghabcdefghabcd"))
    assert.equal("-***-", redact(with(key), "-abcdefghabcdefghabcdefghabcd-"))
    assert.equal("***z", redact(with(key), key .. key .. "z"))
  end)

  it("is hidden by the longer of two secrets that overlap", function()
    local settings = with("abcdefghij", { proxy_password = "ghijklmnop" })
    assert.equal("<***>", redact(settings, "<abcdefghijklmnop>"))
  end)
end)

describe("a text", function()
  local key = "0123456789abcdef"

  it("is hidden from its last four letters on that begin a key", function()
    local settings = with(key)
    for count = 0, 3 do assert.equal("x" .. key:sub(1, count), redact(settings, "x" .. key:sub(1, count)), count) end
    for count = 4, 16 do assert.equal("x***", redact(settings, "x" .. key:sub(1, count)), count) end
  end)

  it("is hidden in its midst from eight letters on", function()
    local settings = with(key)
    for count = 0, 7 do assert.equal(key:sub(1, count) .. ".", redact(settings, key:sub(1, count) .. "."), count) end
    for count = 8, 16 do assert.equal("***.", redact(settings, key:sub(1, count) .. "."), count) end
  end)

  it("keeps what is no escape", function()
    local settings = with(key)
    for _, text in ipairs { "\\", "\\\\", "\\u", "\\u00", "%", "%3", "%zz", "\\uzzzz", "\\u00zz", "100 %" } do
      assert.equal(text, redact(settings, text), text)
      assert.is_false(settings:found(text), text)
    end
  end)

  it("may be empty", function()
    assert.equal("", redact(with(key), ""))
    assert.is_false(with(key):found "")
  end)
end)

describe("a secret that is not the key", function()
  it("counts from six letters on", function()
    local settings = with("0123456789abcdef", { proxy_user = "admin", proxy_password = "hunter" })
    assert.equal("admin has ***", redact(settings, "admin has hunter"))
  end)

  it("may be empty, and is none", function()
    local settings = with("0123456789abcdef", { proxy_user = "" })
    assert.equal("abc", redact(settings, "abc"))
  end)
end)
