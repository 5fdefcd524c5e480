-- An operation is one row: a dozen rows that Braze does not have, as odd as rows may be, are called in each style and
-- from the hosts' modules. Nothing but the row (spec/support/strange_operations.c) knows of them.

local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"

local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local answer = scripted_peer.answer

-- Name, parameters as Lua, what leaves, the body, an answer that is a success, and one that is none (where a row asks
-- for something).
local rows = {
  { "strange_nothing", "{}", "POST /strange/nothing", "{}", "{}" },
  { "strange_read", [[{ text = "a b", number = 3, flag = false }]],
    "GET /strange/read?text=a%20b&number=3&flag=false", nil, '{"data":{}}', '{"data":1}' },
  { "strange_read_without_fields", "{}", "GET /strange/both", nil, "{}" },
  { "strange_write_at_same_path", [[{ once = "x" }]], "POST /strange/both", '{"once":"x"}', "{}" },
  { "strange_path", [[{ first = "a/b", second = "c d" }]], "GET /strange/a%2Fb/and/c%20d", nil, "{}" },
  { "strange_path_alone", [[{ first = "a", second = "b" }]], "DELETE /a/b", nil, "{}" },
  { "strange_put", [[{ id = "7", mode = "m", thing = { a = 1 }, list = {}, number = 9007199254740991 }]],
    "PUT /strange/put/7?mode=m",
    '{"thing":{"a":1},"list":[],"number":9007199254740991}', "{}" },
  { "strange_patch", [[{ id = "7", thing = { a = "x" } }]], "PATCH /strange/patch/7", '{"thing":{"a":"x"}}',
    '{"message":"success"}', '{"message":"well"}' },
  { "strange_delete", [[{ id = "7", thing = { a = "x" } }]], "DELETE /strange/delete/7", '{"thing":{"a":"x"}}',
    "{}" },
  { "strange_post", [[{ id = "7", thing = { a = "x" }, list = { 1, 2 } }]], "POST /strange/post/7",
    '{"thing":{"a":"x"},"list":[1,2]}', '{"list":[]}', '{"list":"no"}' },
  { "strange_key", [[{ once = "x" }]], "POST /strange/key", '{"once":"x"}', '{"text":"t"}', '{"text":""}' },
  { "strange_pages", [[{ number_of_page = 4 }]],
    "GET /strange/pages?number_of_page=4", nil, '{"things":[]}', '{"things":5}' },
}

