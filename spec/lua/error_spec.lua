-- What goes wrong in a call: the kinds of errors and their fields, and what must never be in them.

local braze = require "braze"
local cjson = require "cjson"
local errors = require "spec.support.errors"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local key, check = errors.key, errors.check

describe("a call that fails", function()
  local peer, client = with_peer.client { api_key = key }

  local function call(parameters, options)
    local good, failure = pcall(client.create_send_id, client, parameters or { campaign_id = "campaign" }, options)
    assert.is_false(good)
    assert.equal("create_send_id", failure.operation)
    return check(failure)
  end

  -- The error of a call whose request is read and answered so; steps may follow.
  local function answered(answer, ...)
    peer:play { { read = "request" }, { write = answer }, ... }
    return call()
  end

  it("has kind and maybe_applied by its status, from 300 to 599", function()
    local kind_of = { [401] = "auth", [403] = "auth", [429] = "rate_limited" }
    local kind_of_class = { [3] = "protocol", [4] = "rejected", [5] = "server" }
    local applied = { [303] = true, [408] = true }
    for status = 300, 599 do
      local failure = answered(scripted_peer.answer(status))
      assert.equal(status, failure.status)
      assert.equal(kind_of[status] or kind_of_class[math.floor(status / 100)], failure.kind, status)
      assert.equal(applied[status] or status >= 500, failure.maybe_applied, status)
      assert.equal(1, failure.attempts)
      assert.is_nil(failure.body)
      assert.is_nil(failure.curl_code)
    end
    assert.equal(300, peer:requests())
  end)

  it("has what the service sent", function()
    local failure = answered(scripted_peer.answer(400, {
      ["x-ratelimit-limit"] = 100, ["X-RATELIMIT-REMAINING"] = 0, ["x-ratelimit-reset"] = "",
        ["x-request-id"] = "id-7",
    }, '{"message":"Invalid Campaign ID","errors":["one",{"id":"two"}]}'))
    assert.equal("rejected", failure.kind)
    assert.same({ limit = 100, remaining = 0 }, failure.rate_limit)
    assert.equal("id-7", failure.request_id)
    assert.same({ "one", { id = "two" } }, failure.errors)
    assert.equal('{"message":"Invalid Campaign ID","errors":["one",{"id":"two"}]}', failure.body)
    assert.matches("Invalid Campaign ID", failure.message)
    assert.matches("campaign", failure.message)
    assert.is_nil(failure.retry_at)
  end)

  local plain = scripted_peer.answer
  local success = '{"message":"success","send_id":"made"}'
  local function with(value) return success:sub(1, -2) .. ',"a":' .. value .. "}" end
  local cut = "HTTP/1.1 %d Status\r\ncontent-length: 100\r\n\r\n{\"message\":"
  local many_headers = ("x-filler: " .. ("y"):rep(1000) .. "\r\n"):rep(66)
  local mebibyte = ("x"):rep(1024 * 1024)
  local rows = {
    { "HTML in a 502", plain(502, nil, "<html>\r\n"), "server", true, 502, body = "<html>\r\n" },
    { "a 503 without a word", plain(503), "server", true, 503 },
    { "a 999", plain(999), "protocol", true, 999 },
    { "a 202 that is queued", plain(202, nil, '{"message":"queued"}'), "protocol", true, 202, message = "queued" },
    { "a 200 without a body", plain(200), "protocol", true, 200 },
    { "a 204", "HTTP/1.1 204 No Content\r\n\r\n", "protocol", true, 204 },
    { "HTML in a 200", plain(200, nil, "<html>"), "protocol", true, 200, message = "not JSON", body = "<html>" },
    { "a JSON list", plain(200, nil, "[" .. success .. "]"), "protocol", true, 200, message = "JSON, but no object" },
    { "a JSON string", plain(200, nil, '"success"'), "protocol", true, 200 },
    { "two JSON objects", plain(200, nil, success .. success), "protocol", true, 200 },
    { "JSON too deep", plain(200, nil, with(("["):rep(500) .. ("]"):rep(500))), "protocol", true, 200,
      message = "not JSON" },
    { "a number that JSON does not have", plain(200, nil, with "NaN"), "protocol", true, 200, message = "not JSON" },
    { "a number for the message", plain(200, nil, '{"message":1,"send_id":"made"}'), "protocol", true, 200 },
    { "another message", plain(200, nil, '{"message":"Success","send_id":"x"}'), "protocol", true, 200,
      message = "Success" },
    { "a message cut by a NUL", plain(200, nil, '{"message":"success\\u0000","send_id":"x"}'), "protocol", true,
      200 },
    { "no send_id", plain(201, nil, '{"message":"success"}'), "protocol", true, 201, message = "send_id" },
    { "an empty send_id", plain(201, nil, '{"message":"success","send_id":""}'), "protocol", true, 201 },
    { "null as send_id", plain(201, nil, '{"message":"success","send_id":null}'), "protocol", true, 201 },
    { "a number as send_id", plain(201, nil, '{"message":"success","send_id":7}'), "protocol", true, 201 },
    { "a 2xx cut by a close", cut:format(201), "network", true, 201, code = 18, body = '{"message":' },
    { "a 2xx cut by a reset", cut:format(201), "network", true, 201, code = true, step = { close = "reset" } },
    { "a 4xx cut by a close", cut:format(404), "rejected", false, 404, code = 18, body = '{"message":' },
    { "a 4xx cut by a reset", cut:format(404), "rejected", false, 404, code = true, step = { close = "reset" } },
    { "a 5xx cut by a close", cut:format(500), "server", true, 500, code = 18 },
    { "a 401 cut by a close", cut:format(401), "auth", false, 401, code = 18 },
    { "a 3xx cut by a close", cut:format(302), "protocol", false, 302, code = 18 },
    { "a broken chunk in a 200", "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", false, true, 200,
      code = true },
    { "a 2xx over 1 MiB", plain(200, nil, mebibyte .. "x"), "protocol", true, 200, code = 23, message = "1 MiB" },
    { "an endless 2xx", "HTTP/1.1 200 OK\r\n\r\n", "protocol", true, 200, code = 23,
      step = { repeat_write = mebibyte } },
    { "a 4xx over 1 MiB", plain(400, nil, mebibyte .. "x"), "rejected", false, 400, code = 23 },
    { "headers over 64 KiB", "HTTP/1.1 200 OK\r\n" .. many_headers .. "\r\n", "protocol", true, 200, code = 23,
      message = "64 KiB" },
    { "a 4xx with headers over 64 KiB", "HTTP/1.1 400 No\r\n" .. many_headers .. "\r\n", "rejected", false, 400,
      code = 23 },
    { "interim headers alone", "HTTP/1.1 103 Early\r\nx-ratelimit-limit: 5\r\n\r\n", "network", true, nil,
      code = 52 },
    { "nothing", "", "network", true, nil, code = 52 },
    { "a reset", "", "network", true, nil, code = 56, step = { close = "reset" } },
    { "half a status line", "HTTP/1.1 20", false, true, nil, code = true },
    { "HTTP/0.9", success, "protocol", true, nil, code = true },
    { "another protocol", "220 mail.test ESMTP\r\n", "protocol", true, nil, code = true },
    { "a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "protocol", true, nil, code = true },
  }
  for _, row in ipairs(rows) do
    it("is told apart: " .. row[1], function()
      local failure = answered(row[2], row.step)
      if row[3] then
        assert.equal(row[3], failure.kind)
      else
        assert.is_true(failure.kind == "network" or failure.kind == "protocol", failure.kind)
      end
      assert.equal(row[4], failure.maybe_applied)
      assert.equal(row[5], failure.status)
      assert.equal(1, failure.attempts)
      if row.code == true then assert.is_number(failure.curl_code) else assert.equal(row.code, failure.curl_code) end
      if row.message then assert.is_truthy(failure.message:find(row.message, 1, true)) end
      if row.body then assert.equal(row.body, failure.body) end
      if row[4] then assert.matches('campaign_id "campaign", no send_id', failure.message) end
      assert.same({}, failure.rate_limit)
      assert.is_nil(failure.request_id)
      assert.equal(1, peer:requests())
    end)
  end

  it("forgets what an interim answer said", function()
    assert.is_nil(answered("HTTP/1.1 103 Early\r\nx-request-id: early\r\n\r\n").request_id)
  end)

  it("never follows a redirect", function()
    local other = scripted_peer.start()
    finally(function() other:stop() end)
    for _, status in ipairs { 301, 302, 303, 307, 308 } do
      local failure = answered(plain(status, { location = other.url .. "/elsewhere" }))
      assert.matches("127%.0%.0%.1:" .. other.port .. "/elsewhere", failure.message)
    end
    assert.same({}, other:log())
  end)

  it("within a deadline is a timeout, or what its status says", function()
    local holding = {
      { "", "timeout", true, nil }, { "HTTP/1.1 20", "timeout", true, nil }, { cut:format(200), "timeout", true,
        200 },
      { cut:format(400), "rejected", false, 400 }, { cut:format(503), "server", true, 503 },
      { "HTTP/1.1 103 Early\r\n\r\n", "timeout", true, nil },
    }
    for _, row in ipairs(holding) do
      peer:play { { read = "request" }, { write = row[1] }, { hold = true } }
      local failure = call(nil, { timeout = 0.05 })
      assert.equal(row[2], failure.kind)
      assert.equal(row[3], failure.maybe_applied)
      assert.equal(row[4], failure.status)
      assert.equal(28, failure.curl_code)
      assert.is_true(failure.elapsed >= 0.045 and failure.elapsed < 5)
    end
  end)

  it("before the request left has not been applied", function()
    local nowhere = braze.new { api_key = key, endpoint = "https://" .. ("x"):rep(64) .. ".invalid", retries = 0 }
    finally(function()
      nowhere:close()
      peer:accept()
    end)
    local _, failure = pcall(nowhere.create_send_id, nowhere, { campaign_id = "campaign" })
    assert.equal("network", check(failure).kind)
    assert.equal(6, failure.curl_code)
    peer:refuse()
    local refused = call()
    assert.equal("network", refused.kind)
    assert.equal(7, refused.curl_code)
    for _, one in ipairs { failure, refused } do
      assert.is_false(one.maybe_applied)
      assert.equal(0, one.attempts)
      assert.is_nil(one.status)
      assert.is_nil(one.body)
    end
  end)

  it("after an earlier try may be applied, whatever came last", function()
    for _, status in ipairs { 400, 429, 302 } do
      peer:play { { read = "request" }, { write = plain(503) } }
      peer:play { { read = "request" }, { write = plain(status) } }
      local failure = call({ campaign_id = "campaign", send_id = "mine" }, { retries = 1 })
      assert.equal(status, failure.status)
      assert.is_true(failure.maybe_applied)
      assert.equal(2, failure.attempts)
      assert.matches("mine", failure.message)
    end
  end)

  it("says when to come again, if the service does", function()
    local now = os.time()
    local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", now + 5000)
    local times = {
      { 429, { ["retry-after"] = 1000, ["x-ratelimit-reset"] = now + 77 }, 1000 },
      { 429, { ["Retry-After"] = date }, 5000 }, { 429, { ["x-ratelimit-reset"] = ("%d"):format(now + 77) }, 77 },
      { 429, { ["retry-after"] = "soon", ["x-ratelimit-reset"] = ("%d"):format(now + 77) }, 77 }, { 429, {}, nil },
      { 429, { ["retry-after"] = "-1" } }, { 503, { ["retry-after"] = 1000 }, 1000 },
      { 503, { ["x-ratelimit-reset"] = ("%d"):format(now + 77) } }, { 400, { ["retry-after"] = "9.5" }, 10 },
    }
    for _, row in ipairs(times) do
      local failure = answered(plain(row[1], row[2]))
      local distance = failure.retry_at and failure.retry_at - now
      if row[3] then
        assert.is_true(distance >= row[3] and distance <= row[3] + 5, distance)
      else
        assert.is_nil(distance)
      end
    end
  end)

  it("has the body's errors as a list, or none", function()
    local lists = {
      { '["one"]', { "one" } }, { '"one"', { "one" } }, { '[{"id":7}]', { { id = 7 } } }, { "null", nil }, { "7",
        nil },
    }
    for _, row in ipairs(lists) do
      assert.same(row[2], answered(plain(400, nil, '{"errors":' .. row[1] .. "}")).errors)
    end
    assert.is_nil(answered(plain(400, nil, '["errors"]')).errors)
  end)

  it("escapes control characters of the service's words, and cuts them", function()
    local failure = answered(plain(400, nil,
      '{"message":"a\\r\\n\\tb\\u0000c\\u001b[31md\\u007fe\\u0085f \\u00fc \\u20ac"}'))
    assert.is_truthy(failure.message:find(
      "a\\r\\n\\tb\\x00c\\x1B[31md\\x7Fe\\xC2\\x85f \195\188 \226\130\172", 1, true))
    assert.is_truthy(answered(plain(400, nil, '{"message":"\255"}')).message:find("\\xFF", 1, true))
    assert.is_true(#answered(plain(400, nil, '{"message":"' .. ("x"):rep(5000) .. '"}')).message < 1000)
    assert.is_true(#call({ campaign_id = ("\0"):rep(100000), send_id = ("\""):rep(64) }, { timeout = 0.01 }).message
      < 2000)
  end)

  describe("never shows the key", function()
    local function escape_all(format)
      return (key:gsub(".", function(letter) return format:format(letter:byte()) end))
    end
    local forms = {
      plain = key, JSON = cjson.encode(key):sub(2, -2), ["JSON's \\u"] = escape_all "\\u%04x",
      ["JSON without \\/"] = key:gsub('["\\]', "\\%0"), percent = escape_all "%%%02X",
    }

    -- No part of the key is there from its fourth character on, in any of its forms.
    local function check_hidden(failure, form)
      local all = { tostring(failure), debug.traceback(tostring(failure)), failure.hint or "" }
      for _, value in pairs(check(failure)) do all[#all + 1] = tostring(value) end
      local whole = table.concat(all, "\n")
      for _, text in pairs(forms) do assert.is_nil(whole:find(text, 1, true)) end
      local shown = form:sub(1, math.ceil(#form / #key * 4))
      assert.is_nil(whole:find(shown, 1, true), whole)
    end

    for name, form in pairs(forms) do
      it("of a 401, in the form " .. name, function()
        local body = '{"message":"Invalid API key: ' .. form .. '","errors":["' .. form .. '"]}'
        local failure = answered(plain(401, { ["x-request-id"] = form, location = form }, body))
        assert.equal("auth", failure.kind)
        assert.matches("Invalid API key: %*%*%*", failure.message)
        check_hidden(failure, form)
      end)

      it("cut by the body's length, in the form " .. name, function()
        local body = '{"message":"' .. form
        for length = #body - #form + 1, #body do
          check_hidden(answered("HTTP/1.1 401 No\r\ncontent-length: " .. length .. "\r\n\r\n" .. body), form)
        end
      end)
    end

    it("cut by the limits of body, message, location and request_id", function()
      for _, limit in ipairs { 4096, 500, 127 } do
        for before = limit - #key - 12, limit, 3 do
          local text = ("x"):rep(before) .. key
          check_hidden(answered(plain(302, { location = text, ["x-request-id"] = text }, text)), key)
          check_hidden(answered(plain(401, nil, cjson.encode { message = text })), key)
        end
      end
    end)

    it("of a success that is none, though the caller's own send_id begins as the key does", function()
      local own = key:sub(1, -2)
      local text = cjson.encode { message = "other", send_id = own }
      peer:default { { read = "request" }, { write = plain(201, nil, text) } }
      local failure = call { campaign_id = "campaign", send_id = own }
      assert.equal("protocol", failure.kind)
      check_hidden(failure, key)
    end)

    it("in place of an id", function()
      peer:default { { read = "request" }, { write = plain(400, nil, '{"message":"no"}') } }
      for before = 0, 130, 13 do
        check_hidden(call { campaign_id = ("x"):rep(before) .. key, send_id = key }, key)
      end
      check_hidden(call { [key] = "x", campaign_id = "campaign" }, key)
    end)
  end)
end)
