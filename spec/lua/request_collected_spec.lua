-- request: what is left of one whose finalizer ran before another one that uses it.

local braze = require "braze"

describe("a request that another finalizer finds", function()
  it("is refused in words once it is collected itself", function()
    if _VERSION == "Lua 5.1" then return pending "tables have no finalizers here" end
    local client = braze.new { api_key = "braze-key-0123456789", endpoint = "http://127.0.0.1:1", retries = 0 }
    local failures = {}
    local function lose()
      local holder = setmetatable({}, {
        __gc = function(self)
          for _, name in ipairs { "done", "result", "wait", "cancel" } do
            local _, failure = pcall(self.request[name], self.request)
            failures[#failures + 1] = braze.is_error(failure) and failure.kind
          end
        end,
      })
      -- Made after its holder, so its own finalizer runs first.
      holder.request = client:start("create_send_id", { campaign_id = "campaign" })
      holder.request:wait(20)
      client:step()
    end
    lose()
    collectgarbage()
    collectgarbage()
    assert.same({ "usage", "usage", "usage", "usage" }, failures)
    client:close()
  end)
end)
