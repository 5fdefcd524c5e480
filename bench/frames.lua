-- A loop of 60 frames a second that starts many calls in its first frame: frames.lua CALLS MAX_CONNECTIONS [MOST]
-- Each later frame delivers at most MOST answers, or all. Prints one line of JSON with what it cost the host's thread;
-- BRAZE_API_KEY, BRAZE_REST_ENDPOINT and BRAZE_CA_FILE are in the environment.

local braze = require "braze"
local socket = require "socket"

local calls, max_connections, most = tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
local now = socket.gettime
local frame_seconds = 1 / 60

-- How long this thread has waited for a processor so far, in seconds: where a frame is long, the host can tell whether
-- it worked or stood in line. 0 where the system does not say.
local function in_line()
  local file = io.open "/proc/thread-self/schedstat"
  if not file then return 0 end
  local waited = file:read "*a":match "^%d+ (%d+)"
  file:close()
  return (tonumber(waited) or 0) / 1e9
end

local client = braze.new { max_connections = max_connections, timeout = 60 }
local bad, done, first_error = 0, 0, nil
local options = {
  on_done = function(err, result)
    done = done + 1
    first_error = first_error or err
    if err or result.status ~= 201 or not result.rate_limit.remaining then bad = bad + 1 end
  end,
}

local starts = {}
local first = now()
for number = 1, calls do
  local parameters = { campaign_id = "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b", send_id = "send_identifier" }
  local began = now()
  client:start("create_send_id", parameters, options)
  starts[number] = now() - began
end

-- The longest step, and the one that is furthest above (or least below) 0.05 ms and 2 us an answer.
local steps, longest, waited, furthest, furthest_answers = 0, 0, 0, -1, 0
local next_frame = now()
repeat
  next_frame = next_frame + frame_seconds
  socket.sleep(math.max(0, next_frame - now()))
  local line = in_line()
  local began = now()
  local answers = most and client:step(most) or not most and client:step()
  local took = now() - began
  steps = steps + 1
  if took > longest then longest, waited = took, in_line() - line end
  if took - 50e-6 - answers * 2e-6 > furthest then
    furthest, furthest_answers = took - 50e-6 - answers * 2e-6, answers
  end
until client:pending() == 0
local all = now() - first
client:close()

table.sort(starts)
if first_error then io.stderr:write(tostring(first_error), "\n") end
print(('{"n":%d,"bad":%d,"start_us":%.2f,"longest_start_us":%.2f,"step_us":%.2f,"waited_us":%.2f,"over_us":%.2f,'
  .. '"over_answers":%d,"steps":%d,"seconds":%.3f}'):format(done, bad + calls - done,
    starts[math.ceil(calls / 2)] * 1e6, starts[calls] * 1e6, longest * 1e6, waited * 1e6, furthest * 1e6,
    furthest_answers, steps, all))
