-- The examples of the ledger: run twice at once, killed in the middle, and in nginx.

local child = require "spec.support.child"
local openresty = require "spec.support.openresty"
local servers = require "spec.support.ledger_servers"
local socket = require "socket"
local standin = require "spec.support.standin"

local quote = child.quote
local least = 0
while arg[least - 1] do least = least - 1 end
local interpreter = arg[least]

describe("examples/ledger_nightly.lua", function()
  local service, server = standin.start(), nil
  setup(function() server = servers.start "sqlite" end)
  teardown(function() server.stop() end)
  before_each(function() service.reset() end)

  -- The command that runs it.
  local function command(ledger, endpoint)
    local line = "BRAZE_API_KEY=%s BRAZE_REST_ENDPOINT=%s BRAZE_CAMPAIGN_ID=campaign-1 BRAZE_WORKSPACE=w "
      .. "BRAZE_LEDGER=%s %s examples/ledger_nightly.lua"
    return line:format(service.key, endpoint, quote(ledger), quote(interpreter))
  end

  local function read(pipe)
    local text = pipe:read "*a"
    pipe:close()
    return text
  end

  it("makes one ID where it is run twice at once", function()
    local run = command(server.fresh(), service.http .. "/slow/300")
    local one, other = io.popen(run .. " 2>&1"), io.popen(run .. " 2>&1")
    local said = { read(one), read(other) }
    table.sort(said, function(a, b) return #a < #b end)
    local id = said[1]:match "^(%x+)\tmade now\n$"
    assert.equal(id .. "\tmade before\n", said[2])
    assert.equal(1, #service.log().requests)
  end)

  it("makes the same ID where it was killed in the middle", function()
    local ledger = server.fresh()
    local slow = "env " .. command(ledger, service.http .. "/slow/5000")
    local pipe = io.popen(slow .. " >/dev/null 2>&1 & echo $!")
    local process = pipe:read "*l"
    pipe:close()
    local deadline = socket.gettime() + 20
    while #service.log().requests == 0 and socket.gettime() < deadline do socket.sleep(0.02) end
    os.execute("kill -KILL " .. process)
    while read(io.popen("ps -o stat= -p " .. process .. " | grep -v Z")) ~= "" do socket.sleep(0.01) end
    local id = read(io.popen(command(ledger, service.http) .. " 2>&1")):match "^(%x+)\tmade now\n$"
    local requests = service.log().requests
    assert.equal(2, #requests)
    assert.matches('"send_id":"' .. id .. '"', requests[1].body, 1, true)
    assert.equal(id .. "\tmade before\n", read(io.popen(command(ledger, service.http) .. " 2>&1")))
  end)
end)

-- nginx with ngx_lua has LuaJIT alone.
if not rawget(_G, "jit") then return end

describe("examples/ledger_quota.conf", function()
  it("gives each order one ID, in any worker, and 429 once the day's are used up", function()
    local service = standin.start()
    local server = servers.start "sqlite"
    service.reset()
    local nginx = openresty.start { file = "examples/ledger_quota.conf", environment = {
      BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http, BRAZE_CAMPAIGN_ID = service.campaign_id,
      BRAZE_LEDGER = server.url,
    } }
    local http = require "socket.http"
    local ids, refused = {}, 0
    for number = 1, 220 do
      local order = (number - 1) % 110
      local body, status, headers = http.request(nginx.url .. "/send_ids?order=" .. order, "")
      if status == 200 then
        assert.is_true(ids[order] == nil or ids[order] == body)
        ids[order] = body
      else
        assert.same({ 429, "rate_limited\n" }, { status, body })
        assert.is_true(tonumber(headers["retry-after"]) > 0)
        refused = refused + 1
      end
    end
    assert.equal(20, refused)
    assert.equal(100, #service.log().requests)
    nginx:stop()
    server.stop()
  end)
end)
