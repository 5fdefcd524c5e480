-- Lists all campaigns of the workspace, page by page as they are needed.
--
--   lua5.4 examples/campaigns.lua
--
-- BRAZE_API_KEY and BRAZE_REST_ENDPOINT say where. The key needs the permission campaigns.list.

local braze = require "braze"

-- Oldest first and with the archived ones: what is made or archived meanwhile shifts no page, so none is missed or
-- seen twice.
local function list()
  local client, count = braze.new(), 0
  for campaign in client:each("list_campaigns", { include_archived = true, sort_direction = "asc" }) do
    count = count + 1
    print(("%s  %s  %s"):format(campaign.id, campaign.is_api_campaign and "API" or "   ", campaign.name))
  end
  client:close()
  print(count .. " campaigns")
end

-- A page that fails raises, with its number in err.page: a list is never cut short in silence.
local good, err = pcall(list)
if not good then
  io.stderr:write(tostring(err), "\n")
  os.exit(1)
end
