-- What every module for a host is held to: the same programs, run by each host in a process of its own.
--
--   contract.describe {
--     module = "braze.luv",
--     run = function(program, meanwhile) ... end,  what the program printed, and what meanwhile did while it ran
--     refuses_nested = true,                       whether a coroutine inside of a host's own can't wait
--   }
--
-- A program finds, as locals: braze, the module; go(...), which runs each function in a thread of the host until none
-- waits any more; and what contract.prelude adds to these.

local assert = require "luassert"
local busted = require "busted"
local child = require "spec.support.child"
local openresty = require "spec.support.openresty"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local describe, it = busted.describe, busted.it

local contract = {}

local created = scripted_peer.created "made"
local read, answer, again, hold = { read = "request" }, { write = created }, { again = true }, { hold = true }

--- What every program begins with, behind the host's own lines.
function contract.prelude(url)
  return ([[
    local parameters = { campaign_id = "campaign" }
    local function options(endpoint)
      return { api_key = "braze-key-0123456789", endpoint = endpoint or %q, retries = 0, timeout = 20 }
    end
    local function new() return braze.new(options()) end
    local function new_safe() return braze.safe.new(options()) end
    -- PUC Lua 5.1 can't yield across pcall, a metamethod or an iterator.
    local is_old_lua = _VERSION == "Lua 5.1" and not rawget(_G, "jit")
    local function refused(failure)
      assert(braze.is_error(failure), tostring(failure))
      assert(failure.kind == "usage" and not failure.maybe_applied, tostring(failure))
      return failure
    end
  ]]):format(url)
end

--- Runs a text as a program of this interpreter, with meanwhile() beside it; what it printed, and its exit status.
function contract.run_program(text, meanwhile)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(text)
  file:close()
  local pipe = assert(io.popen(("%s %s 2>&1; echo \" exit $?\""):format(child.quote(arg[-1]), name)))
  if meanwhile then meanwhile() end
  local output = pipe:read "*a"
  pipe:close()
  os.remove(name)
  return output:match "^(.*) exit (%d+)\n$"
end

