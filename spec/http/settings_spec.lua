-- settings: what a client is made with; each setter takes a value apart or says what is wrong, and shows no secret.

local core = require("spec.support.test_build").core

local key = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

describe("new settings", function()
  it("have the documented defaults", function()
    assert.same({
      timeout = 30, connect_timeout = 10, retries = 2, max_connections = 16, secure = false, loopback = false,
    }, core.settings.new():read())
  end)
end)

describe("set_api_key", function()
  local function refuse(text)
    local settings = core.settings.new()
    local taken, message, hint = settings:set_api_key(text)
    assert.is_nil(taken)
    assert.is_nil(settings:read().api_key)
    assert.is_true(#hint > 0)
    for first = 1, #text - 7 do
      assert.is_nil((message .. hint):find(text:sub(first, first + 7), 1, true))
    end
    return message, hint
  end

  it("keeps a key as it is", function()
    for _, text in ipairs { key, "k", ("k"):rep(8192), "a/b+c=d\"e\\f", "a:b", "a:/b", "!~" } do
      local settings = core.settings.new()
      assert.is_true(settings:set_api_key(text))
      assert.equal(text, settings:read().api_key)
      assert.equal("Authorization: Bearer " .. text, settings:read().authorization)
    end
  end)

  it("refuses what is empty or too long", function()
    assert.equal("the API key is empty", (refuse ""))
    assert.equal("the API key has 8193 bytes", (refuse(("k"):rep(8193))))
  end)

  it("refuses every byte that no header value has, and says where", function()
    local names = {
      [0] = "a NUL", [9] = "a tab", [10] = "a line feed", [13] = "a carriage return", [32] = "a space",
    }
    for byte = 0, 255 do
      if byte <= 32 or byte >= 127 then
        local name = names[byte] or (byte < 128 and "a control character" or "a character that is not ASCII")
        assert.equal("the API key holds " .. name .. " at byte 37 of 41", (refuse(key .. string.char(byte) .. "rest")))
        assert.equal("the API key holds " .. name .. " at byte 1 of 37", (refuse(string.char(byte) .. key)))
      else
        assert.is_true(core.settings.new():set_api_key(key .. string.char(byte)))
      end
    end
  end)

  it("knows the line end of a file", function()
    for text, told in pairs { [key .. "\n"] = true, [key .. "\r"] = true, [key .. "\r\n"] = false,
      [key .. " "] = false } do
      local _, hint = refuse(text)
      assert.equal(told, hint:find('file:read("l")', 1, true) ~= nil)
    end
  end)

  it("knows a URL in the wrong place", function()
    local message, hint = refuse "https://rest.iad-01.braze.com"
    assert.equal("the API key is a URL", message)
    assert.matches("swapped", hint)
  end)

  it("knows an instance's name and a host of Braze's in the wrong place", function()
    for _, text in ipairs { "US-01", "eu-02", "rest.iad-01.braze.com", "dashboard-01.braze.com", "www.braze.eu" } do
      local message, hint = refuse(text)
      assert.equal("the API key is the name of an instance or a host", message)
      assert.matches("swapped", hint)
    end
    assert.is_true(core.settings.new():set_api_key "US-09")
  end)

  it("knows a header's value, and quotes around the key", function()
    for _, text in ipairs { "Bearer " .. key, "bearer " .. key, "Authorization: Bearer " .. key } do
      local message, hint = refuse(text)
      assert.equal("the API key is a whole header's value", message)
      assert.matches("pass the key alone", hint)
    end
    for _, text in ipairs { '"' .. key .. '"', "'" .. key .. "'", '""' } do
      local message, hint = refuse(text)
      assert.equal("the API key stands in quotes that are part of its value", message)
      assert.matches("leave them out", hint)
    end
    for _, text in ipairs { '"' .. key, key .. '"', '"' .. key .. "'", '"' } do
      assert.is_true(core.settings.new():set_api_key(text))
    end
  end)
end)

describe("set_endpoint", function()
  it("keeps the URL and what is known about it", function()
    local settings = core.settings.new()
    assert.is_true(settings:set_endpoint "EU-01")
    local read = settings:read()
    assert.same({ "https://rest.fra-01.braze.eu", "rest.fra-01.braze.eu", true, false },
      { read.url, read.authority, read.secure, read.loopback })
    assert.is_true(settings:set_endpoint "http://[::1]:8080/gateway/")
    read = settings:read()
    assert.same({ "http://[::1]:8080/gateway", "[::1]:8080", false, true },
      { read.url, read.authority, read.secure, read.loopback })
  end)

  it("refuses the path of a call, which would be sent twice over", function()
    local taken, message = core.settings.new():set_endpoint "https://rest.iad-01.braze.com/sends/id/create/"
    assert.is_nil(taken)
    assert.matches("/sends/id/create", message)
    assert.is_true(core.settings.new():set_endpoint "https://rest.iad-01.braze.com/sends/id/created")
  end)

  it("passes on why an endpoint is refused", function()
    local settings = core.settings.new()
    local taken, message, hint = settings:set_endpoint("https://" .. key .. "@example.com")
    assert.is_nil(taken)
    assert.equal("endpoint holds a user", message)
    assert.is_nil((message .. hint):find(key, 1, true))
    assert.is_nil(settings:read().url)
  end)
end)

describe("set_proxy", function()
  local function for_service()
    local settings = core.settings.new()
    assert(settings:set_endpoint "US-01")
    return settings
  end

  local taken = {
    -- text, address, user, password
    { "", nil },
    { "http://proxy", "http://proxy:80" },
    { "http://proxy:3128", "http://proxy:3128" },
    { "http://proxy:3128/", "http://proxy:3128" },
    { "HTTP://Proxy:3128///", "http://Proxy:3128" },
    { "https://proxy:3129", "https://proxy:3129" },
    { "proxy:3128", "http://proxy:3128" },
    { "proxy", "http://proxy:80" },
    { "192.0.2.1:3128", "http://192.0.2.1:3128" },
    { "http://[2001:db8::1]:3128", "http://[2001:db8::1]:3128" },
    { "http://user:password@proxy:3128", "http://proxy:3128", "user", "password" },
    { "user:password@proxy:3128", "http://proxy:3128", "user", "password" },
    { "https://user:password@proxy/", "https://proxy", "user", "password" },
    { "http://user@proxy", "http://proxy:80", "user" },
    { "http://user:@proxy", "http://proxy:80", "user" },
    { "http://:password@proxy", "http://proxy:80", nil, "password" },
    { "http://@proxy", "http://proxy:80" },
    { "http://user:pass:word@proxy", "http://proxy:80", "user", "pass:word" },
    { "http://user:pass@word@proxy", "http://proxy:80", "user", "pass@word" },
    { "http://us%65r:p%40ss%3Aword@proxy", "http://proxy:80", "user", "p@ss:word" },
    { "http://user:p%2fss@proxy", "http://proxy:80", "user", "p/ss" },
    { "http://user:%C3%A4@proxy", "http://proxy:80", "user", "\195\164" },
    { "http://user:50%@proxy", "http://proxy:80", "user", "50%" },
    { "http://user:5%2@proxy", "http://proxy:80", "user", "5%2" },
    { "http://user:%zz%4@proxy", "http://proxy:80", "user", "%zz%4" },
    { "http://user:%41%@proxy", "http://proxy:80", "user", "A%" },
    { "http://user:%41@proxy", "http://proxy:80", "user", "A" },
    { "http://user:a/b?c#d@proxy", "http://proxy:80", "user", "a/b?c#d" },
  }
  for _, row in ipairs(taken) do
    it(("takes %q apart"):format(row[1]), function()
      local settings = for_service()
      assert.is_true(settings:set_proxy(row[1]))
      local read = settings:read()
      assert.equal(row[2], read.proxy)
      assert.equal(row[3], read.proxy_user)
      assert.equal(row[4], read.proxy_password)
      assert.is_nil(read.no_proxy)
    end)
  end

  it("keeps the hosts that need no proxy", function()
    local settings = for_service()
    assert.is_true(settings:set_proxy("http://proxy", "example.com,.internal"))
    assert.equal("example.com,.internal", settings:read().no_proxy)
  end)

  it("is nothing for a loopback endpoint", function()
    for _, text in ipairs { "http://user:password@proxy:3128", "not a proxy at all", "socks5://proxy" } do
      local settings = core.settings.new()
      assert(settings:set_endpoint "http://127.0.0.1:8080")
      assert.is_true(settings:set_proxy(text, "hosts"))
      local read = settings:read()
      assert.same({}, { read.proxy, read.proxy_user, read.proxy_password, read.no_proxy })
    end
  end)

  local refused = {
    -- text with a secret in it, part of the message
    { "socks5://user:SECRETWORD@proxy:1080", "a scheme" },
    { "ftp://proxy/SECRETWORD", "a scheme" },
    { "://proxy", "a scheme" },
    { "http://http://proxy", "a scheme" },
    { "http://", "no host" },
    { "https://", "no host" },
    { "/", "no host" },
    { "http://:3128", "no host" },
    { ":3128", "no host" },
    { "http://user:SECRETWORD@", "no host" },
    { "http://user:SECRETWORD@/", "no host" },
    { "http://user:SECRETWORD@:3128", "no host" },
    { "http://proxy/SECRETWORD", "more than a host" },
    { "http://proxy?SECRETWORD", "a query" },
    { "http://proxy#SECRETWORD", "a fragment" },
    { "http://proxy\\SECRETWORD", "can't be read" },
    { "http://proxy:SECRETWORD", "a port" },
    { "http://proxy:0", "a port" },
    { "http://proxy:65536", "a port" },
    { "http://[::1", "without" },
    { "http://one,two:3128", "can't be read" },
    { "http://us%00er:SECRETWORD@proxy", "a user" },
    { "http://user:SECRETWORD%00@proxy", "a password" },
    { "http://SECRETWORD proxy", "a character" },
    { " http://proxy", "a character" },
    { "http://proxy\r\nSECRETWORD: a", "a character" },
    { "http://proxy\0SECRETWORD", "a character" },
    { "http://pr\195\182xy", "a character" },
    { "http://proxy\127", "a character" },
  }
  for number, row in ipairs(refused) do
    it(("refuses row %d: %q"):format(number, (row[1]:gsub("%c", "?"))), function()
      local settings = for_service()
      local done, message, hint = settings:set_proxy(row[1])
      assert.is_nil(done)
      assert.matches("^proxy .*" .. row[2], message)
      assert.matches("write \"http://host:port\"", hint)
      assert.is_nil((message .. hint):find("SECRETWORD", 1, true))
      assert.is_nil(settings:read().proxy)
    end)
  end
end)

describe("set_ca_file", function()
  it("keeps a path, and refuses what is none", function()
    local settings = core.settings.new()
    assert.is_true(settings:set_ca_file "some/file.pem")
    assert.is_true(settings:set_ca_file "another.pem")
    assert.equal("another.pem", settings:read().ca_file)
    for text, message in pairs { [""] = "ca_file is empty", ["a\0b"] = "ca_file holds a NUL",
      ["\0"] = "ca_file holds a NUL" } do
      local taken, said, hint = settings:set_ca_file(text)
      assert.same({ n = 2, nil, message }, { n = 2, taken, said })
      assert.matches("PEM bundle", hint)
    end
    assert.equal("another.pem", settings:read().ca_file)
  end)
end)
