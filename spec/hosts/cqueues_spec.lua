-- braze.cqueues: coroutines of a cqueues controller that are written as if they blocked.

local has_cqueues, cqueues = pcall(require, "cqueues")
if not has_cqueues then
  describe("braze.cqueues", function() pending("cqueues is not installed", function() end) end)
  return
end

local braze = require "braze.cqueues"
local auxlib = require "cqueues.auxlib"
local cqueues_socket = require "cqueues.socket"
local child = require "spec.support.child"
local collect = require "spec.support.collect"
local examples = require "spec.support.example"
local host_loop = require "spec.support.host_loop"
local scripted_peer = require "spec.support.scripted_peer"

local read, again, hold = host_loop.read, host_loop.again, host_loop.hold
local parameters, goodbye, pcall_stops_yields = host_loop.parameters, host_loop.goodbye, host_loop.pcall_stops_yields

-- Runs each function in a coroutine of one controller, to the end of its loop; returns the errors that it surfaced.
local function go(...)
  local controller, failures = cqueues.new(), {}
  for _, body in ipairs { ... } do controller:wrap(body) end
  for failure in controller:errors() do failures[#failures + 1] = failure end
  assert.is_true(controller:empty())
  return failures
end

-- A server in this very loop, which answers only when so many requests are there: a call that blocked the loop, or
-- one that waited for another, would never get its answer. Runs before_answers before them.
local function serve(needed, before_answers)
  local server, waiting = cqueues_socket.listen("127.0.0.1", 0), {}
  local _, _, port = server:localname()
  return "http://127.0.0.1:" .. port, function()
    for _ = 1, needed do
      local socket = server:accept()
      socket:setmode("b", "b")
      local length
      repeat
        local line = socket:read "*l"
        length = line:lower():match "^content%-length: (%d+)" or length
      until #line <= 1
      socket:read(tonumber(length))
      waiting[#waiting + 1] = socket
    end
    server:close()
    if before_answers then before_answers() end
    for _, socket in ipairs(waiting) do
      socket:write(goodbye)
      socket:flush()
      socket:close()
    end
  end
end

describe("braze.cqueues", function()
  before_each(collect)
  local peer, new, new_safe = host_loop.peer(braze)

  it("goes on with the loop while a call waits", function()
    local ticks, results = 0, {}
    local url, server = serve(1, function()
      while ticks < 5 do cqueues.sleep(0.001) end
    end)
    local client = new(url)
    assert.same({}, go(server, function()
      results[1] = client:create_send_id(parameters)
    end, function()
      while ticks < 5 do
        cqueues.sleep(0.001)
        ticks = ticks + 1
      end
    end))
    assert.equal("made", results[1].send_id)
    assert.equal(201, results[1].status)
  end)

  it("has coroutines of two controllers wait at once, one inside the other", function()
    local url, server = serve(2)
    local client, ids = new(url), {}
    local function call() ids[#ids + 1] = client:create_send_id(parameters).send_id end
    assert.same({}, go(server, call, function()
      local inner = cqueues.new()
      inner:wrap(call)
      assert(inner:loop())
    end))
    assert.same({ "made" }, { ids[1] })
    assert.equal(0, client:pending())
  end)

  it("goes on in another controller where one was given up with a call in flight", function()
    peer:play { read, hold }
    local client, ids = new(), {}
    local abandoned = cqueues.new()
    abandoned:wrap(function() client:create_send_id(parameters) end)
    while peer:requests() < 1 do abandoned:step(0.001) end
    local done = false
    assert.same({}, go(function()
      ids[1] = client:create_send_id(parameters).send_id
      done = true
      client:close()
    end))
    assert.is_true(done)
    assert.same({ "made" }, ids)
  end)

  it("gives an error with the caller's line", function()
    peer:default { read, { write = scripted_peer.answer(429, {}, '{"message":"slow down"}') }, again }
    local failures = {}
    local surfaced = go(function()
      local _, failure = new_safe():create_send_id(parameters)
      failures[#failures + 1] = failure
    end, function()
      if pcall_stops_yields then return end
      local _, failure = pcall(new().create_send_id, new(), parameters)
      failures[#failures + 1] = failure
    end, function()
      new():create_send_id(parameters)
    end)
    assert.equal(1, #surfaced)
    failures[#failures + 1] = surfaced[1]
    assert.equal(pcall_stops_yields and 2 or 3, #failures)
    for _, failure in ipairs(failures) do
      assert.equal("rate_limited", failure.kind)
      assert.matches("^%S*spec/hosts/cqueues_spec%.lua:%d+:$", failure.where)
    end
  end)

  it("runs on_done from the loop", function()
    peer:play { read, { write = scripted_peer.answer(400, { connection = "close" }, '{"message":"no"}') } }
    local client, got, early = new(), {}, {}
    for number = 1, 2 do
      assert.same({}, go(function()
        client:start("create_send_id", parameters, {
          on_done = function(err, result) got[number] = err and err.kind or result.send_id end,
        })
        early[number] = got[number]
      end))
    end
    assert.same({}, early)
    assert.same({ "rejected", "made" }, got)
    assert.equal(0, client:pending())
  end)

  it("surfaces what an on_done raises, and runs the others", function()
    local client, done, called = new(), {}, {}
    local surfaced = go(function()
      for number = 1, 3 do
        client:start("create_send_id", parameters, {
          on_done = function()
            done[#done + 1] = number
            if number == 2 then error "oh no" end
          end,
        })
      end
      client:wait()
      called[1] = client:create_send_id(parameters).send_id
    end)
    table.sort(done)
    assert.same({ 1, 2, 3 }, done)
    assert.equal(1, #surfaced)
    assert.matches("oh no", surfaced[1], 1, true)
    assert.same({ "made" }, called)
  end)

  it("wakes who waits for what another coroutine cancels or closes", function()
    peer:default { read, hold }
    local client, woken = new_safe(), {}
    local request
    assert.same({}, go(function()
      request = client:start("create_send_id", parameters)
      woken.request = request:wait() and select(2, request:result()).kind
    end, function()
      local _, failure = client:create_send_id(parameters)
      woken.call = failure.kind .. (failure.maybe_applied and "!" or "")
    end, function()
      cqueues.sleep(0)
      woken.client = client:wait(10)
    end, function()
      while peer:requests() < 2 do cqueues.sleep(0.001) end
      request:cancel()
      while not woken.request do cqueues.sleep(0.001) end
      assert(woken.call == nil)
      client:close()
    end))
    assert.same({ request = "cancelled", call = "cancelled!", client = true }, woken)
  end)

  it("delivers what was closed outside of the loop when that goes on", function()
    peer:default { read, hold }
    local client, kinds = new_safe(), {}
    local controller = cqueues.new()
    controller:wrap(function()
      client:start("create_send_id", parameters, { on_done = function(err) kinds[1] = err.kind end })
      kinds[2] = select(2, client:create_send_id(parameters)).kind
    end)
    while peer:requests() < 2 do controller:step(0.001) end
    client:close()
    assert.same({}, kinds)
    assert(controller:loop())
    assert.same({ "cancelled", "cancelled" }, kinds)
  end)

  it("refuses to wait where nothing may yield, before anything is sent", function()
    local client, failures = new(), {}
    local function attempt(wait, name)
      local good, failure = pcall(wait)
      assert(not good, name)
      failures[#failures + 1] = failure
    end
    attempt(function() client:create_send_id(parameters) end, "outside")
    attempt(function() client:start("create_send_id", parameters) end, "outside")
    attempt(coroutine.wrap(function() client:create_send_id(parameters) end), "a coroutine of nobody's")
    for _, failure in ipairs(failures) do
      assert.matches("controller:wrap", failure.hint, 1, true)
      assert.matches("cqueues controller", failure.message, 1, true)
    end
    local surfaced = go(function()
      table.sort({ 3, 1, 2 }, function(one, other) client:create_send_id(parameters) return one < other end)
    end)
    assert.equal(1, #surfaced)
    failures[#failures + 1] = surfaced[1]
    if pcall_stops_yields then
      go(function() attempt(function() client:create_send_id(parameters) end, "pcall") end)
      failures[#failures + 1] = go(function()
        for _ in function() client:create_send_id(parameters) end do assert(client) end
      end)[1]
      assert.equal(6, #failures)
    end
    for _, failure in ipairs(failures) do
      assert.equal("usage", failure.kind)
      assert.is_false(failure.maybe_applied)
      assert.matches("spec/hosts/cqueues_spec.lua:", failure.where, 1, true)
    end
    assert.equal(0, client:pending())
    assert.equal(0, #peer:log())
  end)

  it("waits in coroutines of auxlib, and in none that is inside another one", function()
    local client, words = new_safe(), {}
    local function call()
      local result, failure = client:create_send_id(parameters)
      words[#words + 1] = result and result.send_id or failure.kind .. ": " .. failure.message
      return words[#words]
    end
    assert.same({}, go(function()
      local items = auxlib.wrap(function()
        coroutine.yield(call())
        coroutine.yield(call())
      end)
      for _ = 1, 2 do assert.equal("made", items()) end
      local good, item = auxlib.resume(coroutine.create(call))
      assert.is_true(good)
      assert.equal("made", item)
      for item_of_plain in coroutine.wrap(function()
        auxlib.wrap(call)()
        coroutine.yield(call())
      end) do
        assert.equal(words[5], item_of_plain)
      end
      auxlib.wrap(function() coroutine.wrap(call)() end)()
    end))
    assert.same({ "made", "made", "made" }, { words[1], words[2], words[3] })
    assert.equal(6, #words)
    for number = 4, 6 do assert.matches("^usage: .*the controller would not resume", words[number]) end
    assert.equal(3, peer:requests())
    assert.equal(0, client:pending())
  end)

  it("lets go of clients, and of their descriptors", function()
    local controller = cqueues.new()
    host_loop.lets_go_of_clients(peer, new, function(...)
      for _, body in ipairs { ... } do controller:wrap(body) end
      assert(controller:loop())
    end, function(kept)
      -- What the controller itself still holds of a coroutine goes in its own time.
      local until_gone = os.time() + 10
      while next(kept) and os.time() <= until_gone and controller:step(0) do collect() end
      controller:close()
    end)
  end)
end)

describe("examples/cqueues.lua", function()
  local example = examples.new("cqueues", child.run)

  before_each(example.reset)

  it("makes an ID for each of its arguments", function() example.makes_each "The controller ticked" end)

  it("ends with what went wrong", function() example.ends_with_what_went_wrong() end)
end)
