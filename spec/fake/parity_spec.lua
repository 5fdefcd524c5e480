-- braze.fake answers as the stand-in does, field by field: one script is run at both. What the service makes up (ids,
-- times) has to look alike, and all else has to be the same. What a campaign holds is the test's, so the fake is told
-- it.

local braze = require "braze"
local fake = require "braze.fake"
local standin = require "spec.support.standin"

local service = standin.start()
local campaign = service.campaign_id
local email = { email = { app_id = "app", subject = "Hello", from = "A <a@example.com>", body = "Hello" } }
local later, much_later = { time = "2031-03-01T09:00:00Z" }, { time = "2031-04-01T09:00:00Z" }

-- What is made anew for each answer: a pattern that both have to fit, or "number".
local made_up = {
  request_id = "^%x+%-%x+%-%x+%-%x+%-%x+$", dispatch_id = "^" .. ("%x"):rep(32) .. "$",
  schedule_id = "^%x+%-%x+%-%x+%-%x+%-%x+$", send_id = "^%x+%-%x+%-%x+%-%x+%-%x+$",
  received_at = "^%d+%-%d+%-%d+T%d+:%d+:%d+%.000%+00:00$", elapsed = "number", reset = "number", retry_at = "number",
}
for _, name in ipairs { "enqueued_at", "executed_at", "sent_at" } do made_up[name] = made_up.received_at end
-- libcurl's own words for a lost answer, and the line where the call stands.
local apart = { where = true, curl_message = true }

local function compare(path, one, other)
  local name = path:match "[^.]+$"
  if apart[name] then return end
  assert.equal(type(one), type(other), path)
  if type(one) == "table" then
    for key, value in pairs(one) do compare(path .. "." .. tostring(key), value, other[key]) end
    for key in pairs(other) do assert.is_true(one[key] ~= nil, path .. "." .. tostring(key) .. " of the fake alone") end
  elseif made_up[name] == "number" then
    assert.equal("number", type(one), path)
  elseif made_up[name] and one ~= other then
    assert.matches(made_up[name], one, path)
    assert.matches(made_up[name], other, path)
  elseif name == "message" or name == "hint" then
    -- libcurl's words stand between the texts of both.
    local function plain(text) return (text:gsub(": [Et][mh][pe][t ][^(]*%(curl", " (curl"):gsub("%(in .-%)", "")) end
    assert.equal(plain(one), plain(other), path)
  else
    assert.equal(one, other, path)
  end
end

-- What a table of content has that the test made: the rest of the answer is ours and the service's.
local function content(name, result)
  if name == "get_campaign" then
    local fields = {}
    for key, value in pairs(result) do fields[key] = value end
    for _, key in ipairs { "status", "attempts", "elapsed", "rate_limit", "request_id" } do fields[key] = nil end
    return fields
  end
  return { data = result.data, campaigns = result.campaigns, scheduled_broadcasts = result.scheduled_broadcasts,
    events_processed = result.events_processed, events = result.events }
end

describe("braze.fake beside the stand-in", function()
  local there, here, count

  before_each(function()
    service.reset()
    local options = { api_key = service.key, endpoint = service.http, retries = 0 }
    there, here, count = braze.new(options), fake.new(options), 0
  end)

  local function call(client, name, params)
    local good, value = pcall(client.call, client, name, params)
    return good, value
  end

  -- Makes the call at both, after `expect` has told the fake what comes.
  local function both(name, params, expect, params_here)
    local good, value = call(there, name, params)
    local expectation = here:expect(name)
    if expect then
      expect(expectation)
    elseif good then
      expectation:answers(content(name, value))
    end
    local same_good, same_value = call(here, name, params_here or params)
    assert.equal(good, same_good, name .. tostring(same_value))
    compare(name, value, same_value)
    count = count + 1
    return value, same_value
  end

  it("is the same for each operation, and for routes", function()
    for _, id in ipairs { "one", "two", "two" } do
      both("create_send_id", { campaign_id = campaign, send_id = id })
    end
    both("create_send_id", { campaign_id = campaign })
    both("send_messages", { campaign_id = campaign, send_id = "one", broadcast = true, messages = {
      email = { app_id = "app", message_variation_id = "m", subject = "Hello", from = "A <a@example.com>", body = "x" },
    } })
    both("send_messages", { external_user_ids = { "u1" }, messages = email })
    both("trigger_campaign", { campaign_id = campaign, recipients = { { external_user_id = "u1" } } })
    both("trigger_campaign", { campaign_id = campaign, broadcast = true })
    both("trigger_campaign", { campaign_id = campaign, send_id = "one", broadcast = true })
    for _, kind in ipairs { "messages", "campaign" } do
      local params = { schedule = later, broadcast = true }
      if kind == "messages" then params.messages = email else params.campaign_id = campaign end
      local made, made_here = both("schedule_" .. kind, params)
      local function of(one, schedule)
        local of_campaign = kind == "campaign" and campaign or nil
        return { schedule_id = one.schedule_id, schedule = schedule, campaign_id = of_campaign }
      end
      both("update_scheduled_" .. kind, of(made, much_later), nil, of(made_here, much_later))
      both("delete_scheduled_" .. kind, of(made), nil, of(made_here))
    end
    both("get_send_analytics", { campaign_id = campaign, send_id = "one", length = 2 })
    both("list_campaigns", { page = 0 })
    both("list_campaigns", { page = 9 })
    both("get_campaign", { campaign_id = campaign })
    both("list_scheduled_broadcasts", { end_time = "2031-04-01T09:00:00Z" })
    local recipient = { external_user_id = "u" }
    both("send_transactional", { campaign_id = campaign, external_send_id = "x1", recipient = recipient })
    both("POST /users/track", { events = { { external_id = "u", name = "seen", time = "2026-01-01T00:00:00Z" } } })
    both("GET /events/list", { page = 0 })
    assert.equal(23, count)
  end)

  it("is the same for every refusal", function()
    for _, status in ipairs { 400, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529 } do
      for _, name in ipairs { "create_send_id", "trigger_campaign", "list_campaigns" } do
        service.steer("next?fail=" .. status)
        local params = name == "list_campaigns" and {} or { campaign_id = campaign }
        if name == "trigger_campaign" then params.recipients = { { external_user_id = "u" } } end
        local good, value = call(there, name, params)
        here:expect(name):status(status, { message = "The stand-in was told to answer " .. status })
        local same_good, same_value = call(here, name, params)
        assert.same({ false, false }, { good, same_good })
        -- The switch answers before the limits are looked at.
        same_value.rate_limit = value.rate_limit
        if status ~= 429 then compare(name .. " " .. status, value, same_value) end
        for _, field in ipairs { "kind", "status", "maybe_applied", "attempts" } do
          assert.equal(value[field], same_value[field], name .. " " .. status .. " " .. field)
        end
        count = count + 1
      end
    end
    assert.equal(36, count)
  end)

  it("is the same where an answer is lost", function()
    for name, params in pairs {
      create_send_id = { campaign_id = campaign }, trigger_campaign = { campaign_id = campaign, broadcast = true },
    } do
      service.steer "next?lose=1"
      both(name, params, function(expectation) expectation:fails { kind = "network", maybe_applied = true } end)
    end
  end)

  it("is the same where the quota of the day is used up", function()
    for number = 1, 100 do both("create_send_id", { campaign_id = campaign, send_id = "id-" .. number }) end
    local failure = both("create_send_id", { campaign_id = campaign, send_id = "id-101" }, function() end)
    assert.same({ "rate_limited", 0 }, { failure.kind, failure.rate_limit.remaining })
  end)
end)
