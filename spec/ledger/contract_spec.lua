-- What a call with a job does, in each store.

local braze = require "braze"
local children = require "spec.support.ledger_child"
local errors = require "spec.support.errors"
local scripted_peer = require "spec.support.scripted_peer"
local servers = require "spec.support.ledger_servers"
local socket = require "socket"

local key = "braze-key-0123456789"
local answer, created = scripted_peer.answer, scripted_peer.created
local campaign = { campaign_id = "campaign-1" }
local message = {
  messages = { email = { body = "hello", deeper = { a = 1, b = "two", c = { true } } } }, external_user_ids = { "u" },
}

-- An answer after which none is left.
local function last_of_the_day(reset)
  local headers = { ["x-ratelimit-limit"] = 250, ["x-ratelimit-remaining"] = 0 }
  headers["x-ratelimit-reset"] = ("%d"):format(reset)
  return answer(201, headers, '{"message":"success","send_id":"%{send_id}"}')
end

for _, kind in ipairs(servers.kinds) do
  describe("a job in " .. kind, function()
    local server, peer, client, url
    setup(function()
      server = servers.start(kind)
      peer = scripted_peer.start()
    end)
    teardown(function()
      server.stop()
      peer:stop()
    end)
    before_each(function()
      url = server.fresh()
      peer:reset()
      peer:default { { read = "request" }, { hold = true } }
      client = braze.new { api_key = key, endpoint = peer.url, ledger = url, workspace = "w", timeout = 20 }
    end)
    after_each(function() client:close() end)

    local function other_client(options)
      local all = { api_key = key, endpoint = peer.url, ledger = url, workspace = "w", timeout = 20 }
      for name, value in pairs(options or {}) do all[name] = value end
      return braze.new(all)
    end

    local function always(text) peer:default { { read = "request" }, { write = text } } end

    -- What a call raised.
    local function failure(...)
      local good, err = pcall(...)
      assert.is_false(good)
      return err
    end

    it("is done once, and its answer is told again", function()
      always(created())
      local first = client:create_send_id(campaign, { job = "a" })
      local again = other_client():create_send_id(campaign, { job = "a" })
      assert.equal(1, peer:requests())
      assert.is_nil(first.replayed)
      assert.is_true(again.replayed)
      assert.equal(first.send_id, again.send_id)
      assert.equal(first.status, again.status)
      assert.equal(first.request_id, again.request_id)
      assert.equal(0, again.attempts)
      assert.same({}, again.rate_limit)
      assert.is_nil(first.ledger_error)
    end)

    it("is done once by started calls as well", function()
      always(created())
      local one = client:start("create_send_id", campaign, { job = "a" })
      local other = client:start("create_send_id", campaign, { job = "a" })
      assert.is_true(client:wait(20))
      assert.equal(one:result().send_id, other:result().send_id)
      assert.not_equal(one:result().replayed, other:result().replayed)
      assert.equal(1, peer:requests())
    end)

    it("is given a send_id, which goes out and comes back", function()
      always(created())
      local made = client:create_send_id(campaign, { job = "a" })
      assert.matches("^%x+$", made.send_id)
      assert.equal(32, #made.send_id)
      assert.matches('"send_id":"' .. made.send_id .. '"}', peer:log()[1].received, 1, true)
    end)

    it("keeps the caller's send_id", function()
      always(created())
      local made = client:create_send_id({ campaign_id = "campaign-1", send_id = "mine" }, { job = "a" })
      assert.equal("mine", made.send_id)
    end)

    it("is any call that is no GET, by method and path as well", function()
      always(answer(200, nil, '{"message":"success","dispatch_id":"d"}'))
      assert.equal("d", client:send_messages(message, { job = "a" }).dispatch_id)
      assert.is_true(client:send_messages(message, { job = "a" }).replayed)
      assert.is_nil(client:call("POST /users/track", { attributes = {} }, { job = "b" }).replayed)
      assert.is_true(client:call("POST /users/track", { attributes = {} }, { job = "b" }).replayed)
      assert.equal(2, peer:requests())
    end)

    it("is another one in another workspace", function()
      always(created())
      local first = client:create_send_id(campaign, { job = "a" })
      local second = other_client({ workspace = "v" }):create_send_id(campaign, { job = "a" })
      assert.not_equal(first.send_id, second.send_id)
    end)

    it("may have any name of UTF-8", function()
      always(created())
      for _, name in ipairs { "x", ("x"):rep(255), "ä' \"%}{:", "*?[a]" } do
        local first = client:create_send_id(campaign, { job = name })
        assert.equal(first.send_id, client:create_send_id(campaign, { job = name }).send_id)
      end
      assert.equal(4, peer:requests())
    end)

    it("refuses other parameters, and another operation", function()
      always(created())
      client:create_send_id(campaign, { job = "a" })
      local err = errors.check(failure(client.create_send_id, client, { campaign_id = "campaign-2" }, { job = "a" }))
      assert.equal("usage", err.kind)
      assert.is_false(err.maybe_applied)
      assert.matches('the job "a" was for other parameters', err.message, 1, true)
      assert.equal("usage", failure(client.send_messages, client, message, { job = "a" }).kind)
      assert.equal(1, peer:requests())
    end)

    it("knows the same parameters in any order", function()
      always(answer(200, nil, '{"message":"success"}'))
      client:send_messages(message, { job = "a" })
      local same = { external_user_ids = { "u" }, messages = { email = {} } }
      same.messages.email.deeper = {}
      same.messages.email.deeper.c = { true }
      same.messages.email.deeper.b, same.messages.email.deeper.a = "two", 1
      same.messages.email.body = "hello"
      assert.is_true(client:send_messages(same, { job = "a" }).replayed)
    end)

    it("tells a refusal of the service again, until it is forgotten", function()
      always(answer(400, { ["x-request-id"] = "r" }, '{"message":"no such campaign"}'))
      local first = errors.check(failure(client.create_send_id, client, campaign, { job = "a" }))
      local again = errors.check(failure(client.create_send_id, client, campaign, { job = "a" }))
      assert.equal(1, peer:requests())
      assert.equal("rejected", again.kind)
      assert.equal(first.message, again.message)
      assert.equal(400, again.status)
      assert.equal(0, again.attempts)
      assert.is_false(again.maybe_applied)
      assert.matches("from the ledger", again.hint, 1, true)
      assert.is_true(braze.ledger(url, "w"):forget "a")
      failure(client.create_send_id, client, campaign, { job = "a" })
      assert.equal(2, peer:requests())
    end)

    it("is free again where it certainly was not done", function()
      for _, status in ipairs { 429, 401, 403, 302 } do
        always(answer(status, nil, "{}"))
        failure(client.send_messages, client, message, { job = "a", retries = 0 })
        assert.is_nil(braze.ledger(url, "w"):find "a")
      end
      peer:refuse()
      local err = failure(client.send_messages, client, message, { job = "a", retries = 0, timeout = 2 })
      assert.equal("network", err.kind)
      peer:accept()
      always(answer(200, nil, '{"message":"success"}'))
      assert.is_nil(client:send_messages(message, { job = "a" }).replayed)
    end)

    it("that may have been done is not done again, where that could do it twice", function()
      always(answer(500, nil, '{"message":"broken"}'))
      errors.check(failure(client.send_messages, client, message, { job = "a" }))
      always(answer(200, nil, '{"message":"success"}'))
      local err = errors.check(failure(client.send_messages, client, message, { job = "a" }))
      assert.equal("server", err.kind)
      assert.equal(500, err.status)
      assert.is_true(err.maybe_applied)
      assert.equal(0, err.attempts)
      assert.matches('the job "a" may have been done', err.message, 1, true)
      assert.equal("unknown", braze.ledger(url, "w"):find("a").state)
      assert.equal(1, peer:requests())
    end)

    it("that may have been done is done again with the send_id on record", function()
      peer:play { { read = "request" }, { close = "reset" } }
      failure(client.create_send_id, client, campaign, { job = "a", retries = 0 })
      local recorded = braze.ledger(url, "w"):find("a").send_id
      always(created())
      local made = other_client():create_send_id(campaign, { job = "a" })
      assert.equal(recorded, made.send_id)
      assert.equal(2, peer:requests())
      assert.is_true(client:create_send_id(campaign, { job = "a" }).replayed)
    end)

    it("stays unknown where the repeat is refused", function()
      peer:play { { read = "request" }, { close = "reset" } }
      failure(client.create_send_id, client, campaign, { job = "a", retries = 0 })
      always(answer(429, nil, "{}"))
      local err = errors.check(failure(client.create_send_id, client, campaign, { job = "a", retries = 0 }))
      assert.equal("rate_limited", err.kind)
      assert.is_true(err.maybe_applied)
      assert.equal("unknown", braze.ledger(url, "w"):find("a").state)
    end)

    it("whose success can't be read is unknown", function()
      always(answer(200, nil, "<html>"))
      assert.equal("protocol", failure(client.send_messages, client, message, { job = "a" }).kind)
      assert.equal("unknown", braze.ledger(url, "w"):find("a").state)
    end)

    it("of a process that was killed in the middle is unknown, and a send is not repeated", function()
      children.die_holding(server, url, peer, "send_messages", message, { job = "a" })
      local err = errors.check(failure(client.send_messages, client, message, { job = "a" }))
      assert.equal("cancelled", err.kind)
      assert.is_true(err.maybe_applied)
      assert.matches("ended before the answer was known", err.message, 1, true)
      assert.equal(1, peer:requests())
    end)

    it("of a process that was killed in the middle is repeated with the same send_id", function()
      children.die_holding(server, url, peer, "create_send_id", campaign, { job = "a" })
      local first = peer:log()[1].received:match '"send_id":"(%x+)"'
      always(created())
      assert.equal(first, client:create_send_id(campaign, { job = "a" }).send_id)
      assert.equal(2, peer:requests())
    end)

    it("that another process does is waited for, and its answer told", function()
      peer:play { { read = "request" }, { pause = 0.6 }, { write = created() } }
      local process = children.make(url, peer.url, "create_send_id", campaign, { job = "a" })
      assert.is_true(peer:wait { requests = 1, seconds = 30 })
      local told = client:create_send_id(campaign, { job = "a" })
      assert.is_true(told.replayed)
      assert.equal(1, peer:requests())
      children.wait(process)
    end)

    it("that another process does is busy at the deadline, and names who does it", function()
      local process = children.make(url, peer.url, "create_send_id", campaign, { job = "a" })
      assert.is_true(peer:wait { requests = 1, seconds = 30 })
      local err = errors.check(failure(client.create_send_id, client, campaign, { job = "a", timeout = 3 }))
      assert.equal("busy", err.kind)
      assert.is_false(err.maybe_applied)
      assert.matches("is being done by process " .. process .. " on", err.message, 1, true)
      assert.equal("held", braze.ledger(url, "w"):find("a").state)
      children.signal(process, "KILL")
      children.wait(process)
    end)

    it("that is cancelled before its request left is free again", function()
      peer:play { { read = "request" }, { hold = true } }
      local narrow = other_client { max_connections = 1 }
      local first = narrow:start("create_send_id", campaign, { job = "a" })
      assert.is_true(peer:wait { requests = 1 })
      local second = narrow:start("create_send_id", { campaign_id = "campaign-2" }, { job = "b" })
      second:cancel()
      first:cancel()
      assert.is_false(select(2, pcall(second.result, second)).maybe_applied)
      assert.is_true(select(2, pcall(first.result, first)).maybe_applied)
      local ledger = braze.ledger(url, "w")
      local deadline = socket.gettime() + 5
      while (ledger:find "b" or ledger:find("a").state ~= "unknown") and socket.gettime() < deadline do
        socket.sleep(0.01)
      end
      assert.is_nil(ledger:find "b")
      assert.equal("unknown", ledger:find("a").state)
      narrow:close()
    end)

    it("holds up no call without one", function()
      local process = children.make(url, peer.url, "create_send_id", campaign, { job = "a" })
      assert.is_true(peer:wait { requests = 1, seconds = 30 })
      local narrow = other_client { max_connections = 1 }
      always(created())
      narrow:start("create_send_id", campaign, { job = "a" })
      local free = narrow:start("create_send_id", campaign)
      assert.is_true(free:wait(5))
      assert.is_string(free:result().send_id)
      narrow:close()
      children.signal(process, "KILL")
      children.wait(process)
    end)

    it("is found, listed, settled and forgotten", function()
      always(created())
      local ledger = braze.ledger(url, "w")
      assert.is_nil(ledger:find "a")
      local made = client:create_send_id(campaign, { job = "a" })
      local found = ledger:find "a"
      assert.equal("done", found.state)
      assert.equal("a", found.job)
      assert.equal("create_send_id", found.operation)
      assert.equal(made.send_id, found.send_id)
      assert.equal(made.send_id, found.answer.send_id)
      assert.matches("^process %d+ on ", found.holder)
      assert.is_true(math.abs(found.changed_at - os.time()) < 60)
      always(answer(500, nil, "{}"))
      pcall(client.send_messages, client, message, { job = "b" })
      local names = {}
      for position, record in ipairs(ledger:list()) do names[position] = record.job .. " " .. record.state end
      assert.same({ "a done", "b unknown" }, names)
      assert.equal("b", ledger:list({ state = "unknown" })[1].job)
      assert.equal(1, #ledger:list { state = "unknown" })
      assert.same({ "server", 500 }, { ledger:find("b").error.kind, ledger:find("b").error.status })
      assert.is_true(ledger:forget "a")
      assert.is_false(ledger:forget "a")
      assert.is_nil(ledger:find "a")
      ledger:close()
    end)

    it("that a person settles as done is told as done", function()
      always(answer(500, nil, "{}"))
      failure(client.send_messages, client, message, { job = "a" })
      peer:play { { read = "request" }, { close = "reset" } }
      failure(client.create_send_id, client, campaign, { job = "b", retries = 0 })
      local ledger = braze.ledger(url, "w")
      local made = ledger:find("b").send_id
      ledger:settle("a", "done")
      ledger:settle("b", "done")
      assert.is_true(client:send_messages(message, { job = "a" }).replayed)
      assert.equal(made, client:create_send_id(campaign, { job = "b" }).send_id)
      assert.is_true(ledger:find("a").settled)
    end)

    it("that a person settles as not done is done", function()
      always(answer(500, nil, "{}"))
      failure(client.send_messages, client, message, { job = "a" })
      braze.ledger(url, "w"):settle("a", "not_done")
      always(answer(200, nil, '{"message":"success"}'))
      assert.is_nil(client:send_messages(message, { job = "a" }).replayed)
      assert.equal(2, peer:requests())
    end)

    it("is settled by nobody while it is held, done or absent", function()
      local ledger = braze.ledger(url, "w")
      assert.equal("usage", failure(ledger.settle, ledger, "a", "done").kind)
      always(created())
      client:create_send_id(campaign, { job = "a" })
      assert.equal("usage", failure(ledger.settle, ledger, "a", "done").kind)
      peer:default { { read = "request" }, { hold = true } }
      local process = children.make(url, peer.url, "send_messages", message, { job = "b" })
      local deadline = socket.gettime() + 20
      while not ledger:find "b" and socket.gettime() < deadline do socket.sleep(0.01) end
      assert.equal("busy", failure(ledger.settle, ledger, "b", "done").kind)
      children.signal(process, "KILL")
      children.wait(process)
    end)

    it("takes one of the day's send IDs, and none of what is on record", function()
      always(created())
      local ledger = braze.ledger(url, "w")
      assert.same({}, ledger:quota())
      client:create_send_id({ campaign_id = "c", send_id = "s" }, { job = "a" })
      assert.equal(99, ledger:quota().remaining)
      client:create_send_id({ campaign_id = "c", send_id = "s" }, { job = "b" })
      client:create_send_id({ campaign_id = "c", send_id = "s" }, { job = "a" })
      client:send_messages(message, { job = "m" })
      assert.same({ 100, 99 }, { ledger:quota().limit, ledger:quota().remaining })
      assert.is_true(ledger:quota().reset > os.time())
      client:create_send_id({ campaign_id = "c", send_id = "t" }, { job = "c" })
      assert.equal(98, ledger:quota().remaining)
    end)

    it("gives its send ID back where certainly none was made", function()
      always(answer(400, nil, "{}"))
      failure(client.create_send_id, client, campaign, { job = "a" })
      assert.equal(100, braze.ledger(url, "w"):quota().remaining)
      peer:play { { read = "request" }, { close = "reset" } }
      failure(client.create_send_id, client, campaign, { job = "b", retries = 0 })
      assert.equal(99, braze.ledger(url, "w"):quota().remaining)
    end)

    it("is not begun where the service's own headers say that none is left", function()
      local reset = os.time() + 5000
      always(last_of_the_day(reset))
      client:create_send_id(campaign, { job = "a" })
      local err = errors.check(failure(client.create_send_id, client, campaign, { job = "b" }))
      assert.equal(1, peer:requests())
      assert.equal("rate_limited", err.kind)
      assert.is_nil(err.status)
      assert.same({ 250, 0 }, { err.rate_limit.limit, err.rate_limit.remaining })
      assert.is_true(math.abs(err.rate_limit.reset - reset) <= 2)
      assert.is_true(math.abs(err.retry_at - reset) <= 2)
      assert.is_false(err.maybe_applied)
      assert.is_true(client:create_send_id(campaign, { job = "a" }).replayed)
    end)

    it("is not begun where the headers of a call without a job have said that none is left", function()
      local reset = os.time() + 5000
      local ledger = braze.ledger(url, "w")
      always(last_of_the_day(reset))
      assert.is_nil(client:create_send_id(campaign).ledger_error)
      local deadline = socket.gettime() + 10
      while ledger:quota().remaining ~= 0 and socket.gettime() < deadline do socket.sleep(0.01) end
      assert.same({ 250, 0 }, { ledger:quota().limit, ledger:quota().remaining })
      assert.is_true(math.abs(ledger:quota().reset - reset) <= 2)
      assert.same({}, ledger:list())
      local err = errors.check(failure(client.create_send_id, client, campaign, { job = "b" }))
      assert.equal("rate_limited", err.kind)
      assert.equal(1, peer:requests())
    end)

    it("counts less after the headers of a call without a job, and never more", function()
      local function left(number)
        local headers = { ["x-ratelimit-limit"] = 250, ["x-ratelimit-remaining"] = number }
        headers["x-ratelimit-reset"] = ("%d"):format(os.time() + 5000)
        always(answer(201, headers, '{"message":"success","send_id":"%{send_id}"}'))
      end
      local ledger = braze.ledger(url, "w")
      left(40)
      client:create_send_id(campaign, { job = "a" })
      assert.equal(40, ledger:quota().remaining)
      left(60)
      client:create_send_id(campaign)
      left(30)
      client:create_send_id(campaign)
      local deadline, counted = socket.gettime() + 10, 40
      while counted == 40 and socket.gettime() < deadline do
        socket.sleep(0.01)
        counted = ledger:quota().remaining
      end
      assert.equal(30, counted)
    end)

    it("begins a new count once the window is over", function()
      always(last_of_the_day(os.time() + 2))
      client:create_send_id(campaign, { job = "a" })
      local deadline, good = socket.gettime() + 10, false
      while not good and socket.gettime() < deadline do
        good = pcall(client.create_send_id, client, campaign, { job = "b" })
        if not good then socket.sleep(0.1) end
      end
      assert.is_true(good)
      assert.equal(2, peer:requests())
    end)

    it("keeps an answer of a megabyte", function()
      local long = ("x"):rep(900000)
      always(answer(200, nil, '{"message":"success","dispatch_id":"' .. long .. '"}'))
      client:send_messages(message, { job = "a" })
      assert.equal(long, client:send_messages(message, { job = "a" }).dispatch_id)
    end)
  end)
end
