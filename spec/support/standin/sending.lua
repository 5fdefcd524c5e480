-- The operations that make IDs and send at once.

local fields = require "fields"
local limits = require "limits"
local replies = require "replies"
local state = require "state"

local sending = {}

local most_recipients = 50
local longest_properties = 50 * 1024
local reference_life = 86400

local types_of_message = {
  broadcast = "boolean", external_user_ids = "list", user_aliases = "list", segment_id = "string", audience = "object",
  override_frequency_capping = "boolean", override_messaging_limits = "boolean",
  recipient_subscription_state = "string", messages = "object", recipients = "list", trigger_properties = "object",
  attachments = "list", schedule = "object",
}

--- What is wrong with the campaign and the send ID of a message: the ID must have been made for the campaign.
local function fault_of_ids(workspace, message)
  local fault = message.campaign_id ~= nil and fields.fault_of_campaign(message.campaign_id)
  if fault then return fault end
  if message.send_id == nil then return nil end
  fault = fields.fault_of_send_id(message.send_id)
  if fault then return fault end
  if not message.campaign_id then return "send_id needs a campaign_id" end
  if not state.has_pair(workspace, message.campaign_id, message.send_id) then
    return "send_id was not created for this campaign"
  end
end

--- What is wrong with whom a message of /messages/... names.
local function fault_of_users(message)
  local named = #(message.external_user_ids or {}) + #(message.user_aliases or {})
  for _, id in ipairs(message.external_user_ids or {}) do
    if type(id) ~= "string" then return "external_user_ids must be strings" end
  end
  if named > most_recipients then return "The max number of external_ids and aliases per request was exceeded" end
  if message.broadcast and named > 0 then return "broadcast must not be true when recipients are named" end
  if named == 0 and not message.broadcast then return "No Recipients" end
end

--- What is wrong with a message of /messages/send or /messages/schedule/create.
function sending.fault_of_message(workspace, message, body)
  local fault = fields.fault_of_types(message, body, types_of_message) or fault_of_ids(workspace, message)
    or fault_of_users(message)
  if fault then return fault end
  if not message.messages or next(message.messages) == nil then return "No message to send" end
  for channel, content in pairs(message.messages) do
    if type(content) ~= "table" then return "messages." .. channel .. " must be a valid object" end
    if message.campaign_id and type(content.message_variation_id) ~= "string" then
      return "Message Variant Unspecified"
    end
  end
end

--- What is wrong with one user that a campaign is triggered for.
local function fault_of_recipient(recipient)
  if type(recipient) ~= "table" then return "recipients must be valid objects" end
  local names = 0
  for _, name in ipairs { "external_user_id", "user_alias", "email" } do
    if recipient[name] ~= nil then names = names + 1 end
  end
  if names ~= 1 then return "each recipient needs exactly one of external_user_id, user_alias and email" end
  if recipient.email ~= nil and type(recipient.prioritization) ~= "table" then
    return "prioritization is required with email"
  end
  if recipient.send_to_existing_only == false then
    if recipient.user_alias ~= nil then return "send_to_existing_only must not be false with user_alias" end
    if type(recipient.attributes) ~= "table" then
      return "attributes are required when send_to_existing_only is false"
    end
  end
end

local function fault_of_attachments(message)
  for _, attachment in ipairs(message.attachments or {}) do
    if type(attachment) ~= "table" or type(attachment.file_name) ~= "string" or type(attachment.url) ~= "string" then
      return "attachments need file_name and url"
    end
    if message.broadcast then return "attachments are not allowed with broadcast" end
  end
end

--- What is wrong with a message of /campaigns/trigger/send or /campaigns/trigger/schedule/create.
function sending.fault_of_trigger(workspace, message, body)
  local fault = fields.fault_of_campaign(message.campaign_id)
    or fields.fault_of_types(message, body, types_of_message) or fault_of_ids(workspace, message)
  if fault then return fault end
  if message.segment_id ~= nil then return "segment_id is not supported" end
  local recipients = message.recipients or {}
  if #recipients > most_recipients then return "The max number of ids per request was exceeded" end
  if message.broadcast and #recipients > 0 then return "broadcast must not be true when recipients are named" end
  if not message.broadcast and #recipients == 0 then return "No Recipients" end
  for _, recipient in ipairs(recipients) do
    fault = fault_of_recipient(recipient)
    if fault then return fault end
  end
  local properties = message.trigger_properties and replies.encode(message.trigger_properties) or ""
  if #properties > longest_properties then return "trigger_properties must be at most 50 KB" end
  return fault_of_attachments(message)
end

--- The windows that a message takes from: a broadcast has limits of its own, one of them for its audience.
function sending.windows(workspace, message)
  if not (message.broadcast or message.segment_id or message.audience) then
    return { limits.window(workspace, "hour") }
  end
  local audience = ngx.md5(replies.encode {
    message.campaign_id or "", message.segment_id or "", message.audience or "",
  })
  return { limits.window(workspace, "broadcast"), limits.window(workspace, "audience", audience) }
