-- What the command says where a library that it needs is missing.

local command = require "spec.support.command"

-- Lua code that lets require find everything but this module.
local HIDE = [[
  local searchers = package.searchers or package.loaders
  for i, search in ipairs(searchers) do
    searchers[i] = function(name, ...)
      if name == "%s" then return "\n\tno file" end
      return search(name, ...)
    end
  end]]

describe("a library that braze needs", function()
  for _, name in ipairs { "argparse", "dkjson" } do
    it("is named with its packages where it is missing: " .. name, function()
      local status, output, complaint = command.run({ "--version" }, { LUA_INIT = HIDE:format(name) })
      assert.same({ 1, "" }, { status, output })
      assert.equal(("braze: %s for %s is missing; install the Debian package lua-%s, or the rock %s\n"):format(
        name, _VERSION, name, name), complaint)
    end)

    it("is not called missing where it can't be loaded: " .. name, function()
      local broken = ("package.preload.%s = function() error 'it is broken' end"):format(name)
      local status, output, complaint = command.run({ "--version" }, { LUA_INIT = broken })
      assert.same({ 1, "" }, { status, output })
      assert.matches("it is broken", complaint, 1, true)
      assert.not_matches("is missing", complaint, 1, true)
    end)
  end
end)
