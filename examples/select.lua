-- Makes send IDs in a loop of its own around luasocket's select, with the client in the list of what to wait for.
--
--   lua5.4 examples/select.lua SEND_ID...
--
-- BRAZE_API_KEY, BRAZE_REST_ENDPOINT and BRAZE_CAMPAIGN_ID say where.

local socket = require "socket"
local braze = require("braze").safe

local function fail(reason)
  io.stderr:write(tostring(reason), "\n")
  os.exit(1)
end

local campaign_id = os.getenv "BRAZE_CAMPAIGN_ID" or ""
if campaign_id == "" or #arg == 0 then fail "usage: BRAZE_CAMPAIGN_ID=... lua5.4 examples/select.lua SEND_ID..." end

local client, mistake = braze.new()
if not client then fail(mistake) end

local rounds, last_error = 0, nil

local function on_done(err, result)
  if result then
    print(("%s  %.3f s"):format(result.send_id, result.elapsed))
  else
    last_error = err
  end
end

for _, send_id in ipairs(arg) do
  local request, refusal = client:start("create_send_id", { campaign_id = campaign_id, send_id = send_id },
    { on_done = on_done })
  if not request then fail(refusal) end
end

repeat
  -- A real program has its sockets in this list too.
  local readable = socket.select({ client }, nil, 0.01)
  if readable[client] then client:step() end
  rounds = rounds + 1
until client:pending() == 0

client:close()
print(("The loop went round %s."):format(rounds == 1 and "once" or rounds .. " times"))
if last_error then fail(last_error) end
