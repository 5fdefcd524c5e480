-- Parameters that go to the service as they are given, or are refused with the path of the value before anything is
-- sent.

local braze = require "braze"
local cjson = require "cjson"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local key = "braze-key-0123456789"

describe("parameters", function()
  local peer, client = with_peer.client(nil,
    { { read = "request" }, { write = scripted_peer.answer(200, nil, "{}") }, { again = true } })

  local function sent_by(params)
    local before = peer:requests()
    client:call("POST /any", params)
    assert.equal(before + 1, peer:requests())
    local log = peer:log()
    return log[#log].received:match "^.*\r\n\r\n(.*)$"
  end

  -- The usage error of a call, by which nothing was sent.
  local function refused(name, params, options)
    local before = peer:requests()
    local good, err = pcall(client.call, client, name, params, options)
    assert.is_false(good)
    assert.is_true(braze.is_error(err), tostring(err))
    assert.equal("usage", err.kind)
    assert.equal(name, err.operation)
    assert.is_false(err.maybe_applied)
    assert.equal(before, peer:requests())
    return err
  end

  local function nested(depth)
    local value = "deepest"
    for _ = 1, depth do value = { a = value } end
    return value
  end

  local shapes = {
    { "an empty table", {}, "{}" },
    { "a list at the top", { 1, "a", true }, '[1,"a",true]' },
    { "an empty list at the top", braze.list {}, "[]" },
    { "a null", { a = braze.null }, '{"a":null}' },
    { "lua-cjson's null", { a = cjson.null }, '{"a":null}' },
    { "nulls in a list", { braze.null, 1 }, "[null,1]" },
    { "an empty list inside", { a = { b = braze.list() } }, '{"a":{"b":[]}}' },
    { "an empty table inside", { a = { b = {} } }, '{"a":{"b":{}}}' },
    { "empty lists in a list", { braze.list {}, {}, braze.list { 1 } }, "[[],{},[1]]" },
    { "a marked list with items", { a = braze.list { "x", "y" } }, '{"a":["x","y"]}' },
    { "numbers", { 0, -1, 0.5, 1e-7, 99999999999999, -99999999999999 },
      "[0,-1,0.5,1e-07,99999999999999,-99999999999999]" },
    { "texts", { "", "a\"b\\\n\0", "\240\159\166\138" }, '["","a\\"b\\\\\\n\\u0000","\240\159\166\138"]' },
    { "a name with a dot", { ["a.b"] = 1 }, '{"a.b":1}' },
  }
  for _, row in ipairs(shapes) do
    it("send " .. row[1], function() assert.equal(row[3], sent_by(row[2])) end)
  end

  it("send a list inside one that is put together here, and all else beside it", function()
    local params = { a = braze.list {}, b = { c = "x/y", d = braze.null, e = { 1, 2, { f = true } } } }
    local body = sent_by(params)
    assert.is_truthy(body:find('"a":[]', 1, true))
    local decoded = cjson.decode(body)
    assert.same({}, decoded.a)
    assert.same({ c = "x/y", d = cjson.null, e = { 1, 2, { f = true } } }, decoded.b)
  end)

  it("send 32 tables inside one another, and no more", function()
    assert.equal(('{"a":'):rep(32) .. '"deepest"' .. ("}"):rep(32), sent_by(nested(32)))
    local message = refused("POST /any", nested(33)).message
    assert.matches("^a%.a%.a%..* is nested too deep: at most 32 tables are taken$", message)
    local inside = { campaign_id = "c", trigger_properties = nested(32) }
    assert.matches("^trigger_properties%.a%.", refused("trigger_campaign", inside).message)
    assert.is_truthy(sent_by { a = braze.list {}, b = nested(31) })
  end)

  local loop = {}
  loop.inner = { loop }
  local shared = { 1 }
  local bad = {
    { { a = { b = { print } } }, "a.b[1] is a function" },
    { { a = coroutine.create(function() end) }, "a is a coroutine" },
    { { a = io.stdout }, "a is a userdata" },
    { { a = 0 / 0 }, "a is not a number (NaN), which JSON does not have" },
    { { a = { 1, 1 / 0 } }, "a[2] is infinite, which JSON does not have" },
    { { a = -1 / 0 }, "a is infinite, which JSON does not have" },
    { { a = 0.1 + 0.2 }, "a is a number that would lose digits on its way" },
    { { a = { 2 ^ 53 } }, "a[1] is a number that would lose digits on its way" },
    { { a = 123456789012345 }, "a is a number that would lose digits on its way" },
    { loop, "inner[1] is a table that contains itself" },
    { { a = { 1, b = 2 } }, "a has both names and numbers as keys" },
    { { 1, a = 2 }, "the table of parameters has both names and numbers as keys" },
    { { a = { 1, nil, 3 } }, "a is a list with holes, or with keys other than 1, 2, 3, ..." },
    { { a = { [0] = 1 } }, "a is a list with holes, or with keys other than 1, 2, 3, ..." },
    { { [1.5] = 1 }, "the table of parameters is a list with holes, or with keys other than 1, 2, 3, ..." },
    { { [2 ^ 40] = 1 }, "the table of parameters is a list with holes, or with keys other than 1, 2, 3, ..." },
    { { [true] = 1 }, "the table of parameters has a key that is a boolean" },
    { { a = { [print] = 1 } }, "a has a key that is a function" },
    { { a = { ok = 1, b = "x\255" } }, "a.b is not UTF-8, at byte 2 of 2" },
    { { a = { ["x\255"] = 1 } }, "a has a name that is not UTF-8" },
    { { a = "\237\160\128" }, "a is not UTF-8, at byte 1 of 3" },
    { { ["a\n"] = { print } }, "a\\n[1] is a function" },
  }
  for number, row in ipairs(bad) do
    it(("row %d is refused: %s"):format(number, row[2]), function()
      assert.equal(row[2], refused("POST /any", row[1]).message)
      local inside = { campaign_id = "c", trigger_properties = { x = row[1] } }
      local path = row[2]:gsub("^the table of parameters", "")
      path = path:gsub("^%f[%w]", ".", 1):gsub("^%.? ", " ")
      assert.equal("trigger_properties.x" .. path, refused("trigger_campaign", inside).message)
    end)
  end

  it("name a value by its whole path", function()
    local err = refused("send_messages", { messages = { email = { body = print } } })
    assert.equal("messages.email.body is a function", err.message)
    assert.equal("strings, numbers, booleans, tables and braze.null can be sent", err.hint)
    assert.equal("recipients[2].attributes is a function",
      refused("trigger_campaign", { campaign_id = "c", recipients = { {}, { attributes = print } } }).message)
  end)

  it("may hold the same table twice", function()
    assert.equal("[[1],[1]]", sent_by { shared, shared })
  end)

  local fields = {
    { "send_messages", { broadcast = "true" }, 'broadcast must be a boolean, not the string "true"',
      "write true or false without quotes" },
    { "get_send_analytics", { campaign_id = "c", send_id = "s", length = "7" },
      'length must be an integer, not the string "7"', "write the number without quotes" },
    { "get_send_analytics", { campaign_id = "c", send_id = "s", length = 101 }, "length is 101: at most 100 is taken" },
    { "get_send_analytics", { campaign_id = "c", send_id = "s", length = 1.5 },
      "length is 1.5: it must be an integer" },
    { "get_send_analytics", { campaign_id = "c", send_id = "s", length = 0 / 0 },
      "length is not a number (NaN): it must be an integer" },
    { "list_campaigns", { page = 2 ^ 53 }, "page is 9.007199254741e+15: it must be an integer" },
    { "list_campaigns", { page = -1 / 0 }, "page is -inf: it must be an integer" },
    { "trigger_campaign", { campaign_id = "c", recipients = { external_user_id = "u" } },
      "recipients must be a list, not a table with names" },
    { "trigger_campaign", { campaign_id = "c", trigger_properties = { "a" } },
      "trigger_properties must be a table with names, not a list" },
    { "trigger_campaign", { campaign_id = "c", trigger_properties = braze.list {} },
      "trigger_properties must be a table with names, not a list" },
    { "trigger_campaign", { campaign_id = "c", trigger_properties = braze.null },
      "trigger_properties must be a table, not a JSON null" },
    { "trigger_campaign", { campaign_id = "" }, "campaign_id is empty" },
    { "trigger_campaign", { campaign_id = "c\255" }, 'campaign_id "c\\xFF" is not UTF-8, at byte 2 of 2' },
    { "send_messages", { brodcast = true }, 'unknown parameter "brodcast"', 'did you mean "broadcast"?' },
    { "list_campaigns", { timeout = 3 }, 'unknown parameter "timeout"' },
  }
  for number, row in ipairs(fields) do
    it(("field %d: %s"):format(number, row[3]), function()
      local err = refused(row[1], row[2])
      assert.equal(row[3], err.message)
      if row[4] then assert.equal(row[4], err.hint) end
    end)
  end

  it("have at most 50 recipients", function()
    local function of(count)
      local list = {}
      for number = 1, count do list[number] = "u" .. number end
      return list
    end
    local success = scripted_peer.answer(200, nil, '{"message":"success"}')
    peer:default { { read = "request" }, { write = success }, { again = true } }
    assert.equal(200, client:send_messages({ external_user_ids = of(50) }).status)
    peer:default { { read = "request" }, { write = scripted_peer.answer(200, nil, "{}") }, { again = true } }
    for _, field in ipairs { "external_user_ids", "user_aliases" } do
      local err = refused("send_messages", { [field] = of(51) })
      assert.equal(field .. " has 51 entries: at most 50 are taken", err.message)
    end
    local err = refused("schedule_campaign", { campaign_id = "c", recipients = of(51), schedule = {} })
    assert.matches("51 entries", err.message)
  end)

  it("have at most 4,000,000 bytes as JSON, and the size is told before anything is sent", function()
    local text = ("x"):rep(4000000 - #'{"a":""}')
    assert.equal(4000000, #sent_by { a = text })
    local message = refused("POST /any", { a = text .. "x" }).message
    assert.matches("^the request has .*40000%d%d bytes.* a whole request may have 4000000$", message)
    local list = {}
    for number = 1, 1000 do list[number] = ("y"):rep(4096) end
    assert.matches("a whole request may have 4000000", refused("POST /any", { list = list }).message)
    assert.matches("a whole request may have 4000000",
      refused("trigger_campaign", { campaign_id = "c", trigger_properties = { list = list } }).message)
    message = refused("trigger_campaign", { campaign_id = ("z"):rep(4000001) }).message
    assert.matches("campaign_id has 4000001 bytes", message)
    local escaped = ("\1"):rep(1000000)
    assert.matches("a whole request may have 4000000", refused("POST /any", { a = escaped }).message)
  end)

  it("of a query are texts, numbers, booleans and lists of those, written with all their digits", function()
    local function asked(params)
      client:call("GET /any", params)
      local log = peer:log()
      return log[#log].received:match ".*GET /any(%S*) HTTP/1%.1\r\n"
    end
    assert.equal("", asked {})
    assert.equal("?a=9007199254740991", asked { a = 9007199254740991 })
    assert.equal("?a=-1", asked { a = -1.0 })
    assert.equal("?a=0.5", asked { a = 0.5 })
    assert.equal("?a=", asked { a = "" })
    assert.equal("?a%5B%5D=1&a%5B%5D=x%26y&a%5B%5D=true", asked { a = { 1, "x&y", true } })
    assert.equal("?a%3Db=%C3%A4%20%2B", asked { ["a=b"] = "\195\164 +" })
    local wrong = {
      { { a = { b = 1 } }, "a must be a string, a number, a boolean or a list of those, not a table" },
      { { a = print }, "a must be a string, a number, a boolean or a list of those, not a function" },
      { { a = braze.null }, "a must be a string, a number, a boolean or a list of those, not a JSON null" },
      { { a = { { 1 } } }, "a[1] is a table" },
      { { a = { braze.null } }, "a[1] is a JSON null" },
      { { a = {} }, "a is an empty table" },
      { { a = braze.list {} }, "a is an empty table" },
      { { a = 0 / 0 }, "a is not a number (NaN), which JSON does not have" },
      { { a = { 1 / 0 } }, "a[1] is infinite, which JSON does not have" },
      { { a = 0.1 + 0.2 }, "a is a number that would lose digits on its way" },
      { { a = "\255" }, "a is not UTF-8, at byte 1 of 1" },
      { { [""] = "a" }, "the query has a name that is empty" },
      { { ["\255"] = "a" }, "the query has a name that is not UTF-8" },
      { { ["a\0b"] = "c" }, "the query has a name that holds a NUL" },
      { { ["a\0b"] = { 1 } }, "the query has a name that holds a NUL" },
      { { "a" }, "the query has a value without a name (its key is a number)" },
      { { a = ("x"):rep(32768) }, "the path and the query have more than 32768 bytes" },
      { { [("n"):rep(300)] = { 1 } }, "the query has a name of more than 250 bytes" },
    }
    for _, row in ipairs(wrong) do
      assert.equal(row[2], refused("GET /any", row[1]).message)
      assert.equal(row[2], refused("POST /any", nil, { query = row[1] }).message)
    end
  end)

  it("can't be anything but a table", function()
    for _, value in ipairs { "text", 5, true, print } do
      assert.matches("^the parameters must be a table, not ", refused("POST /any", value).message)
      assert.matches("^send_messages takes a table of parameters, not ", refused("send_messages", value).message)
    end
  end)
end)

describe("braze.list", function()
  it("marks a table and returns it", function()
    local items = { 1 }
    assert.equal(items, braze.list(items))
    assert.equal(items, braze.list(items))
    assert.equal(1, #items)
    assert.same({}, braze.list())
    assert.is_not_equal(braze.list(), braze.list())
  end)

  it("refuses what it can't mark", function()
    for _, value in ipairs { 5, "text", true, print } do
      local good, err = pcall(braze.list, value)
      assert.is_false(good)
      assert.matches("^braze%.list takes a table, not ", err.message)
    end
    local good, err = pcall(braze.list, setmetatable({}, {}))
    assert.is_false(good)
    assert.equal("braze.list was called with a table that has a metatable", err.message)
    local nothing
    nothing, err = braze.safe.list(5)
    assert.is_nil(nothing)
    assert.equal("usage", err.kind)
    good, err = pcall(braze.list, braze)
    assert.is_false(good)
    assert.equal("write braze.list{...}", err.hint)
  end)

  it("refuses a marked table with other keys than those of a list", function()
    local client = braze.new { api_key = key, endpoint = "http://127.0.0.1:9" }
    local good, err = pcall(client.call, client, "POST /any", { a = braze.list { b = 1 } })
    assert.is_false(good)
    assert.equal("a is marked by braze.list and has keys other than 1, 2, 3, ...", err.message)
    client:close()
  end)
end)
