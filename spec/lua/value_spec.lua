-- value: values that JSON does not have, and tables at the edge of what it has.

local braze = require "braze"
local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"

describe("a value that goes out", function()
  local peer, client
  setup(function()
    peer = scripted_peer.start()
    client = braze.new { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 20 }
  end)
  teardown(function()
    client:close()
    peer:stop()
  end)
  before_each(function()
    peer:reset()
    peer:default { { read = "request" }, { write = scripted_peer.answer(200, nil, "{}") }, { again = true } }
  end)

  local function refused(params)
    local good, failure = pcall(client.call, client, "POST /users/track", params)
    assert.is_false(good)
    assert.same({ "usage", 0 }, { failure.kind, peer:requests() })
    return failure.message
  end

  if debug.upvalueid then
    it("is no light userdata but JSON's null", function()
      local identity = debug.upvalueid(refused, 1)
      if type(identity) ~= "userdata" then return end
      assert.equal("deep.one is a userdata", refused { deep = { one = identity } })
      assert.equal(200, client:call("POST /users/track", { one = braze.null }).status)
    end)
  end

  it("has no digits that get lost on its way", function()
    assert.matches("one is a number that would lose digits", refused { one = 0.1 + 0.2 })
    assert.matches("one%[2%] is a number that would lose digits", refused { one = { 1, 2 ^ 53 + 2 } })
    local numbers = { 0.1, 2 ^ 40, -0.5, 1e100, -1e100, -2 ^ 40, 0.001, -1e14, 1e-7 }
    assert.equal(200, client:call("POST /users/track", { one = numbers }).status)
  end)

  it("is a list only with the keys 1, 2, 3, and so on", function()
    for _, odd in ipairs { { 1, [3] = 3 }, { [0] = 1 }, { [-1] = 1 }, { [1.5] = 1 }, { [2 ^ 40] = 1 } } do
      assert.matches("one is a list with holes", refused { one = odd })
    end
    assert.matches("one is marked by braze.list and has keys other", refused { one = braze.list { a = 1 } })
    assert.equal(200, client:call("POST /users/track", { one = { [2] = 2, [1] = 1, [3] = 3 } }).status)
  end)

  it("is composed where an empty list is in it, with all that stands around", function()
    client:call("POST /users/track", {
      list = braze.list {}, objects = { { a = 1, b = braze.list {} }, { "x", braze.null, true } }, text = "\1\"",
    })
    local body = peer:log()[1].received:match "\r\n\r\n(.*)$"
    local decoded = require("cjson").decode(body)
    assert.same({ 1, "x", "\1\"" }, { decoded.objects[1].a, decoded.objects[2][1], decoded.text })
    assert.matches('"list":[]', body, 1, true)
    assert.matches('"b":[]', body, 1, true)
  end)

  it("that lua-cjson gives back as no text is the fault of what was loaded as cjson", function()
    local output = child.run(([[
      package.path, package.cpath = %q, %q
      local cjson, braze = require "cjson", require "braze"
      package.loaded.cjson = { new = function()
        local new = cjson.new()
        local encode = new.encode
        new.encode = function(value) if value == "odd" then return {} end return encode(value) end
        return new
      end }
      local client = braze.new { api_key = "braze-key-0123456789", endpoint = %q, retries = 0, timeout = 20 }
      local good, answer = pcall(client.call, client, "POST /users/track", { one = "odd", list = braze.list {} })
      io.write(tostring(good), type(answer))
    ]]):format(package.path, package.cpath, peer.url))
    assert.equal("falsetable", output)
  end)
end)
