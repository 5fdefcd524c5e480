-- The operations that read: series, campaigns, broadcasts.

local fields = require "fields"
local limits = require "limits"
local replies = require "replies"
local state = require "state"

local reading = {}

local seconds_per_day = 86400
local longest_series = 100
local seconds_of_growth = 2
local campaigns_in_all = 250
local campaigns_a_page = 100
local every_archived = 10
local first_campaign = 1767225600 -- 2026-01-01T00:00:00Z
local seconds_between_campaigns = 3600

local function date(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%S+00:00", math.floor(seconds))
end

-- Answers what "make" returns, where nothing is wrong and the hour has room.
local function read(call, fault, make)
  if fault then return replies.refuse(400, fault) end
  if not limits.take { limits.window(call.workspace, "hour") } then
    return replies.refuse(429, "You have exceeded your rate limit")
  end
  replies.value(200, make())
end

-- What a send has done until now: all of it within two seconds, each step behind the one before.
local function progress_of(send, now)
  local function share(of, late)
    return math.floor(of * math.max(0, math.min(1, (now - send.time - late) / seconds_of_growth)))
  end
  local sent = share(send.recipients, 0)
  local delivered = share(send.recipients, 0.5)
  return { sent = sent, delivered = delivered, total_opens = share(math.floor(send.recipients / 2), 1),
    unique_recipients = sent }
end

-- One row of a series: what the sends of a day have done.
local function row_of(day, sends, now)
  local row = { time = os.date("!%Y-%m-%d", day * seconds_per_day), messages = {}, conversions = 0,
    conversions_by_send_time = 0, unique_recipients = 0, revenue = 0 }
  for _, send in ipairs(sends) do
    if math.floor(send.time / seconds_per_day) == day then
      local progress = progress_of(send, now)
      row.unique_recipients = row.unique_recipients + progress.unique_recipients
      for _, channel in ipairs(send.channels) do
        row.messages[channel] = row.messages[channel] or replies.list { {
          variation_name = "Variant 1", sent = 0, delivered = 0, undelivered = 0, delivery_failed = 0,
          direct_opens = 0, total_opens = 0, bounces = 0, body_clicks = 0, revenue = 0, unique_recipients = 0,
          conversions = 0, conversions_by_send_time = 0,
        } }
        local entry = row.messages[channel][1]
        for name, count in pairs(progress) do entry[name] = entry[name] + count end
      end
    end
  end
  return row
end

local function fault_of_series(call, query, length)
  local fault = fields.fault_of_campaign(query.campaign_id)
  if fault then return fault end
  if type(query.send_id) ~= "string" or query.send_id == "" then return "send_id must be a string" end
  if not length or length % 1 ~= 0 or length < 1 or length > longest_series then
    return "length must be an integer from 1 to 100"
  end
  if query.ending_at and not fields.parse_time(query.ending_at) then
    return "ending_at must be a valid ISO 8601 time"
  end
  if not state.has_pair(call.workspace, query.campaign_id, query.send_id) then return "Invalid send_id" end
end

function reading.get_send_analytics(call)
  local query = call.query
  local length = tonumber(query.length)
  read(call, fault_of_series(call, query, length), function()
    local now, sends, data = state.now(), {}, replies.list {}
    state.run_schedules(call.workspace)
    for _, send in ipairs(state.sends) do
      if send.workspace == call.workspace.name and send.campaign_id == query.campaign_id
        and send.send_id == query.send_id then
        sends[#sends + 1] = send
      end
    end
    local last = math.floor((fields.parse_time(query.ending_at) or now) / seconds_per_day)
    for day = last - length + 1, last do data[#data + 1] = row_of(day, sends, now) end
    return { message = "success", data = data }
  end)
end

-- The campaign of a number, oldest first. The first two have the ids that specs and examples use.
local function campaign_of(number)
  local ids = { "campaign_identifier", "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b" }
  return {
    id = ids[number] or ("campaign-%03d"):format(number), name = "Campaign " .. number,
    is_api_campaign = number % 2 == 1, tags = replies.list { number % 2 == 1 and "api" or "dashboard" },
    edited = first_campaign + number * seconds_between_campaigns, archived = number % every_archived == 0,
  }
end

local function fault_of_list(query)
  if query.page and not (tonumber(query.page) and query.page:find "^%d+$") then
    return "page must be a valid integer"
  end
  local archived, direction, after = query.include_archived, query.sort_direction, query["last_edit.time[gt]"]
  if archived and archived ~= "true" and archived ~= "false" then return "include_archived must be a valid boolean" end
  if direction and direction ~= "asc" and direction ~= "desc" then return "sort_direction must be asc or desc" end
  if after and not fields.parse_time(after) then return "last_edit.time[gt] must be a valid time" end
end

function reading.list_campaigns(call)
  local query = call.query
  read(call, fault_of_list(query), function()
    local all, page = {}, replies.list {}
    local after = fields.parse_time(query["last_edit.time[gt]"]) or 0
    for number = 1, campaigns_in_all do
      local campaign = campaign_of(number)
      if campaign.edited > after and (query.include_archived == "true" or not campaign.archived) then
        table.insert(all, query.sort_direction == "desc" and 1 or #all + 1, campaign)
      end
    end
    local first = (tonumber(query.page) or 0) * campaigns_a_page
    for index = first + 1, math.min(first + campaigns_a_page, #all) do
      local campaign = all[index]
      page[#page + 1] = { id = campaign.id, name = campaign.name, is_api_campaign = campaign.is_api_campaign,
        tags = campaign.tags, last_edited = date(campaign.edited) }
    end
    return { message = "success", campaigns = page }
  end)
end

local function fault_of_details(query)
  for _, name in ipairs { "post_launch_draft_version", "include_has_translatable_content" } do
    local value = query[name]
    if value and value ~= "true" and value ~= "false" then return name .. " must be a valid boolean" end
  end
  return fields.fault_of_campaign(query.campaign_id)
end

function reading.get_campaign(call)
  local query = call.query
  read(call, fault_of_details(query), function()
    local number = query.campaign_id == "campaign_identifier" and 1
      or tonumber(query.campaign_id:match "^campaign%-(%d+)$") or 2
    local campaign = campaign_of(number)
    return {
      message = "success", name = campaign.name, description = "", archived = campaign.archived, draft = false,
      enabled = true, has_post_launch_draft = false, schedule_type = "api_triggered",
      channels = replies.list { "email" },
      created_at = date(campaign.edited), updated_at = date(campaign.edited), first_sent = date(campaign.edited),
      last_sent = date(campaign.edited), tags = campaign.tags, teams = replies.list {},
      messages = { ["message-variation-1"] = { channel = "email", name = "Variant 1" } },
      conversion_behaviors = replies.list { { type = "Performs Custom Event", window = 259200 } },
    }
  end)
end

-- The next times of what was scheduled in the dashboard: one, two and three days from now. No API schedule is among
-- them.
function reading.list_scheduled_broadcasts(call)
  local until_when = fields.parse_time(call.query.end_time)
  read(call, not until_when and "end_time must be a valid ISO 8601 time", function()
    local today, broadcasts = math.floor(state.now() / seconds_per_day), replies.list {}
    local last = math.floor(until_when / seconds_per_day) * seconds_per_day
    for number, kind in ipairs { "Campaign", "Canvas", "Campaign" } do
      local time = (today + number) * seconds_per_day
      if time <= last then
        broadcasts[#broadcasts + 1] = { name = "Broadcast " .. number, id = "broadcast-" .. number, type = kind,
          tags = replies.list {}, next_send_time = date(time), schedule_type = "time_based" }
      end
    end
    return { scheduled_broadcasts = broadcasts }
  end)
end

return reading
