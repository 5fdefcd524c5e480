-- What the service would answer, for braze.fake: successes, refusals and rate limits as the service's documentation has
-- them, and the parameters of a request that would have been sent.

local operations = require "braze.core".braze.operations

local service = {}

-- A JSON null and cjson's own: the same.
local json = require "cjson".new()

function service.new()
  return { number = 0, windows = {}, pairs = {} }
end

-- Numbers that no other answer of the same client has.
local function next_number(state)
  state.number = state.number + 1
  return state.number
end

local function uuid(number)
  return ("00000000-0000-4000-8000-%012x"):format(number)
end

-- The service's limits: how many requests in how many seconds.
local limits = {
  day = { 100, 86400 }, hour = { 250000, 3600 }, broadcast = { 250, 60 }, audience = { 10, 60 },
}

-- The window of a limit: it ends on the clock, and begins again. `of` names one of several.
local function window_of(state, name, now, of)
  local limit, seconds = limits[name][1], limits[name][2]
  local number, key = math.floor(now / seconds), name .. (of or "")
  local window = state.windows[key]
  if not window or window.number ~= number then
    window = { number = number, used = 0, limit = limit, reset = (number + 1) * seconds }
    state.windows[key] = window
  end
  return window
end

local sends_to_many = { send_messages = true, trigger_campaign = true, schedule_campaign = true }

local function pair_of(params)
  return tostring(params.campaign_id) .. " " .. tostring(params.send_id)
end

-- The windows that a request of a call takes one from. None: an ID that was made before.
local function windows_of(state, call, now)
  local params = call.params
  if call.name == "create_send_id" then
    return params.send_id and state.pairs[pair_of(params)] and {} or { window_of(state, "day", now) }
  end
  if sends_to_many[call.name] and (params.broadcast or params.segment_id or params.audience) then
    local audience = ("%s %s"):format(tostring(params.campaign_id), tostring(params.segment_id))
    return { window_of(state, "broadcast", now), window_of(state, "audience", now, audience) }
  end
  return { window_of(state, "hour", now) }
end

-- Takes one from each, or none where one of them is used up. The one of which least is left, and whether it had room.
local function take(windows)
  local least = windows[1]
  for _, window in ipairs(windows) do
    if window.limit - window.used < least.limit - least.used then least = window end
  end
  local free = not least or least.used < least.limit
  for _, window in ipairs(windows) do
    if free then window.used = window.used + 1 end
  end
  return least, free
end

local function reads(name)
  local operation = operations[name]
  return (operation and operation.method or name:match "^%u+") == "GET"
end

service.reads = reads

-- --- Requests ---------------------------------------------------------------------------------------------------

local function decode(text)
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function typed(text, field)
  if field and field.type == "integer" then return tonumber(text) or text end
  if field and field.type == "boolean" then return text == "true" end
  return text
end

