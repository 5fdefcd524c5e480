-- sockets: connections that are kept. What a server does to one between two calls, whatever else the client is doing,
-- costs no call and makes nothing twice; and what arrives has a limit.

local braze = require "braze"
local scripted_peer = require "spec.support.scripted_peer"
local standin = require "spec.support.standin"

local answer, created = scripted_peer.answer, scripted_peer.created
local read, again = { read = "request" }, { again = true }
local without, with = { campaign_id = "campaign" }, { campaign_id = "campaign", send_id = "mine" }

describe("a connection that is kept", function()
  local service = standin.start()
  local peer, client, tls

  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  after_each(function()
    if client then client:close() end
  end)

  local function start_over(scheme)
    if client then client:close() end
    peer:reset()
    client = braze.new {
      api_key = "braze-key-0123456789", endpoint = scheme .. "://localhost:" .. peer.port, timeout = 20,
      ca_file = scheme == "https" and service.ca_file or nil,
    }
    tls = scheme == "https" and { tls = { certificate = service.server_certificate, key = service.server_key } } or nil
  end

  -- A script, over TLS where the client speaks it.
  local function script(...)
    return tls and { tls, ... } or { ... }
  end

  local function call(parameters, mode, options)
    if mode == "blocking" then return select(2, pcall(client.create_send_id, client, parameters, options)) end
    local request = client:start("create_send_id", parameters, options)
    assert.is_true(request:wait(30))
    return select(2, pcall(request.result, request))
  end

  -- Starts a call that stays in flight, on a connection of its own.
  local function start_slow_call()
    peer:play(script(read, { hold = true }))
    client:start("create_send_id", with)
    assert.is_true(peer:wait { requests = 1 })
  end

  local stray = created "not yours"
  local events = {
    ["is sent an answer that nobody asked for"] = { { write = stray } },
    ["is sent a 429 that nobody asked for"] = { { write = answer(429, { ["retry-after"] = 0 }, "{}") } },
    ["is sent a 400 that nobody asked for"] = { { write = answer(400, {}, "{}") } },
    ["is sent half an answer"] = { { write = stray:sub(1, 40) } },
    ["is closed with a 408"] = { { write = answer(408, { connection = "close" }, "{}") }, { close = "fin" } },
    ["is closed"] = { { close = "fin" } },
    ["is cut"] = { { close = "cut" } },
    ["is reset"] = { { close = "reset" } },
  }

  for _, scheme in ipairs { "http", "https" } do
    for _, mode in ipairs { "blocking", "started", "started beside a slow one" } do
      for event, steps in pairs(events) do
        it(("over %s that %s is not used by the next call, %s"):format(scheme, event, mode), function()
          for _, parameters in ipairs { without, with } do
            start_over(scheme)
            local before = 0
            if mode == "started beside a slow one" then
              start_slow_call()
              before = 1
            end
            local first = script(read, { write = created() })
            for _, step in ipairs(steps) do first[#first + 1] = step end
            first[#first + 1] = { hold = true }
            peer:play(first)
            peer:default(script(read, { write = created() }, read, { write = created() }))
            assert.equal(1, call(with, mode).attempts)
            -- What the peer wrote before it answers this lies in the client's socket.
            assert.equal(before + 1, peer:requests())
            if steps[#steps].close then assert.is_true(peer:wait { ended = 1 }) end
            local result = call(parameters, mode)
            assert.equal(1, result.attempts)
            assert.equal(parameters.send_id or ("peer-%d-1"):format(before + 2), result.send_id)
            assert.equal(before + 2, peer:requests())
          end
        end)
      end
    end

    it("is used again over " .. scheme .. ", beside a slow call too", function()
      for _, slow in ipairs { false, true } do
        start_over(scheme)
        if slow then start_slow_call() end
        peer:default(script(read, { write = created() }, read, { write = created() }, read, { write = created() }))
        for _ = 1, 3 do assert.equal(1, call(without, "started").attempts) end
        assert.equal(slow and 2 or 1, #peer:log())
      end
    end)

    it("over " .. scheme .. " may carry another call's 429: it is tried again only with a send_id", function()
      for _, parameters in ipairs { without, with } do
        start_over(scheme)
        local limited = { write = answer(429, { ["retry-after"] = 0 }, "{}") }
        local answered = { write = created() }
        peer:play(script(read, answered, read, limited, read, answered, { hold = true }))
        assert.equal(1, call(without, "blocking").attempts)
        local outcome = call(parameters, "blocking")
        if parameters == with then
          assert.equal("mine", outcome.send_id)
          assert.equal(2, outcome.attempts)
        else
          assert.equal("rate_limited", outcome.kind)
          assert.equal(1, outcome.attempts)
          assert.is_false(outcome.maybe_applied)
          assert.is_number(outcome.retry_at)
        end
        assert.equal(parameters == with and 3 or 2, peer:requests())
      end
    end)
  end

  -- Over TLS, where libcurl leaves the second record in the socket.
  it("is trusted no more once it brought what nobody asked for", function()
    start_over "https"
    peer:play(script(read, { write = created() }, { write = stray }, { hold = true }))
    peer:default(script(read, { write = created() }, again))
    call(with, "started")
    assert.equal(1, peer:requests())
    for _ = 1, 3 do assert.equal(1, call(with, "started").attempts) end
    assert.equal(4, #peer:log())
  end)

  it("gives no success with another send_id than the one that was asked for", function()
    for _, mode in ipairs { "blocking", "started" } do
      start_over "http"
      peer:default { read, { write = created "other" } }
      local failure = call(with, mode)
      assert.equal("protocol", failure.kind)
      assert.equal(201, failure.status)
      assert.is_true(failure.maybe_applied)
      assert.equal(1, failure.attempts)
      assert.matches('"other"', failure.message, 1, true)
      assert.matches('send_id "mine"', failure.message, 1, true)
    end
  end)

  it("gives a success whose send_id holds the key, which is masked in it", function()
    start_over "http"
    peer:default { read, { write = created() } }
    local result = call({ campaign_id = "campaign", send_id = "x-braze-key-0123456789" }, "blocking")
    assert.equal(201, result.status)
    assert.is_nil(result.send_id:find("0123456789", 1, true))
  end)
end)

describe("what arrives", function()
  local peer = scripted_peer.start()
  teardown(function() peer:stop() end)
  before_each(function() peer:reset() end)

  local function call(options, mode)
    local all = { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 60 }
    for name, value in pairs(options or {}) do all[name] = value end
    local client = braze.new(all)
    finally(function() client:close() end)
    if mode == "blocking" then return select(2, pcall(client.create_send_id, client, without)) end
    local request = client:start("create_send_id", without)
    assert.is_true(request:wait(60))
    return select(2, pcall(request.result, request))
  end

  local chunked = "HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n"
  local floods = {
    ["the extension of a chunk"] = { chunked .. "5;", ("x"):rep(65536), "8 MiB" },
    ["blanks before a chunk"] = { chunked .. "5", (" "):rep(65536), "8 MiB" },
    ["trailers"] = { chunked .. "2\r\n{}\r\n0\r\n", ("x: y\r\n"):rep(1000), "64 KiB" },
    ["interim answers"] = { "", ("HTTP/1.1 100 Continue\r\nx: y\r\n\r\n"):rep(1000), "64 KiB" },
    ["headers"] = { "HTTP/1.1 201 Created\r\n", ("x: y\r\n"):rep(1000), "64 KiB" },
  }
  for what, flood in pairs(floods) do
    it("without end as " .. what .. " ends the call long before its deadline", function()
      for _, mode in ipairs { "blocking", "started" } do
        peer:play { read, { write = flood[1] }, { repeat_write = flood[2] } }
        local failure = call(nil, mode)
        assert.equal("protocol", failure.kind)
        assert.is_true(failure.maybe_applied)
        assert.is_true(failure.elapsed < 30)
      end
    end)
  end

  it("without end behind a refusal leaves the refusal", function()
    local start = chunked:gsub("201 Created", "403 Forbidden") .. "5;"
    peer:play { read, { write = start }, { repeat_write = ("x"):rep(65536) } }
    local failure = call(nil, "blocking")
    assert.equal("auth", failure.kind)
    assert.is_false(failure.maybe_applied)
    assert.is_true(failure.elapsed < 30)
  end)

  for _, flood in ipairs { "HTTP/1.1 200 OK\r\n", "HTTP/1.1 407 No\r\ncontent-length: 999999999\r\n\r\n" } do
    it("without end from a proxy ends the call before anything was sent: " .. flood:match "%d%d%d", function()
      peer:play { { read = "any" }, { write = flood }, { repeat_write = ("x: y\r\n"):rep(1000) } }
      local failure = call({ endpoint = "https://rest.example.test", proxy = peer.url }, "blocking")
      assert.equal("network", failure.kind)
      assert.is_false(failure.maybe_applied)
      assert.equal(0, failure.attempts)
      assert.is_true(failure.elapsed < 30)
    end)
  end
end)
