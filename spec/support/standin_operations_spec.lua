-- The stand-in serves a send ID's whole life, as its README says.

local standin = require "spec.support.standin"

local service = standin.start()

local send = service.send

local function with_key(key)
  return { authorization = "Bearer " .. key }
end

-- A copy of a table with some fields changed; false takes one away.
local function changed(base, changes)
  local copy = {}
  for name, value in pairs(base) do copy[name] = value end
  for name, value in pairs(changes) do
    if value == false and name ~= "broadcast" then value = nil end
    copy[name] = value
  end
  return copy
end

local function people(count)
  local list = {}
  for number = 1, count do list[number] = { external_user_id = "user-" .. number } end
  return list
end

local far, near = "2090-01-01T00:00:00Z", "2001-01-01T00:00:00Z"
local message = {
  external_user_ids = { "user-1", "user-2" }, campaign_id = "campaign-1",
  messages = { email = { message_variation_id = "variation", subject = "Hello" } },
}
local trigger = { campaign_id = "campaign-1", recipients = people(2), trigger_properties = { price = 12.5 } }
local transactional = "/transactional/v1/campaigns/campaign-1/send"
local series = "/sends/data_series?campaign_id=campaign-1&send_id=mine&length=2"

local function make_id(send_id)
  assert.equal(201, (send("POST", "/sends/id/create", { campaign_id = "campaign-1", send_id = send_id })))
end

-- What each operation refuses: path, body, what is said.
local refusals = {
  { "/messages/send", changed(message, { broadcast = "false" }), "broadcast must be a valid boolean" },
  { "/messages/send", changed(message, { external_user_ids = "user-1" }), "external_user_ids must be a valid array" },
  { "/messages/send", changed(message, { external_user_ids = { 1 } }), "external_user_ids must be strings" },
  { "/messages/send", changed(message, { external_user_ids = false }), "No Recipients" },
  { "/messages/send", changed(message, { messages = {} }), "No message to send" },
  { "/messages/send", changed(message, { messages = { email = { subject = "x" } } }), "Message Variant Unspecified" },
  { "/messages/send", changed(message, { campaign_id = "nope" }), "Invalid Campaign ID" },
  { "/messages/send", changed(message, { send_id = "never-made" }), "send_id was not created for this campaign" },
  { "/messages/send", changed(message, { send_id = "mine", campaign_id = false }), "send_id needs a campaign_id" },
  { "/messages/send", changed(message, { broadcast = true }), "broadcast must not be true when recipients are named" },
  { "/messages/send", '{"external_user_ids":{},"messages":{}}', "external_user_ids must be a valid array" },
  { "/campaigns/trigger/send", changed(trigger, { campaign_id = false }),
    "campaign_id must be a string of the campaign api identifier" },
  { "/campaigns/trigger/send", changed(trigger, { recipients = people(51) }),
    "The max number of ids per request was exceeded" },
  { "/campaigns/trigger/send", changed(trigger, { recipients = false }), "No Recipients" },
  { "/campaigns/trigger/send", changed(trigger, { broadcast = true }),
    "broadcast must not be true when recipients are named" },
  { "/campaigns/trigger/send", changed(trigger, { segment_id = "segment" }), "segment_id is not supported" },
  { "/campaigns/trigger/send", changed(trigger, { recipients = { { email = "a@example.com" } } }),
    "prioritization is required with email" },
  { "/campaigns/trigger/send", changed(trigger, { recipients = { { external_user_id = "a", email = "b" } } }),
    "each recipient needs exactly one of external_user_id, user_alias and email" },
  { "/campaigns/trigger/send",
    changed(trigger, { recipients = { { external_user_id = "a", send_to_existing_only = false } } }),
    "attributes are required when send_to_existing_only is false" },
  { "/campaigns/trigger/send", changed(trigger, { attachments = { { url = "https://example.com" } } }),
    "attachments need file_name and url" },
  { "/campaigns/trigger/send", changed(trigger, { trigger_properties = { text = ("x"):rep(50 * 1024) } }),
    "trigger_properties must be at most 50 KB" },
  { "/messages/schedule/create", message, "schedule must be a valid object" },
  { "/messages/schedule/create", changed(message, { schedule = { time = "tomorrow" } }),
    "schedule.time must be a valid ISO 8601 time" },
  { "/messages/schedule/create", changed(message, { schedule = { time = near, in_local_time = true } }),
    "schedule.time has passed in a local time zone" },
  { "/messages/schedule/update", { schedule_id = "none", schedule = { time = far } }, "Schedule does not exist" },
  { "/messages/schedule/update", { schedule_id = "none" }, "schedule or messages is required" },
  { "/messages/schedule/delete", {}, "schedule_id must be a valid string" },
  { "/messages/schedule/delete", { schedule_id = "none" }, "Schedule does not exist" },
  { "/campaigns/trigger/schedule/create", changed(trigger, { schedule = { time = far, at_optimal_time = "true" } }),
    "schedule.at_optimal_time must be a valid boolean" },
  { "/campaigns/trigger/schedule/update", { campaign_id = "campaign-1", schedule_id = "none" },
    "schedule must be a valid object" },
  { "/campaigns/trigger/schedule/delete", { schedule_id = "none" },
    "campaign_id must be a string of the campaign api identifier" },
  { "/transactional/v1/campaigns/nope/send", { recipient = { external_user_id = "a" } }, "Campaign does not exist" },
  { transactional, { recipient = people(1) }, "recipient must be a valid object" },
  { transactional, { recipient = {} }, "recipient needs exactly one of external_user_id and user_alias" },
  { transactional, { recipient = { external_user_id = "a" }, external_send_id = "a b" },
    "external_send_id must be a Base64 compatible string" },
  { "/users/track", { events = ("x") }, "events must be a valid array" },
  { "/users/track", { events = people(76) }, "Max Input Length Exceeded" },
}
local bad_queries = {
  { "/sends/data_series?campaign_id=campaign-1&send_id=mine&length=101", "length must be an integer from 1 to 100" },
  { "/sends/data_series?campaign_id=campaign-1&send_id=mine&length=1.5", "length must be an integer from 1 to 100" },
  { "/sends/data_series?campaign_id=campaign-1&length=1", "send_id must be a string" },
  { "/sends/data_series?campaign_id=nope&send_id=mine&length=1", "Invalid Campaign ID" },
  { "/sends/data_series?campaign_id=campaign-1&send_id=never-made&length=1", "Invalid send_id" },
  -- A plus that is not percent-encoded is a space.
  { series .. "&ending_at=2026-01-01T00:00:00+01:00", "ending_at must be a valid ISO 8601 time" },
  { "/campaigns/list?page=-1", "page must be a valid integer" },
  { "/campaigns/list?include_archived=1", "include_archived must be a valid boolean" },
  { "/campaigns/list?sort_direction=up", "sort_direction must be asc or desc" },
  { "/campaigns/list?last_edit.time%5Bgt%5D=yesterday", "last_edit.time[gt] must be a valid time" },
  { "/campaigns/details", "campaign_id must be a string of the campaign api identifier" },
  { "/campaigns/details?campaign_id=campaign-1&post_launch_draft_version=yes",
    "post_launch_draft_version must be a valid boolean" },
  { "/messages/scheduled_broadcasts", "end_time must be a valid ISO 8601 time" },
  { "/events/list?page=x", "page must be a valid integer" },
  { "/catalogs/restaurants/items?cursor=x", "Invalid cursor" },
}

