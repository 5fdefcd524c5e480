-- What is wrong with the fields of a request. Each check returns the service's text, or nil.

local fields = {}

local longest_send_id = 64

function fields.is_campaign(campaign_id)
  return campaign_id == "campaign_identifier" or campaign_id == "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b"
    or campaign_id:find "^campaign%-" ~= nil
end

--- An array. lua-cjson reads {} and [] alike: an empty one is looked up in the text of the body.
function fields.is_list(body, name, value)
  if type(value) ~= "table" then return false end
  if next(value) == nil then return not body:find('"' .. name .. '"%s*:%s*{') end
  return #value > 0
end

--- Checks types: "names" maps a field to string, boolean, object or list.
function fields.fault_of_types(parameters, body, types)
  for name, wanted in pairs(types) do
    local value = parameters[name]
    if value ~= nil then
      local good
      if wanted == "list" then
        good = fields.is_list(body, name, value)
      elseif wanted == "object" then
        good = type(value) == "table" and value[1] == nil
      else
        good = type(value) == wanted and value ~= ""
      end
      if not good then return name .. " must be a valid " .. (wanted == "list" and "array" or wanted) end
    end
  end
end

function fields.fault_of_campaign(campaign_id)
  if type(campaign_id) ~= "string" or campaign_id == "" then
    return "campaign_id must be a string of the campaign api identifier"
  end
  if not fields.is_campaign(campaign_id) then return "Invalid Campaign ID" end
end

--- What is wrong with a send_id that was given.
function fields.fault_of_send_id(send_id)
  if type(send_id) ~= "string" then return "send_id must be a string" end
  if send_id == "" then return "send_id must not be empty" end
  if send_id:find "[\128-\255]" then return "send_id must be ASCII" end
  if #send_id > longest_send_id then return "send_id must be at most 64 characters" end
end

-- Days since 1970 of a date in the Gregorian calendar.
local function days(year, month, day)
  if month <= 2 then year, month = year - 1, month + 12 end
  return 365 * year + math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
    + math.floor((153 * (month - 3) + 2) / 5) + day - 719469
end

--- Seconds since 1970 of an ISO 8601 time, or nil. Without a zone it is taken as UTC.
function fields.parse_time(text)
  if type(text) ~= "string" then return nil end
  local date = { text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d)(.*)$" }
  if not date[1] then return nil end
  local rest = date[6]
  local second = rest:match "^:(%d%d)"
  rest = rest:gsub("^:%d%d", ""):gsub("^%.%d+", "")
  local sign, hours, minutes = rest:match "^([+-])(%d%d?):?(%d%d)$"
  if not sign and rest ~= "" and rest ~= "Z" then return nil end
  local numbers = {}
  for index = 1, 5 do numbers[index] = tonumber(date[index]) end
  if numbers[2] < 1 or numbers[2] > 12 or numbers[3] < 1 or numbers[3] > 31 or numbers[4] > 23 or numbers[5] > 59 then
    return nil
  end
  local seconds = days(numbers[1], numbers[2], numbers[3]) * 86400 + numbers[4] * 3600 + numbers[5] * 60
    + (tonumber(second) or 0)
  local offset = sign and (tonumber(hours) * 3600 + tonumber(minutes) * 60) or 0
  return seconds - (sign == "-" and -offset or offset)
end

--- What is wrong with a schedule object.
function fields.fault_of_schedule(schedule, now)
  if type(schedule) ~= "table" then return "schedule must be a valid object" end
  for name in pairs { in_local_time = true, at_optimal_time = true } do
    local value = schedule[name]
    if value ~= nil and type(value) ~= "boolean" then return "schedule." .. name .. " must be a valid boolean" end
  end
  local time = fields.parse_time(schedule.time)
  if not time then return "schedule.time must be a valid ISO 8601 time" end
  if schedule.in_local_time and time < now then return "schedule.time has passed in a local time zone" end
end

return fields
