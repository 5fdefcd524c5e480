-- A store that can't be reached or written, and does not say so: a network that is cut without a word, a server that is
-- frozen while the service works, a file or a folder that is read-only.

local braze = require "braze"
local child = require "spec.support.child"
local errors = require "spec.support.errors"
local ledger_relay = require "spec.support.ledger_relay"
local scripted_peer = require "spec.support.scripted_peer"
local servers = require "spec.support.ledger_servers"
local socket = require "socket"

local created = scripted_peer.created
local campaign = { campaign_id = "campaign-1" }
local key = "braze-key-0123456789"
local least = 0
while arg[least - 1] do least = least - 1 end
local interpreter = arg[least]

local failure = errors.raised

local function wait_for_state(url, job, state)
  local ledger = braze.ledger(url, "w")
  local deadline = socket.gettime() + 20
  while (ledger:find(job) or {}).state ~= state and socket.gettime() < deadline do socket.sleep(0.02) end
  assert.equal(state, (ledger:find(job) or {}).state)
  ledger:close()
end

for _, kind in ipairs { "postgresql", "redis" } do
  describe("a ledger in " .. kind, function()
    local server, peer, relay, url, client
    setup(function()
      server = servers.start(kind)
      peer = scripted_peer.start()
    end)
    teardown(function()
      peer:stop()
      server.stop()
    end)
    before_each(function()
      url = server.fresh()
      relay = ledger_relay.start(server.port)
      peer:reset()
      -- With headers of which the ledger is told after calls without a job, too: those wait for it no more than others.
      local headers = { ["x-ratelimit-limit"] = 100, ["x-ratelimit-remaining"] = 50 }
      headers["x-ratelimit-reset"] = ("%d"):format(os.time() + 5000)
      local answer = scripted_peer.answer(201, headers, '{"message":"success","send_id":"%{send_id}"}')
      peer:default { { read = "request" }, { write = answer } }
      local options = { api_key = key, endpoint = peer.url, ledger = relay.url(url), workspace = "w", timeout = 5 }
      client = braze.new(options)
    end)
    after_each(function()
      client:close()
      relay.stop()
    end)

    -- A call with a job while nothing comes back from the store; one without a job meanwhile.
    local function check_silence(sent)
      local request = client:start("create_send_id", campaign, { job = "a", timeout = 0.7 })
      local began = socket.gettime()
      assert.is_string(client:create_send_id(campaign).send_id)
      assert.is_true(socket.gettime() - began < 0.6)
      assert.is_true(request:wait(5))
      local err = failure(request.result, request)
      assert.equal("ledger", err.kind)
      assert.is_true(err.elapsed >= 0.69 and err.elapsed < 1)
      assert.is_false(err.maybe_applied)
      assert.matches("nothing was sent", err.message, 1, true)
      assert.equal(sent + 1, peer:requests())
    end

    it("whose network is cut lets nothing leave, holds up no deadline, and works again when it is mended", function()
      client:create_send_id(campaign, { job = "x" })
      relay.cut()
      check_silence(1)
      relay.mend()
      assert.is_string(client:create_send_id(campaign, { job = "a" }).send_id)
    end)

    it("whose network is cut before the first connection is none the worse", function()
      relay.cut()
      check_silence(0)
      relay.mend()
      assert.is_string(client:create_send_id(campaign, { job = "a" }).send_id)
    end)

    local silences = {
      ["whose network is cut"] = { function() relay.cut() end, function() relay.mend() end },
      ["that is frozen"] = { function() server.signal "STOP" end, function() server.signal "CONT" end },
    }
    for name, silence in pairs(silences) do
      local begin, finish = silence[1], silence[2]

      it(name .. " while the service works loses no result, and is told of it afterwards", function()
        client:create_send_id(campaign, { job = "x" })
        peer:play { { read = "request" }, { pause = 0.5 }, { write = created() } }
        local request = client:start("create_send_id", campaign, { job = "a", timeout = 1.5 })
        assert.is_true(peer:wait { requests = 2 })
        begin()
        local good = request:wait(5)
        finish()
        assert.is_true(good)
        local result = request:result()
        assert.is_string(result.send_id)
        assert.is_true(result.elapsed < 1.6)
        assert.matches("could not be written", result.ledger_error, 1, true)
        wait_for_state(url, "a", "done")
        assert.equal(result.send_id, client:create_send_id(campaign, { job = "a" }).send_id)
        assert.equal(2, peer:requests())
      end)
    end
  end)
