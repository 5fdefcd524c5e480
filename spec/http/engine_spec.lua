-- engine: real calls over a real connection, on a clock that only moves in the pauses between tries. Which pauses there
-- are, how many requests arrive, what the caller is told.

local scripted_peer = require "spec.support.scripted_peer"
local test_build = require "spec.support.test_build"

local clock = test_build.clock
local answer, created = scripted_peer.answer, scripted_peer.created

describe("a call", function()
  local peer = scripted_peer.start()
  local clients, client
  local epoch = 1800000000
  local campaign = { campaign_id = "campaign" }
  local mine = { campaign_id = "campaign", send_id = "mine" }
  local both = { ["without a send_id"] = campaign, ["with a send_id"] = mine }

  local function new_client(options)
    local all = { api_key = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", endpoint = peer.url }
    for name, value in pairs(options or {}) do all[name] = value end
    clients[#clients + 1] = test_build.braze.new(all)
    return clients[#clients]
  end

  before_each(function()
    peer:reset()
    clock.take { now = 1000, epoch = epoch, random = 0.5 }
    clients = {}
    client = new_client()
  end)

  after_each(function()
    -- Closed here, so that no finalizer of this build runs when another one is loaded.
    for _, one in ipairs(clients) do one:close() end
    clock.release()
  end)

  teardown(function() peer:stop() end)

  -- Each answer goes to one request, all on one connection; "reset" and "fin" end it, and the next go to another.
  local function play(...)
    local script = {}
    for _, one in ipairs { ... } do
      script[#script + 1] = { read = "request" }
      if one == "reset" or one == "fin" then
        script[#script + 1] = { close = one }
        peer:play(script)
        script = {}
      else
        script[#script + 1] = { write = one }
      end
    end
    script[#script + 1] = { hold = true }
    peer:play(script)
  end

  local function fail(params, options, one)
    local fine, fault = pcall(client.create_send_id, one or client, params, options)
    assert.is_false(fine)
    assert.is_true(test_build.braze.is_error(fault))
    return fault
  end

  -- What a failed call says of itself, and what was seen of it: kind, maybe_applied, attempts, requests, pauses.
  local function told(fault)
    return {
      kind = fault.kind, maybe_applied = fault.maybe_applied, attempts = fault.attempts, requests = peer:requests(),
      pauses = clock.waits(),
    }
  end

  it("that succeeds makes one request and no pause", function()
    play(created "made")
    local result = client:create_send_id(campaign)
    assert.same({ "made", 201, 1, 0 }, { result.send_id, result.status, result.attempts, result.elapsed })
    assert.same({}, clock.waits())
    assert.equal(1, peer:requests())
  end)

  it("is tried again after a 503 if the send_id is the caller's", function()
    play(answer(503), created())
    local result = client:create_send_id(mine)
    assert.same({ "mine", 201, 2 }, { result.send_id, result.status, result.attempts })
    assert.same({ 0.25 }, clock.waits())
    assert.equal(0.25, result.elapsed)
    assert.equal(2, peer:requests())
  end)

  it("sends the same bytes again", function()
    play(answer(503), created())
    client:create_send_id(mine)
    local received = peer:log()[1].received
    local half = #received / 2
    assert.equal(received:sub(1, half), received:sub(half + 1))
    assert.matches('{"campaign_id":"campaign","send_id":"mine"}$', received)
  end)

  it("is not tried again after a 503 without a send_id", function()
    play(answer(503), created())
    assert.same({ kind = "server", maybe_applied = true, attempts = 1, requests = 1, pauses = {} },
      told(fail(campaign)))
  end)

  it("is tried three times in all, then says what came last", function()
    play(answer(503), answer(500), answer(502), created())
    local fault = fail(mine)
    assert.equal(502, fault.status)
    assert.equal(0.75, fault.elapsed)
    assert.same({ kind = "server", maybe_applied = true, attempts = 3, requests = 3, pauses = { 0.25, 0.5 } },
      told(fault))
  end)

  it("takes the number of tries from its own options, then from the client's", function()
    play(answer(503), answer(503), created())
    assert.same({ kind = "server", maybe_applied = true, attempts = 2, requests = 2, pauses = { 0.25 } },
      told(fail(mine, { retries = 1 })))
    peer:reset()
    play(answer(503), created())
    assert.equal(1, fail(mine, nil, new_client { retries = 0 }).attempts)
    assert.same({}, clock.waits())
  end)

  it("is never tried again with retries = 0", function()
    play(answer(503), created())
    assert.same({ kind = "server", maybe_applied = true, attempts = 1, requests = 1, pauses = {} },
      told(fail(mine, { retries = 0 })))
    peer:reset()
    play(answer(429, { ["Retry-After"] = 1 }), created())
    assert.same({ kind = "rate_limited", maybe_applied = false, attempts = 1, requests = 1, pauses = {} },
      told(fail(mine, { retries = 0 })))
    peer:reset()
    peer:refuse()
    local refused = fail(mine, { retries = 0 })
    peer:accept()
    assert.same({ kind = "network", maybe_applied = false, attempts = 0, requests = 0, pauses = {} }, told(refused))
  end)

  for name, params in pairs(both) do
    it(name .. " obeys a Retry-After of a 429 inside its deadline", function()
      play(answer(429, { ["Retry-After"] = 7 }), created "mine")
      local result = client:create_send_id(params)
      assert.same({ "mine", 2, 7 }, { result.send_id, result.attempts, result.elapsed })
      assert.same({ 7 }, clock.waits())
    end)

    it(name .. " obeys the reset of a 429 inside its deadline", function()
      play(answer(429, { ["X-RateLimit-Reset"] = epoch + 12 }), created "mine")
      assert.equal(2, client:create_send_id(params).attempts)
      assert.same({ 12 }, clock.waits())
    end)

    it(name .. " fails at once where a 429 says a time past its deadline", function()
      play(answer(429, { ["Retry-After"] = 31, ["X-RateLimit-Reset"] = epoch + 5 }), created())
      local fault = fail(params)
      assert.same({ epoch + 31, epoch + 5, 429, 0 }, { fault.retry_at, fault.rate_limit.reset, fault.status,
        fault.elapsed })
      assert.same({ kind = "rate_limited", maybe_applied = false, attempts = 1, requests = 1, pauses = {} },
        told(fault))
    end)

    it(name .. " fails at once where a 429 says no time", function()
      play(answer(429), created())
      assert.same({ kind = "rate_limited", maybe_applied = false, attempts = 1, requests = 1, pauses = {} },
        told(fail(params)))
    end)

    for _, status in ipairs { 301, 400, 401, 403, 404, 501, 505 } do
      it(name .. " is not tried again after a " .. status, function()
        play(answer(status, { ["Retry-After"] = 1 }), created())
        local fault = fail(params)
        assert.same({ status, 1, 1 }, { fault.status, fault.attempts, peer:requests() })
        assert.same({}, clock.waits())
      end)
    end

    it(name .. " is tried again where no connection came to be", function()
      peer:refuse()
      local fault = fail(params)
      peer:accept()
      assert.same({ kind = "network", maybe_applied = false, attempts = 0, requests = 0, pauses = { 0.25, 0.5 } },
        told(fault))
    end)
  end

  it("pauses 0.5 s, twice that, and so on to 8 s, less what a random part takes off", function()
    peer:refuse()
    clock.set { random = 0.75 }
    fail(campaign, { retries = 7, timeout = 600 })
    peer:accept()
    assert.same({ 0.375, 0.75, 1.5, 3, 6, 6, 6 }, clock.waits())
  end)

  it("never pauses past its deadline, and then the failure is the last one, no timeout", function()
    peer:refuse()
    local fault = fail(mine, { retries = 10, timeout = 10 })
    peer:accept()
    assert.equal(7.75, fault.elapsed)
    assert.same({ kind = "network", maybe_applied = false, attempts = 0, requests = 0,
      pauses = { 0.25, 0.5, 1, 2, 4 } }, told(fault))
  end)

  it("whose process is stopped in a pause, past the deadline, ends with what ended its last try", function()
    clock.set { late = 60 }
    peer:refuse()
    local fault = fail(mine)
    peer:accept()
    assert.same({ kind = "network", maybe_applied = false, attempts = 0, requests = 0, pauses = { 0.25 } }, told(fault))
    assert.matches("could not be reached", fault.message, 1, true)
    play(answer(503, {}, '{"message":"down"}'), created())
    fault = fail(mine)
    assert.same({ kind = "server", maybe_applied = true, attempts = 1, requests = 1, pauses = { 0.25 } }, told(fault))
    assert.same({ 503, 60.25 }, { fault.status, fault.elapsed })
  end)

  it("whose process is stopped before it began says that it had no time, not that connections were in use", function()
    play(created())
    client:create_send_id(mine)
    clock.set { late = 60 } -- in the wait for a service that is quiet
    local fault = fail(campaign)
    assert.same({ "timeout", false, 0 }, { fault.kind, fault.maybe_applied, fault.attempts })
    assert.matches("had no time to begin within 30 s; nothing was sent", fault.message, 1, true)
    assert.matches("was stopped", fault.hint, 1, true)
    assert.equal(1, peer:requests())
  end)

  it("obeys a Retry-After of a 503", function()
    play(answer(503, { ["Retry-After"] = 3 }), created())
    client:create_send_id(mine)
    assert.same({ 3 }, clock.waits())
  end)

  it("whose connection breaks is tried again if the send_id is the caller's", function()
    play("reset", created())
    assert.equal(2, client:create_send_id(mine).attempts)
    assert.same({ 0.25 }, clock.waits())
    assert.equal(2, #peer:log())
  end)

  it("whose connection breaks may have been applied without a send_id", function()
    for _, how in ipairs { "reset", "fin" } do
      peer:reset()
      play(how, created())
      assert.same({ kind = "network", maybe_applied = true, attempts = 1, requests = 1, pauses = {} },
        told(fail(campaign)))
    end
  end)

  it("that is refused at a second try may have been applied by the first", function()
    play(answer(503), answer(400, {}, '{"message":"send_id already exists"}'))
    local fault = fail(mine)
    assert.same({ kind = "rejected", maybe_applied = true, attempts = 2, requests = 2, pauses = { 0.25 } }, told(fault))
    assert.matches("earlier try .* may have made", fault.hint)
  end)

  it("that was limited first has not been applied by that try", function()
    play(answer(429, { ["Retry-After"] = 1 }), answer(400))
    assert.same({ kind = "rejected", maybe_applied = false, attempts = 2, requests = 2, pauses = { 1 } },
      told(fail(mine)))
  end)

  it("shows nothing of an earlier try in the answer of a later one", function()
    play(answer(503, { ["X-RateLimit-Limit"] = 100, ["X-Request-Id"] = "first", ["Retry-After"] = 1 }, "first body"),
      answer(400))
    local fault = fail(mine)
    assert.same({}, fault.rate_limit)
    assert.same({ n = 3 }, { n = 3, fault.request_id, fault.retry_at, fault.body })
  end)

  it("that ends without an answer has no time to try again from an earlier one", function()
    play(answer(503, { ["Retry-After"] = 1 }), "reset")
    local fault = fail(mine, { retries = 1 })
    assert.same({ n = 2 }, { n = 2, fault.retry_at, fault.status })
    assert.same({ kind = "network", maybe_applied = true, attempts = 2, requests = 2, pauses = { 1 } }, told(fault))
  end)

  it("on a connection that is kept waits once to see whether the service is quiet behind its answers", function()
    for _, parameters in pairs(both) do
      local one = new_client()
      peer:reset()
      peer:default { { read = "request" }, { write = created() }, { again = true } }
      for _ = 1, 3 do one:create_send_id(parameters) end
      local waits = clock.waits()
      assert.equal(1, #waits)
      assert.is_true(math.abs(waits[1] - 0.05) < 0.001)
      assert.equal(1, #peer:log())
    end
  end)

  it("waits for no such thing where a connection was kept for a while", function()
    peer:default { { read = "request" }, { write = created() }, { again = true } }
    client:create_send_id(campaign)
    clock.advance(1)
    for _ = 1, 3 do client:create_send_id(campaign) end
    assert.same({}, clock.waits())
    assert.equal(1, #peer:log())
  end)

  it("never waits for that past its deadline, and has a connection of its own then", function()
    peer:default { { read = "request" }, { write = created() }, { again = true } }
    client:create_send_id(campaign)
    assert.equal(1, client:create_send_id(campaign, { timeout = 0.04 }).attempts)
    assert.same({}, clock.waits())
    assert.equal(2, #peer:log())
  end)

  -- Makes a call, and moves the clock once inside its method, before anything is handed over.
  local function while_it_prepares(seconds, method, call)
    local inside, moved
    debug.sethook(function()
      if inside then
        debug.sethook()
        clock.advance(seconds)
        moved = true
      end
      inside = inside or debug.getinfo(2, "f").func == method
    end, "c")
    local fine, outcome = pcall(call)
    debug.sethook()
    assert.is_true(moved)
    return fine, outcome
  end

  local ways = {
    create_send_id = function(options) return client:create_send_id(mine, options) end,
    call = function(options) return client:call("create_send_id", mine, options) end,
    start = function(options)
      local request = client:start("create_send_id", mine, options)
      request:wait(20)
      return request:result()
    end,
  }

  for name, way in pairs(ways) do
    it("of client:" .. name .. " counts its time from where the method is entered", function()
      play(created())
      local fine, result = while_it_prepares(0.25, client[name], function() return way {} end)
      assert.same({ true, 0.25 }, { fine, result.elapsed })
    end)

    it("of client:" .. name .. " sends nothing where its parameters took until the deadline", function()
      play(created())
      local fine, fault = while_it_prepares(0.25, client[name], function() return way { timeout = 0.2 } end)
      assert.same({ false, "timeout", false, 0, 0.25 }, { fine, fault.kind, fault.maybe_applied, fault.attempts,
        fault.elapsed })
      assert.equal(0, peer:requests())
    end)
  end

  it("pays for its tries from its client's bucket, which a success fills by one", function()
    -- A hundred further tries use it up.
    peer:refuse()
    for _ = 1, 10 do
      fail(mine, { retries = 10, timeout = 600 })
      assert.equal(10, #clock.waits())
    end
    fail(mine, { retries = 10, timeout = 600 })
    assert.same({}, clock.waits())
    -- Another client has its own.
    fail(mine, nil, new_client())
    assert.same({ 0.25, 0.5 }, clock.waits())
    peer:accept()
    for successes = 1, 5 do
      peer:play { { read = "request" }, { write = (created():gsub("\r\n", "\r\nconnection: close\r\n", 1)) } }
      client:create_send_id(mine)
      peer:refuse()
      fail(mine)
      peer:accept()
      -- The fifth token is the first that a try can be paid with.
      assert.equal(successes == 5 and 1 or 0, #clock.waits(), successes)
    end
  end)
end)

describe("the spec's clock", function()
  after_each(clock.release)

  it("stands still until it is told, or until nothing is busy", function()
    clock.take { now = 50, epoch = 100, random = 0.125 }
    assert.same({ 50, 100, 0.125 }, { clock.read() })
    clock.advance(2)
    assert.same({ 52, 102, 0.125 }, { clock.read() })
    assert.is_true(clock.wait(60, true) > 0 and clock.wait(60, true) < 1)
    assert.same({ 52, 102, 0.125 }, { clock.read() })
    assert.equal(0, clock.wait(60, false))
    assert.equal(0, clock.wait(55, false))
    assert.same({ 60, 110, 0.125 }, { clock.read() })
    assert.same({ 8 }, clock.waits())
    assert.same({}, clock.waits())
  end)

  it("is the real one until it is taken", function()
    local now, epoch, random = clock.read()
    local later = clock.read()
    assert.is_true(later >= now and later < now + 60)
    assert.is_true(math.abs(epoch - os.time()) < 60)
    assert.is_true(random >= 0 and random < 1)
    local wait = clock.wait(now + 100, false)
    assert.is_true(wait > 0 and wait <= 100)
    assert.equal(0, clock.wait(now - 1, false))
  end)
end)