--- The parameters of a request, by the row of its operation: from the path, the query and the body.
function service.read_params(name, method, target, body)
  local operation = operations[name]
  local path, query = target:match "^([^?]*)%??(.*)$"
  local params = body ~= "" and json.decode(body) or {}
  if type(params) ~= "table" then params = {} end
  local fields = {}
  for _, field in ipairs(operation and operation.parameters or {}) do fields[field.name] = field end
  if operation or method == "GET" or body == "" then
    for key, value in query:gmatch "([^&=]+)=?([^&]*)" do
      key = decode(key)
      params[key] = typed(decode(value), fields[key])
    end
  end
  if operation and operation.path:find("{", 1, true) then
    local names = {}
    local pattern = operation.path:gsub("[%-%.]", "%%%0"):gsub("{([%w_]+)}", function(field)
      names[#names + 1] = field
      return "([^/]+)"
    end)
    for number, value in ipairs { path:match("^" .. pattern .. "$") } do params[names[number]] = decode(value) end
  end
  return params
end

local function same(one, other)
  if type(one) ~= "table" or type(other) ~= "table" then
    return one == other or (type(one) == "number" and tostring(one) == other)
  end
  for key, value in pairs(one) do
    if not same(value, other[key]) then return false end
  end
  for key in pairs(other) do
    if one[key] == nil then return false end
  end
  return true
end

--- Whether the parameters hold what is expected, and perhaps more.
function service.matches(expected, params)
  for key, value in pairs(expected) do
    if not same(value, params[key]) then return false end
  end
  return true
end

-- --- Failures ---------------------------------------------------------------------------------------------------

-- By kind: how it comes about where the service may have done what was asked, and where it may not; and which is usual.
local failures = {
  network = { [true] = { sent = true }, [false] = {}, usual = false },
  tls = { [true] = { sent = true }, [false] = {}, usual = false },
  timeout = { [true] = { sent = true }, [false] = {}, usual = true },
  cancelled = { [true] = { sent = true }, [false] = {}, usual = true },
  rate_limited = { [false] = { status = 429 }, usual = false },
  auth = { [false] = { status = 401 }, usual = false },
  rejected = { [true] = { status = 408 }, [false] = { status = 400 }, usual = false },
  server = { [true] = { status = 500 }, usual = true },
  protocol = { [true] = { status = 200, body = "this is no JSON" }, [false] = { status = 302 }, usual = true },
}

--- How a failure comes about: { kind, sent, status, body }; or nil, what is wrong with it, and what to do.
function service.failure(given, is_read)
  local row = failures[given.kind]
  if given.kind == "usage" then return nil, "usage comes from the call itself", "make the call wrong, and it raises" end
  if given.kind == "busy" or given.kind == "ledger" then
    return nil, given.kind .. " comes from a ledger", "give fake.new a ledger that is held by another, or can't be read"
  end
  if not row then
    return nil, ("fails takes a kind of error, not %s"):format(tostring(given.kind)), "write fails{kind = \"timeout\"}"
  end
  local applied = given.maybe_applied
  if applied ~= nil and type(applied) ~= "boolean" then return nil, "maybe_applied is true or false" end
  if is_read then
    if applied then
      return nil, "maybe_applied is true for a GET, which changes nothing", "leave maybe_applied out"
    end
    applied = row[row.usual] and row.usual
  end
  if applied == nil then applied = row.usual end
  local way = row[applied]
  if not way then
    return nil, ("a failure of kind %s with maybe_applied = %s does not exist"):format(given.kind, tostring(applied)),
      "leave maybe_applied out for what is usual"
  end
  return { kind = given.kind, sent = way.sent or false, status = way.status, body = way.body }
end

-- --- Answers ----------------------------------------------------------------------------------------------------

local function date_of(now)
  return os.date("!%Y-%m-%dT%H:%M:%S.000+00:00", math.floor(now))
end

local function dispatched(state, call)
  local broadcast = call.params.broadcast and call.params.campaign_id
  return {
    message = "success", dispatch_id = ("%032x"):format(next_number(state)),
    send_id = broadcast and (call.params.send_id or uuid(next_number(state))) or nil,
  }
end

local function scheduled(state)
  return {
    message = "success", schedule_id = uuid(next_number(state)), dispatch_id = ("%032x"):format(next_number(state)),
  }
end

-- What a success of each operation holds.
local successes = {
  create_send_id = function(state, call)
    return { message = "success", send_id = call.params.send_id or uuid(next_number(state)) }
  end,
  send_messages = dispatched,
  trigger_campaign = dispatched,
  schedule_messages = scheduled,
  schedule_campaign = scheduled,
  send_transactional = function(state, _, now)
    local time = date_of(now)
    return {
      dispatch_id = ("%032x"):format(next_number(state)), status = "sent",
      metadata = { received_at = time, enqueued_at = time, executed_at = time, sent_at = time },
    }
  end,
  get_send_analytics = function() return { message = "success", data = service.list {} } end,
  list_campaigns = function() return { message = "success", campaigns = service.list {} } end,
  list_scheduled_broadcasts = function() return { scheduled_broadcasts = service.list {} } end,
}

local refusals = {
  [401] = "Invalid API key", [403] = "Access Denied", [404] = "Invalid URL",
  [429] = "You have exceeded your rate limit",
}

service.list = require "braze.core".braze.list

local function add(lines, name, value)
  if value ~= nil then lines[#lines + 1] = name .. ": " .. tostring(value) .. "\n" end
end

local function link_to(call, query)
  local parts = {}
  for name, value in pairs(query) do parts[#parts + 1] = name .. "=" .. tostring(value) end
  table.sort(parts)
  return ("</%s?%s>; rel=\"next\""):format(call.name, table.concat(parts, "&"))
end

local function header_lines(state, call, window, fields, now)
  local limit = fields.rate_limit or {}
  local lines = {}
  add(lines, "X-Request-Id", fields.request_id or uuid(next_number(state)))
  add(lines, "X-RateLimit-Limit", limit.limit or window.limit)
  add(lines, "X-RateLimit-Remaining", limit.remaining or math.max(0, window.limit - window.used))
  add(lines, "X-RateLimit-Reset", limit.reset or window.reset)
  add(lines, "Content-Type", "application/json")
  if fields.retry_at then add(lines, "Retry-After", ("%.0f"):format(math.max(0, fields.retry_at - now))) end
  if fields.next then add(lines, "Link", link_to(call, fields.next)) end
  return table.concat(lines)
end

-- Fields that come in the header of an answer, or are its body.
local outside = { rate_limit = true, request_id = true, retry_at = true, next = true, body = true }

local function body_of(state, expectation, call, status, now)
  if expectation.raw_body then return expectation.raw_body end
  if type(expectation.fields.body) == "string" then return expectation.fields.body end
  local body
  if status >= 300 then
    body = { message = refusals[status] or "The fake was told to answer " .. status }
  else
    local success = successes[call.name]
    body = success and success(state, call, now) or { message = "success" }
  end
  for name, value in pairs(expectation.fields) do
    if not outside[name] then body[name] = value end
  end
  return body
end

--- The status, the header lines and the body (a table, or a text) of an answer to a call.
function service.answer(state, expectation, call, now)
  local status = expectation.status_given or (reads(call.name) and 200 or 201)
  local window = window_of(state, call.name == "create_send_id" and "day" or "hour", now)
  if status < 300 then
    local taken, free = take(windows_of(state, call, now))
    window = taken or window
    if not free and not expectation.status_given then status = 429 end
    if status < 300 and call.name == "create_send_id" then state.pairs[pair_of(call.params)] = true end
  elseif status == 429 then
    window = { limit = window.limit, used = window.limit, reset = window.reset }
  end
  local lines = header_lines(state, call, window, expectation.fields, now)
  return status, lines, body_of(state, expectation, call, status, now)
end

return service
