-- Runs spec files for the bars of mutants: what busted's describe and it do, without its start-up, ending at the first failure.
-- mutation_run.lua FILE...; MUTATION_TEST in the environment is a part of the names of those tests that are run, and
-- status 3 says that there is none.

package.path = "./?.lua;./src/?.lua;" .. package.path
local luassert = require "luassert"
require "busted.init"

local only = os.getenv "MUTATION_TEST"
local here
local found = 0
local finals = {} -- what the test that runs gave to finally
local running = false
local pended = {} -- what pending raises inside a test, which ends it

local function new_scope(outer, name)
  return { outer = outer, name = name, parts = {}, before = {}, after = {}, setups = {}, teardowns = {} }
end

local function call_all(list)
  for _, f in ipairs(list) do f() end
end

local function call_before(scope)
  if scope.outer then call_before(scope.outer) end
  call_all(scope.before)
end

local function call_after(scope)
  call_all(scope.after)
  if scope.outer then call_after(scope.outer) end
end

-- Whether something of the scope is to be run: its setups take time.
local function is_wanted(part, name)
  name = name .. " " .. part.name
  if part.test then return not only or name:find(only, 1, true) ~= nil end
  for _, inner in ipairs(part.parts) do
    if is_wanted(inner, name) then return true end
  end
  return false
end

local function run(scope, name)
  name = name .. " " .. scope.name
  call_all(scope.setups)
  for _, part in ipairs(scope.parts) do
    if is_wanted(part, name) then
      if part.test then
        found = found + 1
        call_before(scope)
        running = true
        local good, failure = pcall(part.test)
        running = false
        call_all(finals)
        finals = {}
        if not good and failure ~= pended then
          print(name .. " " .. part.name)
          print(type(failure) == "table" and tostring(failure.message or failure) or tostring(failure))
          os.exit(1)
        end
        call_after(scope)
      else
        run(part, name)
      end
    end
  end
  call_all(scope.teardowns)
end

local environment = setmetatable({ assert = luassert }, { __index = _G })

function environment.describe(name, body)
  local scope = new_scope(here, name)
  table.insert(here.parts, scope)
  here = scope
  body()
  here = scope.outer
end

function environment.it(name, body) table.insert(here.parts, { name = name, test = body }) end
function environment.before_each(body) table.insert(here.before, body) end
function environment.after_each(body) table.insert(here.after, body) end
function environment.setup(body) table.insert(here.setups, body) end
function environment.teardown(body) table.insert(here.teardowns, body) end
function environment.pending()
  if running then error(pended, 0) end
end
function environment.finally(body) table.insert(finals, body) end
package.loaded.busted = environment -- for what specs share

for _, path in ipairs(arg) do
  here = new_scope(nil, path)
  assert(loadfile(path, "t", environment))()
  if is_wanted(here, "") then run(here, "") end
end
if found == 0 then os.exit(3) end
