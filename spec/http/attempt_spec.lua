-- attempt: which of the two limits counts once a request has left.

local braze = require "braze"
local scripted_peer = require "spec.support.scripted_peer"

describe("connect_timeout", function()
  local peer
  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)

  for _, mode in ipairs { "blocking", "started" } do
    it("is no limit for an answer, " .. mode, function()
      peer:reset()
      peer:default { { read = "request" }, { pause = 0.4 }, { write = scripted_peer.created() }, { again = true } }
      local client = braze.new {
        api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 20, connect_timeout = 0.15,
      }
      finally(function() client:close() end)
      for _ = 1, 2 do
        local request = mode == "started" and client:start("create_send_id", { campaign_id = "campaign" })
        if request then request:wait(20) end
        local result = request and request:result() or client:create_send_id { campaign_id = "campaign" }
        assert.equal(1, result.attempts)
        assert.is_true(result.elapsed >= 0.3)
      end
    end)
  end
end)
