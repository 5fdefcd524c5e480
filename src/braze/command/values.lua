-- From the values of the command line to the parameters and options of a call.

local braze = require "braze"
local commands = require "braze.command.commands"
local failure = require "braze.command.failure"
local json = require "braze.command.json"
local words = require "braze.command.words"

local values = {}

-- What "@-" and "--input -" read, once.
local read_input = false

-- The content of a file; "-" is standard input.
local function read_file(path, flag)
  if path == "-" then
    if read_input then
      failure.usage(flag .. " reads standard input, and so does another value", "give one of them as a file")
    end
    read_input = true
    return io.stdin:read "*a" or ""
  end
  local file, reason = io.open(path, "rb")
  local text
  if file then
    text, reason = file:read "*a" -- a folder can be opened, and not read
    file:close()
  end
  if not text then
    failure.usage(("%s: the file %s can't be read: %s"):format(flag, path, reason or ""), "look at its name and rights")
  end
  return text
end

local function decode(text, flag, origin)
  local value, wrong = json.decode(text)
  if wrong then
    failure.usage(("%s: %s is no JSON: %s"):format(flag, origin, wrong),
      "in a shell put JSON between single quotes: '{\"name\": \"value\"}'")
  end
  return value
end

local function is_list(value)
  return getmetatable(value) == getmetatable(braze.list {})
end

local expected = { object = "a JSON object", list = "a JSON array" }

-- JSON as it stands, or from a file behind "@".
local function read_json(text, flag, type_name)
  local path = text:match "^@(.+)$"
  local value = decode(path and read_file(path, flag) or text, flag, path and "the file" or "the value")
  local good = type(value) == "table" and is_list(value) == (type_name == "list")
  if not good then
    failure.usage(("%s: %s is expected"):format(flag, expected[type_name]),
      type_name == "list" and "write '[...]', or @FILE" or "write '{...}', or @FILE")
  end
  return value
end

local function read_number(text, flag, whole)
  local number = text:find "^[%d.eE+-]+$" and tonumber(text)
  if not number or (whole and not text:find "^-?%d+$") then
    failure.usage(("%s takes a %snumber, not \"%s\""):format(flag, whole and "whole " or "", text), nil)
  end
  return number
end

local function read_value(text, flag, type_name)
  if type_name == "integer" then return read_number(text, flag, true) end
  if type_name == "number" then return read_number(text, flag) end
  if type_name == "object" or type_name == "list" then return read_json(text, flag, type_name) end
  return text
end

-- The parameters of --input, or none.
local function read_input_file(parsed)
  if not parsed.input then return {} end
  local origin = parsed.input == "-" and "standard input" or "the file"
  local value = decode(read_file(parsed.input, "--input"), "--input", origin)
  if type(value) ~= "table" or is_list(value) then
    failure.usage("--input: a JSON object is expected", "write the parameters as {\"name\": value}")
  end
  return value
end

local function check_required(params, row)
  for _, field in ipairs(row.parameters) do
    if field.required and params[field.name] == nil then
      failure.usage(("--%s is missing"):format(words.typed(field.name)), words.fields[field.name])
    end
  end
end

-- The parameters of a call: those of the file, over which those of the flags win. They may be nil for a path, where
-- nothing was given.
function values.params(command, parsed)
  local params = read_input_file(parsed)
  for _, option in ipairs(command.options) do
    local given = option.field and parsed[option.id]
    if given ~= nil and option.field and not option.negates then
      params[option.field.name] = option.value and read_value(given, option.flag, option.type) or given
    end
  end
  if command.operation then check_required(params, braze.operations[command.operation]) end
  if not command.operation and not parsed.input then return nil end
  return params
end

-- NAME=VALUE, several times: a name that is there twice is a list.
local function read_query(given)
  local query = {}
  for _, text in ipairs(given) do
    local name, value = text:match "^([^=]+)=(.*)$"
    if not name then failure.usage(("--query: \"%s\" is not NAME=VALUE"):format(text), "write --query page=2") end
    local before = query[name]
    if before == nil then
      query[name] = value
    elseif type(before) == "table" then
      before[#before + 1] = value
    else
      query[name] = { before, value }
    end
  end
  return query
end

local passed_on = { "timeout", "connect_timeout", "retries", "items", "max_pages", "job", "repeatable" }

-- The options of a call.
function values.options(command, parsed)
  local options, flags = {}, {}
  for _, option in ipairs(command.options) do flags[option.id] = option end
  for _, id in ipairs(passed_on) do
    local given = parsed[id]
    if given ~= nil and type(given) == "string" then given = read_value(given, flags[id].flag, flags[id].type) end
    options[id] = given
  end
  if parsed.query and #parsed.query > 0 then options.query = read_query(parsed.query) end
  return options
end

-- What a command calls: an operation may be typed as a shell has it, "list-campaigns".
function values.target(command, parsed)
  if command.operation then return command.operation end
  local name = parsed.target:gsub("-", "_")
  return braze.operations[name] and name or parsed.target
end

-- Refuses what reaches many users, unless --yes is given.
function values.check_reach(target, params, parsed)
  local row = braze.operations[target]
  local method = row and row.method or target:match "^%u+"
  if parsed.yes or method == "GET" or not params then return end
  for name in pairs(commands.reaches_many) do
    if params[name] then
      failure.usage(("%s may reach many users, because %s is given"):format(target, name),
        "add --yes if that is meant, or --dry-run to see the request")
    end
  end
end

return values
