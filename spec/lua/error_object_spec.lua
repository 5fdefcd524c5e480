-- The error object: what it is made of, its text, where it says that it comes from.

local braze = require "braze"
local errors = require "spec.support.errors"

local key, check = errors.key, errors.check
local interpreter = arg[-1]

describe("an error object", function()
  local client = braze.new { api_key = key, endpoint = "US-01" }
  local safe_client = braze.safe.new { api_key = key, endpoint = "US-01" }
  local function line() return debug.getinfo(2, "l").currentline end
  local function caught(...) return (select(2, ...)) end

  it("names the caller's line", function()
    local at, failures, here = "spec/lua/error_object_spec.lua:%d:", {}, nil
    local function expect(failure) failures[#failures + 1] = { at:format(here), check(failure).where } end
    here = line() expect(caught(pcall(client.create_send_id, client, {})))
    here = line() expect(caught(pcall(function() client:create_send_id {} end)))
    here = line() expect(caught(pcall(function() return client:create_send_id {} end)))
    here = line() expect(select(3, pcall(pcall, braze.new, 5)))
    here = line() expect(caught(safe_client:create_send_id {}))
    here = line() expect(caught(braze.safe.new { timeout = 0 }))
    here = line() expect(caught(braze.safe.create_send_id {}))
    here = line() expect(caught(xpcall(function() client:create_send_id {} end, function(one) return one end)))
    here = line() expect(coroutine.wrap(function() return caught(pcall(client.create_send_id, client)) end)())
    here = line() expect(coroutine.wrap(function() return caught(safe_client:create_send_id()) end)())
    here = line() expect(caught(coroutine.resume(coroutine.create(function() client:create_send_id {} end))))
    here = line() expect(braze.error { kind = "network", elapsed = 1 })
    for _, pair in ipairs(failures) do assert.equal(pair[1], pair[2]) end
    assert.equal(12, #failures)
  end)

  it("names no line where no Lua code called", function()
    -- Lua 5.1 makes no coroutine of a C function.
    local made, routine = pcall(coroutine.create, client.create_send_id)
    if made then
      local failure = caught(coroutine.resume(routine, client, {}))
      assert.equal("", check(failure).where)
      assert.matches("^braze: usage: ", tostring(failure))
    end
    local load_text = rawget(_G, "loadstring") or load
    local chunk = load_text("local client = ... client:create_send_id {}", "=console")
    assert.equal("console:1:", caught(pcall(chunk, client)).where)
  end)

  it("is one line whatever the calling chunk is named", function()
    local load_text = rawget(_G, "loadstring") or load
    for name, shown in pairs {
      ["=a\nb\27[31m"] = "a\\nb\\x1B[31m:1:",
      ["@caf\195\169.lua"] = "caf\195\169.lua:1:",
      ["return 'canary'"] = "[string]:1:",
      ["=" .. ("\1"):rep(59)] = ("\\x01"):rep(59) .. ":1:",
    } do
      local chunk = load_text("local client = ... client:create_send_id {}", name)
      local failure = caught(pcall(chunk, client))
      assert.equal(shown, check(failure).where)
      assert.is_nil(tostring(failure):find "%c")
    end
  end)

  it("is the same object through pcall and error", function()
    local made = braze.error { kind = "network" }
    assert.equal(made, caught(pcall(error, made)))
    assert.equal(made, caught(pcall(error, made, 2)))
  end)

  it("joins strings and numbers, on both sides", function()
    local failure = braze.error { kind = "auth", where = "", message = "no", elapsed = 1 }
    assert.equal("braze: auth: no", tostring(failure))
    assert.equal("it: braze: auth: no.", "it: " .. failure .. ".")
    assert.equal("braze: auth: no7", failure .. 7)
    assert.equal("7braze: auth: no", 7 .. failure)
    assert.equal("braze: auth: nobraze: auth: no", failure .. failure)
    for _, other in ipairs { {}, true, print } do
      assert.is_false(pcall(function() return failure .. other end))
      assert.is_false(pcall(function() return other .. failure end))
    end
  end)

  it("is printed where nobody catches it, by the interpreters that can", function()
    local program = "require('braze').new { api_key = 'x' }"
    local pipe = io.popen(("'%s' -e \"%s\" 2>&1"):format(interpreter, program))
    local output = pipe:read "*a"
    pipe:close()
    if _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
      assert.matches("error object", output)
    else
      assert.matches("%(command line%):1: braze: usage: api_key is given without endpoint; ", output)
    end
  end)

  it("is told from everything else by is_error", function()
    assert.is_true(braze.is_error(braze.error { kind = "tls" }))
    for _, value in ipairs { {}, { kind = "tls" }, "braze: tls", 1, true, print, io.stdout, client } do
      assert.is_false(braze.is_error(value))
    end
    assert.is_false(braze.is_error(nil))
    assert.is_false(braze.is_error())
  end)

  it("is made for a user's own specs by braze.error", function()
    local fields = { kind = "rate_limited", status = 429, retry_at = 5, elapsed = 2 }
    local failure = check(braze.error(fields))
    assert.same({ kind = "rate_limited", status = 429, retry_at = 5, elapsed = 2 }, fields)
    assert.is_nil(getmetatable(fields))
    assert.is_false(failure.maybe_applied)
    assert.equal(5, failure.retry_at)
    assert.same({}, failure.rate_limit)
    for kind in pairs(errors.kinds) do assert.equal(kind, braze.error({ kind = kind }).kind) end
    assert.is_true(braze.error({ kind = "server", status = 500 }).maybe_applied)
    assert.is_true(braze.error({ kind = "rejected", maybe_applied = true }).maybe_applied)
    assert.equal("mine", braze.error({ kind = "auth", message = "mine" }).message)
    assert.equal("rate_limited", braze.error({ status = 429 }).kind)
  end)

  it("is made by braze.error of known fields, kinds and types alone", function()
    local rows = {
      { { kind = "server", mesage = "x" }, 'unknown field "mesage"', 'did you mean "message"?' },
      { { kind = "server", retryAt = 5 }, 'unknown field "retryAt"', 'did you mean "retry_at"?' },
      { { kind = "server", colour = 5 }, 'unknown field "colour"', "braze.error takes kind, message" },
      { { "server" }, "a value without a name where fields are expected", "braze.error takes" },
      { {}, "kind is missing", 'write braze.error{kind = "rate_limited", status = 429}' },
      { { status = 201 }, "kind is missing", "write braze.error" },
      { { kind = "rate_limit" }, 'there is no kind "rate_limit"', 'did you mean "rate_limited"?' },
      { { kind = "Timeout" }, 'there is no kind "Timeout"', 'did you mean "timeout"?' },
      { { kind = "auth\0" }, 'there is no kind "auth\\x00"', 'did you mean "auth"?' },
      { { kind = "odd" }, 'there is no kind "odd"', "cancelled, busy and ledger" },
      { { kind = "0f1e2d3c-4b5a-6978-8796" }, "no kind (23 characters; not shown, it may be a key)", "busy" },
      { { kind = 5 }, "field kind must be a string, not the number 5" },
      { { kind = "auth", status = "401" }, 'field status must be an integer, not the string "401"' },
      { { kind = "auth", maybe_applied = 1 }, "field maybe_applied must be a boolean, not the number 1" },
      { { kind = "auth", rate_limit = 1 }, "field rate_limit must be a table, not the number 1" },
      { { kind = "auth", message = {} }, "field message must be a string, not a table" },
      { { kind = "auth", attempts = 1.5 }, "field attempts must be an integer, not the number 1.5" },
      { { kind = "auth", page = "3" }, 'field page must be an integer, not the string "3"' },
      { { kind = "auth", page = 1 / 0 }, "field page must be an integer, not the number inf" },
      { "network", 'takes a table of fields, not the string "network"' }, { nil, "takes a table of fields, not" },
    }
    for i = 1, 21 do
      local failure = check(caught(pcall(braze.error, rows[i][1])))
      assert.equal("usage", failure.kind)
      assert.matches(rows[i][2], failure.message, 1, true)
      if rows[i][3] then assert.matches(rows[i][3], failure.hint, 1, true) end
    end
  end)

  it("takes every field that the page about errors lists, and the page lists every one", function()
    local documented, file = {}, assert(io.open "docs/errors.md")
    local rows = file:read "*a":match "\n## Fields\n(.-)\n\n%u"
    file:close()
    for cell in rows:gmatch "\n| (`[^|]*) |" do
      for name in cell:gmatch "`([%w_]+)`" do documented[name] = errors.field_types[name] end
    end
    assert.same(errors.field_types, documented)
    local values = { string = "x", boolean = true, number = 0.5, integer = 5, table = {} }
    for name, kind in pairs(documented) do
      local fields = { kind = "auth" }
      fields[name] = name == "kind" and "rejected" or values[kind]
      assert.equal(fields[name], braze.error(fields)[name], name)
    end
  end)

  it("takes every field of an error", function()
    local all = {
      kind = "rejected", message = "m", hint = "h", where = "w", maybe_applied = true, attempts = 1, elapsed = 0.5,
      rate_limit = { limit = 5 }, status = 400, retry_at = 7, errors = { "e" }, body = "b", request_id = "r",
      operation = "create_send_id", curl_code = 7, curl_message = "c", page = 3,
    }
    local copy = {}
    for name, value in pairs(braze.error(all)) do copy[name] = value end
    assert.same(all, copy)
    assert.equal("w braze: rejected (400): m; h", tostring(braze.error(all)))
  end)

  it("knows its operation, once that is known", function()
    assert.is_nil(caught(pcall(braze.new, 5)).operation)
    assert.is_nil(caught(pcall(client.start, client, "nothing")).operation)
    for _, failure in ipairs {
      caught(pcall(client.create_send_id, client, {})), caught(pcall(client.create_send_id, client, 5)),
      caught(pcall(client.create_send_id, client, { campaign = "x" })),
      caught(pcall(client.create_send_id, client, { campaign_id = "x", send_id = "\n" })),
      caught(pcall(client.create_send_id, client, { campaign_id = "x" }, { timeout = 0 })),
      caught(pcall(client.start, client, "create_send_id", { campaign_id = 5 })),
      caught(pcall(client.start, client, "create_send_id", { campaign_id = "x" }, { retries = 99 })),
    } do
      assert.equal("create_send_id", check(failure).operation)
    end
  end)

  it("says what a campaign_id is, whatever is wrong with it", function()
    for _, params in ipairs { {}, { campaign_id = "" }, { campaign_id = 5 }, { campaign_id = true } } do
      local failure = check(caught(pcall(client.create_send_id, client, params)))
      assert.matches("it is the Campaign API Identifier, at the foot of the campaign's page", failure.hint, 1, true)
    end
  end)

  it("says what is wrong with a send_id, and what one is", function()
    for send_id, wrong in pairs {
      ["spring\n"] = '"spring\\n" holds a line feed, at byte 7 of 7', [" x "] = '" x " begins with a space',
      ["x "] = '"x " ends with a space', ["a\0b"] = '"a\\x00b" holds a NUL, at byte 2 of 3',
      ["\195\164"] = '"\195\164" holds a character that is not ASCII, at byte 1 of 2',
      ["a\127"] = '"a\\x7F" holds a control character, at byte 2 of 2',
      [("y"):rep(65)] = '"' .. ("y"):rep(64) .. '..." has 65 characters: at most 64 are taken',
    } do
      for _, start in ipairs { false, true } do
        local failure
        if start then
          failure = caught(pcall(client.start, client, "create_send_id", { campaign_id = "x", send_id = send_id }))
        else
          failure = caught(pcall(client.create_send_id, client, { campaign_id = "x", send_id = send_id }))
        end
        assert.equal("send_id " .. wrong, check(failure).message)
        assert.matches("1 to 64 printable ASCII characters, with no space at either end", failure.hint, 1, true)
      end
    end
  end)

  it("is raised for a dot where a colon belongs, and after close", function()
    local closed = braze.new { api_key = key, endpoint = "US-01" }
    closed:close()
    local failures = {
      { caught(pcall(closed.create_send_id, closed, { campaign_id = "x" })), "closed" },
      { caught(pcall(client.create_send_id, { campaign_id = "x" })), "client:create_send_id" },
      { caught(pcall(client.create_send_id)), "client:create_send_id" },
      { caught(pcall(client.create_send_id, io.stdout)), "client:create_send_id" },
      { caught(pcall(client.close)), "client:close" },
    }
    for _, row in ipairs(failures) do
      assert.equal("usage", check(row[1]).kind)
      assert.matches(row[2], tostring(row[1]))
    end
  end)
end)
