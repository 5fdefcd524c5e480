-- What calls and clients leave behind when they are over: nothing. C memory, descriptors, threads, address space and
-- Lua's memory are counted over many of each kind.

local braze = require "braze"
local core = require "braze.core"
local collect = require "spec.support.collect"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"

local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local process = assert(package.loadlib(build .. "/test/braze.so", "luaopen_braze_process_spec"))()

-- Valgrind keeps what is freed for a while, and counts by itself what is lost.
local counts_memory = not os.getenv "BRAZE_VALGRIND"
local jit = rawget(_G, "jit")
-- What is kept for later use, as freed blocks are by the allocator, grows for some rounds; what is lost grows in each.
local most_rounds, times = 12, 100
-- A call that is lost is a thousand bytes. Where nothing is sent a single text counts: the allocator has no cause
-- to take more. Elsewhere it takes some more now and then, but not in each round.
local most_bytes_each, least_block = 100, 24
-- A thread that is not given back keeps its stack.
local stack_size = 8 * 1024 * 1024
-- Far above what a thread needs to end: who waits that long waits in vain.
local longest_wait = 20

local read, hold, again = { read = "request" }, { hold = true }, { again = true }
local made = { write = scripted_peer.created "made" }
-- Long enough to be missed.
local parameters = { campaign_id = ("campaign"):rep(100) }

local function address_space()
  local file = assert(io.open "/proc/self/statm")
  local pages = file:read "*n"
  file:close()
  return pages * 4096
end

local function count_threads()
  return #process.list "/proc/self/task"
end

-- What this process has in use, once the threads of clients that are gone have ended.
local function look(threads)
  local deadline = socket.gettime() + longest_wait
  repeat collect() until count_threads() <= threads or socket.gettime() > deadline
  local lua = collectgarbage "count" * 1024
  return {
    threads = count_threads(),
    descriptors = #process.list "/proc/self/fd",
    -- LuaJIT does not take its own memory from malloc.
    memory = counts_memory and process.memory() - (jit and 0 or lua) or 0,
    lua = lua,
    space = address_space(),
  }
end

-- Does something many times, round for round, until in one of them nothing was left. settle() comes after each round.
local function check(body, threads_meanwhile, settle, most_each)
  local threads = count_threads() + (threads_meanwhile or 0)
  local most = {
    threads = 0, descriptors = 0, memory = times * (most_each or most_bytes_each) - 1,
    lua = times * most_bytes_each - 1, space = times * stack_size / 2 - 1,
  }
  local least = {}
  local before

  local function left()
    for name, value in pairs(most) do
      if least[name] > value then return ("%.1f of %s are left each time"):format(least[name] / times, name) end
    end
  end

  for round = 0, most_rounds do
    for _ = 1, times do body() end
    if settle then settle() end
    local now = look(threads)
    if round > 0 then -- the first is for what is made once and kept
      for name, value in pairs(now) do
        local grown = value - before[name]
        least[name] = math.min(least[name] or grown, grown)
      end
      if not left() then return end
    end
    before = now
  end
  assert.is_nil(left())
end

