-- From the words of a command line to the request: every field of every operation as a flag, files, quoting, and what
-- is refused before anything is sent.

local braze = require "braze"
local cjson = require "cjson"
local command = require "spec.support.command"
local samples = require "spec.support.operation_samples"
local standin = require "spec.support.standin"
local words = require "braze.command.words"

local unpack = table.unpack or unpack -- luacheck: ignore

describe("the arguments of braze", function()
  local service = standin.start()
  local environment

  before_each(function()
    service.reset()
    environment = { BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http }
  end)

  local function dry_run(arguments, input)
    local all = { unpack(arguments) }
    all[#all + 1] = "--dry-run"
    local status, output, complaint = command.run(all, environment, input)
    assert.same({ 0, "" }, { status, complaint })
    return cjson.decode(output), output
  end

  local function body_of(arguments, input)
    return dry_run(arguments, input).body
  end

  local function refused(arguments, input)
    local status, output, complaint = command.run(arguments, environment, input)
    assert.same({ 2, "" }, { status, output })
    assert.matches("^braze: usage: [^\n]*\n$", complaint)
    assert.same({}, service.log().requests)
    return complaint
  end

  -- The flags for the parameters of a sample.
  local function flags_for(name, parameters)
    local arguments = { words.typed(name) }
    for _, field in ipairs(braze.operations[name].parameters) do
      local value, flag = parameters[field.name], "--" .. words.typed(field.name)
      if value == false then flag = "--no-" .. words.typed(field.name) end
      if value ~= nil then arguments[#arguments + 1] = flag end
      if type(value) == "table" then value = cjson.encode(value) end
      if value ~= nil and type(value) ~= "boolean" then arguments[#arguments + 1] = tostring(value) end
    end
    return arguments
  end

  for _, sample in ipairs(samples) do
    local name, parameters, target, body = unpack(sample, 1, 4)
    it("make the request of " .. name, function()
      local request = dry_run(flags_for(name, parameters))
      assert.same({ braze.operations[name].method, service.http .. target }, { request.method, request.url })
      assert.same(body, request.body)
    end)
  end

  it("name every parameter of every operation, and no other, in words", function()
    local used = {}
    for _, row in pairs(braze.operations) do
      for _, field in ipairs(row.parameters) do used[field.name] = true end
    end
    for name in pairs(used) do assert.is_string(words.fields[name], name) end
    for name in pairs(words.fields) do assert.is_true(used[name], name) end
    local told = {}
    for _, pair in ipairs(words.operations) do told[pair[1]] = true end
    for name in pairs(braze.operations) do assert.is_true(told[name], name) end
    for name in pairs(told) do assert.is_table(braze.operations[name], name) end
  end)

  describe("with --dry-run", function()
    -- The request that arrives, beside what --dry-run says of it.
    local function compare(arguments, target)
      local told, text = dry_run(arguments)
      assert.same({}, service.log().requests)
      assert.equal(0, (command.run(arguments, environment)))
      local arrived = service.log().requests[1]
      assert.same({ arrived.method, service.http .. target }, { told.method, told.url })
      local headers = {}
      for name, value in pairs(told.headers) do headers[name:lower()] = value end
      assert.equal("Bearer (the key)", headers.authorization)
      headers.authorization = arrived.headers.authorization
      assert.same(arrived.headers, headers)
      -- The names of an object have no order that is the same in two processes.
      if arrived.body ~= "" then assert.same(cjson.decode(arrived.body), told.body) end
      assert.not_matches(service.key, text, 1, true)
    end

    it("say exactly what is sent", function()
      compare({ "create-send-id", "--campaign-id", "campaign_identifier", "--send-id", "my own" }, "/sends/id/create")
    end)

    it("say exactly what is sent by a read", function()
      compare({ "get-campaign", "--campaign-id", "campaign_identifier" },
        "/campaigns/details?campaign_id=campaign_identifier")
    end)

    it("say exactly what is sent to a path", function()
      local path = command.file '{"events":[],"attributes":[{"external_id":"a","x":null}]}'
      compare({ "call", "POST /users/track", "--input", path }, "/users/track")
      os.remove(path)
    end)

    it("refuse what the call would refuse", function()
      refused { "create-send-id", "--campaign-id", "c", "--send-id", ("x"):rep(65), "--dry-run" }
      refused { "call", "POST /users//track", "--dry-run" }
    end)
  end)

  describe("are passed on as they are", function()
    for _, text in ipairs {
      "two words", "it's", 'say "so"', "$HOME `id`", "*", "@file", "tab\there", "a\\b", "\195\188", "{}", "[1]",
    } do
      it(("%q"):format(text), function()
        assert.equal(text, body_of({ "create-send-id", "--campaign-id", text }).campaign_id)
      end)
    end

    it("where they begin with a dash, behind an equals sign", function()
      assert.equal("-x", body_of({ "create-send-id", "--campaign-id=-x" }).campaign_id)
      assert.equal("--json", body_of({ "create-send-id", "--campaign-id=--json" }).campaign_id)
    end)

    it("in JSON, with empty lists, nulls and all digits", function()
      local text = '{"a":[],"b":{},"c":null,"d":1.5,"e":[[]],"f":12345678901234,"g":"\\u00fc\\ud83d\\ude00"}'
      local _, output = dry_run { "trigger-campaign", "--campaign-id", "c", "--trigger-properties", text }
      assert.matches('"a":[]', output, 1, true)
      assert.matches('"b":{}', output, 1, true)
      assert.matches('"c":null', output, 1, true)
      assert.matches('"e":[[]]', output, 1, true)
      assert.matches('"f":12345678901234', output, 1, true)
      local properties = cjson.decode(output).body.trigger_properties
      assert.same({ 1.5, "\195\188\240\159\152\128" }, { properties.d, properties.g })
    end)
  end)

  describe("from files", function()
    local path

    before_each(function() path = command.file '[{"external_user_id":"user-1"}]' end)
    after_each(function() os.remove(path) end)

    it("are JSON behind @", function()
      local body = body_of { "trigger-campaign", "--campaign-id", "c", "--recipients", "@" .. path }
      assert.same({ { external_user_id = "user-1" } }, body.recipients)
    end)

    it("are read from standard input behind @-", function()
      local body = body_of({ "trigger-campaign", "--campaign-id", "c", "--recipients", "@-" }, '[{"email":"a@b"}]')
      assert.same({ { email = "a@b" } }, body.recipients)
    end)

    it("win over --input, whose other fields stay", function()
      local body = body_of({ "create-send-id", "--input", "-", "--send-id", "flag" },
        '{"campaign_id":"c","send_id":"file"}')
      assert.same({ campaign_id = "c", send_id = "flag" }, body)
    end)

    it("are refused where they can't be read, or are not what is expected", function()
      assert.matches("can't be read", refused { "call", "POST /x", "--input", "no-such-file" }, 1, true)
      assert.matches("can't be read", refused { "call", "POST /x", "--input", "." }, 1, true)
      assert.matches("a JSON object is expected", refused { "call", "POST /x", "--input", path }, 1, true)
      assert.matches("line 2, column 3",
        refused({ "create-send-id", "--input", "-" }, '{"campaign_id": "c",\n  send_id: "x"}'), 1, true)
      assert.matches("a JSON array is expected",
        refused({ "trigger-campaign", "--campaign-id", "c", "--recipients", "{}" }), 1, true)
      assert.matches("so does another value",
        refused({ "trigger-campaign", "--input", "-", "--recipients", "@-" }, "{}"), 1, true)
      assert.matches("did you mean \"campaign_id\"",
        refused({ "create-send-id", "--campaign-id", "c", "--input", "-" }, '{"campain_id":"c"}'), 1, true)
    end)
  end)

  describe("that are wrong are refused with the nearest", function()
    local function names(meant, ...)
      assert.matches("did you mean " .. meant .. "?", refused { ... }, 1, true)
    end

    it("flag", function()
      names("--campaign-id", "create-send-id", "--campain-id", "c")
      names("--campaign-id", "create-send-id", "--campaign_id", "c")
      names("--retries", "create-send-id", "--campaign-id", "c", "--retrys", "1")
      names("--dry-run", "create-send-id", "--campaign-id", "c", "--dryrun")
    end)

    it("command", function()
      names("create-send-id", "create-sendid")
      names("list-campaigns", "list_campaigns")
      names("doctor", "docter")
    end)

    it("name of an operation", function()
      assert.matches("list_campaigns", refused { "call", "list-campaign" }, 1, true)
    end)
  end)

  it("that are wrong in other ways say what to do", function()
    assert.matches("braze %-%-help", refused {})
    assert.matches("braze create%-send%-id %-%-help", refused { "create-send-id", "--key", "secret" })
    assert.matches("--campaign-id is missing; the Campaign API Identifier", refused { "create-send-id" }, 1, true)
    assert.matches("--retries takes a whole number", refused { "list-campaigns", "--retries", "1.5" }, 1, true)
    assert.matches("--page takes a whole number", refused { "list-campaigns", "--page", "two" }, 1, true)
    assert.matches("is not NAME=VALUE", refused { "call", "GET /events/list", "--query", "page" }, 1, true)
    assert.matches("--no-broadcast",
      refused { "trigger-campaign", "--campaign-id", "c", "--broadcast", "--no-broadcast" }, 1, true)
    refused { "create-send-id", "--campaign-id", "a", "--campaign-id", "b" }
    refused { "create-send-id", "superfluous" }
    refused { "call" }
    refused { "completion", "tcsh" }
  end)

  it("add to the query, several of a name as a list", function()
    local request = dry_run { "call", "GET /events/list", "--query", "page=1", "--query", "a=x", "--query", "a=y=z" }
    assert.matches("%f[%w]page=1%f[^%w]", request.url)
    assert.matches("a%5B%5D=x&a%5B%5D=y%3Dz", request.url, 1, true)
  end)

  describe("for many users", function()
    local function arguments(...)
      return { "trigger-campaign", "--campaign-id", "campaign_identifier", ... }
    end

    it("need --yes, whichever way they are given", function()
      assert.matches("because broadcast is given; add --yes", refused(arguments "--broadcast"), 1, true)
      assert.matches("because audience is given", refused(arguments("--audience", "{}")), 1, true)
      refused({ "send-messages", "--segment-id", "s" })
      refused({ "call", "POST /messages/send", "--input", "-" }, '{"broadcast":true}')
      refused({ "call", "trigger-campaign", "--input", "-" }, '{"campaign_id":"c","broadcast":true}')
    end)

    it("are sent with --yes", function()
      local status, _, complaint = command.run(arguments("--broadcast", "--yes"), environment)
      assert.same({ 0, "" }, { status, complaint })
      assert.same({ 1, true }, { #service.sends(), service.sends()[1].broadcast })
    end)

    it("are shown by --dry-run without it", function()
      assert.is_true(body_of(arguments "--broadcast").broadcast)
    end)

    it("are none with --no-broadcast", function()
      local status = command.run(arguments("--no-broadcast", "--recipients", '[{"external_user_id":"u"}]'), environment)
      assert.equal(0, status)
    end)
  end)

  it("pass limits on to the call", function()
    service.steer "next?fail=503&times=2"
    local arguments = { "list-campaigns", "--retries", "2", "--timeout", "20", "--connect-timeout", "5" }
    local status, output = command.run(arguments, environment)
    assert.equal(0, status)
    assert.equal(3, cjson.decode(output).attempts)
  end)

  it("make a path repeatable", function()
    assert.is_false(dry_run({ "call", "POST /users/track" }).repeatable)
    assert.is_true(dry_run({ "call", "POST /users/track", "--repeatable" }).repeatable)
  end)
end)
