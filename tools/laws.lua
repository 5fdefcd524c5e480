-- Checks of the text of the sources, too long for tools/lint, which runs them: lua5.4 tools/laws.lua LAW [ARGUMENT...]
-- A law prints one line for each place that breaks it, and nothing if none does.

local wings = dofile "tools/wings.lua"

local laws = {}

-- The newest libcurl whose symbols need no guard. The same number stands in src/http/libcurl.h.
local OLDEST = "7.68.0"
local SYMBOLS = "spec/support/libcurl_symbols"

-- Whether a file of one wing may see a room of another one below it.
local function is_shown(wing, below, room)
  local rooms = not wings.shown[wing] or below == wing or wings.shown[wing][below]
  return rooms == true or rooms == "*" or rooms ~= nil and rooms[room] ~= nil
end

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local function list(pattern)
  local paths = {}
  local pipe = assert(io.popen("ls -d " .. pattern .. " 2>/dev/null"))
  for path in pipe:lines() do paths[#paths + 1] = path end
  pipe:close()
  return paths
end

local function sorted(set)
  local keys = {}
  for key in pairs(set) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- C without comments and, unless strings are to stay, without what is in quotes. Line numbers stay as they were.
local function code(path, keep_strings)
  local text, out, at = read(path), {}, 1
  local function blank(stop, mark)
    out[#out + 1] = mark .. text:sub(at, stop):gsub("[^\n]", "")
    at = stop + 1
  end
  while at <= #text do
    local start = text:find("[/\"']", at)
    if not start then break end
    out[#out + 1] = text:sub(at, start - 1)
    at = start
    local two, one = text:sub(at, at + 1), text:sub(at, at)
    if two == "/*" then
      blank(select(2, text:find("*/", at + 2, true)) or #text, " ")
    elseif two == "//" then
      blank((text:find("\n", at, true) or #text + 1) - 1, " ")
    elseif one == "/" then
      out[#out + 1] = "/"
      at = at + 1
    else
      local stop = at + 1
      while stop < #text and text:sub(stop, stop) ~= one do
        stop = stop + (text:sub(stop, stop) == "\\" and 2 or 1)
      end
      if keep_strings then
        out[#out + 1] = text:sub(at, stop)
        at = stop + 1
      else
        blank(stop, one .. one)
      end
    end
  end
  out[#out + 1] = text:sub(at)
  return table.concat(out)
end

local function lines(text)
  local number = 0
  local next_line = (text .. "\n"):gmatch "(.-)\n"
  return function()
    number = number + 1
    local line = next_line()
    if line then return number, line end
  end
end

-- What the compiler reads for each C file and header of src/, by its own list, so that a detour over another header
-- counts too.
local function read_by_compiler(flags)
  local read_for = {}
  local command = "cc -std=c11 -M -x c -Isrc %s %s 2>&1 || echo FAILED: %s does not compile:"
  for _, path in ipairs(wings.files "src") do
    local current = {}
    read_for[#read_for + 1] = { path = path, list = current }
    local pipe = assert(io.popen(command:format(flags, path, path)))
    local text = pipe:read "a"
    pipe:close()
    if text:find("FAILED: ", 1, true) then print(text) end
    for other in text:gsub("^[^:]*:", ""):gsub("\\\n", " "):gmatch "%S+" do
      if other ~= path then current[#current + 1] = other end
    end
  end
  return read_for
end

-- includes FLAGS: each wing includes itself and what is shown to it of those below it, and each library's headers are
-- for one wing; the fake is a second binding.
function laws.includes(flags)
  local libraries = {
    { "/curl/[a-z]+%.h$", "http", "a header of libcurl" },
    { "/l[ua][auxlibconfjt]*%.h$", "lua", "a header of Lua", "fake" },
    { "^src/lua/", "lua", "a header of the binding", "fake" },
    { "/sqlite3%.h$", "stores", "a header of SQLite" },
    { "/libpq%-fe%.h$", "stores", "a header of PostgreSQL" },
    { "/hiredis/", "stores", "a header of hiredis" },
    { "/openssl/", "stores", "a header of OpenSSL" },
  }
  local ground = { "/pthread%.h$", "/signal%.h$", "/sys/socket%.h$" }
  local told = {}
  for _, file in ipairs(read_by_compiler(flags)) do
    local wing = wings.place(file.path)
    local own = wings.order[wing]
    if not own then
      print(("%s: the wing \"%s\" is not in tools/wings.lua: add it there, at its rank"):format(file.path, wing))
    else
      for _, other in ipairs(file.list) do
        local place, room = wings.place(other)
        local below = wings.order[place or wing]
        if below and below.rank > own.rank then print(("%s includes %s, a wing above it"):format(file.path, other)) end
        if place and not is_shown(wing, place, room) then
          print(("%s includes %s, which is not shown to src/%s: go through client.h"):format(file.path, other, wing))
        end
        for _, library in ipairs(libraries) do
          local key = file.path .. library[1]
          if other:find(library[1]) and wing ~= library[2] and wing ~= library[4] and not told[key] then
            told[key] = true
            print(("%s includes %s, %s, which is for src/%s alone"):format(file.path, other, library[3], library[2]))
          end
        end
        for _, header in ipairs(ground) do
          if wing == "base" and other:find(header) then
            print(("%s includes %s; base knows libc alone"):format(file.path, other))
          end
        end
      end
    end
  end
end

-- No room, a header with its C file, includes another that includes it, by however long a way.
function laws.circles()
  local graph, rooms = {}, {}
  for _, path in ipairs(wings.files "src") do
    local room = path:gsub("%.[ch]$", "")
    if not graph[room] then
      graph[room] = {}
      rooms[#rooms + 1] = room
    end
    for _, included in ipairs(wings.included(path, "src")) do
      local other = included:gsub("%.[ch]$", "")
      if other ~= room then table.insert(graph[room], other) end
    end
  end
  for _, group in ipairs(wings.groups(graph, rooms)) do
    if #group > 1 then print("a circle of rooms: " .. table.concat(group, " ")) end
  end
end

-- Names that one file alone may write.
function laws.owners()
  local owner = {
    -- LuaJIT before September 2023 takes a coroutine that C code has run a function on for the running one, after the
    -- next error. Where it is used, Lua is PUC's.
    lua_newthread = "src/lua/yieldable.c",
    LUA_VERSION_NUM = "src/lua/compat.h",
    LUAJIT_VERSION_NUM = "src/lua/compat.h",
    LIBCURL_VERSION_NUM = "src/http/libcurl.h",
    CURL_AT_LEAST_VERSION = "src/http/libcurl.h",
    BRAZE_LIBCURL_OLDEST = "src/http/libcurl.h",
  }
  for _, path in ipairs(wings.files "src") do
    for number, line in lines(code(path)) do
      for name in line:gmatch "[%a_][%w_]*" do
        if owner[name] and owner[name] ~= path then
          print(("%s:%d: %s belongs into %s"):format(path, number, name, owner[name]))
        end
      end
    end
  end
end

-- Comparable as a string: 7.9.1 becomes "007009001".
local function comparable(version)
  local major, minor, patch = version:match "^(%d+)%.(%d+)%.?(%d*)$"
  assert(major, "not a version: " .. version)
  return ("%03d%03d%03d"):format(major, minor, tonumber(patch) or 0)
end

-- The version that a condition of the preprocessor guarantees, or nil; where it is certain that it is false, that too.
local function guaranteed(condition)
  local best
  if condition:find("||", 1, true) then return nil end
  for negation, major, minor, patch in
    condition:gmatch "(!?)%s*BRAZE_LIBCURL_AT_LEAST%s*%(%s*(%d+)%s*,%s*(%d+)%s*,%s*(%d+)%s*%)"
  do
    local version = comparable(("%s.%s.%s"):format(major, minor, patch))
    if negation == "" and (not best or version > best) then best = version end
  end
  return best
end

-- What the #else of "#if !BRAZE_LIBCURL_AT_LEAST(...)" alone guarantees.
local function guaranteed_otherwise(condition)
  local positive = condition:match "^%s*!%s*(BRAZE_LIBCURL_AT_LEAST%s*%b())%s*$"
  return positive and guaranteed(positive)
end

-- Calls visit(name, line, version guaranteed there) for every identifier of a C file that begins like libcurl's.
local function visit_symbols(path, visit)
  local stack = {}
  for number, line in lines((code(path):gsub("\\\n", " \0"))) do
    local directive, rest = line:gsub("%z", " "):match "^%s*#%s*(%a+)(.*)"
    if directive == "if" then
      stack[#stack + 1] = { version = guaranteed(rest), otherwise = guaranteed_otherwise(rest) }
    elseif directive == "ifdef" or directive == "ifndef" then
      stack[#stack + 1] = {}
    elseif directive == "elif" then
      stack[#stack] = { version = guaranteed(rest) or stack[#stack].otherwise, otherwise = stack[#stack].otherwise }
    elseif directive == "else" then
      stack[#stack] = { version = stack[#stack].otherwise }
    elseif directive == "endif" then
      stack[#stack] = nil
    end
    local version = comparable(OLDEST)
    for _, guard in ipairs(stack) do
      if guard.version and guard.version > version then version = guard.version end
    end
    for name in line:gmatch "[%a_][%w_]*" do
      if name:find "^CURL%u*_" or name:find "^curl_" then visit(name, number, version) end
    end
  end
end

-- libcurl HEADER...: symbols in lower case count as libcurl's if its headers know them (curl_code is ours).
function laws.libcurl(...)
  local known, rows, used = {}, {}, {}
  assert(..., "libcurl's headers were not found")
  for _, header in ipairs { ... } do
    for name in read(header):gmatch "curl_[%w_]+" do known[name] = true end
  end
  for number, line in lines(read(SYMBOLS)) do
    local name, version = line:match "^(%S+)%s+(%d+%.%d+[%d.]*)$"
    if name then
      if rows[name] then print(("%s:%d: %s is there twice"):format(SYMBOLS, number, name)) end
      rows[name] = version
    elseif not line:find "^#" and line ~= "" then
      print(("%s:%d: neither \"symbol version\" nor a comment"):format(SYMBOLS, number))
    end
  end
  for _, path in ipairs(wings.files "src") do
    visit_symbols(path, function(name, number, version)
      if name == "CURL_AT_LEAST_VERSION" or not (name:find "^CURL" or known[name] or rows[name]) then return end
      used[name] = true
      if not rows[name] then
        print(("%s:%d: %s is not in %s: add it with its version (libcurl-symbols(3), or its own page)")
          :format(path, number, name, SYMBOLS))
      elseif comparable(rows[name]) > version then
        print(("%s:%d: %s came with libcurl %s: guard it with #if BRAZE_LIBCURL_AT_LEAST(%s)")
          :format(path, number, name, rows[name], (rows[name]:gsub("%.", ", "))))
      end
    end)
  end
  for _, name in ipairs(sorted(rows)) do
    if not used[name] then print(("%s: %s is not used in src/"):format(SYMBOLS, name)) end
  end
end

-- Every function and method that the binding registers has an annotation for editors.
function laws.annotations()
  local meta, found = "", false
  for _, path in ipairs(list "src/braze/meta*.lua") do meta = meta .. read(path) end
  for _, path in ipairs(list "src/lua/*.c") do
    for block in code(path, true):gmatch "luaL_Reg%s+[%w_]+%s*%[%s*%]%s*=%s*(%b{})" do
      for name in block:gmatch "{%s*\"([%a_][%w_]*)\"%s*," do
        found = true
        if not name:find "^__"
          and not meta:find("\nfunction [%w_.]+[.:]" .. name .. "%s*%(")
          and not meta:find("\n%-%-%-@field " .. name .. "%??%s+fun%(")
        then
          print(("%s: \"%s\" has no annotation in src/braze/meta*.lua"):format(path, name))
        end
      end
    end
  end
  if not found then print "no luaL_Reg table was found in src/lua/*.c" end
end

local law = laws[arg[1]]
if not law then
  io.stderr:write("laws.lua: no law \"", tostring(arg[1]), "\"\n")
  os.exit(2)
end
law(table.unpack(arg, 2))
