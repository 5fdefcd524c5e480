-- How often a call is sent, by its operation's row: what the peer saw, and what is said of it.

local braze = require "braze"
local samples = require "spec.support.operation_samples"
local scripted_peer = require "spec.support.scripted_peer"

local key = "braze-key-0123456789"
local answer = scripted_peer.answer
local read = { read = "request" }

-- What the peer does to a first request, and what the call comes to where there is no second one.
local failures = {
  { "a reset", { close = "reset" }, "network", true },
  { "a 500", { write = answer(500, nil, '{"message":"broken"}') }, "server", true },
  { "a 503", { write = answer(503, { ["retry-after"] = 0 }, "busy") }, "server", true },
  { "a 408", { write = answer(408, nil, "{}") }, "rejected", true },
  { "a 522", { write = answer(522, nil, "lost") }, "server", true },
  { "an end without an answer", { close = "fin" }, "network", true },
}

describe("a call", function()
  local peer, client
  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  before_each(function()
    peer:reset()
    client = braze.new { api_key = key, endpoint = peer.url, retries = 2, timeout = 20 } -- with a budget of its own
  end)
  after_each(function() client:close() end)

  -- The first request fails so, any further one succeeds.
  local function after(failure, success, ...)
    peer:reset()
    peer:play { read, failure }
    peer:default { read, { write = success } }
    local good, value = pcall(client.call, client, ...)
    return good, value, peer:requests()
  end

  local function with(parameters, field, value)
    local changed = {}
    for name, other in pairs(parameters) do changed[name] = other end
    changed[field] = value
    return changed
  end

  -- Every failure is one and the same rule's. Two of them are enough for all but two operations: each repeat pauses.
  local function check(times, success, name, parameters, options)
    local last = times == 1 and #failures or (name == "create_send_id" or name == "get_campaign") and #failures or 2
    local reads = name:find "^GET " or braze.operations[name] and braze.operations[name].method == "GET"
    for number = 1, last do
      local failure = failures[number]
      local good, value, requests = after(failure[2], success, name, parameters, options)
      assert.equal(times, requests, failure[1])
      assert.equal(times, value.attempts, failure[1])
      assert.equal(times == 2, good, failure[1])
      if not good then
        assert.equal(failure[3], value.kind, failure[1])
        assert.equal(not reads, value.maybe_applied, failure[1])
        assert.equal(name, value.operation)
        assert.is_string(value.hint, failure[1])
      end
    end
  end

  local repeated = {
    create_send_id = 2, send_messages = 1, trigger_campaign = 1, schedule_messages = 1, update_scheduled_messages = 2,
    delete_scheduled_messages = 2, schedule_campaign = 1, update_scheduled_campaign = 2, delete_scheduled_campaign = 2,
    get_send_analytics = 2, list_campaigns = 2, get_campaign = 2, list_scheduled_broadcasts = 2, send_transactional = 2,
  }

  for _, sample in ipairs(samples) do
    local name, parameters, success = sample[1], sample[2], answer(200, nil, sample[5])
    local row = braze.operations[name]

    local times = repeated[name] == 2 and "again" or "once"
    it(("of %s is sent %s after a lost answer or a 5xx"):format(name, times), function()
      check(repeated[name], success, name, parameters)
    end)

    if row.key then
      it(("of %s is sent once without %s"):format(name, row.key), function()
        check(1, success, name, with(parameters, row.key, nil))
      end)
    end

    it(("of %s is sent again after a 429 that says when, unless it is final"):format(name), function()
      local later = { write = answer(429, { ["retry-after"] = 0 }, "{}") }
      local good, value, requests = after(later, success, name, parameters)
      assert.is_true(good, tostring(value))
      assert.equal(2, requests)
      good, value, requests = after({ write = answer(429, nil, "{}") }, success, name, parameters)
      assert.is_false(good)
      assert.equal("rate_limited", value.kind)
      assert.is_false(value.maybe_applied)
      assert.equal(1, requests)
    end)

    it(("of %s is sent once after any other 4xx, a 501 or a 2xx that is no success"):format(name), function()
      for _, status in ipairs { 400, 401, 403, 404, 409, 422, 501, 505 } do
        local good, value, requests = after({ write = answer(status, nil, "{}") }, success, name, parameters)
        assert.is_false(good)
        assert.equal(status, value.status)
        assert.equal(1, requests)
      end
      local good, value, requests = after({ write = answer(200, nil, "no JSON") }, success, name, parameters)
      assert.is_false(good)
      assert.equal("protocol", value.kind)
      assert.equal(1, requests)
    end)

    it(("of %s is sent again where it certainly never left"):format(name), function()
      peer:refuse()
      -- The pauses are random: two of them may both be over before the peer takes connections again.
      local request = client:start(name, parameters, { retries = 6 })
      request:wait(0.05)
      peer:accept()
      peer:default { read, { write = success } }
      request:wait()
      assert.equal(1, request:result().attempts)
      assert.equal(1, peer:requests())
    end)

    it(("of %s is never sent again with retries = 0"):format(name), function()
      local good, value, requests = after(failures[1][2], success, name, parameters, { retries = 0 })
      assert.is_false(good)
      assert.equal("network", value.kind)
      assert.equal(1, requests)
    end)
  end

  it("whose second try is refused may have been applied by its first, unless it reads", function()
    for _, sample in ipairs(samples) do
      local name = sample[1]
      if repeated[name] == 2 then
        local good, err = after({ close = "reset" }, answer(404, nil, '{"message":"not there"}'), name, sample[2])
        assert.is_false(good)
        assert.equal("rejected", err.kind)
        assert.equal(2, err.attempts)
        assert.equal(braze.operations[name].method ~= "GET", err.maybe_applied, name)
        if err.maybe_applied then assert.matches("earlier try of this call got no answer", err.hint) end
      end
    end
  end)

  it("that may not be repeated says so, with what to do", function()
    local words = {
      send_messages = "messages may have been sent", trigger_campaign = "messages may have been sent",
      schedule_messages = "a schedule may exist", schedule_campaign = "a schedule may exist",
      send_transactional = "the message may have been sent",
    }
    for _, sample in ipairs(samples) do
      if words[sample[1]] then
        local parameters = with(sample[2], "external_send_id", nil)
        local good, err = after({ close = "reset" }, answer(200, nil, sample[5]), sample[1], parameters)
        assert.is_false(good)
        assert.is_truthy(err.hint:find(words[sample[1]], 1, true), err.hint)
      end
    end
  end)

  describe("of a route", function()
    local success = answer(200, nil, "{}")

    it("is sent once, and again where it reads or is repeatable", function()
      check(2, success, "GET /a", { b = 1 })
      for _, method in ipairs { "POST", "PUT", "PATCH", "DELETE" } do
        check(1, success, method .. " /a", { b = 1 })
        check(1, success, method .. " /a", { b = 1 }, { repeatable = false })
      end
      check(2, success, "POST /a", { b = 1 }, { repeatable = true })
      check(2, success, "DELETE /a", nil, { repeatable = true })
    end)

    it("keeps the rule of the operation that it is, whatever is asked for", function()
      for _, options in ipairs { false, { repeatable = true } } do
        for _, path in ipairs {
          "/messages/send", "/campaigns/trigger/send", "/messages/schedule/create",
          "/campaigns/trigger/schedule/create",
        } do
          check(1, success, "POST " .. path, { campaign_id = "c" }, options or nil)
        end
        check(2, success, "POST /messages/schedule/delete", { schedule_id = "x" }, options or nil)
        check(1, success, "POST /sends/id/create", { campaign_id = "c" }, options or nil)
        check(2, success, "POST /sends/id/create", { campaign_id = "c", send_id = "mine" }, options or nil)
        check(1, success, "POST /transactional/v1/campaigns/c/send", { external_send_id = "" }, options or nil)
        check(2, success, "POST /transactional/v1/campaigns/c/send", { external_send_id = "mine" }, options or nil)
      end
    end)
  end)
end)
