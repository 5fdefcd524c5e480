-- What the command needs of C: the request of a call that is not made, and a connection without a request.

local core = require "braze.core"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local standin = require "spec.support.standin"

local braze = core.braze
local key = "braze-key-0123456789"

describe("what braze.core has for the command", function()
  local service = standin.start()
  local peer, clients

  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  before_each(function()
    service.reset()
    peer:reset()
    peer:default { { read = "request" }, { hold = true } }
    clients = {}
  end)
  after_each(function()
    for _, client in ipairs(clients) do client:close() end
  end)

  local function new(endpoint, options)
    local all = { api_key = key, endpoint = endpoint, proxy = "" }
    for name, value in pairs(options or {}) do all[name] = value end
    clients[#clients + 1] = braze.new(all)
    return clients[#clients]
  end

  local function usage(...)
    local good, err = pcall(...)
    assert.is_false(good)
    assert.is_true(braze.is_error(err))
    assert.equal("usage", err.kind)
    return err
  end

  describe("request", function()
    it("is what call would send", function()
      local client = new(peer.url)
      local made = core.request(client, "create_send_id", { campaign_id = "c", send_id = "mine" })
      assert.same({ "POST", peer.url .. "/sends/id/create", true }, { made.method, made.url, made.repeatable })
      assert.same({ campaign_id = "c", send_id = "mine" }, require("cjson").decode(made.body))
      made = core.request(client, "GET /campaigns/list", nil, { query = { page = 2 } })
      assert.same({ method = "GET", url = peer.url .. "/campaigns/list?page=2", repeatable = true }, made)
      assert.same({}, peer:log())
    end)

    it("raises what call would raise", function()
      local client = new(peer.url)
      usage(core.request, client, "create_send_id", {})
      usage(core.request, client, "create_send_id", { campaign_id = "c" }, { on_done = print })
      usage(core.request, client, "no_such_operation", {})
      usage(core.request, "no client", "create_send_id", {})
      client:close()
      usage(core.request, client, "create_send_id", { campaign_id = "c" })
    end)
  end)

  describe("probe", function()
    it("connects, and sends nothing", function()
      local found = core.probe(new(peer.url))
      assert.is_nil(found.error)
      assert.same({ "127.0.0.1", peer.port, false, peer.url },
        { found.address, found.port, found.secure, found.endpoint })
      assert.is_true(found.connect > 0)
      for _, connection in ipairs(peer:log()) do assert.not_matches("HTTP/1.1", tostring(connection), 1, true) end
    end)

    it("knows the service's certificate", function()
      local found = core.probe(new(service.https, { ca_file = service.ca_file }))
      assert.is_nil(found.error)
      assert.matches("localhost", found.subject, 1, true)
      assert.matches("GMT$", found.expires)
      assert.equal(service.ca_file, found.file)
      assert.is_true(found.tls > found.connect)
      assert.same({}, service.log().requests)
    end)

    it("ends in time where nobody answers", function()
      local began = socket.gettime()
      local found = core.probe(new(("https://127.0.0.1:%d"):format(peer.port), { connect_timeout = 0.2 }))
      assert.equal("timeout", found.error.kind)
      assert.is_false(found.error.maybe_applied)
      assert.is_true(socket.gettime() - began < 5)
    end)

    it("can be made again, and the client still calls", function()
      local client = new(service.http, { api_key = service.key })
      for _ = 1, 3 do assert.is_nil(core.probe(client).error) end
      assert.equal("success", client:create_send_id({ campaign_id = "campaign_identifier" }).message)
    end)

    it("raises usage for what is no open client", function()
      local client = new(peer.url)
      client:close()
      usage(core.probe, client)
      usage(core.probe, {})
    end)
  end)
end)
