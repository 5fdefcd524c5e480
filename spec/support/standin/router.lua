-- Which function answers which method and path, and what has to hold before it may.

local json = require "cjson.safe"

local keys = require "keys"
local limits = require "limits"
local others = require "others"
local reading = require "reading"
local replies = require "replies"
local scheduling = require "scheduling"
local sending = require "sending"
local state = require "state"

local router = {}

local longest_body = 4 * 1024 * 1024

-- "METHOD /path": the permission that it needs, and who answers. "*" is one part of a path, "**" all the rest of it.
local routes = {
  ["POST /sends/id/create"] = { "sends.id.create", sending.create_send_id },
  ["POST /messages/send"] = { "messages.send", sending.send_messages },
  ["POST /campaigns/trigger/send"] = { "campaigns.trigger.send", sending.trigger_campaign },
  ["POST /transactional/v1/campaigns/*/send"] = { "transactional.send", sending.send_transactional },
  ["POST /messages/schedule/create"] = { "messages.schedule.create", scheduling.schedule_messages },
  ["POST /messages/schedule/update"] = { "messages.schedule.update", scheduling.update_scheduled_messages },
  ["POST /messages/schedule/delete"] = { "messages.schedule.delete", scheduling.delete_scheduled_messages },
  ["POST /campaigns/trigger/schedule/create"] = { "campaigns.trigger.schedule.create", scheduling.schedule_campaign },
  ["POST /campaigns/trigger/schedule/update"] = { "campaigns.trigger.schedule.update",
    scheduling.update_scheduled_campaign },
  ["POST /campaigns/trigger/schedule/delete"] = { "campaigns.trigger.schedule.delete",
    scheduling.delete_scheduled_campaign },
  ["GET /sends/data_series"] = { "sends.data_series", reading.get_send_analytics },
  ["GET /campaigns/list"] = { "campaigns.list", reading.list_campaigns },
  ["GET /campaigns/details"] = { "campaigns.details", reading.get_campaign },
  ["GET /messages/scheduled_broadcasts"] = { "messages.schedule_broadcasts", reading.list_scheduled_broadcasts },

  ["POST /users/track"] = { "users.track", others.track_users },
  ["GET /events/list"] = { "events.list", others.list_events },
  ["GET /catalogs/*/items"] = { "catalogs.get_items", others.list_items },
  ["POST /catalogs/*/items"] = { "catalogs.add_items", others.change_items },
  ["PUT /catalogs/*/items"] = { "catalogs.replace_items", others.change_items },
  ["PATCH /catalogs/*/items"] = { "catalogs.update_items", others.change_items },
  ["DELETE /catalogs/*/items"] = { "catalogs.delete_items", others.change_items },
  ["DELETE /catalogs/*"] = { "catalogs.delete", others.delete_catalog },
  ["DELETE /scim/v2/Users/*"] = { "dashboard_users.delete", others.delete_dashboard_user },
}
for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE" } do
  routes[method .. " /echo/**"] = { "", others.echo }
end

local plain, patterns = {}, {}
for name, route in pairs(routes) do
  if name:find("*", 1, true) then
    local pattern = name:gsub("[%.%-]", "%%%0"):gsub("%*+", { ["*"] = "([^/]+)", ["**"] = "(.*)" })
    patterns[#patterns + 1] = { "^" .. pattern .. "$", route }
  else
    plain[name] = route
  end
end

-- The route of a request, and what stands in its path where the route has a "*".
local function find(name)
  if plain[name] then return plain[name] end
  for _, entry in ipairs(patterns) do
    local part = name:match(entry[1])
    if part then return entry[2], ngx.unescape_uri(part) end
  end
end

local function is_json_type(content_type)
  local media_type = (content_type or ""):match "^%s*([^;%s]*)%s*;?"
  return media_type:lower() == "application/json"
end

-- The workspace of the request's key, if that may do this; else it has been refused.
local function admit(permission)
  local key = keys.given()
  if not key then return replies.refuse(401, "Error authenticating credentials") end
  local workspace, only = keys.find(key)
  if not workspace then
    limits.show_nothing()
    return replies.refuse(401, "Invalid API key: " .. key)
  end
  if only and permission ~= "" and only ~= permission then return replies.refuse(403, "Access Denied") end
  return state.workspace(workspace)
end

-- The query of a request: a name that is given twice counts once.
local function read_query()
  local query = ngx.req.get_uri_args(0)
  for name, value in pairs(query) do
    if type(value) == "table" then value = value[1] end
    query[name] = value == true and "" or value
  end
  return query
end

--- Answers a request for a path of the service.
function router.answer(method, path, body)
  local route, part = find(method .. " " .. path)
  if not route then
    if path:find "./$" and find(method .. " " .. path:sub(1, -2)) then return replies.refuse(403, "Access Denied") end
    return replies.refuse(404, "Invalid URL")
  end
  local needs_body = method == "POST" or method == "PUT" or method == "PATCH"
  if (needs_body or body ~= "") and method ~= "GET" and not is_json_type(ngx.var.http_content_type) then
    return replies.refuse(415, "Unsupported Media Type")
  end
  local workspace = admit(route[1])
  if not workspace then return end
  limits.show(limits.window(workspace, route[2] == sending.create_send_id and "sends_day" or "hour"))
  if #body > longest_body then return replies.refuse(413, "Request Entity Too Large") end
  local parameters = {}
  if method ~= "GET" and (needs_body or body ~= "") and route[2] ~= others.echo then
    parameters = body:find "^%s*{" and json.decode(body)
    if not parameters then return replies.refuse(400, "Malformed JSON") end
  end
  route[2]({
    method = method, workspace = workspace, body = body, parameters = parameters, query = read_query(),
    query_text = ngx.var.args,
  }, part)
end

return router
