-- Makes send IDs in threads of a copas loop, which goes on meanwhile.
--
--   lua5.4 examples/copas.lua SEND_ID...
--
-- BRAZE_API_KEY, BRAZE_REST_ENDPOINT and BRAZE_CAMPAIGN_ID say where. With copas 1.1.7 as with copas 4.

local copas = require "copas"
-- The safe style: nil and an error instead of raising. On Lua 5.1 no thread can wait inside a pcall.
local braze = require("braze.copas").safe

local function fail(reason)
  io.stderr:write(tostring(reason), "\n")
  os.exit(1)
end

local campaign_id = os.getenv "BRAZE_CAMPAIGN_ID" or ""
if campaign_id == "" or #arg == 0 then fail "usage: BRAZE_CAMPAIGN_ID=... lua5.4 examples/copas.lua SEND_ID..." end

local client, mistake = braze.new()
if not client then fail(mistake) end

local running, steps, last_error = #arg, 0, nil

for _, send_id in ipairs(arg) do
  copas.addthread(function()
    local result, err = client:create_send_id { campaign_id = campaign_id, send_id = send_id }
    if result then
      print(("%s  %.3f s"):format(result.send_id, result.elapsed))
    else
      last_error = err
    end
    running = running - 1
  end)
end

-- What copas.loop() does, which never ends in copas 1.1.7.
while running > 0 do
  copas.step(0.01)
  steps = steps + 1
end
client:close()
print(("The loop took %s meanwhile."):format(steps == 1 and "one step" or steps .. " steps"))
if last_error then fail(last_error) end
