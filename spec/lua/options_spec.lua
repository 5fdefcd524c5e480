-- Options of clients and calls, the environment beneath them, and the way to a proxy.

local braze = require "braze"
local cjson = require "cjson"
local mime = require "mime"
local child = require "spec.support.child"
local refusal = require "spec.support.refusal"
local scripted_peer = require "spec.support.scripted_peer"
local standin = require "spec.support.standin"

local canary = refusal.canary
local huge, not_a_number = math.huge, math.huge - math.huge

local function new(changes)
  return braze.new(refusal.options(changes))
end

-- What a program printed in a fresh interpreter, with these variables of the environment beside the others.
local function run(program, environment)
  return (child.run(program, environment))
end

local function describe_value(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

describe("an option of braze.new", function()
  local long = ("x"):rep(2048)
  local refused = {
    { "timeout", 0, "0" }, { "timeout", -1, "0" }, { "timeout", not_a_number, "timeout" },
    { "timeout", 600.5, "seconds", "600" }, { "timeout", 30000, "seconds", "600" },
    { "timeout", huge, "600" }, { "timeout", "30", "number", "string" }, { "timeout", true, "number", "boolean" },
    { "connect_timeout", 0, "0" }, { "connect_timeout", 601, "seconds" },
    { "connect_timeout", {}, "number", "table" },
    { "retries", -1, "10" }, { "retries", 11, "10" }, { "retries", 1.5, "10" },
    { "retries", not_a_number, "10" }, { "retries", "2", "number", "string" },
    { "max_connections", 0, "1000" }, { "max_connections", 1001, "1000" },
    { "max_connections", 2.5, "1000" }, { "max_connections", huge, "1000" },
    { "max_connections", false, "number", "boolean" },
    { "ca_file", "", "empty" }, { "ca_file", "a\0b", "NUL" }, { "ca_file", false, "string", "boolean" },
    { "proxy", 3128, "string", "number" }, { "proxy", "socks5://host:1080", "scheme" },
    { "proxy", "http://", "no host" }, { "proxy", "http://:3128", "no host" },
    { "proxy", "http://host/path", "more than a host" },
    { "proxy", "http://host name:1", "proxy" }, { "proxy", "http://host:1\r\nx: y", "proxy" },
    { "proxy", "http://" .. canary .. "@host/path", "proxy" },
    { "proxy", "http://" .. ("x"):rep(16385) .. "@host", "more than 16 KiB" },
    { "api_key", "", "empty" }, { "api_key", 1, "string", "number" }, { "api_key", canary .. "\n", "line feed" },
    { "api_key", canary .. "\r\nx: y", "carriage return" }, { "api_key", canary .. " x", "space" },
    { "api_key", canary .. "\0", "NUL" }, { "api_key", canary .. "\195\164", "ASCII" },
    { "api_key", canary .. "\127", "control" }, { "api_key", "https://rest.iad-01.braze.com", "swapped" },
    { "endpoint", "", "endpoint" }, { "endpoint", 1, "string", "number" }, { "endpoint", canary, "not shown" },
    { "endpoint", "US-09", "US%-09" }, { "endpoint", "us-01", "did you mean \"US%-01\"" },
    { "endpoint", "rest.iad-01.braze.com", "https://" }, { "endpoint", "ftp://rest.iad-01.braze.com", "https://" },
    { "endpoint", "http://rest.iad-01.braze.com", "unencrypted" },
    { "endpoint", "http://127.0.0.1.test", "unencrypted" },
    { "endpoint", "http://localhost.test", "unencrypted" }, { "endpoint", "http://128.0.0.1", "unencrypted" },
    { "endpoint", "https://", "no host" }, { "endpoint", "https://:443", "no host" },
    { "endpoint", "https://" .. canary .. ":x@host", "holds a user" }, { "endpoint", "https://a?" .. canary, "query" },
    { "endpoint", "https://a#" .. canary, "fragment" }, { "endpoint", "https://a/b?c", "query" },
    { "endpoint", "https://a:0", "port" }, { "endpoint", "https://a:65536", "port" },
    { "endpoint", "https://a:", "port" }, { "endpoint", "https://a:b", "port" },
    { "endpoint", "https://a b", "endpoint" }, { "endpoint", "https://a\r\nx: y", "endpoint" },
    { "endpoint", "https://a\0b", "endpoint" }, { "endpoint", "https://a\\b", "endpoint" },
    { "endpoint", "https://a/../b", "%.%." }, { "endpoint", "https://[::1", "%[" },
    { "endpoint", "https://a/" .. long, "characters" },
    { "endpoint", "https://dashboard-01.braze.com", "rest%.iad%-01%.braze%.com", "US%-01" },
    { "endpoint", "https://sdk.fra-01.braze.eu", "rest%.fra%-01%.braze%.eu", "EU%-01" },
  }
  for _, row in ipairs(refused) do
    it(("refuses %s = %s"):format(row[1], describe_value(row[2]):sub(1, 60)), function()
      refusal(function() new { [row[1]] = row[2] } end, row[1] == "api_key" and "key" or row[1], row[3], row[4])
    end)
  end

  local taken = {
    { "timeout", 0.001 }, { "timeout", 30 }, { "timeout", 600 }, { "connect_timeout", 0.5 }, { "connect_timeout", 600 },
    { "retries", 0 }, { "retries", 10 }, { "retries", 2.0 }, { "max_connections", 1 }, { "max_connections", 1000 },
    { "ca_file", "of/no/file.pem" }, { "proxy", "" }, { "proxy", "host:3128" }, { "proxy", "http://host:3128/" },
    { "proxy", "https://user:password@host" }, { "proxy", "http://[::1]:3128" }, { "api_key", "x" },
    { "endpoint", "HTTPS://rest.iad-01.braze.com" }, { "endpoint", "https://gateway.test:8443/braze/" },
    { "endpoint", "https://[2001:db8::1]:8443" }, { "endpoint", "http://localhost:1" },
    { "endpoint", "http://[::1]:1" }, { "endpoint", "http://127.9.9.9" },
  }
  for _, row in ipairs(taken) do
    it(("takes %s = %s"):format(row[1], describe_value(row[2])), function()
      new({ [row[1]] = row[2] }):close()
    end)
  end

  it("may be left out: options are nil, or a table without it", function()
    refusal(function() braze.new() end, "BRAZE_API_KEY")
    refusal(function() braze.new {} end, "BRAZE_API_KEY", "BRAZE_REST_ENDPOINT")
  end)

  it("stands in a table", function()
    for _, value in ipairs { "US-01", 1, true, print } do
      refusal(function() braze.new(value) end, "table", type(value))
    end
  end)

  it("is api_key with endpoint, or neither", function()
    refusal(function() braze.new { api_key = canary } end, "endpoint", "together")
    refusal(function() braze.new { endpoint = "US-01" } end, "api_key", "together")
  end)
end)

describe("an option of a call", function()
  local peer
  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  before_each(function() peer:reset() end)

  local function call(options, changes)
    local client_options = { api_key = canary, endpoint = peer.url }
    for name, value in pairs(changes or {}) do client_options[name] = value end
    local client = braze.new(client_options)
    local good, answer = pcall(client.create_send_id, client, { campaign_id = "campaign", send_id = "mine" }, options)
    client:close()
    return answer, good
  end

  local refused = {
    { { timeout = 0 }, "timeout", "0" }, { { timeout = 1000 }, "timeout", "seconds" },
    { { connect_timeout = "1" }, "connect_timeout", "number" }, { { retries = 11 }, "retries", "10" },
    { { retries = 0.5 }, "retries", "10" }, { { api_key = "x" }, "api_key", "braze%.new" },
    { { endpoint = "US-01" }, "endpoint", "braze%.new" }, { { proxy = "" }, "proxy", "braze%.new" },
    { { ca_file = "x" }, "ca_file", "braze%.new" }, { { max_connections = 1 }, "max_connections", "braze%.new" },
    { { timeuot = 1 }, "unknown option", "did you mean \"timeout\"" }, { "5", "options", "table", "string" },
    { { [1] = 1 }, "option", "number" }, { { verify = false }, "unknown option", "ca_file" },
    { 5, "options", "not the number 5", "{timeout = 5}" }, { { timeout = "5s" }, '"5s"', "timeout = 5" },
    { { colour = 1 }, "unknown option", "a call takes timeout, connect_timeout, retries, query, repeatable and job" },
    { { apikey = 1 }, "unknown option", "a call takes timeout, connect_timeout, retries, query, repeatable and job" },
    { { campaign_id = "x" }, "unknown option", "first table" },
  }
  for _, row in ipairs(refused) do
    it("is refused before anything is sent: " .. cjson.encode(row[1]), function()
      local failure = call(row[1])
      assert.equal("usage", failure.kind)
      assert.equal("create_send_id", failure.operation)
      for position = 2, #row do assert.matches(row[position], tostring(failure)) end
      assert.same({}, peer:log())
    end)
  end

  it("wins over the client's, for that call alone", function()
    peer:play { { hold = true } }
    peer:default { { read = "request" }, { write = scripted_peer.created() } }
    local client = braze.new { api_key = canary, endpoint = peer.url, timeout = 20, retries = 0 }
    local parameters = { campaign_id = "campaign", send_id = "mine" }
    local _, failure = pcall(client.create_send_id, client, parameters, { timeout = 0.05 })
    assert.equal("timeout", failure.kind)
    assert.is_true(failure.elapsed >= 0.05 and failure.elapsed < 5)
    assert.equal("mine", client:create_send_id(parameters).send_id)
    client:close()
  end)

  it("connect_timeout ends a handshake that nobody answers", function()
    local changes = { endpoint = peer.url:gsub("http:", "https:"), retries = 0, timeout = 20 }
    for _, failure in ipairs {
      (call({ connect_timeout = 0.05 }, changes)),
      (call(nil, { endpoint = changes.endpoint, retries = 0, timeout = 20, connect_timeout = 0.05 })),
    } do
      assert.equal("timeout", failure.kind)
      assert.is_true(failure.elapsed < 5)
      assert.is_false(failure.maybe_applied)
      assert.equal(0, failure.attempts)
    end
  end)

  it("retries counts the attempts after the first; two are the default", function()
    peer:default { { read = "request" }, { write = scripted_peer.answer(503) } }
    assert.equal(1, call({ retries = 0 }).attempts)
    assert.equal(2, call({ retries = 1 }).attempts)
    assert.equal(2, call(nil, { retries = 1 }).attempts)
    assert.equal(3, call().attempts)
  end)
end)

describe("the environment", function()
  local service = standin.start()
  local account = { BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http }
  local call = [[
    local braze = require "braze"
    local good, answer = pcall(braze.create_send_id, { campaign_id = "campaign_identifier", send_id = "mine" })
    io.write(good and answer.send_id or answer.kind .. " " .. tostring(answer))
  ]]

  local function with(changes)
    local environment = {}
    for name, value in pairs(account) do environment[name] = value end
    for name, value in pairs(changes) do environment[name] = value or nil end
    return environment
  end

  local rows = {
    { {}, call, "^mine$" },
    { { BRAZE_API_KEY = false }, call, "^usage .*BRAZE_API_KEY" },
    { { BRAZE_API_KEY = "" }, call, "^usage .*BRAZE_API_KEY is not set" },
    { { BRAZE_REST_ENDPOINT = false }, call, "^usage .*BRAZE_REST_ENDPOINT is not set" },
    { { BRAZE_REST_ENDPOINT = "" }, call, "^usage .*BRAZE_REST_ENDPOINT is not set" },
    { { BRAZE_API_KEY = canary .. "\n" }, call, "^usage .*BRAZE_API_KEY" },
    { { BRAZE_REST_ENDPOINT = "http://rest.braze.test" }, call, "^usage .*BRAZE_REST_ENDPOINT" },
    { { BRAZE_REST_ENDPOINT = "EU-1" }, call, "^usage .*did you mean \"EU%-01\"" },
    { { BRAZE_API_KEY = "nope" }, call, "^auth " },
    { { BRAZE_TIMEOUT = "" }, call, "^mine$" }, { { BRAZE_TIMEOUT = "2.5" }, call, "^mine$" },
    { { BRAZE_TIMEOUT = "1.2.3" }, call, "^usage .*BRAZE_TIMEOUT" },
    { { BRAZE_TIMEOUT = "0" }, call, "^usage .*BRAZE_TIMEOUT is 0" },
    { { BRAZE_TIMEOUT = "-1" }, call, "^usage .*BRAZE_TIMEOUT" },
    { { BRAZE_TIMEOUT = "601" }, call, "^usage .*BRAZE_TIMEOUT is 601.*seconds" },
    { { BRAZE_TIMEOUT = "30s" }, call, "^usage .*BRAZE_TIMEOUT" },
    { { BRAZE_TIMEOUT = "nan" }, call, "^usage .*BRAZE_TIMEOUT" },
    { { BRAZE_TIMEOUT = "." }, call, "^usage .*BRAZE_TIMEOUT" },
    { { BRAZE_CA_FILE = "" }, call, "^mine$" },
    { { BRAZE_REST_ENDPOINT = service.https, BRAZE_CA_FILE = service.ca_file }, call, "^mine$" },
    { { BRAZE_REST_ENDPOINT = service.https, BRAZE_CA_FILE = service.ca_directory }, call, "^mine$" },
    { { BRAZE_REST_ENDPOINT = service.https }, call, "^tls .*ca_file %(BRAZE_CA_FILE%)" },
    { { https_proxy = "socks5://host" }, call, "^mine$" },
    { { BRAZE_REST_ENDPOINT = "US-01", https_proxy = "socks5://host" }, call, "^usage .*https_proxy" },
    { { https_proxy = "" }, call, "^mine$" },
    { { BRAZE_REST_ENDPOINT = "US-01", HTTPS_PROXY = "socks5://host" }, call, "^usage .*HTTPS_PROXY" },
    { { BRAZE_REST_ENDPOINT = "US-01", https_proxy = "socks5://host", HTTPS_PROXY = "http://host" }, call,
      "^usage .*variable https_proxy" },
    { { BRAZE_TIMEOUT = "5s" }, call, "^usage .*BRAZE_TIMEOUT is \"5s\"", "without a unit" },
  }
  for _, row in ipairs(rows) do
    it("with " .. cjson.encode(row[1]):gsub(service.ca_file:match "^(.*/)", ""), function()
      local output = run(row[2], with(row[1]))
      assert.matches(row[3], output)
      assert.is_nil(output:find(canary, 1, true))
      if row[1].BRAZE_API_KEY ~= "nope" then assert.is_nil(output:find(service.key, 1, true)) end
    end)
  end

  it("gives way to options", function()
    local program = [[
      local braze = require "braze"
      local client = braze.new { api_key = %q, endpoint = %q, ca_file = %q, proxy = "", timeout = 5 }
      io.write(client:create_send_id({ campaign_id = "campaign_identifier", send_id = "mine" }).send_id)
    ]]
    assert.equal("mine", run(program:format(service.key, service.https, service.ca_file), {
      BRAZE_API_KEY = "nope", BRAZE_REST_ENDPOINT = "nowhere", BRAZE_CA_FILE = "/nowhere", BRAZE_TIMEOUT = "soon",
      https_proxy = "http://127.0.0.1:1",
    }))
  end)

  -- The one variable whose value is shown.
  it("is shown in one line, and not where it is the key in the wrong place", function()
    local output = run(call, with { BRAZE_TIMEOUT = canary .. "\nx" })
    assert.matches("^usage [^\n]*BRAZE_TIMEOUT[^\n]*$", output)
    assert.is_nil(output:find(canary, 1, true))
  end)

  it("ends a call by its BRAZE_TIMEOUT", function()
    local peer = scripted_peer.start()
    finally(function() peer:stop() end)
    local output = run(call, with { BRAZE_TIMEOUT = "0.05", BRAZE_REST_ENDPOINT = peer.url })
    assert.matches("^timeout .*within 0%.05 s", output)
  end)

  it("makes one default client, at the first use", function()
    service.reset()
    assert.equal("usage usage mine mine", run([[
      local braze = require "braze"
      for _, parameters in ipairs { {}, 5 } do
        local _, failure = pcall(braze.create_send_id, parameters)
        io.write(failure.kind, " ")
      end
      local parameters = { campaign_id = "campaign_identifier", send_id = "mine" }
      io.write(braze.create_send_id(parameters).send_id, " ", braze.safe.create_send_id(parameters).send_id)
    ]], account))
    local requests = service.log().requests
    assert.equal(2, #requests)
    assert.equal(requests[1].connection, requests[2].connection)
  end)
end)

describe("a proxy", function()
  local service = standin.start()
  local established = "HTTP/1.1 200 Connection established\r\nx-ratelimit-limit: 7\r\nx-request-id: proxy\r\n\r\n"
  local peer
  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  before_each(function()
    peer:reset()
    service.reset()
    peer:default { { read = "request" }, { write = established }, { connect = service.https_port } }
  end)

  local function call(proxy, changes)
    local options = { api_key = service.key, ca_file = service.ca_file, proxy = proxy, retries = 0 }
    options.endpoint = "https://rest.braze.test"
    for name, value in pairs(changes or {}) do options[name] = value end
    local client = braze.new(options)
    local _, answer = pcall(client.create_send_id, client, { campaign_id = service.campaign_id, send_id = "mine" })
    client:close()
    return answer
  end

  it("gets a CONNECT and nothing of the request; its headers do not count", function()
    local result = call(peer.url)
    assert.equal("mine", result.send_id)
    assert.equal(100, result.rate_limit.limit)
    assert.not_equal("proxy", result.request_id)
    assert.equal(1, result.attempts)
    local received = peer:log()[1].received
    assert.matches("^CONNECT rest%.braze%.test:443 HTTP/1%.1\r\n", received)
    assert.is_nil(received:find(service.key, 1, true))
    assert.is_nil(received:lower():find("proxy-authorization", 1, true))
    assert.equal("rest.braze.test", service.log().requests[1].headers.host)
  end)

  it("gets the host of every instance", function()
    peer:default { { read = "request" }, { write = scripted_peer.answer(407) } }
    for _, url in pairs(braze.instances) do assert.equal("network", call(peer.url, { endpoint = url }).kind) end
    local hosts = {}
    for _, connection in ipairs(peer:log()) do hosts[connection.received:match "^CONNECT (%S+):443 "] = true end
    for name, url in pairs(braze.instances) do assert.is_true(hosts[url:match "^https://(.*)$"], name) end
  end)

  it("gets user and password, decoded, which nobody else sees", function()
    local with_user = peer.url:gsub("//", "//canary%%2Duser:canary%%40password%%3A@")
    assert.equal("mine", call(with_user).send_id)
    local encoded = mime.b64 "canary-user:canary@password:"
    assert.is_truthy(peer:log()[1].received:find("\r\nProxy-Authorization: Basic " .. encoded .. "\r\n", 1, true))
    peer:default { { read = "request" }, { write = scripted_peer.answer(407, {
      ["x-echo"] = "canary-user canary@password:", ["proxy-authenticate"] = "Basic realm=\"canary-user\"",
    }, "canary-user:canary@password: canary%40password%3A " .. encoded) } }
    local failure = call(with_user)
    local whole = cjson.encode(failure) .. tostring(failure)
    for _, secret in ipairs { "canary", encoded } do assert.is_nil(whole:find(secret, 1, true)) end
    refusal(function() new { proxy = "http://canary-user:canary-password@/" } end)
  end)

  it("gets a user and a password of 16 KiB", function()
    local password = ("x"):rep(16384 - #"user:")
    assert.equal("mine", call((peer.url:gsub("//", "//user:" .. password .. "@"))).send_id)
    local encoded = mime.b64("user:" .. password)
    assert.is_truthy(peer:log()[1].received:find("\r\nProxy-Authorization: Basic " .. encoded .. "\r\n", 1, true))
  end)

  for _, row in ipairs { { 407, 1 }, { 403, 1 }, { 503, 2 }, { 502, 2 } } do
    local status, connections = row[1], row[2]
    it(("that answers %d is asked %d times with one retry"):format(status, connections), function()
      local headers = { "retry-after: 0", "x-request-id: proxy", "x-ratelimit-limit: 7" }
      peer:default { { read = "request" }, { write = scripted_peer.answer(status, headers, "no") } }
      local failure = call(peer.url, { retries = 1 })
      assert.equal("network", failure.kind)
      assert.is_false(failure.maybe_applied)
      assert.equal(0, failure.attempts)
      assert.is_nil(failure.status or failure.body or failure.request_id or failure.retry_at)
      assert.same({}, failure.rate_limit)
      assert.is_number(failure.curl_code)
      assert.matches(("proxy answered %d"):format(status), failure.message)
      assert.equal(status == 407, failure.hint:find("missing, or the proxy does not take them", 1, true) ~= nil)
      assert.equal(connections, #peer:log())
    end)
  end

  it("that closes, or is not there, has not let the request leave", function()
    for _, script in ipairs {
      { { read = "request" }, { close = "fin" } }, { { read = "request" }, { close = "reset" } },
      { { read = "request" }, { write = "garbage\r\n\r\n" } }, { { read = "request" }, { write = established } },
    } do
      peer:play(script)
      local failure = call(peer.url)
      assert.is_true(failure.kind == "network" or failure.kind == "tls", failure.kind)
      assert.is_false(failure.maybe_applied)
      assert.equal(0, failure.attempts)
    end
    assert.equal("network", call("http://127.0.0.1:1").kind)
  end)

  it("is never used for a loopback host", function()
    for _, endpoint in ipairs {
      service.http, service.https, "https://127.0.0.1:" .. service.https_port, "http://[::1]:1", "http://LOCALHOST:1",
    } do
      call(peer.url, { endpoint = endpoint })
    end
    assert.same({}, peer:log())
    assert.equal(3, #service.log().requests)
  end)

  -- 0.0.0.0 is this machine, yet no loopback address: no name need be resolved, and port 1 refuses.
  local program = ([[
    local client = require("braze").new { api_key = %q, endpoint = %q, ca_file = %q, retries = 0 }
    local good, answer = pcall(client.create_send_id, client, { campaign_id = %q, send_id = "mine" })
    io.write(good and answer.send_id or answer.kind)
  ]])
  local rows = {
    { "https_proxy", { https_proxy = true }, "https://rest.braze.test", 1, "mine" },
    { "https_proxy but for one", { https_proxy = true, no_proxy = "b.test" }, "https://rest.braze.test", 1, "mine" },
    { "https_proxy but for nobody", { https_proxy = true, no_proxy = "" }, "https://rest.braze.test", 1, "mine" },
    { "https_proxy but for it", { https_proxy = true, no_proxy = "0.0.0.0" }, "https://0.0.0.0:1", 0, "network" },
    { "https_proxy but for two", { https_proxy = true, no_proxy = "b, 0.0.0.0" }, "https://0.0.0.0:1", 0, "network" },
    { "https_proxy but for all", { https_proxy = true, no_proxy = "*" }, "https://0.0.0.0:1", 0, "network" },
    { "HTTPS_PROXY", { HTTPS_PROXY = true }, "https://rest.braze.test", 1, "mine" },
    { "https_proxy before HTTPS_PROXY", { https_proxy = true, HTTPS_PROXY = "http://127.0.0.1:1" },
      "https://rest.braze.test", 1, "mine" },
    { "HTTPS_PROXY where the other is empty", { https_proxy = "", HTTPS_PROXY = true }, "https://rest.braze.test", 1,
      "mine" },
    { "HTTPS_PROXY but for NO_PROXY", { HTTPS_PROXY = true, NO_PROXY = "0.0.0.0" }, "https://0.0.0.0:1", 0, "network" },
    { "https_proxy but for NO_PROXY", { https_proxy = true, NO_PROXY = "0.0.0.0" }, "https://0.0.0.0:1", 0, "network" },
    { "no_proxy before NO_PROXY", { https_proxy = true, no_proxy = "b.test", NO_PROXY = "*" },
      "https://rest.braze.test", 1, "mine" },
    { "http_proxy", { http_proxy = true, HTTP_PROXY = true }, "https://0.0.0.0:1", 0, "network" },
    { "all_proxy", { all_proxy = true, ALL_PROXY = true }, "https://0.0.0.0:1", 0, "network" },
    { "http_proxy on loopback", { http_proxy = true, all_proxy = true, ALL_PROXY = true }, service.http, 0, "mine" },
    { "https_proxy on loopback", { https_proxy = true, all_proxy = true }, service.https, 0, "mine" },
  }
  for _, row in ipairs(rows) do
    local name, variables, endpoint, connections, expected = row[1], row[2], row[3], row[4], row[5]
    it(("of the environment: %s: is asked %d times"):format(name, connections), function()
      local environment = {}
      for variable, value in pairs(variables) do environment[variable] = value == true and peer.url or value end
      local output = run(program:format(service.key, endpoint, service.ca_file, service.campaign_id), environment)
      assert.equal(expected, output)
      assert.equal(connections, #peer:log())
    end)
  end

  -- Only LuaJIT can change its own environment without another library.
  local it_on_luajit = rawget(_G, "jit") and it or function() end
  it_on_luajit("of the environment is read once, when the client is made", function()
    assert.equal("mine", run(([[
      local ffi = require "ffi"
      ffi.cdef "int setenv(const char *, const char *, int);"
      local client = require("braze").new { api_key = %q, endpoint = "https://rest.braze.test", ca_file = %q }
      ffi.C.setenv("https_proxy", "http://127.0.0.1:1", 1)
      io.write(client:create_send_id({ campaign_id = "campaign_identifier", send_id = "mine" }).send_id)
    ]]):format(service.key, service.ca_file), { https_proxy = peer.url }))
  end)
end)
