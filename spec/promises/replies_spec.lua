-- replies: what a server may send to a client that is kept: the key in any form, bodies that are no text or too much,
-- times by another clock, and bytes that libcurl itself does not survive.

local braze = require "braze"
local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local key = "0fa1b2c3-d4e5-46f7-8899-aabbccddeeff"
local answer = scripted_peer.answer

-- All texts in a value, one a line.
local function shown(value, parts)
  parts = parts or {}
  parts[#parts + 1] = tostring(value)
  if type(value) == "table" then
    for name, part in pairs(value) do
      shown(name, parts)
      shown(part, parts)
    end
  end
  return table.concat(parts, "\n")
end

-- The longest run of the key's characters that a text shows.
local function longest_run(text)
  local longest = ""
  text = text:lower()
  for first = 1, #key do
    for last = first + #longest, #key do
      if not text:find(key:sub(first, last), 1, true) then break end
      longest = key:sub(first, last)
    end
  end
  return #longest
end

local function each_as(format)
  return (key:gsub(".", function(letter) return format:format(letter:byte()) end))
end

describe("a reply", function()
  local peer, client = with_peer.client { api_key = key }

  -- The result or the error of a call that is answered so.
  local function answered(reply, parameters, options)
    peer:play { { read = "request" }, { write = reply } }
    return select(2, pcall(client.create_send_id, client, parameters or { campaign_id = "c" }, options))
  end

  local forms = {
    ["less its first character"] = key:sub(2), ["less its last"] = key:sub(1, -2), ["its end"] = key:sub(9),
      ["its midst"] = key:sub(5, 20),
    ["in two parts"] = key:sub(1, 18) .. " " .. key:sub(19), ["in capitals"] = key:upper(),
      ["as JSON's escapes"] = each_as "\\u%04x",
    ["as JSON in JSON"] = each_as "\\\\u%04x", ["as a URL's escapes"] = each_as "%%%02x",
      ["as a URL in JSON"] = each_as "\\u0025%02x",
    ["as a URL in a URL"] = each_as "%%25%02x", ["as HTML"] = each_as "&#%d;",
      ["in base64"] = "MGZhMWIyYzMtZDRlNS00NmY3LTg4OTktYWFiYmNjZGRlZWZm",
    ["with a soft hyphen"] = key:sub(1, 7) .. "\\u00ad" .. key:sub(8), ["with a space of no width"] = key:sub(1, 7)
      .. "\226\128\139" .. key:sub(8),
    ["in lines"] = key:gsub(".......", "%0\\n"),
  }
  local unescape = {
    function(text) return text end,
    function(text) return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end)) end,
    function(text) return (text:gsub("\\u00(%x%x)", function(digits) return string.char(tonumber(digits,
      16)) end)) end,
    function(text) return (text:gsub("&#(%d+);", function(digits) return string.char(tonumber(digits)) end)) end,
    function(text) return (text:gsub("[^%w-]", "")) end,
  }
  local function assert_hidden(value)
    local text = shown(value)
    for _, undo in ipairs(unescape) do assert.is_true(longest_run(undo(text)) < 8, text) end
    assert.is_nil(text:find("MGZhMWIy", 1, true), text)
  end

  for name, form in pairs(forms) do
    it("shows no run of the key's characters: " .. name, function()
      assert_hidden(answered(answer(401, nil, '{"message":"bad key ' .. form .. '","errors":["' .. form .. '",{"'
        .. form .. '":["' .. form .. '"]}]}')))
      assert_hidden(answered(answer(401, nil, form)))
      local result = answered(answer(201, nil, '{"message":"success","send_id":"made","note":"' .. form .. '"}'))
      assert.equal("made", result.send_id)
      assert_hidden(result)
      assert_hidden(answered(answer(201, nil, '{"message":"success","send_id":"' .. form .. '"}')))
      assert_hidden(answered(answer(200, nil, '{"message":"' .. form .. '"}')))
      if not form:find "[\128-\255]" then
        assert_hidden(answered(answer(302, { location = "https://x/?" .. form, ["x-request-id"] = form }, "{}")))
        assert_hidden(answered(answer(401, { ["content-encoding"] = form }, "x")))
      end
    end)
  end

  it("shows the caller's own send_id, though it has a part of the key in it", function()
    local own = "mine-" .. key:sub(3, 20)
    local result = answered(answer(201, nil, '{"message":"success","send_id":"' .. own .. '","note":"'
      .. key:sub(1, 21) .. '"}'),
      { campaign_id = "c", send_id = own })
    assert.equal(own, result.send_id)
    assert.matches("%*%*%*", result.note)
  end)

  it("shows no key in the name of the chunk that made the call", function()
    local chunk = assert((loadstring
      or load)("local client = ... ; local result = client:create_send_id { campaign_id = 'c' } return result",
      "=tenant-" .. key))
    peer:play { { read = "request" }, { write = answer(401) } }
    local _, failure = pcall(chunk, client)
    assert.equal("tenant-***:1:", failure.where)
    local bad = assert((loadstring or load)("local client = ... ; local count = client:step 'x' return count",
      "=tenant-" .. key))
    assert.equal("tenant-***:1:", select(2, pcall(bad, client)).where)
  end)

  it("has a body where it is text alone", function()
    for _, text in ipairs { "a\tb\r\n", "\195\164\226\130\172\240\159\152\128", "<html>" } do
      assert.equal(text, answered(answer(502, nil, text)).body)
    end
    for _, bytes in ipairs { "\31\139\8\0", "a\0b", "a\27[31m", "a\127", "\194\155", "\255\254a", "\192\175",
      "\237\160\128", "a\228b", "\7" } do
      assert.is_nil(answered(answer(502, nil, bytes)).body, bytes)
    end
  end)

  it("has a body of whole characters", function()
    for length = 4090, 4096 do
      local text = ("x"):rep(length) .. ("\226\130\172"):rep(10)
      assert.equal(text:sub(1, length + math.floor((4096 - length) / 3) * 3), answered(answer(502, nil, text)).body)
    end
  end)

  it("in a coding that was not asked for is named, and not shown", function()
    for _, status in ipairs { 200, 401, 429, 500 } do
      local failure = answered(answer(status, { ["content-encoding"] = "gzip" }, "\31\139\8\0\0\0\0\0\0\3"))
      assert.matches('Content%-Encoding "gzip", which was not asked for', failure.message)
      assert.is_nil(failure.body)
      -- Nor is what a coding that is text itself may hide.
      assert.is_nil(answered(answer(status, { ["content-encoding"] = "uu" }, "MGZhMWIy")).body)
    end
    assert.equal("protocol", answered(answer(200, { ["content-encoding"] = "br" }, "\11\2\128")).kind)
    -- Whatever the header says, it is JSON.
    assert.equal("made", answered(answer(200, { ["content-encoding"] = "utf-8" },
      '{"message":"success","send_id":"made"}')).send_id)
    assert.equal("no", answered(answer(400, { ["content-encoding"] = "utf-8" },
      '{"message":"no"}')).message:match '"(no)"')
  end)

  it("that is an error keeps little memory, whatever its body is made of", function()
    local kept = {}
    for _, filler in ipairs { "{},", '{"a":{}},', "0," } do
      local list = filler:rep(math.floor(200000 / #filler))
      -- Few bytes, and many values.
      local short_list = filler:rep(math.floor(60000 / #filler))
      for _, body in ipairs {
        '{"message":"no","errors":[' .. list .. "0]}", '{"message":"no","errors":[' .. short_list .. "0]}",
        '{"message":"no","errors":["' .. ("x"):rep(700000) .. '"]}',
      } do
        for _, status in ipairs { 400, 200 } do
          local reply = answer(status, nil, body)
          collectgarbage()
          collectgarbage()
          local before = collectgarbage "count"
          kept[#kept + 1] = answered(reply)
          collectgarbage()
          collectgarbage()
          -- In KiB; an error that kept all of it would have some thousands.
          assert.is_true(collectgarbage "count" - before < 400, filler)
          assert.equal(4096, #kept[#kept].body)
        end
      end
    end
    assert.same({ "one", { two = "three" } }, answered(answer(400, nil, '{"errors":["one",{"two":"three"}]}')).errors)
    assert.equal(900, #answered(answer(400, nil, '{"errors":[' .. ('"one",'):rep(899) .. '"one"]}')).errors)
  end)

  it("is asked again after the pause that it asks for, and no sooner", function()
    for _, value in ipairs { "2.5", "3, 3", "soon", "-1", "5, 6" } do
      local failure = answered(answer(503, { ["retry-after"] = value }), { campaign_id = "c", send_id = "mine" },
        { retries = 1, timeout = 2.5 })
      assert.equal("server", failure.kind)
      assert.equal(1, failure.attempts, value)
      assert.is_true(failure.elapsed < 2)
    end
    assert.equal(#peer:log(), 5)
  end)

  it("tells times by the clock of its own Date", function()
    for _, ahead in ipairs { -300, 300 } do
      local before = os.time()
      local function date(seconds) return os.date("!%a, %d %b %Y %H:%M:%S GMT", before + ahead + seconds) end
      local failure = answered(answer(429, { date = date(0), ["retry-after"] = date(2) }))
      assert.is_true(failure.retry_at >= before + 2 and failure.retry_at <= os.time() + 3)
      peer:reset()
      local limited = answer(429, { date = date(0), ["retry-after"] = date(1), connection = "close" })
      peer:play { { read = "request" }, { write = limited } }
      peer:play { { read = "request" }, { write = scripted_peer.created() } }
      local result = client:create_send_id({ campaign_id = "c", send_id = "mine" }, { retries = 1 })
      assert.equal(2, result.attempts)
      assert.is_true(result.elapsed >= 1)
    end
  end)

  it("has no retry_at where a number of seconds, or of milliseconds, stands for a time", function()
    for _, reset in ipairs { "2", "86400", ("%d"):format(os.time() * 1000) } do
      local failure = answered(answer(429, { ["x-ratelimit-reset"] = reset }))
      assert.is_nil(failure.retry_at)
      assert.is_nil(failure.message:find("resets", 1, true))
      assert.equal(tonumber(reset), failure.rate_limit.reset)
    end
    assert.is_nil(answered(answer(503, { ["retry-after"] = "40000000" })).retry_at)
  end)
end)

describe("an answer without a body", function()
  local peer, client = with_peer.client { api_key = key }

  local function answered(method, reply)
    peer:play { { read = "request" }, { write = reply }, { close = "fin" } }
    return select(2, pcall(client.call, client, method .. " /any", nil))
  end

  it("that ends inside its header is not whole, though the header says that no body comes", function()
    local none = "Content-Length: 0\r\n"
    for _, header in ipairs { "204 No Content\r\n", "205 Reset\r\n" .. none, "200 OK\r\n" .. none } do
      for _, method in ipairs { "POST", "GET" } do
        local failure = answered(method, "HTTP/1.1 " .. header)
        assert.same({ "network", method == "POST" }, { failure.kind, failure.maybe_applied })
      end
    end
  end)

  it("that only the connection's end ends may have been cut behind its header", function()
    for _, header in ipairs { "", "Connection: close\r\n", "X-Request-Id: id\r\n" } do
      local failure = answered("POST", "HTTP/1.1 200 OK\r\n" .. header .. "\r\n")
      assert.same({ "network", true, 200 }, { failure.kind, failure.maybe_applied, failure.status })
      assert.matches("the connection to .* broke after the request had left", failure.message)
      assert.is_false(answered("GET", "HTTP/1.1 200 OK\r\n" .. header .. "\r\n").maybe_applied)
    end
  end)

  it("is a success where it says that it has none", function()
    for _, reply in ipairs {
      "HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nConnection: close\r\ntransfer-encoding: Chunked\r\n\r\n0\r\n\r\n",
    } do
      local result = answered("POST", reply)
      assert.is_false(braze.is_error(result), reply .. tostring(result))
      assert.is_nil(result.body)
    end
  end)
end)

describe("a client that is kept", function()
  -- libcurl 7.83 to 8.0.1 has freed the headers of the last response, and goes on with them where the next one begins
  -- with a folded line. glibc looks at each block that is given back.
  for _, mode in ipairs { "blocking", "started" } do
    it("survives a header that begins with a folded line, " .. mode, function()
      local peer = scripted_peer.start()
      finally(function() peer:stop() end)
      local plain = "HTTP/1.1 200 OK\r\nx-first: one\r\nx-second: two\r\ncontent-length: 38\r\n\r\n"
        .. '{"message":"success","send_id":"made"}'
      local folded = plain:gsub("\r\n", "\r\n folded: " .. ("y"):rep(300) .. "\r\n", 1)
      peer:default { { read = "request" }, { write = plain }, { read = "request" }, { write = folded } }
      local output, status = child.run(([[
        package.path, package.cpath = %q, %q
        local client = require("braze").new { api_key = "braze-key-0123456789", endpoint = %q, retries = 0,
          timeout = 20 }
        for _ = 1, 10 do
          local request = %q == "started" and client:start("create_send_id", { campaign_id = "c" })
          if request then request:wait() client:step() end
          local good, answer = pcall(request and request.result or client.create_send_id, request or client,
            { campaign_id = "c" })
          assert(good and answer.send_id == "made" or answer.kind == "protocol" or answer.kind == "network",
            tostring(answer))
        end
        client:close()
        print "whole"
      ]]):format(package.path, package.cpath, peer.url, mode), { MALLOC_CHECK_ = "3",
        LD_PRELOAD = "libc_malloc_debug.so.0" })
      assert.equal("0", status, output)
      assert.matches("whole", output)
      assert.is_true(peer:requests() == 10)
    end)
  end
end)

describe("a proxy that nobody listens on", function()
  it("is named, and the endpoint is not blamed", function()
    for _, row in ipairs { { "http://127.0.0.1:1", "http://127.0.0.1:1" },
      { "http://user-of-it:password-of-it@127.0.0.1:1", "http://127.0.0.1:1" },
      { "http://proxy.invalid:3128", "http://proxy.invalid:3128" }, { "http://[::1]:1", "http://[::1]:1" } } do
      local client = braze.new { api_key = key, endpoint = "https://rest.braze.test", proxy = row[1], retries = 0,
        timeout = 20 }
      local _, failure = pcall(client.create_send_id, client, { campaign_id = "c" })
      client:close()
      assert.equal("network", failure.kind)
      assert.is_false(failure.maybe_applied)
      assert.equal(0, failure.attempts)
      assert.is_truthy(failure.message:find("the proxy " .. row[2] .. " could not be reached; nothing was sent", 1,
        true), failure.message)
      assert.is_nil(failure.hint:find("endpoint's name", 1, true))
      assert.is_nil(tostring(failure):find("-of-it", 1, true))
    end
  end)
end)
