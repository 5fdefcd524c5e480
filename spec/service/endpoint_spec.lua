-- endpoint: the service as data, and the check of a value against its field's rule.

local endpoint = require("spec.support.test_build").core.endpoint

describe("endpoint.rows", function()
  local rows = endpoint.rows()

  it("has create_send_id, as Braze documents it", function()
    assert.same({
      name = "create_send_id",
      path = "/sends/id/create",
      permission = "sends.id.create",
      answer_field = "send_id",
      repeat_field = "send_id",
      fields = {
        { name = "campaign_id", required = true, ascii = false, max_length = 0 },
        { name = "send_id", required = false, ascii = true, max_length = 64 },
      },
    }, rows[1])
  end)

  it("holds rows that can be used", function()
    for _, row in ipairs(rows) do
      assert.matches("^[a-z][a-z_]+$", row.name)
      assert.matches("^/[a-z/_]*[a-z]$", row.path)
      assert.matches("^[a-z][a-z.]+$", row.permission)
      local names = {}
      for _, field in ipairs(row.fields) do
        assert.is_nil(names[field.name])
        names[field.name] = true
      end
      assert.is_true(#row.fields >= 1 and #row.fields <= 4)
      assert.is_true(row.repeat_field == nil or names[row.repeat_field])
      assert.equal(row.name, endpoint.find(row.name))
    end
  end)
end)

describe("endpoint.find", function()
  it("takes a whole name alone", function()
    assert.equal("create_send_id", endpoint.find "create_send_id")
    for _, name in ipairs { "", "create_send_i", "create_send_idd", "Create_send_id", "create_send_id\0", "send_id" } do
      assert.is_nil(endpoint.find(name), name)
    end
  end)
end)

describe("endpoint.field_check", function()
  local ascii, utf8, short = { ascii = true, max_length = 64 }, {}, { max_length = 4 }
  local rows = {
    { ascii, "", "empty" },
    { utf8, "", "empty" },
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
    { short, "abcd", "good" },
    { short, "abcde", "too long" },
    { short, "\195\164\195\164", "good" },
    { short, "\195\164\195\164\195\164", "too long" },
  }
  for number, row in ipairs(rows) do
    it(("row %d: %s"):format(number, row[3]), function()
      local fault, position = endpoint.field_check(row[1], row[2])
      assert.equal(row[3], fault)
      if row[4] then assert.equal(row[4], position) end
    end)
  end
end)
