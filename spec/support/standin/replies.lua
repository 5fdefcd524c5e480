-- How the stand-in answers: JSON with its length, the service's refusals, ids that look like the service's.

local cjson = require "cjson"

local replies = {}

local list_marker = {}

--- Marks a table as a JSON array: lua-cjson would write an empty one as an object.
function replies.list(items)
  return setmetatable(items, list_marker)
end

--- JSON of a value; the names of an object are in order, so that equal values have equal texts.
function replies.encode(value)
  if type(value) ~= "table" then return cjson.encode(value) end
  local parts = {}
  if getmetatable(value) == list_marker then
    for index, item in ipairs(value) do parts[index] = replies.encode(item) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  local names = {}
  for name in pairs(value) do names[#names + 1] = name end
  table.sort(names)
  for index, name in ipairs(names) do parts[index] = cjson.encode(name) .. ":" .. replies.encode(value[name]) end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- Has this request's answer kept back: all is done, and nobody is told.
function replies.keep_back()
  ngx.ctx.kept_back = true
end

--- Answers with a text of JSON, or with no body at all.
function replies.text(status, body)
  if ngx.ctx.kept_back then return end
  ngx.status = status
  if body then
    ngx.header["content-type"] = "application/json"
    ngx.header["content-length"] = #body
    ngx.print(body)
  end
end

function replies.value(status, value)
  replies.text(status, replies.encode(value))
end

--- A refusal in the service's "fatal" shape.
function replies.refuse(status, message)
  replies.value(status, { message = message })
end

--- A lower-case UUID from 32 hexadecimal digits.
function replies.uuid(hexadecimal)
  return (hexadecimal:gsub("^(%x%x%x%x%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x%x%x%x)(%x+)$", "%1-%2-%3-%4-%5"))
end

--- 32 hexadecimal digits that no other request gets for the same purpose.
function replies.digits(purpose)
  return ngx.md5(ngx.var.request_id .. purpose)
end

return replies
