-- Mistakes of a user's, and what must be said of each.
--
--   local refusal = require "spec.support.refusal"
--   refusal(function() braze.new { retrys = 1 } end, "retries") gives the usage error of the call; its text names the
--   line of the spec, matches each pattern, and never shows refusal.canary, the key of refusal.options

local assert = require "luassert"
local braze = require "braze"

local refusal = { canary = "canary-key-0123456789" }

-- The options of a client of an instance (which is never called), with some of them changed.
function refusal.options(changes)
  local options = { api_key = refusal.canary, endpoint = "US-01" }
  for name, value in pairs(changes) do options[name] = value end
  return options
end

return setmetatable(refusal, {
  __call = function(_, call, ...)
    local file = debug.getinfo(call, "S").short_src:gsub("^%./", ""):gsub("%p", "%%%0")
    local good, failure = pcall(call)
    assert.is_false(good)
    assert.is_true(braze.is_error(failure), tostring(failure))
    assert.same({ "usage", false }, { failure.kind, failure.maybe_applied })
    assert.matches("^" .. file .. ":%d+: braze: usage: ", tostring(failure))
    assert.is_nil(tostring(failure):find(refusal.canary, 1, true))
    for _, pattern in ipairs { ... } do assert.matches(pattern, tostring(failure)) end
    return failure
  end,
})
