-- headers: lines that go on with the one before, which HTTP/1.1 no longer has.

local headers = require("spec.support.test_build").core.headers

local epoch = 1800000000
local unpack = table.unpack or unpack

describe("a folded line", function()
  local rows = {
    { "x-ratelimit-limit", "limit" }, { "x-ratelimit-remaining", "remaining" }, { "x-ratelimit-reset", "reset" },
    { "retry-after", "retry_after" },
  }

  for _, row in ipairs(rows) do
    it("makes nothing of " .. row[1] .. " that goes on in it", function()
      for _, fold in ipairs { " 6\r\n", "\t6\r\n", " , 6\r\n", " x\r\n" } do
        local found = headers.feed({ "HTTP/1.1 429 x\r\n", row[1] .. ": 5\r\n", fold }, epoch)
        -- A pause that can't be read is none that is shorter than what can.
        assert.same(row[2] == "retry_after" and { retry_after = epoch + 5, retry_after_unread = true } or {},
          found, fold)
      end
    end)

    it("leaves " .. row[1] .. " alone where it goes on with another one", function()
      local lines = { "HTTP/1.1 429 x\r\n", row[1] .. ": 5\r\n", "server: a\r\n", " b\r\n" }
      assert.is_truthy(headers.feed(lines, epoch)[row[2]])
    end)
  end

  it("is nothing by itself", function()
    assert.same({}, headers.feed({ "HTTP/1.1 200 x\r\n", " x-ratelimit-limit: 5\r\n", "\tretry-after: 5\r\n" },
      epoch))
  end)

  it("may be empty, which is the end as well", function()
    assert.same({}, headers.feed({ "HTTP/1.1 200 x\r\n", "", "x-ratelimit-limit: 7\r\n" }, epoch))
  end)

  it("ends with the header", function()
    local lines = { "HTTP/1.1 200 x\r\n", "x-ratelimit-limit: 5\r\n", "\r\n", " 6\r\n", "x-ratelimit-limit: 7\r\n" }
    assert.same({ limit = 5 }, headers.feed(lines, epoch))
  end)
end)

describe("a status line", function()
  local lines = { "HTTP/1.1 103 x\r\n", "x-ratelimit-limit: 5\r\n", "x-request-id: early\r\n", "\r\n" }

  it("starts again behind an interim response", function()
    lines[5], lines[6] = "HTTP/1.1 200 x\r\n", "x-ratelimit-remaining: 6\r\n"
    assert.same({ remaining = 6 }, headers.feed(lines, epoch))
  end)

  it("is a trailer behind the final one", function()
    lines[1] = "HTTP/1.1 200 x\r\n"
    lines[5], lines[6] = "HTTP/1.1: x\r\n", "x-ratelimit-remaining: 6\r\n"
    assert.same({ limit = 5, request_id = "early" }, headers.feed(lines, epoch))
  end)
end)

describe("a status line that breaks off", function()
  it("is no interim one", function()
    for _, line in ipairs { "HTTP/1.1\r\n", "HTTP/1.1 ", "HTTP/1.1", "HTTP/2 \r\n" } do
      assert.same({ limit = 5 }, headers.feed({ line, "x-ratelimit-limit: 5\r\n", "\r\n" }, epoch), line)
    end
  end)
end)

describe("a pause", function()
  local function pause(...)
    local lines = { "HTTP/1.1 503 x\r\n" }
    for _, line in ipairs { ... } do lines[#lines + 1] = line .. "\r\n" end
    return headers.feed(lines, epoch)
  end

  it("of several values that contradict each other is the longest of them, and not read", function()
    for _, lines in ipairs {
      { "retry-after: 5", "retry-after: 6, 7" }, { "retry-after: 7, 6, 5" }, { "retry-after: 5, 5, 7" },
      { "retry-after: 7", "retry-after: 7, 6" },
    } do
      assert.same({ retry_after = epoch + 7, retry_after_unread = true }, pause(unpack(lines)), lines[1])
    end
    assert.same({ retry_after = epoch + 7 }, pause("retry-after: 7, 7", "retry-after: 7"))
  end)

  it("with a fraction that is none can't be read", function()
    for _, odd in ipairs { "1./5", "1.5s", "1.", ".5", "1.5.5" } do
      assert.same({ retry_after_unread = true }, pause("retry-after: " .. odd), odd)
    end
    assert.same({ retry_after = epoch + 2 }, pause("retry-after: 1.5"))
    assert.same({ retry_after = epoch + 1 }, pause("retry-after: 1.0"))
  end)

  it("is over where its date lies before all times by our clock", function()
    local lines = { "HTTP/1.1 503 x\r\n", "date: Fri, 15 Jan 2027 08:00:00 GMT\r\n",
      "retry-after: Thu, 01 Jan 1970 00:00:01 GMT\r\n" }
    assert.equal(0, headers.feed(lines, 1000).retry_after)
  end)

  it("is counted by a Date that stands there twice, and not by two that differ", function()
    local date, other = "date: Fri, 15 Jan 2027 07:59:00 GMT", "date: Fri, 15 Jan 2027 07:58:00 GMT"
    local until_then = "retry-after: Fri, 15 Jan 2027 08:00:30 GMT"
    assert.equal(epoch + 90, pause(date, date, until_then).retry_after)
    assert.equal(epoch + 30, pause(date, other, until_then).retry_after)
  end)
end)

describe("the header Link", function()
  it("may stand there several times, which is one list", function()
    assert.same({ link = "<a>; rel=x,<b>; rel=next" },
      headers.feed({ "HTTP/1.1 200 x\r\n", "link: <a>; rel=x\r\n", "Link: <b>; rel=next\r\n" }, epoch))
  end)
end)
