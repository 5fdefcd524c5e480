-- Makes send IDs in coroutines of a luv loop, which goes on meanwhile.
--
--   lua5.4 examples/luv.lua SEND_ID...
--
-- BRAZE_API_KEY, BRAZE_REST_ENDPOINT and BRAZE_CAMPAIGN_ID say where.

local uv = require "luv"
-- The safe style: nil and an error instead of raising. On Lua 5.1 no coroutine can wait inside a pcall.
local braze = require("braze.luv").safe

local function fail(reason)
  io.stderr:write(tostring(reason), "\n")
  os.exit(1)
end

local campaign_id = os.getenv "BRAZE_CAMPAIGN_ID" or ""
if campaign_id == "" or #arg == 0 then fail "usage: BRAZE_CAMPAIGN_ID=... lua5.4 examples/luv.lua SEND_ID..." end

local client, mistake = braze.new()
if not client then fail(mistake) end

local running, ticks, last_error = #arg, 0, nil

-- Something else that the loop does: a call that blocked would hold it up.
local ticker = uv.new_timer()
ticker:start(0, 10, function() ticks = ticks + 1 end)

for _, send_id in ipairs(arg) do
  coroutine.wrap(function()
    local result, err = client:create_send_id { campaign_id = campaign_id, send_id = send_id }
    if result then
      print(("%s  %.3f s"):format(result.send_id, result.elapsed))
    else
      last_error = err
    end
    running = running - 1
    if running == 0 then ticker:close() end -- now nothing is left that the loop would wait for
  end)()
end

uv.run()
client:close()
print(("The loop ticked %s meanwhile."):format(ticks == 1 and "once" or ticks .. " times"))
if last_error then fail(last_error) end
