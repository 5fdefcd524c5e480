-- What is kept of a measurement: medians and bars, without the single rounds and without anything of one machine but
-- its kind; and the text of it, the same for the same figures.

local cjson = require "cjson"

local summary = {}

local dropped = { pid = true, runs = true, load = true, bars = true }

-- Of the libraries that libcurl names the one for TLS is of interest.
local function short_version(text)
  return text:match "^libcurl/%S+ %S+" or text
end

local function is_dropped(key)
  return dropped[key] or type(key) == "string" and key:find "_of_each_round$"
end

local function prune(value)
  if type(value) ~= "table" then return value end
  local kept = {}
  for key, inner in pairs(value) do
    if not is_dropped(key) then kept[key] = prune(inner) end
    if key == "version" and type(inner) == "string" then kept[key] = short_version(inner) end
  end
  return kept
end

-- First words: what a reader may want to know, not all that the program says.
local function shorten(versions)
  local patterns = {
    braze = "%S+$", libcurl = "[%d.]+", curl = "^curl ([%d.]+)", nginx = "nginx/([%d.]+)", kernel = "^%S+ %d+%.%d+",
    ["lua5.4"] = "[%d.]+$", ["lua5.3"] = "[%d.]+$", ["lua5.1"] = "[%d.]+$", luajit = "%S+$", compiler = "[%d.]+$",
  }
  local result = {}
  for name, text in pairs(versions) do
    if not is_dropped(name) then result[name] = patterns[name] and text:match(patterns[name]) or text end
  end
  return result
end

function summary.of(results)
  local kept = prune(results)
  kept.versions = shorten(results.versions)
  kept.bars = prune { list = results.bars }.list
  kept.libcurl = results.libcurl and summary.of(results.libcurl)
  return kept
end

-- What it was measured with and on, in one line.
function summary.machine(results)
  local versions, parts = results.versions, {}
  for _, pair in ipairs {
    { "braze", "braze" }, { "libcurl", "libcurl" }, { "Lua", "lua5.4" }, { "LuaJIT", "luajit" },
    { "lua-cjson", "lua-cjson" }, { "nginx", "nginx" },
  } do
    if versions[pair[2]] then parts[#parts + 1] = pair[1] .. " " .. versions[pair[2]] end
  end
  parts[#parts + 1] = ("%s, %s, %s cores"):format(versions.kernel, versions.processor, versions.cores)
  return table.concat(parts, ", ")
end

-- --- Text ----------------------------------------------------------------------------------------------------------

-- Four digits that count: no measurement here knows more.
local function number_text(number)
  if number == math.floor(number) and math.abs(number) < 1e15 then return ("%d"):format(number) end
  if math.abs(number) >= 1000 then return ("%.0f"):format(number) end
  local text = ("%.4g"):format(number)
  return text:find "e" and ("%.6f"):format(number) or text
end

local function sorted_keys(value)
  local keys = {}
  for key in pairs(value) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function encode(value, indent)
  if type(value) == "number" then return number_text(value) end
  if type(value) ~= "table" then return (cjson.encode(value):gsub("\\/", "/")) end
  local parts, deeper = {}, indent .. "  "
  if #value > 0 then
    for i, inner in ipairs(value) do parts[i] = encode(inner, deeper) end
  else
    for i, key in ipairs(sorted_keys(value)) do
      parts[i] = cjson.encode(tostring(key)) .. ": " .. encode(value[key], deeper)
    end
  end
  local open, close = "{", "}"
  if #value > 0 then open, close = "[", "]" end
  local line = open .. table.concat(parts, ", ") .. close
  if #line + #indent <= 110 and not line:find "\n" then return line end
  return open .. "\n" .. deeper .. table.concat(parts, ",\n" .. deeper) .. "\n" .. indent .. close
end

function summary.text(kept)
  return encode(kept, "") .. "\n"
end

return summary
