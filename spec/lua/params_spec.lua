-- params: parameters at their edges: as long as a request may be, and values that change while a call reads them.

local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

describe("parameters", function()
  local answer = scripted_peer.answer(200, nil, '{"message":"success"}')
  local peer, client = with_peer.client(nil, { { read = "request" }, { write = answer }, { again = true } })

  local function refused(...)
    local good, failure = pcall(client.call, client, ...)
    assert.is_false(good)
    assert.same({ "usage", 0 }, { failure.kind, peer:requests() })
    return failure.message
  end

  -- Each of these bytes is six in JSON, which is known once it is written.
  it("that grow too long on their way are refused before anything is sent", function()
    local text = ("\1"):rep(1000000)
    assert.matches("a whole request may have 4000000", refused("POST /users/track", { text = text }))
    assert.matches("a whole request may have 4000000",
      refused("send_messages", { messages = { text = text }, external_user_ids = { "one" } }))
    -- Together, though none is too long by itself.
    -- All but the last brace fits.
    assert.matches("a whole request may have 4000000",
      refused("create_send_id", { campaign_id = ("x"):rep(4000000 - #'{"campaign_id":""}' + 1) }))
    local part = ("x"):rep(1500000)
    assert.matches("a whole request may have 4000000",
      refused("send_messages", { messages = { text = part }, audience = { text = part }, segment_id = part }))
  end)

  it("of a query that is too long are refused", function()
    assert.matches("the path and the query have more than", refused("GET /things", { text = ("x"):rep(200000) }))
    assert.matches("the path and the query have more than",
      refused("GET /things", nil, { query = { text = (" "):rep(50000) } }))
    assert.matches("the query has a name of more than 250 bytes", refused("GET /things", { [("n"):rep(300)] = { 1 } }))
    assert.matches("is too long", refused("GET /" .. ("x"):rep(200000)))
  end)

  it("of every kind that a query can hold are written", function()
    local parameters = { list = { 1, "b c", true, 0.5 }, no = false, number = 2 ^ 40 }
    assert.equal(200, client:call("GET /things", parameters).status)
    local target = peer:log()[1].received:match "GET (%S+)"
    for _, part in ipairs {
      "list%5B%5D=1&list%5B%5D=b%20c&list%5B%5D=true&list%5B%5D=0.5", "no=false", "number=1099511627776",
    } do
      assert.matches(part, target, 1, true)
    end
  end)

  it("of a route may be left out, also where the route is an operation's", function()
    for _, route in ipairs { "POST /sends/id/create", "POST /users/track", "GET /campaigns/list" } do
      assert.equal(200, client:call(route).status)
    end
  end)

  -- What runs at the first call's end of checking is the host's own require, and that may do anything.
  it("that change after they were checked are refused, or go as they were read", function()
    for what, expected in pairs {
      ["query.one = function() end"] = "the query was changed while the call read it",
      ["query.one = { {} }"] = "the query was changed while the call read it",
      ["query[1] = 2"] = "the query was changed while the call read it",
      ["query.one = { 2, 3 }"] = "made",
    } do
      local output = child.run(([[
        package.path, package.cpath = %q, %q
        local cjson, query = require "cjson", { one = 1 }
        package.loaded.cjson = nil
        package.preload.cjson = function()
          %s
          return cjson
        end
        local client = require("braze").new { api_key = "braze-key-0123456789", endpoint = %q, timeout = 20 }
        local good, answer = pcall(client.call, client, "POST /users/track", {}, { query = query })
        io.write(good and "made" or answer.message)
      ]]):format(package.path, package.cpath, what, peer.url))
      assert.equal(expected, output, what)
    end
  end)
end)
