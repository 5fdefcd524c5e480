-- braze inside nginx: light threads wait, workers never block, and nginx comes and goes as it likes.

-- nginx has its own LuaJIT, so once is enough: with the build for it.
if not rawget(_G, "jit") then return end

local application = require "spec.support.openresty_application"
local cjson = require "cjson"
local http = require "socket.http"
local openresty = require "spec.support.openresty"
local scripted_peer = require "spec.support.scripted_peer"
local standin = require "spec.support.standin"
local with_peer = require "spec.support.with_peer"

local body_of, content, note, start = application.body_of, application.content, application.note, application.start
local created = scripted_peer.created "made"
local read, answer, again = { read = "request" }, { write = created }, { again = true }

describe("braze in nginx", function()
  local peer = with_peer { read, answer, again }
  after_each(application.stop)

  it("is braze.openresty, whatever name it is asked by", function()
    local server = start(peer.url, content("/", [[
      local braze = require "braze"
      ngx.print(tostring(braze == require "braze.openresty"), " ", tostring(require "braze.safe" == braze.safe), " ",
        type(braze.create_send_id), " ", braze._VERSION, " ", tostring(app.client)) ]]))
    local body = server:get "/"
    assert.matches("^true true function braze %d%S* braze%.openresty%.client %(127%.0%.0%.1:%d+%)$", body)
  end)

  it("makes calls where nginx can wait", function()
    local server = start(peer.url, content("/content", [[ ngx.print(app.call()) ]])
      .. "location = /rewrite { rewrite_by_lua_block { ngx.print(app.call()) ngx.exit(200) } }"
      .. "location = /access { access_by_lua_block { ngx.print(app.call()) ngx.exit(200) } }"
      .. content("/timer", [[ ngx.timer.at(0, function() app.note("timer", app.call()) end) ]])
      .. content("/coroutine", [[ ngx.print(coroutine.wrap(app.call)()) ]])
      .. content("/pcall", [[ ngx.print(select(2, pcall(app.call))) ]]))
    for _, phase in ipairs { "content", "rewrite", "access", "coroutine", "pcall" } do
      local body, status = server:get("/" .. phase)
      assert.equal("made", body, phase)
      assert.equal(200, status)
    end
    server:get "/timer"
    assert.equal("made", note(server, "timer"))
    assert.equal("", server:log())
  end)

  it("has many light threads of many requests wait at once", function()
    local gate = openresty.service()
    local server = start(gate.url, content("/many", [[
      local threads, ids = {}, {}
      for number = 1, 5 do threads[number] = ngx.thread.spawn(app.call) end
      for number = 1, 5 do ids[number] = select(2, ngx.thread.wait(threads[number])) end
      ngx.print(table.concat(ids, " ")) ]]), { http = [[
      init_worker_by_lua_block { app.options.max_connections = 50 app.client = app.braze.new(app.options) } ]] })
    local connections = {}
    for number = 1, 8 do connections[number] = server:send "/many" end
    gate.take(40)
    assert.equal("40", server:get "/pending") -- and the worker answers others meanwhile
    gate.answer()
    for number = 1, 8 do assert.equal("made made made made made", body_of(connections[number])) end
    assert.is_true(application.is_quiet(server))
    gate.close()
  end)

  it("refuses to wait where nginx can't, names the phase and the way out, and logs it", function()
    local try = [[ local good, failure = pcall(app.call)
      app.note(ngx.get_phase(), good and "sent" or failure.kind .. "|" .. tostring(failure)) ]]
    local function block(directive, program)
      return ("%s { %s }\n"):format(directive, program)
    end
    local server = start(peer.url, "location = /phases {"
      .. block("set_by_lua_block $nothing", try .. " return 1") .. block("content_by_lua_block", "ngx.print('x')")
      .. block("header_filter_by_lua_block", try) .. block("body_filter_by_lua_block", try)
      .. block("log_by_lua_block", try) .. "}", { http = block("init_worker_by_lua_block", try .. [[
        local good, failure = pcall(require("braze").create_send_id, app.parameters)
        local nothing, returned = app.safe:create_send_id(app.parameters)
        app.note("safe", tostring(nothing) .. returned.kind) ]]) })
    server:get "/phases"
    for _, phase in ipairs { "set", "header_filter", "body_filter", "log", "init_worker" } do
      local text = note(server, phase)
      assert.matches("^usage|%S*:%d+: braze: usage: ", text, phase)
      assert.matches("phase " .. phase, text, 1, true)
      assert.matches("ngx.timer.at", text, 1, true)
      assert.is_true(server:log("%[error%].*braze: usage: .*phase " .. phase), phase)
    end
    assert.equal("nilusage", note(server, "safe"))
    assert.equal(0, #peer:log())
  end)

  it("refuses calls in init_by_lua, and says where to make them", function()
    local server = openresty.start {
      http = application.http(peer.url):gsub("}%s*$", [[
        for name, attempt in pairs {
          call = app.call,
          start = function() app.client:start("create_send_id", app.parameters) end,
        } do
          local good, failure = pcall(attempt)
          app.note(name, good and "sent" or tostring(failure))
        end
      } ]]),
      server = application.locations,
    }
    application.keep(server)
    for _, name in ipairs { "call", "start" } do
      local text = note(server, name)
      assert.matches("braze: usage: ", text, 1, true)
      assert.matches("init_by_lua", text, 1, true)
      assert.matches("init_worker_by_lua", text, 1, true)
    end
    assert.equal("made", server:get "/call")
    assert.equal(1, peer:requests())
  end)

  it("uses the master's client in each of two workers, on connections of their own", function()
    local gate = openresty.service()
    local server = start(gate.url, "", { workers = 2, http = [[ init_worker_by_lua_block {
      ngx.timer.at(0, function() app.note("worker" .. ngx.worker.id(), app.call() .. ngx.worker.pid()) end)
    } ]] })
    gate.take(2) -- two connections at once, one of each
    gate.answer()
    local one, other = note(server, "worker0"), note(server, "worker1")
    assert.matches("^made%d+$", one)
    assert.matches("^made%d+$", other)
    assert.not_equal(one, other)
    gate.close()
  end)

  it("works with lua_code_cache off", function()
    local server = start(peer.url, "lua_code_cache off;" .. content("/fresh", [[
      local braze = require "braze"
      local client = braze.new(app.options)
      local late = client:start("create_send_id", app.parameters, { on_done = function(_, result)
        ngx.shared.notes:set("late", result.send_id)
      end })
      ngx.print(client:create_send_id(app.parameters).send_id, late:wait() and "") ]]))
    for _ = 1, 5 do assert.equal("made", (server:get "/fresh")) end
    assert.equal("made", note(server, "late"))
    assert.is_nil(server:log():find "%[error%]")
  end)

  it("goes on after its client has gone: the call ends and its answer is dropped", function()
    local gate = openresty.service()
    local server = start(gate.url, "lua_check_client_abort on;" .. content("/kept", "ngx.print(app.call())")
      .. content("/cancelled", [[
        local request = app.client:start("create_send_id", app.parameters)
        ngx.on_abort(function() request:cancel() ngx.exit(499) end)
        request:wait() ]])
      .. content("/killed", [[
        local thread = ngx.thread.spawn(app.call)
        ngx.thread.kill(thread)
        ngx.print("killed") ]]))
    for _, path in ipairs { "/kept", "/cancelled", "/killed" } do
      local connection = server:send(path)
      gate.take(1)
      if path == "/killed" then assert.equal("killed", body_of(connection)) end
      assert.equal("1", server:get "/pending", path)
      connection:close()
      if path == "/cancelled" then -- the service sees its connection end
        assert.is_nil((gate.waiting[1]:receive(1)))
      end
      gate.answer()
      assert.is_true(application.is_quiet(server), path)
    end
    local connection = server:send "/call"
    gate.take(1)
    gate.answer()
    assert.equal("made", body_of(connection))
    assert.is_nil(server:log():find "%[error%]")
    gate.close()
  end)

  it("runs on_done of calls that were started where nothing waits", function()
    local server = start(peer.url, "location = /log {" .. [[
      content_by_lua_block { ngx.print("x") }
      log_by_lua_block {
        app.client:start("create_send_id", app.parameters, { on_done = function(err, result)
          app.note("done", err and err.kind or result.send_id)
          app.braze.new(app.options):start("create_send_id", app.parameters, { on_done = function() -- one more client
            app.note("more", "made")
            error("what an on_done raises")
          end })
        end })
      } }]])
    assert.equal("x", server:get "/log")
    assert.equal("made", note(server, "done"))
    assert.equal("made", note(server, "more"))
    assert.is_true(server:log "%[error%].*what an on_done raises")
  end)

  it("gives errors as objects, raised or returned", function()
    local refusal = scripted_peer.answer(429, { ["x-ratelimit-limit"] = 100 }, '{"message":"no"}')
    peer:default { read, { write = refusal }, again }
    local server = start(peer.url, content("/safe", [[
      local nothing, failure = app.safe:create_send_id(app.parameters)
      ngx.print(nothing, "|", require("cjson").encode(failure)) ]])
      .. content("/raised", [[
      local good, failure = pcall(app.call)
      ngx.print(tostring(app.braze.is_error(failure)), " ", failure.where) ]]))
    local failure = cjson.decode((server:get "/safe"):match "^nil|(.*)$")
    assert.equal("rate_limited", failure.kind)
    assert.equal(429, failure.status)
    assert.equal(100, failure.rate_limit.limit)
    assert.matches("content_by_lua", failure.where)
    assert.matches("^true init_by_lua%(nginx%.conf:%d+%):%d+:$", (server:get "/raised"))
  end)

  it("takes its environment by the env directive", function()
    local environment = { BRAZE_API_KEY = "braze-key-0123456789", BRAZE_REST_ENDPOINT = peer.url }
    local location = content("/", [[
      local result, failure = app.braze.safe.create_send_id(app.parameters)
      ngx.print(result and result.send_id or tostring(failure)) ]])
    local with = start(peer.url, location, {
      environment = environment, main = "env BRAZE_API_KEY; env BRAZE_REST_ENDPOINT;",
    })
    assert.equal("made", (with:get "/"))
    local without = start(peer.url, location, { environment = environment })
    local complaint = without:get "/"
    assert.matches("BRAZE_API_KEY is not set", complaint, 1, true)
    assert.matches('"env BRAZE_API_KEY;" at the top of nginx.conf', complaint, 1, true)
    local half = start(peer.url, location, { environment = environment, main = "env BRAZE_API_KEY;" })
    assert.matches("env BRAZE_REST_ENDPOINT;", (half:get "/"), 1, true)
  end)

  local function in_flight(gate, server, count)
    local connections = {}
    for number = 1, count do connections[number] = server:send "/call" end
    gate.take(count)
    return connections
  end

  local function bodies_of(connections)
    local bodies = {}
    for number, connection in ipairs(connections) do bodies[number] = body_of(connection) end
    return table.concat(bodies, " ")
  end

  it("loses no call when nginx reloads", function()
    local gate = openresty.service()
    local server = start(gate.url, "")
    for _ = 1, 3 do
      local worker = server:get "/worker"
      local connections = in_flight(gate, server, 10)
      server:signal "HUP"
      assert.is_truthy(openresty.eventually(function() return server:get "/worker" ~= worker end))
      gate.answer()
      assert.equal(("made "):rep(10), bodies_of(connections) .. " ")
      assert.is_truthy(openresty.eventually(function() return #server:processes() == 2 end, 5))
    end
    assert.is_nil(server:log():find "%[error%]")
    gate.close()
  end)

  it("delivers what is in flight when nginx quits, and then ends", function()
    local gate = openresty.service()
    local server = start(gate.url, content("/start", [[
      app.client:start("create_send_id", app.parameters, {
        on_done = function(err, result) ngx.log(ngx.ERR, "late ", err and err.kind or result.send_id) end,
      }) ]]))
    server:get "/start"
    gate.take(1)
    local connections = in_flight(gate, server, 10)
    server:signal "QUIT"
    assert.is_true(server:refuses())
    gate.answer()
    assert.equal(("made "):rep(10), bodies_of(connections) .. " ")
    assert.is_true(server:ended(5))
    assert.matches("late made", server:log(), 1, true)
    gate.close()
  end)

  it("ends at once when nginx is terminated, or quits while nothing is in flight", function()
    local gate = openresty.service()
    local server = start(gate.url, "")
    in_flight(gate, server, 10)
    server:signal "TERM"
    assert.is_true(server:ended(5))
    gate.close()
    server = start(peer.url, "")
    assert.equal("made", (server:get "/call"))
    server:signal "QUIT"
    assert.is_true(server:ended(5) and not server:log():find "%[alert%]")
  end)

  it("leaves no file, whatever becomes of nginx", function()
    local function files(known)
      local names, pipe = {}, assert(io.popen "ls -d /tmp/braze.* 2>/dev/null")
      for name in pipe:lines() do names[name] = not (known and known[name]) or nil end
      pipe:close()
      return names
    end
    local before = files()
    -- Another process' folder may be there too, for microseconds.
    local function nothing_new()
      return openresty.eventually(function() return next(files(before)) == nil end, 5)
    end
    for _, signal in ipairs { "QUIT", "TERM", "KILL" } do
      local gate = openresty.service()
      local server = start(gate.url, "")
      local connections = in_flight(gate, server, 3)
      assert.is_true(nothing_new())
      local ids = server:processes()
      if signal == "KILL" then
        assert(os.execute("kill -KILL " .. table.concat(ids, " ")))
      else
        server:signal(signal)
      end
      gate.close()
      bodies_of(connections)
      assert.is_true(server:ended(5))
      assert.is_true(nothing_new())
    end
  end)

  it("grows no table: 2,000 calls leave what 200 left", function()
    local endpoint = standin.start().http .. "/fast"
    local server = start(endpoint, content("/round", application.find_state .. [[
      local function rounds(count)
        for _ = 1, count do
          local threads = {}
          for number = 1, 20 do
            threads[number] = ngx.thread.spawn(function()
              if number == 20 then -- a waiter that is killed leaves nothing either
                ngx.thread.kill(ngx.thread.spawn(app.call))
              elseif number == 19 then
                app.client:start("create_send_id", app.parameters):wait(0.0001)
              else
                app.call()
              end
            end)
          end
          for number = 1, 20 do ngx.thread.wait(threads[number]) end
        end
        app.client:wait()
      end
      local function measure()
        for _ = 1, 3 do jit.flush() collectgarbage() end
        local count = 0 -- of all entries
        for _, of in ipairs { state.clients, state.free, state.notified, app.client.waiters } do
          for _ in pairs(of) do count = count + 1 end
        end
        return count, collectgarbage "count"
      end
      rounds(10)
      local _, before = measure()
      rounds(100)
      local entries, kilobytes = measure()
      ngx.print(entries, " ", kilobytes - before) ]]))
    local entries, growth = (server:get "/round"):match "^(%d+) (%S+)$"
    assert.is_true(tonumber(entries) <= 50, entries)
    assert.is_true(tonumber(growth) < 32, growth)
  end)

  it("runs the example", function()
    local service = standin.start()
    local server = openresty.start { file = "examples/openresty.conf", environment = {
      BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http, BRAZE_CAMPAIGN_ID = service.campaign_id,
    } }
    application.keep(server)
    assert.equal("spring\n", (http.request(server.url .. "/send_ids?send_id=spring", "")))
    local body, status = http.request(server.url .. "/send_ids?send_id=" .. ("x"):rep(65), "")
    assert.same({ "usage\n", 400 }, { body, status })
    assert.equal(405, (select(2, server:get "/send_ids")))
  end)

  it("runs the example of a send ID's life", function()
    local service = standin.start()
    service.reset()
    local server = openresty.start { file = "examples/send_life.conf", environment = {
      BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http, BRAZE_CAMPAIGN_ID = service.campaign_id,
    } }
    application.keep(server)
    local function post(query)
      return http.request(server.url .. "/sends?" .. query, "")
    end
    service.steer "clock?time=1800000000"
    assert.matches("^spring %x+\n$", (post "send_id=spring&user_id=user-1&user_id=user-2"))
    service.steer "clock?advance=10"
    assert.equal("day         channel  sent  delivered\n2027-01-15  email       2          2\n",
      (server:get "/sends?send_id=spring"))
    service.steer "next?after=1&lose=1"
    local body, status = post "send_id=summer&user_id=user-1"
    assert.same({ "unknown\n", 202 }, { body, status })
    assert.equal(2, #service.sends())
    body, status = post("send_id=" .. ("x"):rep(65) .. "&user_id=user-1")
    assert.same({ "usage\n", 400 }, { body, status })
    body, status = server:get "/sends?send_id=never-made"
    assert.same({ "rejected\n", 502 }, { body, status })
  end)
end)
