-- on_event is told of every attempt, pause and end of a call, on the Lua thread, and nothing it does changes the call.

local braze = require "braze"
local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local read, again = { read = "request" }, { again = true }
local created = scripted_peer.created()
local parameters = { campaign_id = "campaign", send_id = "spring" }

-- The types of events in their order.
local function types_of(events)
  local types = {}
  for number, event in ipairs(events) do types[number] = event.type end
  return table.concat(types, " ")
end

local function names_of(event)
  local names = {}
  for name in pairs(event) do names[#names + 1] = name end
  table.sort(names)
  return table.concat(names, " ")
end

describe("on_event", function()
  local peer, new = with_peer({ read, { write = created }, again })
  local events, client

  local function keep(event) events[#events + 1] = event end

  before_each(function()
    events = {}
    client = new { on_event = keep, retries = 1 }
  end)

  it("is told of the attempt and the end of a blocking call before it returns", function()
    local before = os.time()
    local result = client:create_send_id(parameters)
    assert.equal("attempt call", types_of(events))
    local attempt, call = events[1], events[2]
    assert.equal("campaign_id connect connection_reused elapsed first_byte method name_lookup operation path "
      .. "rate_limit request_id resend_count send_id sent server_address server_port status time tls type",
      names_of(attempt))
    assert.same({ "create_send_id", "POST", "/sends/id/create", "127.0.0.1", tonumber(peer.url:match "%d+$"), 201 },
      { attempt.operation, attempt.method, attempt.path, attempt.server_address, attempt.server_port, attempt.status })
    assert.same({ 0, false, true, "campaign", "spring", 0 }, { attempt.resend_count, attempt.connection_reused,
      attempt.sent, attempt.campaign_id, attempt.send_id, attempt.tls })
    assert.is_true(attempt.time >= before - 1 and attempt.time <= os.time() + 1)
    local parts = attempt.name_lookup + attempt.connect + attempt.tls + attempt.first_byte
    assert.is_true(parts > 0 and parts <= attempt.elapsed + 0.001)
    assert.equal("attempts elapsed maybe_applied operation status time type", names_of(call))
    assert.same({ 1, result.elapsed, false, "create_send_id", 201 },
      { call.attempts, call.elapsed, call.maybe_applied, call.operation, call.status })
  end)

  it("tells that a connection was used before", function()
    client:create_send_id(parameters)
    client:create_send_id(parameters)
    assert.is_true(events[3].connection_reused)
    assert.same({ 0, 0, 0 }, { events[3].name_lookup, events[3].connect, events[3].tls })
  end)

  it("tells of each attempt and of the pause between two, with what the service said", function()
    local headers = { ["X-RateLimit-Limit"] = "100", ["X-RateLimit-Remaining"] = "7", ["X-Request-Id"] = "the-id" }
    peer:default { read, { write = scripted_peer.answer(500, headers, "{}") }, read, { write = created }, again }
    client:create_send_id(parameters)
    assert.equal("attempt retry attempt call", types_of(events))
    assert.same({ "server", 500, 0, "the-id", { limit = 100, remaining = 7 } }, { events[1].kind, events[1].status,
      events[1].resend_count, events[1].request_id, events[1].rate_limit })
    assert.equal("kind operation pause status time type", names_of(events[2]))
    assert.same({ "server", 500 }, { events[2].kind, events[2].status })
    assert.is_true(events[2].pause > 0 and events[2].pause <= events[3].time - events[2].time + 0.001)
    assert.same({ 1, nil, 201 }, { events[3].resend_count, events[3].kind, events[3].status })
    assert.same({ 2, nil }, { events[4].attempts, events[4].kind })
  end)

  it("tells of a connection that failed, and that nothing was sent", function()
    local alone = new { on_event = keep, endpoint = "http://127.0.0.1:1" }
    pcall(alone.create_send_id, alone, parameters)
    assert.equal("attempt call", types_of(events))
    assert.same({ "network", false, nil, nil, nil },
      { events[1].kind, events[1].sent, events[1].status, events[1].connect, events[1].first_byte })
    assert.same({ "network", 0, false }, { events[2].kind, events[2].attempts, events[2].maybe_applied })
  end)

  it("tells that a lost answer may have been applied", function()
    peer:default { read, { close = "fin" } }
    pcall(client.trigger_campaign, client, { campaign_id = "campaign", recipients = braze.list {} })
    assert.equal("attempt call", types_of(events))
    assert.same({ "network", true }, { events[1].kind, events[1].sent })
    assert.same({ "network", true, 1 }, { events[2].kind, events[2].maybe_applied, events[2].attempts })
  end)

  it("is told of started calls inside step, before their on_done, in their order", function()
    local seen = {}
    local told
    local one = new { on_event = function(event)
      assert(told, "told outside of step")
      seen[#seen + 1] = event.type
    end }
    local request = one:start("create_send_id", parameters, { on_done = function() seen[#seen + 1] = "on_done" end })
    assert.is_true(request:wait(5))
    assert.same({}, seen)
    told = true
    assert.equal(1, one:step())
    assert.same({ "attempt", "call", "on_done" }, seen)
    one:start("create_send_id", parameters)
    assert.is_true(one:wait(5))
    assert.same({ "attempt", "call", "on_done", "attempt", "call" }, seen)
  end)

  it("is told of a cancelled call", function()
    peer:default { read, { hold = true } }
    local request = client:start("create_send_id", parameters)
    request:cancel()
    assert.equal(1, client:step())
    assert.equal("call", types_of(events):match "call$")
    assert.equal("cancelled", events[#events].kind)
  end)

  it("sees neither the key, a body, a query nor a user's data, wherever they stand", function()
    local key = "braze-key-0123456789"
    peer:default { read, { write = scripted_peer.answer(401, { ["X-Request-Id"] = key },
      '{"message":"Invalid API key: ' .. key .. '"}') }, again }
    pcall(client.create_send_id, client, { campaign_id = key, send_id = key })
    pcall(client.call, client, "GET /users/" .. key, { external_id = "user-secret-1" },
      { query = { email = "a@secret" } })
    assert.equal("attempt call attempt call", types_of(events))
    for _, event in ipairs(events) do
      for name, value in pairs(event) do
        assert.is_nil(tostring(value):find(key, 1, true), name)
        assert.is_nil(tostring(value):find("secret", 1, true), name)
      end
    end
    assert.is_nil(events[3].path:find("?", 1, true))
  end)

  it("changes nothing by what it raises: step raises it after all have run, a blocking call warns", function()
    local count, done = 0, 0
    local one = new { on_event = function()
      count = count + 1
      error("from event " .. count, 0)
    end }
    assert.equal("spring", one:create_send_id(parameters).send_id)
    assert.equal(2, count)
    one:start("create_send_id", parameters, { on_done = function(err, result)
      assert(not err and result.send_id == "spring")
      done = done + 1
    end })
    local good, raised = pcall(one.wait, one, 5)
    assert.same({ false, "from event 3", 4, 1 }, { good, raised, count, done })
    assert.equal(0, one:pending())
  end)

  it("warns of what it raises in a blocking call, without the key", function()
    local output = child.run(([[
      if warn then warn "@on" end
      local braze = require "braze"
      local client = braze.new { api_key = "braze-key-0123456789", endpoint = %q, on_event = function()
        error "no room for braze-key-0123456789\n"
      end }
      print(client:create_send_id { campaign_id = "campaign", send_id = "spring" }.send_id) ]]):format(peer.url))
    assert.matches("on_event raised an error, which changes nothing in the call: ", output, 1, true)
    assert.matches("no room for", output, 1, true)
    assert.is_nil(output:find("braze-key-0123456789", 1, true))
    assert.matches("\nspring\n$", output)
  end)

  it("may close its client, start another call and make one, but not step", function()
    local one, inner, failure
    one = new { on_event = function(event)
      if event.type ~= "call" or inner then return end
      inner = one:start("create_send_id", parameters)
      local good, raised = pcall(one.step, one)
      failure = not good and raised
      one:close()
    end }
    one:start("create_send_id", parameters)
    one:wait(5)
    assert.equal("usage", failure.kind)
    assert.matches("on_event", failure.message, 1, true)
    one:wait(5)
    assert.equal(0, one:pending())
    assert.is_true(inner:done())
  end)

  it("is refused where it is no function, and of a call", function()
    local good, failure = pcall(new, { on_event = "print" })
    assert.is_false(good)
    assert.equal('on_event must be a function, not the string "print"', failure.message)
    good, failure = pcall(client.create_send_id, client, parameters, { on_event = print })
    assert.is_false(good)
    assert.equal("on_event is an option of a client, not of a call", failure.message)
  end)
end)
