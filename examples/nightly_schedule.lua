-- A campaign that is scheduled for the coming night, moved by an hour, and called off.
--
--   lua5.4 examples/nightly_schedule.lua USER_ID...
--
-- BRAZE_API_KEY, BRAZE_REST_ENDPOINT and BRAZE_CAMPAIGN_ID say where. The key needs the permissions
-- campaigns.trigger.schedule.create, .update and .delete.

local braze = require("braze").safe

local two_hours, day = 2 * 60 * 60, 24 * 60 * 60

local function fail(reason)
  io.stderr:write(tostring(reason), "\n")
  os.exit(1)
end

local campaign_id = os.getenv "BRAZE_CAMPAIGN_ID" or ""
if campaign_id == "" or #arg == 0 then
  fail "usage: BRAZE_CAMPAIGN_ID=... lua5.4 examples/nightly_schedule.lua USER_ID..."
end

local recipients = {}
for number, user_id in ipairs(arg) do recipients[number] = { external_user_id = user_id } end

local function iso(epoch)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", epoch)
end

-- 02:00 UTC, tomorrow.
local now = os.time()
local night = now - now % day + day + two_hours

local client, mistake = braze.new()
if not client then fail(mistake) end

-- Keep the schedule_id: no list shows a schedule made by the API, so without it nobody can change or delete this one.
-- That is why the making of a schedule is never repeated by itself, and why a lost answer is an error to look into.
local made, refusal = client:schedule_campaign {
  campaign_id = campaign_id, recipients = recipients, schedule = { time = iso(night) },
}
if not made then fail(refusal) end
print("scheduled  " .. made.schedule_id .. "  " .. iso(night))

-- An update replaces the whole schedule. Repeating it changes nothing, so it is repeated where an answer is lost.
local later = night + two_hours / 2
local moved, err = client:update_scheduled_campaign {
  campaign_id = campaign_id, schedule_id = made.schedule_id, schedule = { time = iso(later) },
}
if not moved then fail(err) end
print("moved      " .. made.schedule_id .. "  " .. iso(later))

local gone, complaint = client:delete_scheduled_campaign { campaign_id = campaign_id, schedule_id = made.schedule_id }
client:close()
if not gone then fail(complaint) end
print("deleted    " .. made.schedule_id)
