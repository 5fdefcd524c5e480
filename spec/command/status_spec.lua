-- The exit statuses of the command, one for each way in which a call ends.

local braze = require "braze"
local command = require "spec.support.command"
local failure = require "braze.command.failure"
local socket = require "socket"
local standin = require "spec.support.standin"

local SEND = { "create-send-id", "--campaign-id", "campaign_identifier" }
local LIST = { "list-campaigns" }

describe("the exit status of braze", function()
  local service = standin.start()
  local environment

  before_each(function()
    service.reset()
    environment = { BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http }
  end)

  local function with(arguments, ...)
    local all = {}
    for _, list in ipairs { arguments, { ... } } do
      for _, argument in ipairs(list) do all[#all + 1] = argument end
    end
    return all
  end

  -- Runs the command where it fails: one line on standard error, and nothing on standard output.
  local function fails(status, kind, arguments)
    local found, output, complaint = command.run(arguments, environment)
    assert.equal(status, found, complaint)
    assert.equal("", output)
    assert.matches("^braze: " .. kind .. "[^\n]*\n$", complaint)
    return complaint
  end

  it("is 0 for a success", function()
    local status, output, complaint = command.run(SEND, environment)
    assert.same({ 0, "" }, { status, complaint })
    assert.matches('"message":"success"', output, 1, true)
  end)

  it("is 2 for usage, and nothing is sent", function()
    fails(2, "usage", { "create-send-id" })
    fails(2, "usage", with(SEND, "--retries", "many"))
    fails(2, "usage", with(SEND, "--retries", "11"))
    environment.BRAZE_API_KEY = nil
    assert.matches("BRAZE_API_KEY", fails(2, "usage", SEND), 1, true)
    assert.same({}, service.log().requests)
  end)

  it("is 3 for a service that was not reached", function()
    local listening = assert(socket.bind("127.0.0.1", 0))
    local _, port = listening:getsockname()
    listening:close()
    environment.BRAZE_REST_ENDPOINT = ("http://127.0.0.1:%d"):format(port)
    fails(3, "network", with(SEND, "--retries", "0"))
  end)

  it("is 3 for a read that took too long", function()
    environment.BRAZE_REST_ENDPOINT = service.http .. "/slow/5000"
    fails(3, "timeout", with(LIST, "--timeout", "0.2"))
  end)

  it("is 4 for the key and its permission", function()
    environment.BRAZE_API_KEY = "another-key"
    fails(4, "auth %(401%)", SEND)
    environment.BRAZE_API_KEY = service.key_without_permission
    fails(4, "auth %(403%)", SEND)
  end)

  it("is 5 for what the service refuses", function()
    fails(5, "rejected %(400%)", { "create-send-id", "--campaign-id", "no-such-campaign" })
  end)

  it("is 6 for a limit that is reached", function()
    service.steer "quota?bucket=sends_day&limit=0"
    fails(6, "rate_limited %(429%)", with(SEND, "--retries", "0"))
  end)

  it("is 7 for TLS", function()
    environment.BRAZE_REST_ENDPOINT = service.https
    fails(7, "tls", with(SEND, "--retries", "0"))
  end)

  it("is 8 where the service fails at a read, or something else answers", function()
    service.steer "next?fail=503"
    fails(8, "server %(503%)", with(LIST, "--retries", "0"))
    service.steer "next?fail=302"
    fails(8, "protocol %(302%)", with(LIST, "--retries", "0"))
  end)

  it("is 9 where the call may have been done, whatever the kind", function()
    service.steer "next?fail=503"
    fails(9, "server %(503%)", with(SEND, "--retries", "0"))
    service.steer "next?fail=408"
    fails(9, "rejected %(408%)", with(SEND, "--retries", "0"))
    service.steer "next?lose=1"
    fails(9, "network", with(SEND, "--retries", "0"))
    environment.BRAZE_REST_ENDPOINT = service.http .. "/slow/5000"
    fails(9, "timeout", with(SEND, "--timeout", "0.2"))
  end)

  it("of each kind is that of the manual", function()
    local expected = {
      usage = 2, network = 3, timeout = 3, auth = 4, rejected = 5, rate_limited = 6, tls = 7, server = 8, protocol = 8,
      busy = 10, ledger = 11, cancelled = 1,
    }
    for kind, status in pairs(expected) do
      assert.equal(status, failure.status(braze.error { kind = kind, maybe_applied = false }))
      if kind ~= "usage" then assert.equal(9, failure.status(braze.error { kind = kind, maybe_applied = true })) end
    end
    local told = {}
    for _, meaning in ipairs(failure.meanings) do told[meaning[1]] = true end
    for _, status in pairs(expected) do assert.is_true(told[status]) end
    assert.same({ true, true, true }, { told[0], told[9], told[130] })
  end)

  it("is 1 where the output can't be written, although the call was done", function()
    local status, _, complaint = command.shell(command.line(SEND, environment) .. " >/dev/full")
    assert.equal(1, status)
    assert.matches("^braze: standard output can't be written: [^\n]*\n$", complaint)
    assert.equal(1, service.count "campaign_identifier")
  end)

  -- luasocket makes this process ignore the signal, and its children inherit that.
  it("is that of SIGPIPE where nobody reads any more, without a word", function()
    local line = "{ env --default-signal=PIPE %s; echo $? >&2; } | true"
    local _, _, complaint = command.shell(line:format(command.line({ "each", "list-campaigns" }, environment)))
    assert.equal("141\n", complaint)
  end)

  it("is 1 where nobody reads any more and SIGPIPE is ignored", function()
    local line = "{ %s; echo $? >&2; } | true"
    local _, _, complaint = command.shell(line:format(command.line({ "each", "list-campaigns" }, environment)))
    assert.matches("^braze: standard output can't be written: [^\n]*\n1\n$", complaint)
  end)

  -- Starts the command in the background, waits until its request has arrived, and interrupts it.
  local function interrupt(arguments)
    environment.BRAZE_REST_ENDPOINT = service.http .. "/slow/20000"
    local errors, identifier = os.tmpname(), os.tmpname()
    local line = ("%s 2>%s & echo $! >%s; wait $!; echo \" $?\""):format(command.line(arguments, environment), errors,
      identifier)
    local begun = socket.gettime()
    local pipe = assert(io.popen(line))
    while #service.log().requests == 0 and socket.gettime() - begun < 10 do socket.sleep(0.01) end
    os.execute(("kill -INT $(cat %s)"):format(identifier))
    local output = pipe:read "*a"
    pipe:close()
    local file = assert(io.open(errors))
    local complaint = file:read "*a"
    file:close()
    os.remove(errors)
    os.remove(identifier)
    assert.is_true(socket.gettime() - begun < 15)
    local text, status = output:match "^(.*) (%d+)\n$"
    return tonumber(status), text, complaint
  end

  it("is 130 after Ctrl-C, which says whether the request had left", function()
    local status, output, complaint = interrupt(SEND)
    assert.same({ 130, "" }, { status, output })
    assert.matches("^braze: cancelled: cancelled after the request had left [^\n]*\n$", complaint)
  end)

  it("is 130 after Ctrl-C in a read, which changes nothing", function()
    local status, output, complaint = interrupt(LIST)
    assert.same({ 130, "" }, { status, output })
    assert.equal("braze: cancelled: cancelled; it only reads, so nothing was changed\n", complaint)
  end)

  it("is 130 after Ctrl-C in a walk, whose output is still JSON", function()
    local status, output = interrupt { "each", "list-campaigns" }
    assert.same({ 130, "[]\n" }, { status, output })
  end)

  it("comes with one JSON object where --json is given", function()
    local status, output, complaint = command.run({ "--json", "create-send-id", "--campaign-id", "no-such-campaign" },
      environment)
    assert.same({ 5, "" }, { status, output })
    local err = require("cjson").decode(complaint)
    assert.same({ "rejected", 400, false, "create_send_id", "" },
      { err.kind, err.status, err.maybe_applied, err.operation, err.where })
    assert.matches("^[^\n]+\n$", complaint)
  end)
end)
