-- A few endpoints beside a send ID's life, for calls by "METHOD /path": each shape of request and answer once.

local limits = require "limits"
local replies = require "replies"

local others = {}

local most_objects = 75
local items_in_all = 120
local items_a_page = 50
local events_in_all = 250
local events_a_page = 100

local function take(call)
  if limits.take { limits.window(call.workspace, "hour") } then return true end
  replies.refuse(429, "You have exceeded your rate limit")
  return false
end

--- Counts what was given; each object needs somebody whom it is about.
function others.track_users(call)
  local answer, errors = { message = "success" }, replies.list {}
  for _, name in ipairs { "attributes", "events", "purchases" } do
    local objects = call.parameters[name]
    if objects ~= nil then
      if type(objects) ~= "table" then return replies.refuse(400, name .. " must be a valid array") end
      if #objects > most_objects then return replies.refuse(400, "Max Input Length Exceeded") end
      answer[name .. "_processed"] = #objects
      for index, object in ipairs(objects) do
        local user = type(object) == "table" and (object.external_id or object.user_alias or object.braze_id
          or object.email)
        if not user then
          answer[name .. "_processed"] = answer[name .. "_processed"] - 1
          errors[#errors + 1] = { type = "'external_id', 'braze_id', 'user_alias' or 'email' is required",
            input_array = name, index = index - 1 }
        end
      end
    end
  end
  if #errors > 0 then answer.errors = errors end
  if take(call) then replies.value(201, answer) end
end

--- A list by cursor: a Link header names the next page, by its path alone.
function others.list_items(call, catalog)
  if catalog ~= "restaurants" then return replies.refuse(404, "Could not find catalog") end
  local cursor, first = call.query.cursor, 0
  if cursor then
    local text = ngx.decode_base64(cursor)
    first = text and tonumber(text:match "^after:(%d+)$")
    if not first then return replies.refuse(400, "Invalid cursor") end
  end
  if not take(call) then return end
  local items, last = replies.list {}, math.min(first + items_a_page, items_in_all)
  for number = first + 1, last do items[#items + 1] = { id = "restaurant" .. number, Rating = number % 5 } end
  if last < items_in_all then
    local next_cursor = ngx.encode_base64("after:" .. last)
    ngx.header["link"] = ('</catalogs/%s/items?cursor=%s>; rel="next"'):format(catalog, next_cursor)
  end
  replies.value(200, { message = "success", items = items })
end

--- A change of a catalog's items, by POST, PUT, PATCH or a DELETE with a body: accepted, done later.
function others.change_items(call)
  if type(call.parameters.items) ~= "table" or #call.parameters.items == 0 then
    return replies.value(400, { message = "Invalid Request", errors = replies.list {
      { id = "invalid-items", message = "items must be an array of objects", parameters = replies.list { "items" } },
    } })
  end
  if take(call) then replies.value(202, { message = "success" }) end
end

--- A DELETE without a body.
function others.delete_catalog(call, catalog)
  if catalog ~= "restaurants" then return replies.refuse(404, "Could not find catalog") end
  if take(call) then replies.value(200, { message = "success" }) end
end

--- A DELETE whose answer has no body either.
function others.delete_dashboard_user(call)
  if take(call) then replies.text(204) end
end

--- A list by page number.
function others.list_events(call)
  local page = call.query.page or "0"
  if not page:find "^%d+$" then return replies.refuse(400, "page must be a valid integer") end
  if not take(call) then return end
  local events, first = replies.list {}, tonumber(page) * events_a_page
  for number = first + 1, math.min(first + events_a_page, events_in_all) do events[#events + 1] = "event " .. number end
  replies.value(200, { message = "success", events = events })
end

--- What arrived, for any method.
function others.echo(call, rest)
  if not take(call) then return end
  replies.value(call.method == "POST" and 201 or 200, {
    message = "success", method = call.method, path = "/echo/" .. rest, query = call.query_text, body = call.body,
    content_type = ngx.var.http_content_type,
  })
end

return others
