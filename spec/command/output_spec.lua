-- What the command writes: JSON in a pipe, tables and progress on a terminal.

local cjson = require "cjson"
local command = require "spec.support.command"
local standin = require "spec.support.standin"

describe("the output of braze", function()
  local service = standin.start()
  local environment

  before_each(function()
    service.reset()
    environment = { BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http }
  end)

  local function run(...)
    local status, output, complaint = command.run({ ... }, environment)
    assert.same({ 0, "" }, { status, complaint })
    return output
  end

  local function on_terminal(...)
    local status, shown = command.on_terminal({ ... }, environment)
    assert.equal(0, status, shown)
    return shown
  end

  describe("in a pipe", function()
    it("is one JSON value on one line", function()
      local output = run("create-send-id", "--campaign-id", "campaign_identifier", "--send-id", "mine")
      assert.matches("^{[^\n]*}\n$", output)
      local result = cjson.decode(output)
      assert.same({ "success", "mine", 201, 100, 99, 1 },
        { result.message, result.send_id, result.status, result.rate_limit.limit, result.rate_limit.remaining,
          result.attempts })
    end)

    it("has an empty list as a list", function()
      local output = run("list-campaigns", "--page", "9")
      assert.matches('"campaigns":[]', output, 1, true)
    end)

    it("is an array with an item on each line for each", function()
      local output = run("each", "list-campaigns", "--query", "include_archived=true")
      assert.equal(250, #cjson.decode(output))
      assert.equal(252, select(2, output:gsub("\n", "")))
      assert.equal("[]\n", run("each", "GET /events/list", "--items", "events", "--query", "page=99"))
    end)

    it("is still one value where a page fails, and then the status says so", function()
      service.steer "next?after=1&fail=400"
      local status, output, complaint = command.run({ "each", "list-campaigns" }, environment)
      assert.equal(5, status)
      assert.equal(100, #cjson.decode(output))
      assert.matches("^braze: rejected %(400%): [^\n]*\n$", complaint)
    end)

    it("has every operation for operations", function()
      local operations = cjson.decode(run "operations")
      assert.same({ "POST", "/sends/id/create" }, { operations.create_send_id.method, operations.create_send_id.path })
    end)
  end)

  describe("on a terminal", function()
    it("is a table, and what is left", function()
      local shown = on_terminal("create-send-id", "--campaign-id", "campaign_identifier", "--send-id", "mine")
      assert.matches("^message  success\nsend_id  mine\nstatus   201\n"
        .. "left     99 of 100, until %d+%-%d+%-%d+ 00:00:00 UTC\n$", shown)
    end)

    it("is one JSON value on several lines with --json", function()
      local shown = on_terminal("create-send-id", "--campaign-id", "campaign_identifier", "--json")
      assert.matches('\n  "message":"success",\n', shown, 1, true)
      assert.equal("success", cjson.decode(shown).message)
    end)

    it("is a table with a head for a list, in colours", function()
      local shown = on_terminal("list-campaigns")
      assert.matches("\27%[1mid\27%[0m +\27%[1mname", shown)
      assert.matches("\ncampaign_identifier +Campaign 1 +true +2026[^\n]*\n", shown)
    end)

    it("has no colours with NO_COLOR, or on a terminal that has none", function()
      environment.NO_COLOR = "1"
      assert.not_matches("\27", on_terminal("list-campaigns"), 1, true)
      environment.NO_COLOR, environment.TERM = nil, "dumb"
      assert.not_matches("\27", on_terminal("list-campaigns"), 1, true)
    end)

    it("has a row for each item of each", function()
      local shown = command.bare(on_terminal("each", "list-campaigns", "--query", "include_archived=true"))
      assert.equal(250, select(2, shown:gsub("\n[%w_-]+ +Campaign %d+ ", "")))
    end)
  end)

  it("has progress on standard error where that is a terminal, and it is gone at the end", function()
    local status, shown = command.on_terminal({ "each", "list-campaigns" }, environment, " >/dev/null")
    assert.equal(0, status)
    assert.matches("\r\27[K200 items", shown, 1, true)
    assert.matches("\27%[K$", shown)
  end)

  it("has no progress in a pipe", function()
    local _, _, complaint = command.run({ "each", "list-campaigns" }, environment)
    assert.equal("", complaint)
  end)

  it("never has the key, wherever it was given by mistake", function()
    local key = service.key
    for _, arguments in ipairs {
      { key }, { "call", key }, { "call", "POST /" .. key, "--dry-run" }, { "create-send-id", "--" .. key },
      { "create-send-id", "--campaign-id", key, "--dry-run" }, { "create-send-id", "--campaign-id", key:upper() },
      { "create-send-id", "--campaign-id", "c", "--timeout", key }, { "--json", "create-send-id", "--" .. key },
      { "call", "POST /any", "--input", key }, { "create-send-id", "--campaign-id", "c", key },
    } do
      local _, output, complaint = command.run(arguments, environment)
      assert.is_nil((output .. complaint):lower():find(key:lower(), 1, true), table.concat(arguments, " "))
      assert.is_true(#output + #complaint > 0)
    end
    local _, _, unknown = command.run({ "call", "sends" }, environment)
    assert.matches("^braze: usage: call: there is no operation", unknown)
    local status, output = command.run({ "create-send-id", "--campaign-id", key, "--dry-run" }, environment)
    assert.same({ 0, "(the key)" }, { status, cjson.decode(output).body.campaign_id })
  end)

  it("has the version and the help", function()
    assert.equal(require("braze")._VERSION .. "\n", run "--version")
    for _, row in ipairs { { "--help" }, { "create-send-id", "--help" }, { "each", "-h" } } do
      assert.matches("^Usage: braze", run((table.unpack or unpack)(row))) -- luacheck: ignore
    end
    assert.matches("\n  %-%-campaign%-id TEXT  [^\n]*Campaign API Identifier", run("create-send-id", "--help"))
  end)
end)
