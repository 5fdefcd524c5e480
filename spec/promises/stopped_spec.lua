-- A process that is stopped past a deadline (a laptop's lid, a pause of a virtual machine, a debugger) and wakes late:
-- what lies in the socket is read before the deadline is applied, and nothing leaves after it.

local braze = require "braze"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local standin = require "spec.support.standin"

local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local process = assert(package.loadlib(build .. "/test/braze.so", "luaopen_braze_process_spec"))()

local created = scripted_peer.created
local timeout = 0.5

describe("a process that is stopped past a deadline", function()
  local peer, service

  setup(function()
    peer = scripted_peer.start()
    service = standin.start()
  end)
  teardown(function() peer:stop() end)
  before_each(function() peer:reset() end)

  -- A call in a child that is stopped as soon as the peer has seen so much of it, until its deadline is past; what came
  -- of it.
  local function play(mode, seen, options, hello)
    local all = { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0 }
    for name, value in pairs(options or {}) do all[name] = value end
    local limits = { timeout = timeout, connect_timeout = all.connect_timeout }
    local reading, writing = process.pipe()
    local child = process.fork()
    if child == 0 then
      local text
      pcall(function()
        local client = braze.new(all)
        local params = { campaign_id = "campaign", send_id = "mine" }
        local good, answer
        if mode == "blocking" then
          good, answer = pcall(client.create_send_id, client, params, limits)
        else
          local request = client:start("create_send_id", params, limits)
          request:wait(20)
          good, answer = pcall(request.result, request)
        end
        text = good and "made " .. answer.send_id
          or table.concat({ answer.kind, tostring(answer.maybe_applied), answer.attempts, answer.status or "-" }, " ")
      end)
      process.write(writing, tostring(text))
      process.exit(0)
    end
    process.close(writing)
    local reached = peer:wait(seen)
    if hello then socket.sleep(hello) end -- so that the client's part of a handshake is on its way
    os.execute("kill -STOP " .. child)
    socket.sleep(timeout * 2)
    os.execute("kill -CONT " .. child)
    local how = process.wait(child, 30)
    local text = how ~= "hung" and process.read(reading) or "hung"
    process.close(reading)
    assert.is_true(reached)
    return text
  end

  local request = { requests = 1 }
  local half = 'HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n{"message":'

  for _, mode in ipairs { "blocking", "started" } do
    describe("in a call that is " .. mode, function()
      it("finds the answer that lies there", function()
        peer:play { { read = "request" }, { pause = 0.1 }, { write = created() }, { hold = true } }
        assert.equal("made mine", play(mode, request))
      end)

      it("finds it over TLS", function()
        peer:play { { tls = { certificate = service.server_certificate, key = service.server_key } },
          { read = "request" },
          { pause = 0.1 }, { write = created() }, { hold = true } }
        assert.equal("made mine", play(mode, request,
          { endpoint = "https://localhost:" .. peer.port, ca_file = service.ca_file }))
      end)

      it("finds a long one", function()
        local body = '{"message":"success","send_id":"mine","more":"' .. ("x"):rep(60000) .. '"}'
        peer:play { { read = "request" }, { pause = 0.1 }, { write = scripted_peer.answer(201, nil, body) },
          { hold = true } }
        assert.equal("made mine", play(mode, request))
      end)

      it("finds a refusal", function()
        peer:play { { read = "request" }, { pause = 0.1 }, { write = scripted_peer.answer(400) }, { hold = true } }
        assert.equal("rejected false 1 400", play(mode, request))
      end)

      it("finds nothing, or half an answer: that is a timeout", function()
        peer:play { { read = "request" }, { hold = true } }
        assert.equal("timeout true 1 -", play(mode, request))
        peer:reset()
        peer:play { { read = "request" }, { pause = 0.1 }, { write = half }, { hold = true } }
        assert.equal("timeout true 1 201", play(mode, request))
      end)

      it("before the request left sends none", function()
        peer:play { { pause = 0.3 }, { tls = { certificate = service.server_certificate, key = service.server_key } },
          { read = "request" }, { write = created() }, { hold = true } }
        assert.equal("timeout false 0 -", play(mode, { connections = 1 },
          { endpoint = "https://localhost:" .. peer.port, ca_file = service.ca_file }, 0.15))
        assert.equal(0, peer:requests())
      end)

      it("past connect_timeout alone has its answer all the same", function()
        peer:play { { read = "request" }, { pause = 0.1 }, { write = created() }, { hold = true } }
        assert.equal("made mine", play(mode, request, { connect_timeout = 0.2 }))
      end)
    end)
  end
end)
