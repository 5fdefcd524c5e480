-- operation: the service as data, and the check of a text against its field's rule; target: "METHOD /path" and queries;
-- link: the next page that a response names.

local core = require("spec.support.test_build").core
local operation, target, link = core.operation, core.target, core.link

describe("operation.rows", function()
  local rows = operation.rows()

  it("hold what the rest relies on", function()
    for _, row in ipairs(rows) do
      local names, in_path = {}, {}
      for name in row.path:gmatch "{([a-z_]+)}" do in_path[name] = true end
      assert.matches("^[a-z][a-z_]+$", row.name)
      assert.matches("^/[a-z0-9/_{}]*[a-z]$", row.path)
      assert.matches("^[a-z][a-z._]+$", row.permission)
      assert.is_true(#row.fields >= 1 and #row.fields <= 16, row.name)
      for _, field in ipairs(row.fields) do
        assert.is_nil(names[field.name], row.name .. "." .. field.name)
        names[field.name] = field
        if row.method == "GET" then assert.equal(1, field.place, row.name .. "." .. field.name) end
        assert.equal(in_path[field.name] or false, field.place == 2)
        if field.place == 2 then assert.is_true(field.required) end
        if field.required then assert.is_string(field.hint, row.name .. "." .. field.name) end
      end
      assert.equal(row.method == "GET", row.repeats == "reads", row.name)
      if row.repeats == "with key" then assert.is_table(names[row.key]) end
      if row.repeats == "with key" then assert.is_string(row.makes) end
      if row.repeats == "never" then assert.is_string(row.lost, row.name) end
      if row.page then assert.is_table(names[row.page]) end
      assert.is_true(row.max_response >= 1048576)
      assert.equal(row.name, operation.find(row.name))
      assert.equal(row.name, operation.match(row.method, (row.path:gsub("{[a-z_]+}", "0a-1"))))
    end
  end)

  it("send nothing a second time that has no key", function()
    local repeats = {}
    for _, row in ipairs(rows) do repeats[row.name] = row.repeats end
    assert.same({
      create_send_id = "with key", send_messages = "never", trigger_campaign = "never", schedule_messages = "never",
      update_scheduled_messages = "same state", delete_scheduled_messages = "same state", schedule_campaign = "never",
      update_scheduled_campaign = "same state", delete_scheduled_campaign = "same state", get_send_analytics = "reads",
      list_campaigns = "reads", get_campaign = "reads", list_scheduled_broadcasts = "reads",
      send_transactional = "with key",
    }, repeats)
  end)
end)

describe("operation.rows", function()
  local types = { [0] = "string", "integer", "boolean", "object", "list" }
  local places = { [0] = "", "?", "/" } -- in the body, in the query, in the path

  local function success_of(row)
    local words = {}
    if row.says_success then words[#words + 1] = "success" end
    if row.answer then words[#words + 1] = row.answer .. ":" .. types[row.answer_type] end
    if row.items then words[#words + 1] = "items=" .. row.items end
    if row.page then words[#words + 1] = ("page=%s/%d"):format(row.page, row.page_size) end
    return table.concat(words, " ")
  end

  local function fields_of(row)
    local words = {}
    for number, field in ipairs(row.fields) do
      local kind = field.is_send_id and "send_id" or types[field.type]
      words[number] = ("%s%s:%s%s%s%s"):format(field.name, field.required and "!" or "", kind,
        field.max > 0 and ("<=%d"):format(field.max) or "", field.shown and "*" or "", places[field.place])
    end
    return table.concat(words, " ")
  end

  -- What a success holds, the MiB that an answer may have, and the fields: "!" is required, "*" is shown in messages.
  it("are what the service documents", function()
    local expected = {
      { "create_send_id", "success send_id:string", 1,
        "campaign_id!:string* send_id:send_id*" },
      { "send_messages", "success", 1,
        "broadcast:boolean external_user_ids:list<=50 user_aliases:list<=50 segment_id:string "
          .. "audience:object campaign_id:string* send_id:send_id* override_frequency_capping:boolean "
          .. "recipient_subscription_state:string messages:object" },
      { "trigger_campaign", "success", 1,
        "campaign_id!:string* send_id:send_id* trigger_properties:object broadcast:boolean audience:object "
          .. "recipients:list<=50 attachments:list" },
      { "schedule_messages", "success schedule_id:string", 1,
        "broadcast:boolean external_user_ids:list<=50 user_aliases:list<=50 segment_id:string "
          .. "audience:object campaign_id:string* send_id:send_id* override_messaging_limits:boolean "
          .. "recipient_subscription_state:string schedule!:object messages:object" },
      { "update_scheduled_messages", "success", 1,
        "schedule_id!:string* schedule:object messages:object" },
      { "delete_scheduled_messages", "success", 1,
        "schedule_id!:string*" },
      { "schedule_campaign", "success schedule_id:string", 1,
        "campaign_id!:string* send_id:send_id* recipients:list<=50 audience:object broadcast:boolean "
          .. "trigger_properties:object schedule!:object" },
      { "update_scheduled_campaign", "success", 1,
        "campaign_id!:string* schedule_id!:string* schedule!:object" },
      { "delete_scheduled_campaign", "success", 1,
        "campaign_id!:string* schedule_id!:string*" },
      { "get_send_analytics", "success data:list items=data", 16,
        "campaign_id!:string*? send_id!:send_id*? length!:integer<=100? ending_at:string?" },
      { "list_campaigns", "success campaigns:list items=campaigns page=page/100", 16,
        "page:integer? include_archived:boolean? sort_direction:string? last_edit.time[gt]:string?" },
      { "get_campaign", "success", 16,
        "campaign_id!:string*? post_launch_draft_version:boolean? include_has_translatable_content:boolean?" },
      { "list_scheduled_broadcasts", "scheduled_broadcasts:list items=scheduled_broadcasts", 16,
        "end_time!:string?" },
      { "send_transactional", "dispatch_id:string", 1,
        "campaign_id!:string*/ external_send_id:string* trigger_properties:object recipient!:object" },
    }
    local rows = operation.rows()
    assert.equal(#expected, #rows)
    for number, row in ipairs(rows) do
      local name, success, mebibytes, fields = (table.unpack or unpack)(expected[number])
      assert.equal(name, row.name)
      assert.equal(success, success_of(row), name)
      assert.equal(mebibytes * 1048576, row.max_response, name)
      assert.equal(fields, fields_of(row), name)
    end
  end)

  it("know their fields by whole names alone", function()
    for _, row in ipairs(operation.rows()) do
      for number, field in ipairs(row.fields) do
        assert.equal(number - 1, operation.field(row.name, field.name))
        for _, name in ipairs { field.name .. "x", field.name:sub(1, -2), field.name .. "\0", "" } do
          assert.equal(-1, operation.field(row.name, name), name)
        end
      end
    end
  end)
end)

describe("operation.find", function()
  it("takes a whole name alone", function()
    assert.equal("create_send_id", operation.find "create_send_id")
    for _, name in ipairs { "", "create_send_i", "create_send_idd", "Create_send_id", "create_send_id\0", "send_id" } do
      assert.is_nil(operation.find(name), name)
    end
  end)
end)

describe("operation.match", function()
  it("takes a whole path, with any part where a field stands", function()
    assert.equal("send_transactional", operation.match("POST", "/transactional/v1/campaigns/a%2Fb/send"))
    assert.equal("send_messages", operation.match("POST", "/messages/send"))
    for _, path in ipairs {
      "/transactional/v1/campaigns//send", "/transactional/v1/campaigns/a/b/send", "/transactional/v1/campaigns/a",
      "/messages/send/", "/messages/sen", "/", "",
    } do
      assert.is_nil(operation.match("POST", path), path)
    end
    assert.is_nil(operation.match("GET", "/messages/send"))
  end)
end)

describe("target.read", function()
  it("takes a method and a path", function()
    for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE" } do
      assert.same({ method, "/a/b.c/..d/%41" }, { target.read(method .. " /a/b.c/..d/%41") })
    end
  end)

  for _, text in ipairs {
    "", " ", "GET", "GET ", "get /a", "HEAD /a", "GET  /a", "GET a", "GET //a", "GET /a//b", "GET /a?b=c", "GET /a#b",
    "GET /a b", "GET /a\n", "GET /\195\164", "GET /..", "GET /a/../b", "GET /a/.", "GET /%2e%2E/b", "GET /.%2e",
    "GET /a\\b", "GET https://b/a", "GET /a\0", "/a", "POST https://rest.iad-01.braze.com/a",
  } do
    it("refuses " .. ("%q"):format(text), function()
      local method, message, hint = target.read(text)
      assert.is_nil(method)
      assert.is_true(#message > 0 and #hint > 0)
    end)
  end
end)

describe("target.query", function()
  it("encodes names and values", function()
    assert.equal("/a?b=c", target.query("/a", "b", "c"))
    assert.equal("/a?b=c&last_edit.time%5Bgt%5D=2026-03-01T09%3A00%3A00%2B01%3A00",
      target.query("/a?b=c", "last_edit.time[gt]", "2026-03-01T09:00:00+01:00"))
    assert.equal("/a?%C3%A4=%00%20%26%3D~-._", target.query("/a", "\195\164", "\0 &=~-._"))
  end)

  it("decodes them", function()
    assert.equal("a b\0=%zz%4", target.query "a+b%00%3D%zz%4")
  end)
end)

describe("link.next", function()
  local rows = {
    { '</catalogs?cursor=a%3D>; rel="next"', "cursor=a%3D" },
    { "</catalogs?cursor=a>; rel=next", "cursor=a" },
    { '</a?x=1>; rel="prev", </a?x=3>; title="a, b"; rel="next"', "x=3" },
    { ' <https://Host:1/a?x=1> ; REL = "next"', "x=1" },
    { '<?x=1>; rel="next"', "x=1" },
    { '<items?x=1>; rel="next"', "x=1" },
    { "<../a:b?x=1>; rel=next", "x=1" },
    { "<?x=http://other/?y=1>; rel=next", "x=http://other/?y=1" },
    { "<a:b?x=1>; rel=next", nil },
    { "<mailto:next?x=1>; rel=next", nil },
    { '<//HOST:1/a?x=1>; rel="next"', "x=1" },
    { '<https://host:1?x=1>; rel="next"', "x=1" },
    { '<https://host:1#/a?x=1>; rel="next"', nil },
    { '</a?x=1#y?z>; rel="next"', "x=1" },
    { '</a?x=1>; rel="last next"', "x=1" },
    { '</a?x=1>; rel="nextish"', nil },
    { '</a?x=1>; rel="prev"; rel="next"', nil },
    { [[</a?x=1>; title="a \", <b>; rel=\"prev\""; rel="next"]], "x=1" },
    { '<https://other/a?x=1>; rel="next", </a?x=2>; rel="next"', "x=2" },
    { "</a?x=1>;;rel=next;", "x=1" },
    { "</a?x=1>; rel = ; rel=next", nil },
    { "<https://host/a?x=1>; rel=next", "x=1", "host" },
    { "<https://host:443/a?x=1>; rel=next", "x=1", "host" },
    { "<http://host:80/a?x=1>; rel=next", "x=1", "host" },
    { "<https://host:80/a?x=1>; rel=next", nil, "host" },
    { "<https://host:4430/a?x=1>; rel=next", nil, "host" },
    { "<https://[::1]:443/a?x=1>; rel=next", "x=1", "[::1]" },
    { "<https://host:1:443/a?x=1>; rel=next", nil },
    { '<https://host:1/a?x=1>;rel="next"', "x=1" },
    { '<https://other/a?x=1>; rel="next"', nil },
    { '<https://host:1.evil.example/a?x=1>; rel="next"', nil },
    { '<//other/a?x=1>; rel="next"', nil },
    { '</a>; rel="next"', nil },
    { '</a?>; rel="next"', nil },
    { "</a?x=1", nil },
    { "", nil },
    { "garbage", nil },
    { '</a?x=1>; rel="next', "x=1" },
    { '</a?x=1>; rel', nil },
  }
  for number, row in ipairs(rows) do
    it(("row %d: %s"):format(number, row[1]), function()
      assert.equal(row[2] or false, link.next(row[1], row[3] or "host:1") or false)
    end)
  end
end)

describe("operation.check", function()
  local ascii, utf8 = { send_id = true }, { required = true }
  local rows = {
    { ascii, "", "empty" },
    { utf8, "", "empty" },
    { {}, "", "good" },
    { ascii, "a", "good" },
    { ascii, ("a"):rep(64), "good" },
    { ascii, ("a"):rep(65), "too long" },
    { ascii, "a\195\164", "not printable", 2 },
    { ascii, "\255", "not printable", 1 },
    { ascii, ("a"):rep(63) .. "\128", "not printable", 64 },
    { ascii, ("a"):rep(70) .. "\128", "not printable", 71 },
    { ascii, "spring\n", "not printable", 7 },
    { ascii, "a\0b", "not printable", 2 },
    { ascii, "\31", "not printable", 1 },
    { ascii, "\127", "not printable", 1 },
    { ascii, " \n", "not printable", 2 },
    { ascii, " x ", "a space at an end", 1 },
    { ascii, "x ", "a space at an end", 2 },
    { ascii, " ", "a space at an end", 1 },
    { ascii, "a  b", "good" },
    { ascii, "!~", "good" },
    { utf8, " x\n\0 ", "good" },
    { utf8, "a\195\164\226\130\172", "good" },
    { utf8, "ab\255", "not UTF-8", 3 },
    { utf8, "\195\164\237\160\128", "not UTF-8", 3 },
    { utf8, ("a"):rep(100000), "good" },
  }
  for number, row in ipairs(rows) do
    it(("row %d: %s"):format(number, row[3]), function()
      local fault, position = operation.check(row[1], row[2])
      assert.equal(row[3], fault)
      if row[4] then assert.equal(row[4], position) end
    end)
  end
end)
