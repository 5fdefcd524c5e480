-- result: how much of a long refusal an error takes: what stands in its texts is no value, whatever it looks like. And
-- long answers, whose memory is had at once where the header says how long they are.

local braze = require "braze"
local scripted_peer = require "spec.support.scripted_peer"

local peer, client
setup(function()
  peer = scripted_peer.start()
  client = braze.new { api_key = "braze-key-0123456789", endpoint = peer.url, retries = 0, timeout = 20 }
end)
teardown(function()
  client:close()
  peer:stop()
end)

describe("a refusal that is long", function()
  local function refused(body)
    peer:reset()
    peer:default { { read = "request" }, { write = scripted_peer.answer(400, {}, body) }, { again = true } }
    local good, failure = pcall(client.create_send_id, client, { campaign_id = "campaign" })
    assert.is_false(good)
    return failure
  end

  it("gives its message and errors where its texts have thousands of commas, braces and quotes in them", function()
    local failure = refused('{"message":"no","note":"' .. ([[\",{[\\]]):rep(3000) .. '","errors":["there"]}')
    assert.same({ "there" }, failure.errors)
    assert.matches('the service says "no"', failure.message, 1, true)
  end)

  it("gives neither where it has thousands of values, or more bytes than an error looks at", function()
    for _, body in ipairs {
      '{"message":"no","errors":["there"],"more":[' .. ("1,"):rep(3000) .. "1]}",
      '{"message":"no","errors":["there"],"more":"' .. ("x"):rep(70000) .. '"}',
    } do
      local failure = refused(body)
      assert.is_nil(failure.errors)
      assert.matches("without saying why", failure.message, 1, true)
      assert.equal(4096, #failure.body)
    end
  end)
end)

describe("a long answer", function()
  before_each(function() peer:reset() end)

  local start, middle, finish = '{"message":"success","data":[],"text":"', ("shall I compare "):rep(64), '"}'

  -- The answer to one call, with so many KiB of text in it, and what the header says of it.
  local function answered(kibibytes, length, is_chunked)
    local head = is_chunked and "Transfer-Encoding: chunked" or "Content-Length: " .. length
    local function chunk(text) return is_chunked and ("%x\r\n%s\r\n"):format(#text, text) or text end
    peer:default {
      { read = "request" }, { write = ("HTTP/1.1 200 OK\r\n%s\r\n\r\n%s"):format(head, chunk(start)) },
      { repeat_write = chunk(middle), times = kibibytes },
      { write = chunk(finish) .. (is_chunked and "0\r\n\r\n" or "") }, { close = "fin" },
    }
    return pcall(client.get_send_analytics, client, { campaign_id = "c", send_id = "s", length = 14 })
  end

  for _, kibibytes in ipairs { 1, 63, 64, 65, 300, 2000 } do
    it(("of %d KiB comes whole, in one piece or in chunks"):format(kibibytes), function()
      for _, is_chunked in ipairs { false, true } do
        local good, result = answered(kibibytes, #start + #middle * kibibytes + #finish, is_chunked)
        assert.is_true(good, tostring(result))
        assert.is_true(result.text == middle:rep(kibibytes))
      end
    end)
  end

  it("that ends before what its header says is none", function()
    for _, kibibytes in ipairs { 100, 2000 } do
      local good, failure = answered(kibibytes, 10000000, false)
      assert.is_false(good)
      assert.same({ "network", false }, { failure.kind, failure.maybe_applied })
    end
  end)

  it("that is longer than one may be is refused, whether or not its header says so", function()
    for _, is_chunked in ipairs { false, true } do
      local good, failure = answered(17 * 1024, #start + #middle * 17 * 1024 + #finish, is_chunked)
      assert.is_false(good)
      assert.matches("is longer than 16 MiB", failure.message, 1, true)
    end
  end)
end)
