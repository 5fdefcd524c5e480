-- A process that forks: the child works with connections of its own, the parent goes on as if nothing had been.

local run_with_process = require("spec.support.child").run_with_process
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local standin = require "spec.support.standin"
local with_peer = require "spec.support.with_peer"

local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local path = build .. "/test/braze.so"
local process = assert(package.loadlib(path, "luaopen_braze_process_spec"))()

local created = scripted_peer.created
local read, hold, again = { read = "request" }, { hold = true }, { again = true }
local campaign = { campaign_id = "campaign" }
-- Far above what a child needs: who takes longer hangs.
local child_seconds = 30

-- How a child ended. It leaves the parent's engine and worker alone, and so loses them: valgrind gives it a status for
-- that.
local function wait_for(child, seconds)
  local how, code = process.wait(child, seconds)
  if code == 99 and os.getenv "BRAZE_VALGRIND" then code = 0 end
  return how, code
end

-- Forks. The child runs the function and ends with what it returned or raised; nobody else's code runs in it. Returns a
-- function that waits for that, checks that all went well, and gives what the child's function returned (a string).
local function fork(run)
  local reading, writing = process.pipe()
  local child = process.fork()
  if child == 0 then
    local good, answer = pcall(run)
    pcall(process.write, writing, tostring(answer))
    process.exit(good and 0 or 1)
  end
  process.close(writing)
  return function()
    local how, code = wait_for(child, child_seconds)
    local answer = how ~= "hung" and process.read(reading) or ""
    process.close(reading)
    assert.same({ "exited", 0, answer }, { how, code, answer })
    return answer
  end
end

