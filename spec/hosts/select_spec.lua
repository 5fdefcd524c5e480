-- The plain client in the lists of others: luasocket's select and cqueues' poll take it as it is.

local braze = require "braze"
local child = require "spec.support.child"
local examples = require "spec.support.example"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local with_peer = require "spec.support.with_peer"

local created = scripted_peer.created "made"
local read, answer, again, hold = { read = "request" }, { write = created }, { again = true }, { hold = true }
local parameters = { campaign_id = "campaign" }
local seconds = 10

describe("a client in the list of", function()
  local peer = with_peer { read, answer, again }

  local function new()
    return braze.new { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 20 }
  end

  describe("luasocket's select", function()
    it("is not readable before its first start, nor while nothing has finished", function()
      peer:default { read, hold }
      local client = new()
      local readable, writable, problem = socket.select({ client }, nil, 0)
      assert.same({ 0, 0, "timeout" }, { #readable, #writable, problem })
      client:start("create_send_id", parameters)
      assert.is_true(peer:wait { requests = 1 })
      assert.equal("timeout", (select(3, socket.select({ client }, nil, 0))))
      client:close()
    end)

    it("is readable until all that has finished is delivered", function()
      local client, count = new(), 0
      local requests = {}
      for number = 1, 5 do
        requests[number] = client:start("create_send_id", parameters, { on_done = function() count = count + 1 end })
      end
      for _, request in ipairs(requests) do assert.is_true(request:wait(seconds)) end
      for number = 1, 5 do
        local readable = socket.select({ client }, nil, seconds)
        assert.equal(client, readable[1])
        assert.is_true(readable[client] ~= nil)
        assert.equal(1, client:step(1))
        assert.equal(number, count)
      end
      assert.equal("timeout", (select(3, socket.select({ client }, nil, 0))))
      assert.equal(0, client:step())
    end)

    it("stands beside sockets and other clients", function()
      local one, other = new(), new()
      local datagrams = socket.udp()
      datagrams:setsockname("127.0.0.1", 0)
      local address, port = datagrams:getsockname()
      local seen = {}
      one:start("create_send_id", parameters, { on_done = function()
        seen.one = true
        other:start("create_send_id", parameters, { on_done = function()
          seen.other = true
          datagrams:sendto("now", address, port)
        end })
      end })
      local rounds = 0
      repeat
        local readable, _, problem = socket.select({ one, datagrams, other }, nil, seconds)
        assert.is_nil(problem)
        for _, object in ipairs(readable) do
          if object == datagrams then seen.datagram = object:receive() else object:step() end
        end
        rounds = rounds + 1
      until seen.datagram
      assert.same({ one = true, other = true, datagram = "now" }, seen)
      assert.equal(3, rounds) -- it wakes for nothing else
    end)

    it("is readable at once where a call was cancelled or its client closed", function()
      peer:default { read, hold }
      local client, kinds = new(), {}
      local function note(err) kinds[#kinds + 1] = err.kind end
      local request = client:start("create_send_id", parameters, { on_done = note })
      client:start("create_send_id", parameters, { on_done = note })
      request:cancel()
      assert.equal(client, socket.select({ client }, nil, 0)[1])
      assert.equal(1, client:step())
      assert.equal("timeout", (select(3, socket.select({ client }, nil, 0))))
      client:close()
      assert.equal(client, socket.select({ client }, nil, 0)[1])
      assert.equal(1, client:step())
      assert.same({ "cancelled", "cancelled" }, kinds)
      assert.equal("timeout", (select(3, socket.select({ client }, nil, 0))))
    end)
  end)

  local has_cqueues, cqueues = pcall(require, "cqueues")
  if has_cqueues then
    describe("cqueues.poll", function()
      it("wakes its coroutine, which steps", function()
        local clients, count, ready = { new(), new() }, 0, {}
        local controller = cqueues.new()
        for _, client in ipairs(clients) do
          controller:wrap(function()
            for _ = 1, 3 do
              client:start("create_send_id", { campaign_id = "polled" }, { on_done = function() count = count + 1 end })
            end
            while client:pending() > 0 do
              ready[#ready + 1] = cqueues.poll(client, seconds) == client
              client:step()
            end
            cqueues.cancel(client:pollfd())
          end)
        end
        assert(controller:loop())
        assert.equal(6, count)
        for _, was_ready in ipairs(ready) do assert.is_true(was_ready) end
        -- Its own alone: a call that was cancelled before may have left just then.
        local sent = 0
        for _, connection in ipairs(peer:log()) do sent = sent + select(2, connection.received:gsub('"polled"', "")) end
        assert.equal(6, sent)
      end)

      it("gives up after its time", function()
        peer:default { read, hold }
        local client, polled = new(), nil
        local controller = cqueues.new()
        controller:wrap(function()
          client:start("create_send_id", parameters)
          polled = cqueues.poll(client, 0.02)
          client:close()
          assert(cqueues.poll(client, seconds) == client)
          client:step()
          cqueues.cancel(client:pollfd())
        end)
        assert(controller:loop())
        assert.equal(0.02, polled)
        assert.equal(0, client:pending())
      end)
    end)
  end
end)

describe("examples/select.lua", function()
  local example = examples.new("select", child.run)

  before_each(example.reset)

  it("makes an ID for each of its arguments", function() example.makes_each "The loop went round" end)

  it("ends with what went wrong", function() example.ends_with_what_went_wrong() end)
end)
