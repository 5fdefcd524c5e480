-- descriptor: a supervisor started the process with 0, 1 and 2 closed. Nothing of ours may have these numbers: what the
-- host, or a library of its, then prints to stdout and stderr would go into a request, and what it reads from stdin
-- would be an answer.

local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"
local standin = require "spec.support.standin"

describe("with descriptors 0, 1 and 2 closed", function()
  local peer, service = nil, standin.start()
  local path = os.tmpname()

  setup(function() peer = scripted_peer.start() end)
  teardown(function()
    peer:stop()
    os.remove(path)
  end)
  before_each(function()
    peer:reset()
    service.reset()
    peer:default { { read = "request" }, { write = scripted_peer.created() }, { again = true } }
  end)

  -- Runs a program so; what it wrote with report(). It has low(), which names those of 0, 1 and 2 that are open.
  local function run(program, closed)
    os.remove(path)
    local text = ([[
      local braze = require "braze"
      local report_path, url, https, ca_file, key = %q, %q, %q, %q, %q
      local function low()
        os.execute("for number in 0 1 2; do readlink /proc/$PPID/fd/$number; done >" .. report_path
          .. ".low 2>/dev/null")
        local file = assert(io.open(report_path .. ".low"))
        local text = file:read "*a"
        file:close()
        os.remove(report_path .. ".low")
        return (text:gsub("\n", " "))
      end
      local function report(text)
        local file = assert(io.open(report_path, "w"))
        file:write(text)
        file:close()
      end
      local function new(endpoint, options)
        local all = { api_key = key, endpoint = endpoint, timeout = 20, proxy = "", ca_file = ca_file }
        for name, value in pairs(options or {}) do all[name] = value end
        return braze.new(all)
      end
      local function call(client, mode, id)
        local params = { campaign_id = "campaign-1", send_id = id }
        if mode == "blocking" then return client:create_send_id(params) end
        local request = client:start("create_send_id", params)
        assert(client:wait(20))
        return request:result()
      end
      local good, failure = pcall(function() %s end)
      if not good then report("failed: " .. tostring(failure)) end
    ]]):format(path, peer.url, service.https, service.ca_file, service.key, program)
    local interpreter = child.quote(arg[-1])
    os.execute(("exec %s -e %s %s"):format(interpreter, child.quote(text), closed or "<&- >&- 2>&-"))
    local file = io.open(path)
    local report = file and file:read "*a" or "no report"
    if file then file:close() end
    return report
  end

  for _, mode in ipairs { "blocking", "started" } do
    it("what the host prints goes into no request of a call that is " .. mode, function()
      assert.equal("first second ", run(([[
        local client = new(url)
        local first = call(client, %q, "first")
        io.stdout:write "hello\n" io.stdout:flush() io.stderr:write "oops\n"
        local second = call(client, %q, "second")
        report(first.send_id .. " " .. second.send_id .. " " .. low())
      ]]):format(mode, mode)))
      local received = peer:log()[1].received
      assert.is_nil(received:find("oops", 1, true))
      assert.is_nil(received:find("hello", 1, true))
      assert.equal(1, #peer:log())
    end)

    it("a connection over TLS has none of them, " .. mode, function()
      assert.equal("mine ", run(([[report(call(new(https), %q, "mine").send_id .. " " .. low())]]):format(mode)))
    end)
  end

  for _, closed in ipairs { "<&-", ">&-", "2>&-", "<&- 2>&-" } do
    it("so it is with " .. closed .. " alone", function()
      local report = run([[
        local before = low()
        local client = new(url)
        call(client, "blocking", "one")
        call(client, "started", "two")
        report(before == low() and "as before" or before .. ": " .. low())
      ]], closed)
      assert.equal("as before", report)
    end)
  end

  it("the descriptor that a host waits for is none of them", function()
    assert.equal("true ", run [[
      local client = new(url)
      report(tostring(client:pollfd() > 2) .. " " .. low())
    ]])
  end)
end)
