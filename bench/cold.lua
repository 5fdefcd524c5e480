-- One call, or as many as are asked for, and its end, for a process that is measured from start to end: what a script
-- run by cron does. cold.lua [CALLS]; BRAZE_API_KEY, BRAZE_REST_ENDPOINT and BRAZE_CA_FILE are in the environment.

local braze = require "braze"

for _ = 1, tonumber(arg[1]) or 1 do
  local result = braze.create_send_id {
    campaign_id = "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b",
    send_id = "send_identifier",
  }
  assert(result.message == "success" and result.rate_limit.remaining, "the answer is not what the stand-in gives")
end
