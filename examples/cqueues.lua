-- Makes send IDs in coroutines of a cqueues controller, which goes on meanwhile.
--
--   lua5.4 examples/cqueues.lua SEND_ID...
--
-- BRAZE_API_KEY, BRAZE_REST_ENDPOINT and BRAZE_CAMPAIGN_ID say where.

local cqueues = require "cqueues"
-- The safe style: nil and an error instead of raising. On Lua 5.1 no coroutine can wait inside a pcall.
local braze = require("braze.cqueues").safe

local function fail(reason)
  io.stderr:write(tostring(reason), "\n")
  os.exit(1)
end

local campaign_id = os.getenv "BRAZE_CAMPAIGN_ID" or ""
if campaign_id == "" or #arg == 0 then fail "usage: BRAZE_CAMPAIGN_ID=... lua5.4 examples/cqueues.lua SEND_ID..." end

local client, mistake = braze.new()
if not client then fail(mistake) end

local controller, running, ticks, last_error = cqueues.new(), #arg, 0, nil

for _, send_id in ipairs(arg) do
  controller:wrap(function()
    local result, err = client:create_send_id { campaign_id = campaign_id, send_id = send_id }
    if result then
      print(("%s  %.3f s"):format(result.send_id, result.elapsed))
    else
      last_error = err
    end
    running = running - 1
  end)
end

-- Something else that the controller does: a call that blocked would hold it up.
controller:wrap(function()
  while running > 0 do
    ticks = ticks + 1
    cqueues.sleep(0.01)
  end
end)

assert(controller:loop())
client:close()
print(("The controller ticked %s meanwhile."):format(ticks == 1 and "once" or ticks .. " times"))
if last_error then fail(last_error) end