describe("the stand-in's operations", function()
  before_each(service.reset)

  for _, refusal in ipairs(refusals) do
    local path, body, said = refusal[1], refusal[2], refusal[3]
    it("refuse at " .. path .. ": " .. said, function()
      make_id "mine"
      local status, answer, headers = send("POST", path, body)
      assert.same({ 400, said }, { status, answer.message })
      assert.is_string(headers["x-ratelimit-limit"])
      assert.same({}, service.sends())
      assert.same({}, service.schedules())
    end)
  end

  for _, refusal in ipairs(bad_queries) do
    it("refuse " .. refusal[1], function()
      make_id "mine"
      local status, answer = send("GET", refusal[1])
      assert.same({ 400, refusal[2] }, { status, answer.message })
    end)
  end

  it("take a message, and say who could not be reached", function()
    local status, answer, headers = send("POST", "/messages/send",
      changed(message, { external_user_ids = { "user-1", "unknown-1" } }))
    assert.equal(201, status)
    assert.equal("success", answer.message)
    assert.matches("^%x+$", answer.dispatch_id)
    assert.equal(32, #answer.dispatch_id)
    assert.is_nil(answer.send_id)
    assert.same({ "external_user_id unknown-1 does not exist" }, answer.errors)
    assert.same({ "250000", "249999" }, { headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"] })
    assert.equal(0, tonumber(headers["x-ratelimit-reset"]) % 3600)
  end)

  it("track a broadcast by an ID of their own, or the caller's", function()
    local broadcast = changed(trigger, { recipients = false, broadcast = true })
    local _, made = send("POST", "/campaigns/trigger/send", broadcast)
    assert.matches("^%x+%-%x+%-%x+%-%x+%-%x+$", made.send_id)
    make_id "mine"
    local _, mine = send("POST", "/campaigns/trigger/send", changed(broadcast, { send_id = "mine" }))
    assert.equal("mine", mine.send_id)
    assert.same({ 1000, 1000 }, { service.sends()[1].recipients, service.sends()[2].recipients })
  end)

  it("keep a series that grows after a send", function()
    service.steer "clock?time=1800000000"
    make_id "mine"
    local function numbers()
      local status, answer = send("GET", series)
      assert.equal(200, status)
      assert.equal(2, #answer.data)
      return answer.data
    end
    assert.same({}, numbers()[2].messages)
    send("POST", "/campaigns/trigger/send", changed(trigger, { send_id = "mine", recipients = people(40) }))
    assert.equal(0, numbers()[2].messages.email[1].sent)
    service.steer "clock?advance=1"
    assert.equal(20, numbers()[2].messages.email[1].sent)
    assert.equal(10, numbers()[2].messages.email[1].delivered)
    service.steer "clock?advance=9"
    local row = numbers()[2]
    assert.same({ 40, 40, 20, 40 }, { row.messages.email[1].sent, row.messages.email[1].delivered,
      row.messages.email[1].total_opens, row.unique_recipients })
    assert.equal("2027-01-15", row.time)
    assert.same({}, numbers()[1].messages)
  end)

  for kind, life in pairs {
    messages = { "/messages/schedule/", message }, campaign = { "/campaigns/trigger/schedule/", trigger },
  } do
    it("make, change, delete and carry out a schedule: " .. kind, function()
      service.steer "clock?time=1800000000"
      local path, campaign_id = life[1], kind == "campaign" and "campaign-1" or nil
      make_id "mine"
      local base = changed(life[2], { send_id = "mine", schedule = { time = "2027-01-15T09:30:00+01:00" } })
      local ids = {}
      for number = 1, 2 do
        local status, answer = send("POST", path .. "create", base)
        assert.equal(201, status)
        assert.is_string(answer.dispatch_id)
        ids[number] = answer.schedule_id
      end
      local function act(what, id, schedule)
        local status, answer = send("POST", path .. what,
          { campaign_id = campaign_id, schedule_id = id, schedule = schedule })
        return { status, answer.message }
      end
      assert.same({ 201, "success" }, act("update", ids[1], { time = "2027-01-15T09:00:00Z" }))
      assert.same({ 201, "success" }, act("delete", ids[2]))
      assert.same({ 400, "Schedule does not exist" }, act("delete", ids[2]))
      assert.equal("2027-01-15T09:00:00Z", service.schedules()[1].text)
      assert.same({}, service.sends())
      service.steer "clock?advance=3600"
      assert.equal(1, #service.sends())
      assert.same({ "mine", 2 }, { service.sends()[1].send_id, service.sends()[1].recipients })
      assert.same({ 400, "Schedule does not exist" }, act("update", ids[1], { time = far }))
    end)
  end

  it("drop a transactional send that was made within a day", function()
    local body = { external_send_id = "order-1", recipient = { external_user_id = "a" } }
    local status, first = send("POST", transactional, body)
    assert.equal(201, status)
    assert.same({ "sent", nil }, { first.status, first.message })
    assert.is_string(first.metadata.received_at)
    local _, second = send("POST", transactional, body)
    assert.same(first, second)
    assert.equal(1, #service.sends())
    body.external_send_id = "queued-1"
    send("POST", transactional, body)
    local refused, answer = send("POST", transactional, body)
    assert.equal(400, refused)
    assert.matches("The external reference has been queued.", answer.message, 1, true)
    service.steer "clock?advance=86401"
    assert.equal(201, (send("POST", transactional, body)))
  end)

  it("list campaigns by pages of 100, oldest first", function()
    local function page(query)
      local status, answer = send("GET", "/campaigns/list" .. query)
      assert.equal(200, status)
      return answer.campaigns
    end
    assert.same({ 100, 100, 25, 0 }, { #page "", #page "?page=1", #page "?page=2", #page "?page=3" })
    assert.equal(50, #page "?page=2&include_archived=true")
    assert.equal("campaign_identifier", page ""[1].id)
    assert.equal("campaign-249", page "?sort_direction=desc"[1].id)
    assert.is_true(page ""[1].is_api_campaign)
    assert.equal("campaign-023", page "?last_edit.time%5Bgt%5D=2026-01-01T22:00:00"[1].id)
    local _, _, _, text = send("GET", "/campaigns/list?page=9")
    assert.equal('{"campaigns":[],"message":"success"}', text)
  end)

  it("tell of one campaign, and of the dashboard's broadcasts without a message", function()
    local _, details = send("GET", "/campaigns/details?campaign_id=campaign_identifier")
    assert.same({ "success", "Campaign 1", "email" }, { details.message, details.name, details.channels[1] })
    local status, answer = send("GET", "/messages/scheduled_broadcasts?end_time=2090-01-01T00:00:00-04:00")
    assert.equal(200, status)
    assert.is_nil(answer.message)
    assert.equal(3, #answer.scheduled_broadcasts)
    local _, none = send("GET", "/messages/scheduled_broadcasts?end_time=2001-01-01T00:00:00Z")
    assert.same({ scheduled_broadcasts = {} }, none)
  end)

  it("have 10 broadcasts a minute for an audience and 250 for all", function()
    service.steer "clock?time=1800000000"
    local broadcast = changed(trigger, { recipients = false, broadcast = true })
    for left = 9, 0, -1 do
      local status, _, headers = send("POST", "/campaigns/trigger/send", broadcast)
      assert.same({ 201, "10", tostring(left), "1800000060" }, { status, headers["x-ratelimit-limit"],
        headers["x-ratelimit-remaining"], headers["x-ratelimit-reset"] })
    end
    local status, answer = send("POST", "/campaigns/trigger/send", broadcast)
    assert.same({ 429, "You have exceeded your rate limit" }, { status, answer.message })
    for number = 11, 250 do
      broadcast.audience = { AND = { number } }
      assert.equal(201, (send("POST", "/campaigns/trigger/send", broadcast)))
    end
    broadcast.audience = { AND = { 251 } }
    local last, _, headers = send("POST", "/campaigns/trigger/send", broadcast)
    assert.same({ 429, "250", "0" }, { last, headers["x-ratelimit-limit"], headers["x-ratelimit-remaining"] })
    assert.equal(201, (send("POST", "/campaigns/trigger/send", trigger)))
    service.steer "clock?advance=60"
    assert.equal(201, (send("POST", "/campaigns/trigger/send", broadcast)))
  end)

  it("share one hour among the others, and take no broadcast's limit for a schedule of messages", function()
    service.steer "clock?time=1800000000"
    service.steer "quota?bucket=hour&limit=3"
    assert.equal(201, (send("POST", "/messages/schedule/create", {
      broadcast = true, segment_id = "segment", messages = { email = { subject = "x" } }, schedule = { time = far },
    })))
    assert.equal(201, (send("POST", "/campaigns/trigger/send", trigger)))
    local _, _, headers = send("GET", "/campaigns/list")
    assert.equal("0", headers["x-ratelimit-remaining"])
    assert.equal(429, (send("GET", "/campaigns/list")))
    assert.equal(201, (send("POST", "/sends/id/create", { campaign_id = "campaign-1" })))
    assert.equal(200, (send("GET", "/campaigns/list", nil, with_key(service.second_key))))
  end)

  for _, row in ipairs {
    { "POST", "/sends/id/create", "sends.id.create" }, { "POST", "/messages/send", "messages.send" },
    { "POST", "/campaigns/trigger/send", "campaigns.trigger.send" }, { "POST", transactional, "transactional.send" },
    { "POST", "/messages/schedule/create", "messages.schedule.create" },
    { "POST", "/messages/schedule/update", "messages.schedule.update" },
    { "POST", "/messages/schedule/delete", "messages.schedule.delete" },
    { "POST", "/campaigns/trigger/schedule/create", "campaigns.trigger.schedule.create" },
    { "POST", "/campaigns/trigger/schedule/update", "campaigns.trigger.schedule.update" },
    { "POST", "/campaigns/trigger/schedule/delete", "campaigns.trigger.schedule.delete" },
    { "GET", "/sends/data_series", "sends.data_series" }, { "GET", "/campaigns/list?page=x", "campaigns.list" },
    { "GET", "/campaigns/details", "campaigns.details" },
    { "GET", "/messages/scheduled_broadcasts", "messages.schedule_broadcasts" },
  } do
    local method, path, permission = row[1], row[2], row[3]
    it("want " .. permission .. " of a key, and a key, and JSON", function()
      local body = method == "POST" and {} or nil
      local status, answer, headers = send(method, path, body, with_key "braze-standin-key-only-users.track")
      assert.same({ 403, "Access Denied" }, { status, answer.message })
      assert.is_nil(headers["x-ratelimit-limit"])
      assert.equal(400, (send(method, path, body, with_key("braze-standin-key-only-" .. permission))))
      local unknown, refusal, empty = send(method, path, body, with_key "nope")
      assert.same({ 401, "Invalid API key: nope", "" }, { unknown, refusal.message, empty["x-ratelimit-limit"] })
      assert.equal(404, (send(method == "GET" and "POST" or "GET", path, "{}")))
      if body then
        assert.equal(403, (send(method, path .. "/", body)))
        assert.equal(415, (send(method, path, body, { ["content-type"] = false })))
        assert.equal(413, (send(method, path, (" "):rep(4 * 1024 * 1024 + 1))))
        assert.equal(400, (send(method, path, '{"campaign_id":')))
      end
    end)
  end
end)
