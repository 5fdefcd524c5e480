-- sockets, by itself: what is seen of one that is kept, and at the last moment before a request leaves on it.

local test_build = require "spec.support.test_build"
local socket = require "socket"

describe("a socket", function()
  local listener, sockets, peers

  before_each(function()
    listener = assert(socket.bind("127.0.0.1", 0))
    peers = {}
  end)
  after_each(function()
    sockets:close()
    for _, peer in ipairs(peers) do peer:close() end
    listener:close()
  end)

  -- Makes a connection for a first attempt that has ended at the time 10; returns its local port and its other end.
  local function kept(secure)
    sockets = test_build.core.sockets.new(secure or false)
    local first = sockets:begin()
    local _, port = listener:getsockname()
    local own_port = sockets:connect(first, tonumber(port))
    peers[#peers + 1] = assert(listener:accept())
    assert.same({ true, false }, { sockets:enter(first, own_port) })
    sockets:finish(first, 10)
    return own_port, peers[#peers]
  end

  local function wait_for_end(peer)
    peer:settimeout(5)
    return select(2, peer:receive(1))
  end

  it("on which nothing waits is used again", function()
    local own_port = kept()
    assert.same({ false, false, false, 1 }, { sockets:look(9) })
    local second = sockets:begin()
    assert.same({ true, true }, { sockets:enter(second, own_port) })
  end)

  it("on which bytes wait is refused at the last moment, and shut down", function()
    local own_port, peer = kept()
    assert(peer:send "HTTP/1.1 429 No\r\n\r\n")
    assert.same({ false, true }, { sockets:enter(sockets:begin(), own_port) })
    assert.equal("closed", wait_for_end(peer))
    assert.is_true(select(2, sockets:look(9)))
  end)

  it("that has ended is refused at the last moment, and says nothing about the service", function()
    local own_port, peer = kept()
    peer:shutdown "send"
    assert.same({ false, true }, { sockets:enter(sockets:begin(), own_port) })
    assert.is_false(select(2, sockets:look(9)))
  end)

  it("that is new is not refused for what waits there", function()
    sockets = test_build.core.sockets.new(true)
    local first = sockets:begin()
    local _, port = listener:getsockname()
    local own_port = sockets:connect(first, tonumber(port))
    peers[1] = assert(listener:accept())
    assert(peers[1]:send(("ticket"):rep(50)))
    assert.same({ true, false }, { sockets:enter(first, own_port) })
  end)

  it("that an attempt has is left alone, whatever waits there", function()
    local own_port, peer = kept()
    local second = sockets:begin()
    assert.is_true(sockets:enter(second, own_port))
    assert(peer:send "HTTP/1.1 201 Created\r\n\r\n")
    assert.same({ false, false, false, 0 }, { sockets:look(math.huge) })
    sockets:finish(second, 11)
    assert.same({ true, true, false, 0 }, { sockets:look(math.huge) })
    assert.equal("closed", wait_for_end(peer))
  end)

  it("that was kept for long enough without a byte is quiet", function()
    kept()
    assert.same({ false, false, false, 1 }, { sockets:look(9.5) })
    assert.same({ false, false, true, 1 }, { sockets:look(10) })
  end)

  it("may bring the goodbye of TLS, but no more", function()
    for length, strayed in pairs { [24] = false, [64] = false, [65] = true } do
      local _, peer = kept(true)
      assert(peer:send(("x"):rep(length)))
      local dropped, has_strayed = sockets:look(9)
      assert.same({ true, strayed }, { dropped, has_strayed })
      sockets:close()
    end
  end)

  -- libcurl makes two where a name has addresses of two families, and keeps one.
  it("is the one with the attempt's local port, where two were made for it", function()
    sockets = test_build.core.sockets.new(false)
    local attempt = sockets:begin()
    local _, port = listener:getsockname()
    local first = sockets:connect(attempt, tonumber(port))
    local second = sockets:connect(attempt, tonumber(port))
    for _ = 1, 2 do peers[#peers + 1] = assert(listener:accept()) end
    assert.same({ true, false }, { sockets:enter(attempt, second) })
    sockets:finish(attempt, 10)
    -- The other one is not known by a local port, so none of a later attempt's is taken for it.
    assert.same({ true, true }, { sockets:enter(sockets:begin(), first) })
    assert(peers[2]:send "x")
    assert.same({ false, true }, { sockets:enter(sockets:begin(), second) })
  end)

  it("is the one to the attempt's peer, where two kept ones have its local port", function()
    local other = assert(socket.bind("127.0.0.2", 0))
    finally(function() other:close() end)
    local own_port, peer = kept()
    local attempt = sockets:begin()
    local _, port = other:getsockname()
    sockets:connect(attempt, tonumber(port), own_port, "127.0.0.2")
    peers[#peers + 1] = assert(other:accept())
    assert.same({ true, false }, { sockets:enter(attempt, own_port, "127.0.0.2") })
    sockets:finish(attempt, 10)
    assert(peer:send "x")
    assert.same({ true, true }, { sockets:enter(sockets:begin(), own_port, "127.0.0.2") })
    assert.same({ false, true }, { sockets:enter(sockets:begin(), own_port, "127.0.0.1") })
  end)

  it("that cannot be found counts as one that was used before", function()
    kept()
    assert.same({ true, true }, { sockets:enter(sockets:begin(), 1) })
  end)

  it("counts what it has received for an attempt, by the first look where it was used before", function()
    local own_port, peer = kept()
    assert(peer:send(("x"):rep(1000)))
    local second = sockets:begin()
    sockets:enter(second, own_port)
    assert.equal(0, sockets:received(second))
    sockets:close()
    sockets = test_build.core.sockets.new(false)
    local first = sockets:begin()
    local _, port = listener:getsockname()
    sockets:connect(first, tonumber(port))
    peer = assert(listener:accept())
    assert(peer:send(("x"):rep(1000)))
    assert.equal(1000, sockets:received(first))
    peer:close()
  end)

  it("is one of many that are looked at together", function()
    sockets = test_build.core.sockets.new(false)
    local _, port = listener:getsockname()
    local attempt = sockets:begin()
    for number = 1, 40 do
      sockets:connect(attempt, tonumber(port))
      peers[number] = assert(listener:accept())
    end
    sockets:finish(attempt, 10)
    for number = 1, 40, 2 do assert(peers[number]:send "x") end
    assert.same({ true, true, false, 20 }, { sockets:look(9) })
    for number = 1, 40, 2 do assert.equal("closed", wait_for_end(peers[number])) end
  end)
end)
