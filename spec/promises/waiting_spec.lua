-- What waiting costs and leaves alone: it takes no CPU, the host's thread keeps its signals, and a call that is
-- cancelled holds nothing that others wait for.

local braze = require "braze"
local child = require "spec.support.child"
local core = require "braze.core"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"

local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local process = assert(package.loadlib(build .. "/test/braze.so", "luaopen_braze_process_spec"))()

local read, hold, again = { read = "request" }, { hold = true }, { again = true }
local made = { write = scripted_peer.created "made" }
local parameters = { campaign_id = "campaign" }
local pause = 0.3
-- A wait that looks again and again takes all of the pause, if no other process wants its part of the processor,
-- and one that sleeps less than a hundredth.
local most_cpu = os.getenv "BRAZE_VALGRIND" and 10 or pause / 20

describe("a client that waits", function()
  local peer, client

  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  before_each(function() peer:reset() end)
  after_each(function()
    if client then client:close() end
    client = nil
  end)

  local function new(options)
    local all = { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 10 }
    for name, value in pairs(options or {}) do all[name] = value end
    client = braze.new(all)
  end

  -- The seconds and the CPU seconds of all threads that a function takes.
  local function cost(wait)
    local began, cpu = socket.gettime(), os.clock()
    wait()
    return socket.gettime() - began, os.clock() - cpu
  end

  local function check(wait)
    local seconds, cpu = cost(wait)
    assert.is_true(seconds > pause * 0.9, seconds)
    assert.is_true(cpu < most_cpu, cpu .. " s of CPU in " .. seconds .. " s")
  end

  describe("takes no CPU", function()
    it("for a blocking call", function()
      peer:default { read, { pause = pause }, made, again }
      new()
      check(function() client:create_send_id(parameters) end)
    end)

    it("in request:wait", function()
      peer:default { read, hold }
      new()
      local request = client:start("create_send_id", parameters)
      assert.is_true(peer:wait { requests = 1 })
      check(function() assert.is_false(request:wait(pause)) end)
    end)

    it("in client:wait", function()
      peer:default { read, hold }
      new()
      client:start("create_send_id", parameters)
      assert.is_true(peer:wait { requests = 1 })
      check(function() assert.is_false(client:wait(pause)) end)
    end)

    it("while its thread has nothing to do", function()
      peer:default { read, made, again }
      new()
      -- The second finds the thread asleep, and wakes it.
      for _ = 1, 2 do
        client:start("create_send_id", parameters)
        assert.is_true(client:wait(5))
      end
      check(function() socket.sleep(pause) end)
    end)

    it("once the peer has closed the connection that is kept", function()
      peer:default { read, made }
      new()
      client:start("create_send_id", parameters)
      assert.is_true(client:wait(5))
      assert.is_true(peer:wait { ended = 1 })
      check(function() socket.sleep(pause) end)
    end)

    it("once its host has closed all descriptors, as some do that become a daemon", function()
      peer:default { read, hold }
      local output = child.run(([[
        local braze = require "braze"
        local process = assert(package.loadlib(%q, "luaopen_braze_process_spec"))()
        local client = braze.new { api_key = "braze-key-0123456789", endpoint = %q, retries = 0, timeout = 1 }
        local request = client:start("create_send_id", { campaign_id = "campaign" })
        request:wait(0.1)
        for descriptor = 3, 255 do process.close(descriptor) end
        local done = request:wait(5)
        local cpu = os.clock()
        os.execute "sleep %g"
        local _, failure = pcall(request.result, request)
        print(done, failure.maybe_applied, os.clock() - cpu)
      ]]):format(build .. "/test/braze.so", peer.url, pause))
      local cpu = output:match "^true%s+true%s+(%S+)"
      assert.is_true((tonumber(cpu) or 1) < most_cpu, output)
    end)

    it("between two tries", function()
      peer:default { read, { write = scripted_peer.answer(503, { ["Retry-After"] = 1 }) }, again }
      new { retries = 1 }
      check(function() pcall(client.create_send_id, client, { campaign_id = "campaign", send_id = "mine" }) end)
      client:start("create_send_id", { campaign_id = "campaign", send_id = "mine" })
      assert.is_true(peer:wait { requests = 3 })
      check(function() client:wait(pause) end)
    end)
  end)

  it("wakes as soon as there is an answer", function()
    peer:default { read, { pause = 0.05 }, made, again }
    new()
    for _, wait in ipairs {
      function(request) return request:wait(10) end,
      function() return client:wait(10) end,
    } do
      local seconds = cost(function() assert.is_true(wait(client:start("create_send_id", parameters))) end)
      assert.is_true(seconds < 0.8, seconds)
      client:step()
    end
  end)

  it("has its host's thread take all signals, and its own none", function()
    local function blocked() return process.blocked() end
    local before = blocked()
    local threads = {}
    for _, thread in ipairs(process.list "/proc/self/task") do threads[thread] = true end
    peer:default { read, hold }
    new()
    client:start("create_send_id", parameters)
    assert.is_true(peer:wait { requests = 1 })
    assert.same(before, blocked())
    local count = 0
    for _, thread in ipairs(process.list "/proc/self/task") do
      if not threads[thread] then
        count = count + 1
        local file = assert(io.open("/proc/self/task/" .. thread .. "/status"))
        local mask = file:read "*a":match "SigBlk:%s*%x*(%x%x%x%x%x%x%x%x)\n"
        file:close()
        -- All of the first 31 but SIGKILL and SIGSTOP, which can't be blocked.
        assert.equal("7ffbfeff", mask)
      end
    end
    assert.is_true(count >= 1)
  end)

  it("gives its connection to the next when a call is cancelled", function()
    peer:default { read, hold }
    new { max_connections = 2 }
    for round = 1, 3 do
      local requests = {}
      for number = 1, 2 do requests[number] = client:start("create_send_id", parameters) end
      assert.is_true(peer:wait { requests = round * 2 })
      for _, request in ipairs(requests) do request:cancel() end
      client:step()
    end
    peer:default { read, made, again }
    local last = client:start("create_send_id", parameters)
    assert.is_true(last:wait(5))
    assert.equal("made", last:result().send_id)
  end)

  it("keeps as many connections as it may have", function()
    peer:default { read, { pause = 0.05 }, made, again }
    new { max_connections = 4 }
    for _ = 1, 3 do
      for _ = 1, 4 do client:start("create_send_id", parameters) end
      assert.is_true(client:wait(5))
    end
    assert.equal(4, #peer:log())
  end)

  it("keeps to its number of connections after calls were cancelled", function()
    peer:default { read, hold }
    new { max_connections = 2 }
    local running, waiting = {}, {}
    for number = 1, 2 do running[number] = client:start("create_send_id", parameters) end
    assert.is_true(peer:wait { requests = 2 })
    for number = 1, 3 do waiting[number] = client:start("create_send_id", parameters) end
    for number = 1, 2 do waiting[number]:cancel() end
    running[1]:cancel()
    -- The third that waits takes the place of the one that ran.
    assert.is_true(peer:wait { requests = 3 })
    client:start("create_send_id", parameters)
    client:start("create_send_id", parameters)
    assert.is_false((peer:wait { requests = 4, seconds = 0.2 }))
  end)

  it("does not wait for longer than it is told", function()
    peer:default { read, hold }
    new()
    local request = client:start("create_send_id", parameters)
    local seconds = cost(function()
      for _ = 1, 5 do assert.is_false(request:wait(0.01) or client:wait(0.01)) end
    end)
    assert.is_true(seconds < 2.5, seconds)
  end)

  it("waits for an answer until its deadline, and not a second longer", function()
    peer:default { read, hold }
    new()
    for _, timeout in ipairs { 0.2, 0.3 } do
      local failure = select(2, pcall(client.create_send_id, client, parameters, { timeout = timeout }))
      assert.equal("timeout", failure.kind)
      assert.is_true(failure.elapsed >= timeout * 0.9 and failure.elapsed < timeout + 0.9, failure.elapsed)
    end
  end)

  it("begins what waits in the order of its start", function()
    peer:default { read, { pause = 0.02 }, made, again }
    new { max_connections = 1 }
    for number = 1, 6 do client:start("create_send_id", { campaign_id = "campaign", send_id = "id-" .. number }) end
    assert.is_true(client:wait(5))
    local ids = {}
    for id in peer:log()[1].received:gmatch '"send_id":"id%-(%d)"' do ids[#ids + 1] = id end
    assert.equal("123456", table.concat(ids))
  end)

  it("delivers what had finished, and nothing that finished meanwhile, also later on", function()
    peer:default { read, made, again }
    new()
    for _ = 1, 3 do
      client:start("create_send_id", parameters)
      assert.is_true(client:wait(5))
    end
    local request = client:start("create_send_id", parameters, { on_done = function()
      client:start("create_send_id", parameters):cancel()
    end })
    assert.is_true(request:wait(5))
    assert.equal(1, client:step())
    assert.equal(1, client:step())
  end)

  it("ends the connection of a call that is cancelled, though nothing else happens", function()
    peer:default { read, hold }
    new()
    local request = client:start("create_send_id", parameters)
    assert.is_true(peer:wait { requests = 1 })
    request:cancel()
    assert.is_true((peer:wait { ended = 1 }))
  end)

  it("tells its host's socket of each answer that it has not heard of", function()
    peer:default { read, made, again }
    new()
    local told, heard = process.socketpair()
    core.notify(client, told)
    process.close(told)
    for _ = 1, 2 do
      local requests = {}
      for number = 1, 3 do requests[number] = client:start("create_send_id", parameters) end
      for _, request in ipairs(requests) do assert.is_true(request:wait(5)) end
      -- One byte for all of them, and one more whenever some are left.
      for _ = 1, 3 do
        assert.equal("\0", process.read(heard))
        assert.equal(1, client:step(1))
      end
    end
    core.notify(client, -1)
    assert.equal("", process.read(heard))
    process.close(heard)
  end)

  -- In a process of its own: who dies or hangs is not busted, and luasocket has SIGPIPE ignored, by children too.
  local prelude = [[
    local process = assert(package.loadlib(%q, "luaopen_braze_process_spec"))()
    local core = require "braze.core"
    local client = core.braze.new { api_key = "braze-key-0123456789", endpoint = %q }
    local child = process.fork()
    if child ~= 0 then return io.write(table.concat({ process.wait(child, 10) }, " ")) end
    process.die_of_pipes()
    local told, heard = process.socketpair()
    core.notify(client, told)
  ]]
  local tell = [[
    for _ = 1, 3 do
      client:start("create_send_id", { campaign_id = "campaign" }):cancel()
      client:step()
    end
    process.exit(7)
  ]]
  for what, change in pairs {
    ["is closed at the other end"] = "process.close(heard)",

    ["takes no more"] = "process.fill(told)",
  } do
    it("goes on where its host's socket " .. what, function()
      local program = prelude:format(build .. "/test/braze.so", peer.url) .. change .. tell
      assert.equal("exited 7", (child.run(program)))
    end)
  end

  it("has a descriptor that no child inherits, and in which nobody waits", function()
    new()
    local file = assert(io.open("/proc/self/fdinfo/" .. client:pollfd()))
    local flags = file:read "*a":match "flags:%s*(%d+)"
    file:close()
    -- Octal digits: O_CLOEXEC is 02000000, O_NONBLOCK 04000.
    assert.matches("^0?2%d%d4%d%d%d$", flags)
  end)
end)
