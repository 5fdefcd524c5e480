-- What the host does around the module: takes globals away, replaces lua-cjson, sets a locale, loads a second copy,
-- gives parameters of hundreds of megabytes.

local braze = require "braze"
local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"

local quote, output_of = child.quote, child.output_of
local read, again = { read = "request" }, { again = true }

describe("a host", function()
  local peer

  setup(function() peer = scripted_peer.start() end)
  teardown(function() peer:stop() end)
  before_each(function()
    peer:reset()
    local body = '{"message":"success","send_id":"mine","half":0.5,"list":[1.25]}'
    peer:default { read, { write = scripted_peer.answer(201, nil, body) }, again }
  end)

  local function new()
    return braze.new { api_key = "braze-key-0123456789", endpoint = peer.url, timeout = 20, retries = 0 }
  end

  -- What a program prints in a fresh interpreter. It has `call()`, which prints the result's "half", or the error.
  local function run(program, environment)
    local tools = ([[
      local braze = require "braze"
      local client
      local function call()
        client = client or braze.safe.new { api_key = "braze-key-0123456789", endpoint = %q, timeout = 20, retries = 0 }
        local result, failure = client:create_send_id { campaign_id = "campaign" }
        io.write(result and (result.half == 0.5 and result.list[1] == 1.25 and "good" or "wrong")
          or failure.kind .. ": " .. failure.message, " ")
      end
    ]]):format(peer.url)
    return output_of(("env %s %s -e %s 2>&1"):format(environment or "", quote(arg[-1]), quote(tools .. program)))
  end

  describe("that takes globals away before the first call", function()
    for _, program in ipairs {
      "require = nil package = nil",
      "for _, name in ipairs { 'require', 'package', 'string', 'table', 'math', 'os', 'debug', 'coroutine', 'pcall', "
        .. "'error', 'tostring', 'type', 'pairs', 'getmetatable', 'setmetatable' } do _G[name] = nil end",
      "function require(name) error('module ' .. name .. ' is not allowed', 0) end",
      "local function no(_, name) error('undeclared ' .. name, 2) end "
        .. "setmetatable(_G, { __index = no, __newindex = no })",
    } do
      it(program, function()
        assert.equal("good good ", run(program .. " call() call()"))
      end)
    end

    it("or forbids undeclared ones before it loads the module", function()
      assert.equal("good ", run("call()", "LUA_INIT=" .. quote
        "setmetatable(_G, { __index = function(_, name) error('undeclared ' .. name, 2) end })"))
    end)

    it("or loads the module where there is no package", function()
      assert.equal("table good ", output_of(("%s -e %s 2>&1"):format(quote(arg[-1]), quote(([[
        local kept = package
        package = nil
        local braze = require "braze"
        io.write(type(kept.preload["braze.core"] and braze), " ")
        local client = braze.new { api_key = "braze-key-0123456789", endpoint = %q }
        io.write(client:create_send_id({ campaign_id = "campaign" }).half == 0.5 and "good " or "wrong ")
      ]]):format(peer.url)))))
    end)
  end)

  describe("that replaces lua-cjson", function()
    it("with cjson.safe is served, and an answer that is no JSON is named", function()
      assert.equal("good ", run "package.loaded.cjson = require 'cjson.safe' call()")
      peer:reset()
      peer:default { read, { write = scripted_peer.answer(201, nil, "<html>") }, again }
      assert.matches("^protocol: .*not JSON", run "package.loaded.cjson = require 'cjson.safe' call()")
    end)

    it("with something else is told so before anything is sent", function()
      for _, replacement in ipairs {
        "{}", "'text'", "{ new = 5 }", "{ new = function() end }", "{ new = function() return {} end }",
        "{ new = function() return { encode = tostring, decode = function() return { 5 } end } end }",
        "{ new = function() return { encode = function() return 5 end, decode = function() return { 0.5 } end } end }",
      } do
        assert.matches("^usage: .*not lua%-cjson", run("package.loaded.cjson = " .. replacement .. " call()"))
      end
      assert.equal(0, #peer:log())
    end)

    it("after the first call changes nothing", function()
      assert.equal("good good ", run "call() package.loaded.cjson = {} call()")
    end)
  end)

  describe("that sets a locale", function()
    local folder

    setup(function()
      folder = os.tmpname()
      os.remove(folder)
      os.execute("mkdir " .. folder)
      for _, name in ipairs { "de_DE", "ps_AF" } do
        assert.equal("", output_of(("localedef -i %s -f UTF-8 %s/%s.UTF-8 2>&1"):format(name, folder, name)))
      end
    end)
    teardown(function() os.execute("rm -r " .. folder) end)

    local function run_there(program)
      return run(([[
        local function set(name) if not os.setlocale(name) then io.write("no locale ", name, " ") end end
        local comma, several = "de_DE.UTF-8", "ps_AF.UTF-8"
      ]]) .. program, "LC_ALL= LOCPATH=" .. folder)
    end

    it("with a decimal comma reads fractions, whenever it does so", function()
      assert.equal("good good good ", run_there "call() set(comma) call() set 'C' call()")
      assert.equal("good good good ", run_there "set(comma) call() set 'C' call() set(comma) call()")
    end)

    it("and makes an instance of lua-cjson in another one", function()
      assert.equal("good good ", run_there "call() set(comma) require 'cjson'.new() set 'C' call()")
    end)

    it("and waits for what was started before", function()
      assert.equal("good true true", run_there [[
        call()
        local request = client:start("create_send_id", { campaign_id = "campaign" })
        set(comma)
        io.write(tostring(request:wait(20)), " ")
        io.write(tostring(request:result().half == 0.5))
      ]])
    end)

    it("leaves the host's own instance and the locale as they are", function()
      assert.equal("good 0.5 de_DE.UTF-8", run_there [[
        local cjson = require "cjson"
        set(comma)
        local own = cjson.new()
        call()
        io.write(own.encode(0.5), " ", os.setlocale())
      ]])
    end)

    it("whose decimal point has several bytes is told that lua-cjson would end the process", function()
      local told = run_there "call() set(several) call() set 'C' call()"
      assert.matches("^good usage: lua%-cjson can't be used in a locale [^\n]* good $", told)
      assert.matches("writes one half as 0\217\1715 good $", told)
      told = run_there "set(several) call() set 'C' call()"
      assert.matches("^usage: lua%-cjson can't be used in a locale [^\n]* good $", told)
    end)
  end)

  it("that loads a second copy of the library has two that know nothing of each other", function()
    local copy = os.tmpname()
    os.execute(("cp %s/braze.so %s"):format(os.getenv "BRAZE_BUILD", copy))
    local output = run(([[
      local other = assert(package.loadlib(%q, "luaopen_braze"))()
      local ours = { api_key = "braze-key-0123456789", endpoint = %q, timeout = 20, retries = 0 }
      local one, two = braze.new(ours), other.new(ours)
      io.write(tostring(debug.getmetatable(one) ~= debug.getmetatable(two)), " ")
      local request = one:start("create_send_id", { campaign_id = "campaign" })
      two:start("create_send_id", { campaign_id = "campaign" })
      io.write(tostring(one:wait(20)), " ", tostring(two:wait(20)), " ", tostring(request:done()), " ")
      io.write(select(2, pcall(one.step, two)).kind, " ", select(2, pcall(two.step, one)).kind, " ")
      debug.getmetatable(two).__gc(one)
      debug.getmetatable(one).__gc(two)
      io.write(tostring(one):match "closed" or "open", " ", tostring(two):match "closed" or "open", " ")
      one, two, request = nil, nil, nil
      collectgarbage()
      collectgarbage()
      call()
    ]]):format(copy, peer.url))
    os.remove(copy)
    assert.equal("true true true true usage usage open open good ", output)
  end)

  describe("that gives more than the service takes", function()
    local limit = 4000000

    local function refuse(text, expected)
      local client = new()
      for _, start in ipairs { false, true } do
        local good, failure
        if start then
          good, failure = pcall(client.start, client, "create_send_id", { campaign_id = text })
        else
          good, failure = pcall(client.create_send_id, client, { campaign_id = text })
        end
        assert.is_false(good)
        assert.same({ "usage", false, 0 }, { failure.kind, failure.maybe_applied, failure.attempts })
        assert.equal(0, client:pending())
        assert.matches(expected, failure.message)
        assert.matches("4 MB", failure.hint)
      end
      assert.equal(0, #peer:log())
    end

    it("in one value is told so, with its size, before it is encoded", function()
      refuse(("x"):rep(limit + 1), "^campaign_id has 4000001 bytes")
      refuse(("\1"):rep(limit + 1), "^campaign_id has 4000001 bytes")
    end)

    it("once it is JSON is told so, with that size", function()
      refuse(("\1"):rep(limit), "^the request has at least 2400%d+ bytes as JSON")
      refuse(("x"):rep(limit - 1), "^the request has at least 40000%d%d bytes as JSON")
    end)

    it("in hundreds of megabytes is told so at once", function()
      -- lua-cjson computes six times the length in an int.
      refuse(("\1"):rep(360 * 1024 * 1024), "^campaign_id has 377487360 bytes")
    end)

    it("is served up to the limit", function()
      assert.equal(201, new():create_send_id({ campaign_id = ("x"):rep(limit - 40) }).status)
    end)
  end)
end)
