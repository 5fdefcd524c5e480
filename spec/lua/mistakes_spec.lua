-- Mistakes in names and values, as a new user makes them: the mistake itself is named, with its value and what to
-- write.

local braze = require "braze"
local child = require "spec.support.child"
local refusal = require "spec.support.refusal"

local canary = refusal.canary

local function new(changes)
  return braze.new(refusal.options(changes))
end

-- What a program printed in a fresh interpreter.
local function run(program)
  return (child.run(program))
end

describe("a mistake in the options of braze.new", function()
  it("is named before what follows from it", function()
    refusal(function() braze.new { apikey = canary, endpoint = "US-01" } end, "unknown option \"apikey\"",
      "did you mean \"api_key\"")
    refusal(function() braze.new { api_key = canary, url = "https://host" } end, "unknown option \"url\"",
      "did you mean \"endpoint\"")
    refusal(function() braze.new { api_key = "", endpoint = 5, timeout = "x", retrys = 1 } end, "\"retrys\"")
    refusal(function() braze.new { retrys = 1 } end, "did you mean \"retries\"")
  end)

  local misspelt = {
    apikey = "api_key", api_keys = "api_key", end_point = "endpoint", Timeout = "timeout", time_out = "timeout",
    conect_timeout = "connect_timeout", retrys = "retries", max_connection = "max_connections",
    cafile = "ca_file", proxi = "proxy",
  }
  for name, nearest in pairs(misspelt) do
    it(("is %s, not %s"):format(nearest, name), function()
      local hint = ("did you mean %q"):format(nearest)
      refusal(function() new { [name] = 1 } end, ("unknown option %q"):format(name), hint)
    end)
  end

  it("is one of a list where no name is near", function()
    refusal(function() new { colour = "red" } end, "unknown option \"colour\"", "api_key", "proxy")
    refusal(function() new { "US-01" } end, "option", "number")
    refusal(function() new { [("x"):rep(10000)] = 1 } end, "unknown option")
    refusal(function() new { ["timeout\0"] = 1 } end, "unknown option", "did you mean \"timeout\"")
  end)

  local other_names = {
    api_key = { "apikey", "key", "token", "rest_api_key", "API_KEY", "authorization" },
    endpoint = { "url", "host", "base_url", "baseUrl", "rest_endpoint", "instance", "cluster", "end_point" },
    ca_file = { "cafile", "ca", "cacert", "ca_path", "ca_bundle", "cert" },
    retries = { "retry", "max_retries", "tries", "attempts" },
    timeout = { "timeout_ms", "timeOut", "http_timeout", "deadline" },
    connect_timeout = { "connection_timeout", "connectTimeout" },
    max_connections = { "connections", "pool_size", "max_conns" },
    proxy = { "http_proxy", "https_proxy", "proxy_url" },
  }
  for name, others in pairs(other_names) do
    it("is another library's name for " .. name, function()
      for _, other in ipairs(others) do
        refusal(function() new { [other] = "x" } end, ("unknown option %q"):format(other),
          ("did you mean %q"):format(name))
      end
    end)
  end

  it("is asking not to verify", function()
    for _, name in ipairs { "verify", "verify_ssl", "ssl_verify", "insecure", "rejectUnauthorized", "VERIFYPEER" } do
      for _, value in ipairs { true, false } do
        refusal(function() new { [name] = value } end, ("unknown option %q"):format(name),
          "can't be turned off", "ca_file")
      end
    end
  end)

  it("is a name that only another function takes", function()
    refusal(function() new { on_done = print } end, "on_done is an option of start alone", "client:start")
    refusal(function() new { campaign_id = "x" } end, "it is a parameter of a call")
    assert.is_nil(tostring(refusal(function() new { colour = 1 } end)):find("on_done", 1, true))
    assert.is_nil(tostring(refusal(function() new { on_dne = 1 } end)):find("on_done", 1, true))
  end)

  it("is the same one on each run, where there are several", function()
    for _ = 1, 20 do
      refusal(function() new { zebra = 1, yak = 1, xerus = 1, [1] = 1, [print] = 1 } end, "unknown option \"xerus\"")
    end
  end)

  it("does not show a key in the wrong place", function()
    for _, key in ipairs { canary, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0" } do
      for _, options in ipairs {
        { [key] = 1 }, { [key] = 1, api_key = key, endpoint = "US-01" }, { apikey = key }, { timeout = key },
        { retries = key, api_key = "other-key-00", endpoint = "US-01" }, { api_key = key, endpoint = key },
        { api_key = key, endpoint = "US-01", ["x" .. key:sub(1, 12)] = 1 },
        { api_key = key .. "\n", endpoint = "US-01", [key:sub(1, 15)] = 1 }, key,
        { api_key = key, endpoint = "https://" .. key .. ".example" }, { api_key = key, endpoint = "https://" .. key },
        { api_key = key, endpoint = "https://rest." .. key:upper() .. ".example:5/x" },
      } do
        local text = tostring(refusal(function() braze.new(options) end))
        assert.is_nil(text:find(key:sub(1, 9), 1, true), text)
      end
    end
  end)

  it("is a value of the wrong type, which is shown with what to write", function()
    for _, row in ipairs {
      { "timeout", "5s", 'not the string "5s"; ', "without a unit: timeout = 5" },
      { "timeout", "30 seconds", '"30 seconds"' }, { "timeout", true, "not true, a boolean" },
      { "timeout", {}, "not a table" }, { "timeout", print, "not a function" },
      { "connect_timeout", "10", "connect_timeout = 5" }, { "retries", "two", '"two"', "retries = 2" },
      { "retries", true, "not true" }, { "max_connections", "many", '"many"', "max_connections = 16" },
      { "max_connections", 1e9, "is 1000000000" }, { "ca_file", false, "not false", "can't be turned off" },
      { "proxy", false, "not false", '"" for none' }, { "endpoint", 5, "the number 5", "US%-01" },
      { "api_key", {}, "not a table" },
    } do
      refusal(function() new { [row[1]] = row[2] } end, row[1] .. " ", row[3]:gsub("%p", "%%%0"), row[4])
    end
    refusal(function() braze.new(5) end, "not the number 5", "{timeout = 5}")
    refusal(function() braze.new "US-01" end, 'not the string "US%-01"', "{api_key = \"...\", endpoint = \"US%-01\"}")
  end)

  it("is a colon where a dot belongs", function()
    for _, module in ipairs { braze, braze.safe } do
      for name, arguments in pairs {
        new = { { api_key = canary } }, create_send_id = { { campaign_id = "x" } }, error = { { kind = "auth" } },
        is_error = { 5 },
      } do
        local good, first, second = pcall(module[name], module, arguments[1])
        local failure = good and second or first
        assert.equal("usage", failure.kind)
        assert.equal(name .. " was called on the module itself: \":\" stands where \".\" belongs", failure.message)
        assert.matches("write braze." .. name, failure.hint, 1, true)
      end
    end
    assert.is_true(braze.is_error(braze.error { kind = "auth" }, 5))
    assert.is_false(braze.is_error(braze))
  end)
end)

describe("a host of Braze's that is not known", function()
  local program = [[
    local braze = require "braze"
    local client = braze.new { api_key = "%s", endpoint = "https://%s", retries = 0 }
    local _, failure = pcall(client.create_send_id, client, { campaign_id = "x" }, { timeout = 0.001 })
    io.write(failure.kind, " ", failure.hint or "")
  ]]
  local unknown = "rest.unknown-99.braze.com"

  it("is named by the error of a call that did not reach it", function()
    assert.matches(unknown .. " is no REST endpoint that this version of braze knows",
      run(program:format(canary, unknown)), 1, true)
    assert.is_nil(run(program:format(canary, "rest.iad-01.braze.com")):find("this version", 1, true))
    assert.is_nil(run(program:format(canary, "rest.unknown.test")):find("this version", 1, true))
  end)

  local it_where_lua_warns = tonumber(_VERSION:match "%d%.%d") >= 5.4 and it or function() end
  it_where_lua_warns("is named by a warning when the client is made", function()
    local on = "warn '@on' " .. program
    assert.equal(1, (run(on:format(canary, unknown)):find(
      "Lua warning: braze: " .. unknown .. " is no REST endpoint that this version", 1, true)))
    assert.is_nil(run(on:format(canary, "rest.iad-01.braze.com")):find("warning", 1, true))
    assert.is_nil(run(program:format(canary, unknown)):find("warning", 1, true))
  end)
end)

describe("a mistake in a call", function()
  local client = braze.new { api_key = canary, endpoint = "http://127.0.0.1:9" }

  it("is named in the parameters' form, then in the options, then in the parameters", function()
    refusal(function() client:create_send_id("campaign", "send") end,
      "takes a table of parameters, not the string \"campaign\"")
    refusal(function() client:start("create_send_id", "campaign", { retrys = 1 }) end,
      "takes a table of parameters, not the string \"campaign\"")
    refusal(function() client:create_send_id({ campaign_id = 5 }, { retrys = 1 }) end, "unknown option \"retrys\"")
    refusal(function() client:create_send_id({ campain_id = "x", send_id = 5 }) end, "did you mean \"campaign_id\"")
    refusal(function() client:start("create_send_id", { campain_id = "x" }, { on_dne = print }) end, "\"on_done\"")
    refusal(function() client:start("create_send_id", { campaign_id = "x" }, print) end, "not a function",
      "{on_done = function%(err, result%)")
    refusal(function() client:start("create_send_id", { campaign_id = "x" }, { on_done = "x" }) end, "on_done", '"x"')
    refusal(function() braze.create_send_id(client, { campaign_id = "x" }) end, "not a userdata",
      "write client:create_send_id")
  end)

  it("is an option among the parameters, or another library's name", function()
    refusal(function() client:create_send_id { campaign_id = "x", timeout = 5 } end, "unknown parameter \"timeout\"",
      "second table")
    refusal(function() client:create_send_id { campaign_id = "x", api_key = canary } end, "\"api_key\"", "braze%.new")
    refusal(function() client:create_send_id { campaign_id = "x", on_done = print } end, "\"on_done\"", "start")
    refusal(function() client:create_send_id { id = "x" } end, "unknown parameter \"id\"", "campaign_id and send_id")
    for _, name in ipairs { "campaign", "campaignId", "campaignID", "campaign_identifier" } do
      refusal(function() client:create_send_id { [name] = "x" } end, "did you mean \"campaign_id\"")
    end
  end)

  it("is named before the default client wants an environment", function()
    for _, module in ipairs { "braze", "braze.safe" } do
      local output = run(([[
        local braze = require "%s"
        for _, arguments in ipairs {
          { { campaign_id = "x" }, { api_key = "%s" } }, { { campaign_id = "x" }, 5 }, { "x" }, { braze, {} },
        } do
          local good, first, second = pcall(braze.create_send_id, arguments[1], arguments[2])
          print((good and second or first).message)
        end
      ]]):format(module, canary))
      assert.equal("api_key is an option of a client, not of a call\noptions must be a table, not the number 5\n"
        .. "create_send_id takes a table of parameters, not the string \"x\"\n"
        .. "create_send_id was called on the module itself: \":\" stands where \".\" belongs\n", output)
    end
  end)
end)

describe("a mistake in the arguments of a method", function()
  local client = new {}
  local request = client:start("create_send_id", { campaign_id = "campaign" }, { timeout = 0.001 })
  local waits = { ["request:wait"] = { request.wait, request }, ["client:wait"] = { client.wait, client } }
  local shown = {
    { "5", 'not the string "5"' }, { -1, "not the number %-1" }, { true, "not true, a boolean" }, { {}, "not a table" },
    { 0 / 0, "not NaN, which is not a number" }, { canary, "it may be a key" },
  }
  teardown(function() client:close() end)

  for name, method in pairs(waits) do
    it("shows the value that " .. name .. " was given", function()
      for _, row in ipairs(shown) do
        refusal(function() method[1](method[2], row[1]) end, "wait takes a number of seconds that is not negative",
          row[2], "leave it out to wait")
      end
    end)
  end

  it("shows the value that step, start, each and braze.error were given", function()
    for _, row in ipairs(shown) do
      refusal(function() client:step(row[1]) end, "step takes a whole number that is not negative", row[2])
      if type(row[1]) ~= "string" then
        refusal(function() client:start(row[1]) end, "start takes the name of an operation", row[2])
        refusal(function() client:each(row[1]) end, "each takes the name of an operation", row[2])
      end
      if type(row[1]) ~= "table" then
        refusal(function() braze.error(row[1]) end, "braze.error takes a table of fields", row[2])
      end
    end
    refusal(function() client:step(1.5) end, "not the number 1%.5")
  end)
end)
