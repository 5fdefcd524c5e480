-- braze.copas: threads of a copas loop that are written as if they blocked. Debian's copas is 1.1.7; the variable COPAS
-- names the folder of another one.

local child = require "spec.support.child"
local examples = require "spec.support.example"
local host_loop = require "spec.support.host_loop"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local quote = child.quote
local interpreter = arg[-1]
local read, answer, again, hold = host_loop.read, host_loop.answer, host_loop.again, host_loop.hold
local pcall_stops_yields = host_loop.pcall_stops_yields

-- Each program has a process of its own, since copas changes luasocket for all who use it.
local prelude = host_loop.copas .. [==[
  local parameters = { campaign_id = "campaign" }
  local goodbye = GOODBYE

  local function options(url)
    return { api_key = "braze-key-0123456789", endpoint = url or URL, retries = 0, timeout = 20 }
  end
  local function new(url) return braze.new(options(url)) end
  local function new_safe(url) return braze.safe.new(options(url)) end

  local collect = require "spec.support.collect"

  -- One round of the loop: there is always something to read here.
  local udp = socket.udp()
  udp:setsockname("127.0.0.1", 0)
  udp:sendto("tick", udp:getsockname())
  local function work()
    local selected = false
    copas.receive {
      getfd = function() return udp:getfd() end,
      dirty = function() return false end,
      receive = function()
        if selected then return "ready" end
        selected = true
        return nil, "timeout"
      end,
      close = function() end,
    }
  end

  -- A server in this very loop, which answers only when so many requests are there: a call that blocked the loop, or
  -- one that waited for another, would never get its answer.
  local function serve(needed, before_answers)
    local server, waiting = assert(socket.bind("127.0.0.1", 0)), {}
    local _, port = server:getsockname()
    server:settimeout(0)
    copas.addthread(function()
      for number = 1, needed do
        local accepted = copas.receive { -- a thing to wait for, whose value is a connection
          getfd = function() return server:getfd() end,
          dirty = function() return server:dirty() end,
          receive = function() return server:accept() end,
          close = function() end,
        }
        accepted:settimeout(0)
        local length
        repeat
          local line = assert(copas.receive(accepted, "*l"))
          length = line:lower():match "^content%-length: (%d+)" or length
        until line == ""
        copas.receive(accepted, tonumber(length))
        waiting[number] = accepted
      end
      server:close()
      if before_answers then before_answers() end
      for _, accepted in ipairs(waiting) do
        accepted:send(goodbye)
        accepted:close()
      end
    end)
    return "http://127.0.0.1:" .. port
  end
]==]

