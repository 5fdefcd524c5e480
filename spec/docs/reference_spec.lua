-- The annotations and the loaded module name the same things, in both directions; every example runs; the reference
-- that is made from both has a place for each of them.

local annotations = dofile "tools/annotations.lua"
local braze = require "braze"
local child = require "spec.support.child"
local standin = require "spec.support.standin"

local read = annotations.read("src/braze/meta.lua", "src/braze/meta_operations.lua", "src/braze/meta_safe.lua",
  "src/braze/meta_ledger.lua", "src/braze/meta_fake.lua")

local function read_text(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- The keys, as keys to true.
local function keys(...)
  local found = {}
  for _, list in ipairs { ... } do
    for name in pairs(list) do found[name] = true end
  end
  return found
end

local function members(class)
  return keys(annotations.members(read, class))
end

-- The names that an error lists where one is unknown: "a call takes timeout, retries and query".
local function listed(...)
  local good, err = pcall(...)
  assert.is_false(good)
  assert.equal("usage", err.kind)
  local names = {}
  local list = err.hint:match " takes (.*)$" or err.message:match " takes (.*)$" or err.hint:match " are (.*)$"
  for name in list:gsub(" and ", ", "):gmatch "[^,%s]+" do names[name] = true end
  return names
end

describe("the annotations have what the module has, and nothing else:", function()
  local service = standin.start()
  local client, safe_client, unknown = nil, nil, { an_unknown_name_that_is_near_to_none = 1 }

  setup(function()
    client = braze.new { api_key = service.key, endpoint = service.http }
    safe_client = braze.safe.new { api_key = service.key, endpoint = service.http }
  end)
  teardown(function()
    client:close()
    safe_client:close()
  end)

  local function methods(object)
    return keys(getmetatable(object).__index)
  end

  it("its functions and values", function()
    assert.same(keys(braze), members "braze")
    assert.same(keys(braze.safe), members "braze.safe")
  end)

  it("the methods of a client and of a request", function()
    assert.same(methods(client), members "braze.client")
    assert.same(methods(safe_client), members "braze.safe.client")
    local request = client:start("create_send_id", { campaign_id = "campaign_identifier" })
    local safe_request = safe_client:start("create_send_id", { campaign_id = "campaign_identifier" })
    assert.same(methods(request), members "braze.request")
    assert.same(methods(safe_request), members "braze.safe.request")
  end)

  -- In a process of its own: copas wants to be loaded before luasocket.
  local ask_host = [[
    package.path = package.path .. ";/usr/share/lua/5.1/?.lua" -- Debian has copas for Lua 5.1 alone
    local found, host = pcall(require, "braze.NAME")
    if not found then return print "missing" end
    local function names(list)
      local text = ""
      for name in pairs(list) do text = text .. name .. " " end
      print(text)
    end
    local client = host.new { api_key = "braze-standin-key", endpoint = "http://127.0.0.1:9" }
    names(host)
    names(host.safe)
    names(getmetatable(client).__index)
    client:close()
  ]]

  it("the methods of a ledger", function()
    local ledger, safe_ledger = braze.ledger("no-such-file", "shop"), braze.safe.ledger("no-such-file", "shop")
    assert.same(methods(ledger), members "braze.ledger")
    assert.same(methods(safe_ledger), members "braze.safe.ledger")
    ledger:close()
    safe_ledger:close()
  end)

  for _, name in ipairs { "luv", "cqueues", "copas" } do
    it("the module for " .. name, function()
      local output, status = child.run((ask_host:gsub("NAME", name)))
      assert.equal("0", status, output)
      if output == "missing\n" then return pending(name .. " is not installed for this Lua") end
      local lists = {}
      for line in output:gmatch "[^\n]+" do
        lists[#lists + 1] = {}
        for word in line:gmatch "%f[%w_][%w_]+" do
          if word:sub(1, 1) ~= "_" or word == "_VERSION" then lists[#lists][word] = true end
        end
      end
      assert.same({ members "braze.yielding", members "braze.yielding.safe", members "braze.yielding.client" }, lists)
    end)
  end

  it("the options", function()
    assert.same(listed(braze.new, unknown), members "braze.options")
    local campaign = { campaign_id = "campaign_identifier" }
    assert.same(listed(client.create_send_id, client, campaign, unknown), members "braze.call_options")
    assert.same(listed(client.start, client, "create_send_id", campaign, unknown), members "braze.start_options")
    assert.same(listed(client.each, client, "list_campaigns", {}, unknown), members "braze.each_options")
  end)

  it("the operations and their parameters", function()
    for name, row in pairs(braze.operations) do
      local names = {}
      for _, field in ipairs(row.parameters) do names[field.name] = true end
      assert.same(names, members("braze." .. name .. ".params"))
    end
    for _, alias in ipairs(read.aliases) do
      if alias.name == "braze.operation_name" then
        local names = {}
        for _, name in ipairs(alias.values) do names[name] = true end
        assert.same(keys(braze.operations), names)
      end
    end
  end)

  it("what braze.operations consists of", function()
    local rows, fields = {}, {}
    for _, row in pairs(braze.operations) do
      for name in pairs(row) do rows[name] = true end
      for _, field in ipairs(row.parameters) do
        for name in pairs(field) do fields[name] = true end
      end
    end
    assert.same(rows, members "braze.operation")
    assert.same(fields, members "braze.parameter")
  end)

  it("the fields of errors, and their kinds", function()
    assert.same(listed(braze.error, unknown), members "braze.error.fields")
    assert.same(members "braze.error.fields", members "braze.error")
    for _, alias in ipairs(read.aliases) do
      if alias.name == "braze.kind" then
        local kinds = {}
        for _, kind in ipairs(alias.values) do kinds[kind] = true end
        assert.same(listed(braze.error, { kind = "an unknown kind that is near to none" }), kinds)
        for kind in pairs(kinds) do assert.is_true(#alias.meanings[kind] > 0, kind) end
      end
    end
  end)

  it("the fields of results", function()
    local results = {
      ["braze.create_send_id.result"] = client:create_send_id { campaign_id = "campaign_identifier" },
      ["braze.campaigns.result"] = client:list_campaigns {},
      ["braze.scheduled_broadcasts.result"] = client:list_scheduled_broadcasts { end_time = "2999-03-01T09:00:00Z" },
    }
    for class, result in pairs(results) do
      local annotated = members(class)
      for name in pairs(result) do assert.is_true(annotated[name], class .. " " .. name) end
      for name in pairs(result.rate_limit) do assert.is_true(members "braze.rate_limit"[name]) end
    end
  end)
end)

describe("the example of", function()
  local service = standin.start()

  -- All that has an example: its name, its code.
  local function examples()
    local found = {}
    local function add(name, member)
      local _, example = annotations.parts(member.text)
      if example then found[#found + 1] = { name = name, code = example } end
    end
    for _, class in ipairs(read.classes) do
      add(class.name, class)
      for _, member in ipairs(class.fields) do add(class.name .. "." .. member.name, member) end
      for _, member in ipairs(class.methods) do add(class.name .. ":" .. member.name, member) end
    end
    return found
  end

  -- What an example takes for granted.
  local prelude = [[
    local braze = require "braze"
    local key = os.getenv "BRAZE_API_KEY"
    local client = braze.new()
    local request = client:start("create_send_id", { campaign_id = "campaign_identifier" })
    local made = braze.schedule_messages { schedule = { time = "2999-03-01T09:00:00Z" }, external_user_ids = { "u" },
      messages = { email = { app_id = "a", subject = "s", body = "b", message_variation_id = "v" } } }
    local scheduled = braze.schedule_campaign { campaign_id = "campaign_identifier",
      recipients = { { external_user_id = "u" } }, schedule = { time = "2999-03-01T09:00:00Z" } }
    braze.create_send_id { campaign_id = "campaign_identifier", send_id = "spring-sale" }
    local path = os.tmpname()
    os.remove(path)
    local ledger = braze.ledger(path, "shop")
    do
  ]]

  -- And one of the fake.
  local fakes = [[
    local fake = require "braze.fake"
    local client = fake.new()
    client:expect("create_send_id"):times(9)
    client:create_send_id { campaign_id = "any" }
    for _ = 1, 8 do client:start("create_send_id", { campaign_id = "any" }) end
  ]]

  for _, example in ipairs(examples()) do
    it(example.name .. " runs", function()
      if example.code:find "require%(\"cqueues\"%)" and not pcall(require, "cqueues") then
        return pending "cqueues is not installed for this Lua"
      end
      service.reset()
      local more = example.name:find "^braze%.fake" and fakes or ""
      local text = prelude .. more .. "\n" .. example.code .. "\nend\nledger:close() "
        .. 'for _, ending in ipairs { "", "-wal", "-shm" } do os.remove(path .. ending) end'
      local output, status = child.run(text, { BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http })
      assert.equal("0", status, output)
    end)
  end

  it("each function is there", function()
    local function check(class, own)
      for _, list in ipairs { own.methods, own.fields } do
        for _, member in ipairs(list) do
          local is_function = not member.type or member.type:find "^fun%("
          -- As a method an operation has the example of the function.
          if is_function and not (class == "braze.methods" and braze.operations[member.name])
            and not (class == "braze.any_client" and member.name == "create_send_id") then
            assert.is_string((select(2, annotations.parts(member.text))), class .. " " .. member.name)
          end
        end
      end
    end
    for _, class in ipairs {
      "braze", "braze.functions", "braze.methods", "braze.any_client", "braze.client", "braze.request", "braze.ledger",
    } do
      check(class, read.by_name[class])
    end
  end)
end)

describe("docs/reference.html", function()
  local page = read_text "docs/reference.html"

  local function attributes(name)
    local found = {}
    for value in page:gmatch(name .. '="([^"]*)"') do found[#found + 1] = value end
    return found
  end

  local ids = {}
  for _, id in ipairs(attributes " id") do ids[id] = (ids[id] or 0) + 1 end

  it("has each anchor once, and each link inside it leads to one", function()
    for id, count in pairs(ids) do assert.equal(1, count, id) end
    local count = 0
    for _, address in ipairs(attributes "href") do
      local id = address:match "^#(.*)$"
      if id then
        count = count + 1
        assert.is_truthy(ids[id], address)
      else
        assert.matches("^https://www%.braze%.com/docs/", address)
      end
    end
    assert.is_true(count > 100)
  end)

  it("needs no script and nothing from elsewhere", function()
    for _, word in ipairs { "<script", " src=", "@import", "url(", "<link" } do
      assert.not_matches(word, page, 1, true)
    end
  end)

  it("closes every element that it opens, in order", function()
    local open = {}
    for closing, name in page:gsub("<style>.-</style>", ""):gmatch "<(/?)(%a%w*)[^>]*>" do
      if name ~= "meta" and name ~= "DOCTYPE" then
        if closing == "" then
          open[#open + 1] = name
        else
          assert.equal(name, table.remove(open))
        end
      end
    end
    assert.same({}, open)
  end)

  it("has a heading for each function, operation, option, field and kind", function()
    for name in pairs(members "braze") do
      local id = name == "safe" and "fields.braze.safe" or "braze." .. name
      assert.is_truthy(ids[id], id)
    end
    for name in pairs(members "braze.client") do
      if not braze.operations[name] then assert.is_truthy(ids["client:" .. name], name) end
    end
    for name in pairs(members "braze.request") do assert.is_truthy(ids["request:" .. name], name) end
    for name in pairs(members "braze.ledger") do assert.is_truthy(ids["ledger:" .. name], name) end
    for _, class in ipairs { "braze.options", "braze.call_options", "braze.result", "braze.error", "braze.kind" } do
      assert.is_truthy(ids["fields." .. class], class)
    end
    for _, class in ipairs { "braze.options", "braze.error", "braze.result" } do
      for name in pairs(members(class)) do assert.matches("<dt><code>" .. name .. "</code>", page, 1, true) end
    end
    for name, row in pairs(braze.operations) do
      local part = page:match('<h3 id="braze%.' .. name .. '">.-<h[23] ') or ""
      assert.matches(("<code>%s %s</code>"):format(row.method, row.path), part, 1, true)
      assert.matches("<pre>", part, 1, true)
      for _, field in ipairs(row.parameters) do
        assert.matches("<dt><code>" .. field.name .. "</code>", part, 1, true)
      end
    end
  end)

  it("has a place for each class of the annotations", function()
    local aliases = {
      ["braze"] = true, ["braze.functions"] = true, ["braze.any_client"] = true, ["braze.methods"] = true,
      ["braze.client"] = true, ["braze.request"] = true, ["braze.ledger"] = true, ["braze.fake"] = true,
      ["braze.fake.client"] = true, ["braze.fake.expectation"] = true,
    }
    for _, class in ipairs(read.classes) do
      local is_elsewhere = aliases[class.name] or class.name:find "%.params$"
      if not is_elsewhere then assert.is_truthy(ids["fields." .. class.name], class.name) end
    end
  end)

  -- The pictures stay in build/reference, for people to look at.
  for _, shape in ipairs { { "phone", 390, 844 }, { "desktop", 1280, 900 } } do
    it("can be read on a " .. shape[1], function()
      local where = io.popen "command -v chromium"
      local browser = where:read "*l"
      where:close()
      if not browser then return pending "chromium is not installed" end
      local picture = ("build/reference/%s.png"):format(shape[1])
      os.remove(picture)
      os.execute "mkdir -p build/reference"
      os.execute(("timeout 60 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=%d,%d "
        .. "--screenshot=%s file://$PWD/docs/reference.html >/dev/null 2>&1"):format(shape[2], shape[3], picture))
      local bytes = read_text(picture)
      assert.equal("\137PNG", bytes:sub(1, 4))
      local function number(at)
        local a, b, c, d = bytes:byte(at, at + 3)
        return ((a * 256 + b) * 256 + c) * 256 + d
      end
      assert.same({ shape[2], shape[3] }, { number(17), number(21) })
      assert.is_true(#bytes > 20000) -- an empty page has a tenth of this
    end)
  end
end)
