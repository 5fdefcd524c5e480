-- braze.fake: the real client, with the answers that a spec expects in place of the network.

local braze = require "braze"
local fake = require "braze.fake"

describe("braze.fake", function()
  local client

  before_each(function() client = fake.new() end)

  local function fail(...)
    local good, failure = pcall(...)
    assert.is_false(good)
    assert.is_true(braze.is_error(failure))
    return failure
  end

  describe("answers", function()
    it("with what a success holds, and with the fields that are given", function()
      client:expect "create_send_id"
      local result = client:create_send_id { campaign_id = "c", send_id = "spring" }
      assert.same({ "spring", "success", 201, 1, { limit = 100, remaining = 99, reset = result.rate_limit.reset } },
        { result.send_id, result.message, result.status, result.attempts, result.rate_limit })
      local fields = { send_id = "mine", rate_limit = { remaining = 3 }, request_id = "the-id" }
      client:expect("create_send_id"):answers(fields)
      result = client:create_send_id { campaign_id = "c" }
      assert.same({ "mine", 3, "the-id" }, { result.send_id, result.rate_limit.remaining, result.request_id })
    end)

    it("with a status, the service's words, and when to call again", function()
      client = fake.new { retries = 0 }
      local at = os.time() + 100
      client:expect("send_messages"):status(429, { retry_at = at })
      local failure = fail(client.send_messages, client, { broadcast = true, messages = {} })
      assert.same({ "rate_limited", 429, false }, { failure.kind, failure.status, failure.maybe_applied })
      assert.is_true(math.abs(failure.retry_at - at) <= 1)
      client:expect("send_messages"):status(400, { message = "No", errors = { "one", "two" } })
      failure = fail(client.send_messages, client, { broadcast = true, messages = {} })
      assert.same({ "rejected", 400, { "one", "two" } }, { failure.kind, failure.status, failure.errors })
      assert.matches('"No"', failure.message, 1, true)
    end)

    it("by every kind that a transfer or an answer ends in, and refuses what can't be", function()
      local possible = {
        network = { true, true }, tls = { true, true }, timeout = { true, true }, cancelled = { true, true },
        rate_limited = { false, true }, auth = { false, true }, rejected = { true, true }, server = { true, false },
        protocol = { true, true }, busy = {}, ledger = {}, usage = {},
      }
      for kind, ways in pairs(possible) do
        for number, applied in ipairs { true, false } do
          client = fake.new { retries = 0 }
          local expectation = client:expect "send_messages"
          local good, refusal = pcall(expectation.fails, expectation, { kind = kind, maybe_applied = applied })
          assert.equal(ways[number] or false, good, kind .. tostring(applied))
          if good then
            local failure = fail(client.send_messages, client, { broadcast = true, messages = {} })
            assert.same({ kind, applied }, { failure.kind, failure.maybe_applied })
          else
            assert.equal("usage", refusal.kind)
          end
        end
      end
      local expectation = client:expect "list_campaigns"
      assert.matches("GET", fail(expectation.fails, expectation, { kind = "network", maybe_applied = true }).message)
    end)

    it("a call whose parameters hold at least what is expected, in the order of the expectations", function()
      client:expect("trigger_campaign", { campaign_id = "b" }):answers { dispatch_id = "of b" }
      local recipients = { { external_user_id = "u" } }
      client:expect("trigger_campaign", { recipients = recipients }):answers { dispatch_id = "of u" }
      client:expect("trigger_campaign"):answers { dispatch_id = "any" }
      local function trigger(id, user)
        return client:trigger_campaign { campaign_id = id, recipients = { { external_user_id = user } } }.dispatch_id
      end
      assert.same({ "any", "of b", "of u" }, { trigger("x", "y"), trigger("b", "u"), trigger("x", "u") })
    end)

    it("operations whose fields stand in the path or the query, and routes", function()
      client:expect("send_transactional", { campaign_id = "c/1" })
      assert.equal("sent", client:send_transactional({ campaign_id = "c/1", recipient = {} }).metadata and "sent")
      client:expect("list_campaigns", { page = 2 })
      assert.same({}, client:list_campaigns({ page = 2 }).campaigns)
      client:expect("POST /users/track", { events = { { name = "seen" } } }):answers { events_processed = 1 }
      assert.equal(1, client:call("POST /users/track", { events = { { name = "seen" } } }).events_processed)
      assert.same({ "send_transactional", "list_campaigns", "POST /users/track" },
        { client:calls()[1].name, client:calls()[2].name, client:calls()[3].name })
      assert.equal("c/1", client:calls()[1].params.campaign_id)
    end)

    it("each page of a list", function()
      local campaigns = {}
      for number = 1, 100 do campaigns[number] = { id = "campaign-" .. number } end
      client:expect("list_campaigns"):answers { campaigns = campaigns }
      client:expect("list_campaigns", { page = 1 }):fails { kind = "network" }
      local walk = client:each "list_campaigns"
      for number = 1, 100 do assert.equal("campaign-" .. number, walk().id) end
      local failure = fail(walk)
      assert.same({ "network", 1 }, { failure.kind, failure.page })
      walk = client:each "list_campaigns"
      assert.equal("usage", fail(walk).kind)
    end)
  end)

  it("refuses what was not expected, at once and in verify", function()
    local failure = fail(client.create_send_id, client, { campaign_id = "c" })
    assert.equal("usage", failure.kind)
    assert.matches('create_send_id {"campaign_id":"c"} was called and is not expected', failure.message, 1, true)
    assert.matches("^spec/fake/fake_spec.lua:%d+:$", (failure.where:gsub("^%./", "")))
    failure = fail(client.start, client, "create_send_id", { campaign_id = "c" })
    assert.equal("usage", failure.kind)
    assert.equal(0, client:pending())
    assert.same({}, client:calls())
    client:expect("create_send_id", { campaign_id = "d" }):times(3)
    client:create_send_id { campaign_id = "d" }
    failure = fail(client.verify, client)
    assert.equal("usage", failure.kind)
    assert.equal(2, select(2, failure.message:gsub("was called and is not expected", "")))
    assert.matches("is expected and was called 1 of 3 times", failure.message, 1, true)
  end)

  it("is silent in verify where all went as expected", function()
    client:expect("create_send_id"):times(2)
    for _ = 1, 2 do client:create_send_id { campaign_id = "c" } end
    client:verify()
  end)

  it("checks parameters and options as the real client does", function()
    local failure = fail(client.create_send_id, client, { campain_id = "c" })
    assert.matches("campain_id", failure.message, 1, true)
    assert.matches('unknown option "retry"', fail(fake.new, { retry = 1 }).message, 1, true)
    assert.matches("create_send_id", tostring(fail(client.expect, client, "create_sendid")), 1, true)
    client:verify()
  end)

  it("tries again as the real client does, with the next answer or the one before, and pauses move the time", function()
    client:expect("create_send_id"):status(503):times(2)
    client:expect "create_send_id"
    local result = client:create_send_id { campaign_id = "c", send_id = "s" }
    assert.equal(3, result.attempts)
    assert.is_true(result.elapsed > 0)
    assert.equal(3, client:calls()[1].attempts)
    client:expect("create_send_id"):status(503)
    assert.equal(3, fail(client.create_send_id, client, { campaign_id = "c", send_id = "s" }).attempts)
    client:expect("send_messages"):status(503)
    assert.equal(1, fail(client.send_messages, client, { broadcast = true, messages = {} }).attempts)
    client:verify()
  end)

  it("has the quota of a day for send IDs, which begins again", function()
    client:expect("create_send_id"):times(102)
    for _ = 1, 100 do client:create_send_id { campaign_id = "c" } end
    local failure = fail(client.create_send_id, client, { campaign_id = "c" })
    assert.same({ "rate_limited", 429, 0 }, { failure.kind, failure.status, failure.rate_limit.remaining })
    client:advance(86400)
    assert.equal(99, client:create_send_id({ campaign_id = "c" }).rate_limit.remaining)
  end)

  describe("of started calls", function()
    local order

    before_each(function() order = {} end)

    local function start(id)
      client:expect("create_send_id", { send_id = id })
      return client:start("create_send_id", { campaign_id = "c", send_id = id }, {
        on_done = function(err, result) order[#order + 1] = err and id .. " " .. err.kind or result.send_id end,
      })
    end

    it("ends those that it is told to, in any order", function()
      local one, two = start "one", start "two"
      assert.same({ false, false, 0, 2 }, { one:done(), two:done(), client:step(), client:pending() })
      client:finish(2)
      assert.same({ false, true }, { one:done(), two:done() })
      client:finish()
      assert.equal(2, client:step())
      assert.same({ "two", "one" }, order)
      assert.equal("usage", fail(client.finish, client).kind)
    end)

    it("waits for them, cancels them and closes", function()
      local one, two = start "one", start "two"
      assert.is_true(one:wait(1))
      two:cancel()
      assert.equal("cancelled", fail(two.result, two).kind)
      assert.is_true(fail(two.result, two).maybe_applied)
      start "three"
      client:close()
      assert.is_true(client:wait(1))
      assert.same({ "one", "two cancelled", "three cancelled" }, order)
      assert.equal("usage", fail(client.start, client, "create_send_id", { campaign_id = "c" }).kind)
    end)

    it("moves no time before it ends one whose time runs out", function()
      client:expect("create_send_id"):fails { kind = "timeout" }
      local request = client:start("create_send_id", { campaign_id = "c" }, { timeout = 7 })
      start "one"
      client:finish(2)
      assert.is_true(client:calls()[1].at == client:calls()[2].at)
      client:finish()
      assert.equal(7, fail(request.result, request).elapsed)
      assert.equal(7, client:calls()[1].options.timeout)
    end)

    it("lets their time run out when it is moved on", function()
      start "one"
      client:advance(29)
      assert.equal(0, client:step())
      client:advance(2)
      assert.equal(1, client:step())
      assert.same({ "one timeout" }, order)
    end)

    it("tells their events, before their on_done", function()
      local told = {}
      client = fake.new { on_event = function(event) told[#told + 1] = event.type .. " " .. tostring(event.kind) end }
      start "one"
      client:finish()
      client:step()
      assert.same({ "attempt nil", "call nil" }, told)
    end)
  end)

  it("is put behind braze.new and the module's functions, in both styles, and taken away again", function()
    local new, call, safe_new = braze.new, braze.call, braze.safe.new
    local restore = fake.install(client)
    client:expect("create_send_id"):times(3)
    assert.is_string(braze.create_send_id({ campaign_id = "c" }).send_id)
    assert.is_string(braze.safe.create_send_id({ campaign_id = "c" }).send_id)
    assert.is_string(braze.new({ timeout = 5 }):create_send_id({ campaign_id = "c" }).send_id)
    local nothing, failure = braze.safe.call("create_send_id", { campaign_id = "c" })
    assert.same({ nil, "usage" }, { nothing, failure.kind })
    nothing, failure = braze.safe.new { timeot = 5 }
    assert.same({ nil, "usage" }, { nothing, failure.kind })
    assert.equal(3, #client:calls())
    restore()
    assert.is_true(new == braze.new and call == braze.call and safe_new == braze.safe.new)
  end)

  it("takes braze.null and braze.list, and has a ledger", function()
    client:expect("POST /users/track", { attributes = {}, name = braze.null })
    client:call("POST /users/track", { attributes = braze.list {}, name = braze.null })
    local path = os.tmpname()
    client = fake.new { ledger = path }
    client:expect "create_send_id"
    local first = client:create_send_id({ campaign_id = "c" }, { job = "nightly" })
    local second = client:create_send_id({ campaign_id = "c" }, { job = "nightly" })
    assert.same({ first.send_id, true, nil }, { second.send_id, second.replayed, first.replayed })
    assert.equal(1, #client:calls())
    client:close()
    for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(path .. ending) end
  end)

  it("opens no socket, starts no thread and reads no key", function()
    local threads = io.open "/proc/self/task"
    if not threads then return pending "no /proc" end
    threads:close()
    local function count()
      local pipe = io.popen "ls -l /proc/$PPID/fd | grep -c socket; ls /proc/$PPID/task | wc -l"
      local sockets, tasks = pipe:read "*n", pipe:read "*n"
      pipe:close()
      return { sockets, tasks }
    end
    local before = count()
    client:expect("create_send_id"):times(2)
    client:create_send_id { campaign_id = "c" }
    client:start("create_send_id", { campaign_id = "c" })
    assert.same(before, count())
  end)
end)
