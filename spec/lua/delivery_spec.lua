-- What has finished reaches the host: step, wait, on_done and the descriptor.

local braze = require "braze"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local with_peer = require "spec.support.with_peer"

local created = scripted_peer.created
local read, hold, again = { read = "request" }, { hold = true }, { again = true }

describe("a client that starts calls", function()
  local peer, new = with_peer({ read, { write = created() }, again }, { retries = 2 })
  local client

  before_each(function() client = new() end)

  local function fail(...)
    local good, failure = pcall(...)
    assert.is_false(good)
    return failure
  end

  local function start(id, on_done, one)
    return (one or client):start("create_send_id", { campaign_id = "campaign", send_id = id }, { on_done = on_done })
  end

  -- Starts so many calls, and waits until all are done and none is delivered.
  local function start_and_finish(count, on_done)
    for number = 1, count do assert.is_true(start("id-" .. number, on_done):wait(5)) end
  end

  local function is_readable(one)
    return socket.select({ one or client }, nil, 0)[1] ~= nil
  end

  describe("delivers", function()
    it("nothing where nothing was started", function()
      assert.equal(0, client:pending())
      assert.equal(0, client:step())
      assert.is_true(client:wait(0))
      assert.is_true(client:wait())
      assert.is_false(is_readable())
    end)

    it("inside step alone, exactly once, with an error or a result", function()
      peer:default { read, { write = created() }, read, { write = scripted_peer.answer(400) }, again }
      local inside, runs, failures, results = false, 0, {}, {}
      local function on_done(...)
        assert(inside)
        assert(select("#", ...) == 1 or select("#", ...) == 2)
        runs = runs + 1
        failures[runs], results[runs] = ...
      end
      local one = start("one", on_done)
      assert.is_true(one:wait(5))
      local other = start("other", on_done)
      assert.is_true(other:wait(5))
      assert.equal(2, client:pending())
      inside = true
      assert.equal(2, client:step())
      inside = false
      assert.equal(0, client:pending())
      assert.equal(0, client:step())
      assert.equal(2, runs)
      assert.is_nil(failures[1])
      assert.equal(one:result(), results[1])
      assert.is_nil(results[2])
      assert.equal(fail(other.result, other), failures[2])
      assert.equal("rejected", failures[2].kind)
    end)

    it("inside wait too", function()
      local ids = {}
      for number = 1, 20 do
        start("id-" .. number, function(_, result) ids[result.send_id] = true end)
      end
      assert.is_true(client:wait(10))
      for number = 1, 20 do assert.is_true(ids["id-" .. number]) end
      assert.equal(0, client:pending())
    end)

    it("in the order in which they finished", function()
      peer:play { read, { pause = 0.1 }, { write = created() }, hold }
      local order = {}
      local function on_done(_, result) order[#order + 1] = result.send_id end
      local slow = start("slow", on_done)
      assert.is_true(peer:wait { requests = 1 })
      for _, id in ipairs { "a", "b", "c" } do assert.is_true(start(id, on_done):wait(5)) end
      assert.is_true(slow:wait(5))
      assert.equal(4, client:step())
      assert.same({ "a", "b", "c", "slow" }, order)
    end)

    it("as many as it is told, and counts those without on_done too", function()
      local runs = 0
      for number = 1, 10 do
        assert.is_true(start("id-" .. number, number % 2 == 0 and function() runs = runs + 1 end or nil):wait(5))
      end
      assert.equal(0, client:step(0))
      assert.equal(1, client:step(1))
      assert.same({ 0, 9 }, { runs, client:pending() })
      assert.equal(3, client:step(3))
      assert.same({ 2, 6 }, { runs, client:pending() })
      assert.equal(6, client:step(64))
      assert.same({ 5, 0 }, { runs, client:pending() })
    end)

    it("what its arguments allow", function()
      for _, value in ipairs { -1, 0.5, 0 / 0, "1", {}, true } do
        assert.equal("usage", fail(client.step, client, value).kind)
      end
      for _, value in ipairs { -1, 0 / 0, "1", {}, true } do
        assert.equal("usage", fail(client.wait, client, value).kind)
      end
      start_and_finish(1)
      assert.equal(1, client:step(2 ^ 40))
      for _, name in ipairs { "step", "wait", "pending", "pollfd", "getfd", "events", "close" } do
        for _, value in ipairs { 1, {}, io.stdout } do
          local failure = fail(client[name], value)
          assert.equal("usage", failure.kind)
          assert.matches("client:" .. (name == "getfd" and "pollfd" or name), failure.hint, 1, true)
        end
      end
    end)

    it("within the time that wait is given", function()
      peer:default { read, hold }
      start "one"
      assert.is_false(client:wait(0))
      local began = socket.gettime()
      assert.is_false(client:wait(0.05))
      assert.is_true(socket.gettime() - began >= 0.045)
      client:close()
      assert.is_true(client:wait(0))
    end)

    it("what was cancelled like everything else", function()
      peer:default { read, hold }
      local failures = {}
      local request = start("one", function(failure) failures[#failures + 1] = failure end)
      assert.is_true(peer:wait { requests = 1 })
      request:cancel()
      assert.equal(1, client:pending())
      assert.is_true(is_readable())
      assert.same({}, failures)
      assert.equal(1, client:step())
      assert.same({ 1, "cancelled", true }, { #failures, failures[1].kind, failures[1].maybe_applied })
      assert.equal(0, client:step())
    end)

    it("in a coroutine, whose on_done can't yield", function()
      start_and_finish(2, function() coroutine.yield() end)
      local routine = coroutine.create(function() return client:step() end)
      assert.is_false(coroutine.resume(routine))
      assert.equal("dead", coroutine.status(routine))
      assert.equal(0, client:pending())
      assert.equal(0, client:step())
    end)
  end)

  describe("runs each on_done", function()
    it("though some raise, and raises the first error when all have run", function()
      local runs, first = 0, {}
      start_and_finish(6, function()
        runs = runs + 1
        if runs == 2 then error(first) end
        if runs == 4 then error "another" end
      end)
      assert.equal(first, fail(client.step, client))
      assert.equal(6, runs)
      assert.equal(0, client:pending())
      assert.is_false(is_readable())
      assert.equal(0, client:step())

      start_and_finish(3, function() error "each" end)
      assert.matches("delivery_spec.*each", fail(client.step, client, 2))
      assert.equal(1, client:pending())
      assert.is_true(is_readable())
      assert.matches("each", fail(client.wait, client))
      assert.equal(0, client:pending())
    end)

    it("though one raises nil", function()
      start_and_finish(1, function() error() end)
      local good, raised = pcall(client.wait, client)
      local _, nothing = pcall(error) -- nil, of which Lua 5.5 makes a text
      assert.same({ false, nothing, 0 }, { good, raised, client:pending() })
    end)

    it("in the order they were started, where they were closed", function()
      local order = {}
      peer:reset()
      peer:default { read, hold }
      for number = 1, 5 do start("id-" .. number, function() order[#order + 1] = number end) end
      client:close()
      assert.equal(5, client:step())
      assert.same({ 1, 2, 3, 4, 5 }, order)
    end)

    it("though one raises while others are on their way", function()
      local runs = 0
      for number = 1, 10 do
        start("id-" .. number, function()
          runs = runs + 1
          error(number)
        end)
      end
      local errors = 0
      while client:pending() > 0 do
        if not pcall(client.wait, client, 10) then errors = errors + 1 end
      end
      assert.equal(10, runs)
      assert.is_true(errors >= 1 and errors <= 10)
    end)

    it("where start, cancel and close work", function()
      local order = {}
      local held
      start("first", function()
        order[#order + 1] = "first"
        start("second", function(_, result)
          order[#order + 1] = result.send_id
          -- The connection that is there would answer once more.
          peer:reset()
          peer:default { read, hold }
          held = start("held", function(failure)
            order[#order + 1] = failure.kind
            client:close()
            client:close()
          end)
          held:cancel()
          assert(held:done())
        end)
      end)
      assert.is_true(client:wait(10))
      assert.same({ "first", "second", "cancelled" }, order)
      assert.equal("usage", fail(start, "late").kind)
    end)

    it("before those that were started inside of one", function()
      local runs = 0
      local function on_done()
        runs = runs + 1
        start("inner", function() runs = runs + 100 end):cancel()
      end
      start_and_finish(3, on_done)
      assert.equal(3, client:step())
      assert.equal(3, runs)
      assert.is_true(is_readable())
      assert.equal(3, client:step())
      assert.equal(303, runs)
    end)

    it("where step and wait of the same client raise, and those of another don't", function()
      local other, failures = new(), {}
      start("other", function() failures.other = true end, other):wait(5)
      start("one", function()
        failures[1] = fail(client.step, client)
        failures[2] = fail(client.wait, client, 0)
        assert(client:pending() == 0)
        assert(client:pollfd() == client:getfd())
        assert(other:step() == 1)
      end)
      assert.is_true(client:wait(5))
      assert.same({ "usage", "usage" }, { failures[1].kind, failures[2].kind })
      assert.is_true(failures.other)
      assert.equal(0, client:step())
    end)

    it("with all of a thousand answers", function()
      local seen, count = {}, 0
      for number = 1, 1000 do
        start("id-" .. number, function(_, result)
          count = count + 1
          seen[result.send_id] = true
        end)
      end
      assert.is_true(client:wait(30))
      assert.equal(1000, count)
      for number = 1, 1000 do assert.is_true(seen["id-" .. number]) end
      assert.is_true(#peer:log() <= 16)
    end)
  end)

  describe("has a descriptor", function()
    it("that is the same before the first start and ever after", function()
      local descriptor = client:pollfd()
      assert.is_true(descriptor >= 0 and descriptor == math.floor(descriptor))
      assert.equal("r", client:events())
      for _ = 1, 2 do
        start_and_finish(2)
        assert.equal(descriptor, client:pollfd())
        client:step()
        assert.equal(descriptor, client:getfd())
      end
      client:close()
      assert.equal(descriptor, client:pollfd())
      assert.equal("r", client:events())
    end)

    it("also when it was closed before anybody asked", function()
      client:close()
      assert.equal(client:pollfd(), client:getfd())
      assert.is_false(is_readable())
      assert.same({ 0, 0, true }, { client:step(), client:pending(), client:wait() })
    end)

    it("that is readable exactly while step has something to deliver", function()
      peer:default { read, { pause = 0.05 }, { write = created() }, again }
      assert.is_false(is_readable())
      start "one"
      assert.is_true(peer:wait { requests = 1 })
      assert.equal(client, socket.select({ client }, nil, 5)[1])
      assert.is_true(is_readable())
      assert.equal(0, client:step(0))
      assert.is_true(is_readable())
      assert.equal(1, client:step())
      assert.is_false(is_readable())
      start_and_finish(3)
      for left = 2, 0, -1 do
        assert.is_true(is_readable())
        assert.equal(1, client:step(1))
        assert.equal(left > 0, is_readable())
      end
    end)

    it("that is readable at once where it is asked for late", function()
      start_and_finish(1)
      assert.is_true(is_readable())
      assert.equal(1, client:step())
      assert.is_false(is_readable())
    end)

    it("that wakes a loop for each of many calls", function()
      local count = 0
      for number = 1, 50 do start("id-" .. number, function() count = count + 1 end) end
      local deadline = socket.gettime() + 10
      while client:pending() > 0 and socket.gettime() < deadline do
        assert.equal(client, socket.select({ client }, nil, 10)[1])
        assert.is_true(client:step(3) > 0)
      end
      assert.equal(50, count)
    end)
  end)

  describe("is closed", function()
    it("with everything in flight cancelled at once, and delivered later", function()
      peer:default { read, hold }
      local single = new { max_connections = 1 }
      local failures = {}
      for number = 1, 3 do start("id-" .. number, function(failure) failures[number] = failure end, single) end
      assert.is_true(peer:wait { requests = 1 })
      local began = socket.gettime()
      single:close()
      if not os.getenv "BRAZE_VALGRIND" then assert.is_true(socket.gettime() - began < 0.1) end
      assert.same({}, failures)
      assert.equal(3, single:pending())
      assert.is_true(is_readable(single))
      single:close()
      assert.equal(1, single:step(1))
      assert.is_true(single:wait(0))
      for number, failure in ipairs(failures) do
        assert.same({ "cancelled", number == 1 }, { failure.kind, failure.maybe_applied })
      end
      assert.equal(3, #failures)
      assert.is_true(peer:wait { ended = 1 })
      assert.equal(1, peer:requests())
    end)

    if _VERSION == "Lua 5.4" then
      it("by <close>", function()
        peer:default { read, hold }
        local scope = assert(load [[
          local client, request = ...
          do
            local closed <close> = client
            request[1] = closed:start("create_send_id", { campaign_id = "campaign" })
          end
          return request[1]:done()
        ]])
        local request = {}
        assert.is_true(scope(client, request))
        assert.equal("cancelled", fail(request[1].result, request[1]).kind)
        assert.equal(1, client:step())
      end)
    end
  end)

  it("of braze.safe returns what an on_done raises, whatever it is", function()
    peer:default { read, { write = scripted_peer.created "made" }, again }
    local safe = new({}, braze.safe)
    local thing = {}
    for _, raised in ipairs { "a text", thing, 5 } do
      for _, method in ipairs { "step", "wait" } do
        assert.is_true(start("one", function() error(raised, 0) end, safe):wait(5))
        assert.same({ n = 2, nil, raised }, { n = select("#", nil, raised), safe[method](safe) })
        assert.equal(0, safe:pending())
      end
    end
  end)

  it("of braze.safe returns what would raise, with the same object", function()
    peer:default { read, { write = scripted_peer.answer(400) }, again }
    local safe = new({}, braze.safe)
    local request, failure = safe:start("create_send_id", {})
    assert.is_nil(request)
    assert.equal("usage", failure.kind)
    assert.equal(0, safe:pending())
    local delivered
    request = start("one", function(...) delivered = { select("#", ...), ... } end, safe)
    assert.is_true(request:wait(5))
    assert.is_true(request:done())
    assert.same({ nil, "usage" }, { (request:wait(-1)), select(2, request:wait(-1)).kind })
    assert.same({ nil, "usage" }, { (safe:step(-1)), select(2, safe:step(-1)).kind })
    assert.same({ 1, 1, true, 0 }, { safe:pending(), safe:step(), safe:wait(), safe:step() })
    local result, reason = request:result()
    assert.is_nil(result)
    assert.equal("rejected", reason.kind)
    assert.equal(reason, select(2, request:result()))
    assert.same({ 1, reason }, delivered)
    assert.equal("r", safe:events())
    assert.equal(safe:pollfd(), safe:getfd())
    assert.equal(0, select("#", request:cancel()))
    safe:close()
    assert.equal("usage", select(2, start("late", nil, safe)).kind)
    assert.equal("usage", select(2, request.done(1)).kind)
  end)
end)
