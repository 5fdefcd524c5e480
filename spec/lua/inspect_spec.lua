-- inspect: how far a connection comes, without a request: through a proxy, and where there is none.

local braze = require "braze"
local core = require "braze.core"
local scripted_peer = require "spec.support.scripted_peer"

describe("core.probe", function()
  local peer
  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  before_each(function() peer:reset() end)

  local function probe(options)
    local all = { api_key = "braze-key-0123456789", retries = 0, timeout = 10 }
    for name, value in pairs(options) do all[name] = value end
    local client = braze.new(all)
    finally(function() client:close() end)
    return core.probe(client)
  end

  it("tells what a proxy answered that let nothing through", function()
    peer:default { { read = "request" }, { write = scripted_peer.answer(403, {}, "no") } }
    local found = probe { endpoint = "https://rest.example", proxy = peer.url }
    assert.equal(403, found.proxy_status)
    assert.equal("network", found.error.kind)
    assert.is_false(found.error.maybe_applied)
    assert.equal(peer.url, found.proxy)
  end)

  it("tells that nobody listens, and sends nothing", function()
    local found = probe { endpoint = "http://127.0.0.1:1" }
    assert.is_nil(found.proxy_status)
    assert.same({ "network", 0 }, { found.error.kind, found.error.attempts })
  end)

  it("connects where somebody does, and makes no request", function()
    peer:default { { hold = true } }
    local found = probe { endpoint = peer.url }
    assert.is_nil(found.error)
    assert.equal(peer.port, found.port)
    assert.equal(0, peer:requests())
  end)

  it("is refused on a closed client", function()
    local client = braze.new { api_key = "braze-key-0123456789", endpoint = "http://127.0.0.1:1" }
    client:close()
    assert.is_false((pcall(core.probe, client)))
  end)
end)
