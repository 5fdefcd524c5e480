-- headers: lines of a response to numbers and dates. What is not exactly right is absent, never 0.

local headers = require("spec.support.test_build").core.headers

-- 2027-01-15T08:00:00Z
local epoch = 1800000000
local names = { limit = "x-ratelimit-limit", remaining = "x-ratelimit-remaining", reset = "x-ratelimit-reset" }

local function feed(...)
  return headers.feed({ "HTTP/1.1 201 Created\r\n", ... }, epoch)
end

describe("a rate-limit header", function()
  local good = {
    { "0", 0 }, { "1", 1 }, { "100", 100 }, { "007", 7 }, { "1800057600", 1800057600 },
    { "2147483648", 2147483648 }, { "4294967296", 4294967296 },
    { "9007199254740991", 9007199254740991 },
    { ("0"):rep(40) .. "9", 9 },
    { "5, 5", 5 }, { "5,5", 5 }, { "5 ,\t5 , 05", 5 },
    { " 5", 5 }, { "5 ", 5 }, { "\t 5 \t ", 5 },
  }
  local bad = {
    "", " ", "-1", "-0", "+5", "5.0", "5.", ".5", "5,0", "1_000", "1,000", "1 000", "0x10", "1e3", "1E3", "inf",
      "nan", "NaN",
    "9007199254740992", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
    "18446744073709551621", "1" .. ("0"):rep(40), ("9"):rep(1000), "5, 6", "5, 5, 6", "5,", ",5", "5,,5",
      ("5, "):rep(100) .. "5", "5;w=60", "5 5", "five", "5a", "a5", "\"5\"",
    "5\0", "\0", "5\0005", "\217\165", "\239\188\149", "5\194\160", "5\11", "null", "-", "%35",
  }
  for field, name in pairs(names) do
    it(field .. " is taken where it is right", function()
      for _, row in ipairs(good) do
        assert.same({ [field] = row[2] }, feed(name .. ":" .. row[1] .. "\r\n"), row[1])
      end
    end)

    it(field .. " is absent where it is not", function()
      for _, value in ipairs(bad) do
        assert.same({}, feed(name .. ": " .. value .. "\r\n"), value)
      end
    end)

    it(field .. " is taken in any case and with any line end", function()
      for _, line in ipairs {
        name .. ": 5", name .. ":5\n", name .. ":5\r\n", name:upper() .. ": 5\r\n",
          (name:gsub("^x", "X")) .. ":\t5\r\n",
      } do
        assert.same({ [field] = 5 }, feed(line), line)
      end
    end)

    it(field .. " may come twice if it says the same", function()
      local function twice(one, other)
        return feed(name .. ": " .. one, name .. ": " .. other)
      end
      assert.same({ [field] = 5 }, twice("5", "5"))
      assert.same({ [field] = 5 }, twice("5", "05"))
      assert.same({}, twice("5", "6"))
      assert.same({}, twice("5", ""))
      assert.same({}, twice("", "5"))
      assert.same({}, twice("-1", "5"))
      assert.same({}, twice("5", "-1"))
      assert.same({}, twice("0", "-1"))
      assert.same({}, twice("-1", "-1"))
      assert.same({}, feed(name .. ": 5", name .. ": 6", name .. ": 5"))
      assert.same({}, feed(name .. ": 5", name .. ": 6", name .. ": 6"))
      assert.same({}, feed(name .. ": -1", name .. ": -1", name .. ": 6"))
    end)
  end

  it("is not one that has another name", function()
    for _, line in ipairs {
      "x-ratelimit-limits: 5", "x-ratelimit-limi: 5", "x-ratelimit: 5", "ratelimit-limit: 5", "x-ratelimit-limit : 5",
      " x-ratelimit-limit: 5", "x-ratelimit-limit 5", "x_ratelimit_limit: 5", ": 5", "5", "x-ratelimit-limit\0: 5",
        ":",
      "a: x-ratelimit-limit: 5", "\255: 5",
    } do
      assert.same({}, feed(line), line)
    end
  end)

  it("stands beside the others", function()
    local lines = { "x-ratelimit-limit: 100", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1800057600" }
    assert.same({ limit = 100, remaining = 0, reset = 1800057600 }, feed(lines[1], lines[2], lines[3]))
    assert.same({ limit = 100, remaining = 0, reset = 1800057600 }, feed(lines[3], "x: y", lines[2], "z:", lines[1]))
    assert.same({ limit = 100, reset = 1800057600 }, feed(lines[1], "x-ratelimit-remaining: ", lines[3]))
  end)
end)

describe("Retry-After", function()
  -- What a date means, in seconds since 1970; nil where it is not a value of Retry-After.
  local rows = {
    { "0", epoch }, { "1", epoch + 1 }, { "120", epoch + 120 }, { "007", epoch + 7 },
    { "86400", epoch + 86400 }, { "315360000", epoch + 315360000 },
    -- Longer than anybody means, and never shorter than what was asked for.
    { "315360001", epoch + 315360001 }, { "9007199254740991", epoch + 9007199254740991.0 },
    { "9223372036854775808", epoch + 9007199254740991.0 }, { "1" .. ("0"):rep(40), epoch + 9007199254740991.0 },
    -- A part of a second counts as a whole one.
    { "1.5", epoch + 2 }, { "2.0", epoch + 2 }, { "2.000001", epoch + 3 }, { "0.25", epoch + 1 }, { "007.0",
      epoch + 7 },
    -- What a proxy has joined is one where it is the same.
    { "5, 5", epoch + 5 }, { "5,5 , 5", epoch + 5 }, { "2.5, 3", epoch + 3 }, { "5, 6" }, { "6, 5" }, { "5," },
      { ",5" }, { "5, soon" },
    { "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
    { "Sun, 06 Nov 1994 08:49:37 GMT, Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
    { "Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:38 GMT" }, { "Sun, 06 Nov 1994 08:49:37 GMT, 5" },
    { ("5, "):rep(100) .. "5" },
    -- What is written for GMT is the same.
    { "Sun, 06 Nov 1994 08:49:37 UTC", 784111777 }, { "Sunday, 06-Nov-94 08:49:37 UTC", 784111777 },
    { "-1" }, { "+1" }, { "1." }, { ".5" }, { "1.5.5" }, { "1e3" }, { "0x10" }, { "5 s" }, { "5s" }, { "soon" },
      { "inf" },
    -- RFC 9110's example in its three forms.
    { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
    { "Sunday, 06-Nov-94 08:49:37 GMT", 784111777 },
    { "Sun Nov  6 08:49:37 1994", 784111777 },
    { "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
    { "Thursday, 01-Jan-70 00:00:00 GMT", 3155760000 },
    { "Thu Jan  1 00:00:00 1970", 0 },
    { "Wed, 31 Dec 1969 23:59:59 GMT" }, { "Tue, 30 Dec 1969 00:00:00 GMT" }, { "Fri Jan  1 00:00:00 1960" },
    { "Tue, 19 Jan 2038 03:14:08 GMT", 2147483648 },
    { "Sun, 07 Feb 2106 06:28:16 GMT", 4294967296 },
    { "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
    { "Fri Dec 31 23:59:59 9999", 253402300799 },
    -- Leap days and what only looks like one.
    { "Tue, 29 Feb 2000 00:00:00 GMT", 951782400 },
    { "Wed, 01 Mar 2000 00:00:00 GMT", 951868800 },
    { "Thu, 29 Feb 2024 23:59:59 GMT", 1709251199 },
    { "Tue Feb 29 00:00:00 2028", 1835395200 },
    { "Tuesday, 29-Feb-28 00:00:00 GMT", 1835395200 },
    { "Sat, 29 Feb 2025 00:00:00 GMT" },
    { "Mon, 29 Feb 2100 00:00:00 GMT" },
    { "Sun, 28 Feb 2100 23:59:59 GMT", 4107542399 },
    { "Mon, 01 Mar 2100 00:00:00 GMT", 4107542400 },
    -- A leap second is a second; the next one is not.
    { "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
    { "Sat, 31 Dec 2016 23:59:61 GMT" },
    -- Every month has its length.
    { "Sun, 31 Jan 2027 00:00:00 GMT", 1801353600 },
    { "Sun, 32 Jan 2027 00:00:00 GMT" },
    { "Fri, 30 Apr 2027 00:00:00 GMT", 1809043200 },
    { "Sat, 31 Apr 2027 00:00:00 GMT" },
    { "Thu, 31 Jun 2027 00:00:00 GMT" }, { "Fri, 31 Sep 2027 00:00:00 GMT" }, { "Wed, 31 Nov 2027 00:00:00 GMT" },
    { "Sun, 00 Jan 2027 00:00:00 GMT" },
    { "Fri, 15 Jan 2027 24:00:00 GMT" }, { "Fri, 15 Jan 2027 23:60:00 GMT" },
    -- Two digits of a year: at most fifty years ahead, else of the century before.
    { "Friday, 15-Jan-27 08:00:00 GMT", epoch },
    { "Friday, 31-Dec-77 23:59:59 GMT", 3408220799 },
    { "Saturday, 31-Dec-78 23:59:59 GMT", 283996799 },
    { "Saturday, 31-Dec-99 23:59:59 GMT", 946684799 },
    { "Saturday, 01-Jan-00 00:00:00 GMT", 946684800 },
    -- Nearly a date.
    { "Sun, 06 Nov 1994 08:49:37 utc" }, { "Sun, 06 Nov 1994 08:49:37 gmt" }, { "Sun, 06 Nov 1994 08:49:37" },
    { "Sun, 06 Nov 1994 08:49:37 GMT+1" }, { "Sun, 06 Nov 1994 08:49:37 +0000" }, { "Sun, 6 Nov 1994 08:49:37 GMT" },
    { "Sun,  6 Nov 1994 08:49:37 GMT" }, { "Sun, 06 nov 1994 08:49:37 GMT" }, { "sun, 06 Nov 1994 08:49:37 GMT" },
    { "Son, 06 Nov 1994 08:49:37 GMT" }, { "Sun, 06 Nov 94 08:49:37 GMT" }, { "Sun 06 Nov 1994 08:49:37 GMT" },
    { "Sun, 06 Nov 1994 8:49:37 GMT" }, { "Sun, 06 Nov 1994 08:49 GMT" }, { "Sun, 06-Nov-1994 08:49:37 GMT" },
    { "Sun, 06-Nov-94 08:49:37 GMT" }, { "Sunday, 06 Nov 94 08:49:37 GMT" }, { "Sunday, 06-Nov-1994 08:49:37 GMT" },
    { "Sun Nov 6 08:49:37 1994" }, { "Sun Nov 06 08:49:37 94" }, { "Sun Nov  6 08:49:37 1994 GMT" },
    { "Sun, -6 Nov 1994 08:49:37 GMT" }, { "Sun, 06 Nov +994 08:49:37 GMT" }, { "Sun, 06 Nov 1994 08:49:37 GM" },
    { "Sun, 06 Nov 1994 08:49:37 GMT\0" }, { "2027-01-15T08:00:00Z" }, { "S" }, { "Sun, " }, { "Sunday" },
      { "Sun Nov" },
    { "Sun Nov 06 08:49:37 1994", 784111777 }, { "Sun Nov 16 08:49:37 1994", 784975777 },
  }
  for number, row in ipairs(rows) do
    it(("row %d: %s"):format(number, row[1]:sub(1, 32)), function()
      local found = feed("Retry-After: " .. row[1] .. "\r\n")
      assert.equal(row[2] or -1, headers.retry_after(row[1], epoch))
      assert.equal(not row[2] or nil, found.retry_after_unread)
      if row[2] then assert.same({ retry_after = row[2] }, found) end
    end)
  end

  it("has more than thirty rows, and dates cut anywhere are none", function()
    assert.is_true(#rows > 30)
    for _, date in ipairs {
      "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    } do
      assert.is_true(headers.retry_after(date, epoch) > 0)
      for length = 0, #date - 1 do assert.equal(-1, headers.retry_after(date:sub(1, length), epoch)) end
    end
  end)

  it("knows every month and every day of the week", function()
    local months = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
    local lengths = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
    local days = { "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday" }
    -- 2027-01-01 is a Friday.
    local midnight, day = 1798761600, 5
    for month, name in ipairs(months) do
      for date = 1, lengths[month] do
        local long = days[day]
        local short = long:sub(1, 3)
        assert.equal(midnight, headers.retry_after(("%s, %02d %s 2027 00:00:00 GMT"):format(short, date, name),
          epoch))
        assert.equal(midnight, headers.retry_after(("%s, %02d-%s-27 00:00:00 GMT"):format(long, date, name), epoch))
        assert.equal(midnight, headers.retry_after(("%s %s %2d 00:00:00 2027"):format(short, name, date), epoch))
        midnight, day = midnight + 86400, day % 7 + 1
      end
      assert.equal(-1, headers.retry_after(("Fri, %02d %s 2027 00:00:00 GMT"):format(lengths[month] + 1, name), epoch))
    end
  end)

  it("has all the digits of its numbers", function()
    for _, text in ipairs {
      "Fri,  1 Jan 2027 00:00:00 GMT", "Fri, 01 Jan  027 00:00:00 GMT", "Fri, 01 Jan 2027  8:00:00 GMT",
      "Fri, 01 Jan 2027 08: 0:00 GMT", "Fri, 01 Jan 2027 08:00: 0 GMT", "Friday, 01-Jan- 7 00:00:00 GMT",
      "Friday,  1-Jan-27 00:00:00 GMT",
    } do
      assert.equal(-1, headers.retry_after(text, epoch), text)
    end
  end)

  it("counts seconds from now, with their fraction", function()
    assert.equal(1000.5, headers.retry_after("1", 999.5))
  end)

  it("may come twice if it says the same", function()
    assert.same({ retry_after = epoch + 5 }, feed("retry-after: 5", "Retry-After: 5"))
    assert.same({ retry_after = epoch + 5 }, feed("retry-after: 5", "Retry-After: "))
    assert.same({}, feed "Retry-After: ")
  end)

  it("that says two things is at least the longer of them", function()
    local date = "Fri, 15 Jan 2027 08:00:10 GMT"
    local pairs_of_values = { { "5", "6", 6 }, { "6", "5", 6 }, { "soon", "5", 5 }, { "5", "soon", 5 }, { "5",
      date, 10 },
      { date, "15", 15 } }
    for _, pair in ipairs(pairs_of_values) do
      assert.same({ retry_after = epoch + pair[3], retry_after_unread = true },
        feed("retry-after: " .. pair[1], "retry-after: " .. pair[2]), pair[1] .. pair[2])
      assert.equal(epoch + pair[3], feed("retry-after: " .. pair[1] .. ", " .. pair[2]).retry_after
        or epoch + pair[3])
    end
    assert.same({ retry_after = epoch + 6, retry_after_unread = true }, feed("retry-after: 5", "retry-after: 6",
      "retry-after: 5"))
    assert.same({ retry_after_unread = true }, feed("retry-after: soon", "retry-after: soon"))
  end)

  it("as a date is told by the service's clock, which Date gives", function()
    for _, ahead in ipairs { -300, 0, 300, -86400 * 365 } do
      local function by_its_clock(seconds) return os.date("!%a, %d %b %Y %H:%M:%S GMT", epoch + ahead + seconds) end
      for _, lines in ipairs {
        { "Date: " .. by_its_clock(0), "Retry-After: " .. by_its_clock(2) },
        { "Retry-After: " .. by_its_clock(2), "date:" .. by_its_clock(0) },
      } do
        assert.equal(epoch + 2, feed(lines[1], lines[2]).retry_after)
        assert.equal(ahead ~= 0 and -ahead or nil, feed(lines[1], lines[2]).clock_ahead)
      end
      assert.equal(epoch + 5, feed("Date: " .. by_its_clock(0), "Retry-After: 5").retry_after)
    end
  end)

  it("makes the service's clock known, and so does each answer that is no success", function()
    local date = os.date("!Date: %a, %d %b %Y %H:%M:%S GMT", epoch - 300)
    local later = os.date("!Retry-After: %a, %d %b %Y %H:%M:%S GMT", epoch)
    local function ahead(status, ...) return headers.feed({ "HTTP/1.1 200 x\r\n", ... }, epoch, status).clock_ahead end
    for status, known in pairs { [199] = true, [200] = false, [299] = false, [300] = true, [429] = true } do
      assert.equal(known and 300 or nil, ahead(status, date), status)
      assert.equal(300, ahead(status, date, later), status)
    end
  end)

  it("as a date is told by our clock where Date is none, or says two things", function()
    local date = "Fri, 15 Jan 2027 08:00:10 GMT"
    for _, lines in ipairs { { "Date: soon" }, { "Date:" }, { "Date: Fri, 15 Jan 2027 08:00:00 GMT", "Date: "
      .. date },
      { "Date: Fri, 15 Jan 2027 08:00:05 GMT", " folded" } } do
      assert.same({ retry_after = epoch + 10 }, feed("Retry-After: " .. date, lines[1], lines[2]))
    end
  end)
end)

describe("the coding of a body", function()
  it("is what Content-Encoding says, but for none", function()
    assert.same({ coding = "gzip" }, feed "Content-Encoding: gzip\r\n")
    assert.same({ coding = "gzip" }, feed("content-encoding: identity", "CONTENT-ENCODING:gzip"))
    for _, none in ipairs { "identity", "Identity", "" } do assert.same({}, feed("Content-Encoding: " .. none)) end
    assert.same({ coding = ("x"):rep(31) }, feed("Content-Encoding: " .. ("x"):rep(100)))
    assert.same({}, headers.feed({ "HTTP/1.1 103 x", "content-encoding: gzip", "", "HTTP/1.1 200 x" }, epoch))
  end)
end)

describe("the request id and the target of a redirect", function()
  it("are taken as they stand", function()
    assert.same({ request_id = "3f25-04e0" }, feed "X-Request-Id:  3f25-04e0 \r\n")
    assert.same({ location = "https://example.com/a?b#c" }, feed "Location: https://example.com/a?b#c\r\n")
    assert.same({}, feed("x-request-id:", "location: "))
  end)

  it("are cut to the room that there is", function()
    for _, length in ipairs { 126, 127, 128, 129, 5000 } do
      local value = ("x"):rep(length)
      assert.same({ request_id = value:sub(1, 127), location = value:sub(1, 127) },
        feed("x-request-id: " .. value, "location: " .. value))
    end
  end)
end)

describe("the responses of one transfer", function()
  local first = {
    "x-ratelimit-limit: 1", "x-ratelimit-remaining: 2", "x-ratelimit-reset: 3", "retry-after: 4",
      "x-request-id: five", "location: six",
  }

  local function response(status, lines)
    local all = { "HTTP/1.1 " .. status .. "\r\n" }
    for _, line in ipairs(lines) do all[#all + 1] = line .. "\r\n" end
    all[#all + 1] = "\r\n"
    return all
  end

  local function feed_all(...)
    local all = {}
    for _, one in ipairs { ... } do
      for _, line in ipairs(one) do all[#all + 1] = line end
    end
    return headers.feed(all, epoch)
  end

  it("count with their last alone", function()
    assert.same({}, feed_all(response("100 Continue", first), response("201 Created", {})))
    assert.same({ limit = 9 }, feed_all(response("103 Early Hints", first),
      response("201 Created", { "x-ratelimit-limit: 9" })))
    assert.same({ limit = 9 }, feed_all(response(100, first), response(102, first),
      response(201, { "x-ratelimit-limit: 9" })))
    -- A contradiction between an interim answer and the final one is none.
    assert.same({ limit = 9, remaining = 8 },
      feed_all(response(100, { "x-ratelimit-limit: 1" }),
        response(201, { "x-ratelimit-limit: 9", "x-ratelimit-remaining: 8" })))
  end)

  it("are the whole of it: trailers say nothing", function()
    assert.same({}, feed_all(response(201, {}), first))
    assert.same({ limit = 9 }, feed_all(response(201, { "x-ratelimit-limit: 9" }), first,
      { "x-ratelimit-limit: 10" }))
    -- Nor do the lines behind a second blank one.
    assert.same({}, feed_all(response(201, {}), { "\r\n" }, first))
  end)

  it("begin with any version's status line", function()
    for _, line in ipairs { "HTTP/1.0 200 OK", "HTTP/1.1 200", "HTTP/2 200 \r\n", "HTTP/3 200" } do
      assert.same({}, headers.feed({ "x-ratelimit-limit: 1", line }, epoch), line)
    end
  end)
end)

describe("headers.number", function()
  it("is exact up to 2^53 - 1 and nothing beyond", function()
    assert.equal(9007199254740991, headers.number "9007199254740991")
    assert.equal(-1, headers.number "9007199254740992")
    assert.equal(-1, headers.number "")
    assert.equal(0, headers.number "0")
  end)
end)
