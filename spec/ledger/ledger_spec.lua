-- braze.ledger: how it is called wrongly, where its stores are looked for, and what becomes of a job whose record
-- somebody else has changed.

local braze = require "braze"
local child = require "spec.support.child"
local errors = require "spec.support.errors"
local scripted_peer = require "spec.support.scripted_peer"
local servers = require "spec.support.ledger_servers"

local failure = errors.raised
local campaign = { campaign_id = "campaign-1" }
local key = "braze-key-0123456789"

describe("a ledger", function()
  local server, peer, path, ledger
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
    peer:default { { read = "request" }, { write = scripted_peer.created() } }
    ledger = braze.ledger(path, "w")
  end)
  after_each(function() ledger:close() end)

  local function new(options)
    local all = { api_key = key, endpoint = peer.url, ledger = path, workspace = "w", timeout = 20 }
    for name, value in pairs(options or {}) do all[name] = value end
    return braze.new(all)
  end

  local mistakes = {
    { "find", { 5 }, "find takes the name of a job, not a number" },
    { "find", {}, "find takes the name of a job, not n" },
    { "find", { "" }, "find was given a name of 0 bytes: a job's name has 1 to 255" },
    { "forget", { ("x"):rep(256) }, "forget was given a name of 256 bytes: a job's name has 1 to 255" },
    { "find", { "a\0b" }, "find was given a name of 3 bytes: a job's name has 1 to 255, and no NUL" },
    { "list", { "unknown" }, "list takes a table, not a string" },
    { "list", { { stat = "done" } }, "\"stat\"" },
    { "list", { { state = "doen\n" } }, 'list was given "doen\\n" as a state, which no job has' },
    { "list", { { state = true } }, "list was given a boolean as a state" },
    { "settle", { "a", "dnoe" }, 'settle takes "done" or "not_done" behind the job, not "dnoe"' },
    { "settle", { "a" }, 'settle takes "done" or "not_done" behind the job, not n' },
  }
  for _, row in ipairs(mistakes) do
    it("says what is wrong with a call: " .. row[3], function()
      local err = failure(ledger[row[1]], ledger, (unpack or table.unpack)(row[2]))
      assert.equal("usage", err.kind)
      assert.matches(row[3], err.message, 1, true)
    end)
  end

  it("names the colon that a call lacks, and a ledger that is closed", function()
    for _, name in ipairs { "find", "list", "settle", "forget", "quota", "close" } do
      local err = failure(ledger[name], "job")
      assert.matches(name .. " was called on a string, not on a ledger", err.message, 1, true)
      assert.matches(("write ledger:%s(...)"):format(name), err.hint, 1, true)
    end
    assert.equal(("braze.ledger (%s)"):format(path), tostring(ledger))
    ledger:close()
    ledger:close()
    assert.equal("braze.ledger (closed)", tostring(ledger))
    assert.matches("find was called on a ledger that is closed", failure(ledger.find, ledger, "a").message, 1, true)
  end)

  it("has a workspace, of its own or the environment's", function()
    local program = [[
      local good, value = pcall(require "braze".ledger, %q)
      if good then return print "good" end
      print(value.message, value.hint)
    ]]
    local output = child.run(program:format(path), {})
    assert.matches("braze.ledger was given no workspace, and the environment has none", output, 1, true)
    assert.equal("good\n", (child.run(program:format(path), { BRAZE_WORKSPACE = "w" })))
    assert.equal("good\n", (child.run(program:format(path), { BRAZE_REST_ENDPOINT = peer.url })))
    output = child.run(program:format(path), { BRAZE_WORKSPACE = "a\tb" })
    assert.matches("workspace", output, 1, true)
    assert.matches("as a string, not a number", failure(braze.ledger, path, 5).message, 1, true)
  end)

  -- A library that stands alone in a folder, with a package.cpath for what it lacks.
  local function call_from(folder, cpath)
    local program = ([[
      package.cpath = %q .. "/?.so;" .. package.cpath
      local braze = require "braze"
      require "cjson"
      package.cpath = %q
      local client = braze.new { api_key = %q, endpoint = %q, ledger = %q, workspace = "w", timeout = 20 }
      local good, value = pcall(client.create_send_id, client, { campaign_id = "c" }, { job = "a" })
      print(good and "made" or value.kind .. ": " .. value.message .. " | " .. tostring(value.hint))
    ]]):format(folder, cpath, key, peer.url, path)
    return (child.run(program))
  end

  it("is looked for beside braze.so and in package.cpath, and what is no store of this version is named", function()
    local build = child.quote(os.getenv "BRAZE_BUILD")
    local alone, other = server.folder .. "/alone", server.folder .. "/other"
    local function run(command)
      local good = os.execute(command)
      assert.is_true(good == true or good == 0)
    end
    run(("mkdir %s %s && cp %s/braze.so %s"):format(alone, other, build, alone))
    local cpath = "none/braze_ledger.so;" .. other .. "/?.so"
    local output = call_from(alone, cpath)
    assert.matches("ledger: .*there is no braze_ledger_sqlite.so beside braze.so, nor in package.cpath", output)
    assert.matches("install libsqlite3-dev", output, 1, true)
    assert.matches("nothing was sent", output, 1, true)
    run(("echo nonsense >%s/braze_ledger_sqlite.so"):format(other))
    output = call_from(alone, cpath)
    assert.matches("braze_ledger_sqlite.so can't be used: ", output, 1, true)
    assert.matches("from the same version", output, 1, true)
    run(("cp %s/braze.so %s/braze_ledger_sqlite.so"):format(build, other))
    assert.matches("can't be used: it is no store of braze's", call_from(alone, cpath), 1, true)
    run(("cp %s/braze_ledger_sqlite.so %s"):format(build, other))
    assert.equal(0, peer:requests())
    assert.equal("made\n", call_from(alone, cpath))
    run(("rm -r %s %s"):format(alone, other))
  end)

  it("knows a route by its query, in any order, and by a body that is none", function()
    local client = new()
    peer:default { { read = "request" }, { write = scripted_peer.answer(200, nil, '{"message":"success"}') } }
    local options = { job = "q", query = { a = 1, b = "two" } }
    assert.is_nil(client:call("POST /any/route", {}, options).replayed)
    assert.is_true(client:call("POST /any/route", {}, options).replayed)
    local err = failure(client.call, client, "POST /any/route", {}, { job = "q", query = { a = 1, b = "three" } })
    assert.equal("usage", err.kind)
    assert.equal(1, peer:requests())
    client:close()
  end)

  it("loses no result of a job whose record somebody has forgotten meanwhile", function()
    local client = new()
    peer:play { { read = "request" }, { pause = 0.5 }, { write = scripted_peer.created() } }
    local request = client:start("create_send_id", campaign, { job = "f" })
    assert.is_true(peer:wait { requests = 1 })
    assert.is_true(ledger:forget "f")
    assert.is_true(request:wait(20))
    local result = request:result()
    assert.equal("success", result.message)
    assert.matches("the job's record was changed by somebody else meanwhile", result.ledger_error, 1, true)
    assert.is_nil(ledger:find "f")
    client:close()
  end)
end)
