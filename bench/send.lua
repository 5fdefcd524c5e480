-- A long trigger_campaign through braze, on any Lua: send.lua CALLS WARM_UP [memory]
-- BRAZE_API_KEY and BRAZE_REST_ENDPOINT are in the environment.

local braze = require "braze"
local campaign = require "campaign"
local socket = require "socket"

local client = braze.new()
campaign.run("braze", braze._VERSION, socket.gettime, function(parameters)
  local result = client:trigger_campaign(parameters)
  local rate_limit = result.rate_limit
  return result.status == 201 and result.message == "success" and result.dispatch_id
    and rate_limit.limit and rate_limit.remaining and rate_limit.reset
end)
