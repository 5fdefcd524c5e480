-- The scripted peer does what its scripts say.

local cjson = require "cjson"
local http = require "socket.http"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local ssl = require "ssl"
local standin = require "spec.support.standin"

describe("the scripted peer", function()
  local service = standin.start()
  local peer
  local clients = {}

  local function connect()
    local client = assert(socket.connect("127.0.0.1", peer.port))
    client:settimeout(5)
    clients[#clients + 1] = client
    return client
  end

  local function post(body)
    return ("POST /sends/id/create HTTP/1.1\r\nHost: peer\r\nContent-Length: %d\r\n\r\n%s"):format(#body, body)
  end

  -- Reads until the peer closes; returns the bytes and how it ended.
  local function read_all(client)
    local whole, problem, partial = client:receive "*a"
    return whole or partial, problem
  end

  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  after_each(function()
    for _, client in ipairs(clients) do client:close() end
    clients = {}
    peer:reset()
  end)

  it("reads a request, answers and closes", function()
    peer:play { { read = "request" }, { write = scripted_peer.created "mine" } }
    local answer, status, headers = http.request(peer.url .. "/sends/id/create", '{"campaign_id":"c"}')
    assert.equal(201, status)
    assert.same({ message = "success", send_id = "mine" }, cjson.decode(answer))
    assert.equal("100", headers["x-ratelimit-limit"])
    assert.is_true(peer:wait { ended = 1 })
    local log = peer:log()
    assert.equal(1, #log)
    assert.equal(1, log[1].requests)
    assert.equal("script ended", log[1].ended)
    assert.matches('\r\n\r\n{"campaign_id":"c"}$', log[1].received)
    assert.equal(1, peer:requests())
  end)

  it("keeps every byte as it was, both ways", function()
    local bytes = {}
    for byte = 0, 255 do bytes[#bytes + 1] = string.char(byte) end
    local all = table.concat(bytes)
    peer:play { { read = 256 }, { write = all } }
    local client = connect()
    client:send(all)
    assert.equal(all, (read_all(client)))
    assert.equal(all, peer:log()[1].received)
  end)

  it("echoes ids on one connection for as long as it lasts, quoted as JSON", function()
    peer:default { { read = "request" }, { write = scripted_peer.created() }, { again = true } }
    local client = connect()
    local ids = { 'first "quoted"', "second\\" }
    for _, send_id in ipairs(ids) do
      client:send(post(cjson.encode { campaign_id = "c", send_id = send_id }))
      local length
      repeat
        local line = assert(client:receive "*l")
        length = tonumber(line:match "^content%-length: (%d+)") or length
      until line == ""
      assert.equal(send_id, cjson.decode((client:receive(length))).send_id)
    end
    client:close()
    assert.is_true(peer:wait { ended = 1 })
    assert.equal(2, peer:log()[1].requests)
    assert.equal("client closed", peer:log()[1].ended)
  end)

  it("gives each request without a send_id an id of its own, and fills in the campaign", function()
    peer:default { { read = "request" }, { write = scripted_peer.answer(201, nil, "%{send_id} %{campaign_id}") } }
    local first = http.request(peer.url, '{"campaign_id":"c"}')
    local second = http.request(peer.url, '{"campaign_id":"c"}')
    assert.not_equal(first, second)
    assert.matches("^peer%-%d+%-%d+ c$", first)
  end)

  it("reads not a byte more than the script says, then dies", function()
    for _, how in ipairs { "fin", "reset" } do
      peer:reset()
      peer:play { { read = 7 }, { close = how } }
      local client = connect()
      client:send(post "{}")
      assert.is_true(peer:wait { ended = 1 })
      assert.same({ { received = "POST /s", requests = 0, ended = how } }, peer:log())
      local received, problem = read_all(client)
      assert.equal("", received or "")
      assert.is_true(problem == nil or problem == "closed")
    end
  end)

  it("counts a request that arrived whole by any kind of reading", function()
    local request = post "{}"
    peer:play { { read = #request - 1 }, { read = 1 }, { close = "reset" } }
    connect():send(request)
    assert.is_true(peer:wait { requests = 1, ended = 1 })
    peer:play { { read = "any" }, { close = "fin" } }
    connect():send(request)
    assert.is_true(peer:wait { requests = 2, ended = 2 })
  end)

  it("writes byte by byte and in two halves, with pauses", function()
    peer:play { { write_each = "abcde", pause = 0.01 }, { pause = 0.02 } }
    peer:play { { write_split = "abcde", at = 2, pause = 0.02 } }
    local began = socket.gettime()
    assert.equal("abcde", (read_all(connect())))
    assert.is_true(socket.gettime() - began >= 0.07)
    local client = connect()
    client:settimeout(0)
    socket.select({ client }, nil, 5)
    local _, _, half = client:receive(5)
    assert.equal("ab", half)
    client:settimeout(5)
    assert.equal("cde", (read_all(client)))
  end)

  it("repeats a text until its number or the client's patience is used up", function()
    peer:play { { repeat_write = "0123456789", times = 1000 } }
    assert.equal(10000, #read_all(connect()))
    peer:play { { repeat_write = ("x"):rep(65536) } }
    local client = connect()
    assert.equal(1000, #client:receive(1000))
    client:close()
    assert.is_true(peer:wait { ended = 2 })
    assert.equal("client closed", peer:log()[2].ended)
  end)

  it("half closes and goes on reading", function()
    peer:play { { write = "bye" }, { half_close = true }, { read = "end" } }
    local client = connect()
    assert.equal("bye", (read_all(client)))
    client:send "still here"
    client:shutdown "send"
    assert.is_true(peer:wait { ended = 1 })
    assert.equal("still here", peer:log()[1].received)
  end)

  it("holds connections without a script open and silent", function()
    local client = connect()
    client:send "hello"
    client:settimeout(0.05)
    local _, problem = client:receive(1)
    assert.equal("timeout", problem)
    assert.is_nil(peer:log()[1].ended)
    client:close()
    assert.is_true(peer:wait { ended = 1 })
    assert.equal("hello", peer:log()[1].received)
  end)

  it("drops open connections on reset", function()
    local client = connect()
    assert.is_true(peer:wait { connections = 1 })
    peer:reset()
    assert.equal("", (read_all(client)))
    assert.same({}, peer:log())
  end)

  it("says when a wait was in vain", function()
    local reached, numbers = peer:wait { connections = 1, seconds = 0.01 }
    assert.is_false(reached)
    assert.same({ connections = 0, requests = 0, ended = 0 }, numbers)
  end)

  it("refuses connections and accepts them again", function()
    peer:refuse()
    assert.is_nil((socket.connect("127.0.0.1", peer.port)))
    peer:accept()
    peer:play { { write = "back" } }
    assert.equal("back", (read_all(connect())))
  end)

  it("names a step that it does not know", function()
    local fine, fault = pcall(peer.play, peer, { { read = "any" }, { dance = true } })
    assert.is_false(fine)
    assert.matches("step 2 is none that the peer knows.*dance", tostring(fault))
  end)

  it("serves TLS, with its goodbye, without it, and by reset", function()
    for _, how in ipairs { "fin", "cut", "reset" } do
      peer:reset()
      peer:play {
        { tls = { certificate = service.server_certificate, key = service.server_key } },
        { read = "request" }, { write = scripted_peer.answer(200, nil, "over TLS") }, { close = how },
      }
      local wrapped = assert(ssl.wrap(connect(), {
        mode = "client", protocol = "any", verify = "peer", cafile = service.ca_file,
      }))
      assert(wrapped:dohandshake())
      wrapped:send(post "{}")
      if how ~= "reset" then assert.equal("HTTP/1.1 200 OK", wrapped:receive "*l") end
      assert.is_true(peer:wait { ended = 1 })
      assert.same({ { received = post "{}", requests = 1, ended = how } }, peer:log())
      wrapped:close()
    end
  end)

  it("half closes under TLS without its goodbye, which the client takes for a cut", function()
    peer:play {
      { tls = { certificate = service.server_certificate, key = service.server_key } },
      { write = "bye" }, { half_close = true }, { hold = true },
    }
    local wrapped = assert(ssl.wrap(connect(), { mode = "client", protocol = "any", verify = "none" }))
    assert(wrapped:dohandshake())
    assert.equal("bye", wrapped:receive(3))
    assert.is_nil(peer:log()[1].ended)
    assert.is_nil((wrapped:receive(1)))
    wrapped:close()
    assert.is_true(peer:wait { ended = 1 })
    assert.equal("client closed", peer:log()[1].ended)
  end)

  it("ends a connection whose handshake fails", function()
    peer:play { { tls = { certificate = service.server_certificate, key = service.server_key } } }
    connect():send "this is no handshake, and long enough to be seen as none"
    assert.is_true(peer:wait { ended = 1 })
    assert.matches("^tls: ", peer:log()[1].ended)
  end)

  it("is a proxy that tunnels", function()
    peer:play {
      { read = "request" }, { write = "HTTP/1.1 200 Connection established\r\n\r\n" }, { connect = service.https_port },
    }
    local client = connect()
    client:send(("CONNECT localhost:%d HTTP/1.1\r\nHost: localhost\r\n\r\n"):format(service.https_port))
    assert.equal("HTTP/1.1 200 Connection established", client:receive "*l")
    assert.equal("", client:receive "*l")
    local wrapped = assert(ssl.wrap(client, { mode = "client", protocol = "any", verify = "peer",
      cafile = service.ca_file }))
    assert(wrapped:dohandshake())
    wrapped:send "POST /fast/sends/id/create HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    assert.equal("HTTP/1.1 201 Created", wrapped:receive "*l")
    wrapped:close()
    assert.is_true(peer:wait { ended = 1 })
    assert.equal("tunnel closed", peer:log()[1].ended)
    assert.equal(1, peer:log()[1].requests)
  end)

  it("says when there is nothing behind the tunnel", function()
    local other = scripted_peer.start()
    other:refuse()
    peer:play { { connect = other.port } }
    assert.equal("", (read_all(connect())))
    assert.equal("connect failed", peer:log()[1].ended)
    other:stop()
  end)

  it("plays two hundred connections at once", function()
    peer:default { { read = "request" }, { pause = 0.05 }, { write = scripted_peer.created() } }
    local waiting = {}
    for number = 1, 200 do
      local client = connect()
      client:send(post(cjson.encode { campaign_id = "c", send_id = "id-" .. number }))
      waiting[number] = client
    end
    assert.is_true(peer:wait { requests = 200 })
    for number, client in ipairs(waiting) do
      assert.matches('"send_id":"id%-' .. number .. '"}$', (read_all(client)))
    end
  end)

  it("ends with its control connection", function()
    local other = scripted_peer.start()
    other:stop()
    other:stop()
    assert.is_nil((socket.connect("127.0.0.1", other.port)))
  end)
end)
