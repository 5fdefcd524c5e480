-- What the specs of modules for hosts share: what the peer reads and answers, clients of it in both styles, and the
-- programs' words for a copas loop.
--
--   local host_loop = require "spec.support.host_loop"
--   local peer, new, new_safe = host_loop.peer(require "braze.luv")   new(url): of another service than the peer

local assert = require "luassert"
local child = require "spec.support.child"
local collect = require "spec.support.collect"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local host_loop = {
  read = { read = "request" }, answer = { write = scripted_peer.created "made" },
  again = { again = true }, hold = { hold = true },
  parameters = { campaign_id = "campaign" },
  goodbye = scripted_peer.answer(201, { connection = "close" }, '{"message":"success","send_id":"made"}'),
  -- PUC Lua 5.1 can't yield across pcall.
  pcall_stops_yields = _VERSION == "Lua 5.1" and not rawget(_G, "jit"),
}

function host_loop.peer(braze)
  local peer = with_peer { host_loop.read, host_loop.answer, host_loop.again }
  local function new(url) return braze.new(with_peer.options(peer, { endpoint = url })) end
  local function new_safe(url) return braze.safe.new(with_peer.options(peer, { endpoint = url })) end
  return peer, new, new_safe
end

-- Ten clients, each of which two coroutines use, are collected, and nothing of theirs stays open.
-- run(body, body): runs the two to the end of their loop; let_go(kept): does what the loop itself needs for that.
function host_loop.lets_go_of_clients(peer, new, run, let_go)
  local parameters = host_loop.parameters
  local function nothing() end
  run(function() new():create_send_id(parameters) end, nothing)
  collect()
  assert.is_true(peer:wait { ended = 1 })
  local kept, before = setmetatable({}, { __mode = "k" }), child.descriptors()
  for number = 1, 10 do
    local client = new()
    kept[client] = true
    kept[client.core] = true
    run(function() client:create_send_id(parameters) end, function()
      client:start("create_send_id", parameters, { on_done = function() kept[client] = number end })
    end)
  end
  collect()
  if let_go then let_go(kept) end
  assert.is_nil(next(kept))
  local connections = #peer:log()
  assert.is_true(peer:wait { connections = connections, ended = connections })
  -- A client's thread closes what is its own when it comes to it.
  local deadline = os.time() + 10
  while child.descriptors() >= before + 10 and os.time() < deadline do collect() end
  assert.is_true(child.descriptors() < before + 10)
end

-- The beginning of a program that uses copas. Debian has its file for Lua 5.1 and 5.2 alone, but it runs on the others
-- too; the variable COPAS names the folder of another one.
host_loop.find_copas = [==[
  local folder = os.getenv "COPAS"
  package.path = (folder and folder .. "/?.lua;" or "") .. package.path .. ";/usr/share/lua/5.1/?.lua"
]==]

-- Runs each function in a thread of its own until nothing waits any more. copas 1.1.7 would go on for ever, selecting
-- nothing.
host_loop.copas = [==[
  local copas, socket = require "copas", require "socket"
  local braze = require "braze.copas"
  local function go(...)
    for _, body in ipairs { ... } do copas.addthread(body) end
    if copas.finished then return copas.loop() end
    local select, waiting = socket.select, true
    function socket.select(reading, writing, timeout)
      waiting = #reading + #writing > 0
      if not waiting then return {}, {}, "timeout" end
      return select(reading, writing, timeout)
    end
    while waiting do copas.step() end
    socket.select = select
  end
]==]

return host_loop
