-- look: certificates and names are looked up on a thread of their own. A disk or a name server that never answers keeps
-- neither a call past its deadline, nor a fork, nor more than a few threads.

local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"
local standin = require "spec.support.standin"

local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local quote = child.quote

describe("where a disk or a name server does not answer", function()
  local service = standin.start()
  local folder, peer

  setup(function()
    local pipe = assert(io.popen "mktemp -d")
    folder = pipe:read "*l"
    pipe:close()
    peer = scripted_peer.start()
  end)
  teardown(function()
    os.execute("rm -rf " .. quote(folder))
    peer:stop()
  end)
  before_each(function()
    service.reset()
    peer:reset()
    os.execute(("rm -rf %s/*; touch %s/hangs; mkdir %s/disk; cp %s %s/disk/ca.pem"):format(folder, folder, folder,
      quote(service.ca_file), folder))
  end)

  -- Runs a program in an interpreter of its own; what it wrote.
  local function run(program)
    local text = ([[
      local braze = require "braze"
      local process = assert(package.loadlib(%q, "luaopen_braze_process_spec"))()
      local socket = require "socket"
      local folder, https, key, port, system_ca = %q, %q, %q, %d, %q
      local function new(options)
        local all = { api_key = key, endpoint = https, retries = 0, proxy = "", ca_file = folder .. "/disk/ca.pem" }
        for name, value in pairs(options) do all[name] = value end
        return braze.new(all)
      end
      local function threads()
        for line in io.lines "/proc/self/status" do
          local count = line:match "^Threads:%%s*(%%d+)"
          if count then return tonumber(count) end
        end
      end
      local params = { campaign_id = "campaign-1" }
      local function call(client, mode, options)
        if mode == "blocking" then return select(2, pcall(client.create_send_id, client, params, options)) end
        local request = client:start("create_send_id", params, options)
        assert(request:wait(20))
        client:step()
        return select(2, pcall(request.result, request))
      end
      local function quick(what)
        local began = socket.gettime()
        what()
        local took = socket.gettime() - began
        if took > 1 then error("it took " .. took .. " s") end
      end
      local function answers() os.remove(folder .. "/hangs") end
      local good, text = pcall(function()
        %s
      end)
      io.write(tostring(text))
      io.stdout:flush()
      os.exit(good and 0 or 1)
    ]]):format(build .. "/test/braze.so", folder, service.https, service.key, peer.port, service.ca_file, program)
    local preloaded = os.getenv "LD_PRELOAD"
    return (child.run(text, {
      HANG_WHILE = folder .. "/hangs", HANG_PATH = folder .. "/disk", HANG_NAME = "silent.test",
        HANG_ADDRESS = "127.0.0.1",
      LD_PRELOAD = (preloaded and preloaded .. ":" or "") .. build .. "/test/hang.so",
    }))
  end

  for _, mode in ipairs { "blocking", "started" } do
    describe("a call that is " .. mode, function()
      it("ends in time where the disk of its ca_file hangs, and says so", function()
        local text = run(([[
          local client, failure = new { timeout = 0.3 }, nil
          quick(function() failure = call(client, %q) end)
          assert(not failure.maybe_applied and failure.attempts == 0 and failure.elapsed < 1)
          return failure
        ]]):format(mode))
        assert.matches("braze: timeout: the certificates to trust could not be read within 0.3 s from "
          .. "\"[^\"]*/disk/ca.pem\": "
          .. "its file system does not answer; nothing was sent; look at the mount", text)
      end)

      it("works again as soon as the disk does, on the same client", function()
        assert.equal("201", run(([[
          local client = new { timeout = 0.3 }
          assert(call(client, %q).kind == "timeout")
          answers()
          return call(client, %q, { timeout = 20 }).status
        ]]):format(mode, mode)))
      end)

      it("ends in time where the name server hangs, and says so", function()
        local text = run(([[
          local client, failure = new { endpoint = "https://rest.silent.test", ca_file = system_ca, timeout = 0.3 }, nil
          quick(function() failure = call(client, %q) end)
          assert(not failure.maybe_applied and failure.attempts == 0)
          return failure
        ]]):format(mode))
        assert.matches("braze: timeout: no connection to rest.silent.test within 0.3 s: "
          .. "the name server did not answer for "
          .. "rest.silent.test; nothing was sent; check network, DNS", text)
      end)

      it("is tried again after connect_timeout, while there is time", function()
        assert.equal("timeout false 0", run(([[
          local client = new { endpoint = "https://rest.silent.test", ca_file = system_ca, timeout = 5,
            connect_timeout = 0.05, retries = 1 }
          local failure
          quick(function() failure = call(client, %q) end)
          return table.concat({ failure.kind, tostring(failure.maybe_applied), failure.attempts }, " ")
        ]]):format(mode)))
      end)

      it("works again as soon as the name server does", function()
        peer:default { { read = "any" }, { write = "HTTP/1.1 200 OK\r\n\r\n" }, { connect = service.https_port } }
        assert.equal("201", run(([[
          local client = new { endpoint = https:gsub("localhost", "rest.braze.test"), timeout = 0.3,
            ca_file = system_ca,
            proxy = "http://silent.test:" .. port }
          assert(call(client, %q).kind == "timeout")
          answers()
          return call(client, %q, { timeout = 20 }).status
        ]]):format(mode, mode)))
      end)

      it("leaves a few threads behind, and the calls after those are told why", function()
        local text = run(([[
          local client, most, failure = new { endpoint = "https://rest.silent.test", ca_file = system_ca,
            timeout = 0.02, max_connections = 4 }, 0, nil
          for _ = 1, 100 do
            failure = call(client, %q)
            assert(not failure.maybe_applied)
            most = math.max(most, threads())
          end
          assert(most <= 8 + 2, most)
          return failure
        ]]):format(mode))
        assert.matches("braze: network: no connection to rest.silent.test: "
          .. "earlier look%-ups .* get no answer, .* nothing was sent", text)
      end)
    end)
  end

  it("the clients of a process leave a few threads behind all together", function()
    assert.equal("bounded", run [[
      local most = 0
      for number = 1, 60 do
        local client = new { endpoint = "https://rest.silent.test", ca_file = system_ca, timeout = 0.01 }
        for _ = 1, 4 do call(client, number % 2 == 0 and "blocking" or "started") end
        client:close()
        most = math.max(most, threads())
      end
      return most <= 32 + 8 and "bounded" or most
    ]])
  end)

  it("a client whose own disk answers is not held up by another one's", function()
    assert.equal("201 201", run [[
      local stuck = new { timeout = 30 }
      stuck:start("create_send_id", params)
      local failing = new { timeout = 0.01 }
      for _ = 1, 50 do call(failing, "blocking") end
      local well = new { ca_file = system_ca, timeout = 20 }
      return call(well, "blocking").status .. " " .. call(well, "started").status
    ]])
  end)

  it("calls go on over the connections that are there, also those that waited for a new one", function()
    peer:default { { tls = { certificate = service.server_certificate, key = service.server_key } },
      { read = "request" }, { write = scripted_peer.created() }, { read = "request" }, { pause = 0.1 },
      { write = scripted_peer.created() }, { read = "request" }, { write = scripted_peer.created() },
        { read = "request" },
      { write = scripted_peer.created() }, { hold = true } }
    assert.equal("201 201 201", run [[
      answers()
      local client = new { endpoint = "https://localhost:" .. port, timeout = 20, max_connections = 4 }
      call(client, "started")
      assert(io.open(folder .. "/hangs", "w")):close()
      local requests, statuses = {}, {}
      for number = 1, 3 do requests[number] = client:start("create_send_id", params) end
      for number = 1, 3 do
        assert(requests[number]:wait(20))
        statuses[number] = requests[number]:result().status
      end
      return table.concat(statuses, " ")
    ]])
    assert.equal(1, #peer:log())
  end)

  it("a call that waits for a new connection takes the first one, once that has been quiet", function()
    peer:default { { tls = { certificate = service.server_certificate, key = service.server_key } },
      { read = "request" }, { pause = 0.3 }, { write = scripted_peer.created() }, { read = "request" },
      { write = scripted_peer.created() }, { hold = true } }
    assert.equal("201 201", run [[
      answers()
      local client = new { endpoint = "https://localhost:" .. port, timeout = 20, max_connections = 4 }
      local one = client:start("create_send_id", params)
      socket.sleep(0.15)
      assert(not one:done())
      assert(io.open(folder .. "/hangs", "w")):close()
      local two = client:start("create_send_id", params)
      assert(one:wait(20))
      local seconds = socket.gettime()
      assert(two:wait(20))
      assert(socket.gettime() - seconds < 5)
      return one:result().status .. " " .. two:result().status
    ]])
    assert.equal(1, #peer:log())
  end)

  it("a probe ends in time, and says so", function()
    assert.matches("no connection to rest.silent.test within [0-9.]+ s: the name server did not answer for",
      run [[
        local client = new { endpoint = "https://rest.silent.test", ca_file = system_ca, connect_timeout = 0.2 }
        local found
        quick(function() found = require("braze.core").probe(client) end)
        return found.error.message
      ]])
  end)

  it("a fork does not wait, and the child's own call ends in time, too", function()
    assert.equal("exited 0", run [[
      local client, child = new { timeout = 20 }, nil
      client:start("create_send_id", params)
      socket.sleep(0.05)
      quick(function() child = process.fork() end)
      if child == 0 then
        local failure
        quick(function() failure = call(client, "blocking", { timeout = 0.2 }) end)
        process.exit(failure.kind == "timeout" and 0 or 1)
      end
      local how, code = process.wait(child, 20)
      return how .. " " .. code
    ]])
  end)

  it("close, cancel and the end of the process do not wait", function()
    assert.equal("cancelled cancelled", run [[
      local client, kinds = new { timeout = 30 }, {}
      local one, two = client:start("create_send_id", params), client:start("create_send_id", params)
      quick(function()
        client:wait(0.1)
        one:cancel()
        client:close()
        client:wait()
      end)
      for _, request in ipairs { one, two } do kinds[#kinds + 1] = select(2, pcall(request.result, request)).kind end
      quick(function() client, one, two = nil, nil, nil collectgarbage() collectgarbage() end)
      return table.concat(kinds, " ")
    ]])
  end)

  local function refused(make)
    os.execute(("cd %s && rm -f disk/ca.pem hangs && { %s; }"):format(folder, make))
    return run [[
      local client, one, two = new { timeout = 5 }, nil, nil
      quick(function() one, two = call(client, "blocking"), call(client, "started") end)
      assert(not one.maybe_applied and one.message == two.message)
      return one
    ]]
  end

  for what, row in pairs {
    FIFO = { "mkfifo disk/ca.pem", "a FIFO or a pipe" },
    ["device that never ends"] = { "ln -s /dev/zero disk/ca.pem", "a device" },
    ["link to a FIFO"] = { "mkfifo disk/fifo; ln -s fifo disk/ca.pem", "a FIFO or a pipe" },
  } do
    it("a ca_file that is a " .. what .. " is refused at once", function()
      assert.matches("braze: tls: the certificates to trust can't be read from \"[^\"]*ca.pem\": it is " .. row[2]
        .. ", not a file %(curl 77%); ca_file %(BRAZE_CA_FILE%) must be a readable PEM bundle", refused(row[1]))
    end)
  end

  it("a name that does not exist is the name's fault", function()
    local text = run [[
      answers()
      return call(new { endpoint = "https://no-such-host.invalid", timeout = 20 }, "blocking")
    ]]
    assert.matches("braze: network: no%-such%-host.invalid could not be reached; "
      .. "nothing was sent: Could not resolve host: "
      .. "no%-such%-host.invalid %(.*%) %(curl 6%)", text)
  end)
end)
