-- The stand-in's front: what steers it, the switches in front of a path, and then the service itself.

local limits = require "limits"
local replies = require "replies"
local router = require "router"
local state = require "state"

local service = {}

-- The body that has arrived; a large one lies in a file.
local function read_body()
  ngx.req.read_body()
  local body = ngx.req.get_body_data()
  local path = not body and ngx.req.get_body_file()
  if path then
    local file = assert(io.open(path, "rb"))
    body = file:read "*a"
    file:close()
  end
  return body or ""
end

-- A request that steers the stand-in and was wrong.
local function misuse(text)
  replies.refuse(400, text .. ": spec/support/standin/README.md has the switches")
end

local function done()
  replies.value(200, { message = "success" })
end

local function items_of(source, names)
  local items = replies.list {}
  for _, item in pairs(source) do
    local shown = {}
    for _, name in ipairs(names) do shown[name] = item[name] end
    items[#items + 1] = shown
  end
  return items
end

local schedule_names = { "operation", "time", "text", "dispatch_id" }
local send_names = {
  "workspace", "operation", "campaign_id", "send_id", "dispatch_id", "time", "recipients", "broadcast",
}

-- What happens to a request before or instead of an answer, by name; each takes the switch's value.
local actions = {
  slow = function(milliseconds)
    ngx.sleep(milliseconds / 1000)
  end,
  -- Nothing is done: the status is all there is.
  fail = function(status)
    replies.refuse(status, "The stand-in was told to answer " .. status)
    return true
  end,
  -- Read, and nothing done: the connection ends.
  drop = function()
    ngx.exit(444)
    return true
  end,
}

-- The calls that steer the stand-in, by method and path; they are not logged themselves.
local steering = {
  ["POST /standin/reset"] = function()
    state.reset()
    done()
  end,
  ["POST /standin/quota"] = function(query)
    local limit = tonumber(query.limit)
    if not limit or not limits.set(query.bucket or "", limit) then return misuse "no such bucket, or no limit" end
    done()
  end,
  ["POST /standin/clock"] = function(query)
    local time, advance = tonumber(query.time), tonumber(query.advance)
    if (time == nil) == (advance == nil) then return misuse "give time or advance" end
    if time then
      state.clock.fixed = time
    elseif state.clock.fixed then
      state.clock.fixed = state.clock.fixed + advance
    else
      state.clock.shift = state.clock.shift + advance
    end
    done()
  end,
  ["POST /standin/next"] = function(query)
    local times, after = tonumber(query.times or "1"), tonumber(query.after or "0")
    local fail, slow = tonumber(query.fail), tonumber(query.slow)
    if not times or not after or not (fail or slow or query.lose or query.drop) then
      return misuse "give fail, slow, lose or drop"
    end
    state.next = { after = after, left = times, fail = fail, slow = slow, lose = query.lose, drop = query.drop }
    done()
  end,
  ["GET /standin/log"] = function()
    replies.text(200, state.log_text())
  end,
  ["GET /standin/count"] = function(query)
    replies.value(200, { count = state.created_of_campaign[query.campaign_id] or 0 })
  end,
  ["GET /standin/sends"] = function()
    for _, workspace in pairs(state.workspaces) do state.run_schedules(workspace) end
    replies.value(200, { sends = items_of(state.sends, send_names) })
  end,
  ["GET /standin/schedules"] = function()
    local all = replies.list {}
    for _, workspace in pairs(state.workspaces) do
      state.run_schedules(workspace)
      for id, schedule in pairs(workspace.schedules) do
        local shown = items_of({ schedule }, schedule_names)[1]
        shown.schedule_id, shown.workspace = id, workspace.name
        all[#all + 1] = shown
      end
    end
    replies.value(200, { schedules = all })
  end,
}

-- Takes the switches off the front of a path: /gateway, /slow/MS, /fail/STATUS, /lose, /drop. Returns the path behind
-- them and the switches.
local function read_switches(path)
  local switches = {}
  while true do
    local name, value, rest = path:match "^/(%l+)/(%d+)(/.*)$"
    if name ~= "slow" and name ~= "fail" then
      name, rest = path:match "^/(%l+)(/.*)$"
      if name ~= "gateway" and name ~= "lose" and name ~= "drop" then return path, switches end
      value = true
    end
    switches[name] = tonumber(value) or value
    path = rest
  end
end

-- Adds the switches of POST /standin/next, while it holds.
local function add_next(switches)
  local ordered = state.next
  if not ordered or ordered.left < 1 then return end
  if ordered.after > 0 then
    ordered.after = ordered.after - 1
    return
  end
  ordered.left = ordered.left - 1
  for _, name in ipairs { "slow", "fail", "lose", "drop" } do switches[name] = switches[name] or ordered[name] end
end

function service.answer()
  local method = ngx.req.get_method()
  local path = ngx.var.request_uri:match "^[^?]*"
  local steer = steering[method .. " " .. path]
  if steer then return steer(ngx.req.get_uri_args()) end

  local body = read_body()
  state.log(path, body)
  ngx.header["x-request-id"] = replies.uuid(ngx.var.request_id)

  local called, switches = read_switches(path)
  add_next(switches)
  for _, name in ipairs { "slow", "drop", "fail" } do
    if switches[name] and actions[name](switches[name]) then return end
  end
  if switches.lose then replies.keep_back() end
  router.answer(method, called, body)
  -- Done, but nobody is told.
  if switches.lose then return ngx.exit(444) end
end

return service
