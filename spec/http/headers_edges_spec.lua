-- headers: lines that go on with the one before, which HTTP/1.1 no longer has.

local headers = require("spec.support.test_build").core.headers

local epoch = 1800000000

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
