-- The key does not stay behind in memory: what held it is overwritten before it is given back. A library that is
-- preloaded looks into each block that ours frees.

local braze = require "braze"
local child = require "spec.support.child"
local collect = require "spec.support.collect"
local scripted_peer = require "spec.support.scripted_peer"

local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local process = assert(package.loadlib(build .. "/test/braze.so", "luaopen_braze_process_spec"))()

local read, again, hold = { read = "request" }, { again = true }, { hold = true }
local key = "canary0123456789key"
local preload = build .. "/test/preload.so"
-- A part of the endpoint; it is no secret, and so the block with it is freed as it is.
local harmless = "path-that-is-no-secret"

-- The program knows the key in two parts, and what it looks for is a part of it as well.
local prelude = [[
  local preload = assert(package.loadlib(%q, "luaopen_braze_preload_spec"))()
  local braze = require "braze"
  local function new()
    return braze.new { api_key = %q .. %q, endpoint = %q .. "/" .. %q, retries = 0, timeout = 10 }
  end
  local parameters = { campaign_id = "campaign" }
  local function call(client)
    return select(2, pcall(client.create_send_id, client, parameters))
  end
  local function start(client)
    local request = client:start("create_send_id", parameters)
    request:wait(10)
    client:step()
  end
  preload.look_for(%q)
]]
-- A client's thread gives back what is its own when it comes to it.
local postlude = [[
  local process = assert(package.loadlib(%q, "luaopen_braze_process_spec"))()
  collectgarbage()
  collectgarbage()
  local until_gone = os.time() + 10
  repeat until #process.list "/proc/self/task" == 1 or os.time() > until_gone
  io.write(preload.found())
]]
-- A sanitizer and valgrind have a free of their own, and mappings that nobody could read to their end.
local has_memory = not os.getenv "BRAZE_VALGRIND"

describe("the key", function()
  local peer

  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  before_each(function() peer:reset() end)

  -- Runs a program that ends its clients itself. In how many blocks the text was.
  local function count(text, program)
    local before = os.getenv "LD_PRELOAD"
    local output, status = child.run(prelude:format(preload, key:sub(1, 9), key:sub(10), peer.url, harmless, text)
      .. program .. "\n" .. postlude:format(build .. "/test/braze.so"),
      { LD_PRELOAD = before and before .. ":" .. preload or preload })
    assert.equal("0", status, output)
    return tonumber(output) or output
  end

  local programs = {
    ["a blocking call"] = "local client = new() call(client) client:close() client = nil",
    ["a started call"] = "local client = new() start(client) client:close() client = nil",
    ["a client that is collected"] = "local client = new() call(client) start(client) client = nil",
  }

  local function answer_all(status, headers, body)
    peer:default { read, { write = scripted_peer.answer(status, headers, body) }, again }
  end

  -- That something harmless is found says that what is looked for would be.
  local function it_sees(name, body)
    if not has_memory then return end
    it(name, function()
      answer_all(400, {}, "{}")
      assert.is_true(count(harmless, programs["a blocking call"]) > 0)
      peer:reset()
      body()
    end)
  end

  for name, program in pairs(programs) do
    it_sees("is overwritten after " .. name, function()
      answer_all(201, {}, '{"message":"success","send_id":"made"}')
      assert.equal(0, count(key, program))
    end)

    it_sees("is overwritten in a body after " .. name, function()
      answer_all(401, {}, '{"message":"' .. key .. '"}')
      assert.equal(0, count(key, program))
    end)

    it_sees("is overwritten in a body that grows after " .. name, function()
      local body = '{"message":"' .. key .. ("x"):rep(3000) .. '"}'
      local text = scripted_peer.answer(401, {}, body)
      local script = { read }
      for at = 1, #text, 200 do
        script[#script + 1] = { write = text:sub(at, at + 199) }
        script[#script + 1] = { pause = 0.002 }
      end
      script[#script + 1] = again
      peer:default(script)
      assert.equal(0, count(key, program))
    end)

    it_sees("is overwritten in a header after " .. name, function()
      for _, header in ipairs { "x-request-id", "location" } do
        answer_all(header == "location" and 301 or 401, { [header] = "id-" .. key }, "{}")
        -- Its end: the rest of the text behind what is shown instead.
        assert.equal(0, count(key:sub(9), program))
      end
    end)

    it_sees("is overwritten in a success that gives it back after " .. name, function()
      answer_all(201, {}, '{"message":"success","send_id":"made","echo":"' .. key .. '"}')
      assert.equal(0, count(key, program))
    end)
  end

  it_sees("is overwritten in the body of a call that is cancelled", function()
    local text = scripted_peer.answer(401, {}, '{"message":"' .. key .. ("x"):rep(100) .. '"}')
    peer:default { read, { write = text:sub(1, -20) }, hold }
    assert.equal(0, count(key, [[
      local client = new()
      local request = client:start("create_send_id", parameters)
      request:wait(0.3)
      request:cancel()
      client:step()
      client:close()
      client, request = nil, nil
    ]]))
  end)

  it_sees("is in memory no more once its client is closed, though that is kept", function()
    local text = ("closed"):rep(3) .. "-0123456789"
    -- With calls of each kind: an engine and a thread keep the key too, and give it up.
    peer:default { read, { write = scripted_peer.created "made" }, again }
    local client = braze.new { api_key = text, endpoint = peer.url }
    collect()
    local open = process.copies(text)
    client:close()
    local closed = process.copies(text)
    assert.is_true(open > 0)
    assert.equal(open - 1, closed)
    assert.matches("closed", tostring(client))
  end)
end)