function contract.describe(host)
  describe(host.module .. ", as every module for a host", function()
    local peer = with_peer { read, answer, again }

    -- The program prints what is expected and nothing else.
    local function prints(expected, program, url, meanwhile)
      assert.equal(expected, (host.run(contract.prelude(url or peer.url) .. program, meanwhile)))
    end

    it("has the face of braze, in both styles", function()
      prints("ok\n", ([[ for _, face in ipairs { braze, braze.safe } do
          for _, name in ipairs { "create_send_id", "new", "is_error", "error" } do
            assert(type(face[name]) == "function", name)
          end
          assert(face.instances["US-01"] == "https://rest.iad-01.braze.com" and face._VERSION:find "^braze %%d")
          local client = face.new(options())
          for _, name in ipairs { "create_send_id", "start", "wait", "pending", "close" } do
            assert(type(client[name]) == "function", name)
          end
          assert(tostring(client):find("%s.client (", 1, true) == 1)
        end
        local good, raised = pcall(braze.new, { api_kye = "x" })
        local nothing, returned = braze.safe.new { api_kye = "x" }
        assert(not good and nothing == nil and refused(raised) and refused(returned))
        print "ok" ]]):format(host.module))
    end)

    it("has 20 threads of two clients wait at once", function()
      local gate = openresty.service()
      prints("20\n", [[
        local clients, bodies, count = { new(), new_safe() }, {}, 0
        for number = 1, 20 do
          bodies[number] = function()
            assert(clients[number % 2 + 1]:create_send_id(parameters).send_id == "made")
            count = count + 1
          end
        end
        go((table.unpack or unpack)(bodies))
        print(count) ]], gate.url, function()
          gate.take(20)
          gate.answer()
        end)
      gate.close()
    end)

    it("makes one call after the other in a thread, on one connection", function()
      prints("made\nmade\nmade\n", [[
        local client = new()
        go(function()
          for _ = 1, 3 do print(client:create_send_id(parameters).send_id) end
        end) ]])
      assert.equal(1, #peer:log())
    end)

    it("gives an error with the caller's line", function()
      peer:default { read, { write = scripted_peer.answer(429, {}, '{"message":"slow down"}') }, again }
      local output = host.run(contract.prelude(peer.url) .. [[
        go(function()
          local nothing, failure = new_safe():create_send_id(parameters)
          print(nothing, failure.kind, failure.where)
          local request = new_safe():start("create_send_id", parameters)
          request:wait()
          nothing, failure = request:result()
          print(nothing, failure.kind, failure.where)
        end) ]])
      assert.matches("^nil\trate_limited\t%S+:%d+:\nnil\trate_limited\t%S+:%d+:\n$", output)
    end)

    it("tells on_event what happened, before the on_done of the same call", function()
      prints("attempt call attempt call on_done\n", [[ local seen, given = {}, options()
        function given.on_event(event) seen[#seen + 1] = event.type end
        local client, on_done = braze.new(given), function() print(table.concat(seen, " ") .. " on_done") end
        go(function() client:start("create_send_id", client:create_send_id(parameters) and parameters,
          { on_done = on_done }):wait() end) ]])
    end)

    it("waits with a limit and without one, for a request and for a client", function()
      peer:default { read, hold }
      prints("false false false false false true true true true cancelled\n", [[
        go(function()
          local client, steps = new_safe(), {}
          local request = client:start("create_send_id", parameters)
          steps[1], steps[2] = request:wait(0), request:wait(0.02)
          steps[3], steps[4] = client:wait(0), client:wait(0.02)
          steps[5] = request:done()
          request:cancel()
          steps[6], steps[7], steps[8], steps[9] = request:wait(), client:wait(), request:done(), request:wait(0)
          for number, step in ipairs(steps) do steps[number] = tostring(step) end
          print(table.concat(steps, " ") .. " " .. select(2, request:result()).kind)
        end) ]])
    end)

    it("waits any number of seconds, and refuses what is none as the module that blocks does", function()
      prints("ok\n", [[
        go(function()
          local client, safe = new(), new_safe()
          for _, seconds in ipairs { math.huge, 1e300, 1e15, 3e9, 2 ^ 31, 5e8 } do
            local request = client:start("create_send_id", parameters)
            assert(request:wait(seconds) == true and request:result().send_id == "made")
            client:start("create_send_id", parameters)
            assert(client:wait(seconds) == true)
          end
          local request = safe:start("create_send_id", parameters)
          for _, seconds in ipairs { -1, 0 / 0, -math.huge, "1", "long", {}, true } do
            for _, waited in ipairs { request, safe } do
              local nothing, failure = waited:wait(seconds)
              assert(nothing == nil and refused(failure).message:find("wait takes a number of seconds", 1, true))
            end
            local good, failure = pcall(client.wait, client, seconds)
            assert(not good and refused(failure))
          end
          request:wait()
          print "ok"
        end) ]])
    end)

    it("names a method that was called on something else", function()
      prints("ok\n", [[
        local request, client, safe
        go(function() request, client, safe = new():start("create_send_id", parameters), new(), new_safe() end)
        local bare = setmetatable({}, getmetatable(client))
        local bare_safe = setmetatable({}, getmetatable(safe))
        for _, value in ipairs { {}, bare, bare_safe, request, parameters, 5, "text" } do
          for _, name in ipairs { "create_send_id", "start", "wait", "pending", "close" } do
            local good, failure = pcall(client[name], value)
            assert(not good and refused(failure).hint:find("client:" .. name, 1, true), name)
            local nothing, returned = safe[name](value)
            assert(nothing == nil and refused(returned), name)
          end
        end
        for _, name in ipairs { "done", "result", "wait", "cancel" } do
          for _, value in ipairs { {}, client, setmetatable({}, getmetatable(request)) } do
            local good, failure = pcall(request[name], value)
            assert(not good and refused(failure).hint:find("request:" .. name, 1, true), name)
          end
        end
        assert(tostring(bare) and tostring(bare_safe))
        print "ok" ]])
    end)

    it("refuses to wait where nothing may yield, before anything is sent", function()
      prints("ok\n", [[
        local safe, count = new_safe(), 0
        local function attempt()
          local nothing, failure = safe:create_send_id(parameters)
          assert(nothing == nil)
          refused(failure)
          local good, raised = pcall(braze.new(options()).create_send_id, safe, parameters)
          assert(not good)
          refused(raised)
          count = count + 1
        end
        local finalized = rawget(_G, "newproxy") and newproxy(true)
        go(function()
          table.sort({ 2, 1 }, function(one, other) attempt() return one < other end)
          local sorted = count
          ;("x"):gsub(".", attempt)
          assert(count == sorted + 1)
          if not is_old_lua then return end
          pcall(attempt)
          xpcall(attempt, print)
          local lazy = setmetatable({}, { __index = attempt, __newindex = attempt, __concat = attempt, __lt = attempt,
            __unm = attempt, __add = attempt })
          local _ = lazy.field, lazy .. "", lazy < lazy, -lazy, lazy + 1
          lazy.field = 1
          for _ in attempt do break end
          getmetatable(finalized).__gc = attempt
          finalized = nil
          collectgarbage()
          assert(count == sorted + 1 + 2 + 6 + 1 + 1, count - sorted)
        end)
        assert(safe:pending() == 0 and count > 0)
        print "ok" ]])
      assert.equal(0, #peer:log())
    end)

    it("waits where Lua can yield", function()
      prints("made\nmade\nmade\nmade\n", [[
        local client = new()
        local function call() return client:create_send_id(parameters).send_id end
        go(function()
          print(setmetatable({}, { __call = call })())
          if is_old_lua then return print(call() .. "\n" .. call() .. "\n" .. call()) end
          print(setmetatable({}, { __index = call }).field)
          print(select(2, pcall(call)))
          for id in call do print(id) break end
        end) ]])
    end)

    it("refuses a call in an on_done that would wait", function()
      prints("usage usage made\n", [[
        local client, words = new_safe(), {}
        go(function()
          client:start("create_send_id", parameters, { on_done = function(_, result)
            words[1] = refused(select(2, client:create_send_id(parameters))).kind
            client:start("create_send_id", parameters)
            words[2] = refused(select(2, client:wait())).kind
            words[3] = result.send_id
          end })
          client:wait()
        end)
        print(table.concat(words, " ")) ]])
      assert.equal(2, peer:requests())
    end)

    it("answers in a coroutine inside of the host's own, or refuses before anything is sent", function()
      prints(host.refuses_nested and "usage\nusage\n" or "made\nmade\n", [[
        local client, safe, got = new(), new_safe(), {}
        go(function()
          coroutine.wrap(function()
            local result, failure = safe:create_send_id(parameters)
            got[1] = result and result.send_id or refused(failure).kind
          end)()
        end, function()
          coroutine.wrap(function()
            if is_old_lua then return end -- whose pcall can't be waited in
            local good, result = pcall(client.create_send_id, client, parameters)
            got[2] = good and result.send_id or refused(result).kind
          end)()
        end)
        print(got[1])
        print(is_old_lua and got[1] or got[2]) ]])
      if host.refuses_nested then assert.equal(0, #peer:log()) end
    end)

    it("ends every wait when the client is closed, and refuses what comes then", function()
      peer:default { read, hold }
      prints("cancelled cancelled true usage usage\n", [[
        local client, words = new_safe(), {}
        go(function()
          local request = client:start("create_send_id", parameters)
          words[1] = request:wait() and select(2, request:result()).kind
        end, function()
          words[2] = select(2, client:create_send_id(parameters)).kind
        end, function()
          words[3] = tostring(client:wait(20))
        end, function()
          local other = client:start("create_send_id", parameters)
          while client:pending() < 3 do other:wait(0.001) end -- the others wait, too
          client:close()
          client:close()
          words[4] = refused(select(2, client:start("create_send_id", parameters))).kind
          words[5] = refused(select(2, client:create_send_id(parameters))).kind
        end)
        print(table.concat(words, " ")) ]])
    end)

    it("has every operation, call, each and null, in both styles", function()
      prints("ok\n", [[
        for _, face in ipairs { braze, braze.safe } do
          local client = face.new(options())
          local count = 0
          for name in pairs(face.operations) do
            assert(type(face[name]) == "function" and type(client[name]) == "function", name)
            count = count + 1
          end
          assert(count == 14 and type(face.call) == "function" and type(client.call) == "function")
          assert(type(client.each) == "function" and type(face.list) == "function" and face.null ~= nil)
        end
        print "ok" ]])
    end)

    it("waits for a send, a read and a route, started as well", function()
      local body = '{"message":"success","dispatch_id":"d","name":"n","ok":true}'
      peer:default { read, { write = scripted_peer.answer(201, {}, body) }, again }
      prints("d n true d n true\n", [[
        local client, safe, got = new(), new_safe(), {}
        go(function()
          got[1] = client:send_messages({ external_user_ids = { "u" }, messages = {} }).dispatch_id
          got[2] = safe:get_campaign({ campaign_id = "c" }).name
          got[3] = client:call("PUT /any", { a = braze.list {} }, { query = { b = 1 } }).ok
          local one = client:start("trigger_campaign", { campaign_id = "c" })
          local two, three = safe:start("get_campaign", { campaign_id = "c" }), client:start("DELETE /any")
          one:wait()
          two:wait()
          three:wait()
          got[4], got[5], got[6] = one:result().dispatch_id, two:result().name, three:result().ok
          for number = 1, 6 do got[number] = tostring(got[number]) end
          print(table.concat(got, " "))
        end) ]])
      local lines = {}
      for _, entry in ipairs(peer:log()) do
        for line in entry.received:gmatch "(%u+ /%S*) HTTP/1%.1\r\n" do lines[line] = (lines[line] or 0) + 1 end
      end
      assert.same({
        ["POST /messages/send"] = 1, ["GET /campaigns/details?campaign_id=c"] = 2, ["PUT /any?b=1"] = 1,
        ["POST /campaigns/trigger/send"] = 1, ["DELETE /any"] = 1,
      }, lines)
    end)

    it("walks through a list, and names the page that failed", function()
      local items = {}
      for number = 1, 100 do items[number] = ('{"id":%d}'):format(number) end
      local function page(text)
        return { write = scripted_peer.answer(200, {}, '{"message":"success","campaigns":[' .. text .. "]}") }
      end
      local full = page(table.concat(items, ","))
      peer:play { read, full, read, page '{"id":101}' } -- a connection of each client
      peer:play { read, full, read, { write = scripted_peer.answer(404, {}, "{}") } }
      prints("101\n100\trejected\t1\tlist_campaigns\nusage\n", [[
        local client, safe = new(), new_safe()
        local function count(next_item)
          local seen, item, failure = 0, nil, nil
          repeat
            item, failure = next_item()
            if item then seen = seen + 1 end
          until not item
          return seen, failure
        end
        go(function()
          print((count(client:each "list_campaigns")))
          local seen, failure = count(safe:each("list_campaigns", {}))
          print(seen, failure.kind, failure.page, failure.operation)
          local _, refusal = safe:each("get_campaign", { campaign_id = "c" })
          print(refused(refusal).kind)
        end) ]])
    end)

    it("refuses a bad name and a bad parameter before anything is sent", function()
      prints("ok\n", [[
        local client, safe = new(), new_safe()
        go(function()
          for _, name in ipairs { "send_mesages", "GET x", "HEAD /x", 5, false } do
            refused(select(2, safe:call(name, {})))
            refused(select(2, safe:start(name, {})))
            refused(select(2, safe:each(name, {})))
          end
          refused(select(2, safe:send_messages { broadcast = "true" }))
          assert(refused(select(2, safe:list_campaigns { page = "1" })).operation == "list_campaigns")
          assert(client:pending() == 0)
          print "ok"
        end) ]])
      assert.equal(0, #peer:log())
    end)

    it("shows no name that is none: it may be a key", function()
      prints("ok\n", [[
        local safe, closed, key = new_safe(), new_safe(), options().api_key
        closed:close()
        local function check(client, name)
          for _, method in ipairs { "call", "start", "each" } do
            local text = tostring(refused(select(2, client[method](client, name, {}))))
            assert(not text:find(key, 1, true) and not text:find "%c" and #text < 1000, text)
            assert(client == closed or text:find(method .. ": there is no", 1, true), text)
          end
        end
        go(function()
          for _, client in ipairs { safe, closed } do
            for _, name in ipairs { key, key .. ("x"):rep(1e5), "\27[31m" } do check(client, name) end
          end
          assert(refused(select(2, closed:each("list_campaigns"))).message:find("each was called", 1, true))
        end)
        assert(not tostring(refused(select(2, safe:call(key, {})))):find(key, 1, true))
        print "ok" ]])
      assert.equal(0, #peer:log())
    end)

    it("reads options without their metamethods, as the module that blocks does", function()
      peer:play { read, answer, read, answer }
      prints("made\tmade\n", [[
        local function ran() error "a metamethod ran" end
        local tricky = setmetatable({ timeout = 5 }, { __index = ran, __pairs = ran, __newindex = ran })
        go(function()
          local client = new()
          local request = client:start("create_send_id", parameters, tricky)
          request:wait()
          print(request:result().send_id, client:create_send_id(parameters, tricky).send_id)
        end) ]])
    end)

    it("works on whatever its users do to the table of the module that blocks", function()
      peer:play { read, answer }
      prints("made\tusage\n", [[
        local blocking = require "braze.core".braze
        for name in pairs(blocking.operations) do blocking.operations[name] = nil end
        for name in pairs(blocking) do blocking[name] = nil end
        local safe = new_safe()
        go(function() print(new():create_send_id(parameters).send_id, refused(select(2, safe:call())).kind) end) ]])
    end)

    it("refuses on_done where the result is returned", function()
      prints("ok\n", [[
        go(function()
          refused(select(2, new_safe():create_send_id(parameters, { on_done = print })))
          print "ok"
        end) ]])
      assert.equal(0, #peer:log())
    end)
  end)
end

return contract