end

describe("a ledger in a file", function()
  local server, peer, folder, path
  setup(function()
    server = servers.start "sqlite"
    peer = scripted_peer.start()
  end)
  teardown(function()
    server.stop()
    peer:stop()
  end)
  before_each(function()
    folder = child.output_of("mktemp -d " .. server.folder .. "/XXXXXX"):gsub("%s+$", "")
    path = folder .. "/braze.db"
    peer:reset()
    peer:default { { read = "request" }, { write = created() } }
  end)

  -- Root may write everywhere, so what is meant to fail runs as nobody: with copies of the libraries, because the clone
  -- may be in a folder that only root can read.
  local function start_of_line()
    if child.output_of("id -u"):match "%d+" ~= "0" then return "" end
    local drop = "setpriv --reuid=nobody --regid=nogroup --clear-groups "
    return child.output_of(drop .. "echo good 2>/dev/null") == "good\n" and drop or nil
  end

  -- What a call with a job says in a process that is not root's.
  local function call()
    local begin = start_of_line()
    if not begin then return nil end
    local libraries = server.folder .. "/libraries"
    local copy = "mkdir -p %s && cp %s/braze.so %s/braze_ledger_sqlite.so %s && chmod -R a+rX %s"
    local build = child.quote(os.getenv "BRAZE_BUILD")
    os.execute(copy:format(libraries, build, build, libraries, libraries))
    local program = ([[
      package.cpath = %q .. ";" .. package.cpath
      local braze = require "braze"
      local client = braze.new { api_key = %q, endpoint = %q, ledger = %q, workspace = "w", timeout = 5 }
      local good, value = pcall(client.create_send_id, client, { campaign_id = "campaign-1" }, { job = "a" })
      if good then
        print("made", value.ledger_error)
      else
        print(value.kind, value.maybe_applied, value.message, value.hint)
      end
    ]]):format(libraries .. "/?.so", key, peer.url, path)
    local line = "cd / && %s%s -e %s 2>&1"
    return child.output_of(line:format(begin, child.quote(interpreter), child.quote(program)))
  end

  local function is_there(name)
    local file = io.open(name)
    if file then file:close() end
    return file ~= nil
  end

  -- Makes the ledger. Beside it there is nothing once it is closed: who opens it next must make what belongs there.
  local function make()
    local client = braze.new { api_key = key, endpoint = peer.url, ledger = path, workspace = "w" }
    client:create_send_id(campaign, { job = "x" })
    client:close()
    client = nil -- luacheck: ignore 311
    collectgarbage()
    collectgarbage()
    local deadline = socket.gettime() + 10
    while is_there(path .. "-wal") and socket.gettime() < deadline do socket.sleep(0.01) end
    peer:reset()
    peer:default { { read = "request" }, { write = created() } }
  end

  -- The modes are those of the folder and of what is in it.
  local function check(folder_mode, file_mode)
    os.execute(("chmod %s %s/* 2>/dev/null; chmod %s %s"):format(file_mode, folder, folder_mode, folder))
    local text = call()
    os.execute(("chmod 755 %s"):format(folder))
    if not text then
      pending "this is root, and setpriv can't become another user here"
      return
    end
    local kind, applied, message, hint = text:match "^(%w+)\t(%w+)\t([^\t]*)\t(.*)$"
    assert.same({ "ledger", "false" }, { kind, applied }, text)
    assert.matches("nothing was sent", message, 1, true)
    assert.matches("let this process write", hint, 1, true)
    assert.matches("folder", hint, 1, true)
    assert.equal(0, peer:requests())
  end

  it("can be written by another user, where the modes say so", function()
    make()
    os.execute(("chmod 666 %s/*; chmod 777 %s"):format(folder, folder))
    local text = call()
    if not text then
      pending "this is root, and setpriv can't become another user here"
      return
    end
    assert.matches("made\tnil\n", text)
    assert.equal(1, peer:requests())
  end)

  it("that is read-only lets nothing leave", function()
    make()
    check("777", "444")
  end)

  it("in a folder that is read-only lets nothing leave", function()
    make()
    check("555", "666")
  end)

  it("that would be made in a folder that is read-only lets nothing leave", function() check("555", "666") end)

  it("that can't even be read lets nothing leave", function()
    make()
    check("777", "000")
  end)
end)
