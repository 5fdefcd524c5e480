-- The stand-in does what its README says.

local cjson = require "cjson"
local http = require "socket.http"
local ltn12 = require "ltn12"
local socket = require "socket"
local ssl = require "ssl"
local standin = require "spec.support.standin"

local function rate_limit_of(headers)
  return headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"], headers["x-ratelimit-reset"]
end

describe("the stand-in", function()
  local service = standin.start()

  -- Sends a request; returns status, decoded body and headers.
  local function send(request)
    local body = request.body or cjson.encode(request.parameters or { campaign_id = "campaign_identifier" })
    local headers = {
      ["authorization"] = "Bearer " .. (request.key or service.key),
      ["content-type"] = "application/json",
      ["content-length"] = #body,
    }
    for name, value in pairs(request.headers or {}) do headers[name] = value or nil end
    local chunks = {}
    local _, status, answer_headers = assert(http.request {
      url = service.http .. (request.path or "/sends/id/create"),
      method = request.method or "POST",
      headers = headers,
      source = ltn12.source.string(body),
      sink = ltn12.sink.table(chunks),
    })
    return status, cjson.decode(table.concat(chunks)), answer_headers
  end

  before_each(service.reset)

  it("is started once for a process, whatever is loaded anew", function()
    package.loaded["spec.support.standin"] = nil
    assert.equal(service, require("spec.support.standin").start())
  end)

  it("answers 201 with the send_id and the rate limit", function()
    local status, body, headers = send { parameters = { campaign_id = "campaign_identifier", send_id = "mine" } }
    assert.equal(201, status)
    assert.same({ message = "success", send_id = "mine" }, body)
    local limit, remaining, reset = rate_limit_of(headers)
    assert.equal("100", limit)
    assert.equal("99", remaining)
    assert.equal(0, tonumber(reset) % 86400)
    assert.is_true(tonumber(reset) > os.time() and tonumber(reset) <= os.time() + 86400)
    assert.matches("^%x+%-%x+%-%x+%-%x+%-%x+$", headers["x-request-id"])
    assert.equal("application/json", headers["content-type"])
  end)

  it("sends the rate headers in lower case", function()
    local client = assert(socket.connect("127.0.0.1", service.http_port))
    local body = '{"campaign_id":"campaign_identifier"}'
    client:send(("POST /sends/id/create HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
      .. "Content-Type: application/json\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s")
      :format(service.key, #body, body))
    local answer = client:receive "*a"
    client:close()
    for _, name in ipairs { "limit", "remaining", "reset" } do
      assert.matches("\r\nx%-ratelimit%-" .. name .. ": %d+\r\n", answer)
    end
    assert.matches("\r\nx%-request%-id: ", answer)
  end)

  it("makes an id where none is given, and counts it", function()
    local _, first = send {}
    local _, second, headers = send {}
    assert.matches("^%x%x%x%x%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%-%x%x%x%x%x%x%x%x%x%x%x%x$", first.send_id)
    assert.equal(first.send_id:lower(), first.send_id)
    assert.not_equal(first.send_id, second.send_id)
    assert.equal("98", headers["x-ratelimit-remaining"])
    assert.equal(2, service.count "campaign_identifier")
  end)

  it("answers a repeated pair with success and does not count it again", function()
    for _ = 1, 2 do
      local status, _, headers = send { parameters = { campaign_id = "campaign-a", send_id = "mine" } }
      assert.equal(201, status)
      assert.equal("99", headers["x-ratelimit-remaining"])
    end
    send { parameters = { campaign_id = "campaign-b", send_id = "mine" } }
    assert.equal(1, service.count "campaign-a")
    assert.equal(1, service.count "campaign-b")
  end)

  it("refuses the 101st pair of a workspace's day, and only there", function()
    local key = service.workspace_key "quota"
    for number = 1, 100 do
      assert.equal(201, (send { key = key, parameters = { campaign_id = "campaign-q", send_id = "id-" .. number } }))
    end
    local status, body, headers = send { key = key, parameters = { campaign_id = "campaign-q", send_id = "more" } }
    assert.equal(429, status)
    assert.is_string(body.message)
    assert.equal("0", headers["x-ratelimit-remaining"])
    assert.is_nil(headers["retry-after"])
    assert.equal(201, (send { key = key, parameters = { campaign_id = "campaign-q", send_id = "id-1" } }))
    assert.equal(201, (send { parameters = { campaign_id = "campaign-q", send_id = "more" } }))
    assert.equal(201, (send { key = service.second_key }))
    assert.equal(101, service.count "campaign-q")
  end)

  it("serves the same behind a gateway's path and after a delay", function()
    assert.equal(201, (send { path = "/gateway/sends/id/create" }))
    local began = socket.gettime()
    assert.equal(201, (send { path = "/slow/50/sends/id/create" }))
    assert.is_true(socket.gettime() - began >= 0.05)
    assert.equal(201, (send { path = "/fast/sends/id/create" }))
  end)

  local long = ("x"):rep(65)
  local refusals = {
    { "a trailing slash", { path = "/sends/id/create/" }, 403, "Access Denied" },
    { "another path", { path = "/sends/id/made" }, 404, "Invalid URL" },
    { "another method", { method = "PUT" }, 404, "Invalid URL" },
    { "no content type", { headers = { ["content-type"] = false } }, 415, "Unsupported Media Type" },
    { "another content type", { headers = { ["content-type"] = "text/plain" } }, 415, "Unsupported Media Type" },
    { "no key", { headers = { authorization = false } }, 401, "Error authenticating credentials" },
    { "two spaces", { headers = { authorization = "Bearer  braze-standin-key" } }, 401,
      "Error authenticating credentials" },
    { "an unknown key", { key = "nope" }, 401, "Invalid API key: nope" },
    { "a key without the permission", { key = service.key_without_permission }, 403, "Access Denied" },
    { "more than 4 MB", { body = (" "):rep(4 * 1024 * 1024 + 1) }, 413, "Request Entity Too Large" },
    { "broken JSON", { body = '{"campaign_id":' }, 400, "Malformed JSON" },
    { "JSON that is no object", { body = '["campaign_identifier"]' }, 400, "Malformed JSON" },
    { "no campaign_id", { body = "{}" }, 400, "campaign_id must be a string of the campaign api identifier" },
    { "an empty campaign_id", { parameters = { campaign_id = "" } }, 400,
      "campaign_id must be a string of the campaign api identifier" },
    { "a number as campaign_id", { parameters = { campaign_id = 1 } }, 400,
      "campaign_id must be a string of the campaign api identifier" },
    { "an unknown campaign", { parameters = { campaign_id = "nope" } }, 400, "Invalid Campaign ID" },
    { "a number as send_id", { parameters = { campaign_id = "campaign-1", send_id = 1 } }, 400,
      "send_id must be a string" },
    { "an empty send_id", { parameters = { campaign_id = "campaign-1", send_id = "" } }, 400,
      "send_id must not be empty" },
    { "a long send_id", { parameters = { campaign_id = "campaign-1", send_id = long } }, 400,
      "send_id must be at most 64 characters" },
    { "a send_id beyond ASCII", { parameters = { campaign_id = "campaign-1", send_id = "\195\164" } }, 400,
      "send_id must be ASCII" },
  }
  for _, refusal in ipairs(refusals) do
    local name, request, expected_status, message = refusal[1], refusal[2], refusal[3], refusal[4]
    it("refuses " .. name .. ", uncounted", function()
      local status, body = send(request)
      assert.equal(expected_status, status)
      assert.equal(message, body.message)
      local _, _, headers = send { parameters = { campaign_id = "campaign-after" } }
      assert.equal("99", headers["x-ratelimit-remaining"])
    end)
  end

  it("takes the scheme in any case and a content type with parameters", function()
    assert.equal(201, (send { headers = {
      authorization = "bEARER " .. service.key, ["content-type"] = "Application/JSON; charset=utf-8",
    } }))
    assert.equal(201, (send { parameters = { campaign_id = "campaign-1", send_id = ("x"):rep(64) } }))
  end)

  it("has empty rate headers where the key is unknown, numbers where a known key is refused", function()
    local _, _, unknown = send { key = "nope" }
    assert.same({ "", "", "" }, { rate_limit_of(unknown) })
    local _, _, refused = send { parameters = { campaign_id = "nope" } }
    assert.equal("100", refused["x-ratelimit-remaining"])
  end)

  it("logs what arrived and forgets it on reset", function()
    assert.same({}, service.log().requests)
    send { body = '{"campaign_id":"\255\0"}', headers = { ["x-mine"] = "1" } }
    local requests = service.log().requests
    assert.equal(1, #requests)
    local request = requests[1]
    assert.equal("POST", request.method)
    assert.equal("/sends/id/create", request.path)
    assert.equal('{"campaign_id":"\255\0"}', request.body)
    assert.equal("1", request.headers["x-mine"])
    assert.is_number(request.connection)
    assert.equal(1, request.connection_requests)
    service.reset()
    assert.same({ requests = {} }, service.log())
    assert.equal(0, service.count "campaign_identifier")
  end)

  for _, protocol in ipairs { "tlsv1_2", "tlsv1_3" } do
    it("serves " .. protocol .. " with a certificate that the test authority vouches for", function()
      for _, trust in ipairs { { cafile = service.ca_file }, { capath = service.ca_directory } } do
        local client = assert(socket.connect("127.0.0.1", service.https_port))
        local wrapped = assert(ssl.wrap(client, {
          mode = "client", protocol = protocol, verify = "peer", cafile = trust.cafile, capath = trust.capath,
        }))
        assert(wrapped:dohandshake())
        assert(wrapped:send "POST /fast/sends/id/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")
        assert.equal("HTTP/1.1 201 Created", wrapped:receive "*l")
        wrapped:close()
      end
    end)
  end

  it("has a certificate for localhost, rest.braze.test, 127.0.0.1 and ::1", function()
    for _, check in ipairs { "host localhost", "host rest.braze.test", "ip 127.0.0.1", "ip ::1" } do
      local verify = "openssl verify -CAfile '%s' -verify_%s '%s' 2>&1"
      local kind, name = check:match "^(%a+) (.*)$"
      verify = verify:format(service.ca_file, (kind == "ip" and "ip " or "hostname ") .. name,
        service.server_certificate)
      local output = io.popen(verify)
      assert.matches(": OK\n$", output:read "*a")
      output:close()
    end
  end)
end)
