-- What the specs of a program in examples/ ask of it, which makes an ID for each of its arguments, side by side.
--
--   local example = examples.new("luv", run): its name, and run(program, environment), which gives output and status
--   example.makes_each "The loop ticked" (how its last line begins) ; example.ends_with_what_went_wrong()

local assert = require "luassert"
local standin = require "spec.support.standin"

local examples = {}

function examples.new(name, run)
  local service = standin.start()
  local example = { reset = service.reset }

  local function run_it(arguments)
    return run(('arg = { %s } dofile "examples/%s.lua"'):format(arguments, name), {
      BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http, BRAZE_CAMPAIGN_ID = service.campaign_id,
    })
  end

  function example.makes_each(last_line)
    local output, status = run_it '"one", "two", "three"'
    for _, id in ipairs { "one", "two", "three" } do assert.matches("\n" .. id .. "  %d+%.%d+ s\n", "\n" .. output) end
    assert.matches("\n" .. last_line, output)
    assert.equal("0", status)
    assert.equal(3, service.count(service.campaign_id))
  end

  function example.ends_with_what_went_wrong()
    local output, status = run_it(('%q'):format(("x"):rep(65)))
    assert.matches("braze: usage: ", output, 1, true)
    assert.equal("1", status)
    output, status = run_it ""
    assert.matches("usage: BRAZE_CAMPAIGN_ID", output, 1, true)
    assert.equal("1", status)
  end

  return example
end

return examples
