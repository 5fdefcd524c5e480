-- options: each option in each place where it does not belong.

local braze = require "braze"

describe("an option in the wrong place", function()
  local client
  setup(function()
    client = braze.new { api_key = "braze-key-0123456789", endpoint = "http://127.0.0.1:1", retries = 0 }
  end)
  teardown(function() client:close() end)

  local function refused(method, ...)
    local good, failure = pcall(method, ...)
    assert.is_false(good)
    assert.equal("usage", failure.kind)
    return failure.message .. "; " .. (failure.hint or "")
  end

  local function new(options) return refused(braze.new, options) end
  local params = { campaign_id = "campaign" }

  it("is sent where it belongs", function()
    for _, row in ipairs {
      { new { query = {} }, "query is an option of a call, not of a client" },
      { new { repeatable = true }, "repeatable is an option of a call, not of a client" },
      { new { on_done = print }, "on_done is an option of start alone; give it to client:start" },
      { new { items = "x" }, "items is an option of each alone" },
      { refused(client.create_send_id, client, params, { api_key = "x" }), "api_key is an option of a client" },
      { refused(client.create_send_id, client, params, { on_done = print }),
        "on_done is an option of start alone; a call that" },
      { refused(client.start, client, "create_send_id", params, { max_pages = 2 }),
        "max_pages is an option of each alone" },
      { refused(client.each, client, "list_campaigns", {}, { on_done = print }),
        "on_done is an option of start alone" },
      { refused(client.create_send_id, client, { campaign_id = "c", items = "x" }), "it is an option of each" },
      { refused(client.create_send_id, client, { campaign_id = "c", on_done = print }), "it is an option of start" },
      { refused(client.create_send_id, client, { campaign_id = "c", ca_file = "x" }), "it is an option of a client" },
      { refused(client.create_send_id, client, { campaign_id = "c", timeout = 1 }), "it stands in a second table" },
    } do
      assert.matches(row[2], row[1], 1, true)
    end
  end)

  it("is no table", function()
    assert.matches("write {on_done = function(err, result)",
      refused(client.start, client, "create_send_id", params, function() end), 1, true)
    assert.matches("write {timeout = 5}", refused(client.start, client, "create_send_id", params, "text"), 1, true)
    assert.matches("write {timeout = 5}", refused(client.create_send_id, client, params, print), 1, true)
    assert.matches("write braze.new{", refused(braze.new, "key"), 1, true)
    assert.matches("write {timeout = 5}", refused(braze.new, 5), 1, true)
  end)

  it("has the name that another program gives it, where that may stand", function()
    assert.matches('did you mean "retries"', refused(client.create_send_id, client, params, { tries = 2 }), 1, true)





                                       assert.is_nil(refused(client.create_send_id, client, params,
        { token = "x" }):find('did you mean "api_key"', 1, true))
    assert.matches('did you mean "api_key"', new { token = "x" }, 1, true)
  end)
end)
