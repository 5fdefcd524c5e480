-- What the stand-in remembers, and its clock. Reset forgets all of it.
--
-- Runs in nginx with one worker. Between two yields nothing else runs, so plain tables are exact.

local cjson = require "cjson"

local state = {}

local longest_logged_body = 64 * 1024
local longest_log = 10000
local recipients_of_broadcast = 1000

function state.reset()
  state.workspaces = {}
  state.created_of_campaign = {}
  state.requests = { first = 1, last = 0 }
  state.sends = {}
  state.limits = {}
  state.clock = { shift = 0 }
  state.next = nil
end
state.reset()

--- Seconds of the stand-in's own clock, in UTC. The switch "clock" moves or stops it.
function state.now()
  return state.clock.fixed or ngx.now() + state.clock.shift
end

--- What belongs to a workspace: its counters, pairs, schedules and transactional references.
function state.workspace(name)
  local workspace = state.workspaces[name]
  if not workspace then
    workspace = { name = name, windows = {}, pairs = {}, schedules = {}, references = {} }
    state.workspaces[name] = workspace
  end
  return workspace
end

--- Writes down what has arrived.
function state.log(path, body)
  local log = state.requests
  log.last = log.last + 1
  log[log.last] = cjson.encode {
    method = ngx.req.get_method(),
    path = path,
    query = ngx.var.request_uri:match "^[^?]*%?(.*)$",
    headers = ngx.req.get_headers(0),
    body = body:sub(1, longest_logged_body),
    body_length = #body,
    connection = tonumber(ngx.var.connection),
    connection_requests = tonumber(ngx.var.connection_requests),
    tls = ngx.var.ssl_protocol,
  }
  if log.last - log.first >= longest_log then
    log[log.first] = nil
    log.first = log.first + 1
  end
end

--- The log as JSON: it is kept as text.
function state.log_text()
  local log = state.requests
  return '{"requests":[' .. table.concat(log, ",", log.first, log.last) .. "]}"
end

local function pair_of(campaign_id, send_id)
  return #campaign_id .. ":" .. campaign_id .. send_id
end

function state.has_pair(workspace, campaign_id, send_id)
  return workspace.pairs[pair_of(campaign_id, send_id)] ~= nil
end

--- Keeps a send ID of a campaign.
function state.add_pair(workspace, campaign_id, send_id)
  workspace.pairs[pair_of(campaign_id, send_id)] = true
  state.created_of_campaign[campaign_id] = (state.created_of_campaign[campaign_id] or 0) + 1
end

--- How many users a message reaches: those named, or a fixed number for a broadcast or a segment.
local function count_recipients(message)
  local named = #(message.recipients or {}) + #(message.external_user_ids or {}) + #(message.user_aliases or {})
  return named > 0 and named or recipients_of_broadcast
end

--- The channels of a message as sorted names; a campaign's own messages are e-mail.
local function channels_of(message)
  local names = {}
  for name in pairs(message.messages or { email = {} }) do names[#names + 1] = name end
  table.sort(names)
  return names
end

--- Writes down that a message went out at a time.
function state.add_send(workspace, operation, message, dispatch_id, time)
  state.sends[#state.sends + 1] = {
    workspace = workspace.name, operation = operation, campaign_id = message.campaign_id,
    send_id = message.send_id, dispatch_id = dispatch_id, time = time, recipients = count_recipients(message),
    channels = channels_of(message), broadcast = message.broadcast == true,
  }
end

--- Sends what the schedules of a workspace ask for until now. A schedule that has been sent is gone.
function state.run_schedules(workspace)
  local now = state.now()
  for id, schedule in pairs(workspace.schedules) do
    if schedule.time <= now then
      workspace.schedules[id] = nil
      state.add_send(workspace, schedule.operation, schedule.message, schedule.dispatch_id, schedule.time)
    end
  end
end

return state
