-- A process that ends with handshakes in flight, in every way there is: in time, with its own status, by no signal.

local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local standin = require "spec.support.standin"

local quote, write_file = child.quote, child.write_file
local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local interpreter = arg[-1]
local rounds = 20
local most_seconds = os.getenv "BRAZE_VALGRIND" and 60 or 2

-- Runs a command that prints "ready" before it ends. Returns what it printed, its status as a shell sees it (128 and
-- more is a signal) and the seconds from "ready" to its end.
local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1; echo \" exit $?\""))
  local first = pipe:read "*l"
  local began = socket.gettime()
  local rest = pipe:read "*a"
  local seconds = socket.gettime() - began
  pipe:close()
  local output, status = (first .. "\n" .. rest):match "^(.*) exit (%d+)\n$"
  return output, tonumber(status), seconds
end

describe("a process with 16 handshakes in flight", function()
  local service = standin.start()
  local path = os.tmpname()
  local peer

  setup(function() peer = scripted_peer.start() end)
  teardown(function()
    peer:stop()
    os.remove(path)
  end)
  before_each(function()
    service.reset()
    peer:reset()
    peer:default { { hold = true } }
  end)

  -- A program that starts 16 calls and ends in some way; each round ends it at another moment, at one of three peers:
  -- one that answers, one whose trust takes long to load (milliseconds of OpenSSL a connection), one that says nothing.
  local function write_program(round, ending)
    local endpoint, ca_file, moment = service.https .. "/fast", service.ca_file, round * 0.002
    if round % 3 == 1 then ca_file, moment = ca_file:gsub("ca%.pem$", "bundle.pem"), round * 0.015 end
    if round % 3 == 2 then endpoint = ("https://localhost:%d"):format(peer.port) end
    write_file(path, ([[
      local braze = require "braze"
      client = braze.new { api_key = %q, endpoint = %q, ca_file = %q }
      requests = {}
      for number = 1, 16 do
        requests[number] = client:start("create_send_id", { campaign_id = "campaign-exit" }, {
          on_done = function(failure) if failure and failure.kind ~= "cancelled" then print(failure) end end,
        })
      end
      client:wait(%f)
      io.write "ready\n"
      io.stdout:flush()
      %s
    ]]):format(service.key, endpoint, ca_file, moment, ending))
  end

  local function check(command, ending, expected_status, expected_output, last_round, longest)
    for round = 1, last_round or rounds do
      write_program(round, ending)
      local output, status, seconds = run(command .. " " .. quote(path))
      assert.equal(expected_status, status, ("round %d: %s"):format(round, output))
      assert.matches(expected_output or "^ready\n$", output)
      assert.is_true(seconds < math.max(most_seconds, longest or 0), ("round %d took %f s"):format(round, seconds))
    end
  end

  local endings = {
    { "at the end of its script", "" },
    { "by os.exit", "os.exit(3)", 3 },
    { "by os.exit with the state closed", "os.exit(3, true)", 3 },
    { "by an error", "error 'the end'", 1, "^ready\n.*the end" },
    { "after close", "client:close()" },
    { "after close and os.exit", "client:close() os.exit(3)", 3 },
    { "after all was collected", [[
      package.loaded.braze, client, requests = nil, nil, nil
      collectgarbage()
      collectgarbage()]] },
    { "inside an on_done", [[
      local function on_done() os.exit(3) end
      client:start("create_send_id", { campaign_id = "campaign" }, { on_done = on_done }):cancel()
      client:step()]], 3 },
    { "inside an on_done with the state closed", [[
      local function on_done() os.exit(3, true) end
      client:start("create_send_id", { campaign_id = "campaign" }, { on_done = on_done }):cancel()
      client:step()]], 3 },
  }
  for _, row in ipairs(endings) do
    it("ends " .. row[1], function()
      check(quote(interpreter), row[2], row[3] or 0, row[4])
    end)
  end

  describe("embedded in a C program", function()
    local hosts = {
      { "return", "that returns from main and closes nothing", "" },
      { "exit", "that calls exit and closes nothing", "" },
      { "close", "that closes its state", "" },
      { "handler", "whose handler of exit closes its state", "" },
      { "inside", "that calls exit inside a C function of its own", "end_process()" },
      { "thread", "that calls exit on another thread while this one waits", [[
        let_end()
        requests[1]:wait()
        client:wait()]] },
      { "thread", "that calls exit on another thread while this one starts and cancels", [[
        let_end()
        while true do
          client:start("create_send_id", { campaign_id = "campaign" }):cancel()
          client:step()
        end]] },
      { "thread", "that calls exit on another thread while this one makes calls", [[
        let_end()
        while true do pcall(client.create_send_id, client, { campaign_id = "campaign" }, { timeout = 0.05 }) end]] },
      { "joined", "whose handler of exit waits for a thread that makes calls", [[
        let_end()
        local ok, failure
        repeat
          ok, failure = pcall(client.create_send_id, client, { campaign_id = "campaign" }, { timeout = 0.1 })
        until not ok and failure.kind == "cancelled"
        print(failure)]], "^ready\n.*the process is exiting", rounds = 6 },
      { "joined", "whose handler of exit waits for a thread that waits", [[
        for number = 1, 16 do requests[number]:cancel() end
        request = client:start("create_send_id", { campaign_id = "campaign" }, { timeout = 0.1 })
        let_end()
        print(request:wait(), client:wait(), client:pending())]], "^ready\n.*true\ttrue\t0\n$", rounds = 3 },
      -- A call that ends as cancelled, because the process exits, says that the exit has begun.
      { "joined", "whose handler of exit waits for a thread whose calls may still take their time", [[
        local slow = braze.new { api_key = "braze-key-0123456789", endpoint = "http://127.0.0.1:%d", retries = 0 }
        local request = slow:start("create_send_id", { campaign_id = "campaign" }, { timeout = 20 })
        request:wait(0.1)
        let_end()
        local ok, failure
        repeat
          ok, failure = pcall(slow.create_send_id, slow, { campaign_id = "campaign" }, { timeout = 0.1 })
        until not ok and failure.kind == "cancelled"
        -- Not cancelled, since it has time, and not answered, since its thread stands still.
        print(request:done(), request:wait(1), slow:wait(0.1), request:done())]],
        "^ready\n.*false\tfalse\tfalse\tfalse\n$", rounds = 1, seconds = 6, answers_late = true },
      { "joined", "whose handler of exit waits for a thread that stands still until its call's deadline", [[
        let_end()
        local ok, failure
        repeat
          ok, failure = pcall(client.create_send_id, client, { campaign_id = "campaign" }, { timeout = 1 })
        until not ok and failure.kind == "cancelled"
        print(failure.elapsed > 0.9)]], "^ready\n.*true\n$", rounds = 1, seconds = 6 },
      { "handler", "whose handler of exit makes a call while it closes the state", [[
        late = setmetatable({}, { __gc = function()
          local ok, failure = pcall(client.create_send_id, client, { campaign_id = "campaign" })
          print(ok, failure)
        end })]], "^ready\n.*nothing was sent; the process is exiting\n$", collects = true },
      { "handler", "whose handler of exit starts a call and waits while it closes the state", [[
        late = setmetatable({}, { __gc = function()
          local request = client:start("create_send_id", { campaign_id = "campaign" })
          print(request:wait(), pcall(request.result, request))
        end })]], "^ready\n.*true\tfalse\t.*nothing was sent; the process is exiting\n$", collects = true },
    }
    for _, row in ipairs(hosts) do
      -- Lua 5.1 finalizes no tables.
      if not (row.collects and _VERSION == "Lua 5.1") then
        it(row[2] .. ", ends", function()
          local ending = row[3]
          if row.answers_late then
            ending = ending:format(peer.port)
            local made = { write = scripted_peer.created "made" }
            peer:play { { read = "request" }, { pause = 0.7 }, made, { hold = true } }
          end
          check(quote(build .. "/host") .. " " .. row[1], ending, 7, row[4], row.rounds, row.seconds)
        end)
      end
    end
  end)
end)
