-- Many calls at once: what a call costs does not grow with the number of the others.

local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"

local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local preload = build .. "/test/preload.so"

-- Runs a program that finds "preload", and "client" for a peer that answers each request after half a second. What it
-- prints is two numbers.
local function run(connections, program)
  local peer = scripted_peer.start()
  peer:default { { read = "request" }, { pause = 0.5 }, { write = scripted_peer.created "made" }, { again = true } }
  local before = os.getenv "LD_PRELOAD"
  local output = child.run(([[
    local preload = assert(package.loadlib(%q, "luaopen_braze_preload_spec"))()
    local braze = require "braze"
    local client = braze.new { api_key = "braze-key-0123456789", endpoint = %q, timeout = 60, max_connections = %d }
    local good = 0
    local function start()
      client:start("create_send_id", { campaign_id = "campaign" }, {
        on_done = function(err) good = good + (err and 0 or 1) end,
      })
    end
  ]]):format(preload, peer.url, connections) .. program, {
    LD_PRELOAD = before and before .. ":" .. preload or preload,
  })
  peer:stop()
  local first, second = output:match "^(%d+)%s+(%d+)"
  return tonumber(first), tonumber(second), output
end

describe("many calls at once", function()
  it("do not each look at all connections", function()
    local calls, rounds = 100, 3
    local good, polled, output = run(calls, ([[
      local before = 0
      for round = 1, %d do
        for _ = 1, %d do start() end
        client:wait()
        -- The first round has no connection that is kept.
        if round == 1 then before = preload.polled() end
      end
      client:close()
      print(good, preload.polled() - before)
    ]]):format(rounds, calls))
    assert.equal(calls * rounds, good, output)
    -- Each call looks at its own connection before it leaves; each pass of the thread looks at those that are kept.
    local each = polled / (calls * (rounds - 1))
    assert.is_true(each > 0 and each < calls / 2, each)
  end)

  it("are not all looked at by libcurl whenever something comes for one", function()
    local calls = 100
    local good, polls, output = run(calls, ([[
      for _ = 1, %d do
        start()
        client:wait(0.002) -- their answers come one by one, too
      end
      client:wait()
      print(good, preload.other_polls())
    ]]):format(calls))
    assert.equal(calls, good, output)
    local each = polls / calls
    assert.is_true(each > 0 and each < 10, each)
  end)
end)
