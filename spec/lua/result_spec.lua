-- result: how much of a long refusal an error takes: what stands in its texts is no value, whatever it looks like.

local braze = require "braze"
local scripted_peer = require "spec.support.scripted_peer"

describe("a refusal that is long", function()
  local peer, client
  setup(function()
    peer = scripted_peer.start()
    client = braze.new { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 20 }
  end)
  teardown(function()
    client:close()
    peer:stop()
  end)

  local function refused(body)
    peer:reset()
    peer:default { { read = "request" }, { write = scripted_peer.answer(400, {}, body) }, { again = true } }
    local good, failure = pcall(client.create_send_id, client, { campaign_id = "campaign" })
    assert.is_false(good)
    return failure
  end

  it("gives its message and errors where its texts have thousands of commas, braces and quotes in them", function()
    local failure = refused('{"message":"no","note":"' .. ([[\",{[\\]]):rep(3000) .. '","errors":["there"]}')
    assert.same({ "there" }, failure.errors)
    assert.matches('the service says "no"', failure.message, 1, true)
  end)

  it("gives neither where it has thousands of values, or more bytes than an error looks at", function()
    for _, body in ipairs {
      '{"message":"no","errors":["there"],"more":[' .. ("1,"):rep(3000) .. "1]}",
      '{"message":"no","errors":["there"],"more":"' .. ("x"):rep(70000) .. '"}',
    } do
      local failure = refused(body)
      assert.is_nil(failure.errors)
      assert.matches("without saying why", failure.message, 1, true)
      assert.equal(4096, #failure.body)
    end
  end)
end)
