-- Runs spec files for spec/proof/mutation: what busted's describe and it do, without its start-up, ending at the first failure.
-- mutation_run.lua FILE...

package.path = "./?.lua;./src/?.lua;" .. package.path
local luassert = require "luassert"
require "busted.init"

local befores = {}

local function run(list)
  for _, f in ipairs(list) do f() end
end

local environment = setmetatable({ assert = luassert }, { __index = _G })

function environment.describe(_, body)
  local scope = { before = {}, after = {}, setups = {}, teardowns = {}, tests = {} }
  befores[#befores + 1] = scope
  body()
  run(scope.setups)
  for _, test in ipairs(scope.tests) do
    for _, outer in ipairs(befores) do run(outer.before) end
    local good, failure = pcall(test)
    for i = #befores, 1, -1 do run(befores[i].after) end
    if not good then
      print(type(failure) == "table" and tostring(failure.message or failure) or tostring(failure))
      os.exit(1)
    end
  end
  run(scope.teardowns)
  befores[#befores] = nil
end

local function here() return befores[#befores] end
function environment.it(_, body) table.insert(here().tests, body) end
function environment.before_each(body) table.insert(here().before, body) end
function environment.after_each(body) table.insert(here().after, body) end
function environment.setup(body) table.insert(here().setups, body) end
function environment.teardown(body) table.insert(here().teardowns, body) end
function environment.pending() end

for _, path in ipairs(arg) do
  environment.describe(path, assert(loadfile(path, "t", environment)))
end
