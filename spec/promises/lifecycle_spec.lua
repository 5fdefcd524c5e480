-- Clients begin and end: by close, by the collector, by the end of the state or of the process.

local braze = require "braze"
local child = require "spec.support.child"
local collect = require "spec.support.collect"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local with_peer = require "spec.support.with_peer"

local run = child.run
local created = scripted_peer.created "made"
local read, answer, again = { read = "request" }, { write = created }, { again = true }
local parameters = { campaign_id = "campaign" }

describe("a client", function()
  before_each(collect)
  local peer = with_peer { read, answer, again }

  local function new()
    return braze.new { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 20 }
  end

  it("may be closed at any time, any number of times", function()
    for _, calls in ipairs { 0, 1, 2 } do
      local client = new()
      for _ = 1, calls do client:create_send_id(parameters) end
      for _ = 1, 3 do assert.equal(0, select("#", client:close())) end
    end
    assert.is_true(peer:wait { connections = 2, ended = 2 })
  end)

  it("gives up its connection when it is closed", function()
    local client = new()
    client:create_send_id(parameters)
    assert.is_nil(peer:log()[1].ended)
    client:close()
    assert.is_true(peer:wait { ended = 1 })
    assert.equal("client closed", peer:log()[1].ended)
  end)

  -- libcurl does not say when it closes a socket that has not become a connection yet.
  it("leaves alone the host's sockets, though they have the numbers of connections that never were", function()
    local listener = assert(socket.bind("127.0.0.1", 0))
    local _, port = listener:getsockname()
    -- One that takes no more connections: the queue of those that nobody has accepted is full.
    local full = assert(socket.bind("127.0.0.1", 0, 0))
    local _, full_port = full:getsockname()
    local queue = {}
    for number = 1, 4 do
      queue[number] = socket.tcp()
      queue[number]:settimeout(0)
      queue[number]:connect("127.0.0.1", full_port)
    end
    for _, how in ipairs { "blocking", "started" } do
      local key, endpoint = "braze-key-0123456789", "http://127.0.0.1:" .. full_port
      local client = braze.new { api_key = key, endpoint = endpoint, retries = 0, connect_timeout = 0.05 }
      local function fail()
        local failure
        if how == "started" then
          local request = client:start("create_send_id", parameters)
          assert.is_true(client:wait(20))
          failure = select(2, pcall(request.result, request))
        else
          failure = select(2, pcall(client.create_send_id, client, parameters))
        end
        assert.equal("timeout", failure.kind)
      end
      fail()
      fail()
      local ends = {}
      for number = 1, 16, 2 do
        ends[number] = assert(socket.connect("127.0.0.1", port))
        ends[number + 1] = assert(listener:accept())
        for side = 0, 1 do assert(ends[number + side]:send "kept") end
      end
      for _, side in ipairs(ends) do assert.equal(side, socket.select({ side }, nil, 10)[1]) end
      fail()
      for _, side in ipairs(ends) do assert.equal("kept", (side:receive(4)), how) end
      for number, side in ipairs(ends) do
        assert.equal(4, (side:send "more"), how)
        assert.equal("more", (ends[number % 2 == 0 and number - 1 or number + 1]:receive(4)), how)
      end
      for _, side in ipairs(ends) do side:close() end
      fail()
      local file = assert(io.open "README.md")
      fail()
      assert.equal("# braze", file:read "*l")
      file:close()
      client:close()
    end
    for _, one in ipairs(queue) do one:close() end
    full:close()
    listener:close()
  end)

  it("gives up its connection when it is collected", function()
    local function use() new():create_send_id(parameters) end
    use()
    assert.equal(1, #peer:log())
    collect()
    assert.is_true(peer:wait { ended = 1 })
  end)

  it("refuses calls once it is closed, and only calls", function()
    local client = new()
    client:close()
    for _ = 1, 2 do
      local _, failure = pcall(client.create_send_id, client, parameters)
      assert.equal("usage", failure.kind)
      assert.matches("closed", failure.message)
    end
    assert.is_string(tostring(client))
    client:close()
    assert.same({}, peer:log())
  end)

  it("closes none but itself", function()
    local one, other = new(), new()
    one:create_send_id(parameters)
    other:create_send_id(parameters)
    one:close()
    assert.equal("made", other:create_send_id(parameters).send_id)
    assert.equal(2, #peer:log())
    other:close()
  end)

  it("shares no connection with a client of another key", function()
    local one = new()
    local other = braze.new { api_key = "braze-key-9876543210", endpoint = peer.url }
    for _ = 1, 3 do
      one:create_send_id(parameters)
      other:create_send_id(parameters)
    end
    local log = peer:log()
    assert.equal(2, #log)
    for _, connection in ipairs(log) do
      local key = connection.received:match "Bearer (%S+)"
      for found in connection.received:gmatch "Bearer (%S+)" do assert.equal(key, found) end
    end
    one:close()
    other:close()
  end)

  it("is not touched by finalizers called by hand, nor are other values", function()
    local client = new()
    client:create_send_id(parameters)
    local metatable = debug.getmetatable(client)
    for _, name in ipairs { "__gc", "__close" } do
      for _, value in ipairs { 1, "text", {}, print, io.stdout, setmetatable({}, metatable) } do
        pcall(metatable[name], value)
      end
      pcall(metatable[name])
    end
    assert.equal("made", client:create_send_id(parameters).send_id)
    metatable.__gc(client)
    metatable.__gc(client)
    assert.equal("usage", select(2, pcall(client.create_send_id, client, parameters)).kind)
  end)

  -- The collector runs finalizers in an order of its own.
  it("may be closed after its own finalizer has run", function()
    local client = new()
    debug.getmetatable(client).__gc(client)
    assert.equal(0, select("#", client:close()))
  end)

  it("is no stand-in for another userdata", function()
    local client = new()
    for _, value in ipairs { io.stdout, newproxy and newproxy(true) or io.stderr } do
      local good, failure = pcall(client.create_send_id, value, parameters)
      assert.is_false(good)
      assert.equal("usage", failure.kind)
    end
    client:close()
  end)

  it("is made and collected by the hundred, used or not", function()
    local before = collectgarbage "count"
    for number = 1, 300 do
      local client = new()
      if number % 10 == 0 then client:create_send_id(parameters) end
      if number % 3 == 0 then client:close() end
    end
    collect()
    assert.is_true(peer:wait { connections = 30, ended = 30 })
    assert.equal(30, #peer:log())
    assert.is_true(collectgarbage "count" - before < 500)
  end)

  it("lives as long as a call of its needs it", function()
    assert.equal("made", new():create_send_id(parameters).send_id)
    local create_send_id = new().create_send_id
    collect()
    assert.equal("made", create_send_id(new(), parameters).send_id)
  end)

  it("works while the collector never rests", function()
    -- Lua 5.5 has another way to say it.
    local function set(name, value)
      local good, before = pcall(collectgarbage, "set" .. name, value)
      return good and before or collectgarbage("param", name, value)
    end
    local pause, step = set("pause", 0), set("stepmul", 10000)
    finally(function()
      set("pause", pause)
      set("stepmul", step)
    end)
    for _ = 1, 20 do
      local client = new()
      assert.equal("made", client:create_send_id(parameters).send_id)
      assert.is_false(pcall(client.create_send_id, client, { campaign_id = "" }))
    end
  end)

  it("fails in a coroutine and goes on outside, and the other way round", function()
    local client = new()
    local routine = coroutine.create(function() client:create_send_id {} end)
    assert.is_false(coroutine.resume(routine))
    assert.equal("made", client:create_send_id(parameters).send_id)
    local inside = coroutine.wrap(function() return client:create_send_id(parameters) end)
    assert.equal("made", inside().send_id)
    client:close()
  end)

  it("takes a call in a finalizer that runs during another call", function()
    -- Reading an answer that makes so many tables wakes the collector, which finds the garbage made before.
    local body = '{"message":"success","send_id":"made","many":[' .. ("[],"):rep(50000) .. "[]]}"
    peer:default { read, { write = scripted_peer.answer(201, nil, body) }, again }
    local output, status = run(([[
      require "cjson" -- on Lua 5.1 no finalizer may need what is just being loaded
      local client = require("braze").new { api_key = "braze-key-0123456789", endpoint = %q, retries = 0 }
      local outer, nested, failed = false, 0, 0
      local function finalize()
        if outer then nested = nested + 1 end
        outer = false
        if client:create_send_id({ campaign_id = "inner" }).send_id ~= "made" then failed = failed + 1 end
      end
      for _ = 1, 5 do
        if newproxy then
          getmetatable(newproxy(true)).__gc = finalize
        else
          setmetatable({}, { __gc = finalize })
        end
        outer = true
        local result = client:create_send_id { campaign_id = "outer" }
        outer = false
        if result.send_id ~= "made" or #result.many ~= 50001 then failed = failed + 1 end
      end
      io.write(nested > 0 and "nested" or "not nested", " ", failed)
    ]]):format(peer.url))
    assert.equal("nested 0", output)
    assert.equal("0", status)
    assert.is_true(peer:requests() > 5)
  end)

  it("may be used by the finalizers of a state that ends", function()
    local output, status = run(([[
      local client = require("braze").new { api_key = "braze-key-0123456789", endpoint = %q, retries = 0 }
      client:create_send_id { campaign_id = "first" }
      local function finalize()
        local good, answer = pcall(client.create_send_id, client, { campaign_id = "last" })
        io.write(good and answer.send_id or answer.kind)
      end
      if newproxy then
        kept = newproxy(true)
        getmetatable(kept).__gc = finalize
      else
        kept = setmetatable({}, { __gc = finalize })
      end
    ]]):format(peer.url))
    assert.equal("0", status)
    assert.is_true(output == "made" or output == "usage", output)
  end)

  local endings = { "", "os.exit(0)", "os.exit(0, true)", "collectgarbage()", "client:close()", "error('end', 0)" }
  for _, ending in ipairs(endings) do
    it("survives an end of the program by " .. (ending == "" and "nothing" or ending), function()
      local output, status = run(([[
        local braze = require "braze"
        clients = {}
        local client
        for number = 1, 10 do
          client = braze.new { api_key = "braze-key-0123456789", endpoint = %q }
          clients[number] = client
          if number %% 2 == 0 then client:create_send_id { campaign_id = "campaign" } end
        end
        io.write "done"
        %s
      ]]):format(peer.url, ending))
      assert.matches("done", output)
      assert.equal(ending:find "error" and "1" or "0", status)
      assert.is_true(peer:wait { connections = 5, ended = 5 })
    end)
  end

  it("keeps its connection while the module's table is gone", function()
    local output, status = run(([[
      local client = require("braze").new { api_key = "braze-key-0123456789", endpoint = %q }
      client:create_send_id { campaign_id = "campaign" }
      package.loaded.braze, package.loaded["braze.safe"] = nil, nil
      collectgarbage()
      io.write(client:create_send_id({ campaign_id = "campaign" }).send_id)
    ]]):format(peer.url))
    assert.equal("made", output)
    assert.equal("0", status)
    assert.equal(1, #peer:log())
  end)

  it("leaves a host's SIGPIPE and other signals as they were", function()
    local function signals()
      local text = {}
      for line in io.lines "/proc/self/status" do
        if line:find "^Sig" and not line:find "^SigQ" then text[#text + 1] = line end
      end
      return table.concat(text, "\n")
    end
    local before = signals()
    local client = new()
    client:create_send_id(parameters)
    peer:play { read, { close = "reset" } }
    peer:default { { read = 5 }, { close = "reset" } }
    pcall(client.create_send_id, client, parameters)
    client:close()
    assert.equal(before, signals())
  end)

  if _VERSION >= "Lua 5.4" then
    it("is closed at the end of a block, also by an error", function()
      local program = [[
        local new, parameters, fail = ...
        local kept
        do
          local client <close> = new()
          kept = client
          client:create_send_id(parameters)
          if fail then error "inside" end
        end
        return kept
      ]]
      local client = assert(load(program))(new, parameters)
      assert.equal("usage", select(2, pcall(client.create_send_id, client, parameters)).kind)
      assert.is_true(peer:wait { ended = 1 })
      assert.is_false(pcall(assert(load(program)), new, parameters, true))
      assert.is_true(peer:wait { ended = 2 })
      assert.matches("campaign_id", tostring(select(2, pcall(assert(load [[
        local new = ...
        local client <close> = new()
        client:create_send_id {}
      ]]), new))))
    end)
  end
end)
