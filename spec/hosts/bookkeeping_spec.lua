-- What the modules for hosts keep of calls, of clients and of those who wait: nothing that is over, and all that
-- is needed to wake a loop that sleeps.

local child = require "spec.support.child"
local collect = require "spec.support.collect"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local process = assert(package.loadlib(build .. "/test/braze.so", "luaopen_braze_process_spec"))()

local has_cqueues, cqueues = pcall(require, "cqueues")
local has_luv, uv = pcall(require, "luv")

local read, hold, again = { read = "request" }, { hold = true }, { again = true }
local made = { write = scripted_peer.created "made" }
local parameters = { campaign_id = "campaign" }
local waits, most_bytes_each = 100, 40

-- How a body runs in each host's loop, to its end.
local loops = {}

if has_cqueues then
  loops.cqueues = function(body)
    local controller = cqueues.new()
    controller:wrap(body)
    assert(controller:loop())
  end
end

if has_luv then
  loops.luv = function(body)
    coroutine.wrap(body)()
    uv.run()
  end
end

describe("the modules for hosts", function()
  before_each(collect)
  local peer = with_peer()

  local function client_options()
    return { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 20 }
  end

  local function new(braze)
    return braze.new(client_options())
  end

  -- The bytes of Lua's memory that each of many turns takes and keeps.
  local function kept_each(turn)
    local function run()
      for _ = 1, waits do turn() end
      collect()
      return collectgarbage "count" * 1024
    end
    run()
    local least = math.huge
    local before = run()
    for _ = 1, 3 do
      local now = run()
      least, before = math.min(least, now - before), now
    end
    return least / waits
  end

  for name, loop in pairs(loops) do
    describe("braze." .. name, function()
      local braze = require("braze." .. name)

      it("keeps nobody whose time to wait is up", function()
        peer:default { read, hold }
        local kept = {}
        loop(function()
          local client = new(braze)
          local request = client:start("create_send_id", parameters)
          kept.request = kept_each(function() assert(not request:wait(0.0001)) end)
          kept.client = kept_each(function() assert(not client:wait(0.0001)) end)
          client:close()
        end)
        assert.is_true(kept.request < most_bytes_each, kept.request)
        assert.is_true(kept.client < most_bytes_each, kept.client)
      end)

      it("keeps nothing of calls that are over", function()
        peer:default { read, made, again }
        local kept = {}
        loop(function()
          local client = new(braze)
          kept.call = kept_each(function() client:create_send_id(parameters) end)
          kept.started = kept_each(function()
            client:start("create_send_id", parameters, { on_done = function() end })
            client:wait()
          end)
          client:close()
        end)
        assert.is_true(kept.call < most_bytes_each, kept.call)
        assert.is_true(kept.started < most_bytes_each, kept.started)
      end)

      it("takes the options of a call", function()
        peer:default { read, hold }
        loop(function()
          local client = braze.safe.new(client_options())
          local _, failure = client:create_send_id(parameters, { timeout = 0.05 })
          assert.equal("timeout", failure.kind)
          assert.is_true(failure.elapsed < 5)
          client:close()
        end)
      end)

      it("refuses to wait where nothing may yield", function()
        peer:default { read, hold }
        loop(function()
          local client = new(braze)
          local request = client:start("create_send_id", parameters)
          for what, waits_for in pairs { request = request, client = client } do
            local good, failure = pcall(table.sort, { 3, 1, 2 }, function(one, other)
              waits_for:wait(0.01)
              return one < other
            end)
            assert.is_false(good)
            assert.is_true(braze.is_error(failure), what .. ": " .. tostring(failure))
            assert.equal("usage", failure.kind)
          end
          client:close()
        end)
      end)

      it("wakes a loop that sleeps when a client is closed", function()
        peer:default { read, hold }
        local client, kinds = nil, {}
        loop(function()
          client = new(braze)
          client:start("create_send_id", parameters, { on_done = function(err) kinds[1] = err.kind end })
          local request = client:start("create_send_id", parameters)
          assert(not request:wait(0.01))
          client:close()
          assert(client:wait(5))
          kinds[2] = select(2, pcall(request.result, request)).kind
        end)
        assert.same({ "cancelled", "cancelled" }, kinds)
      end)
    end)
  end

  if has_cqueues then
    local braze = require "braze.cqueues"

    -- Whether a descriptor is watched by a controller, as the kernel says.
    local function is_watched(descriptor)
      for _, one in ipairs(process.list "/proc/self/fdinfo") do
        local file = io.open("/proc/self/fdinfo/" .. one)
        local text = file and file:read "*a" or ""
        if file then file:close() end
        for watched in text:gmatch "tfd:%s*(%d+)" do
          if tonumber(watched) == descriptor then return true end
        end
      end
      return false
    end

    it("braze.cqueues takes a client's descriptor out of the controller when nothing is in flight", function()
      peer:default { read, hold }
      local client = new(braze)
      local descriptor = client.core:pollfd()
      local controller = cqueues.new()
      local meanwhile
      controller:wrap(function()
        local request = client:start("create_send_id", parameters)
        client:wait(0.01)
        meanwhile = is_watched(descriptor)
        request:cancel()
        client:wait()
      end)
      assert(controller:loop())
      assert.is_true(meanwhile)
      assert.is_false(is_watched(descriptor))
      client:close()
    end)

    it("braze.cqueues watches a client once in each controller", function()
      peer:default { read, hold }
      local client, count = new(braze), nil
      local controller = cqueues.new()
      controller:wrap(function()
        for _ = 1, 5 do client:start("create_send_id", parameters) end
        count = controller:count()
        client:close()
      end)
      assert(controller:loop())
      assert.equal(2, count) -- the function above, and one that watches
    end)

    it("braze.cqueues ends its watch in each controller when another one has delivered all", function()
      peer:default { read, made, again }
      local client = new(braze)
      local sleeping, working = cqueues.new(), cqueues.new()
      for _, one in ipairs { sleeping, working } do
        one:wrap(function() client:start("create_send_id", parameters) end)
      end
      for _ = 1, 3 do sleeping:step(0) end
      assert(working:loop())
      assert.equal(0, client:pending())
      local until_ended = cqueues.monotime() + 5
      while not sleeping:empty() and cqueues.monotime() < until_ended do sleeping:step(0.01) end
      assert.is_true(sleeping:empty())
    end)

    it("braze.cqueues delivers in the controller in which a client is closed", function()
      peer:default { read, hold }
      local client, kind = new(braze), nil
      local abandoned = cqueues.new()
      abandoned:wrap(function()
        client:start("create_send_id", parameters, { on_done = function(err) kind = err.kind end })
      end)
      while peer:requests() < 1 do abandoned:step(0.001) end
      loops.cqueues(function()
        client:close()
        local until_delivered = cqueues.monotime() + 5
        while not kind and cqueues.monotime() < until_delivered do cqueues.sleep(0.01) end
      end)
      assert.equal("cancelled", kind)
    end)
  end

  -- In a process of its own, since copas changes luasocket. Where there is no copas there is nothing to see.
  local function run_copas(program)
    local output = child.run(([[
      package.path = package.path .. ";/usr/share/lua/5.1/?.lua"
      local found, copas = pcall(require, "copas")
      if not found then return io.write "no copas" end
      local braze = require "braze.copas"
      local client = braze.new { api_key = "braze-key-0123456789", endpoint = %q, retries = 0, timeout = 5 }
      local parameters = { campaign_id = "campaign" }
      local done = false
      local function go(body)
        done = false
        copas.addthread(function()
          body()
          done = true
        end)
        repeat copas.step(1) until done
      end
      %s
      os.exit(0, true)
    ]]):format(peer.url, program))
    if output ~= "no copas" then assert.equal("good", output) end
  end

  it("braze.copas keeps nobody whose time to wait is up", function()
    peer:default { read, hold }
    run_copas(([[
      go(function()
        local waits = %d
        local request = client:start("create_send_id", parameters, { timeout = 60 })
        local function run()
          for _ = 1, waits do assert(not request:wait(0.0001)) end
          collectgarbage() collectgarbage()
          return collectgarbage "count" * 1024
        end
        run()
        local least, before = math.huge, run()
        for _ = 1, 3 do
          local now = run()
          least, before = math.min(least, now - before), now
        end
        client:close()
        io.write(least / waits < %d and "good" or "kept " .. least / waits)
      end)
    ]]):format(waits, most_bytes_each))
  end)

  it("braze.copas watches a client anew after it had nothing to do", function()
    peer:default { read, made, again }
    run_copas [[
      local ids = {}
      for _ = 1, 3 do
        go(function() ids[#ids + 1] = client:create_send_id(parameters).send_id end)
        for _ = 1, 5 do copas.step(0.001) end
      end
      io.write(#ids == 3 and "good" or #ids)
    ]]
  end)
end)

-- A debug hook may raise anywhere: a limit of time, Ctrl-C, a debugger. LuaJIT's hooks are those of
-- all coroutines, and would end the loop as well.
describe("a hook that raises in the middle of start", function()
  local peer
  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)

  for name, loop in pairs(rawget(_G, "jit") and {} or loops) do
    it("leaves no client deaf in " .. name .. ", wherever it was", function()
      peer:default { read, made, again }
      local braze = require("braze." .. name)
      local client = braze.new {
        api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 20, max_connections = 1,
      }
      local raised, delivered, started = 0, 0, 0
      local options = { on_done = function() delivered = delivered + 1 end }
      local function begin(place)
        local count = 0
        debug.sethook(function()
          count = count + 1
          if count < place then return end
          debug.sethook()
          error("raised by the hook", 0)
        end, "", 1)
        client:start("create_send_id", parameters, options)
        debug.sethook()
      end
      for place = 1, 400 do
        loop(function()
          if not pcall(begin, place) then raised = raised + 1 end
          debug.sethook()
          client:start("create_send_id", parameters, options)
          started = started + 1
          assert.is_true(client:wait(10), place)
        end)
      end
      assert.is_true(raised > 50 and raised < 400, raised)
      assert.is_true(delivered >= started)
      client:close()
    end)
  end
end)

