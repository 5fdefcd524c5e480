-- The operations that make, change and delete schedules.

local fields = require "fields"
local limits = require "limits"
local replies = require "replies"
local sending = require "sending"
local state = require "state"

local scheduling = {}

local function refuse_for_limit()
  replies.refuse(429, "You have exceeded your rate limit")
end

local function take_hour(workspace)
  return limits.take { limits.window(workspace, "hour") }
end

-- Makes a schedule, where its message and its time are right.
local function create(call, operation, windows, fault)
  local message = call.parameters
  fault = fault or fields.fault_of_schedule(message.schedule, state.now())
  if fault then return replies.refuse(400, fault) end
  if not limits.take(windows) then return refuse_for_limit() end
  local id, dispatch_id = replies.uuid(replies.digits "schedule"), replies.digits "dispatch"
  call.workspace.schedules[id] = {
    operation = operation, message = message, dispatch_id = dispatch_id,
    time = fields.parse_time(message.schedule.time), text = message.schedule.time,
  }
  replies.value(201, { message = "success", schedule_id = id, dispatch_id = dispatch_id })
end

function scheduling.schedule_messages(call)
  create(call, "schedule_messages", { limits.window(call.workspace, "hour") },
    sending.fault_of_message(call.workspace, call.parameters, call.body))
end

function scheduling.schedule_campaign(call)
  local fault = sending.fault_of_trigger(call.workspace, call.parameters, call.body)
  create(call, "schedule_campaign", not fault and sending.windows(call.workspace, call.parameters), fault)
end

-- The schedule that a request names, or nil and what is wrong. It must be of the same kind, and of the campaign if one
-- is named.
local function find(call, operation)
  local id, campaign_id = call.parameters.schedule_id, call.parameters.campaign_id
  if type(id) ~= "string" or id == "" then return nil, "schedule_id must be a valid string" end
  if operation == "schedule_campaign" then
    local fault = fields.fault_of_campaign(campaign_id)
    if fault then return nil, fault end
  end
  state.run_schedules(call.workspace)
  local schedule = call.workspace.schedules[id]
  local same = schedule and schedule.operation == operation
    and (operation ~= "schedule_campaign" or schedule.message.campaign_id == campaign_id)
  if not same then return nil, "Schedule does not exist" end
  return schedule
end

local function update(call, operation, fault)
  local schedule, missing = find(call, operation)
  local parameters = call.parameters
  fault = fault or missing or parameters.schedule ~= nil and fields.fault_of_schedule(parameters.schedule, state.now())
    or fields.fault_of_types(parameters, call.body, { messages = "object" })
  if fault then return replies.refuse(400, fault) end
  if not take_hour(call.workspace) then return refuse_for_limit() end
  if parameters.schedule then
    schedule.time, schedule.text = fields.parse_time(parameters.schedule.time), parameters.schedule.time
  end
  if parameters.messages then schedule.message.messages = parameters.messages end
  replies.value(201, { message = "success" })
end

function scheduling.update_scheduled_messages(call)
  local neither = call.parameters.schedule == nil and call.parameters.messages == nil
  update(call, "schedule_messages", neither and "schedule or messages is required")
end

function scheduling.update_scheduled_campaign(call)
  update(call, "schedule_campaign", call.parameters.schedule == nil and "schedule must be a valid object")
end

local function delete(call, operation)
  local schedule, fault = find(call, operation)
  if not schedule then return replies.refuse(400, fault) end
  if not take_hour(call.workspace) then return refuse_for_limit() end
  call.workspace.schedules[call.parameters.schedule_id] = nil
  replies.value(201, { message = "success" })
end

function scheduling.delete_scheduled_messages(call)
  delete(call, "schedule_messages")
end

function scheduling.delete_scheduled_campaign(call)
  delete(call, "schedule_campaign")
end

return scheduling
