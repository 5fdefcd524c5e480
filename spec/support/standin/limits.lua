-- The service's limits: how many calls a window of time has, for whom, and the headers that tell.

local state = require "state"

local limits = {}

local rate_headers = { "x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset" }

-- Windows end on the clock, as the service's do, and do not roll.
local buckets = {
  sends_day = { limit = 100, seconds = 86400 },
  hour = { limit = 250000, seconds = 3600 },
  broadcast = { limit = 250, seconds = 60 },
  audience = { limit = 10, seconds = 60 },
}

--- Sets another limit for a bucket until the next reset. Returns whether there is such a bucket.
function limits.set(bucket, limit)
  if buckets[bucket] then state.limits[bucket] = limit end
  return buckets[bucket] ~= nil
end

--- The current window of a bucket in a workspace; "of" names one of several (an audience).
function limits.window(workspace, bucket, of)
  local seconds, name = buckets[bucket].seconds, bucket .. ":" .. (of or "")
  local number = math.floor(state.now() / seconds)
  local window = workspace.windows[name]
  if not window or window.number ~= number then
    window = { number = number, used = 0, reset = (number + 1) * seconds }
    workspace.windows[name] = window
  end
  window.limit = state.limits[bucket] or buckets[bucket].limit
  return window
end

--- The headers of a window.
function limits.show(window)
  ngx.header[rate_headers[1]] = window.limit
  ngx.header[rate_headers[2]] = math.max(0, window.limit - window.used)
  ngx.header[rate_headers[3]] = window.reset
end

--- The headers of an answer to an unknown key: there, but empty.
function limits.show_nothing()
  -- nginx leaves out a header without a value; a blank one arrives as empty.
  for _, name in ipairs(rate_headers) do ngx.header[name] = " " end
end

--- Takes one call from each window, or none if one of them is used up. Shows the window that has least left.
--- Returns whether the call may go on.
function limits.take(windows)
  local least = windows[1]
  for _, window in ipairs(windows) do
    if window.limit - window.used < least.limit - least.used then least = window end
  end
  local free = least.used < least.limit
  for _, window in ipairs(windows) do
    if free then window.used = window.used + 1 end
  end
  limits.show(least)
  return free
end

return limits
