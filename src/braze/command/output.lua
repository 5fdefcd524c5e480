-- What the command writes: values and tables on standard output, progress and errors on standard error.

local failure = require "braze.command.failure"
local json = require "braze.command.json"

local output = {}

-- Lua can't tell whether a descriptor is a terminal; a child of the process inherits them and can.
local function is_terminal(descriptor)
  local status = os.execute("test -t " .. descriptor)
  return status == true or status == 0
end

local function is_set(name)
  local value = os.getenv(name)
  return value ~= nil and value ~= ""
end

-- A key so short is none, and would only spoil the words around it.
local shortest_key = 8
local key_pattern

-- A text with the key taken out. What came from the service has none; an argument may be the key in the wrong place.
local function masked(text)
  return key_pattern and text:gsub(key_pattern, "(the key)") or text
end

local function pattern_of_key()
  local key = os.getenv "BRAZE_API_KEY"
  if not key or #key < shortest_key then return nil end
  return (key:gsub("%W", "%%%0"):gsub("%a", function(letter) return "[" .. letter:lower() .. letter:upper() .. "]" end))
end

-- What standard output and standard error are, asked once. wants_json: --json was given.
function output.open(wants_json)
  output.terminal = is_terminal(1)
  output.error_terminal = is_terminal(2)
  output.wants_json = wants_json
  key_pattern = pattern_of_key()
  output.json = wants_json or not output.terminal
  output.colors = output.terminal and not is_set "NO_COLOR" and os.getenv "TERM" ~= "dumb"
end

-- One that can't be written is an error: what was asked of the service may be done.
local function check_written(good, reason)
  if not good then
    failure.other("standard output can't be written: " .. tostring(reason),
      "what was asked of the service was done; look at where the output goes")
  end
end

-- A text on standard output, of which more is to come.
function output.put(text)
  check_written(io.stdout:write((masked(text))))
end

-- A text on standard output, with all that was put before.
function output.write(text)
  check_written(io.stdout:write((masked(text))))
  check_written(io.stdout:flush())
end

-- Text from outside, safe for a terminal: on one line, and without what a terminal would obey.
function output.plain(text)
  return (text:gsub("[%c\127]", function(byte) return ("\\x%02X"):format(byte:byte()) end)
    :gsub("\194[\128-\159]", function(pair) return ("\\x%02X"):format(pair:byte(2)) end))
end

local function paint(text, code)
  return output.colors and ("\27[%sm%s\27[0m"):format(code, text) or text
end

function output.bold(text) return paint(text, "1") end
function output.good(text) return paint(text, "32") end
function output.bad(text) return paint(text, "31") end
function output.doubtful(text) return paint(text, "33") end

-- How many columns a text takes, each character counted as one.
local function width_of(text)
  return select(2, text:gsub("[^\128-\191]", ""))
end

-- A value in a cell: JSON where it is a table.
function output.cell(value)
  if value == nil then return "" end
  if type(value) == "string" then return output.plain(value) end
  return output.plain(json.encode(value))
end

-- The width of each column, so that all the cells of these rows fit.
function output.widths(rows, widths)
  widths = widths or {}
  for _, row in ipairs(rows) do
    for column, cell in ipairs(row) do widths[column] = math.max(widths[column] or 0, width_of(cell)) end
  end
  return widths
end

-- A line of cells.
function output.line(row, widths, decorate)
  local cells = {}
  for column, cell in ipairs(row) do
    local padding = column < #row and (" "):rep((widths[column] or 0) - width_of(cell)) or ""
    cells[column] = (decorate and decorate(cell) or cell) .. padding
  end
  return (table.concat(cells, "  "):gsub(" +$", "")) .. "\n"
end

-- A table with a head, or without (nil).
function output.table(head, rows)
  local widths = output.widths(rows, head and output.widths { head })
  local lines = {}
  if head then lines[1] = output.line(head, widths, output.bold) end
  for _, row in ipairs(rows) do lines[#lines + 1] = output.line(row, widths) end
  output.write(table.concat(lines))
end

-- One JSON value: on one line in a pipe, on several on a terminal.
function output.value(value)
  output.write(json.encode(value, output.terminal) .. "\n")
end

-- What is under way, on a terminal alone: the line is overwritten by the next one, and removed by progress().
local shown = false

function output.progress(text)
  if not output.error_terminal or not (text or shown) then return end
  io.stderr:write("\r\27[K", (masked(text or "")))
  io.stderr:flush()
  shown = text ~= nil
end

-- The fields of an error object, as a table for JSON.
local function fields_of(err)
  local fields = {}
  for name, value in pairs(err) do fields[name] = value end
  return fields
end

-- Says on standard error what went wrong: one line, or one JSON object.
function output.error(err)
  output.progress()
  if output.wants_json then
    io.stderr:write((masked(json.encode(fields_of(err)))), "\n")
  else
    io.stderr:write((masked(tostring(err))), "\n")
  end
end

-- A line on standard error that is no error.
function output.warn(text)
  output.progress()
  io.stderr:write("braze: ", (masked(output.plain(text))), "\n")
end

return output
