-- What came from outside, and the key, is overwritten before its memory is given back: every block that braze.so frees
-- is looked into.

local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"

local marker = "MARKER-OF-THE-ANSWER"
local key = "braze-key-0123456789-of-the-wipe"

-- How many blocks with the text in them braze.so gave back while the program ran.
local function count_unwiped(program, text)
  local folder = os.tmpname()
  os.remove(folder)
  local shim, report = folder .. ".so", folder .. ".report"
  local output, status
  finally(function()
    os.remove(shim)
    os.remove(report)
  end)
  assert(os.execute(("cc -std=c11 -O1 -fPIC -shared -o %s spec/proof/key/canary_shim.c -ldl"):format(shim)))
  output, status = child.run(program, { LD_PRELOAD = shim, CANARY = text, CANARY_REPORT = report })
  assert.equal("0", status, output)
  assert.matches("ended", output)
  local file = assert(io.open(report))
  local found = file:read "*a"
  file:close()
  return found
end

local function program_of(peer, steps)
  return ([[
    package.path, package.cpath = %q, %q
    local braze = require "braze"
    local client = braze.new { api_key = %q, endpoint = %q, retries = 1, timeout = 20 }
    local call = { campaign_id = "c", send_id = "mine" }
    %s
    client:close()
    client = nil
    collectgarbage()
    collectgarbage()
    print "ended"
  ]]):format(package.path, package.cpath, key, peer.url, steps)
end

describe("memory that is given back", function()
  local body = '{"message":"' .. marker .. " bad key " .. key .. '","pad":"' .. ("p"):rep(1000) .. '"}'
  local unfinished = "HTTP/1.1 401 No\r\nx-request-id: " .. marker .. "\r\nlocation: " .. marker
    .. "\r\ncontent-length: 99999\r\n\r\n" .. body
  local refused = "assert(not pcall(client.create_send_id, client, call))"
  local cases = {
    { "of a call that is cancelled inside a 401", unfinished, [[
      local request = client:start("create_send_id", call)
      request:wait(0.3)
      request:cancel()
      client:wait(5)
      request = nil]] },
    { "of a client that is closed inside a 401", unfinished, [[
      local request = client:start("create_send_id", call)
      request:wait(0.3)
      client:close()
      request = nil]] },
    { "of a call whose time is up inside a 401", unfinished,
      [[assert(not pcall(client.create_send_id, client, call, { timeout = 0.3 }))]] },
    { "of a 401", scripted_peer.answer(401, { ["x-request-id"] = key }, body), refused },
    { "of a 503 that is asked again", scripted_peer.answer(503, { ["retry-after"] = "0" }, body), refused },
    { "of a success with the key in it", scripted_peer.answer(201, nil,
      '{"message":"success","send_id":"mine","note":"' .. marker .. key .. '"}'),
      [[assert(pcall(client.create_send_id, client, call))]] },
    { "of a long body", scripted_peer.answer(401, nil, body:rep(50)), refused },
    { "of a body that is too long", scripted_peer.answer(401, nil, body:rep(1100)), refused },
    { "of a key that is given as a value", scripted_peer.answer(401),
      ([[assert(not pcall(client.create_send_id, client, { campaign_id = %q }))]]):format(key .. marker) },
  }
  for _, case in ipairs(cases) do
    it(case[1] .. " holds nothing of it", function()
      local peer = scripted_peer.start()
      finally(function() peer:stop() end)
      peer:default { { read = "request" }, { write = case[2] }, { again = true } }
      for _, text in ipairs { marker, key } do
        assert.is_nil(count_unwiped(program_of(peer, case[3]), text):match "braze%.so[^\n]*", text)
      end
    end)
  end
end)
