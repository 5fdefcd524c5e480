-- An endpoint that has no method of its own: writes down an event of a user by POST /users/track.
--
--   lua5.4 examples/track_event.lua USER_ID EVENT
--
-- BRAZE_API_KEY and BRAZE_REST_ENDPOINT say where. The key needs the permission users.track.

local braze = require("braze").safe

local function fail(reason)
  io.stderr:write(tostring(reason), "\n")
  os.exit(1)
end

if #arg ~= 2 then fail "usage: lua5.4 examples/track_event.lua USER_ID EVENT" end

-- Key, deadline, errors and rate limit are those of every call. Nothing says that Braze drops a repeated event, so
-- this is never sent twice by itself; { repeatable = true } as a third argument would allow it.
local result, err = braze.call("POST /users/track", {
  events = { { external_id = arg[1], name = arg[2], time = os.date "!%Y-%m-%dT%H:%M:%SZ" } },
})
if not result then fail(err) end

print("status     " .. result.status)
print(("processed  %d"):format(result.events_processed or 0))
print("remaining  " .. (result.rate_limit.remaining or "unknown"))
