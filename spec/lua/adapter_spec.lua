-- adapter: what the modules for hosts have of C beside the module itself.

local core = require "braze.core"

describe("core.call", function()
  it("tells whether the function has returned, or what it raised", function()
    local given
    assert.same({ true }, { core.call(function(...) given = { ... } return "lost" end, 1, "two") })
    assert.same({ 1, "two" }, given)
    local object = {}
    local good, raised = core.call(error, object)
    assert.is_false(good)
    assert.equal(object, raised)
    assert.is_false((pcall(core.call)))
  end)

  it("lets nothing yield, on no Lua", function()
    local coroutine_of_ours = coroutine.create(function() return core.call(coroutine.yield, 1) end)
    local resumed, good, raised = coroutine.resume(coroutine_of_ours)
    assert.is_true(resumed)
    assert.is_false(good)
    assert.matches("yield", raised)
    assert.equal("dead", coroutine.status(coroutine_of_ours))
  end)
end)

describe("core.check_call", function()
  it("refuses what is wrong whatever the client is, of an operation and of a route", function()
    core.check_call("POST /users/track", nil, nil)
    core.check_call("create_send_id", { campaign_id = "campaign" }, { timeout = 5 })
    for _, wrong in ipairs {
      { "nothing" }, { "create_send_id" }, { "POST users" }, { "POST /users/track", {}, { on_done = print } }, {},
    } do
      local good, failure = pcall(core.check_call, wrong[1], wrong[2], wrong[3])
      assert.is_false(good)
      assert.equal("usage", failure.kind)
    end
  end)
end)

describe("core.resumes", function()
  it("is true only of a coroutine that is inside a resume of the other one", function()
    local inner, answer
    local outer = coroutine.create(function()
      local me = core.thread()
      inner = coroutine.create(function() answer = core.resumes(me, inner) end)
      assert(coroutine.resume(inner))
    end)
    assert(coroutine.resume(outer))
    assert.is_true(answer)
    for _, other in ipairs { outer, inner, core.thread(), 5, {} } do
      assert.is_false(core.resumes(core.thread(), other))
      assert.is_false(core.resumes(outer, other))
      assert.is_false(core.resumes(coroutine.create(function() end), other))
    end
    assert.is_false(core.resumes(nil, outer))
  end)
end)
