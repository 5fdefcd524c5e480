-- Reads the annotations of src/braze/meta*.lua, as the Lua language server does, into tables. For tools/reference, and
-- for specs on every Lua: local annotations = dofile "tools/annotations.lua"
--
--   annotations.read(path, ...) -> { classes, aliases }
--   a class   { name, exact, parents, text, fields, methods, by_name }
--   a field   { name, optional, type, text }
--   a method  { name, parameters, returns, text, static }, of "function class.name" (static) or "function class:name"
--   an alias  { name, text, values, meanings (by value) }
-- Texts are lines joined by "\n", as they stand behind "---".

local annotations = {}

-- The place behind a type that begins at a place: names, "texts", a[], a?, table<k, v>, { a: b }, fun(a: b): c, and
-- a|b of those.
local type_end

local function return_types_end(text, at)
  local from = text:match("^%s*:%s*()", at)
  if not from then return at end
  at = type_end(text, from)
  from = text:match("^,%s*()", at)
  while from do
    at = type_end(text, from)
    from = text:match("^,%s*()", at)
  end
  return at
end

function type_end(text, at)
  local behind = text:match('^"[^"]*"()', at) or text:match("^%b()()", at) or text:match("^%b{}()", at)
  if not behind and text:find("^fun%(", at) then behind = return_types_end(text, text:match("^fun%b()()", at)) end
  behind = behind or text:match("^[%w_.]+%b<>()", at) or text:match("^[%w_.]+()", at)
  if not behind then error("no type at: " .. text:sub(at), 0) end
  behind = text:match("^%[%]()", behind) or behind
  behind = text:match("^%?()", behind) or behind
  local more = text:match("^|()", behind)
  return more and type_end(text, more) or behind
end

function annotations.type_end(text, at)
  return type_end(text, at)
end

-- "string? what it is" -> "string?", "what it is"
local function split_type(text)
  local behind = type_end(text, 1)
  return text:sub(1, behind - 1), (text:sub(behind):gsub("^%s+", ""))
end

local function join(lines)
  return (table.concat(lines, "\n"):gsub("^\n+", ""):gsub("\n+$", ""))
end

-- A text above a declaration and one behind it.
local function both(above, behind)
  if behind == "" then return above end
  return above == "" and behind or above .. "\n\n" .. behind
end

local function read_field(rest, above)
  local name, mark, behind = rest:match "^([%w_]+)(%??)%s+(.*)$"
  if not name then name, behind = rest:match '^%["([^"]+)"%]%s+(.*)$' end
  local kind, text = split_type(behind)
  return { name = name, optional = mark == "?" or kind:find "%?$" ~= nil, type = kind, text = both(above, text) }
end

local function read_class(rest, above)
  local exact = rest:find "^%(exact%)" ~= nil
  local name, parents = rest:gsub("^%(exact%)%s*", ""):match "^([%w_.]+)%s*:?%s*(.*)$"
  local class = { name = name, exact = exact, parents = {}, text = above, fields = {}, methods = {}, by_name = {} }
  for parent in parents:gmatch "[%w_.]+" do class.parents[#class.parents + 1] = parent end
  return class
end

local function read_parameter(rest)
  local name, mark, behind = rest:match "^([%w_]+)(%??)%s+(.*)$"
  local kind, text = split_type(behind)
  return { name = name, optional = mark == "?", type = kind, text = text }
end

local function read_return(rest)
  local kind, behind = split_type(rest)
  local name, text = behind:match "^([%w_]+)%s*(.*)$"
  return { type = kind, name = name, text = text or "" }
end

local function read_file(read, path)
  local file = assert(io.open(path))
  local variables, class, alias, pending = {}, nil, nil, { parameters = {}, returns = {} }
  local above = {}
  local function take_text()
    local text = join(above)
    above = {}
    return text
  end
  for line in file:lines() do
    local tag, rest = line:match "^%-%-%-@(%a+)%s*(.*)$"
    local value, meaning = line:match '^%-%-%-|%s*"([^"]*)"%s*#?%s*(.*)$'
    if tag == "class" then
      class, alias = read_class(rest, take_text()), nil
      read.classes[#read.classes + 1] = class
      read.by_name[class.name] = class
    elseif tag == "alias" then
      alias = { name = rest, text = take_text(), values = {}, meanings = {} }
      read.aliases[#read.aliases + 1] = alias
    elseif tag == "field" then
      local field = read_field(rest, take_text())
      class.fields[#class.fields + 1] = field
      class.by_name[field.name] = field
    elseif tag == "param" then
      table.insert(pending.parameters, read_parameter(rest))
    elseif tag == "return" then
      table.insert(pending.returns, read_return(rest))
    elseif value and alias then
      alias.values[#alias.values + 1] = value
      alias.meanings[value] = meaning
    elseif line:find "^%-%-%-" and not tag then
      above[#above + 1] = line:sub(4)
    elseif line:find "^local [%w_]+ = {}" and class then
      variables[line:match "^local ([%w_]+)"] = class
    elseif line:find "^function " then
      local variable, mark, name = line:match "^function ([%w_]+)([.:])([%w_]+)"
      local owner = assert(variables[variable], line)
      local method = {
        name = name, static = mark == ".", parameters = pending.parameters, returns = pending.returns,
        text = take_text(),
      }
      owner.methods[#owner.methods + 1] = method
      owner.by_name[name] = method
      pending = { parameters = {}, returns = {} }
    elseif line == "" then
      above = {}
    end
  end
  file:close()
end

function annotations.read(...)
  local read = { classes = {}, aliases = {}, by_name = {} }
  for _, path in ipairs { ... } do read_file(read, path) end
  return read
end

-- Calls visit(member, class) for each field and method of a class and of what it inherits from, the nearest first.
local function visit_members(read, name, visit)
  local class = assert(read.by_name[name], name)
  for _, list in ipairs { class.fields, class.methods } do
    for _, member in ipairs(list) do visit(member, class) end
  end
  for _, parent in ipairs(class.parents) do visit_members(read, parent, visit) end
end

-- The names of all fields and methods of a class, as keys, with those that it inherits.
function annotations.members(read, name)
  local members = {}
  visit_members(read, name, function(member) members[member.name] = members[member.name] or member end)
  return members
end

-- The text without its example and its links; the example; the links as { text, address }.
function annotations.parts(text)
  local words, example, links = {}, {}, {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    local code = line:match "^    (.*)$"
    if code then
      example[#example + 1] = code
    elseif line:find "^%[[^%]]*%]%(https?:[^)]*%),?$" then
      local name, address = line:match "^%[([^%]]*)%]%(([^)]*)%)"
      links[#links + 1] = { name, address }
    else
      words[#words + 1] = line
    end
  end
  return join(words):gsub("\n\n\n+", "\n\n"), #example > 0 and table.concat(example, "\n") .. "\n" or nil, links
end

return annotations
