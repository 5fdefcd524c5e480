-- Methods and metamethods on values that they are not made for: everything that debug.getmetatable or a "." in place
-- of a ":" may bring.

local braze = require "braze"

local bare = io.tmpfile()
bare:close()
debug.setmetatable(bare, nil)

local strangers = {
  ["nothing"] = nil, ["a table"] = {}, ["a string"] = "x", ["a file"] = io.stdout,
  ["a userdata without a metatable"] = bare,
  ["a function"] = print, ["a coroutine"] = coroutine.create(function() end),
}

describe("a receiver that is none", function()
  local client = braze.new { api_key = "braze-key-0123456789", endpoint = "http://127.0.0.1:1", retries = 0 }
  local request = client:start("create_send_id", { campaign_id = "campaign" })
  request:wait(20)
  client:step()

  for name, stranger in pairs(strangers) do
    it("is named by every method: " .. name, function()
      for object, methods in pairs {
        [client] = "create_send_id start step wait pending pollfd getfd events close",
        [request] = "done result wait cancel",
      } do
        for method in methods:gmatch "%S+" do
          local good, failure = pcall(object[method], stranger)
          assert.is_false(good)
          assert.equal("usage", failure.kind)
          assert.matches(" was called on ", failure.message, 1, true)
        end
      end
    end)

    it("is left alone by every metamethod: " .. name, function()
      for _, object in ipairs { client, request } do
        local metatable = getmetatable(object)
        for _, method in ipairs { "__gc", "__close" } do
          if metatable[method] then metatable[method](stranger) end
        end
        assert.matches("^braze%.%a+ %(", metatable.__tostring(stranger))
      end
    end)
  end

  it("may be a client that is closed", function()
    local closed = braze.new { api_key = "braze-key-0123456789", endpoint = "http://127.0.0.1:1" }
    closed:close()
    closed:close()
    assert.equal("braze.client (closed)", tostring(closed))
    local good, failure = pcall(closed.create_send_id, closed, { campaign_id = "campaign" })
    assert.is_false(good)
    assert.matches("closed", failure.message, 1, true)
    assert.equal(0, closed:pending())
    assert.equal("r", closed:events())
  end)
end)

describe("what braze.core has for hosts", function()
  local core = require "braze.core"

  it("closes no descriptor of others", function()
    local channel = assert(core.channel())
    local methods = getmetatable(channel).__index
    for _, stranger in pairs(strangers) do pcall(methods.close, stranger) end
    local client = braze.new { api_key = "braze-key-0123456789", endpoint = "http://127.0.0.1:1" }
    pcall(methods.close, client)
    assert.equal("braze.client (127.0.0.1:1)", tostring(client))
    client:close()
    channel:close()
    channel:close()
    assert.is_nil(channel:accept())
  end)

  it("accepts one connection to a channel, however often it is asked", function()
    local channel, path = core.channel()
    if not channel then return pending "only Linux has channels" end
    local unix = require "socket.unix"
    local reading = assert((unix.stream or unix)())
    assert(reading:connect(path))
    local descriptor = assert.is_number(channel:accept())
    assert.equal(descriptor, channel:accept())
    channel:poke()
    reading:settimeout(5)
    assert.equal(1, #assert(reading:receive(1)))
    channel:close()
    assert.equal("closed", (select(2, reading:receive(1))))
    reading:close()
  end)
end)
