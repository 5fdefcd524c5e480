-- Any other endpoint, called by method and path: what leaves, what comes back, and what is no route.

local braze = require "braze"
local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local key = "braze-key-0123456789"
local answer = scripted_peer.answer

describe("a route", function()
  local peer, client = with_peer.client({ retries = 2 },
    { { read = "request" }, { write = answer(200, nil, '{"ok":true}') } })

  local function last()
    local log = peer:log()
    local line, lines, body = log[#log].received:match "^(.-) HTTP/1%.1\r\n(.*\r\n)\r\n(.*)$"
    return line, body, lines
  end

  local function failed(...)
    local good, err = pcall(client.call, client, ...)
    assert.is_false(good)
    assert.is_true(braze.is_error(err), tostring(err))
    return err
  end

  local sent = {
    { "GET /a", nil, nil, "GET /a", "" },
    { "GET /a", {}, nil, "GET /a", "" },
    { "GET /a", { b = 1 }, nil, "GET /a?b=1", "" },
    { "GET /a", { b = 1 }, { query = { c = "d e" } }, "GET /a?b=1&c=d%20e", "" },
    { "POST /a/b-c_d.e~%41", { b = 1 }, nil, "POST /a/b-c_d.e~%41", '{"b":1}' },
    { "POST /a", nil, nil, "POST /a", "" },
    { "POST /a", {}, nil, "POST /a", "{}" },
    { "POST /a", { 1, 2 }, { query = { x = true } }, "POST /a?x=true", "[1,2]" },
    { "PUT /a", { b = 1 }, nil, "PUT /a", '{"b":1}' },
    { "PUT /a", nil, nil, "PUT /a", "" },
    { "PATCH /a", { b = 1 }, nil, "PATCH /a", '{"b":1}' },
    { "PATCH /a", nil, nil, "PATCH /a", "" },
    { "DELETE /a", nil, nil, "DELETE /a", "" },
    { "DELETE /a", { b = 1 }, nil, "DELETE /a", '{"b":1}' },
    { "DELETE /a", nil, { query = { c = 1 } }, "DELETE /a?c=1", "" },
    { "GET /", nil, nil, "GET /", "" },
    { "GET /a/", nil, nil, "GET /a/", "" },
  }
  for number, row in ipairs(sent) do
    it(("row %d sends %s %s"):format(number, row[4], row[5]), function()
      local result = client:call(row[1], row[2], row[3])
      assert.is_true(result.ok)
      assert.equal(200, result.status)
      local line, body, lines = last()
      assert.equal(row[4], line)
      assert.equal(row[5], body)
      assert.equal(body ~= "", lines:find("Content-Type: application/json\r\n", 1, true) ~= nil)
      if body ~= "" then assert.is_truthy(lines:find("Content-Length: " .. #body .. "\r\n", 1, true)) end
    end)
  end

  it("stands behind the path of the endpoint", function()
    local other = braze.new { api_key = key, endpoint = peer.url .. "/gateway/" }
    other:call("DELETE /a/b")
    other:close()
    assert.equal("DELETE /gateway/a/b", (last()))
  end)

  it("may be started", function()
    local request = client:start("PUT /a", { b = 1 }, { query = { c = 1 } })
    request:wait()
    assert.is_true(request:result().ok)
    assert.equal("PUT /a?c=1", (last()))
  end)

  local answers = {
    { 200, "[1,2]", { 1, 2 } }, { 200, "5", 5 }, { 200, '"text"', "text" }, { 200, "true", true }, { 200, "[]", {} },
    { 200, " [{}] ", { {} } }, { 204, nil, nil }, { 200, "", nil }, { 202, "null", nil },
  }
  for _, row in ipairs(answers) do
    it(("succeeds with %d %s"):format(row[1], tostring(row[2])), function()
      local text = row[1] == 204 and "HTTP/1.1 204 No Content\r\n\r\n" or answer(row[1], nil, row[2])
      peer:default { { read = "request" }, { write = text } }
      local result = client:call("POST /a", {})
      assert.equal(row[1], result.status)
      assert.equal(1, result.attempts)
      assert.same(row[3], result.body)
    end)
  end

  it("has the fields of an object, ours before the answer's, and a null for none", function()
    local body = '{"body":"b","status":"x","a":null,"next":5,"attempts":"y"}'
    peer:default { { read = "request" }, { write = answer(200, nil, body) } }
    local result = client:call("GET /a")
    assert.equal("b", result.body)
    assert.equal(200, result.status)
    assert.equal(1, result.attempts)
    assert.is_nil(result.a)
  end)

  it("fails where a 2xx is no JSON", function()
    peer:default { { read = "request" }, { write = answer(200, nil, "<html>") } }
    local err = failed("POST /a", {})
    assert.equal("protocol", err.kind)
    assert.is_true(err.maybe_applied)
    assert.equal("POST /a", err.operation)
    err = failed("GET /a", {})
    assert.equal("protocol", err.kind)
    assert.is_false(err.maybe_applied)
    assert.equal("GET /a", err.operation)
  end)

  it("names itself in every error", function()
    peer:default { { read = "request" }, { write = answer(400, nil, '{"message":"no","errors":["one"]}') } }
    local err = failed("PATCH /a/b", {})
    assert.equal("PATCH /a/b", err.operation)
    assert.same({ "one" }, err.errors)
    assert.matches("no", err.message)
  end)

  local wrong = {
    "", " ", "GET", "GET ", "get /a", "HEAD /a", "OPTIONS /a", "CONNECT /a", "GET  /a", "GET a", "GET //a", "GET /a//b",
    "GET /a?b=c", "GET /a#b", "GET /a b", "GET /a\n", "GET /\195\164", "GET /..", "GET /a/../b", "GET /a/.",
    "GET /%2e%2E/b", "GET /a\\b", "GET /a\0",
    "GET https://other.example/a", "POST https://rest.iad-01.braze.com/a", "GET @other.example/a", "/a",
    "GET /a\r\nHost: other.example",
  }
  for _, text in ipairs(wrong) do
    it("is not " .. ("%q"):format(text), function()
      local err = failed(text, {})
      assert.equal("usage", err.kind)
      assert.is_string(err.hint)
      assert.is_nil(tostring(err):find "[\r\n]")
      assert.equal("usage", select(2, pcall(client.start, client, text, {})).kind)
      assert.equal("usage", select(2, pcall(client.each, client, text, {}, { items = "a" })).kind)
      assert.equal("usage", select(2, pcall(braze.call, text, {})).kind)
      assert.equal(0, #peer:log())
    end)
  end

  it("that is refused shows nothing of the default client's key", function()
    local output = child.run([[
      local braze = require "braze"
      local key = os.getenv "BRAZE_API_KEY"
      pcall(braze.create_send_id, { campaign_id = "campaign" })
      for _, name in ipairs { "GET /x?key=" .. key, "get /" .. key, "GET /../" .. key } do
        local _, failure = pcall(braze.call, name)
        io.write(failure.kind, " ", tostring(failure):find(key, 1, true) and "shown" or "not shown", "\n")
      end
    ]], { BRAZE_API_KEY = key, BRAZE_REST_ENDPOINT = peer.url })
    assert.equal(("usage not shown\n"):rep(3), output)
  end)

  it("is proposed where a name is unknown", function()
    local err = failed("send_mesages", {})
    assert.equal('call: there is no operation "send_mesages"', err.message)
    assert.equal('did you mean "send_messages"?', err.hint)
    -- One call's key is another client's secret, or one that no client has yet.
    local other = "0f1e2d3c-4b5a-6978-8796"
    for _, call in ipairs { braze.call, function(name) return client:call(name) end } do
      err = select(2, pcall(call, other))
      assert.equal("call: there is no operation (23 characters; not shown, it may be a key)", err.message)
      err = select(2, pcall(call, "GET /users/export?" .. other))
      assert.matches("^the route %(41 characters; not shown, it may hold a key%) has a query", err.message)
    end
    err = failed("users_track", {})
    assert.is_truthy(err.hint:find('"POST /users/track"', 1, true))
    for _, value in ipairs { 5, true, {}, print } do
      assert.matches("^call takes the name of an operation, not ", failed(value).message)
      assert.matches("write client:each%(\"list_campaigns\"", select(2, pcall(client.each, client, value)).hint)
      assert.matches("write client:start%(\"create_send_id\"", select(2, pcall(client.start, client, value)).hint)
    end
  end)

  it("never leaves with a bad option", function()
    for _, options in ipairs {
      { repeatable = 1 }, { repeatable = "true" }, { query = 5 }, { query = "a=b" }, { query = { "a" } },
      { items = "a" }, { max_pages = 5 }, { on_done = print }, { quary = {} },
    } do
      assert.equal("usage", failed("POST /a", {}, options).kind)
    end
    assert.equal('did you mean "query"?', failed("POST /a", {}, { quary = {} }).hint)
    assert.equal("give it to client:each", failed("POST /a", {}, { max_pages = 5 }).hint)
    assert.equal(0, #peer:log())
  end)

  it("that only reads says so where it is cancelled, and not that nothing left", function()
    peer:default { { read = "request" }, { hold = true } }
    local request = client:start "GET /a"
    while peer:requests() == 0 do request:wait(0.01) end
    request:cancel()
    local _, err = pcall(request.result, request)
    assert.same({ "cancelled", false, "cancelled; it only reads, so nothing was changed" },
      { err.kind, err.maybe_applied, err.message })
  end)

  describe("next", function()
    local function next_of(link, host)
      local headers = { link = link:gsub("HOST", host or "127.0.0.1:" .. peer.port) }
      peer:default { { read = "request" }, { write = answer(200, headers, "{}") } }
      return client:call("GET /catalogs").next
    end

    it("is the query that the Link header names", function()
      assert.same({ cursor = "a=b c" }, next_of '</catalogs?cursor=a%3Db%20c>; rel="next"')
      assert.same({ cursor = "x", limit = "50" }, next_of '<http://HOST/catalogs?cursor=x&limit=50>; rel="next"')
      assert.same({ x = "3" }, next_of '</catalogs?x=1>; rel="prev", </catalogs?x=3>; rel=next')
      assert.same({ flag = "", x = "1" }, next_of '</catalogs?flag&&x=1&=y>; rel="next"')
    end)

    it("has a list where the query has one", function()
      assert.same({ ids = { "1", "2" }, x = "3" }, next_of '<?ids%5B%5D=1&x=3&ids[]=2>; rel="next"')
    end)

    it("is never another host's", function()
      for _, host in ipairs { "other.example", "127.0.0.1", "127.0.0.1:1", "127.0.0.1:%d.evil", "evil@127.0.0.1:%d" } do
        assert.is_nil(next_of('<http://HOST/catalogs?x=1>; rel="next"', (host:gsub("%%d", tostring(peer.port)))))
      end
      assert.is_nil(next_of '<//other.example/catalogs?x=1>; rel="next"')
    end)

    it("is ours alone: a field of that name in the answer is none", function()
      peer:default { { read = "request" }, { write = answer(200, nil, '{"next":{"page":1},"replayed":true,"x":1}') } }
      local result = client:call("GET /catalogs")
      assert.same({ n = 3, nil, nil, 1 }, { n = 3, result.next, result.replayed, result.x })
    end)

    it("is absent where there is none", function()
      for _, link in ipairs { '</catalogs?x=1>; rel="prev"', '</catalogs>; rel="next"', "garbage", "" } do
        assert.is_nil(next_of(link))
      end
    end)
  end)
end)
