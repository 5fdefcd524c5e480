-- A send ID's whole life: creates one, triggers a campaign with it, waits, reads its numbers and prints a table.
--
--   lua5.4 examples/send_life.lua SEND_ID USER_ID...
--
-- BRAZE_API_KEY, BRAZE_REST_ENDPOINT and BRAZE_CAMPAIGN_ID say where. The key needs the permissions sends.id.create,
-- campaigns.trigger.send and sends.data_series. At Braze numbers come after minutes: this waits up to ten.

local braze = require("braze").safe
local socket = require "socket"

local longest_wait, longest_pause = 600, 60

local function fail(reason)
  io.stderr:write(tostring(reason), "\n")
  os.exit(1)
end

local campaign_id, send_id = os.getenv "BRAZE_CAMPAIGN_ID" or "", arg[1]
if campaign_id == "" or #arg < 2 then
  fail "usage: BRAZE_CAMPAIGN_ID=... lua5.4 examples/send_life.lua SEND_ID USER_ID..."
end

local recipients = {}
for number = 2, #arg do recipients[number - 1] = { external_user_id = arg[number] } end

local client, mistake = braze.new()
if not client then fail(mistake) end

-- With the caller's own send_id this may be repeated, and is, where an answer is lost.
local created, refusal = client:create_send_id { campaign_id = campaign_id, send_id = send_id }
if not created then fail(refusal) end
print("created   " .. created.send_id)

-- A send is never repeated by itself: it would reach its users twice. Where its answer is lost, its numbers tell.
local sent, err = client:trigger_campaign { campaign_id = campaign_id, send_id = send_id, recipients = recipients }
if sent then
  print("sent      " .. sent.dispatch_id)
  for _, minor in ipairs(sent.errors or {}) do print("          " .. tostring(minor)) end
elseif err.maybe_applied then
  print("unknown   " .. tostring(err))
else
  fail(err)
end

-- The numbers of all days and channels together.
local function sum(data)
  local total = { sent = 0, delivered = 0, total_opens = 0, body_clicks = 0 }
  for _, day in ipairs(data) do
    for _, variations in pairs(day.messages or {}) do
      for _, variation in ipairs(variations) do
        for name in pairs(total) do total[name] = total[name] + (variation[name] or 0) end
      end
    end
  end
  return total
end

local waited, pause = 0, 1
local total
repeat
  socket.sleep(pause)
  waited, pause = waited + pause, math.min(pause * 2, longest_pause)
  -- Two days: one may have ended meanwhile.
  local numbers, complaint = client:get_send_analytics { campaign_id = campaign_id, send_id = send_id, length = 2 }
  if not numbers then fail(complaint) end
  total = sum(numbers.data)
until total.delivered >= #recipients or waited >= longest_wait
client:close()

print ""
print "sent  delivered  opened  clicked"
print(("%4d  %9d  %6d  %7d"):format(total.sent, total.delivered, total.total_opens, total.body_clicks))
if total.sent == 0 then
  fail(("Nothing is counted after %d s. That proves nothing yet: ask again later."):format(waited))
end
