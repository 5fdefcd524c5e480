-- Makes one send ID and shows what comes with it, then shows what a mistake looks like.
--
--   lua5.4 examples/create_send_id.lua [SEND_ID]
--
-- Without SEND_ID Braze makes an ID up. `make demo` runs this against the stand-in; the environment says where else:
-- BRAZE_API_KEY, BRAZE_REST_ENDPOINT and BRAZE_CAMPAIGN_ID.

-- The safe style: nil and an error instead of raising. It reads the same on every Lua.
local braze = require("braze").safe

local function fail(reason)
  io.stderr:write(tostring(reason), "\n")
  os.exit(1)
end

local function date(epoch)
  return epoch and os.date("!%Y-%m-%d %H:%M:%S UTC", epoch)
end

local campaign_id = os.getenv "BRAZE_CAMPAIGN_ID" or ""
if campaign_id == "" then
  fail "BRAZE_CAMPAIGN_ID is not set. usage: BRAZE_CAMPAIGN_ID=... lua5.4 examples/create_send_id.lua [SEND_ID]"
end

local result, err = braze.create_send_id { campaign_id = campaign_id, send_id = arg[1] }
if not result then fail(err) end

-- A limit that the service did not state is nil.
local limits = result.rate_limit
print("send_id    " .. result.send_id)
print("status     " .. result.status)
print("limit      " .. (limits.limit or "unknown"))
print("remaining  " .. (limits.remaining or "unknown"))
print("resets at  " .. (date(limits.reset) or "unknown"))
print("attempts   " .. result.attempts)
print(("elapsed    %.3f s"):format(result.elapsed))

-- A misspelt field is found before anything is sent: no quota is used.
local _, mistake = braze.create_send_id { campain_id = campaign_id }
print ""
print "A misspelt field is sent nowhere. Its error, as a user meets it:"
print("  " .. tostring(mistake))
