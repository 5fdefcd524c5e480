-- braze.luv: coroutines of a luv loop that are written as if they blocked.

local has_luv, uv = pcall(require, "luv")
if not has_luv then
  describe("braze.luv", function() pending("luv is not installed", function() end) end)
  return
end

local braze = require "braze.luv"
local child = require "spec.support.child"
local collect = require "spec.support.collect"
local examples = require "spec.support.example"
local host_loop = require "spec.support.host_loop"
local openresty = require "spec.support.openresty"
local scripted_peer = require "spec.support.scripted_peer"

local read, again, hold = host_loop.read, host_loop.again, host_loop.hold
local parameters, goodbye, pcall_stops_yields = host_loop.parameters, host_loop.goodbye, host_loop.pcall_stops_yields

-- Runs each function in a coroutine of its own, and the loop to its end. An error would end the process, as luv does.
local function go(...)
  for _, body in ipairs { ... } do coroutine.wrap(body)() end
  uv.run()
  assert.is_false(uv.loop_alive())
end

-- A server in this very loop, which answers only when so many requests are there: a call that blocked the loop, or
-- one that waited for another, would never get its answer.
local function serve(needed, before_answers)
  local server, waiting = uv.new_tcp(), {}
  local function answer_all()
    server:close()
    for _, socket in ipairs(waiting) do
      socket:write(goodbye)
      socket:shutdown(function() socket:close() end)
    end
  end
  server:bind("127.0.0.1", 0)
  server:listen(128, function()
    local socket, text = uv.new_tcp(), ""
    server:accept(socket)
    socket:read_start(function(_, chunk)
      text = text .. (chunk or "")
      local head, body = text:match "^(.-\r\n\r\n)(.*)$"
      if not head or #body < tonumber(head:lower():match "content%-length: (%d+)") then return end
      socket:read_stop()
      waiting[#waiting + 1] = socket
      if #waiting < needed then return end
      if before_answers then before_answers(answer_all) else answer_all() end
    end)
  end)
  return "http://127.0.0.1:" .. server:getsockname().port
end

describe("braze.luv", function()
  before_each(collect)
  local peer, new, new_safe = host_loop.peer(braze)

  it("goes on with the loop while a call waits", function()
    local ticks, results = 0, {}
    local client = new(serve(1, function(answer_all)
      local timer = uv.new_timer()
      timer:start(1, 1, function()
        ticks = ticks + 1
        if ticks < 5 then return end
        timer:close()
        answer_all()
      end)
    end))
    go(function() results[1] = client:create_send_id(parameters) end)
    assert.equal("made", results[1].send_id)
    assert.equal(201, results[1].status)
    assert.equal(5, ticks)
  end)

  it("gives an error with the caller's line", function()
    peer:default { read, { write = scripted_peer.answer(429, {}, '{"message":"slow down"}') }, again }
    local failures = {}
    go(function()
      local _, failure = new_safe():create_send_id(parameters)
      failures[1] = failure
    end, function()
      if pcall_stops_yields then return end
      local _, failure = pcall(new().create_send_id, new(), parameters)
      failures[2] = failure
    end)
    assert.equal(pcall_stops_yields and 1 or 2, #failures)
    for _, failure in ipairs(failures) do
      assert.equal("rate_limited", failure.kind)
      assert.matches("^%S*spec/hosts/luv_spec%.lua:%d+:$", failure.where)
    end
  end)

  it("shows an error that nobody catches as luv does", function()
    peer:default { read, { write = scripted_peer.answer(403, {}, '{"message":"Access Denied"}') }, again }
    local output, status = child.run(([[
      local uv, braze = require "luv", require "braze.luv"
      uv.new_timer():start(0, 0, coroutine.wrap(function()
        braze.new { api_key = "braze-key-0123456789", endpoint = %q }:create_send_id { campaign_id = "c" }
      end))
      uv.run() ]]):format(peer.url))
    -- From the loop, whether the answer is there at once or later.
    assert.matches("Uncaught Error: .*:3: braze: auth %(403%): ", output)
    assert.matches("Access Denied", output, 1, true)
    assert.equal("255", status)
  end)

  it("starts calls outside of coroutines, whose on_done the loop runs", function()
    local client, got = new(), {}
    peer:play { read, { write = scripted_peer.answer(400, { connection = "close" }, '{"message":"no"}') } }
    for number = 1, 2 do
      client:start("create_send_id", parameters, {
        on_done = function(err, result) got[#got + 1] = err and err.kind or result.send_id end,
      })
      if number == 1 then go() end
    end
    assert.equal(1, client:pending())
    go()
    assert.same({ "rejected", "made" }, got)
    assert.equal(0, client:pending())
  end)

  it("surfaces what an on_done raises, and runs the others", function()
    local output, status = child.run(([[
      local uv, braze = require "luv", require "braze.luv"
      local client = braze.new { api_key = "braze-key-0123456789", endpoint = %q }
      local requests = {}
      for number = 1, 3 do
        requests[number] = client:start("create_send_id", { campaign_id = "c" }, {
          on_done = function() io.write("done ", number, "\n") io.flush() if number == 2 then error "oh no" end end,
        })
      end
      for _, request in ipairs(requests) do request.core:wait() end
      uv.run() print "the loop has ended" ]]):format(peer.url))
    for number = 1, 3 do assert.matches("done " .. number, output, 1, true) end
    assert.matches("Uncaught Error: .*oh no", output)
    assert.is_nil(output:find "the loop has ended")
    assert.equal("255", status)
  end)

  it("wakes who waits for what another coroutine cancels or closes", function()
    peer:default { read, hold }
    local client, woken = new_safe(), {}
    local request
    go(function()
      request = client:start("create_send_id", parameters)
      woken.request = request:wait() and select(2, request:result()).kind
    end, function()
      local _, failure = client:create_send_id(parameters)
      woken.call = failure.kind .. (failure.maybe_applied and "!" or "")
    end, function()
      woken.client = client:wait(10)
    end, function()
      local timer = uv.new_timer() -- until both requests are there
      timer:start(1, 1, coroutine.wrap(function()
        while peer:requests() < 2 do coroutine.yield() end
        request:cancel()
        while not woken.request do coroutine.yield() end
        assert(woken.call == nil)
        client:close()
        timer:close()
        coroutine.yield()
      end))
    end)
    assert.same({ request = "cancelled", call = "cancelled!", client = true }, woken)
    assert.equal("usage", select(2, client:start("create_send_id", parameters)).kind)
  end)

  it("refuses to wait where nothing may yield, before anything is sent", function()
    local client, failures = new(), {}
    local function attempt(wait, name)
      local good, failure = pcall(wait)
      assert.is_false(good, name)
      failures[#failures + 1] = failure
    end
    attempt(function() client:create_send_id(parameters) end, "outside")
    attempt(function() braze.create_send_id(parameters) end, "outside")
    assert.matches("coroutine.wrap", failures[1].hint, 1, true)
    assert.matches("coroutine", failures[1].message, 1, true)
    attempt(function()
      local numbers = { 3, 1, 2 }
      coroutine.wrap(function()
        table.sort(numbers, function(one, other) client:create_send_id(parameters) return one < other end)
      end)()
    end, "table.sort")
    if pcall_stops_yields then
      coroutine.wrap(function() attempt(function() client:create_send_id(parameters) end, "pcall") end)()
    end
    for _, failure in ipairs(failures) do
      assert.equal("usage", failure.kind)
      assert.is_false(failure.maybe_applied)
      assert.matches("spec/hosts/luv_spec.lua:", failure.where, 1, true)
    end
    assert.equal(0, client:pending())
    go()
    assert.equal(0, #peer:log())
  end)

  it("goes on where the host closed every handle of the loop", function()
    local gate = openresty.service()
    local client, got = new_safe(gate.url), {}
    local function call(number)
      coroutine.wrap(function() got[number] = client:create_send_id(parameters).send_id end)()
    end
    call(1)
    coroutine.wrap(function()
      got.limited = client:start("create_send_id", parameters):wait(0.05)
    end)()
    coroutine.wrap(function() got.all = client:wait(20) end)()
    gate.take(2)
    for _ = 1, 2 do
      uv.walk(function(handle) if not handle:is_closing() then handle:close() end end)
      uv.run()
      assert.same({}, got) -- nothing is left that could wake them
    end
    call(2)
    gate.take(1)
    repeat uv.run "once" until got.limited ~= nil or not uv.loop_alive()
    assert.is_false(got.limited)
    gate.answer()
    uv.run()
    assert.same({ "made", "made", limited = false, all = true }, got)
    assert.equal(0, client:pending())
    assert.is_false(uv.loop_alive())
    gate.close()
  end)

  it("refuses a call whose descriptor luv can't poll, before anything is sent", function()
    local client, new_poll, failures = new_safe(), uv.new_poll, {}
    local closed = 0
    local broken_poll = {
      start = function() return nil, "EBADF: bad file descriptor" end,
      is_closing = function() return false end,
      close = function() closed = closed + 1 end,
    }
    local made_polls = {
      function() return nil, "ENOMEM: not enough memory" end,
      function() return broken_poll end,
    }
    finally(function() uv.new_poll = new_poll end)
    for _, make in ipairs(made_polls) do
      uv.new_poll = make
      go(function() failures[#failures + 1] = select(2, client:create_send_id(parameters)) end)
      failures[#failures + 1] = select(2, client:start("create_send_id", parameters))
    end
    assert.equal(4, #failures)
    for number, failure in ipairs(failures) do
      assert.equal("usage", failure.kind)
      assert.matches(number < 3 and "ENOMEM" or "EBADF", failure.message, 1, true)
    end
    assert.equal(2, closed)
    assert.equal(0, client:pending())
    assert.equal(0, #peer:log())
    uv.new_poll = new_poll
    local result
    go(function() result = client:create_send_id(parameters) end)
    assert.equal("made", result.send_id)
  end)

  it("keeps no poll for a call that is refused", function()
    local client = new_safe()
    assert.equal("usage", select(2, client:start("create_send_id", { campaign_id = 5 })).kind)
    uv.run "nowait"
    assert.is_false(uv.loop_alive())
  end)

  it("works where a sandbox has removed every global", function()
    local output = child.run(([[
      local uv, braze = require "luv", require "braze.luv".safe
      local client = braze.new { api_key = "braze-key-0123456789", endpoint = %q }
      local _G, coroutine, io, pairs, select, tostring = _G, coroutine, io, pairs, select, tostring
      local function print(...) -- Lua's own one looks for tostring
        for number = 1, select("#", ...) do io.write(number > 1 and "\t" or "", tostring((select(number, ...)))) end
        io.write "\n"
      end
      local function call()
        local result, failure = client:create_send_id { campaign_id = "campaign" }
        print(result and result.send_id or tostring(failure))
      end
      coroutine.wrap(call)()
      uv.run()
      for name in pairs(_G) do _G[name] = nil end
      coroutine.wrap(function()
        call()
        local request = client:start("create_send_id", { campaign_id = "campaign" }, {
          on_done = function(_, result) print("done " .. result.send_id) end,
        })
        print(request:wait(0.001), request:wait(20), client:wait(20), client:pending())
        print(client:wait("long"), client.wait(5), client:start("nothing"))
        print(client, request)
        client:close()
      end)()
      uv.run()
      call() ]]):format(peer.url))
    assert.matches("^made\nmade\ndone made\n", (output:gsub("(true\ttrue\ttrue\t0\n)(done made\n)", "%2%1")))
    assert.matches("can't wait: this is no coroutine", output, 1, true)
    assert.is_nil(output:find "attempt to")
  end)

  it("stops waiting where a coroutine is closed, or resumed by others", function()
    local client, results = new(serve(1)), {}
    local waiting = coroutine.create(function() results[1] = client:create_send_id(parameters).send_id end)
    coroutine.resume(waiting)
    coroutine.resume(waiting, "something else")
    go()
    assert.same({ "made" }, results)
    if not coroutine.close then return end
    waiting = coroutine.create(function() client:create_send_id(parameters) end)
    coroutine.resume(waiting)
    coroutine.close(waiting)
    go()
    assert.equal(0, client:pending())
  end)

  it("lets go of clients, and of their descriptors", function()
    host_loop.lets_go_of_clients(peer, new, go)
  end)
end)

describe("examples/luv.lua", function()
  local example = examples.new("luv", child.run)

  before_each(example.reset)

  it("makes an ID for each of its arguments", function() example.makes_each "The loop ticked" end)

  it("ends with what went wrong", function() example.ends_with_what_went_wrong() end)
end)
