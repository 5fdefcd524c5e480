-- braze inside nginx when nginx drops timers, when an on_done misbehaves, and when the reader or its channel is lost.

-- nginx has its own LuaJIT, so once is enough: with the build for it.
if not rawget(_G, "jit") then return end

local application = require "spec.support.openresty_application"
local openresty = require "spec.support.openresty"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local body_of, content, note, start = application.body_of, application.content, application.note, application.start
local is_quiet = application.is_quiet
local created = scripted_peer.created "made"
local read, answer, again = { read = "request" }, { write = created }, { again = true }

describe("braze in an nginx that drops timers", function()
  local peer = with_peer { read, answer, again }
  after_each(application.stop)

  -- The application's own timers, which run until they are let go.
  local busy_timers = content("/full", [[
      for _ = 1, 2 do
        ngx.timer.at(0, function() while not app.notes:get "released" do ngx.sleep(0.001) end end)
      end
      while ngx.timer.running_count() < 2 do ngx.sleep(0.001) end ]])
    .. content("/release", 'app.note("released", true)')
    .. content("/start", [[
      app.client:start("create_send_id", app.parameters, { on_done = function(_, result)
        pcall(ngx.say, "private: ", result.send_id)
        app.note("done", ngx.get_phase() .. " " .. result.send_id)
      end }) ]])

  it("delivers after a moment in which nginx dropped its timers, and lets nginx quit", function()
    local server = start(peer.url, busy_timers, { http = "lua_max_running_timers 2;" })
    server:get "/full"
    assert.equal("", (server:get "/start"))
    assert.is_true(server:log "lua_max_running_timers are not enough")
    server:get "/release"
    assert.equal("timer made", note(server, "done")) -- though nobody calls again
    server:signal "QUIT"
    assert.is_true(server:ended(5))
  end)

  it("answers who waits while nginx runs no timer, and runs nobody's on_done in a request", function()
    local server = start(peer.url, busy_timers, { http = "lua_max_running_timers 2;" })
    server:get "/full"
    assert.equal("", (server:get "/start"))
    for _ = 1, 3 do assert.equal("made", (server:get "/call")) end
    -- The one that was started; and the last one, if its answer was there before it had to wait for it.
    assert.matches("^[12]$", (server:get "/pending"))
    assert.equal("", (server:get "/note?name=done"))
    server:get "/release"
    assert.equal("timer made", note(server, "done"))
    assert.equal("made", (server:get "/call"))
    assert.is_true(is_quiet(server))
  end)

  it("needs no more than one timer at a time", function()
    local server = start(peer.url, busy_timers, { http = "lua_max_running_timers 1;" })
    assert.equal("", (server:get "/start"))
    assert.equal("timer made", note(server, "done"))
    assert.equal("made", (server:get "/call"))
  end)

  it("goes on once nginx makes timers again", function()
    local server = start(peer.url, busy_timers .. content("/fill", [[
      assert(ngx.timer.at(0.5, function() end))
      ngx.print(tostring(ngx.timer.at(0, function() end))) ]]), { http = "lua_max_pending_timers 1;" })
    assert.equal("nil", (server:get "/fill"))
    assert.equal("made", (server:get "/call"))
    assert.equal("", (server:get "/start"))
    local done = openresty.eventually(function()
      server:get "/pending" -- somebody comes by
      local value = server:get "/note?name=done"
      return value ~= "" and value
    end, 10)
    assert.equal("timer made", done)
  end)

  it("goes on after an on_done that ends its request, sleeps, says something or raises", function()
    local gate = openresty.service()
    local server = start(gate.url, content("/start", [[
      local function start(number, action)
        app.client:start("create_send_id", app.parameters, { on_done = function(_, result)
          app.note("done" .. number, result.send_id)
          if action then action() end
        end })
      end
      for number, action in ipairs {
        function() ngx.exit(ngx.HTTP_OK) end, function() ngx.exit(ngx.ERROR) end, function() ngx.sleep(0) end,
        function() ngx.say "x" end, function() ngx.eof() end, function() error "oh no" end,
        function() coroutine.yield() end, function() ngx.thread.spawn(ngx.exit, 200) end,
      } do start(number, action) end
      start(9) ]]))
    for round = 1, 2 do
      server:get "/start"
      gate.take(9)
      gate.answer()
      for number = 1, 9 do assert.equal("made", note(server, "done" .. number), round .. " " .. number) end
      local connection = server:send "/call"
      gate.take(1)
      gate.answer()
      assert.equal("made", body_of(connection))
    end
    assert.is_true(is_quiet(server))
    gate.close()
  end)

  it("has client:wait wait for the on_done, too", function()
    local server = start(peer.url, content("/", [[
      local ran = 0
      for _ = 1, 3 do
        app.client:start("create_send_id", app.parameters, { on_done = function() ran = ran + 1 end })
      end
      ngx.print(tostring(app.client:wait()), " ", ran, " ", app.client:pending()) ]]))
    assert.equal("true 3 0", (server:get "/"))
  end)

  it("replaces a reader that is gone", function()
    local server = start(peer.url, content("/lose", application.find_state .. [[
      app.call()
      while not state.channel do ngx.sleep(0) end
      state.number = state.number + 1 -- it ends as if another had taken its place, which nobody has
      state.channel:poke() ]]) .. content("/start", [[
      app.client:start("create_send_id", app.parameters, { on_done = function(_, result)
        app.note("done", result.send_id)
      end }) ]]))
    server:get "/lose"
    server:get "/start"
    assert.equal("made", note(server, "done"))
    assert.equal("made", (server:get "/call"))
  end)

  it("delivers without its channel, and when that is lost", function()
    local core = [[ local core = require "braze.core" ]]
    local server = start(peer.url, content("/lost", application.find_state .. core .. [[
      local first = app.call()
      while not state.channel do ngx.sleep(0) end -- its timer may not have run yet
      state.channel:close()
      local second = app.call()
      core.notify(app.client.core, -1) -- no byte comes any more
      ngx.print(first, " ", second, " ", app.call()) ]]))
    assert.equal("made made made", (server:get "/lost"))
    server:stop()
    server = start(peer.url, content("/none", core .. [[
      core.channel = function() return nil, "no channel in this spec" end
      app.client:start("create_send_id", app.parameters, {
        on_done = function(_, result) app.note("polled", result.send_id) end,
      })
      ngx.print(app.braze.new(app.options):create_send_id(app.parameters).send_id) ]]))
    for _ = 1, 3 do assert.equal("made", (server:get "/none")) end
    assert.equal("made", note(server, "polled"))
    assert.is_true(server:log "%[warn%].*no channel in this spec")
  end)
end)
