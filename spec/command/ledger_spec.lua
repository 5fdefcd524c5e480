-- The command with a ledger: --job, and what a person asks and says of jobs.

local cjson = require "cjson"
local command = require "spec.support.command"
local socket = require "socket"
local standin = require "spec.support.standin"

local MAKE = { "create-send-id", "--campaign-id", "campaign_identifier", "--job", "nightly" }
local SEND = {
  "trigger-campaign", "--campaign-id", "campaign_identifier", "--recipients", '[{"external_user_id":"user-1"}]',
  "--job", "lost", "--retries", "0",
}

describe("braze with a ledger", function()
  local service = standin.start()
  local environment, path

  before_each(function()
    service.reset()
    path = os.tmpname()
    os.remove(path)
    environment = {
      BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http, BRAZE_LEDGER = path, BRAZE_WORKSPACE = "shop",
    }
  end)
  after_each(function()
    for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(path .. ending) end
  end)

  local function run(...)
    local status, output, complaint = command.run({ ... }, environment)
    assert.same({ 0, "" }, { status, complaint })
    return cjson.decode(output)
  end

  -- A send whose answer is lost.
  local function lose_a_send()
    service.steer "next?lose=1"
    assert.equal(9, (command.run(SEND, environment)))
  end

  it("does a job once", function()
    assert.equal(0, (command.run(MAKE, environment)))
    assert.is_true(run((table.unpack or unpack)(MAKE)).replayed) -- luacheck: ignore
    assert.equal(1, #service.log().requests)
  end)

  it("takes the endpoint for the workspace where none is named", function()
    environment.BRAZE_WORKSPACE = nil
    assert.equal(0, (command.run(MAKE, environment)))
    assert.equal("done", run("ledger", "show", "nightly").state)
  end)

  it("ends with 10 where another process holds the job", function()
    environment.BRAZE_REST_ENDPOINT = service.http .. "/slow/20000"
    local identifier = os.tmpname()
    local holder = assert(io.popen(("%s >/dev/null 2>&1 & echo $! >%s; wait"):format(command.line(MAKE, environment),
      identifier)))
    local begun = socket.gettime()
    while #service.log().requests == 0 and socket.gettime() - begun < 10 do socket.sleep(0.01) end
    local status, _, complaint = command.run({ "create-send-id", "--campaign-id", "campaign_identifier", "--job",
      "nightly", "--timeout", "0.3" }, environment)
    os.execute("kill -INT $(cat " .. identifier .. ")")
    holder:close()
    os.remove(identifier)
    assert.equal(10, status)
    assert.matches("^braze: busy: [^\n]*nightly[^\n]*\n$", complaint)
  end)

  it("ends with 11 where the ledger can't be used, and nothing is sent", function()
    environment.BRAZE_LEDGER = "/no/such/folder/braze.db"
    local status, _, complaint = command.run(MAKE, environment)
    assert.equal(11, status)
    assert.matches("^braze: ledger: [^\n]*\n$", complaint)
    assert.same({}, service.log().requests)
  end)

  it("lists and shows jobs", function()
    assert.same({}, run("ledger", "list"))
    lose_a_send()
    assert.equal(0, (command.run(MAKE, environment)))
    local jobs = run("ledger", "list")
    assert.same({ "lost", "unknown", "nightly", "done" }, { jobs[1].job, jobs[1].state, jobs[2].job, jobs[2].state })
    assert.equal(1, #run("ledger", "list", "--state", "unknown"))
    assert.equal("trigger_campaign", run("ledger", "show", "lost").operation)
    local _, shown = command.on_terminal({ "ledger", "list" }, environment)
    shown = command.bare(shown)
    assert.matches("^job +state +operation +changed\nlost +unknown +trigger_campaign +%d+%-%d+%-%d+ ", shown)
    _, shown = command.on_terminal({ "ledger", "show", "lost" }, environment)
    assert.matches("^job +lost\nstate +unknown\noperation +trigger_campaign\n", shown)
  end)

  it("settles what nobody knows, and then it is done again or not", function()
    lose_a_send()
    assert.equal(9, (command.run(SEND, environment)))
    assert.same({ job = "lost", settled = "not_done" }, run("ledger", "settle", "lost", "not-done"))
    assert.equal(0, (command.run(SEND, environment)))
    assert.equal(2, #service.sends())
    run("ledger", "forget", "lost")
    lose_a_send()
    run("ledger", "settle", "lost", "done")
    assert.equal(0, (command.run(SEND, environment)))
    assert.equal(3, #service.sends())
  end)

  it("forgets a job", function()
    assert.equal(0, (command.run(MAKE, environment)))
    assert.is_true(run("ledger", "forget", "nightly").forgotten)
    assert.is_false(run("ledger", "forget", "nightly").forgotten)
    local status, _, complaint = command.run({ "ledger", "show", "nightly" }, environment)
    assert.equal(1, status)
    assert.matches('^braze: the ledger has no job "nightly"', complaint)
  end)

  it("shows the quota", function()
    assert.same({}, run("ledger", "quota"))
    assert.equal(0, (command.run(MAKE, environment)))
    local quota = run("ledger", "quota")
    assert.same({ 100, 99 }, { quota.limit, quota.remaining })
    local _, shown = command.on_terminal({ "ledger", "quota" }, environment)
    assert.matches("^limit +100\nremaining +99\nresets at +%d+%-%d+%-%d+ 00:00:00 UTC\n$", shown)
  end)

  it("says what is wrong with a ledger to doctor, who makes none", function()
    local function step()
      local _, output = command.run({ "doctor" }, environment)
      for _, one in ipairs(cjson.decode(output).steps) do
        if one.name == "ledger" then return one end
      end
    end
    assert.equal("good", step().state)
    assert.is_nil(io.open(path))
    environment.BRAZE_LEDGER = "README.md"
    assert.equal("bad", step().state)
    environment.BRAZE_LEDGER = "mysql://localhost"
    assert.equal("bad", step().state)
    environment.BRAZE_LEDGER = "redis://:geheim@127.0.0.1:1"
    local found = step()
    assert.equal("good", found.state)
    assert.not_matches("geheim", found.saw, 1, true)
    environment.BRAZE_LEDGER = false
    assert.equal("skipped", step().state)
  end)

  it("refuses a ledger command where there is none", function()
    environment.BRAZE_LEDGER = nil
    local status, _, complaint = command.run({ "ledger", "list" }, environment)
    assert.equal(2, status)
    assert.matches("BRAZE_LEDGER", complaint, 1, true)
  end)
end)
