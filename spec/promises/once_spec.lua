-- At most once: however a connection dies, the service never sees more requests than the call says it sent, and never a
-- second one without a send_id of the caller's.

local braze = require "braze"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local standin = require "spec.support.standin"

local created = scripted_peer.created "made"
local read, answer, again = { read = "request" }, { write = created }, { again = true }
local points = 20

describe("one call", function()
  local service = standin.start()
  local peer, client

  -- Until the peer has accepted all that came before: connections are accepted in their order.
  local function wait_for_late_ones()
    local last = assert(socket.connect("127.0.0.1", peer.port))
    assert(last:send "last")
    local arrived
    repeat
      for _, connection in ipairs(peer:log()) do arrived = arrived or connection.received == "last" end
    until arrived
    last:close()
  end

  -- A client without connections, and a peer that has seen none.
  local function start_over()
    if client then
      client:close()
      peer:reset()
      wait_for_late_ones()
    end
    peer:reset()
    client = braze.new { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 2, timeout = 20 }
  end

  setup(function() peer = scripted_peer.start() end)
  teardown(function()
    client:close()
    peer:stop()
  end)
  before_each(start_over)

  local without, with = { campaign_id = "campaign" }, { campaign_id = "campaign", send_id = "made" }

  local function call(parameters, options)
    return select(2, pcall(client.create_send_id, client, parameters or without, options))
  end

  -- The next connection serves one good call and then plays steps; those after it answer.
  local function warm(...)
    peer:play { read, answer, ... }
    assert.equal("made", call().send_id)
    peer:default { read, answer, again }
  end

  local function count_bytes_of_request()
    peer:default { read, answer }
    call()
    local length = #peer:log()[1].received
    start_over()
    return length
  end

  -- The number of bytes to read or to write at some point of many, the first 0 and the last all.
  local function at_point(point, length)
    return math.floor(length * point / points)
  end

  -- Holds however a call without a send_id ended: `before` requests were not its own.
  local function check_once(outcome, before)
    local seen = peer:requests() - before
    assert.is_true(seen <= outcome.attempts, ("%d requests, %d attempts"):format(seen, outcome.attempts))
    assert.is_true(outcome.attempts <= 1)
    if braze.is_error(outcome) then
      assert.equal(outcome.attempts > 0, outcome.maybe_applied)
    else
      assert.equal(1, seen)
    end
  end

  it("after the other goes over the same connection", function()
    peer:default { read, answer, again }
    for _ = 1, 20 do assert.equal(1, call().attempts) end
    call { campaign_id = 5 }
    assert.equal(1, call(with).attempts)
    assert.equal(1, #peer:log())
    assert.equal(21, peer:requests())
  end)

  it("after an error whose answer was whole, too", function()
    peer:default { read, { write = scripted_peer.answer(400, nil, "{}") }, again }
    for _ = 1, 5 do assert.equal("rejected", call().kind) end
    assert.equal(1, #peer:log())
  end)

  it("after the peer has closed in between goes over a new one, unharmed", function()
    warm { close = "fin" }
    assert.is_true(peer:wait { ended = 1 })
    local result = call()
    assert.equal("made", result.send_id)
    assert.equal(1, result.attempts)
    assert.equal(2, peer:requests())
  end)

  -- libcurl takes such a connection for a live one.
  it("after the peer has reset its connection in between goes over a new one", function()
    warm { close = "reset" }
    assert.is_true(peer:wait { ended = 1 })
    assert.equal("made", call().send_id)
    assert.equal(2, peer:requests())
  end)

  local deaths = { "fin", "reset" }
  for _, how in ipairs(deaths) do
    it(("is not sent again when its reused connection ends by %s with all of it read"):format(how), function()
      warm(read, { close = how })
      local failure = call(without)
      assert.equal("network", failure.kind)
      assert.is_true(failure.maybe_applied)
      assert.equal(1, failure.attempts)
      assert.equal(2, peer:requests())
      for position, connection in ipairs(peer:log()) do
        if position > 1 then assert.equal("", connection.received) end
      end
      assert.equal("made", call(without).send_id)
    end)

    it(("is sent again with a send_id, on a new connection, after %s"):format(how), function()
      warm(read, { close = how })
      local result = call(with)
      assert.equal("made", result.send_id)
      assert.equal(2, result.attempts)
      assert.equal(3, peer:requests())
      local log = peer:log()
      assert.equal(2, log[1].requests)
      assert.equal(1, log[#log].requests)
    end)

    it(("is not sent again with retries = 0, after %s"):format(how), function()
      warm(read, { close = how })
      local failure = call(with, { retries = 0 })
      assert.equal("network", failure.kind)
      assert.is_true(failure.maybe_applied)
      assert.equal(1, failure.attempts)
      assert.equal(2, peer:requests())
    end)

    it(("is seen once wherever a new connection ends by %s in its request"):format(how), function()
      local length = count_bytes_of_request()
      for point = 0, points do
        start_over()
        peer:play { { read = at_point(point, length) }, { close = how } }
        local failure = call(without, { retries = 0 })
        assert.is_true(braze.is_error(failure))
        assert.equal("network", failure.kind)
        check_once(failure, 0)
        assert.equal(point == points and 1 or 0, peer:requests())
      end
    end)

    it(("is seen once wherever a reused connection ends by %s in its request"):format(how), function()
      local length = count_bytes_of_request()
      for point = 1, points do
        start_over()
        warm({ read = at_point(point, length) }, { close = how })
        local outcome = call(without)
        -- A request that did not arrive whole may be another connection's.
        assert.is_true(braze.is_error(outcome) or point < points)
        check_once(outcome, 1)
        assert.equal(point == points and 2 or 1, peer:log()[1].requests)
      end
    end)

    it(("is seen once wherever a connection ends by %s in the answer"):format(how), function()
      for _, reused in ipairs { false, true } do
        for point = 0, points do
          local ending = { write = created:sub(1, at_point(point, #created)) }
          start_over()
          if reused then warm(read, ending, { close = how }) else peer:play { read, ending, { close = how } } end
          local outcome = call(without)
          -- A reset may overtake the last bytes of a whole answer.
          if point == points and how == "fin" then assert.equal("made", outcome.send_id) end
          local read_as_whole = how == "fin" and outcome.kind == "protocol"
          if point < points and not read_as_whole then assert.equal("network", outcome.kind) end
          check_once(outcome, reused and 1 or 0)
          assert.equal(reused and 2 or 1, peer:requests())
        end
      end
    end)

    it(("is repeated with a send_id where a connection ends by %s in the answer"):format(how), function()
      for _, reused in ipairs { false, true } do
        start_over()
        local ending = { write = created:sub(1, -5) }
        if reused then warm(read, ending, { close = how }) else peer:play { read, ending, { close = how } } end
        peer:default { read, answer, again }
        local result = call(with)
        assert.equal("made", result.send_id)
        assert.equal(2, result.attempts)
        assert.equal(reused and 3 or 2, peer:requests())
      end
    end)
  end

  -- libcurl takes headers that only the connection's end has ended for whole ones.
  it("is repeated with a send_id where an answer ends inside its headers", function()
    for _, text in ipairs { "HTTP/1.1 201 Created\r\n", "HTTP/1.1 201 Created\r\nx: 5", created:sub(1, 60) } do
      start_over()
      peer:play { read, { write = text }, { close = "fin" } }
      peer:play { read, { write = text }, { close = "fin" } }
      peer:default { read, answer, again }
      assert.equal("network", call(without).kind)
      assert.equal(2, call(with).attempts)
    end
  end)

  -- Over TLS. The next connection serves one good call and then plays steps; the one after it answers.
  local function warm_secure(secure, ...)
    local tls = { tls = { certificate = service.server_certificate, key = service.server_key } }
    peer:play { tls, read, answer, ... }
    assert.equal("made", secure:create_send_id(without).send_id)
    peer:default { tls, read, answer, read, answer }
  end

  local function new_secure()
    start_over()
    return braze.new {
      api_key = "braze-key-0123456789", endpoint = "https://localhost:" .. peer.port, ca_file = service.ca_file,
    }
  end

  for _, how in ipairs { "fin", "cut", "reset" } do
    it(("is seen once when its TLS connection ends by %s with all of it read"):format(how), function()
      local secure = new_secure()
      finally(function() secure:close() end)
      warm_secure(secure, read, { close = how })
      local _, failure = pcall(secure.create_send_id, secure, without)
      assert.equal("network", failure.kind)
      assert.is_true(failure.maybe_applied)
      assert.equal(1, failure.attempts)
      assert.equal(2, peer:requests())
      assert.equal("made", secure:create_send_id(with).send_id)
      assert.equal(3, peer:requests())
    end)
  end

  for _, how in ipairs { "fin", "cut", "reset" } do
    -- libcurl takes TLS's goodbye for a sign of life.
    it(("after a TLS connection was closed in between, by %s, goes over a new one"):format(how), function()
      local secure = new_secure()
      finally(function() secure:close() end)
      warm_secure(secure, { close = how })
      assert.is_true(peer:wait { ended = 1 })
      assert.equal(1, secure:create_send_id(without).attempts)
      assert.equal(2, peer:requests())
    end)
  end

  it("whose answer is late is not sent again without a send_id", function()
    peer:default { read, { hold = true } }
    local failure = call(without, { timeout = 0.05 })
    assert.equal("timeout", failure.kind)
    assert.is_true(failure.maybe_applied)
    assert.equal(1, failure.attempts)
    assert.equal(1, peer:requests())
  end)

  local never = { 300, 301, 303, 400, 401, 403, 404, 413, 415, 429, 501, 505, 507, 511, 519, 525, 530, 599 }
  local repeatable = { 408, 500, 502, 503, 504, 520, 521, 522, 523, 524 }

  it("answered by a status that is final is sent once, send_id or not", function()
    for _, parameters in ipairs { with, without } do
      for _, status in ipairs(never) do
        start_over()
        peer:default { read, { write = scripted_peer.answer(status) } }
        local failure = call(parameters)
        assert.equal(status, failure.status)
        assert.equal(1, failure.attempts)
        assert.equal(1, peer:requests())
      end
    end
  end)

  it("answered by a status that may pass is sent once without a send_id", function()
    for _, status in ipairs(repeatable) do
      start_over()
      peer:default { read, { write = scripted_peer.answer(status, { ["retry-after"] = 0 }) } }
      local failure = call(without)
      assert.equal(status, failure.status)
      assert.is_true(failure.maybe_applied)
      assert.equal(1, failure.attempts)
      assert.equal(1, peer:requests())
    end
  end)

  it("answered by a status that may pass is sent again with a send_id", function()
    for _, status in ipairs(repeatable) do
      start_over()
      peer:play { read, { write = scripted_peer.answer(status) } }
      peer:default { read, answer }
      local result = call(with)
      assert.equal(201, result.status)
      assert.equal(2, result.attempts)
      assert.equal(2, peer:requests())
      assert.matches('"send_id":"made"}$', peer:log()[2].received)
    end
  end)

  it("answered by a 429 is sent again if the service says when, in time", function()
    local soon, late = { ["retry-after"] = 0 }, { ["retry-after"] = 30 }
    for _, parameters in ipairs { with, without } do
      start_over()
      peer:play { read, { write = scripted_peer.answer(429, soon) } }
      peer:default { read, answer }
      assert.equal(2, call(parameters).attempts)
      start_over()
      peer:default { read, { write = scripted_peer.answer(429, late) } }
      local failure = call(parameters)
      assert.equal("rate_limited", failure.kind)
      assert.is_false(failure.maybe_applied)
      assert.is_number(failure.retry_at)
      assert.is_true(failure.elapsed < 10)
      assert.equal(1, peer:requests())
    end
  end)

  it("that finds nobody is tried again, and has sent nothing", function()
    peer:refuse()
    finally(function() peer:accept() end)
    local failure = call(without, { retries = 1 })
    assert.equal("network", failure.kind)
    assert.is_false(failure.maybe_applied)
    assert.equal(0, failure.attempts)
  end)

  it("counts the attempts of all its tries", function()
    peer:default { read, { close = "reset" } }
    local failure = call(with)
    assert.equal("network", failure.kind)
    assert.equal(3, failure.attempts)
    assert.equal(3, peer:requests())
  end)

  it("makes one id at the service, each time", function()
    service.reset()
    local real = braze.new { api_key = service.key, endpoint = service.http }
    finally(function() real:close() end)
    for _ = 1, 30 do real:create_send_id { campaign_id = "campaign-once" } end
    assert.equal(30, service.count "campaign-once")
    local requests = service.log().requests
    assert.equal(requests[1].connection, requests[30].connection)
  end)
end)