end

--- The parts of a message that could not be done: users whose id says that they do not exist.
local function minor_errors(message)
  local errors = replies.list {}
  for _, id in ipairs(message.external_user_ids or {}) do
    if id:find "^unknown%-" then errors[#errors + 1] = "external_user_id " .. id .. " does not exist" end
  end
  for _, recipient in ipairs(message.recipients or {}) do
    local id = recipient.external_user_id
    if type(id) == "string" and id:find "^unknown%-" then
      errors[#errors + 1] = "external_user_id " .. id .. " does not exist"
    end
  end
  return #errors > 0 and errors or nil
end

-- A send that is done at once, where its fields are right and its limits have room.
local function send(call, operation, fault)
  if fault then return replies.refuse(400, fault) end
  local message = call.parameters
  if not limits.take(sending.windows(call.workspace, message)) then
    return replies.refuse(429, "You have exceeded your rate limit")
  end
  -- A broadcast of a campaign is always tracked: the service makes an ID where none is given.
  if message.broadcast and message.campaign_id and not message.send_id then
    message.send_id = replies.uuid(replies.digits "send")
    state.add_pair(call.workspace, message.campaign_id, message.send_id)
  end
  local dispatch_id = replies.digits "dispatch"
  state.add_send(call.workspace, operation, message, dispatch_id, state.now())
  replies.value(201, {
    message = "success", dispatch_id = dispatch_id, send_id = message.broadcast and message.send_id or nil,
    errors = minor_errors(message),
  })
end

function sending.send_messages(call)
  send(call, "send_messages", sending.fault_of_message(call.workspace, call.parameters, call.body))
end

function sending.trigger_campaign(call)
  send(call, "trigger_campaign", sending.fault_of_trigger(call.workspace, call.parameters, call.body))
end

function sending.create_send_id(call)
  local campaign_id, send_id = call.parameters.campaign_id, call.parameters.send_id
  local window = limits.window(call.workspace, "sends_day")
  limits.show(window)
  local fault = fields.fault_of_campaign(campaign_id) or send_id ~= nil and fields.fault_of_send_id(send_id)
  if fault then return replies.refuse(400, fault) end
  if not send_id or not state.has_pair(call.workspace, campaign_id, send_id) then
    if not limits.take { window } then return replies.refuse(429, "You have exceeded your rate limit") end
    send_id = send_id or replies.uuid(replies.digits(campaign_id))
    state.add_pair(call.workspace, campaign_id, send_id)
  end
  replies.text(201, '{"message":"success","send_id":' .. replies.encode(send_id) .. "}")
end

local function fault_of_transactional(call, campaign_id)
  local parameters = call.parameters
  if not fields.is_campaign(campaign_id) then return "Campaign does not exist" end
  local reference, recipient = parameters.external_send_id, parameters.recipient
  if reference ~= nil and (type(reference) ~= "string" or not reference:find "^[%w%-_+/=]+$") then
    return "external_send_id must be a Base64 compatible string"
  end
  if type(recipient) ~= "table" or recipient[1] ~= nil then return "recipient must be a valid object" end
  if (recipient.external_user_id == nil) == (recipient.user_alias == nil) then
    return "recipient needs exactly one of external_user_id and user_alias"
  end
  return fields.fault_of_types(parameters, call.body, { trigger_properties = "object" })
end

function sending.send_transactional(call, campaign_id)
  local fault = fault_of_transactional(call, campaign_id)
  if fault then return replies.refuse(400, fault) end
  if not limits.take { limits.window(call.workspace, "hour") } then
    return replies.refuse(429, "You have exceeded your rate limit")
  end
  local reference, references, now = call.parameters.external_send_id, call.workspace.references, state.now()
  local earlier = reference and references[reference]
  if earlier and now - earlier.time < reference_life then
    -- The service may say so, too, of what it has accepted.
    if reference:find "^queued" then
      return replies.refuse(400, "The external reference has been queued.  Please retry to obtain send_id.")
    end
    return replies.text(201, earlier.answer)
  end
  local received = os.date("!%Y-%m-%dT%H:%M:%S.000+00:00", math.floor(now))
  local dispatch_id = replies.digits "dispatch"
  local answer = replies.encode {
    dispatch_id = dispatch_id, status = "sent",
    metadata = { received_at = received, enqueued_at = received, executed_at = received, sent_at = received },
  }
  if reference then references[reference] = { time = now, answer = answer } end
  local message = { campaign_id = campaign_id, recipients = { call.parameters.recipient } }
  state.add_send(call.workspace, "send_transactional", message, dispatch_id, now)
  replies.text(201, answer)
end

return sending
