-- The front door in C (src/client.h), by a program that has no Lua in it: spec/support/door.c.

local standin = require "spec.support.standin"

local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local campaign = "campaign-door"

describe("the front door in C", function()
  local service = standin.start()

  before_each(service.reset)

  -- What the program prints, a line each, and its status.
  local function run(what)
    local pipe = assert(io.popen(("%s/door %s %s %s %s 2>&1; echo \" exit $?\"")
      :format(build, what, service.http, service.key, campaign)))
    local output, status = pipe:read "*a":match "^(.*) exit (%d+)\n$"
    pipe:close()
    local lines = {}
    for line in output:gmatch "[^\n]+" do lines[#lines + 1] = line end
    return lines, tonumber(status)
  end

  local function check(what, expected)
    local lines, status = run(what)
    assert.same(expected, lines)
    assert.equal(7, status)
  end

  local function created(send_id)
    return ('201 {"message":"success","send_id":"%s"}'):format(send_id)
  end

  it("has no Lua in it", function()
    local pipe = assert(io.popen("nm -D --undefined-only " .. build .. "/door; nm --defined-only " .. build .. "/door"))
    local symbols = pipe:read "*a"
    pipe:close()
    assert.matches("braze_client_new", symbols)
    assert.not_matches("lua", symbols)
  end)

  it("makes calls on the caller's thread", function()
    check("call", { "door-one: " .. created "door-one", "door-two: " .. created "door-two" })
    assert.equal(2, service.count(campaign))
    local requests = service.log().requests
    assert.equal(requests[1].connection, requests[2].connection)
  end)

  it("starts calls, tells a host's loop when one is done, and gives them out as they end", function()
    check("start", {
      "pending 3, readable 0",
      "taken 1: " .. created "door-started",
      "taken 2: " .. created "door-started",
      "taken 3: " .. created "door-started",
      "pending 0, readable 0",
    })
  end)

  it("cancels a call at once, and the other one goes on", function()
    check("cancel", {
      "ready: 2",
      "first: cancelled, attempts 1, maybe applied: yes", "second: " .. created "door-whole",
      "taken 2: " .. created "door-whole", "taken 1: cancelled, attempts 1, maybe applied: yes",
    })
  end)

  it("closes a client at once; what is done and what was cancelled can be taken, and no call is let in", function()
    local lines, status = run "close"
    assert.matches("^taken 2: cancelled, attempts [01], maybe applied: %a+$", table.remove(lines, 3))
    assert.same({
      "closed: 1, pending: 2, key: dropped",
      "taken 1: " .. created "door-done",
      "door-late: not called, closed",
    }, lines)
    assert.equal(7, status)
  end)

  it("answers for a client that has started nothing, and lets none be started on a closed one", function()
    check("idle", { "ready: 0 0, taken: none, pending: 0", "started late: closed" })
  end)

  it("keeps a client that is held, with its key, after it was freed", function()
    check("hold", { "closed: 1, key: kept" })
  end)

  it("works on both sides of a fork", function()
    local lines, status = run "fork"
    assert.matches("^the parent's: cancelled, attempts [01], maybe applied: yes$", table.remove(lines, 3))
    assert.same({
      "door-before: " .. created "door-before",
      "child: the same generation: 0, pending: 0",
      "door-child: " .. created "door-child",
      "taken 2: " .. created "door-childs",
      "parent: the child ended with 7, the same generation: 1",
      "taken 1: " .. created "door-parents",
    }, lines)
    assert.equal(7, status)
    assert.equal(4, service.count(campaign))
    local connections = {}
    for _, request in ipairs(service.log().requests) do connections[request.connection] = true end
    local count = 0
    for _ in pairs(connections) do count = count + 1 end
    assert.equal(4, count, "two engines and two workers, each with a connection of its own")
  end)

  it("lets a process end with calls in flight", function()
    check("exit", { "pending 4" })
  end)
end)
