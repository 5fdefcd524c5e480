-- text: UTF-8 and ASCII measured, outside text made safe for one line, the nearest name found.

local text = require("spec.support.test_build").core.text

describe("text.utf8_length", function()
  local whole = {
    { "nothing", "" },
    { "ASCII", "campaign" },
    { "a NUL", "a\0b" },
    { "the first of two bytes, U+0080", "\194\128" },
    { "the last of two bytes, U+07FF", "\223\191" },
    { "the first of three bytes, U+0800", "\224\160\128" },
    { "the last before the surrogates, U+D7FF", "\237\159\191" },
    { "the first behind the surrogates, U+E000", "\238\128\128" },
    { "the last of three bytes, U+FFFF", "\239\191\191" },
    { "the first of four bytes, U+10000", "\240\144\128\128" },
    { "the last of all, U+10FFFF", "\244\143\191\191" },
    { "several", "\195\164b\226\130\172c\240\159\152\128" },
  }
  for _, row in ipairs(whole) do
    it("takes " .. row[1], function() assert.equal(#row[2], text.utf8_length(row[2])) end)
  end

  local broken = {
    { "a continuation alone", "\128" },
    { "the last continuation alone", "\191" },
    { "an overlong slash, C0", "\192\175" },
    { "an overlong of two bytes, C1", "\193\191" },
    { "an overlong of three bytes", "\224\159\191" },
    { "an overlong of four bytes", "\240\143\191\191" },
    { "the first surrogate, U+D800", "\237\160\128" },
    { "the last surrogate, U+DFFF", "\237\191\191" },
    { "beyond Unicode, U+110000", "\244\144\128\128" },
    { "a lead byte that never is, F5", "\245\128\128\128" },
    { "FE", "\254" },
    { "FF", "\255" },
    { "two bytes cut to one", "\195" },
    { "three bytes cut to two", "\226\130" },
    { "four bytes cut to three", "\240\159\152" },
    { "two bytes with an ASCII second", "\195a" },
    { "three bytes with an ASCII third", "\226\130a" },
    { "four bytes with an ASCII fourth", "\240\159\152a" },
    { "three bytes with a lead for the third", "\226\130\195" },
  }
  for _, row in ipairs(broken) do
    it("stops at " .. row[1], function()
      assert.equal(0, text.utf8_length(row[2]))
      assert.equal(2, text.utf8_length("ab" .. row[2] .. "cd"))
      assert.equal(3, text.utf8_length("\226\130\172" .. row[2]))
    end)
  end
end)

describe("text.ascii_length", function()
  it("counts up to the first byte of 128 or more", function()
    for byte = 0, 127 do assert.equal(3, text.ascii_length("a" .. string.char(byte) .. "b"), byte) end
    for byte = 128, 255 do assert.equal(1, text.ascii_length("a" .. string.char(byte) .. "b"), byte) end
    assert.equal(0, text.ascii_length "")
  end)
end)

describe("text.escape", function()
  local rows = {
    { "plain text", "campaign id: 12/3 \"quoted\" \\", "campaign id: 12/3 \"quoted\" \\" },
    { "line ends and tabs", "a\nb\rc\td", "a\\nb\\rc\\td" },
    { "a NUL", "a\0b", "a\\x00b" },
    { "a text that is shown backwards", "a\226\128\174b\226\128\168c", "a\\u202Eb\\u2028c" },
    { "marks of direction", "\226\129\166\226\129\169", "\\u2066\\u2069" },
    { "the marks before and behind the first", "\226\128\167\226\128\175", "\226\128\167\226\128\175" },
    { "the marks before and behind the second", "\226\129\165\226\129\170", "\226\129\165\226\129\170" },
    { "an escape sequence of a terminal", "\27[31mred", "\\x1B[31mred" },
    { "DEL", "\127", "\\x7F" },
    { "UTF-8", "\195\164 \226\130\172 \240\159\152\128", "\195\164 \226\130\172 \240\159\152\128" },
    { "the control characters behind ASCII", "\194\128\194\155\194\159", "\\xC2\\x80\\xC2\\x9B\\xC2\\x9F" },
    { "the first character behind those", "\194\160", "\194\160" },
    { "bytes that are not UTF-8", "\255a\192\175", "\\xFFa\\xC0\\xAF" },
    { "a cut sequence", "a\226\130", "a\\xE2\\x82" },
    { "nothing", "", "" },
  }
  for _, row in ipairs(rows) do
    it("handles " .. row[1], function() assert.equal(row[3], text.escape(row[2])) end)
  end

  it("leaves no control character of any byte", function()
    for byte = 0, 255 do
      assert.is_nil(text.escape(string.char(byte)):find "%c", byte)
    end
  end)

  it("shows where it cut", function()
    assert.equal("abc", text.escape("abc", 3))
    assert.equal("ab...", text.escape("abc", 2))
    assert.equal("...", text.escape("abc", 0))
    assert.equal("", text.escape("", 0))
  end)

  it("never cuts a character", function()
    local euro = "\226\130\172"
    for most = 0, 2 do assert.equal("...", text.escape(euro .. "b", most), most) end
    assert.equal(euro .. "...", text.escape(euro .. "b", 3))
    assert.equal(euro, text.escape(euro, 3))
  end)

  it("counts what it writes, not what it reads, and never cuts an escape", function()
    assert.equal("\\x01\\x02...", text.escape("\1\2\3", 11))
    assert.equal("\\x01\\x02\\x03", text.escape("\1\2\3", 12))
    assert.equal("...", text.escape("\194\128", 7))
  end)

  it("leaves no part of a character where there is no room for it", function()
    local euro = "\226\130\172"
    assert.equal("ab" .. euro, text.escape("ab" .. euro, 100, 5))
    assert.equal("ab..", text.escape("ab" .. euro, 100, 4))
    assert.equal("ab.", text.escape("ab" .. euro, 100, 3))
    assert.equal("ab", text.escape("ab" .. euro, 100, 2))
    assert.equal("a\\x01.", text.escape("a\1\1", 100, 6))
  end)
end)

describe("text.print", function()
  it("writes what fits with the NUL behind it, and cuts the rest", function()
    assert.equal("abcdefg", text.print("abcdefg", 8))
    assert.equal("abcdefg", text.print("abcdefgh", 8))
    assert.equal("", text.print("abcdefgh", 1))
  end)

  it("says what a code of errno means, cut in the same way", function()
    assert.equal("Permission denied", text.print_error(13, 64))
    assert.equal("Permission", text.print_error(13, 11))
    assert.matches("99999", text.print_error(99999, 64))
  end)
end)

describe("text.copy", function()
  it("copies all, or nothing", function()
    assert.same({ true, "abcdefg" }, { text.copy("abcdefg", 8) })
    assert.same({ false, "" }, { text.copy("abcdefgh", 8) })
    assert.same({ true, "" }, { text.copy("", 1) })
    assert.same({ false, "" }, { text.copy("a\0b", 8) })
  end)
end)

describe("text.same", function()
  it("ignores the case of ASCII letters, and nothing else", function()
    assert.is_true(text.same("Retry-AFTER", "retry-after"))
    assert.is_true(text.same("", ""))
    assert.is_false(text.same("retry-afte", "retry-after"))
    assert.is_false(text.same("retry-after ", "retry-after"))
    assert.is_false(text.same("retry-after\0", "retry-after"))
    assert.is_false(text.same("\195\132", "\195\164"))
    -- The neighbours of the letters, which a careless conversion would fold as well.
    for _, pair in ipairs { { "@", "`" }, { "[", "{" }, { "\\", "|" }, { "]", "}" }, { "^", "~" } } do
      assert.is_false(text.same(pair[1], pair[2]), pair[1])
    end
  end)
end)

describe("text.may_be_key", function()
  it("is true of nine characters without a space between them", function()
    for _, one in ipairs { "0f1e2d3c-4b5a", "123456789", "Bearer 123456789", "123456789\nx", "\195\1641234567" } do
      assert.is_true(text.may_be_key(one), one)
    end
    for _, one in ipairs { "", "5s", "12345678", "30 seconds", "12345678 12345678", "12345678\00012345678" } do
      assert.is_false(text.may_be_key(one), one)
    end
  end)
end)

describe("text.hex_value", function()
  it("knows the digits in both cases and nothing else", function()
    for byte = 1, 255 do
      local digit = string.char(byte)
      assert.equal(digit:match "^%x$" and tonumber(digit, 16) or -1, text.hex_value(digit), byte)
    end
  end)
end)

describe("text.nearest", function()
  local fields = { "campaign_id", "send_id" }
  local options = { "api_key", "endpoint", "timeout", "connect_timeout", "retries", "max_connections", "ca_file",
    "proxy" }
  local rows = {
    { "campaign_id", fields, "campaign_id" },
    { "campaign_Id", fields, "campaign_id" },
    { "CAMPAIGN_ID", fields, "campaign_id" },
    { "campaignid", fields, "campaign_id" },
    { "campain_id", fields, "campaign_id" },
    { "campain", fields, "campaign_id" },
    { "sendId", fields, "send_id" },
    { "sendid", fields, "send_id" },
    { "colour", fields, nil },
    { "message", fields, nil },
    { "", fields, nil },
    { ("x"):rep(64), fields, nil },
    { ("x"):rep(65), fields, nil },
    { ("campaign_id"):rep(6), fields, nil },
    { "campaign_id", {}, nil },
    { "time_out", options, "timeout" },
    { "conect_timeout", options, "connect_timeout" },
    { "apikey", options, "api_key" },
    { "key", options, "api_key" },
    { "ca_bundle", options, nil },
    { "retrys", options, "retries" },
    { "retry", options, "retries" },
    { "campaign", fields, "campaign_id" },
    { "send", fields, "send_id" },
    { "SEND", fields, "send_id" },
    { "_id", fields, nil },
    { "id", fields, nil },
    { "verify", options, nil },
    { "anything", { ("n"):rep(200) }, nil },
    { "max_retries", options, "retries" },
    { "timeout_ms", options, "timeout" },
    { "HTTP_PROXY", options, "proxy" },
    { "rest_endpoint", options, "endpoint" },
    { "my_connect_timeout", options, "connect_timeout" },
    { "my_connect_timeout", { "connect_timeout", "timeout" }, "connect_timeout" },
    { "longest_name_of_all", { "longest", "of_al" }, "longest" },
    { "connection_timeout", options, "connect_timeout" },
    { "time", options, nil },
  }
  for _, row in ipairs(rows) do
    it(("takes %q for %s"):format(row[1]:sub(1, 20), tostring(row[3])), function()
      assert.equal(row[3], text.nearest(row[1], row[2]))
    end)
  end

  it("takes neither of two that are as near, and the nearer of two", function()
    assert.is_nil(text.nearest("limit_c", { "limit_a", "limit_b" }))
    assert.is_nil(text.nearest("limit", { "limit_a", "limit_b" }))
    assert.equal("limit_b", text.nearest("limit_bb", { "limit_a", "limit_b" }))
    assert.equal("limit_c", text.nearest("limit_c", { "limit_a", "limit_b", "limit_c" }))
  end)
end)
