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
    local at, failures, here = "spec/error_object_spec.lua:%d:", {}, nil
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
    for _, value in ipairs { { { kind = "odd" } }, { { kind = 5 } }, { "network" }, { nil } } do
      assert.equal("usage", check(caught(pcall(braze.error, value[1]))).kind)
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
