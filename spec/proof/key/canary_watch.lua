-- Watches a Lua 5.4 process for spec/proof/key/canary, by LUA_INIT: each error object of ours is walked, and each text that
-- goes to a terminal is searched, for the API keys in the file CANARY_FORMS names. Findings and counts go to CANARY_FOUND.

local forms_path, found_path = os.getenv "CANARY_FORMS", os.getenv "CANARY_FOUND"
if not forms_path or not found_path or _VERSION ~= "Lua 5.4" then return end

-- Kept, since programs may change what they find.
local open, find, rawtype, real_tostring, traceback = io.open, string.find, type, tostring, debug.traceback

local function read_forms()
  local forms = {}
  for line in io.lines(forms_path) do forms[#forms + 1] = line end
  return forms
end

local forms = read_forms()
local errors, texts, bytes = 0, 0, 0

local function note(line)
  local file = open(found_path, "a")
  if not file then return end
  file:write(line, "\n")
  file:close()
end

local function search(text, where)
  texts, bytes = texts + 1, bytes + #text
  for _, form in ipairs(forms) do
    if find(text, form, 1, true) then
      note(("HIT %s in %s: %q"):format(form, where, text:sub(1, 300)):gsub("\n", " "))
    end
  end
end

local function walk(value, where, seen)
  if rawtype(value) == "string" then return search(value, where) end
  if rawtype(value) ~= "table" or seen[value] then return end
  seen[value] = true
  for key, field in next, value do
    walk(key, where .. ", a name", seen)
    walk(field, where .. "." .. real_tostring(key), seen)
  end
end

-- From when a copy of the module is loaded, every error object of it is walked when it is collected, whoever has seen it until
-- then, and at the latest when the state is closed.
local function watch(module)
  if rawtype(module) ~= "table" then return end
  local make = rawget(module, "error") or rawtype(rawget(module, "braze")) == "table" and module.braze.error
  local metatable = make and debug.getmetatable(make { kind = "server" })
  if not metatable or metatable.__gc then return end
  metatable.__gc = function(failure)
    errors = errors + 1
    walk(failure, "an error", {})
    search(real_tostring(failure), "an error as text")
    search(failure .. "", "an error that was concatenated")
    search(traceback(real_tostring(failure)), "a traceback")
  end
end

setmetatable(package.loaded, { __newindex = function(loaded, name, module)
  rawset(loaded, name, module)
  if name == "braze" or name == "braze.core" or name == "braze.safe" then watch(module) end
end })

-- Another copy of the library: the test build.
local loadlib = package.loadlib
function package.loadlib(path, name) -- luacheck: ignore 122
  local found, failure, where = loadlib(path, name)
  if name ~= "luaopen_braze" or not found then return found, failure, where end
  return function(...)
    local module = found(...)
    watch(module)
    return module
  end
end

-- What is printed.
-- luacheck: push ignore 121 122
local methods = debug.getmetatable(io.stdout).__index
local write = methods.write
local terminals = { [io.stdout] = true, [io.stderr] = true }
function methods.write(file, ...)
  if terminals[file] then for _, text in ipairs { ... } do search(real_tostring(text), "what is printed") end end
  return write(file, ...)
end
function io.write(...)
  local _, failure, code = methods.write(io.output(), ...)
  if failure then return nil, failure, code end
  return io.output()
end
function print(...)
  local parts = table.pack(...)
  for position = 1, parts.n do parts[position] = real_tostring(parts[position]) end
  methods.write(io.stdout, table.concat(parts, "\t"), "\n")
end
-- luacheck: pop

-- First made, and so finalized last, when all errors have been.
local last = setmetatable({}, { __gc = function() note(("COUNTS %d %d %d"):format(errors, texts, bytes)) end })
debug.getregistry()["canary_watch"] = last
