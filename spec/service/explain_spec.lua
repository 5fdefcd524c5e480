-- explain: what an outcome is called, where no other spec comes by: limits and their times, answers with odd parts,
-- arguments of
-- every type.

local braze = require "braze"
local scripted_peer = require "spec.support.scripted_peer"

local answer = scripted_peer.answer

describe("the words of an error", function()
  local peer

  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  before_each(function() peer:reset() end)

  local function new()
    return braze.new { api_key = "braze-key-0123456789", endpoint = peer.url, timeout = 20, retries = 0 }
  end

  local function failure_of(text)
    peer:default { { read = "request" }, { write = text }, { again = true } }
    -- A new one each time: a connection that is kept goes on with the script that it began with.
    local client = new()
    local good, failure = pcall(client.create_send_id, client, { campaign_id = "campaign" })
    client:close()
    assert.is_false(good)
    assert.is_true(braze.is_error(failure))
    return failure
  end

  local function limited(seconds, more)
    local headers = { ["x-ratelimit-reset"] = ("%d"):format(os.time() + seconds) }
    for name, value in pairs(more or {}) do headers[name] = value end
    return failure_of(answer(429, headers, '{"message":"slow down"}'))
  end

  it("say how much of a limit is left, and when it comes back", function()
    local failure = limited(10800 + 30, { ["x-ratelimit-limit"] = 100, ["x-ratelimit-remaining"] = 0 })
    assert.matches("^the rate limit is used up: 0 of 100 left, resets %d+%-%d+%-%d+T%d+:%d+:%d+Z %(in 3 h 0 min%)",
      failure.message)
    assert.matches('; the service says "slow down"', failure.message, 1, true)
    assert.equal("call again then; the limit is the whole workspace's", failure.hint)
  end)

  it("count in seconds, minutes and hours", function()
    assert.matches("%(in 1[01]%d s%)", limited(115).message)
    assert.matches("%(in 1[01] min%)", limited(690).message)
    assert.matches("%(in 2 h 0 min%)", limited(7230).message)
    assert.matches("(already past)", limited(-100).message, 1, true)
  end)

  it("name a limit only where both of its numbers are there", function()
    assert.is_nil(limited(100, { ["x-ratelimit-limit"] = 100 }).message:find(" left", 1, true))
    assert.is_nil(limited(100, { ["x-ratelimit-remaining"] = 0 }).message:find(" left", 1, true))
  end)

  it("do not say when where nobody said it", function()
    local failure = failure_of(answer(429, {}, "{}"))
    assert.equal("call again later; the limit is the whole workspace's", failure.hint)
    assert.is_nil(failure.retry_at)
  end)

  it("leave a time out that is not the limit's", function()
    local failure = limited(100, { ["retry-after"] = 5000 })
    assert.equal("the limit is the whole workspace's", failure.hint)
    assert.is_true(failure.retry_at > os.time() + 4000)
  end)

  it("pass on when a service that is down asks to be called", function()
    local failure = failure_of(answer(503, { ["retry-after"] = 60 }, ""))
    assert.matches("; the service asks to be called after %d+%-%d+%-%d+T%d+:%d+:%d+Z %(in %d+ s%)$", failure.hint)
    failure = failure_of(answer(404, { ["retry-after"] = 600 }, "{}"))
    assert.matches("the service asks to be called after .* %(in %d+ min%)$", failure.hint)
  end)

  it("say what is missing where the service knows the path", function()
    local function hint_of(status, body, ...)
      peer:reset()
      peer:default { { read = "request" }, { write = answer(status, nil, body) }, { again = true } }
      local client = new()
      local good, failure = pcall(client.call, client, ...)
      client:close()
      assert.is_false(good)
      return failure.hint
    end
    local said = '{"message":"Could not find catalog"}'
    assert.equal("check what the path names, then the path, and the endpoint, now " .. peer.url,
      hint_of(404, said, "DELETE /catalogs/a"))
    assert.equal("the address is wrong: check the path and the endpoint, now " .. peer.url,
      hint_of(404, "", "DELETE /catalogs/a"))
    assert.equal("the address is wrong: check the endpoint, now " .. peer.url, hint_of(404, said, "list_campaigns"))
  end)

  it("name a proxy that lets through to something else than TLS", function()
    peer:default { { read = "request" }, { write = "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n" } }
    local client = braze.new {
      api_key = "braze-key-0123456789", endpoint = "https://rest.example", proxy = peer.url, retries = 0, timeout = 20,
    }
    local _, failure = pcall(client.create_send_id, client, { campaign_id = "campaign" })
    client:close()
    assert.same({ "tls", false, 0 }, { failure.kind, failure.maybe_applied, failure.attempts })
    assert.matches("speak TLS 1.2 or newer, and the proxy " .. peer.url, failure.hint, 1, true)
  end)

  it("say that all connections were in use by other calls", function()
    for count, words in pairs {
      [1] = "the only connection to %s did not become free", [2] = "none of the 2 connections to %s became free",
    } do
      peer:default { { read = "request" }, { hold = true } }
      local client = braze.new {
        api_key = "braze-key-0123456789", endpoint = peer.url, timeout = 20, max_connections = count,
      }
      for _ = 1, count do client:start("create_send_id", { campaign_id = "campaign" }) end
      local request = client:start("create_send_id", { campaign_id = "campaign" }, { timeout = 0.1 })
      assert.is_true(request:wait(10))
      local _, failure = pcall(request.result, request)
      client:close()
      assert.same({ "timeout", false, 0 }, { failure.kind, failure.maybe_applied, failure.attempts })
      assert.matches(words:format(peer.url:match "//(.*)") .. " within 0.1 s", failure.message, 1, true)
      assert.equal("raise max_connections or timeout, or start fewer calls at a time", failure.hint)
    end
  end)

  it("hold the errors of a body as a list without its nulls", function()
    local failure = failure_of(answer(400, {},
      '{"message":"bad","errors":["a",null,"b",null,{"x":null,"y":[null]}],"more":null}'))
    assert.same({ "a", "b", { y = {} } }, failure.errors)
    assert.same({ { field = "x" } }, failure_of(answer(400, {}, '{"message":"bad","errors":{"field":"x"}}')).errors)
    for _, empty in ipairs { "[]", "{}" } do
      assert.same({}, failure_of(answer(400, {}, '{"message":"bad","errors":' .. empty .. "}")).errors)
    end
    assert.same({ "one" }, failure_of(answer(400, {}, '{"errors":"one"}')).errors)
    assert.is_nil(failure_of(answer(400, {}, '{"errors":1}')).errors)
    assert.is_nil(failure_of(answer(400, {}, '{"errors":null}')).errors)
  end)

  it("say where a redirect would have led, or that nobody said", function()
    assert.matches('redirects to "https://elsewhere/", which is not followed', failure_of(answer(301,
      { location = "https://elsewhere/" }, "")).message, 1, true)
    assert.matches("redirects, without saying where to", failure_of(answer(302, {}, "")).message, 1, true)
    assert.matches("says that nothing has changed", failure_of("HTTP/1.1 304 Not Modified\r\n\r\n").message, 1, true)
  end)

  it("tell an answer that queued the call from one that only looks so", function()
    assert.matches("queued the call", failure_of(answer(202, {}, '{"message":"queued"}')).message, 1, true)
    assert.matches("does not say success", failure_of(answer(202, {}, '{"message":"queue"}')).message, 1, true)
  end)

  it("name every type that stands in the wrong place", function()
    local client = new()
    local rows = {
      { nil, "nothing" }, { true, "true, a boolean" }, { 1, "the number 1" }, { "x", 'the string "x"' },
      { print, "a function" }, { client, "a userdata" },
      { "0f1e2d3c-4b5a", "a string (13 characters; not shown, it may be a key)" },
      { coroutine.create(function() end), "a coroutine" }, { io.stdout, "a userdata" },
    }
    for i = 1, 9 do
      local _, failure = pcall(client.create_send_id, client, rows[i][1])
      assert.equal("create_send_id takes a table of parameters, not " .. rows[i][2], failure.message)
    end
    client:close()
  end)
end)
