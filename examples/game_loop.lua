-- A game's loop: 60 frames a second, no frame waits for the network.
--
--   lua5.4 examples/game_loop.lua [CALLS]
--
-- Makes CALLS send IDs (30 if left out), one more each frame, and prints the longest time that a frame spent on them.
-- BRAZE_API_KEY, BRAZE_REST_ENDPOINT and BRAZE_CAMPAIGN_ID say where. A real game has its own clock and its own sleep;
-- this one borrows luasocket's where it is there.

local braze = require("braze").safe
local has_socket, socket = pcall(require, "socket")

local frame_seconds = 1 / 60
local most_a_frame = 64
local now = has_socket and socket.gettime or os.clock

local function sleep_until(moment)
  if has_socket then
    socket.sleep(math.max(0, moment - now()))
  else
    while now() < moment do end -- luacheck: ignore 542
  end
end

local function fail(reason)
  io.stderr:write(tostring(reason), "\n")
  os.exit(1)
end

local campaign_id = os.getenv "BRAZE_CAMPAIGN_ID" or ""
if campaign_id == "" then fail "BRAZE_CAMPAIGN_ID is not set" end
local calls = tonumber(arg[1] or 30)
if not calls then fail "usage: game_loop.lua [CALLS]" end

local client, mistake = braze.new()
if not client then fail(mistake) end

local made, failed = 0, 0
local first_send_id, last_error

-- Called inside client:step, on the game's own thread.
local function on_done(err, result)
  if err then
    failed, last_error = failed + 1, err
  else
    made, first_send_id = made + 1, first_send_id or result.send_id
  end
end

local frames, started, longest_start, longest_step = 0, 0, 0, 0
local next_frame = now()

repeat
  frames = frames + 1
  if started < calls then
    local began = now()
    local request, refusal = client:start("create_send_id", { campaign_id = campaign_id }, { on_done = on_done })
    longest_start = math.max(longest_start, now() - began)
    if not request then fail(refusal) end
    started = started + 1
  end

  -- Here a game would move its world.

  local began = now()
  client:step(most_a_frame)
  longest_step = math.max(longest_step, now() - began)

  next_frame = next_frame + frame_seconds
  sleep_until(next_frame)
until started >= calls and client:pending() == 0

client:close()

print("send_id        " .. (first_send_id or "none"))
print("made           " .. made)
print("failed         " .. failed)
print("frames         " .. frames)
print(("longest start  %.3f ms"):format(longest_start * 1000))
print(("longest step   %.3f ms"):format(longest_step * 1000))
if last_error then fail(last_error) end
