-- JSON for the command. dkjson reads and writes it: it tells an empty array from an empty object, and has an order of
-- names, as lua-cjson does not. lua-cjson looks at a text first, because dkjson takes much that is no JSON, such as
-- [1 2]: a mistake is told before anything is sent.

local braze = require "braze"
local cjson = require "cjson.safe"
local dkjson = require "braze.command.library" "dkjson"

local json = {}

local strict = cjson.new()
strict.decode_invalid_numbers(false)
strict.decode_max_depth(200) -- so that dkjson's recursion ends; braze refuses less, with the path

local list_metatable = getmetatable(braze.list {})

-- lua-cjson's words with line and column, and without its names of tokens.
local function in_words(wrong, text)
  return (wrong:gsub("but found T_[%u_]+ ", ""):gsub("character (%d+)$", function(digits)
    local at = tonumber(digits)
    local before = text:sub(1, at - 1)
    local line_begins = before:match ".*\n()" or 1
    return ("line %d, column %d"):format(select(2, before:gsub("\n", "")) + 1, at - line_begins + 1)
  end))
end

-- The digits of a number without sign, point, exponent, and zeros at the ends.
local function digits_of(number)
  return (number:gsub("[eE].*", ""):gsub("%D", ""):gsub("^0+", ""):gsub("0+$", ""))
end

-- A number in a JSON text that would not be sent with all its digits (braze sends 14), or nil. Strings are passed over.
local function find_lossy_number(text)
  local outside = text:gsub("\\.", ""):gsub('"[^"]*"', "")
  for number in outside:gmatch "%-?%d[%d.eE+-]*" do
    if digits_of(number) ~= digits_of(("%.13e"):format(tonumber(number))) then return number end
  end
end

-- The value of a text that is JSON, or nil and the name that one object has twice: dkjson would take the last of the
-- two. For that, no field is in an object while dkjson reads, so that each one comes to __newindex. dkjson before 2.6
-- reads with LPeg where that is installed, and then sets the metatable too late for it.
local function read(text)
  local objects, twice = {}, nil
  local metatable = {}
  function metatable.__newindex(object, name, value)
    objects[object] = objects[object] or {}
    if objects[object][name] ~= nil then twice = twice or name end
    objects[object][name] = value
  end
  local value = dkjson.decode(text, 1, braze.null, metatable, list_metatable)
  metatable.__newindex = nil
  for object, fields in pairs(objects) do
    for name, field in pairs(fields) do object[name] = field end
  end
  if twice then return nil, twice end
  return value
end

-- The value of a JSON text, or nil and what is wrong with it.
function json.decode(text)
  local taken, wrong = strict.decode(text)
  if taken == nil then return nil, in_words(wrong, text) end
  if text:find("\0", 1, true) then return nil, "it has a zero byte, so it is no text" end
  local number = find_lossy_number(text)
  if number then return nil, ("%s would lose digits; give it as a string, or round it"):format(number) end
  local value, twice = read(text)
  if twice then return nil, ("%q is there twice in one object"):format(twice) end
  return value
end

local raw_metatable = { __tojson = function(raw) return raw.text end }

-- A text that is JSON already.
function json.raw(text)
  return setmetatable({ text = text }, raw_metatable)
end

-- dkjson would write a number with 14 digits at most, and 1.0 as some Luas do.
local function text_of_number(number)
  if number ~= number or number == math.huge or number == -math.huge then return "null" end
  if number == math.floor(number) and number > -2^53 and number < 2^53 then return ("%.0f"):format(number) end
  local short = tostring(number)
  return tonumber(short) == number and short or ("%.17g"):format(number)
end

-- A copy of the value that dkjson writes as the command means it. An empty table is an object, unless braze.list says
-- otherwise. What JSON does not have is null.
local function prepare(value)
  local kind = type(value)
  if kind == "string" or kind == "boolean" then return value end
  if kind == "number" then return json.raw(text_of_number(value)) end
  if kind ~= "table" then return dkjson.null end
  if getmetatable(value) == raw_metatable then return value end
  local copy = {}
  if getmetatable(value) == list_metatable or #value > 0 then
    for i, item in ipairs(value) do copy[i] = prepare(item) end
    return setmetatable(copy, { __jsontype = "array" })
  end
  local names = {}
  for key, field in pairs(value) do
    names[#names + 1] = tostring(key)
    copy[tostring(key)] = prepare(field)
  end
  table.sort(names)
  return setmetatable(copy, { __jsontype = "object", __jsonorder = names })
end

-- The value as JSON: on one line, or (indent) on several.
function json.encode(value, indent)
  return dkjson.encode(prepare(value), { indent = indent })
end

return json