-- Runs a program, behind the prelude if there is a URL to call, with these variables beside the others and behind a
-- command of the shell's; all that it printed, and its exit status.
local function run(url, program, environment, command)
  if url then
    local answer_text = ("%q"):format(host_loop.goodbye):gsub("\r", "\\r")
    program = ("local URL = %q "):format(url) .. prelude:gsub("GOODBYE", function() return answer_text end) .. program
  end
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(host_loop.find_copas, program)
  file:close()
  local words = { "env" }
  for variable, value in pairs(environment or {}) do words[#words + 1] = variable .. "=" .. quote(value) end
  words[#words + 1] = ("%s %s 2>&1; echo \" exit $?\""):format(quote(interpreter), name)
  local pipe = assert(io.popen((command or "") .. table.concat(words, " ")))
  local output = pipe:read "*a"
  pipe:close()
  os.remove(name)
  return output:match "^(.*) exit (%d+)\n$"
end

local complaint, failed = run(nil, 'require "copas"')
if failed ~= "0" then
  describe("braze.copas", function() pending("copas can't be loaded: " .. complaint, function() end) end)
  return
end

describe("braze.copas", function()
  local peer = with_peer { read, answer, again }

  -- The program prints what is expected, and nothing else.
  local function prints(expected, program)
    assert.equal(expected, (run(peer.url, program)))
  end

  it("goes on with the loop while a call waits", function()
    prints("made 201 5\n", [[
      local ticks = 0
      local client = new(serve(1, function()
        for _ = 1, 5 do
          work()
          ticks = ticks + 1
        end
      end))
      go(function()
        local result = client:create_send_id(parameters)
        print(result.send_id .. " " .. result.status .. " " .. ticks)
      end) ]])
  end)

  it("works in the handler of a server of copas", function()
    prints("made\n", [[
      local server, client = assert(socket.bind("127.0.0.1", 0)), new()
      local address, port = server:getsockname()
      local finished
      copas.addserver(server, function(connection)
        local asked = copas.receive(connection, "*l")
        copas.send(connection, client:create_send_id({ campaign_id = asked }).send_id .. "\n")
        connection:close()
      end)
      copas.addthread(function()
        local connection = socket.tcp()
        copas.connect(connection, address, port)
        copas.send(connection, "campaign\n")
        print((copas.receive(connection, "*l")))
        finished = true
      end)
      while not finished do copas.step() end ]])
  end)

  it("gives an error with the caller's line", function()
    peer:default { read, { write = scripted_peer.answer(429, {}, '{"message":"slow down"}') }, again }
    local output = run(peer.url, [[
      go(function()
        local _, failure = new_safe():create_send_id(parameters)
        print(failure.kind, failure.where)
      end, function()
        new():create_send_id(parameters)
      end, function()
        local protected = _VERSION == "Lua 5.1" and require("coxpcall").pcall or pcall
        local good, failure = protected(function() return new():create_send_id(parameters) end)
        print(good, _VERSION == "Lua 5.1" and "rate_limited" or failure.kind)
      end) ]])
    assert.matches("rate_limited\t%S+:%d+:\n", output)
    assert.matches("\n?%S+:%d+: braze: rate_limited %(429%): [^\n]*slow down", output) -- by copas' own handler
    assert.matches("false\trate_limited\n", output)
  end)

  it("runs on_done from the loop, also of calls started outside of threads", function()
    peer:play { read, { write = scripted_peer.answer(400, { connection = "close" }, '{"message":"no"}') } }
    prints("rejected\nmade\n0\n", [[
      local client = new()
      local function start()
        client:start("create_send_id", parameters, {
          on_done = function(err, result) print(err and err.kind or result.send_id) end,
        })
      end
      start()
      go()
      go(start)
      print(client:pending()) ]])
  end)

  it("surfaces what an on_done raises, and runs the others", function()
    local output = run(peer.url, [[
      local client = new()
      go(function()
        for number = 1, 3 do
          client:start("create_send_id", parameters, {
            on_done = function()
              print("done " .. number)
              if number == 2 then error "oh no" end
            end,
          })
        end
        client:wait()
        print(client:create_send_id(parameters).send_id)
      end) ]])
    for number = 1, 3 do assert.matches("done " .. number .. "\n", output, 1, true) end
    assert.matches("oh no", output, 1, true)
    assert.matches("made\n", output, 1, true)
  end)

  it("ends many limits in their order, and none before its time", function()
    peer:default { read, hold }
    prints("1\n2\n3\n", [[
      local client = new()
      local waiting = 3
      local function wait(number)
        return function()
          local begun = socket.gettime()
          assert(not client:wait(number / 8))
          assert(socket.gettime() - begun >= number / 8 - 0.001)
          print(number)
          waiting = waiting - 1
          if waiting == 0 then client:close() end
        end
      end
      go(function() client:start("create_send_id", parameters) end, wait(3), wait(1), wait(2)) ]])
  end)

  it("wakes who waits for what another thread cancels or closes", function()
    prints("call cancelled true, client true, request cancelled\n", [[
      local woken, client, request = {}, nil, nil
      client = new_safe(serve(2, function()
        request:cancel()
        while #woken < 3 do work() end
      end))
      go(function()
        request = client:start("create_send_id", parameters)
        assert(request:wait())
        woken[#woken + 1] = "request " .. select(2, request:result()).kind
        client:close()
      end, function()
        local _, failure = client:create_send_id(parameters)
        woken[#woken + 1] = "call " .. failure.kind .. " " .. tostring(failure.maybe_applied)
      end, function()
        assert(client:wait(10))
        woken[#woken + 1] = "client true"
      end)
      table.sort(woken)
      print(table.concat(woken, ", ")) ]])
  end)

  it("refuses to wait where nothing may yield, before anything is sent", function()
    local given = ("local pcall_stops_yields = %s "):format(tostring(pcall_stops_yields))
    prints(pcall_stops_yields and "3\n" or "2\n", given .. [[
      local client, failures = new(), {}
      local function attempt(wait)
        local good, failure = pcall(wait)
        assert(not good and failure.kind == "usage" and failure.where ~= "" and not failure.maybe_applied)
        return failure
      end
      failures[1] = attempt(function() client:create_send_id(parameters) end)
      assert(failures[1].hint:find("copas.addthread", 1, true) and failures[1].message:find("copas", 1, true))
      go(function()
        table.sort({ 3, 1, 2 }, function(one, other)
          failures[2] = select(2, new_safe():create_send_id(parameters))
          assert(failures[2].kind == "usage")
          return one < other
        end)
        if pcall_stops_yields then
          failures[3] = attempt(function() client:create_send_id(parameters) end)
        end
      end)
      assert(client:pending() == 0)
      print(#failures) ]])
    assert.equal(0, #peer:log())
  end)

  it("refuses a call whose descriptor select can't take, before anything is sent", function()
    local output = run(peer.url, [[
      local held, early, late, failure = {}, new_safe(), new_safe(), nil
      go(function() print(early:create_send_id(parameters).send_id) end)
      for number = 1, 1100 do held[number] = assert(io.open "/dev/null") end
      go(function()
        failure = select(2, late:create_send_id(parameters))
        print(failure.kind, failure.message)
        print(select(2, late:start("create_send_id", parameters)).kind, late:pending())
        print(early:create_send_id(parameters).send_id)
      end) ]], nil, "ulimit -n 4096 && ")
    assert.matches("^made\nusage\t[^\n]*descriptor is %d+, and luasocket's select takes none above 1023\n"
      .. "usage\t0\nmade\n$", output)
    assert.equal(2, peer:requests())
  end)

  it("refuses a call in a coroutine that copas does not resume", function()
    prints("usage\nusage\nusage\nmade\nmade\n", [[
      local client = new_safe()
      local function call()
        local result, failure = client:create_send_id(parameters)
        print(result and result.send_id or failure.kind)
      end
      coroutine.wrap(call)()
      go(function()
        coroutine.wrap(call)()
        work()
        coroutine.wrap(call)()
        copas.addthread(call)
        call()
      end) ]])
    assert.equal(2, peer:requests())
  end)

  it("works where it is first loaded in a thread, and in handlers of servers from before", function()
    local output = run(nil, ([[
      local copas, socket = require "copas", require "socket"
      local server = assert(socket.bind("127.0.0.1", 0))
      local address, port = server:getsockname()
      local finished = false
      local function call()
        local client = require("braze.copas").safe.new { api_key = "braze-key-0123456789", endpoint = %q }
        return client:create_send_id({ campaign_id = "campaign" }).send_id .. "\n"
      end
      copas.addserver(server, function(connection)
        copas.receive(connection, "*l")
        copas.send(connection, call() .. call())
        connection:close()
      end)
      copas.addthread(function()
        local connection = socket.tcp()
        copas.connect(connection, address, port)
        copas.send(connection, "ask\n")
        print((copas.receive(connection, "*l")), (copas.receive(connection, "*l")))
        finished = true
      end)
      while not finished do copas.step() end ]]):format(peer.url))
    assert.equal("made\tmade\n", output)
  end)

  it("lets go of clients, and of their descriptors", function()
    prints("ok\n", [[
      local function descriptors()
        local pipe = io.popen "ls /proc/$PPID/fd | wc -l"
        local count = pipe:read "*n"
        pipe:close()
        return count
      end
      local kept = setmetatable({}, { __mode = "k" })
      local function use()
        local client = new()
        kept[client] = true
        kept[client.core] = true
        go(function() client:create_send_id(parameters) end, function()
          client:start("create_send_id", parameters, { on_done = function() kept[client] = 1 end })
        end)
        client:close()
      end
      coroutine.wrap(use)() -- in a coroutine, since Lua 5.1 keeps what stood in the main one's registers
      collect()
      assert(not next(kept))
      local before = descriptors()
      for _ = 1, 10 do coroutine.wrap(use)() end
      collect()
      assert(not next(kept))
      -- A client's thread closes what is its own when it comes to it.
      local deadline = socket.gettime() + 10
      while descriptors() >= before + 10 and socket.gettime() < deadline do socket.sleep(0.001) end
      assert(descriptors() < before + 10)
      print "ok" ]])
  end)
end)

describe("examples/copas.lua", function()
  local example = examples.new("copas", function(program, environment)
    return run(nil, program, environment)
  end)

  before_each(example.reset)

  it("makes an ID for each of its arguments", function() example.makes_each "The loop took" end)

  it("ends with what went wrong", function() example.ends_with_what_went_wrong() end)
end)
