-- A store that is locked, gone, frozen or no store at all: nothing leaves that is not written down, no result is lost,
-- and no other call waits.

local braze = require "braze"
local child = require "spec.support.child"
local children = require "spec.support.ledger_child"
local errors = require "spec.support.errors"
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

describe("a ledger in a file", function()
  local server, peer, path
  setup(function()
    server = servers.start "sqlite"
    peer = scripted_peer.start()
  end)
  teardown(function()
    server.stop()
    peer:stop()
  end)
  before_each(function()
    path = server.fresh()
    peer:reset()
    peer:default { { read = "request" }, { write = created() } }
  end)

  local function client(options)
    local all = { api_key = key, endpoint = peer.url, ledger = path, workspace = "w", timeout = 5 }
    for name, value in pairs(options or {}) do all[name] = value end
    return braze.new(all)
  end

  -- The error of a call with a job, of which nothing was sent.
  local function refusal(options)
    local made = client(options)
    local err = failure(made.create_send_id, made, campaign, { job = "a" })
    assert.equal("ledger", err.kind)
    assert.is_false(err.maybe_applied)
    assert.matches("nothing was sent", err.message, 1, true)
    assert.is_string(err.hint)
    assert.equal(0, peer:requests())
    made:close()
    return err
  end

  local function write(text)
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
  end

  -- Another program works on the file: d is its database.
  local function begin(program, mode)
    local whole = "import sqlite3, sys; d = sqlite3.connect('%s', isolation_level=None); %s"
    return io.popen('exec python3 -c "' .. whole:format(path, program) .. '"', mode)
  end

  local function sqlite(program)
    local pipe = begin(program, "r")
    pipe:read "*a"
    pipe:close()
  end

  -- Has another program lock the file until what is returned is closed.
  local function lock()
    local note = path .. ".held"
    local program = "d.execute('BEGIN IMMEDIATE'); open('%s', 'w').write('held'); sys.stdin.read()"
    local holder = begin(program:format(note), "w")
    local deadline = socket.gettime() + 10
    local file
    repeat
      socket.sleep(0.01)
      file = io.open(note)
    until file or socket.gettime() > deadline
    assert(file, "the file could not be locked"):close()
    return holder
  end

  it("is not what another scheme names, which is told, and nothing behind it", function()
    for url, scheme in pairs { ["mysql://u:secret@host/x"] = "mysql", ["key-\27[31m://x"] = "control character",
      [("x"):rep(5000) .. "://x"] = "xxxxxxxxxxxx" } do
      local err = failure(braze.ledger, url, "w")
      assert.equal("usage", err.kind)
      assert.matches(scheme, err.message, 1, true)
      assert.is_nil((err.message .. err.hint):find("secret", 1, true))
      assert.is_true(#err.message < 120, err.message)
      assert.matches("write the path of a file", err.hint, 1, true)
    end
  end)

  it("is for its user alone", function()
    client():create_send_id(campaign, { job = "a" })
    local pipe = io.popen("ls -l '" .. path .. "'")
    assert.matches("^%-rw%-%-%-%-%-%-%-", pipe:read "*a")
    pipe:close()
  end)

  it("says that a file is none", function()
    write(("no database "):rep(100))
    assert.matches("not a database", refusal().message, 1, true)
  end)

  it("leaves the database of another program alone", function()
    sqlite "d.execute('CREATE TABLE t (a)'); d.commit()"
    assert.matches("another program", refusal().message, 1, true)
  end)

  it("is made once where four processes open it for the first time", function()
    local program = ([[
      local braze, socket = require "braze", require "socket"
      for number = 1, 100 do
        while socket.gettime() < %f + number / 50 do end
        local ledger = braze.ledger(%q .. number, "w")
        local good, err = pcall(ledger.list, ledger)
        if not good then print(err.message) end
        ledger:close()
      end
    ]]):format(socket.gettime() + 1, path)
    local pipes = {}
    for number = 1, 4 do
      pipes[number] = io.popen(child.quote(interpreter) .. " -e " .. child.quote(program) .. " 2>&1")
    end
    for _, pipe in ipairs(pipes) do
      assert.equal("", pipe:read "*a")
      pipe:close()
    end
  end)

  it("says that there is no folder", function()
    assert.matches("folder", refusal({ ledger = server.folder .. "/none/braze.db" }).hint, 1, true)
  end)

  it("says that it is of a newer version", function()
    client():create_send_id(campaign, { job = "x" })
    peer:reset()
    peer:default { { read = "request" }, { write = created() } }
    sqlite "d.execute('PRAGMA user_version = 99'); d.commit()"
    assert.matches("newer version", refusal().message, 1, true)
  end)

  it("says that another program has written in it, and knows nothing of a state that is none", function()
    local made = client()
    made:create_send_id(campaign, { job = "x" })
    local ledger = braze.ledger(path, "w")
    local data = [[json_object(\'v\', 1, \'kind\', \'protocol\', \'status\', 77777)]]
    sqlite(("d.execute('UPDATE braze_job SET data = %s')"):format(data))
    assert.equal("protocol", ledger:find("x").error.kind)
    assert.is_nil(ledger:find("x").error.status)
    sqlite "d.execute('UPDATE braze_job SET state = 77')"
    assert.equal("unknown", ledger:find("x").state)
    ledger:settle("x", "done")
    assert.equal("done", ledger:find("x").state)
    sqlite "d.execute('UPDATE braze_job SET owner = hex(zeroblob(100))')"
    local err = failure(made.create_send_id, made, campaign, { job = "x" })
    assert.equal("ledger", err.kind)
    assert.matches("does not write", err.message, 1, true)
    assert.matches("does not write", failure(ledger.list, ledger).message, 1, true)
    assert.equal(1, peer:requests())
    made:close()
  end)

  it("that another process keeps locked holds up no call beyond its deadline, and none without a job", function()
    client():create_send_id(campaign, { job = "x" })
    peer:reset()
    peer:default { { read = "request" }, { write = created() } }
    local holder = lock()
    local made = client { timeout = 1 }
    local request = made:start("create_send_id", campaign, { job = "b" })
    local began = socket.gettime()
    assert.is_string(made:create_send_id(campaign).send_id)
    assert.is_true(socket.gettime() - began < 0.9)
    assert.is_true(request:wait(5))
    local err = failure(request.result, request)
    assert.equal("ledger", err.kind)
    assert.is_true(err.elapsed >= 0.99 and err.elapsed < 1.3)
    assert.matches("locked", err.message, 1, true)
    assert.equal(1, peer:requests())
    holder:close()
    assert.is_string(made:create_send_id(campaign, { job = "b" }).send_id)
  end)

  it("that can't be written after the answer loses no result", function()
    local made = client()
    made:create_send_id(campaign, { job = "x" })
    peer:play { { read = "request" }, { pause = 2 }, { write = created() } }
    local request = made:start("create_send_id", campaign, { job = "b", timeout = 3 })
    assert.is_true(peer:wait { requests = 2 })
    local holder = lock()
    assert.is_true(request:wait(5))
    local result = request:result()
    assert.is_string(result.send_id)
    assert.matches("could not be written", result.ledger_error, 1, true)
    holder:close()
    local ledger = braze.ledger(path, "w")
    local deadline = socket.gettime() + 10
    while ledger:find("b").state ~= "done" and socket.gettime() < deadline do socket.sleep(0.02) end
    assert.equal("done", ledger:find("b").state)
  end)

  -- A file that may not grow any further is what a full disk is to SQLite.
  it("that can't grow lets nothing leave that is not written down", function()
    local program = ([[
      local braze = require "braze"
      local client = braze.new { api_key = %q, endpoint = %q, ledger = %q, workspace = "w", timeout = 5 }
      local sent = 0
      for number = 1, 300 do
        local params = { external_user_ids = { "u" } }
        local good, value = pcall(client.send_messages, client, params, { job = "job " .. number })
        if not good then
          print(sent, value.kind, value.maybe_applied, value.message)
          break
        end
        sent = sent + 1
      end
      os.exit(0)
    ]]):format(key, peer.url, path)
    peer:default { { read = "request" }, { write = scripted_peer.answer(200, nil, '{"message":"success"}') } }
    local line = "(ulimit -f 160; exec %s -e %s) 2>&1"
    local pipe = io.popen(line:format(child.quote(interpreter), child.quote(program)))
    local text = pipe:read "*a"
    pipe:close()
    local sent, kind, applied, message = text:match "^(%d+)\t(%w+)\t(%w+)\t(.*)$"
    assert.same({ "ledger", "false" }, { kind, applied }, text)
    assert.matches("nothing was sent", message, 1, true)
    assert.equal(tonumber(sent), peer:requests())
    assert.is_true(tonumber(sent) > 0)
  end)

  it("is named where its store is not installed", function()
    local err = failure(braze.new, { api_key = key, endpoint = peer.url, ledger = "mysql://host/db" })
    assert.equal("usage", err.kind)
    assert.matches("scheme", err.message, 1, true)
  end)

  it("is a path or a URL, not what other libraries write", function()
    for _, start in ipairs { "sqlite:", "sqlite3:", "file:", "postgresql:", "postgres:", "redis:", "rediss:" } do
      local err = failure(braze.new, { api_key = key, endpoint = peer.url, ledger = start .. path })
      assert.equal("usage", err.kind)
      assert.matches(('ledger begins with "%s", which is neither a path nor a URL'):format(start), err.message, 1, true)
      assert.matches("write the path of a file", err.hint, 1, true)
    end
    for _, good in ipairs { "./shop:eu.db", "shop.eu:1.db", server.folder .. "/a:b.db" } do
      braze.new({ api_key = key, endpoint = peer.url, ledger = good }):close()
    end
    local err = failure(braze.new, { api_key = key, endpoint = peer.url, ledger = "sqlite://" .. path })
    assert.matches('ledger has the scheme "sqlite"', err.message, 1, true)
  end)

  it("is not in memory, not empty, and has a name of its workspace", function()
    for _, url in ipairs { ":memory:", "", "a\nb" } do
      assert.equal("usage", failure(braze.new, { api_key = key, endpoint = peer.url, ledger = url }).kind)
    end
    for _, name in ipairs { "", ("x"):rep(256), "a\tb", "\255" } do
      local options = { api_key = key, endpoint = peer.url, ledger = path, workspace = name }
      assert.equal("usage", failure(braze.new, options).kind)
    end
    assert.equal("usage", failure(braze.new, { api_key = key, endpoint = peer.url, workspace = "w" }).kind)
  end)

  it("is what a job needs, and a GET has none", function()
    local without = braze.new { api_key = key, endpoint = peer.url }
    assert.matches("no ledger", failure(without.create_send_id, without, campaign, { job = "a" }).message, 1, true)
    local made = client()
    assert.equal("usage", failure(made.list_campaigns, made, {}, { job = "a" }).kind)
    for _, job in ipairs { "", ("x"):rep(256), "a\nb", "\255", 5 } do
      assert.equal("usage", failure(made.create_send_id, made, campaign, { job = job }).kind)
    end
    assert.equal(0, peer:requests())
  end)
end)

for _, kind in ipairs { "postgresql", "redis" } do
  describe("a ledger in " .. kind, function()
    local server, peer, url, client
    setup(function() peer = scripted_peer.start() end)
    teardown(function() peer:stop() end)
    before_each(function()
      server = servers.start(kind)
      url = server.fresh()
      peer:reset()
      peer:default { { read = "request" }, { write = created() } }
      client = braze.new { api_key = key, endpoint = peer.url, ledger = url, workspace = "w", timeout = 5 }
    end)
    after_each(function()
      client:close()
      server.stop()
    end)

    it("that is gone lets nothing leave, and works again when it is back", function()
      client:create_send_id(campaign, { job = "x" })
      server.signal "KILL"
      local err = failure(client.create_send_id, client, campaign, { job = "a" })
      assert.equal("ledger", err.kind)
      assert.equal(1, peer:requests())
      server.again()
      assert.is_true(client:create_send_id(campaign, { job = "x" }).replayed)
      assert.is_string(client:create_send_id(campaign, { job = "a" }).send_id)
    end)

    it("that is frozen holds up no call beyond its deadline, and none without a job", function()
      client:create_send_id(campaign, { job = "x" })
      server.signal "STOP"
      local request = client:start("create_send_id", campaign, { job = "a", timeout = 0.7 })
      local began = socket.gettime()
      assert.is_string(client:create_send_id(campaign).send_id)
      assert.is_true(socket.gettime() - began < 0.6)
      assert.is_true(request:wait(5))
      local err = failure(request.result, request)
      server.signal "CONT"
      assert.equal("ledger", err.kind)
      assert.is_true(err.elapsed < 1)
      assert.is_false(err.maybe_applied)
      assert.equal(2, peer:requests())
      assert.is_string(client:create_send_id(campaign, { job = "a" }).send_id)
    end)

    it("that is frozen while another process does the job says who does it", function()
      peer:play { { read = "request" }, { hold = true } }
      local process = children.make(url, peer.url, "create_send_id", campaign, { job = "a" })
      assert.is_true(peer:wait { requests = 1, seconds = 30 })
      local request = client:start("create_send_id", campaign, { job = "a", timeout = 1.5 })
      socket.sleep(1)
      server.signal "STOP"
      assert.is_true(request:wait(10))
      server.signal "CONT"
      local err = failure(request.result, request)
      assert.equal("busy", err.kind)
      assert.matches("is being done by process " .. process .. " on", err.message, 1, true)
      children.signal(process, "KILL")
      children.wait(process)
    end)

    it("that dies while the service works loses no result, and is told of it when it is back", function()
      client:create_send_id(campaign, { job = "x" })
      peer:play { { read = "request" }, { pause = 0.5 }, { write = created() } }
      local request = client:start("create_send_id", campaign, { job = "a" })
      assert.is_true(peer:wait { requests = 2 })
      server.signal "KILL"
      assert.is_true(request:wait(10))
      local result = request:result()
      assert.is_string(result.send_id)
      assert.is_string(result.ledger_error)
      server.again()
      local ledger = braze.ledger(url, "w")
      local deadline = socket.gettime() + 20
      while ledger:find("a").state ~= "done" and socket.gettime() < deadline do socket.sleep(0.05) end
      assert.equal("done", ledger:find("a").state)
    end)

    it("says that another program has written in it", function()
      client:create_send_id(campaign, { job = "x" })
      if kind == "redis" then
        servers.redis_cli(server, "hset 'braze:{w}:job:x' token 1x")
      else
        servers.psql(url, "UPDATE braze_job SET owner = repeat('1', 96)")
      end
      local err = failure(client.create_send_id, client, campaign, { job = "x" })
      assert.equal("ledger", err.kind)
      assert.matches("does not write", err.message, 1, true)
      local ledger = braze.ledger(url, "w")
      assert.matches("does not write", failure(ledger.list, ledger).message, 1, true)
      assert.equal(1, peer:requests())
    end)

    it("says what its server says, without user and password", function()
      local wrong = url:gsub("//[^/]*", "//someone:secret-word@127.0.0.1:1")
      local other = braze.new { api_key = key, endpoint = peer.url, ledger = wrong, workspace = "w", timeout = 2 }
      local err = failure(other.create_send_id, other, campaign, { job = "a" })
      assert.equal("ledger", err.kind)
      assert.is_nil(tostring(err):find("secret-word", 1, true))
      assert.matches("127.0.0.1:1", err.message, 1, true)
    end)
  end)
end
