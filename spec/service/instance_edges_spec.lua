-- instance: the edges of what is taken for an endpoint, and what is said of what is not.

local instance = require("spec.support.test_build").core.instance

local function refused(text)
  local origin, message, hint = instance.resolve(text)
  assert.is_nil(origin, text)
  return message, hint
end

describe("an endpoint's path", function()
  it("may not go back, however the dots are written", function()
    for _, path in ipairs {
      "/.", "/..", "/./", "/../", "/a/.", "/a/..", "/a/../b", "/%2e", "/%2E", "/%2e%2e", "/%2E.", "/.%2e",
        "/%2e%2E/", "/a/%2e/b",
    } do
      local message = refused("https://example.com" .. path)
      assert.equal('endpoint holds a "." or ".." in its path', message, path)
    end
  end)

  it("may hold dots that are no steps", function()
    for _, path in ipairs {
      "/...", "/.a", "/a.", "/..a", "/a..", "/a.b", "/%2e%2e%2e", "/%2ea", "/.%2e.", "/a%2e", "/%2", "/%2f", "/....",
        "/.../a",
    } do
      assert.equal("https://example.com" .. path, instance.resolve("https://example.com" .. path).url, path)
    end
  end)
end)

describe("an endpoint's host", function()
  it("has no empty part, wherever", function()
    for _, host in ipairs { "..", "a..b", "a..", "..a", "a.b..c", "-a", ".a", "." } do
      assert.equal("endpoint has a host that can't be read", (refused("https://" .. host)), host)
    end
  end)

  it("may end in a dot, and be one letter", function()
    for _, host in ipairs { "a", "a.", "a.b.", "a-", "a_b" } do
      assert.equal("https://" .. host, instance.resolve("https://" .. host).url)
    end
  end)

  it("is kept with its port for messages, apart from the path", function()
    for text, host in pairs {
      ["https://a"] = "a", ["https://a:1/b"] = "a", ["https://[::1]:65535/"] = "::1", ["https://[::]"] = "::",
    } do
      assert.equal(host, instance.resolve(text).host, text)
    end
  end)

  it("is loopback with each part of its address in range alone", function()
    for _, host in ipairs { "127.0.0.1", "127.255.255.255", "127.10.99.200", "127.0.0.0", "127.1.2.3", "::1",
      "LOCALHOST" } do
      assert.is_true(instance.is_loopback(host), host)
    end
    for _, host in ipairs {
      "127.0.0.256", "127.0.0.999", "127.0.0.1000", "127.0.0.00", "127.0.0.01", "127.0.0.", "127.0.0", "127.0.0.1.",
        "127.0.0.1.2",
      "127..0.1", "127.", "1270.0.0.1", "128.0.0.1", "12.0.0.1", "localhost.", "localhos", "localhostx", "::2", "",
    } do
      assert.is_false(instance.is_loopback(host), host)
    end
  end)
end)

describe("an address of Braze's that is no REST endpoint", function()
  local function check(text, what, hint_of)
    local message, hint = refused(text)
    assert.equal(what, message)
    assert.equal(hint_of, hint)
  end
  local first = 'its REST endpoint is "https://rest.iad-01.braze.com", instance "US-01"'

  it("is named, with the endpoint that belongs to it", function()
    for _, before in ipairs { "", "https://", "http://", "HTTPS://" } do
      check(before .. "dashboard-01.braze.com",
        "dashboard-01.braze.com is the address of a dashboard, not a REST endpoint", first)
      check(before .. "sdk.iad-01.braze.com",
        "sdk.iad-01.braze.com is the address of Braze's SDKs, not a REST endpoint", first)
    end
    check("dashboard-01.braze.com/sign_in",
      "dashboard-01.braze.com is the address of a dashboard, not a REST endpoint", first)
    check("https://Dashboard-01.Braze.com/",
      "Dashboard-01.Braze.com is the address of a dashboard, not a REST endpoint", first)
  end)

  it("is named where nothing is known to belong to it", function()
    local message, hint = refused "https://dashboard-99.braze.com"
    assert.equal("dashboard-99.braze.com is the address of a dashboard, not a REST endpoint", message)
    assert.matches("write the REST endpoint shown beside the API key", hint, 1, true)
    message = refused "https://sdk.xyz-99.braze.eu"
    assert.equal("sdk.xyz-99.braze.eu is the address of Braze's SDKs, not a REST endpoint", message)
  end)

  it("is a host like any other where it only looks like one", function()
    for _, host in ipairs { "dashboard.example.com", "sdk.example.com", "dashboard.braze.com.example" } do
      assert.equal("https://" .. host, instance.resolve("https://" .. host).url)
    end
  end)

  it("is named where it is a web page or a misspelt endpoint, with the endpoint that was meant", function()
    for _, host in ipairs { "www.braze.com", "braze.com", "BRAZE.com", "api.braze.eu", "braze.com.",
      "x.y.braze.com" } do
      for _, before in ipairs { "", "https://" } do
        local message, hint = refused(before .. host)
        assert.equal(host .. " is no REST endpoint of Braze", message)
        assert.matches("write the REST endpoint shown beside the API key", hint, 1, true)
      end
    end
    for host, name in pairs {
      ["rest.us-01.braze.com"] = "US-01", ["rest.eu-02.braze.eu"] = "EU-02", ["iad-03.braze.com"] = "US-03",
      ["rest.US-08.braze.com"] = "US-08", ["api.fra-01.braze.eu"] = "EU-01", ["us-10.braze.com"] = "US-10",
    } do
      local message, hint = refused("https://" .. host)
      assert.equal(host .. " is no REST endpoint of Braze", message)
      assert.matches(', instance "' .. name .. '"?', hint, 1, true)
    end
  end)

  it("is taken where it may be an endpoint that is newer than this version", function()
    for _, host in ipairs { "rest.iad-09.braze.com", "rest.us-11.braze.com", "rest.fra-01.braze.com" } do
      assert.equal(host, instance.resolve("https://" .. host).host)
    end
  end)
end)

describe("a host without its scheme", function()
  it("is shown with it", function()
    local message, hint = refused "rest.iad-01.braze.com"
    assert.equal('endpoint "rest.iad-01.braze.com" does not begin with https://', message)
    assert.equal('did you mean "https://rest.iad-01.braze.com"?', hint)
  end)

  it("is cut where it is long", function()
    local long = "rest.braze.com/" .. ("a"):rep(300)
    local message = refused(long)
    assert.equal('endpoint "' .. long:sub(1, 200) .. '..." does not begin with https://', message)
  end)

  it("is not shown where it may be a key", function()
    for _, text in ipairs { "a.bcdefghi", "user@rest.iad-01.braze.com",
      "rest.iad-01.braze.com/?api_key=secret-of-ours" } do
      local message = refused(text)
      assert.is_nil(message:find(text, 1, true), text)
      assert.matches("not shown, it may be a key", message, 1, true)
    end
  end)
end)

describe("a scheme that is none of ours", function()
  it("is named up to eleven letters, behind which it may be anything", function()
    assert.equal('endpoint has the scheme "ftp", and only https:// is taken', (refused "ftp://example.com"))
    assert.equal('endpoint has the scheme "abcdefghijk", and only https:// is taken', (refused "abcdefghijk://x"))
    assert.equal('endpoint has the scheme "", and only https:// is taken', (refused "://"))
    assert.is_nil((refused "abcdefghijkl://x"):find("abcdefghijkl", 1, true))
  end)

  it("is refused without a host just the same", function()
    assert.equal("endpoint has no host", (refused "http://"))
    assert.equal("endpoint has no host", (refused "https://"))
  end)
end)
