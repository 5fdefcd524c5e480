-- One call that goes well: the bytes of the request, the result, and the rules of the parameters.

local braze = require "braze"
local cjson = require "cjson"
local scripted_peer = require "spec.support.scripted_peer"
local standin = require "spec.support.standin"
local with_peer = require "spec.support.with_peer"

local process = assert(package.loadlib(os.getenv "BRAZE_BUILD":gsub("/oldest$", "") .. "/test/braze.so",
  "luaopen_braze_process_spec"))()
local key = "braze-key-0123456789"
local math_type = math.type

local function is_integer(value)
  return math_type and math_type(value) == "integer" or not math_type and value % 1 == 0
end

describe("create_send_id", function()
  local peer, client = with_peer.client(nil,
    { { read = "request" }, { write = scripted_peer.created() }, { again = true } })

  -- The result of a call that is answered with a text, or with a status, headers and a body.
  local function answered(status_or_text, headers, body)
    local text = type(status_or_text) == "string" and status_or_text
      or scripted_peer.answer(status_or_text, headers, body)
    peer:default { { read = "request" }, { write = text } }
    return client:create_send_id { campaign_id = "campaign" }
  end

  local function last_body()
    local log = peer:log()
    return log[#log].received:match "\r\n\r\n(.*)$"
  end

  describe("sends", function()
    it("exactly these lines, and the body", function()
      client:create_send_id { send_id = "mine", campaign_id = "campaign" }
      local first, lines, body = peer:log()[1].received:match "^(.-)\r\n(.*\r\n)\r\n(.*)$"
      assert.equal("POST /sends/id/create HTTP/1.1", first)
      assert.equal('{"campaign_id":"campaign","send_id":"mine"}', body)
      local headers = {}
      for name, value in lines:gmatch "([^:]+): ([^\r]*)\r\n" do
        assert.is_nil(headers[name])
        headers[name] = value
      end
      assert.is_truthy(headers["User-Agent"]:find("braze-lua/" .. braze._VERSION:match " (.*)", 1, true))
      headers["User-Agent"] = nil
      assert.same({
        Host = "127.0.0.1:" .. peer.port, Authorization = "Bearer " .. key, Accept = "*/*",
          ["Accept-Encoding"] = "identity",
        ["Content-Type"] = "application/json", ["Content-Length"] = tostring(#body),
      }, headers)
    end)

    it("campaign_id alone where there is no send_id", function()
      client:create_send_id { campaign_id = "campaign" }
      assert.equal('{"campaign_id":"campaign"}', last_body())
      client:create_send_id { campaign_id = "campaign", send_id = nil }
      assert.matches('{"campaign_id":"campaign"}$', peer:log()[1].received)
    end)

    local texts = {
      { "quotes and backslashes", 'a"b\\c', 'a\\"b\\\\c' },
      { "a NUL", "a\0b", "a\\u0000b" },
      { "line ends and a tab", "a\r\nb\tc", "a\\r\\nb\\tc" },
      { "other control characters", "a\1\31\127b", "a\\u0001\\u001f\\u007fb" },
      { "what looks like the next request", '"}\r\n\r\nPOST / HTTP', '\\"}\\r\\n\\r\\nPOST \\/ HTTP' },
      { "UTF-8", "gr\195\188n \226\130\172 \240\159\166\138", "gr\195\188n \226\130\172 \240\159\166\138" },
      { "what looks like a placeholder", "%s%d%%{x}", "%s%d%%{x}" },
      { "spaces alone", "  ", "  " },
    }
    for _, row in ipairs(texts) do
      it(row[1] .. " of a campaign_id as JSON", function()
        client:create_send_id { campaign_id = row[2] }
        assert.equal('{"campaign_id":"' .. row[3] .. '"}', last_body())
        assert.equal(1, peer:requests())
        assert.equal(row[2], cjson.decode(last_body()).campaign_id)
      end)
    end

    it("every printable character of a send_id, and gets it back", function()
      local all = {}
      for byte = 33, 126 do all[#all + 1] = string.char(byte) .. (byte % 8 == 0 and " " or "") end
      for first = 1, #all, 50 do
        local send_id = table.concat(all, "", first, math.min(first + 49, #all)) .. "."
        assert.equal(send_id, client:create_send_id({ campaign_id = "campaign", send_id = send_id }).send_id)
        local log = peer:log()
        assert.equal(first == 1 and 1 or 2, log[1].requests)
      end
    end)

    it("long ids whole", function()
      local campaign_id = ("x"):rep(200000) .. "\226\130\172"
      client:create_send_id { campaign_id = campaign_id }
      assert.equal('{"campaign_id":"' .. campaign_id .. '"}', last_body())
    end)

    local paths = {
      { "", "/sends/id/create" }, { "/", "/sends/id/create" }, { "//", "/sends/id/create" },
      { "/gateway", "/gateway/sends/id/create" }, { "/gateway/", "/gateway/sends/id/create" },
      { "/a/b%2Fc///", "/a/b%2Fc/sends/id/create" }, { "/a//b", "/a//b/sends/id/create" },
    }
    for _, row in ipairs(paths) do
      it(("to %s for an endpoint that ends in %q"):format(row[2], row[1]), function()
        local other = braze.new { api_key = key, endpoint = peer.url .. row[1] }
        other:create_send_id { campaign_id = "campaign" }
        other:close()
        assert.equal(row[2], peer:log()[1].received:match "^POST (%S+) HTTP/1%.1\r\n")
      end)
    end
  end)

  describe("returns", function()
    it("the service's fields and ours", function()
      local result = client:create_send_id { campaign_id = "campaign", send_id = "mine" }
      assert.is_nil(getmetatable(result))
      assert.equal("success", result.message)
      assert.equal("mine", result.send_id)
      assert.equal(201, result.status)
      assert.equal(100, result.rate_limit.limit)
      assert.equal(99, result.rate_limit.remaining)
      assert.equal(0, result.rate_limit.reset % 86400)
      assert.equal("3f2504e0-4f89-41d3-9a0c-0305e82c3301", result.request_id)
      assert.equal(1, result.attempts)
      assert.is_true(result.elapsed > 0 and result.elapsed < 20)
      for _, value in ipairs {
        result.status, result.attempts, result.rate_limit.limit, result.rate_limit.remaining, result.rate_limit.reset,
      } do
        assert.is_true(is_integer(value))
      end
      local names = {}
      for name in pairs(result) do names[#names + 1] = name end
      table.sort(names)
      assert.equal("attempts elapsed message rate_limit request_id send_id status", table.concat(names, " "))
      assert.is_string(cjson.encode(result))
    end)

    for _, status in ipairs { 200, 201, 202, 206, 299 } do
      it("success for a " .. status .. " with a send_id", function()
        local result = answered(status, nil, '{"message":"success","send_id":"made"}')
        assert.equal(status, result.status)
        assert.equal("made", result.send_id)
        assert.same({}, result.rate_limit)
        assert.is_nil(result.request_id)
      end)
    end

    local bodies = {
      { "blanks around it", ' \r\n\t{ "message" : "success" , "send_id" : "made" } \n', { send_id = "made" } },
      { "escapes", '{"mess\\u0061ge":"succ\\u0065ss","send_id":"\\u00fc\\/\\ud83e\\udd8a"}',
        { send_id = "\195\188/\240\159\166\138" } },
      { "its errors", '{"message":"success","send_id":"made","errors":["minor",{"id":7}]}',
        { errors = { "minor", { id = 7 } } } },
      { "other fields", '{"message":"success","send_id":"made","extra":{"deep":[1,"two",true]}}',
        { extra = { deep = { 1, "two", true } } } },
      { "ours in its body", '{"message":"success","send_id":"made","status":5,"attempts":9,"rate_limit":"x",'
        .. '"elapsed":"x"}', { status = 201, attempts = 1, rate_limit = {} } },
      { "a NUL in its send_id", '{"message":"success","send_id":"a\\u0000b"}', { send_id = "a\0b" } },
      { "an empty list of errors", '{"message":"success","send_id":"made","errors":[]}', { errors = {} } },
    }
    for _, row in ipairs(bodies) do
      it("a success with " .. row[1], function()
        local result = answered(201, nil, row[2])
        for name, value in pairs(row[3]) do assert.same(value, result[name], name) end
        assert.is_number(result.elapsed)
      end)
    end

    it("nothing for a JSON null, at any depth", function()
      local result = answered(201, nil,
        '{"message":"success","send_id":"made","errors":null,"extra":{"a":null,"b":1},'
        .. '"request_id":null}')
      assert.is_nil(result.errors)
      assert.same({ b = 1 }, result.extra)
      assert.is_nil(result.request_id)
    end)

    it("no request_id but the header's", function()
      local body = '{"message":"success","send_id":"made","request_id":"body"}'
      assert.is_nil(answered(201, nil, body).request_id)
      assert.equal("header", answered(201, { ["X-REQUEST-ID"] = "header" }, body).request_id)
    end)

    local function numbers(limit, remaining, reset)
      return { limit = limit, remaining = remaining, reset = reset }
    end
    local headers = {
      { "in lower case",
        { "x-ratelimit-limit: 1", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 3" }, numbers(1, 0, 3) },
      { "in upper case",
        { "X-RATELIMIT-LIMIT: 1", "X-RATELIMIT-REMAINING: 2", "X-RATELIMIT-RESET: 3" }, numbers(1, 2, 3) },
      { "in mixed case",
        { "X-RateLimit-Limit:1", "x-rAtElImIt-remaining:\t2 \t", "X-Ratelimit-Reset:   3" }, numbers(1, 2, 3) },
      { "that are empty",
        { "x-ratelimit-limit:", "x-ratelimit-remaining: ", "x-ratelimit-reset: 3" }, numbers(nil, nil, 3) },
      { "with signs",
        { "x-ratelimit-limit: +1", "x-ratelimit-remaining: -2", "x-ratelimit-reset: 3" }, numbers(nil, nil, 3) },
      { "with fractions", { "x-ratelimit-limit: 1.0", "x-ratelimit-remaining: 1e3", "x-ratelimit-reset: 3,5" }, {} },
      { "with words", { "x-ratelimit-limit: many", "x-ratelimit-remaining: 2x", "x-ratelimit-reset: 0x3" }, {} },
      { "with leading zeros", { "x-ratelimit-limit: 007" }, numbers(7) },
      { "up to 2^53-1", { "x-ratelimit-limit: 9007199254740991", "x-ratelimit-reset: 9007199254740992" },
        numbers(9007199254740991) },
      { "out of range", { "x-ratelimit-limit: 18446744073709551617", "x-ratelimit-reset: " .. ("9"):rep(400) }, {} },
      { "said twice", { "x-ratelimit-limit: 1", "x-ratelimit-limit: 1", "x-ratelimit-reset: 1, 1" },
        numbers(1, nil, 1) },
      { "that contradict each other", { "x-ratelimit-limit: 1", "X-RateLimit-Limit: 2", "x-ratelimit-remaining: 5",
        "x-ratelimit-remaining:" }, {} },
      { "of another name", { "x-ratelimit-limit-x: 1", "ratelimit-limit: 1", "x-ratelimit: 1" }, {} },
    }
    for _, row in ipairs(headers) do
      it("rate limit headers " .. row[1], function()
        local result = answered(201, row[2], '{"message":"success","send_id":"made"}')
        assert.same(row[3], result.rate_limit)
        for _, value in pairs(result.rate_limit) do assert.is_true(is_integer(value)) end
      end)
    end

    -- What looks like a part of the key is hidden in an error; a result is the caller's own.
    it("a send_id that begins like the key, as it is", function()
      local other = braze.new { api_key = "campaign-2026-key", endpoint = peer.url }
      finally(function() other:close() end)
      peer:default { { read = "request" }, { write = scripted_peer.created() } }
      local parameters = { campaign_id = "campaign", send_id = "campaign-2026-spring" }
      assert.equal("campaign-2026-spring", other:create_send_id(parameters).send_id)
    end)

    it("the final answer's headers, not those of an interim one", function()
      local result = answered("HTTP/1.1 103 Early\r\nx-ratelimit-limit: 5\r\nx-request-id: early\r\n\r\n"
        .. scripted_peer.answer(201, { ["x-ratelimit-remaining"] = 4 }, '{"message":"success","send_id":"made"}'))
      assert.equal(201, result.status)
      assert.same({ remaining = 4 }, result.rate_limit)
      assert.is_nil(result.request_id)
    end)

    it("no trailer of a chunked answer as a header", function()
      local result = answered("HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\nx-ratelimit-limit: 5\r\n\r\n"
        .. '26\r\n{"message":"success","send_id":"made"}\r\n0\r\n'
        .. "x-ratelimit-remaining: 1\r\nx-request-id: late\r\n\r\n")
      assert.equal("made", result.send_id)
      assert.same({ limit = 5 }, result.rate_limit)
      assert.is_nil(result.request_id)
    end)

    it("a body that only the end of the connection ends", function()
      assert.equal("made", answered("HTTP/1.0 200 OK\r\n\r\n{\"message\":\"success\",\"send_id\":\"made\"}").send_id)
    end)

    it("the same for an answer byte by byte", function()
      peer:default { { read = "request" }, { write_each = scripted_peer.created "made" } }
      assert.equal("made", client:create_send_id({ campaign_id = "campaign" }).send_id)
    end)

    it("a body of just 1 MiB", function()
      local empty = '{"message":"success","send_id":"made","filler":""}'
      local body = empty:gsub('""}$', '"' .. ("x"):rep(1024 * 1024 - #empty) .. '"}')
      assert.equal(1024 * 1024, #body)
      assert.equal("made", answered(201, nil, body).send_id)
    end)
  end)

  it("says that there is no memory where Lua has none, whatever it was needed for", function()
    local parameters = { campaign_id = "campaign", send_id = "mine" }
    local messages = { { user_aliases = braze.list {}, more = { { 1.5, "x" } } } }
    local calls = {
      function() client:create_send_id(parameters) end,
      function() client:call("POST /x", messages) end,
      -- On a new stack, which has to grow.
      function() coroutine.wrap(function() client:create_send_id(parameters) end)() end,
    }
    for _, call in ipairs(calls) do
      call()
      for times = 1, 2 do
        local count, refused = 0, true
        while refused do
          count = count + 1
          local _, any, raised = process.refuse(count, times, call)
          refused = any
          if raised ~= nil then
            assert.matches("not enough memory$", tostring(raised))
            assert.is_false(braze.is_error(raised))
          end
        end
        assert.is_true(count > 5, count)
      end
    end
  end)

  describe("refuses", function()
    local long = ("x"):rep(65)
    local rows = {
      { "no parameters", nil, "nothing", "campaign_id" }, { "a string for them", "campaign", "table", "string" },
      { "a number for them", 5, "table", "number" }, { "an empty table", {}, "campaign_id is missing" },
      { "a send_id alone", { send_id = "x" }, "campaign_id is missing" },
      { "a number as campaign_id", { campaign_id = 1 }, "campaign_id", "string", "number" },
      { "a boolean as campaign_id", { campaign_id = true }, "campaign_id", "string", "boolean" },
      { "a JSON null as campaign_id", { campaign_id = cjson.null }, "campaign_id", "string", "a JSON null" },
      { "an empty campaign_id", { campaign_id = "" }, "campaign_id is empty" },
      { "a Latin-1 campaign_id", { campaign_id = "gr\252n" }, "campaign_id", "UTF%-8", "byte 3" },
      { "an overlong campaign_id", { campaign_id = "\192\175" }, "campaign_id", "UTF%-8" },
      { "a surrogate in a campaign_id", { campaign_id = "\237\160\128" }, "campaign_id", "UTF%-8" },
      { "a campaign_id beyond Unicode", { campaign_id = "\244\144\128\128" }, "campaign_id", "UTF%-8" },
      { "a campaign_id cut short", { campaign_id = "x\226\130" }, "campaign_id", "UTF%-8" },
      { "a number as send_id", { campaign_id = "c", send_id = 1 }, "send_id", "string", "number" },
      { "false as send_id", { campaign_id = "c", send_id = false }, "send_id", "string", "boolean" },
      { "an empty send_id", { campaign_id = "c", send_id = "" }, "send_id is empty" },
      { "a send_id beyond ASCII", { campaign_id = "c", send_id = "gr\195\188n" }, "send_id", "ASCII", "byte 3" },
      { "a send_id of 65 characters", { campaign_id = "c", send_id = long }, "send_id", "65", "64" },
      { "an unknown parameter", { campaign_id = "c", colour = "x" }, "unknown parameter \"colour\"", "campaign_id" },
      { "a parameter that is nearly one", { campaign_id = "c", sendid = "x" }, "did you mean \"send_id\"" },
      { "the other's name", { campaignId = "c" }, "\"campaignId\"", "did you mean \"campaign_id\"" },
      { "a list", { "c" }, "parameter", "number" },
      { "control characters in a name", { ["a\r\nb"] = "x" }, "unknown parameter \"a\\r\\nb\"" },
    }
    for _, row in ipairs(rows) do
      it(row[1] .. ", before anything is sent", function()
        local good, failure = pcall(client.create_send_id, client, row[2])
        assert.is_false(good)
        assert.equal("usage", failure.kind)
        for position = 3, #row do assert.matches(row[position], tostring(failure)) end
        assert.is_false(failure.maybe_applied)
        assert.equal(0, failure.attempts)
        assert.same({}, peer:log())
      end)
    end

    it("no send_id of 64 characters and no campaign_id for its form", function()
      local send_id = long:sub(2)
      assert.equal(send_id, client:create_send_id({ campaign_id = "?", send_id = send_id }).send_id)
    end)

    it("nothing after that: the next call works", function()
      pcall(client.create_send_id, client, {})
      assert.equal("mine", client:create_send_id({ campaign_id = "campaign", send_id = "mine" }).send_id)
    end)

    it("to follow a table's metatable", function()
      local parameters = setmetatable({}, { __index = { campaign_id = "campaign" } })
      assert.is_false(pcall(client.create_send_id, client, parameters))
      assert.same({}, peer:log())
    end)
  end)
end)

describe("create_send_id at the stand-in", function()
  local service = standin.start()
  before_each(service.reset)

  it("makes an id of the service's or of one's own", function()
    local client = braze.new { api_key = service.key, endpoint = service.http }
    finally(function() client:close() end)
    assert.equal("mine", client:create_send_id({ campaign_id = service.campaign_id, send_id = "mine" }).send_id)
    assert.matches("^%x+%-%x+%-%x+%-%x+%-%x+$", client:create_send_id({ campaign_id = service.campaign_id }).send_id)
    assert.equal(2, service.count(service.campaign_id))
    local requests = service.log().requests
    assert.equal("POST", requests[1].method)
    assert.equal("Bearer " .. service.key, requests[1].headers.authorization)
    assert.is_nil(requests[1].headers.expect)
    assert.equal("identity", requests[1].headers["accept-encoding"])
  end)

  it("goes through a gateway's path", function()
    local client = braze.new { api_key = service.key, endpoint = service.http .. "/gateway/" }
    finally(function() client:close() end)
    assert.equal(201, client:create_send_id({ campaign_id = service.campaign_id }).status)
  end)
end)
