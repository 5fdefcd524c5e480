-- The modules for hosts, each held to one contract.

local contract = require "spec.support.host_contract"
local host_loop = require "spec.support.host_loop"

local luv = [==[
  local uv, braze = require "luv", require "braze.luv"
  local function go(...)
    for _, body in ipairs { ... } do coroutine.wrap(body)() end
    uv.run()
  end
]==]

local cqueues = [==[
  local cqueues, braze = require "cqueues", require "braze.cqueues"
  local main = cqueues.new()
  local function go(...)
    for _, body in ipairs { ... } do main:wrap(body) end
    assert(main:loop())
  end
]==]

local copas = host_loop.copas .. "copas.setErrorHandler = copas.setErrorHandler or copas.seterrorhandler\n"

for name, prelude in pairs { luv = luv, cqueues = cqueues, copas = copas } do
  local complaint, status = contract.run_program(host_loop.find_copas .. ("require %q"):format(name))
  if status == "0" then
    contract.describe {
      module = "braze." .. name,
      run = function(program, meanwhile)
        return contract.run_program(host_loop.find_copas .. prelude .. program, meanwhile)
      end,
      refuses_nested = name ~= "luv",
    }
  else
    describe("braze." .. name, function() pending(name .. " can't be loaded: " .. complaint, function() end) end)
  end
end

-- nginx has its own LuaJIT, so once is enough: with the build for it.
if not rawget(_G, "jit") then return end

local openresty = require "spec.support.openresty"

local nginx = [==[
  local braze, printed = require "braze", {}
  local function print(...)
    local words = { ... }
    for number = 1, select("#", ...) do words[number] = tostring(words[number]) end
    printed[#printed + 1] = table.concat(words, "\t") .. "\n"
  end
  local function go(...)
    local threads = {}
    for number, body in ipairs { ... } do threads[number] = ngx.thread.spawn(body) end
    for _, thread in ipairs(threads) do
      local good, failure = ngx.thread.wait(thread)
      if not good then error(failure, 0) end
    end
  end
  local good, failure = pcall(function() %s
  end)
  ngx.print(table.concat(printed), good and "" or tostring(failure)) ]==]

contract.describe {
  module = "braze.openresty",
  run = function(program, meanwhile)
    local name = os.tmpname()
    local file = assert(io.open(name, "w"))
    file:write((nginx:gsub("%%s", function() return program end)))
    file:close()
    os.execute("chmod a+r " .. name) -- for nginx' workers
    local server = openresty.start { server = ("location = / { content_by_lua_file %s; }"):format(name) }
    local connection = server:send "/"
    if meanwhile then meanwhile() end
    local answer = connection:receive "*a"
    connection:close()
    server:stop()
    os.remove(name)
    return (answer or ""):match "\r\n\r\n(.*)$"
  end,
}