describe("nothing is left of", function()
  local peer, client

  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  before_each(function()
    peer:reset()
    peer:default { read, made, again }
    client = nil
    collect()
  end)
  after_each(function()
    if client then client:close() end
  end)

  local function new(options)
    local all = { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 20 }
    for name, value in pairs(options or {}) do all[name] = value end
    return braze.new(all)
  end

  local function play(one)
    peer:default { read, { write = one }, again }
  end

  -- Starts calls that the peer does not answer, and waits until their requests have left.
  local requests_before
  local function start_held(count)
    local requests = {}
    for number = 1, count do requests[number] = client:start("create_send_id", parameters) end
    requests_before = requests_before + count
    assert.is_true(peer:wait { requests = requests_before })
    return requests
  end

  -- The thread gives back what was cancelled when it comes to it: before it answers what was started later.
  local function settle()
    client:start("create_send_id", parameters)
    assert.is_true(client:wait(longest_wait))
  end

  local function hold_all()
    requests_before = 0
    peer:default { read, hold }
  end

  it("a blocking call that succeeds", function()
    client = new()
    check(function() client:create_send_id(parameters) end)
  end)

  it("a blocking call that is refused", function()
    client = new()
    play(scripted_peer.answer(400, { ["x-request-id"] = "id" }, '{"message":"no","errors":["one",{"two":[2]}]}'))
    check(function() assert.is_false(pcall(client.create_send_id, client, parameters)) end)
  end)

  it("a blocking call whose answer repeats the key", function()
    client = new()
    play(scripted_peer.answer(401, {}, '{"message":"braze-key-0123456789"}'))
    check(function() assert.is_false(pcall(client.create_send_id, client, parameters)) end)
  end)

  it("a blocking call whose connection breaks", function()
    client = new()
    peer:default { read, { close = "reset" } }
    check(function() assert.is_false(pcall(client.create_send_id, client, parameters)) end)
  end)

  it("a call with parameters that are refused", function()
    client = new()
    check(function()
      assert.is_false(pcall(client.create_send_id, client, { campaign_id = "" }))
      assert.is_false(pcall(client.start, client, "create_send_id", parameters, { on_done = 1 }))
    end)
  end)

  it("a blocking call in the middle of which Lua has no memory", function()
    client = new()
    local needed = 0
    while not select(1, process.starve(needed, client.create_send_id, client, parameters)) do needed = needed + 1 end
    assert.is_true(needed > 5, needed)
    local left = 0
    check(function()
      left = (left + 1) % needed
      local _, refused = process.starve(left, client.create_send_id, client, parameters)
      assert.is_true(refused or left > 0)
    end)
  end)

  it("a call whose answer is asked for", function()
    client = new()
    check(function()
      local request = client:start("create_send_id", parameters)
      assert.is_true(request:wait(longest_wait))
      assert.equal("made", request:result().send_id)
      client:step()
    end, 1)
  end)

  it("a call that is delivered to its on_done", function()
    client = new()
    check(function()
      client:start("create_send_id", parameters, { on_done = function() end })
      assert.is_true(client:wait(longest_wait))
    end, 1)
  end)

  it("a call that nobody asks for", function()
    client = new()
    check(function()
      client:start("create_send_id", parameters)
      assert.is_true(client:wait(longest_wait))
    end, 1)
  end)

  it("a call that is delivered where Lua has no memory for its answer", function()
    client = new()
    local left, runs = 0, 0
    local options = { on_done = function() runs = runs + 1 end }
    check(function()
      client:start("create_send_id", parameters, options)
      left = left % times + 1
      local before = runs
      local returned = process.starve(left, client.wait, client, longest_wait)
      client:wait(longest_wait)
      -- Without memory to call it, the wait has raised.
      assert.is_true(runs == before + 1 or not returned)
    end, 1)
  end)

  it("a call that is cancelled before it runs", function()
    client = new()
    check(function()
      client:start("create_send_id", parameters):cancel()
      client:step()
    end, 1, settle)
  end)

  it("a call that is cancelled while it runs", function()
    hold_all()
    client = new()
    check(function()
      start_held(1)[1]:cancel()
      client:step()
    end, 1, function()
      peer:play { read, made }
      requests_before = requests_before + 1
      settle()
    end)
  end)

  it("a client that was never used", function()
    check(function() new() end, 0, nil, least_block)
  end)

  it("a client with all its options", function()
    check(function()
      new { endpoint = "https://rest.braze.test", proxy = "http://user:password@localhost:1", ca_file = "/nowhere" }
    end, 0, nil, least_block)
  end)

  it("a client that trusts whom the system trusts", function()
    peer:default { { read = "any" }, { close = "fin" } }
    check(function()
      client = new { endpoint = ("https://localhost:%d"):format(peer.port) }
      assert.is_false(pcall(client.create_send_id, client, parameters))
      client:close()
    end)
  end)

  for _, ending in ipairs { "closed", "collected" } do
    local function finish()
      if ending == "closed" then client:close() end
      client = nil
      collect()
    end

    it("a client that made calls and was " .. ending, function()
      check(function()
        client = new()
        client:create_send_id(parameters)
        finish()
      end)
    end)

    it("a client that started calls and was " .. ending, function()
      check(function()
        client = new()
        for _ = 1, 3 do client:start("create_send_id", parameters) end
        assert.is_true(client:wait(longest_wait))
        finish()
      end)
    end)

    it("a client with calls in flight that was " .. ending, function()
      hold_all()
      check(function()
        client = new()
        start_held(2)
        finish()
      end)
    end)

    it("a client whose descriptor was asked for and that was " .. ending, function()
      check(function()
        client = new()
        client:pollfd()
        finish()
      end)
    end)

    it("a client that tells a socket of its host's and was " .. ending, function()
      local pair = { socket.tcp(), socket.tcp() }
      assert(pair[1]:bind("127.0.0.1", 0))
      local descriptor = pair[1]:getfd()
      check(function()
        client = new()
        core.notify(client, descriptor)
        core.notify(client, descriptor)
        client:start("create_send_id", parameters)
        assert.is_true(client:wait(longest_wait))
        finish()
      end)
      for _, one in ipairs(pair) do one:close() end
    end)
  end

  it("a channel for a host that can wait for sockets alone", function()
    check(function()
      for _, ending in ipairs { "close", "accept" } do
        local channel = assert(core.channel())
        channel[ending](channel)
      end
      assert(core.channel())
    end)
  end)

  it("a socket of its host's that a client told before", function()
    local told = socket.tcp()
    assert(told:bind("127.0.0.1", 0))
    client = new()
    client:pollfd()
    check(function()
      core.notify(client, told:getfd())
      core.notify(client, -1)
    end)
    told:close()
  end)
end)
