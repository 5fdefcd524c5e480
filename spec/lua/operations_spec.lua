-- Each operation: the request that leaves, what a success holds, and what its error names.

local braze = require "braze"
local cjson = require "cjson"
local samples = require "spec.support.operation_samples"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local key = "braze-key-0123456789"
local answer = scripted_peer.answer

describe("an operation", function()
  local peer, client = with_peer.client()

  -- What a call comes to that is answered so: the result, or nil and the error.
  local function answered(text, call, ...)
    peer:default { { read = "request" }, { write = text } }
    local good, value = pcall(call, ...)
    if good then return value end
    assert.is_true(braze.is_error(value), tostring(value))
    return nil, value
  end

  local function parts_of(received)
    local line, lines, body = received:match "^(.-)\r\n(.*\r\n)\r\n(.*)$"
    local headers = {}
    for name, value in lines:gmatch "([^:]+): ([^\r]*)\r\n" do
      assert.is_nil(headers[name], name)
      headers[name] = value
    end
    return line, headers, body
  end

  it("is named by every sample, and by the module", function()
    local named = {}
    for _, sample in ipairs(samples) do named[sample[1]] = true end
    for name in pairs(braze.operations) do
      assert.is_true(named[name], name)
      named[name] = nil
      for _, place in ipairs { braze, braze.safe, client } do assert.is_function(place[name], name) end
    end
    assert.same({}, named)
  end)

  for _, sample in ipairs(samples) do
    local name, parameters, target, sent, success = sample[1], sample[2], sample[3], sample[4], sample[5]
    local row = braze.operations[name]

    describe(name, function()
      it("sends exactly this", function()
        answered(answer(200, nil, success), client[name], client, parameters)
        local line, headers, body = parts_of(peer:log()[1].received)
        assert.equal(row.method .. " " .. target .. " HTTP/1.1", line)
        assert.matches("^braze%-lua/", headers["User-Agent"])
        headers["User-Agent"] = nil
        local expected = {
          Host = "127.0.0.1:" .. peer.port, Authorization = "Bearer " .. key, Accept = "*/*",
          ["Accept-Encoding"] = "identity",
        }
        if sent then
          expected["Content-Type"], expected["Content-Length"] = "application/json", tostring(#body)
          assert.same(sent, cjson.decode(body))
        else
          assert.equal("", body)
        end
        assert.same(expected, headers)
      end)

      it("is called by its name as well, and started", function()
        local one = answered(answer(200, nil, success), client.call, client, name, parameters)
        local request = client:start(name, parameters)
        request:wait()
        local log, other = peer:log(), request:result()
        assert.equal(2, #log)
        assert.equal(parts_of(log[1].received), (parts_of(log[2].received)))
        one.elapsed, other.elapsed = nil, nil
        assert.same(one, other)
      end)

      it("succeeds with any 2xx", function()
        for _, status in ipairs { 200, 201, 202, 299 } do
          local result, err = answered(answer(status, nil, success), client[name], client, parameters)
          assert.is_nil(err)
          for field, value in pairs(cjson.decode(success)) do
            if field ~= "status" then assert.same(value, result[field]) end -- ours wins over the answer's
          end
          assert.equal(status, result.status)
          assert.equal(1, result.attempts)
        end
      end)

      it("takes nothing else for a success", function()
        local decoded, wrong = cjson.decode(success), { "[]", "null", "1", "no JSON", "", '{"message":"queued"}' }
        for _, field in ipairs { "message", "send_id", "schedule_id", "data", "campaigns", "scheduled_broadcasts" } do
          local value = decoded[field]
          if value then
            decoded[field] = nil
            wrong[#wrong + 1] = cjson.encode(decoded)
            decoded[field] = 5
            wrong[#wrong + 1] = cjson.encode(decoded)
            decoded[field] = value
          end
        end
        if name == "send_transactional" then wrong[#wrong + 1] = '{"message":"success"}' end
        for _, body in ipairs(wrong) do
          local result, err = answered(answer(200, nil, body), client[name], client, parameters)
          assert.is_nil(result, body)
          assert.equal("protocol", err.kind, body)
          assert.equal(row.method ~= "GET", err.maybe_applied, body)
          assert.equal(name, err.operation)
        end
      end)

      it("says in an error what was called, and whether it may have been done", function()
        for status, expected in pairs {
          [400] = "rejected", [401] = "auth", [404] = "rejected", [408] = "rejected", [429] = "rate_limited",
          [500] = "server", [503] = "server",
        } do
          local _, err = answered(answer(status, nil, '{"message":"no"}'), client[name], client, parameters)
          assert.equal(expected, err.kind)
          assert.equal(name, err.operation)
          assert.equal(row.method ~= "GET" and (status >= 500 or status == 408), err.maybe_applied, status)
        end
        peer:default { { read = "request" }, { close = "reset" } }
        local good, err = pcall(client[name], client, parameters)
        assert.is_false(good)
        assert.equal("network", err.kind)
        assert.equal(row.method ~= "GET", err.maybe_applied)
      end)

      it("wants what is required", function()
        for _, field in ipairs(row.parameters) do
          if field.required then
            local less = {}
            for given, value in pairs(parameters) do less[given] = value end
            less[field.name] = nil
            local good, err = pcall(client[name], client, less)
            assert.is_false(good)
            assert.equal("usage", err.kind)
            assert.equal(name, err.operation)
            assert.equal(field.name .. " is missing", err.message)
            assert.equal(field.hint, err.hint)
          end
        end
        assert.equal(0, #peer:log())
      end)

      it("refuses every value of another type", function()
        local values = {
          string = "text", integer = 1, boolean = true, object = { a = "b" }, list = { "a" }, fraction = 1.5,
          ["function"] = print, null = braze.null, ["empty text"] = "", marked = braze.list { "a" },
        }
        local good_for = {
          string = { string = true, ["empty text"] = true }, integer = { integer = true }, boolean = { boolean = true },
          object = { object = true }, list = { list = true, marked = true },
        }
        for _, field in ipairs(row.parameters) do
          for label, value in pairs(values) do
            local changed = {}
            for given, other in pairs(parameters) do changed[given] = other end
            changed[field.name] = value
            local taken = good_for[field.type][label]
            if label == "empty text" and (field.required or field.name == "send_id") then taken = false end
            if not taken then
              local good, err = pcall(client[name], client, changed)
              assert.is_false(good, field.name .. " " .. label)
              assert.equal("usage", err.kind)
              assert.is_truthy(err.message:find(field.name, 1, true), err.message)
            end
          end
        end
        assert.equal(0, #peer:log())
      end)

      it("takes every value of its types", function()
        local values = { string = "text", integer = 1, boolean = false, object = {}, list = {} }
        local all = {}
        for _, field in ipairs(row.parameters) do all[field.name] = values[field.type] end
        local text = success:gsub('"send_id":"mine"', '"send_id":"text"')
        assert.is_table(answered(answer(200, nil, text), client[name], client, all))
        local _, _, body = parts_of(peer:log()[1].received)
        for _, field in ipairs(row.parameters) do
          local as_json = { string = '"text"', integer = "1", boolean = "false", object = "{}", list = "[]" }
          if field.place == "body" then
            assert.is_truthy(body:find(('"%s":%s'):format(field.name, as_json[field.type]), 1, true), body)
          end
        end
      end)

      it("names the nearest parameter for an unknown one", function()
        for _, field in ipairs(row.parameters) do
          local changed = { [field.name .. "x"] = "value" }
          local good, err = pcall(client[name], client, changed)
          assert.is_false(good)
          assert.equal(('unknown parameter "%sx"'):format(field.name), err.message)
          assert.equal(('did you mean "%s"?'):format(field.name), err.hint)
        end
        assert.equal(0, #peer:log())
      end)

      it("takes 64 printable characters as a send_id and no more", function()
        local has = false
        for _, field in ipairs(row.parameters) do has = has or field.name == "send_id" end
        if not has then return end
        for _, wrong in ipairs { ("x"):rep(65), " x", "x ", "\195\164", "a\nb" } do
          local changed = {}
          for given, other in pairs(parameters) do changed[given] = other end
          changed.send_id = wrong
          local good, err = pcall(client[name], client, changed)
          assert.is_false(good)
          assert.equal("usage", err.kind)
          assert.matches("^send_id ", err.message)
        end
        assert.equal(0, #peer:log())
      end)
    end)
  end

  it("is asked without parameters where it needs none, and only a read", function()
    local success = answer(200, nil, '{"message":"success","campaigns":[]}')
    peer:default { { read = "request" }, { write = success }, { again = true } }
    assert.equal(200, client:list_campaigns().status)
    assert.equal(200, client:call("list_campaigns").status)
    client:start("list_campaigns"):wait()
    assert.equal(3, peer:requests())
    for name, row in pairs(braze.operations) do
      if name ~= "list_campaigns" then
        local good, err = pcall(client[name], client)
        assert.is_false(good)
        local first = "name"
        for position = #row.parameters, 1, -1 do
          if row.parameters[position].required then first = row.parameters[position].name end
        end
        assert.equal(name .. " takes a table of parameters, not nothing", err.message)
        assert.equal(("write %s{%s = ...}"):format(name, first), err.hint)
      end
    end
  end)

  it("refuses a \".\" or \"..\" in its path, which would lead elsewhere", function()
    for _, text in ipairs { ".", ".." } do
      local parameters = { campaign_id = text, recipient = { external_user_id = "u" } }
      local good, err = pcall(client.send_transactional, client, parameters)
      assert.is_false(good)
      assert.equal("usage", err.kind)
      assert.matches("^campaign_id is ", err.message)
    end
    assert.equal(0, #peer:log())
    answered(answer(200, nil, '{"dispatch_id":"d"}'), client.send_transactional, client,
      { campaign_id = "...", recipient = { external_user_id = "u" } })
    assert.matches("^POST /transactional/v1/campaigns/%.%.%./send ", peer:log()[1].received)
  end)

  it("has a query of the caller's beside its own", function()
    answered(answer(200, nil, '{"message":"success"}'), client.get_campaign, client, { campaign_id = "c" },
      { query = { ["a b"] = "\195\164" } })
    assert.matches("^GET /campaigns/details%?campaign_id=c&a%%20b=%%C3%%A4 ", peer:log()[1].received)
    answered(answer(200, nil, '{"message":"success"}'), client.send_messages, client, {}, { query = { x = 1 } })
    assert.matches("^POST /messages/send%?x=1 .*\r\n\r\n{}$", peer:log()[2].received)
  end)

  it("is described by braze.operations", function()
    for name, row in pairs(braze.operations) do
      assert.is_true(row.method == "GET" or row.method == "POST")
      assert.matches("^/", row.path)
      assert.is_string(row.permission)
      assert.is_true(({ never = true, always = true, with_key = true })[row.repeated], name)
      assert.equal(row.repeated == "with_key", row.key ~= nil)
      for _, field in ipairs(row.parameters) do
        assert.is_true(({ body = true, query = true, path = true })[field.place])
        assert.is_boolean(field.required)
      end
    end
    assert.equal(50, braze.operations.send_messages.parameters[2].max)
    assert.equal("campaigns", braze.operations.list_campaigns.items)
    assert.same(braze.operations, braze.safe.operations)
  end)

  it("returns nil and the error in the safe style", function()
    local safe = braze.safe.new { api_key = key, endpoint = peer.url, retries = 0 }
    peer:default { { read = "request" }, { write = answer(400, nil, '{"message":"no"}') }, { again = true } }
    for _, sample in ipairs(samples) do
      local nothing, err = safe[sample[1]](safe, sample[2])
      assert.is_nil(nothing)
      assert.equal("rejected", err.kind)
      nothing, err = safe:call(sample[1], { [1] = "x" })
      assert.is_nil(nothing)
      assert.equal("usage", err.kind)
    end
    safe:close()
  end)
end)
