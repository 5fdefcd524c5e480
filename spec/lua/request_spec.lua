-- Calls that were started: what start refuses, and what a request says before and after it is done.

local braze = require "braze"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local with_peer = require "spec.support.with_peer"

local answer, created = scripted_peer.answer, scripted_peer.created
local read, hold, again = { read = "request" }, { hold = true }, { again = true }
local campaign = { campaign_id = "campaign" }
local mine = { campaign_id = "campaign", send_id = "mine" }

describe("client:start", function()
  local peer, new = with_peer({ read, { write = created() }, again }, { retries = 2 })
  local client

  -- With a peer that holds: no answer, no handshake, no name.
  local function silent_urls()
    return { peer.url, ("https://localhost:%d"):format(peer.port), "https://no-such-host.invalid" }
  end

  before_each(function() client = new() end)

  -- The error that a function raises.
  local function fail(...)
    local good, failure = pcall(...)
    assert.is_false(good)
    assert.is_true(braze.is_error(failure))
    return failure
  end

  -- The error of a request that has failed.
  local function failure_of(request)
    assert.is_true(request:done())
    return fail(request.result, request)
  end

  local function check_failure(request, kind, attempts, maybe_applied)
    local failure = failure_of(request)
    assert.same({ kind, attempts, maybe_applied }, { failure.kind, failure.attempts, failure.maybe_applied })
  end

  describe("refuses", function()
    local function no() end
    local rows = {
      { "no name", {}, "start takes the name of an operation" },
      { "an unknown name", { "create_sendid", campaign }, "create_sendid" },
      { "no parameters", { "create_send_id" }, "" },
      { "no campaign_id", { "create_send_id", {} }, "campaign_id" },
      { "an empty campaign_id", { "create_send_id", { campaign_id = "" } }, "campaign_id" },
      { "a long send_id", { "create_send_id", { campaign_id = "campaign", send_id = ("x"):rep(65) } }, "send_id" },
      { "an unknown field", { "create_send_id", { campain_id = "campaign" } }, "campain_id" },
      { "an unknown option", { "create_send_id", campaign, { on_finish = no } }, "on_finish" },
      { "an option of the client's", { "create_send_id", campaign, { max_connections = 1 } }, "max_connections" },
      { "a timeout in milliseconds", { "create_send_id", campaign, { timeout = 30000 } }, "timeout" },
      { "an on_done that is text", { "create_send_id", campaign, { on_done = "on_done" } }, "on_done" },
    }
    for _, row in ipairs(rows) do
      local name, arguments, part = row[1], row[2], row[3]
      it(name .. " before anything is handed over", function()
        local line = debug.getinfo(1, "l").currentline + 1
        local good, failure = pcall(function() client:start(arguments[1], arguments[2], arguments[3]) end)
        assert.is_false(good)
        assert.same({ "usage", false, 0 }, { failure.kind, failure.maybe_applied, failure.attempts })
        assert.matches(part, failure.message, 1, true)
        assert.matches("request_spec.lua:" .. line .. ":", failure.where, 1, true)
        assert.equal(0, client:pending())
        assert.equal(0, #peer:log())
      end)
    end

    it("a client that is closed", function()
      client:close()
      assert.equal("usage", fail(client.start, client, "create_send_id", campaign).kind)
      assert.equal(0, client:pending())
      assert.equal(0, #peer:log())
    end)

    it("to be called with a dot, and its requests' methods too", function()
      for _, value in ipairs { "create_send_id", {}, io.stdout } do
        local failure = fail(client.start, value, campaign)
        assert.equal("usage", failure.kind)
        assert.matches("client:start", failure.hint, 1, true)
      end
      local request = client:start("create_send_id", campaign)
      for _, name in ipairs { "done", "result", "wait", "cancel" } do
        for _, value in ipairs { false, 1, {}, client } do
          local failure = fail(request[name], value)
          assert.equal("usage", failure.kind)
          assert.matches("request:" .. name, failure.hint, 1, true)
        end
        assert.equal("usage", fail(request[name]).kind)
      end
      assert.is_true(request:wait(5))
    end)
  end)

  it("alone takes an on_done", function()
    local function on_done() end
    assert.equal("usage", fail(client.create_send_id, client, campaign, { on_done = on_done }).kind)
    assert.equal("usage", fail(braze.new, {
      api_key = "braze-key-0123456789", endpoint = peer.url, on_done = on_done,
    }).kind)
    assert.equal(0, #peer:log())
  end)

  it("returns at once, whatever the network does", function()
    peer:default { hold }
    local longest = 0
    for _, url in ipairs(silent_urls()) do
      local one = new { endpoint = url }
      for _ = 1, 20 do
        local began = socket.gettime()
        one:start("create_send_id", campaign)
        longest = math.max(longest, socket.gettime() - began)
      end
      assert.equal(20, one:pending())
    end
    if not os.getenv "BRAZE_VALGRIND" then assert.is_true(longest < 0.1, "took " .. longest) end
  end)

  it("makes a request whose result is that of the blocking call", function()
    local request = client:start("create_send_id", mine)
    assert.matches("^braze.request", tostring(request))
    assert.is_true(request:wait(5))
    assert.is_true(request:done())
    local result, blocking = request:result(), client:create_send_id(mine)
    assert.is_true(result.elapsed > 0)
    result.elapsed, blocking.elapsed = nil, nil
    assert.same(blocking, result)
    assert.same({ "mine", 201, 1 }, { result.send_id, result.status, result.attempts })
    assert.equal(99, result.rate_limit.remaining)
  end)

  describe("makes a request that", function()
    it("refuses its result while it is not done, and gives the same one ever after", function()
      peer:default { read, hold }
      local request = client:start("create_send_id", campaign)
      assert.is_false(request:done())
      local failure = fail(request.result, request)
      assert.equal("usage", failure.kind)
      assert.matches("request:", failure.hint, 1, true)
      request:cancel()
      local first = failure_of(request)
      assert.equal(first, failure_of(request))
      assert.equal("cancelled", first.kind)

      peer:default { read, { write = created() } }
      local other = client:start("create_send_id", campaign)
      assert.is_true(other:wait(5))
      local result = other:result()
      client:step()
      assert.equal(result, other:result())
    end)

    it("needs no step to be done, and no wait to have its result", function()
      local request = client:start("create_send_id", campaign)
      local deadline = socket.gettime() + 5
      while not request:done() and socket.gettime() < deadline do socket.sleep(0.001) end
      assert.is_true(request:done())
      assert.equal(201, request:result().status)
      assert.equal(1, client:pending())
    end)

    it("is waited for no longer than was asked", function()
      peer:default { read, hold }
      local request = client:start("create_send_id", campaign)
      assert.is_false(request:wait(0))
      local began = socket.gettime()
      assert.is_false(request:wait(0.05))
      assert.is_true(socket.gettime() - began >= 0.045)
      assert.is_false(request:done())
      request:cancel()
      for _, seconds in ipairs { 0, 10, 1e300, math.huge } do assert.is_true(request:wait(seconds)) end
      assert.is_true(request:wait())
      peer:default { read, { pause = 0.1 }, { write = created() } }
      assert.is_true(client:start("create_send_id", campaign):wait())
      assert.is_true(client:start("create_send_id", campaign):wait(math.huge))
    end)

    it("refuses to wait for what is no time", function()
      local request = client:start("create_send_id", campaign)
      for _, value in ipairs { -1, 0 / 0, "1", {}, false } do
        assert.equal("usage", fail(request.wait, request, value).kind)
      end
      assert.is_true(request:wait(5))
    end)

    it("runs no on_done while it is waited for, asked or cancelled", function()
      local runs = 0
      local function on_done() runs = runs + 1 end
      local one = client:start("create_send_id", campaign, { on_done = on_done })
      assert.is_true(one:wait(5))
      assert.equal(201, one:result().status)
      local other = client:start("create_send_id", campaign, { on_done = on_done })
      other:cancel()
      assert.is_true(other:done())
      client:close()
      assert.equal(0, runs)
      assert.equal(2, client:step())
      assert.equal(2, runs)
    end)

    it("fails with an error that says where it was started", function()
      peer:default { read, { write = answer(503) } }
      local line = debug.getinfo(1, "l").currentline + 1
      local request = client:start("create_send_id", campaign, { retries = 0 })
      assert.is_true(request:wait(5))
      local failure = failure_of(request)
      assert.same({ "server", 503, true, 1 }, { failure.kind, failure.status, failure.maybe_applied, failure.attempts })
      assert.matches("request_spec.lua:" .. line .. ":$", failure.where)
      assert.equal(failure, failure_of(request))

      line = debug.getinfo(1, "l").currentline + 1
      local cancelled = client:start("create_send_id", campaign)
      cancelled:cancel()
      assert.matches("request_spec.lua:" .. line .. ":$", failure_of(cancelled).where)
    end)

    it("fails with the error of the blocking call", function()
      peer:default { read, { write = answer(400, { ["x-ratelimit-limit"] = 100 }, '{"message":"no"}') } }
      local request = client:start("create_send_id", campaign)
      assert.is_true(request:wait(5))
      local failure, blocking = failure_of(request), fail(client.create_send_id, client, campaign)
      assert.is_true(failure.elapsed > 0)
      for _, one in ipairs { failure, blocking } do one.elapsed, one.where = nil, nil end
      assert.same(blocking, failure)
    end)
  end)

  describe("tries as the blocking call does:", function()
    it("again after a 503 where the send_id is the caller's", function()
      peer:default { read, { write = answer(503) }, read, { write = created() }, hold }
      local request = client:start("create_send_id", mine)
      assert.is_true(request:wait(10))
      assert.same({ "mine", 2 }, { request:result().send_id, request:result().attempts })
      assert.equal(2, peer:requests())
      local received = peer:log()[1].received
      assert.equal(received:sub(1, #received / 2), received:sub(#received / 2 + 1))
    end)

    it("as often as its own options say", function()
      for _, retries in ipairs { 0, 1 } do
        peer:reset()
        peer:default { read, { write = answer(503) }, again }
        local request = client:start("create_send_id", mine, { retries = retries })
        assert.is_true(request:wait(10))
        assert.equal(retries + 1, failure_of(request).attempts)
        assert.equal(retries + 1, peer:requests())
      end
    end)

    it("never where a request may have arrived and has no send_id", function()
      peer:default { read, { close = "reset" } }
      local request = client:start("create_send_id", campaign)
      assert.is_true(request:wait(10))
      check_failure(request, "network", 1, true)
      assert.equal(1, peer:requests())
    end)

    it("within one deadline, which counts from start", function()
      peer:default { read, hold }
      local began = socket.gettime()
      local request = client:start("create_send_id", mine, { timeout = 0.3, retries = 5 })
      assert.is_true(request:wait(10))
      local passed, failure = socket.gettime() - began, failure_of(request)
      assert.same({ "timeout", true }, { failure.kind, failure.maybe_applied })
      assert.is_true(failure.elapsed >= 0.29 and failure.elapsed <= passed + 0.01, failure.elapsed)
    end)
  end)

  describe("never holds more than max_connections connections:", function()
    it("many calls share a few", function()
      local few = new { max_connections = 3 }
      local requests = {}
      for number = 1, 60 do
        requests[number] = few:start("create_send_id", { campaign_id = "campaign", send_id = "id-" .. number })
      end
      assert.is_true(few:wait(20))
      for number, request in ipairs(requests) do assert.equal("id-" .. number, request:result().send_id) end
      assert.is_true(#peer:log() <= 3)
      assert.equal(60, peer:requests())
    end)

    it("one that finds no room fails at its deadline, having sent nothing", function()
      peer:default { read, hold }
      local single = new { max_connections = 1 }
      single:start("create_send_id", { campaign_id = "first" })
      assert.is_true(peer:wait { requests = 1 })
      local request = single:start("create_send_id", { campaign_id = "second", send_id = "mine" }, { timeout = 0.1 })
      assert.is_true(request:wait(10))
      check_failure(request, "timeout", 0, false)
      local failure = failure_of(request)
      assert.is_true(failure.elapsed >= 0.09 and failure.elapsed < 5)
      assert.equal(2, single:pending())
      assert.is_nil(peer:log()[1].received:find("second", 1, true))
      assert.equal(1, #peer:log())
    end)

    it("a blocking call has one of its own", function()
      peer:play { read, hold }
      local single = new { max_connections = 1 }
      local request = single:start("create_send_id", campaign)
      assert.is_true(peer:wait { requests = 1 })
      assert.equal(201, single:create_send_id(campaign).status)
      assert.is_false(request:done())
      assert.equal(2, #peer:log())
    end)
  end)

  describe("makes a request whose cancel", function()
    -- Cancels, and checks what is always so: the error, or the fields of it that are given.
    local function cancel(request)
      assert.is_false(request:done())
      assert.equal(0, select("#", request:cancel()))
      local failure = failure_of(request)
      assert.equal("cancelled", failure.kind)
      assert.same({}, failure.rate_limit)
      assert.is_true(failure.elapsed > 0)
      request:cancel()
      assert.equal(failure, failure_of(request))
      return failure
    end

    it("during a handshake says that nothing left, and nothing leaves", function()
      peer:default { hold }
      local secure = new { endpoint = ("https://localhost:%d"):format(peer.port) }
      local request = secure:start("create_send_id", mine)
      assert.is_true(peer:wait { connections = 1 })
      cancel(request)
      check_failure(request, "cancelled", 0, false)
      assert.is_true(peer:wait { ended = 1 })
      assert.equal("client closed", peer:log()[1].ended)
    end)

    it("after it left says that it may have been applied, and ends the connection", function()
      peer:default { read, hold }
      local request = client:start("create_send_id", mine)
      assert.is_true(peer:wait { requests = 1 })
      local failure = cancel(request)
      assert.same({ true, 1 }, { failure.maybe_applied, failure.attempts })
      assert.matches("mine", failure.message, 1, true)
      assert.matches("campaign", failure.message, 1, true)
      assert.is_true(peer:wait { ended = 1 })
      assert.equal(1, peer:requests())
    end)

    it("right after start is true to what the peer sees", function()
      local one = new { max_connections = 4 }
      local failures = {}
      for number = 1, 200 do
        local request = one:start("create_send_id", { campaign_id = "campaign", send_id = "id-" .. number })
        if number % 3 == 0 then request:wait(number / 1e6) end
        request:cancel()
        -- It may have been answered just before.
        local good, failure = pcall(request.result, request)
        if not good then failures[number] = failure end
      end
      assert.equal("last", one:create_send_id({ campaign_id = "campaign", send_id = "last" }).send_id)
      assert.is_true(one:wait(5))
      local received = {}
      for _, connection in ipairs(peer:log()) do
        for id in connection.received:gmatch '"send_id":"(.-)"' do received[id] = true end
      end
      assert.is_true(next(failures) ~= nil)
      for number, failure in pairs(failures) do
        local seen = received["id-" .. number]
        assert.equal("cancelled", failure.kind)
        assert.is_true(failure.maybe_applied or not seen, "id-" .. number)
        assert.equal(failure.maybe_applied and 1 or 0, failure.attempts)
      end
    end)

    it("in the queue says that nothing left, and the others go on", function()
      peer:default { read, { pause = 0.05 }, { write = created() }, again }
      local single = new { max_connections = 1 }
      local first = single:start("create_send_id", { campaign_id = "first" })
      local second = single:start("create_send_id", { campaign_id = "second" })
      local third = single:start("create_send_id", { campaign_id = "third" })
      assert.is_true(peer:wait { requests = 1 })
      cancel(second)
      check_failure(second, "cancelled", 0, false)
      assert.is_true(single:wait(10))
      assert.equal(201, first:result().status)
      assert.equal(201, third:result().status)
      assert.equal(2, peer:requests())
      assert.is_nil(peer:log()[1].received:find("second", 1, true))
    end)

    for _, status in ipairs { 503, 429 } do
      it("in the pause after a " .. status .. " says what that answer said", function()
        local later = answer(status, { ["retry-after"] = 10 })
        peer:play { read, { write = later }, read, { write = created() }, hold }
        local single = new { max_connections = 1 }
        local request = single:start("create_send_id", mine)
        assert.is_true(peer:wait { requests = 1 })
        -- It has one connection: the next request leaves on it after that answer was read.
        assert.is_true(single:start("create_send_id", campaign):wait(5))
        assert.equal(1, #peer:log())
        cancel(request)
        check_failure(request, "cancelled", 1, status == 503)
        assert.is_nil(peer:log()[1].received:find("mine.*mine"))
      end)
    end

    it("does nothing once it is done", function()
      local request = client:start("create_send_id", mine)
      assert.is_true(request:wait(5))
      for _ = 1, 2 do
        request:cancel()
        assert.equal("mine", request:result().send_id)
      end
      assert.equal(1, client:step())
    end)

    it("waits for nothing", function()
      peer:default { hold }
      local longest = 0
      for _, url in ipairs(silent_urls()) do
        local one = new { endpoint = url }
        for number = 1, 20 do
          local request = one:start("create_send_id", campaign)
          if number % 2 == 0 then request:wait(0.002) end
          local began = socket.gettime()
          request:cancel()
          longest = math.max(longest, socket.gettime() - began)
          assert.is_true(request:done())
        end
      end
      if not os.getenv "BRAZE_VALGRIND" then assert.is_true(longest < 0.1, "took " .. longest) end
    end)
  end)
end)
