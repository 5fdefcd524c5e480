-- Lua code that runs in the middle of a method (a finalizer, a hook), and what it may do there to what the method
-- works with.

local braze = require "braze"
local reentry = require "spec.support.reentry_peers"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local read, again = { read = "request" }, { again = true }

describe("a method in the middle of which other Lua code runs", function()
  local peer = with_peer { read, { write = scripted_peer.created() }, again }

  local function new()
    return braze.new { api_key = "braze-key-0123456789", endpoint = peer.url, timeout = 20, retries = 0 }
  end

  -- The error of a function in which something is done when Lua calls the function of that number.
  local function fail_with_hook(number, act, ...)
    local count = 0
    debug.sethook(function()
      count = count + 1
      if count ~= number then return end
      debug.sethook()
      act()
    end, "c")
    local good, failure = pcall(...)
    debug.sethook()
    assert.is_false(good)
    assert.is_true(braze.is_error(failure))
    return failure
  end

  it("ends in a result or an error of ours, whatever is done and wherever", function()
    local command, stop = reentry("'" .. arg[-1] .. "'", os.getenv "BRAZE_BUILD", 4)
    local pipe = assert(io.popen(command))
    local output = pipe:read "*a"
    pipe:close()
    stop()
    local points, bad = output:match "(%d+) points, (%d+) bad\n$"
    assert.same({ "0", output }, { bad, output })
    -- Fewer would mean that it no longer gets in between.
    assert.is_true(tonumber(points) > 300)
  end)

  it("sends nothing for a client that was closed meanwhile, and no request is left", function()
    local client = new()
    client:create_send_id { campaign_id = "first" }
    local function close() client:close() end
    local second = { campaign_id = "second" }
    local failure = fail_with_hook(4, close, client.create_send_id, client, second)
    assert.same({ "usage", false, 0 }, { failure.kind, failure.maybe_applied, failure.attempts })
    assert.matches("closed", failure.message)

    client = new()
    client:start("create_send_id", { campaign_id = "first" })
    assert.is_true(client:wait(20))
    failure = fail_with_hook(4, close, client.start, client, "create_send_id", second)
    assert.same({ "usage", false, 0 }, { failure.kind, failure.maybe_applied, failure.attempts })
    assert.equal(0, client:pending())
    assert.equal(2, #peer:log())
  end)

  it("sends the parameters that it was given, though they are changed and collected", function()
    local client = new()
    for _, name in ipairs { "create_send_id", "start" } do
      for number = 2, 6 do
        local parameters = { campaign_id = ("c"):rep(300) .. number, send_id = ("s"):rep(60) }
        local expected = { parameters.campaign_id, parameters.send_id }
        local count = 0
        debug.sethook(function()
          count = count + 1
          if count ~= number then return end
          debug.sethook()
          parameters.campaign_id, parameters.send_id = nil, nil
          collectgarbage()
          collectgarbage()
          local texts = {}
          for filler = 1, 100 do texts[filler] = ("Z"):rep(300) .. filler end
          assert.equal(100, #texts)
        end, "c")
        local good, failure
        if name == "start" then
          good, failure = pcall(client.start, client, "create_send_id", parameters)
        else
          good, failure = pcall(client.create_send_id, client, parameters)
        end
        debug.sethook()
        assert.is_true(client:wait(20))
        -- Changed before they were read, they are missing.
        if not good then
          assert.matches("campaign_id is missing", failure.message)
        else
          local log = peer:log()
          local received = log[#log].received
          assert.truthy(received:find(('"campaign_id":"%s"'):format(expected[1]), 1, true))
          assert.truthy(received:find(('"send_id":"%s"'):format(expected[2]), 1, true))
        end
      end
    end
  end)

  it("shows no key of a client that is closed while its error is made", function()
    local key = "braze-key-0123456789"
    for number = 1, 12 do
      local client = new()
      local count = 0
      debug.sethook(function()
        count = count + 1
        if count ~= number then return end
        debug.sethook()
        client:close()
      end, "cr")
      local good, failure = pcall(client.create_send_id, client, { campaign_id = "campaign", [key] = 1 })
      debug.sethook()
      assert.is_false(good)
      assert.is_nil(tostring(failure):find(key, 1, true))
    end
  end)

  it("gives a long answer whole, and the same, to who asks for it while it is made", function()
    local long = ("x"):rep(9000)
    -- A success, a refusal, and a success that names another send_id and repeats a part of the key.
    local answers = {
      scripted_peer.answer(201, nil,
        ('{"message":"success","send_id":"mine","more":"%s","errors":["there"]}'):format(long)),
      scripted_peer.answer(400, nil, ('{"message":"no","more":"%s","errors":["there"]}'):format(long)),
      scripted_peer.answer(201, nil,
        ('{"message":"success","send_id":"other","key":"key-01234567","more":"%s","errors":["there"]}'):format(long)),
    }
    for which, answer in ipairs(answers) do
      peer:default { read, { write = answer }, again }
      local client, asked = new(), 0
      for number = 1, 40 do
        local request = client:start("create_send_id", { campaign_id = "campaign", send_id = "mine" })
        assert.is_true(request:wait(20))
        local count, inner = 0, nil
        debug.sethook(function()
          count = count + 1
          if count ~= number then return end
          debug.sethook()
          inner = { pcall(request.result, request) }
        end, "cr")
        local outcome = { pcall(request.result, request) }
        debug.sethook()
        asked = asked + (inner and 1 or 0)
        local value = outcome[2]
        assert.same({ which, "there" }, { which, (value.errors or {})[1] })
        if inner then assert.same({ true, true }, { inner[1] == outcome[1], inner[2] == value }) end
        assert.is_nil((value.body or ""):find("key-01234567", 1, true))
      end
      assert.is_true(asked >= 6, asked)
      client:close()
    end
  end)

  it("wait notices that an on_done collected the client by hand", function()
    local client = new()
    for _ = 1, 2 do
      client:start("create_send_id", { campaign_id = "campaign" }, { on_done = function()
        getmetatable(client).__gc(client)
      end })
    end
    local good, failure = pcall(client.wait, client, 20)
    assert.is_false(good)
    assert.equal("usage", failure.kind)
    assert.matches("collected", failure.message)
  end)

  it("step takes nothing that it has no room to deliver", function()
    local client = new()
    local refused = 0
    for depth = 150, 215 do
      local runs, good, outcome = 0, nil, nil
      local function on_done() runs = runs + 1 end
      local request = client:start("create_send_id", { campaign_id = "campaign" }, { on_done = on_done })
      assert.is_true(request:wait(20))
      local function nest(left)
        if left > 0 then return pcall(nest, left - 1) end
        good, outcome = pcall(client.step, client)
      end
      nest(depth)
      if good == false and braze.is_error(outcome) then
        refused = refused + 1
        assert.equal("usage", outcome.kind)
        assert.same({ depth, 0, 1 }, { depth, runs, client:pending() })
      end
      client:step()
      assert.same({ depth, 1, 0 }, { depth, runs, client:pending() })
    end
    -- LuaJIT's pcall takes nothing of C's stack.
    assert.is_true(refused > 0 or rawget(_G, "jit") ~= nil)
  end)

  it("create_send_id sends nothing that it has no room to answer", function()
    local client = new()
    for depth = 150, 215 do
      local before, good, outcome = #peer:log(), nil, nil
      local function nest(left)
        if left > 0 then return pcall(nest, left - 1) end
        good, outcome = pcall(client.create_send_id, client, { campaign_id = "campaign" })
      end
      nest(depth)
      if good then
        assert.equal(201, outcome.status)
      else
        assert.same({ depth, before }, { depth, #peer:log() })
      end
    end
  end)

  it("leaves a table, or another userdata, alone that was given its metatable", function()
    local client = new()
    local request = client:start("create_send_id", { campaign_id = "campaign" })
    assert.is_true(request:wait(20))
    local of_client, of_request = debug.getmetatable(client), debug.getmetatable(request)
    local of_file = debug.getmetatable(io.stdout)
    local file = assert(io.open "/dev/null")
    for _, metatable in ipairs { of_client, of_request } do
      debug.setmetatable(file, metatable)
      for _, method in pairs(metatable.__index) do
        local good, failure = pcall(method, file)
        assert.is_false(good)
        assert.equal("usage", failure.kind)
      end
      metatable.__gc(file)
      tostring(file)
    end
    debug.setmetatable(file, of_file)
    file:close()
    debug.setmetatable(client, of_request)
    assert.is_false(pcall(of_request.__index.done, client))
    debug.setmetatable(client, of_client)
    client:close()
    assert.is_true(request:done())
  end)

  if _VERSION == "Lua 5.1" then
    it("answers a finalizer's call while PUC Lua 5.1 goes on finalizing", function()
      local errors = {}
      for number = 1, 20000 do errors[number] = ('{"a":%d}'):format(number) end
      peer:default { read, { write = scripted_peer.answer(400, nil,
        '{"message":"no","errors":[' .. table.concat(errors, ",") .. "]}") }, again }
      local messages = 0
      for _ = 1, 20 do
        do
          local client = new()
          pcall(client.create_send_id, client, { campaign_id = "first" })
          getmetatable(newproxy(true)).__gc = function()
            local _, failure = pcall(client.create_send_id, client, { campaign_id = "last words" })
            if braze.is_error(failure) then messages = messages + 1 end
          end
        end
        collectgarbage()
      end
      collectgarbage()
      assert.is_true(messages > 0)
    end)
  end
end)
