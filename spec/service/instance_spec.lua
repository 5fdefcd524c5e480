-- instance: Braze's instances, and the check of an endpoint that a caller gives.

local instance = require("spec.support.test_build").core.instance

-- Looks like a REST key of Braze, and must never be shown.
local key = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"

local documented = {
  ["US-01"] = "https://rest.iad-01.braze.com", ["US-02"] = "https://rest.iad-02.braze.com",
  ["US-03"] = "https://rest.iad-03.braze.com", ["US-04"] = "https://rest.iad-04.braze.com",
  ["US-05"] = "https://rest.iad-05.braze.com", ["US-06"] = "https://rest.iad-06.braze.com",
  ["US-07"] = "https://rest.iad-07.braze.com", ["US-08"] = "https://rest.iad-08.braze.com",
  ["US-10"] = "https://rest.us-10.braze.com", ["EU-01"] = "https://rest.fra-01.braze.eu",
  ["EU-02"] = "https://rest.fra-02.braze.eu", ["AU-01"] = "https://rest.au-01.braze.com",
  ["ID-01"] = "https://rest.id-01.braze.com", ["JP-01"] = "https://rest.jp-01.braze.com",
  ["KR-01"] = "https://rest.kr-01.braze.com",
}

local function refuse(text)
  local origin, message, hint = instance.resolve(text)
  assert.is_nil(origin)
  assert.is_true(#message > 0 and #hint > 0)
  assert.is_nil((message .. hint):find "%c")
  return message, hint
end

describe("the list of instances", function()
  it("is the documented one", function()
    local listed = {}
    for _, row in ipairs(instance.list()) do
      assert.is_nil(listed[row.name])
      listed[row.name] = row.url
    end
    assert.same(documented, listed)
  end)

  for name, url in pairs(documented) do
    it("resolves " .. name, function()
      assert.same({ url = url, host = url:sub(9), secure = true, loopback = false }, instance.resolve(name))
      assert.same(instance.resolve(name), instance.resolve(url))
      assert.same(instance.resolve(name), instance.resolve(url .. "/"))
    end)
  end

  for _, row in ipairs(instance.list()) do
    it("refuses the dashboard and the SDK host of " .. row.name, function()
      local sdk = row.url:gsub("^https://rest", "sdk")
      for _, host in ipairs { row.dashboard, sdk } do
        for _, text in ipairs { host, "https://" .. host, "https://" .. host .. "/", "http://" .. host,
          "https://" .. host .. "/path:1" } do
          local message, hint = refuse(text)
          assert.truthy(message:find(host, 1, true))
          if text ~= host .. "/" then assert.truthy(hint:find('"' .. row.url .. '", instance "' .. row.name .. '"', 1,
            true), text) end
        end
      end
      assert.matches("a dashboard", (refuse(row.dashboard)))
      assert.matches("SDKs", (refuse(sdk)))
    end)
  end

  it("gives an example where a dashboard is not known", function()
    for _, host in ipairs { "dashboard-99.braze.com", "dashboard.braze.com", "sdk.unknown-01.braze.eu" } do
      local _, hint = refuse("https://" .. host)
      assert.matches("write the REST endpoint", hint)
    end
  end)

  it("leaves hosts alone that only look alike", function()
    for _, host in ipairs { "dashboard.example.com", "sdk.example.com", "braze.example.com", "my-braze.com",
      "braze.com.example.com", "rest.iad-01.braze.com.example.com" } do
      assert.equal(host, instance.resolve("https://" .. host).host)
    end
  end)

  it("asks whether another name was meant", function()
    for text, name in pairs {
      ["iad-01"] = "US-01", ["iad-08"] = "US-08", iad01 = "US-01", ["IAD-1"] = "US-01", ["fra-02"] = "EU-02",
      ["rest.iad-01"] = "US-01", ["us-10"] = "US-10", ["id-01"] = "ID-01", ["us-01"] = "US-01",
      ["eu-01"] = "EU-01", ["Us-10"] = "US-10", US01 = "US-01", EU01 = "EU-01",
      ["kr-01"] = "KR-01",
      ["US-01 "] = false, ["US-1"] = false, ["US-0"] = false, ["EU-1"] = "EU-01", ["JP_01"] = "JP-01",
    } do
      local message, hint = refuse(text)
      if not name then
        assert.is_nil(hint:find("did you mean", 1, true), text)
      else
        assert.equal('endpoint "' .. text .. '" is no instance of Braze', message)
        assert.truthy(hint:find('did you mean "' .. name .. '"', 1, true), hint)
        local url = documented[name]
        assert.equal(text:find("[ifIr][aAr]") ~= nil, hint:find("which is " .. url .. "?", 1, true) ~= nil, text)
      end
    end
  end)
end)

describe("an endpoint that is taken", function()
  local rows = {
    -- text, url, host, secure, loopback
    { "https://example.com", "https://example.com", "example.com", true, false },
    { "HTTPS://Example.COM", "https://Example.COM", "Example.COM", true, false },
    { "hTTpS://a", "https://a", "a", true, false },
    { "https://example.com/", "https://example.com", "example.com", true, false },
    { "https://example.com///", "https://example.com", "example.com", true, false },
    { "https://example.com:8443", "https://example.com:8443", "example.com", true, false },
    { "https://example.com:1/", "https://example.com:1", "example.com", true, false },
    { "https://example.com:65535", "https://example.com:65535", "example.com", true, false },
    { "https://example.com/gateway", "https://example.com/gateway", "example.com", true, false },
    { "https://example.com:443/gate/way/", "https://example.com:443/gate/way", "example.com", true, false },
    { "https://example.com/a:b@c", "https://example.com/a:b@c", "example.com", true, false },
    { "https://example.com/...", "https://example.com/...", "example.com", true, false },
    { "https://example.com/.well-known", "https://example.com/.well-known", "example.com", true, false },
    { "https://example.com/a..b/c.", "https://example.com/a..b/c.", "example.com", true, false },
    { "https://example.com/%41", "https://example.com/%41", "example.com", true, false },
    { "https://under_score.example", "https://under_score.example", "under_score.example", true, false },
    { "https://example.com.", "https://example.com.", "example.com.", true, false },
    { "https://192.0.2.1", "https://192.0.2.1", "192.0.2.1", true, false },
    { "https://[2001:db8::1]:8443/x/", "https://[2001:db8::1]:8443/x", "2001:db8::1", true, false },
    { "https://[::ffff:192.0.2.1]", "https://[::ffff:192.0.2.1]", "::ffff:192.0.2.1", true, false },
    { "https://localhost", "https://localhost", "localhost", true, true },
    { "https://[::1]", "https://[::1]", "::1", true, true },
    { "http://localhost", "http://localhost", "localhost", false, true },
    { "http://LocalHost:8080/", "http://LocalHost:8080", "LocalHost", false, true },
    { "HTTP://127.0.0.1:80", "http://127.0.0.1:80", "127.0.0.1", false, true },
    { "http://127.255.255.254/a/", "http://127.255.255.254/a", "127.255.255.254", false, true },
    { "http://[::1]:8080", "http://[::1]:8080", "::1", false, true },
  }
  for _, row in ipairs(rows) do
    it("is " .. row[1], function()
      assert.same({ url = row[2], host = row[3], secure = row[4], loopback = row[5] }, instance.resolve(row[1]))
    end)
  end

  it("has at most 253 characters in its host, and 2048 in all", function()
    local host = ("a"):rep(253)
    assert.equal(host, instance.resolve("https://" .. host).host)
    assert.matches("more than 253", (refuse("https://" .. host .. "a")))
    local longest = "https://a/" .. ("b"):rep(2038)
    assert.equal(longest, instance.resolve(longest).url)
    assert.matches("2049 characters", (refuse(longest .. "c")))
  end)
end)

describe("an endpoint that is refused", function()
  local rows = {
    -- text, part of the message
    { "", "is empty" },
    { "moon", 'endpoint "moon" is no instance' },
    { "12345678", 'endpoint "12345678" is no instance' },
    { "123456789", "neither .* not shown" },
    { "https://", "no host" },
    { "https:///", "no host" },
    { "https:///path", "no host" },
    { "https://:443", "no host" },
    { "https://user@example.com", "a user" },
    { "https://user:password@example.com", "a user" },
    { "https://@example.com", "a user" },
    { "https://localhost@example.com/", "a user" },
    { "https://example.com?a=b", "a query" },
    { "https://example.com/?", "a query" },
    { "https://example.com/a?b#c", "a query" },
    { "https://example.com#a", "a fragment" },
    { "https://example.com/#", "a fragment" },
    { "https://example.com:", "a port" },
    { "https://example.com:0", "a port" },
    { "https://example.com:00000", "a port" },
    { "https://example.com:65536", "a port" },
    { "https://example.com:99999", "a port" },
    { "https://example.com:100000", "a port" },
    { "https://example.com:4294967739", "a port" },
    { "https://example.com:+443", "a port" },
    { "https://example.com:-1", "a port" },
    { "https://example.com:https", "a port" },
    { "https://example.com:443:443", "a port" },
    { "https://::1", "no host" },
    { "https://2001:db8::1", "a port" },
    { "https://[::1", 'a "%[" without' },
    { "https://[", 'a "%[" without' },
    { "https://[]", "can't be read" },
    { "https://[:]", "can't be read" },
    { "https://[::1]x", "can't be read" },
    { "https://[::1]443", "can't be read" },
    { "https://[::1]:", "a port" },
    { "https://[fe80::1%25eth0]", "can't be read" },
    { "https://[fe80::1%eth0]", "can't be read" },
    { "https://[localhost]", "can't be read" },
    { "https://[v1.a]", "can't be read" },
    { "https://-example.com", "can't be read" },
    { "https://.example.com", "can't be read" },
    { "https://exam%70le.com", "can't be read" },
    { "https://example.com,", "can't be read" },
    { "https://exa*mple.com", "can't be read" },
    { "https://$(host)", "can't be read" },
    { "https://example.com/.", "in its path" },
    { "https://example.com/..", "in its path" },
    { "https://example.com/a/./b", "in its path" },
    { "https://example.com/a/../b", "in its path" },
    { "https://example.com/a/..//", "in its path" },
    { "https://example.com/../", "in its path" },
    { "http://example.com", "unencrypted" },
    { "http://rest.iad-01.braze.com", "unencrypted" },
    { "http://localhost.example.com", "unencrypted" },
    { "http://127.0.0.1.example.com", "unencrypted" },
    { "http://0.0.0.0", "unencrypted" },
    { "http://192.168.0.1", "unencrypted" },
    { "http://[::]", "unencrypted" },
    { "http://[::2]", "unencrypted" },
    { "http://[::ffff:127.0.0.1]", "unencrypted" },
    { "http://2130706433", "unencrypted" },
    { "http://0x7f.1", "unencrypted" },
    { "ftp://example.com", 'scheme "ftp"' },
    { "file:///etc/passwd", 'scheme "file"' },
    { "ws://localhost", 'scheme "ws"' },
    { "httpss://example.com", 'scheme "httpss"' },
    { "://example.com", 'scheme ""' },
    { "https:/example.com", "does not begin with https://" },
    { "https:example.com", "does not begin with https://" },
    { "//example.com", "does not begin with https://" },
    { "example.com", "does not begin with https://" },
    { "rest.iad-01.braze.com", "does not begin with https://" },
    { "rest.iad-01.braze.com/sends", "does not begin with https://" },
  }
  for number, row in ipairs(rows) do
    it(("row %d: %s"):format(number, row[1]), function()
      assert.matches(row[2], (refuse(row[1])))
    end)
  end

  it("is shown with what to write where a scheme is misspelt or missing, if it can't be a key", function()
    for text, meant in pairs {
      ["https//rest.iad-01.braze.com"] = "https://rest.iad-01.braze.com",
      ["https:/rest.iad-01.braze.com/"] = "https://rest.iad-01.braze.com/",
      ["https:rest.iad-01.braze.com"] = "https://rest.iad-01.braze.com",
      ["HTTPS;//rest.fra-01.braze.eu"] = "https://rest.fra-01.braze.eu",
      ["http:rest.iad-01.braze.com"] = "https://rest.iad-01.braze.com",
      ["//rest.iad-01.braze.com"] = "https://rest.iad-01.braze.com",
      ["rest.iad-01.braze.com"] = "https://rest.iad-01.braze.com",
      ["localhost:8080"] = "http://localhost:8080", ["http//localhost:8080"] = "http://localhost:8080",
      ["127.0.0.1:8080"] = "http://127.0.0.1:8080", ["[::1]:8080"] = "http://[::1]:8080",
      localhost = "http://localhost", ["192.168.1.5:8080"] = "https://192.168.1.5:8080",
      ["[2001:db8::1]"] = "https://[2001:db8::1]",
    } do
      local message, hint = refuse(text)
      assert.equal(('endpoint "%s" does not begin with %s'):format(text, meant:match "^%w+://"), message)
      assert.equal('did you mean "' .. meant .. '"?', hint)
    end
  end)

  it("is not shown behind a misspelt scheme where it may be a key", function()
    for _, before in ipairs { "https//", "https:/", "//", "http:" } do
      local message, hint = refuse(before .. key)
      assert.truthy(message:find('"' .. before .. '"', 1, true))
      assert.is_nil((message .. hint):find(key:sub(1, 8), 1, true))
    end
    local message = refuse("localhost:8080/" .. key)
    assert.equal('endpoint "localhost:8080" does not begin with http://', message)
    assert.is_nil((refuse("192.168.1.5:" .. key)):find(key, 1, true))
    assert.is_nil((refuse "12345678901234567890"):find("123", 1, true))
  end)

  it("stands in quotes, or has its scheme twice", function()
    for _, text in ipairs { '"https://rest.iad-01.braze.com"', "'US-01'", '""' } do
      local message, hint = refuse(text)
      assert.equal("endpoint stands in quotes that are part of its value", message)
      assert.matches("leave them out", hint)
    end
    for _, text in ipairs { "https://https://example.com", "http://https://example.com", "https://HTTP://a" } do
      assert.equal("endpoint begins with a scheme twice", (refuse(text)))
    end
  end)

  it("names the character that no URL has, and how it came there", function()
    assert.equal("endpoint holds a space, which no URL has, at byte 1 of 20", (refuse " https://example.com"))
    local message, hint = refuse "https://example.com\n"
    assert.equal("endpoint holds a line feed, which no URL has, at byte 20 of 20", message)
    assert.matches('file:read("l")', hint, 1, true)
    assert.matches('file:read("l")', select(2, refuse "https://example.com\r"), 1, true)
    assert.is_nil(select(2, refuse "https://example.com "):find('file:read("l")', 1, true))
    assert.matches('holds the character "<"', (refuse "https://<host>"))
    assert.matches("holds a double quote", (refuse 'https://"host'))
  end)

  it("shows a port that is wrong, unless it is long", function()
    assert.matches(': "70000"$', (refuse "https://example.com:70000"))
    assert.matches(': "https"$', (refuse "https://example.com:https"))
    assert.matches("65535$", (refuse("https://example.com:" .. key)))
    assert.matches("65535$", (refuse "https://example.com:"))
  end)

  it("is http: the whole address is shown, and how a stand-in elsewhere is reached", function()
    local message, hint = refuse "http://192.168.1.5:8080"
    assert.equal('endpoint "http://192.168.1.5:8080" would send the API key unencrypted', message)
    assert.matches('write "https://192.168.1.5:8080"', hint, 1, true)
    assert.matches("in another container must speak TLS: give its CA's PEM file as ca_file", hint, 1, true)
    message, hint = refuse "http://rest.iad-01.braze.com/x"
    assert.equal('endpoint "http://rest.iad-01.braze.com" would send the API key unencrypted', message)
    assert.is_nil(hint:find("container", 1, true))
  end)

  it("is the name of an instance that does not exist: the hint lists those that do", function()
    for _, text in ipairs { "moon", "us-1", "US-09x", "EU" } do
      local message, hint = refuse(text)
      assert.equal('endpoint "' .. text .. '" is no instance of Braze', message)
      for name in pairs(documented) do assert.truthy(hint:find(name, 1, true), name) end
    end
  end)

  it("holds a byte that no URL has, and the message says where", function()
    for byte = 0, 255 do
      local letter = string.char(byte)
      if byte <= 32 or byte >= 127 or letter == "\\" then
        local message = refuse("https://example.com/a" .. letter .. "b")
        assert.matches("^endpoint holds .+, which no URL has, at byte 22 of 23$", message)
        assert.matches("at byte 1 of", (refuse(letter .. "https://example.com")))
        assert.matches("at byte 20 of 20", (refuse("https://example.com" .. letter)))
      end
    end
  end)

  it("shows nothing of what may be a key", function()
    for _, text in ipairs {
      key, key .. key, "Bearer " .. key, "https://" .. key .. "@rest.iad-01.braze.com",
        "https://user:" .. key .. "@example.com",
      "https://example.com/?api_key=" .. key, "https://example.com/#" .. key, "example.com?key=" .. key,
        key .. "@example.com",
      "https://example.com:" .. key, "https://example.com/" .. key .. "/..", "https:// " .. key, key .. "\n",
      "https://[" .. key, "https://[" .. key .. "z]", "https://example.com/" .. key .. "?", ("x"):rep(3000) .. key,
      "US-01" .. key, (key:gsub("%-", "")),
    } do
      local message, hint = refuse(text)
      for first = 1, #key - 7 do
        assert.is_nil((message .. hint):find(key:sub(first, first + 7), 1, true), text)
      end
    end
  end)
end)

describe("instance.is_loopback", function()
  it("knows names and addresses that mean this machine alone", function()
    for _, host in ipairs {
      "localhost", "LOCALHOST", "LocalHost", "::1", "127.0.0.1", "127.0.0.0", "127.1.2.3", "127.255.255.255",
        "127.249.199.10",
    } do
      assert.is_true(instance.is_loopback(host), host)
    end
    for _, host in ipairs {
      "", "localhost.", "localhost.localdomain", "localhos", "localhostt", "ip6-localhost", "::", "::2", "[::1]",
        "0:0:0:0:0:0:0:1",
      "::ffff:127.0.0.1", "127", "127.", "127.1", "127.0.1", "127.0.0.", "127.0.0.1.", "127.0.0.1.2", "127..0.1",
        "127.0.0.256",
      "127.0.0.300", "127.0.0.1000", "127.0.0.-1", "127.0.0.a", "127.0.0.1a", "127.0.0.1 ", "128.0.0.1",
        "126.255.255.255",
      "0.0.0.0", "1127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "example.com",
    } do
      assert.is_false(instance.is_loopback(host), host)
    end
  end)
end)
