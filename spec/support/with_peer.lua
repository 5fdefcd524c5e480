-- A scripted peer for the describe that calls this, and clients of it:
--
--   local peer, new = with_peer({ read, answer }, { retries = 2 })  new(options, module) makes a client for its test
--   local peer, client = with_peer.client({ retries = 2 }, { read, answer })  one client for all tests
--
-- The peer ends with the describe. Before each test it forgets all, and plays the script on every connection.

local braze = require "braze"
local busted = require "busted"
local scripted_peer = require "spec.support.scripted_peer"

local with_peer = {}

-- Options of a client of the peer: a single try, and far more time than a test takes, unless they are given.
function with_peer.options(peer, ...)
  local all = { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 20 }
  for number = 1, select("#", ...) do
    for name, value in pairs((select(number, ...)) or {}) do all[name] = value end
  end
  return all
end

local function start(script)
  local peer = scripted_peer.start()
  busted.before_each(function()
    peer:reset()
    if script then peer:default(script) end
  end)
  busted.teardown(function() peer:stop() end)
  return peer
end

function with_peer.client(options, script)
  local peer = start(script)
  local client = braze.new(with_peer.options(peer, options))
  busted.teardown(function() client:close() end)
  return peer, client
end

return setmetatable(with_peer, {
  __call = function(_, script, base)
    local peer, clients = start(script), setmetatable({}, { __mode = "k" }) -- what a test drops may be collected
    busted.after_each(function()
      for client in pairs(clients) do client:close() end
    end)
    return peer, function(options, module)
      local client = (module or braze).new(with_peer.options(peer, base, options))
      clients[client] = true
      return client
    end
  end,
})
