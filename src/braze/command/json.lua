-- Reads and writes JSON for the command. Reading keeps what lua-cjson loses on the way to braze: whether an empty array
-- is one, and the digits of a number; and it says where a mistake is. Writing has its keys in order.

local braze = require "braze"

local json = {}

-- Tables one inside the other. braze refuses deeper ones by itself, with their path.
local DEEPEST = 200

local escapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function utf8_of(code)
  if code < 0x80 then return string.char(code) end
  if code < 0x800 then return string.char(0xC0 + math.floor(code / 0x40), 0x80 + code % 0x40) end
  if code < 0x10000 then
    return string.char(0xE0 + math.floor(code / 0x1000), 0x80 + math.floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
  end
  return string.char(0xF0 + math.floor(code / 0x40000), 0x80 + math.floor(code / 0x1000) % 0x40,
    0x80 + math.floor(code / 0x40) % 0x40, 0x80 + code % 0x40)
end

-- A mistake is raised as a table, which json.decode catches.
local function refuse(reader, what, at)
  error({ what = what, at = at or reader.at }, 0)
end

local function skip_space(reader)
  reader.at = reader.text:find("[^ \t\r\n]", reader.at) or #reader.text + 1
end

local function hex_at(reader, at)
  local digits = reader.text:match("^%x%x%x%x", at)
  if not digits then refuse(reader, "\\u without four hexadecimal digits", at) end
  return tonumber(digits, 16)
end

-- The character of "\u....", two of which may make one.
local function read_code(reader)
  local code = hex_at(reader, reader.at + 2)
  reader.at = reader.at + 6
  if code < 0xD800 or code > 0xDFFF then return utf8_of(code) end
  local is_pair = code < 0xDC00 and reader.text:sub(reader.at, reader.at + 1) == "\\u"
  local second = is_pair and hex_at(reader, reader.at + 2)
  if not second or second < 0xDC00 or second > 0xDFFF then
    refuse(reader, "half of a pair of \\u", reader.at - 6)
  end
  reader.at = reader.at + 6
  return utf8_of(0x10000 + (code - 0xD800) * 0x400 + second - 0xDC00)
end

local function read_string(reader)
  local begun, out = reader.at, {}
  reader.at = reader.at + 1
  while true do
    local special = reader.text:find('[%c"\\]', reader.at)
    if not special then refuse(reader, "a string that does not end", begun) end
    out[#out + 1] = reader.text:sub(reader.at, special - 1)
    reader.at = special
    local byte = reader.text:sub(special, special)
    if byte == '"' then
      reader.at = special + 1
      return table.concat(out)
    elseif byte == "\127" then
      out[#out + 1] = byte
      reader.at = special + 1
    elseif byte ~= "\\" then
      refuse(reader, "a control character in a string; write \\n for a new line")
    else
      local letter = reader.text:sub(special + 1, special + 1)
      if letter == "u" then
        out[#out + 1] = read_code(reader)
      else
        out[#out + 1] = escapes[letter] or refuse(reader, "an unknown escape in a string")
        reader.at = special + 2
      end
    end
  end
end

local function read_number(reader)
  local text = reader.text
  local begun = reader.at
  local at = text:match("^%-?0()", begun) or text:match("^%-?[1-9]%d*()", begun)
  if not at then refuse(reader, "a number that JSON does not have") end
  at = text:match("^%.%d+()", at) or at
  at = text:match("^[eE][+-]?%d+()", at) or at
  if text:find("^[%w.]", at) then refuse(reader, "a number that JSON does not have") end
  reader.at = at
  return tonumber(text:sub(begun, at - 1))
end

local read_value

local function read_object(reader)
  local object, begun = {}, reader.at
  reader.at = reader.at + 1
  skip_space(reader)
  if reader.text:sub(reader.at, reader.at) == "}" then
    reader.at = reader.at + 1
    return object
  end
  while true do
    skip_space(reader)
    if reader.text:sub(reader.at, reader.at) ~= '"' then refuse(reader, "a name in double quotes is expected") end
    local named = reader.at
    local name = read_string(reader)
    if object[name] ~= nil then refuse(reader, ("%q is there twice"):format(name), named) end
    skip_space(reader)
    if reader.text:sub(reader.at, reader.at) ~= ":" then refuse(reader, '":" is expected') end
    reader.at = reader.at + 1
    object[name] = read_value(reader)
    skip_space(reader)
    local byte = reader.text:sub(reader.at, reader.at)
    if byte == "" then refuse(reader, "an object that does not end", begun) end
    if byte ~= "," and byte ~= "}" then refuse(reader, '"," or "}" is expected') end
    reader.at = reader.at + 1
    if byte == "}" then return object end
  end
end

local function read_array(reader)
  local array, begun = braze.list {}, reader.at
  reader.at = reader.at + 1
  skip_space(reader)
  if reader.text:sub(reader.at, reader.at) == "]" then
    reader.at = reader.at + 1
    return array
  end
  while true do
    array[#array + 1] = read_value(reader)
    skip_space(reader)
    local byte = reader.text:sub(reader.at, reader.at)
    if byte == "" then refuse(reader, "an array that does not end", begun) end
    if byte ~= "," and byte ~= "]" then refuse(reader, '"," or "]" is expected') end
    reader.at = reader.at + 1
    if byte == "]" then return array end
  end
end

local constants = { { "true", true }, { "false", false }, { "null", braze.null } }

function read_value(reader)
  skip_space(reader)
  local byte = reader.text:sub(reader.at, reader.at)
  if byte == "" then refuse(reader, "a value is expected") end
  if byte == '"' then return read_string(reader) end
  if byte:find "[%d-]" then return read_number(reader) end
  for _, constant in ipairs(constants) do
    if reader.text:sub(reader.at, reader.at + #constant[1] - 1) == constant[1] then
      reader.at = reader.at + #constant[1]
      return constant[2]
    end
  end
  if byte ~= "{" and byte ~= "[" then refuse(reader, "a value is expected") end
  reader.depth = reader.depth + 1
  if reader.depth > DEEPEST then refuse(reader, "more than " .. DEEPEST .. " values inside one another") end
  local value = (byte == "{" and read_object or read_array)(reader)
  reader.depth = reader.depth - 1
  return value
end

-- "line 2, column 5", or the column alone where there is one line.
local function place(text, at)
  local line, begun = 1, 1
  for newline in text:gmatch "()\n" do
    if newline >= at then break end
    line, begun = line + 1, newline + 1
  end
  local column = ("column %d"):format(at - begun + 1)
  return text:find "\n" and ("line %d, %s"):format(line, column) or column
end

-- The value of a JSON text, or nil and what is wrong with it.
function json.decode(text)
  local reader = { text = text, at = 1, depth = 0 }
  local good, value = pcall(function()
    local value = read_value(reader)
    skip_space(reader)
    if reader.at <= #text then refuse(reader, "something stands behind the end of the value") end
    return value
  end)
  if good then return value end
  if type(value) ~= "table" or not value.what then error(value, 0) end
  return nil, ("%s (%s)"):format(value.what, place(text, value.at))
end

-- A text that is JSON already.
local raw_metatable = {}

function json.raw(text)
  return setmetatable({ text = text }, raw_metatable)
end

local list_metatable = getmetatable(braze.list {})

local named = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- How many bytes at this place are one character of UTF-8; nil: none are.
local function character_at(text, at)
  local first, second = text:byte(at, at + 1)
  local length = first < 0x80 and 1 or first >= 0xC2 and first < 0xE0 and 2 or first >= 0xE0 and first < 0xF0 and 3
    or first >= 0xF0 and first < 0xF5 and 4
  if not length or #text < at + length - 1 then return nil end
  if not text:find("^" .. ("[\128-\191]"):rep(length - 1), at + 1) then return nil end
  if first == 0xE0 and second < 0xA0 or first == 0xED and second > 0x9F then return nil end
  if first == 0xF0 and second < 0x90 or first == 0xF4 and second > 0x8F then return nil end
  return length
end

-- The text with U+FFFD in place of each byte that is no UTF-8.
local function repair(text)
  local out, at = {}, 1
  while at <= #text do
    local length = character_at(text, at)
    out[#out + 1] = length and text:sub(at, at + length - 1) or "\239\191\189"
    at = at + (length or 1)
  end
  return table.concat(out)
end

local function write_string(text)
  if text:find "[\128-\255]" then text = repair(text) end
  return '"' .. text:gsub('[%c"\\]', function(byte)
    return named[byte] or ("\\u%04x"):format(byte:byte())
  end) .. '"'
end

local function write_number(number)
  if number ~= number or number == math.huge or number == -math.huge then return "null" end
  if number == math.floor(number) and number > -2^53 and number < 2^53 then return ("%.0f"):format(number) end
  local short = ("%.14g"):format(number)
  if tonumber(short) ~= number then short = ("%.17g"):format(number) end
  return (short:gsub(",", ".")) -- some locales write a comma
end

local function sorted_keys(object)
  local keys = {}
  for key in pairs(object) do keys[#keys + 1] = key end
  table.sort(keys, function(one, other) return tostring(one) < tostring(other) end)
  return keys
end

local function is_array(value)
  return getmetatable(value) == list_metatable or #value > 0
end

-- The value as JSON: on one line, or with an indent ("  ") on several. An empty table is an object, unless
-- braze.list says otherwise.
function json.encode(value, indent, margin)
  local kind = type(value)
  if kind == "string" then return write_string(value) end
  if kind == "number" then return write_number(value) end
  if kind == "boolean" then return tostring(value) end
  if kind ~= "table" then return "null" end
  if getmetatable(value) == raw_metatable then return value.text end
  local out, inner = {}, indent and (margin or "\n") .. indent
  local opening, closing = "{", "}"
  if is_array(value) then
    opening, closing = "[", "]"
    for _, item in ipairs(value) do out[#out + 1] = json.encode(item, indent, inner) end
  else
    for _, key in ipairs(sorted_keys(value)) do
      out[#out + 1] = write_string(tostring(key)) .. (indent and ": " or ":") .. json.encode(value[key], indent, inner)
    end
  end
  if #out == 0 then return opening .. closing end
  if not indent then return opening .. table.concat(out, ",") .. closing end
  return opening .. inner .. table.concat(out, "," .. inner) .. (margin or "\n") .. closing
end

return json