describe("an operation that is a row and nothing else", function()
  local peer = scripted_peer.start()
  teardown(function() peer:stop() end)

  -- Runs a program with the strange module; its answers are text.
  local function run(text, body)
    peer:reset()
    peer:default { { read = "request" }, { write = text }, { again = true } }
    local output, status = child.run(([[
      package.cpath = %q .. "/strange/?.so;" .. package.cpath
      local braze = require "braze"
      local client = braze.new { api_key = "braze-key-0123456789", endpoint = %q, retries = 0, timeout = 20 }
      local function show(result)
        if type(result) == "string" then return print(result) end
        print(result and result.kind or result and result.status)
      end
      %s
    ]]):format(build, peer.url, body))
    assert.equal("0", status, output)
    return output
  end

  local function received()
    local all = {}
    for _, connection in ipairs(peer:log()) do
      for line in connection.received:gmatch "%u+ [^\r\n]+ HTTP/1%.1" do all[#all + 1] = line end
    end
    return all
  end

  for _, row in ipairs(rows) do
    local name, parameters, line, body, good, bad = row[1], row[2], row[3], row[4], row[5], row[6]

    it(name .. " is called in each style", function()
      local output = run(answer(200, nil, good), ([[
        assert(braze.operations[%q].path)
        show(client[%q](client, %s))
        show(client:call(%q, %s))
        show(braze.safe.new({ api_key = "braze-key-0123456789", endpoint = %q, retries = 0 })[%q] and "safe")
        local request = client:start(%q, %s)
        request:wait(20)
        show(request:result())
      ]]):format(name, name, parameters, name, parameters, peer.url, name, name, parameters))
      assert.equal("200\n200\nsafe\n200\n", output)
      local count = 0
      for _, connection in ipairs(peer:log()) do
        local text = connection.received
        for found in text:gmatch "%u+ /[^ ]* HTTP/1%.1" do
          assert.equal(line .. " HTTP/1.1", found)
          count = count + 1
        end
        local bodies = {}
        for one in text:gmatch "\r\n\r\n(%b{})" do bodies[#bodies + 1] = one end
        if not body then assert.same({}, bodies) end
        for _, one in ipairs(bodies) do assert.equal(body, one) end
      end
      assert.equal(3, count)
    end)

    it(name .. " is refused with the name of what is wrong", function()
      local output = run(answer(200, nil, good), ([[
        local ok, err = pcall(client[%q], client, { nonsense = 1 })
        print(err.kind, err.operation, err.message:find "nonsense" ~= nil)
      ]]):format(name))
      assert.equal("usage\t" .. name .. "\ttrue\n", output)
      assert.equal(0, #received())
    end)

    if bad then
      it(name .. " takes another answer for protocol", function()
        local output = run(answer(200, nil, bad), ([[
          local ok, err = pcall(client[%q], client, %s)
          print(ok, err.kind, err.status, err.operation)
        ]]):format(name, parameters))
        assert.equal("false\tprotocol\t200\t" .. name .. "\n", output)
      end)
    end
  end

  it("is called from a host's loop", function()
    for _, host in ipairs { "luv", "cqueues" } do
      local calls = {}
      for _, row in ipairs(rows) do
        if not row[6] then calls[#calls + 1] = ("show(client.%s(client, %s))"):format(row[1], row[2]) end
      end
      local output = run(answer(200, nil, "{}"), ([[
        local found, host = pcall(require, "braze.%s")
        if not found then return print "missing" end
        client:close()
        client = host.new { api_key = "braze-key-0123456789", endpoint = %q, retries = 0, timeout = 20 }
        local function all() %s end
        if "%s" == "luv" then
          coroutine.wrap(all)()
          require("luv").run()
        else
          assert(require("cqueues").new():wrap(all):loop())
        end
      ]]):format(host, peer.url, table.concat(calls, "\n"), host))
      if output ~= "missing\n" then assert.equal(("200\n"):rep(#calls), output) end
    end
  end)

  it("is repeated as its row says", function()
    local function tries(name, parameters)
      local output = run(answer(503, nil, "{}"), ([[
        client = braze.new { api_key = "braze-key-0123456789", endpoint = %q, retries = 1, timeout = 20 }
        local ok, err = pcall(client[%q], client, %s)
        print(err.attempts, err.maybe_applied)
      ]]):format(peer.url, name, parameters))
      return output
    end
    assert.equal("1\ttrue\n", tries("strange_nothing", "{}"))
    assert.equal("2\tfalse\n", tries("strange_read_without_fields", "{}"))
    assert.equal("2\ttrue\n", tries("strange_path_alone", [[{ first = "a", second = "b" }]]))
    assert.equal("1\ttrue\n", tries("strange_key", "{}"))
    assert.equal("2\ttrue\n", tries("strange_key", [[{ once = "x" }]]))
  end)

  it("walks through its pages by the fields that the row names", function()
    local pages = {
      { { read = "request" }, { write = answer(200, nil, '{"things":["a","b"]}') }, { read = "request" },
        { write = answer(200, nil, '{"things":["c"]}') }, { again = true } },
    }
    peer:reset()
    peer:default(pages[1])
    local output, status = child.run(([[
      package.cpath = %q .. "/strange/?.so;" .. package.cpath
      local client = require("braze").new { api_key = "braze-key-0123456789", endpoint = %q }
      for thing in client:each("strange_pages") do io.write(thing, " ") end
    ]]):format(build, peer.url))
    assert.equal("0", status, output)
    assert.equal("a b c ", output)
    assert.matches("GET /strange/pages%?number_of_page=1 ", peer:log()[1].received)
  end)
end)