describe("after a fork", function()
  local peer, new = with_peer({ read, { write = created() }, again }, { retries = 2 })
  local client

  before_each(function() client = new() end)

  local function call(id, one)
    local result = (one or client):create_send_id { campaign_id = "campaign", send_id = id }
    assert(result.send_id == id)
  end

  local function start(id, on_done, one)
    return (one or client):start("create_send_id", { campaign_id = "campaign", send_id = id }, { on_done = on_done })
  end

  -- Starts a call and waits until it is answered and delivered.
  local function start_and_wait(id, one)
    local runs = 0
    local request = start(id, function(_, result)
      assert(result.send_id == id)
      runs = runs + 1
    end, one)
    assert((one or client):wait(20))
    assert(runs == 1 and request:result().send_id == id)
  end

  it("child and parent each have a connection of their own for blocking calls", function()
    call "parent-1"
    local wait = fork(function()
      call "child-1"
      call "child-2"
    end)
    call "parent-2"
    wait()
    call "parent-3"
    local texts = peer:send_ids()
    table.sort(texts)
    assert.same({ "child-1 child-2", "parent-1 parent-2 parent-3" }, texts)
  end)

  it("child and parent each have a connection of their own for started calls", function()
    start_and_wait "parent-1"
    local descriptor = client:pollfd()
    local wait = fork(function()
      start_and_wait "child-1"
      assert(client:pollfd() == client:getfd())
      start_and_wait "child-2"
    end)
    start_and_wait "parent-2"
    wait()
    start_and_wait "parent-3"
    assert.equal(descriptor, client:pollfd())
    local texts = peer:send_ids()
    table.sort(texts)
    assert.same({ "child-1 child-2", "parent-1 parent-2 parent-3" }, texts)
  end)

  it("a child uses a client that its parent never used, and so does a grandchild", function()
    local fresh = new()
    fork(function()
      call("child-1", fresh)
      start_and_wait("child-2", fresh)
      fork(function()
        call("grandchild-1", fresh)
        start_and_wait("grandchild-2", fresh)
      end)()
      call("child-3", fresh)
    end)()
    call("parent", fresh)
    local texts = peer:send_ids()
    table.sort(texts)
    assert.same({ "child-1 child-3", "child-2", "grandchild-1", "grandchild-2", "parent" }, texts)
  end)

  describe("with calls in flight", function()
    it("they are cancelled in the child, and the parent's go on", function()
      peer:play { read, { pause = 0.2 }, { write = created() }, hold }
      local runs = 0
      local request = start("parent", function() runs = runs + 1 end)
      assert.is_true(peer:wait { requests = 1 })
      local wait = fork(function()
        assert(client:pending() == 0)
        assert(request:done())
        assert(request:wait(0) and request:wait())
        local good, failure = pcall(request.result, request)
        assert(not good and failure.kind == "cancelled" and failure.maybe_applied)
        assert(failure.where:find("fork_spec.lua", 1, true))
        assert(select(2, pcall(request.result, request)) == failure)
        request:cancel()
        assert(client:step() == 0 and client:wait(0) and client:wait())
        start_and_wait "child-1"
        call "child-2"
        assert(client:pending() == 0 and runs == 0)
      end)
      assert.is_false(request:done())
      assert.equal(1, client:pending())
      wait()
      assert.is_true(request:wait(10))
      assert.equal("parent", request:result().send_id)
      assert.equal(1, client:step())
      assert.equal(1, runs)
      local texts = peer:send_ids()
      assert.equal("parent", table.remove(texts, 1))
      table.sort(texts)
      assert.same({ "child-1", "child-2" }, texts)
      assert.is_nil(peer:log()[1].ended)
    end)

    it("whatever the child closes or cancels or collects is not the parent's", function()
      peer:play { read, { pause = 0.2 }, { write = created() }, hold }
      local request = start "parent"
      assert.is_true(peer:wait { requests = 1 })
      for _, touch in ipairs {
        function() client:close() end,
        function() request:cancel() end,
        function() client:step() client:close() end,
        function() debug.getmetatable(client).__gc(client) end,
        function() debug.getmetatable(request).__gc(request) debug.getmetatable(client).__gc(client) end,
        function()
          client, request = nil, nil
          collectgarbage()
          collectgarbage()
        end,
      } do fork(touch)() end
      assert.is_true(request:wait(10))
      assert.equal("parent", request:result().send_id)
      assert.is_nil(peer:log()[1].ended)
    end)

    it("what had finished before is delivered in the parent alone, and readable in both", function()
      local runs = 0
      local request = start("parent", function() runs = runs + 1 end)
      assert.is_true(request:wait(5))
      fork(function()
        assert(client:pending() == 0 and client:step() == 0)
        assert(request:done() and request:result().send_id == "parent")
        assert(socket.select({ client }, nil, 0)[1] == nil)
        start_and_wait "child"
        assert(runs == 0)
      end)()
      assert.equal(client, socket.select({ client }, nil, 0)[1])
      assert.same({ 1, 1 }, { client:pending(), client:step() })
      assert.equal(1, runs)
    end)

    it("the descriptor of each tells of its own answers", function()
      local wait_for_child
      local parents = client:pollfd()
      peer:default { read, { pause = 0.1 }, { write = created() }, again }
      start "parent"
      wait_for_child = fork(function()
        start "child"
        assert(socket.select({ client }, nil, 20)[1] == client)
        assert(client:step() == 1)
        assert(socket.select({ client }, nil, 0)[1] == nil)
      end)
      assert.equal(client, socket.select({ client }, nil, 20)[1])
      wait_for_child()
      assert.equal(client, socket.select({ client }, nil, 0)[1])
      assert.equal(1, client:step())
      assert.is_nil(socket.select({ client }, nil, 0)[1])
      assert.equal(parents, client:pollfd())
    end)

    it("in the queue, they may be applied for all that the child knows", function()
      peer:default { read, hold }
      local narrow = new { max_connections = 1 }
      local requests = { start("one", nil, narrow), start("two", nil, narrow) }
      assert.is_true(peer:wait { requests = 1 })
      local wait = fork(function()
        for number = 2, 1, -1 do
          local good, failure = pcall(requests[number].result, requests[number])
          assert(not good and failure.kind == "cancelled" and failure.maybe_applied, number)
        end
      end)
      wait()
    end)

    it("in the queue and between two tries, they leave once, and from the parent", function()
      peer:play { read, { write = scripted_peer.answer(503) }, read, { write = created() }, read, { write = created() },
        read, { write = created() }, hold }
      local single = new { max_connections = 1 }
      for number = 1, 3 do start("id-" .. number, nil, single) end
      assert.is_true(peer:wait { requests = 1 })
      for _ = 1, 10 do fork(function() assert(single:pending() == 0) end)() end
      assert.is_true(single:wait(20))
      local seen = {}
      for id in peer:send_ids()[1]:gmatch "%S+" do seen[id] = (seen[id] or 0) + 1 end
      assert.same({ ["id-1"] = 2, ["id-2"] = 1, ["id-3"] = 1 }, seen)
      assert.equal(1, #peer:log())
    end)
  end)

  it("inside an on_done the rest is delivered in the parent alone", function()
    local runs, wait = 0, nil
    for number = 1, 3 do
      assert.is_true(start("id-" .. number, function()
        runs = runs + 1
        if runs > 1 then return end
        wait = fork(function()
          assert(client:pending() == 0)
          start_and_wait "child"
          return "child was here"
        end)
      end):wait(5))
    end
    assert.equal(3, client:step())
    assert.equal(3, runs)
    assert.equal("child was here", wait())
  end)

  -- The child leaves the on_done that it was made in, and so ends inside the parent's step.
  for _, touched in ipairs { "does nothing with", "uses" } do
    it("a child that returns from an on_done and " .. touched .. " the client delivers no more", function()
      local reading, writing = process.pipe()
      local runs, child = 0, nil
      local parent = process.id()
      for number = 1, 3 do
        assert.is_true(start("id-" .. number, function()
          runs = runs + 1
          if runs > 1 then return end
          child = process.fork()
          if child == 0 and touched == "uses" then client:pending() end
        end):wait(5))
      end
      local delivered = client:step()
      if process.id() ~= parent then
        process.write(writing, ("%d %d"):format(runs, client:pending()))
        process.exit(0)
      end
      process.close(writing)
      local how, code = wait_for(child, child_seconds)
      local answer = process.read(reading)
      process.close(reading)
      assert.same({ "exited", 0 }, { how, code })
      assert.equal("1 0", answer)
      assert.same({ 3, 3, 0 }, { delivered, runs, client:pending() })
      assert.is_nil(socket.select({ client }, nil, 0)[1])
    end)
  end

  local function run(program)
    return run_with_process(peer.url, program)
  end

  it("a child does all where its parent has only required the module", function()
    local output, status = run [[
      local client = braze.new { api_key = "braze-key-0123456789", endpoint = url }
      local child = process.fork()
      local id = client:create_send_id({ campaign_id = "campaign", send_id = "mine" }).send_id
      local request = client:start("create_send_id", { campaign_id = "campaign", send_id = "yours" })
      assert(client:wait(20) and request:result().send_id == "yours" and id == "mine")
      if child == 0 then os.exit(0, true) end
      io.write(process.wait(child, 30))
    ]]
    assert.same({ "exited0", "0" }, { output, status })
    assert.equal(4, peer:requests())
  end)

  for _, ending in ipairs { "", "os.exit(0)", "os.exit(0, true)", "client:close() os.exit(0, true)" } do
    local name = ending == "" and "nothing" or ending
    it("a child may end by " .. name .. " with its parent's calls in flight", function()
      peer:default { read, { pause = 0.2 }, { write = created() }, hold }
      local output, status = run(([[
        local client = braze.new { api_key = "braze-key-0123456789", endpoint = url }
        client:create_send_id { campaign_id = "campaign" }
        local runs = 0
        for _ = 1, 5 do
          client:start("create_send_id", { campaign_id = "campaign" }, { on_done = function(failure)
            runs = runs + 1
            assert(not failure)
          end })
        end
        client:wait(0.05)
        local child = process.fork()
        if child ~= 0 then
          local how, code = process.wait(child, 30)
          assert(client:wait(20) and runs == 5)
          io.write(how, code)
        else
          %s
        end
      ]]):format(ending))
      assert.same({ "exited0", "0" }, { output, status })
      assert.equal(6, peer:requests())
    end)
  end

  it("during handshakes, again and again, nothing hangs", function()
    local service = standin.start()
    service.reset()
    local key = service.workspace_key "fork"
    for round = 1, 50 do
      local secure = new { api_key = key, endpoint = service.https .. "/fast", ca_file = service.ca_file }
      local requests = {}
      for number = 1, 4 do requests[number] = secure:start("create_send_id", campaign) end
      secure:wait(round / 5000)
      local wait = fork(function()
        for _, request in ipairs(requests) do assert(request:done()) end
        call("send_identifier", secure)
        start_and_wait("send_identifier", secure)
      end)
      assert.is_true(secure:wait(20))
      for _, request in ipairs(requests) do assert.equal(201, request:result().status) end
      wait()
      secure:close()
    end
  end)

  -- A thread that ends gives back what OpenSSL keeps for it, under a lock of OpenSSL's.
  it("while the threads of closed clients end, nothing hangs", function()
    local service = standin.start()
    service.reset()
    local options = { endpoint = service.https .. "/fast", ca_file = service.ca_file, api_key = service.key }
    for _ = 1, 60 do
      local ending, waits = {}, {}
      for number = 1, 16 do
        ending[number] = new(options)
        ending[number]:start("create_send_id", campaign)
      end
      assert.is_true(ending[16]:wait(20))
      for _, one in ipairs(ending) do one:close() end
      local fresh = new(options)
      for number = 1, 4 do
        waits[number] = fork(function() assert(fresh:start("create_send_id", campaign):wait(10)) end)
      end
      for _, wait in ipairs(waits) do wait() end
    end
  end)
end)
