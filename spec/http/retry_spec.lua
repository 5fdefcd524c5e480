-- retry: which failure is tried again, when, and at what cost; outcome: what a status means.

local core = require("spec.support.test_build").core
local decide, classify, bucket = core.retry.decide, core.outcome.classify, core.retry.bucket

local now, epoch, deadline = 1000, 1800000000, 1030

-- The input of a decision on top of another one.
local function with(fields, more)
  local input = { now = now, epoch = epoch, deadline = deadline, random = 0.5 }
  for _, source in ipairs { fields, more or {} } do
    for name, value in pairs(source) do input[name] = value end
  end
  return input
end

local function again(fields, more)
  return (decide(with(fields, more)))
end

local function pause(fields, more)
  local _, seconds = decide(with(fields, more))
  return seconds
end

-- Any failure that is tried again without further conditions.
local lost = { kind = "network" }
-- The same, known to be the service's.
local unavailable = { status = 503, repeatable = true }

describe("a status", function()
  local repeated = {}
  for _, status in ipairs { 408, 500, 502, 503, 504, 520, 521, 522, 523, 524 } do repeated[status] = true end

  it("is tried again with a send_id of the caller's alone, and only if it may pass", function()
    for status = 300, 699 do
      assert.equal(repeated[status] or false, again { status = status, repeatable = true }, status)
      assert.is_false(again { status = status, repeatable = false }, status)
    end
    for _, status in ipairs { 700, 999 } do assert.is_false(again { status = status, repeatable = true }, status) end
  end)

  local function expected(status)
    local applied = status == 303 or status == 408 or status >= 500
    if status == 429 then return "rate_limited", applied end
    if status == 401 or status == 403 then return "auth", applied end
    if status >= 400 and status < 500 then return "rejected", applied end
    if status >= 500 and status < 600 then return "server", applied end
    return "protocol", applied
  end

  it("decides the kind, and whether the id may have been made", function()
    for status = 300, 699 do
      local kind, applied = expected(status)
      assert.same({ kind, applied }, { classify { status = status } }, status)
      -- What an earlier try may have done stays.
      assert.same({ kind, true }, { classify { status = status, maybe_applied = true } }, status)
    end
    assert.same({ "protocol", true }, { classify { status = 0 } })
    assert.same({ "protocol", true }, { classify { status = 201, rejected_answer = true } })
  end)
end)

describe("a failure without a status", function()
  local rows = {
    -- kind, the request left, further facts, again without send_id, again with it
    { "network", false, {}, true, true },
    { "network", true, {}, false, true },
    { "timeout", false, {}, true, true },
    { "timeout", true, {}, false, true },
    { "tls", false, {}, true, true },
    { "tls", true, {}, false, false },
    { "tls", false, { trust_failed = true }, false, false },
    { "tls", true, { trust_failed = true }, false, false },
    { "protocol", false, {}, false, false },
    { "protocol", true, {}, false, false },
    { "cancelled", false, {}, false, false },
    { "cancelled", true, {}, false, false },
    { "usage", false, {}, false, false },
    { "network", false, { proxy_status = 400 }, false, false },
    { "network", false, { proxy_status = 403 }, false, false },
    { "network", false, { proxy_status = 407 }, false, false },
    { "network", false, { proxy_status = 429 }, false, false },
    { "network", false, { proxy_status = 499 }, false, false },
    { "network", false, { proxy_status = 500 }, true, true },
    { "network", false, { proxy_status = 502 }, true, true },
    { "network", false, { proxy_status = 503 }, true, true },
    { "network", false, { proxy_status = 200 }, true, true },
    { "network", true, { proxy_status = 200 }, false, true },
    { "network", false, { answered = true }, false, false },
    { "network", true, { answered = true }, false, false },
  }
  for number, row in ipairs(rows) do
    it(("row %d: %s, the request %s"):format(number, row[1], row[2] and "left" or "did not leave"), function()
      local failure = with({ kind = row[1], request_sent = row[2] }, row[3])
      assert.equal(row[4], again(failure, { repeatable = false }))
      assert.equal(row[5], again(failure, { repeatable = true }))
      assert.same({ row[1], row[2] }, { classify(failure) })
    end)
  end
end)

describe("a 429", function()
  local rows = {
    -- Retry-After and reset as seconds from now; the pause that is wanted, false = not again, "jitter" = the usual one
    { nil, nil, false },
    { 5, nil, 5 },
    { 0.25, nil, 0.25 },
    { 29, nil, 29 },
    { 30, nil, false },
    { 31, nil, false },
    { 86400, nil, false },
    { 0, nil, "jitter" },
    { -0.5, nil, "jitter" },
    { -1, nil, "jitter" },
    { -2, nil, false },
    { -86400, nil, false },
    { nil, 5, 5 },
    { nil, 29, 29 },
    { nil, 30, false },
    { nil, 86400, false },
    { nil, 0, "jitter" },
    { nil, -1, "jitter" },
    { nil, -2, false },
    { nil, -86400, false },
    -- Retry-After is the one that counts.
    { 5, 20, 5 },
    { 20, 5, 20 },
    { 31, 5, false },
    { 5, 86400, 5 },
  }
  for number, row in ipairs(rows) do
    it(("row %d: %s and %s"):format(number, tostring(row[1]), tostring(row[2])), function()
      local limited = {
        status = 429, retry_after = row[1] and epoch + row[1], reset = row[2] and epoch + row[2],
      }
      local wanted = row[3] == "jitter" and 0.25 or row[3] or nil
      for _, repeatable in ipairs { true, false } do
        assert.equal(wanted, pause(limited, { repeatable = repeatable }))
        assert.equal(wanted ~= nil, again(limited, { repeatable = repeatable }))
        -- It may be another call's, where it was not the first answer on its connection.
        assert.equal(wanted ~= nil and repeatable, again(limited, { repeatable = repeatable, used_before = true }))
      end
      -- What is long past is shown as nothing.
      local at = limited.retry_after or limited.reset or -1
      assert.equal(at < epoch - 3600 and -1 or at, core.retry.at(limited))
    end)
  end

  it("that says when in a number that is no time of that kind says nothing", function()
    for _, reset in ipairs { 0, 2, 86400, epoch * 1000, epoch - 3601, epoch + 367 * 86400, 9007199254740991 } do
      assert.equal(-1, core.retry.at { status = 429, reset = reset }, reset)
      assert.is_false(again { status = 429, reset = reset, repeatable = true })
      assert.equal(-1, core.retry.at { status = 503, retry_after = reset }, reset)
    end
    for _, reset in ipairs { epoch - 3600, epoch, epoch + 365 * 86400 } do
      assert.equal(reset, core.retry.at { status = 429, reset = reset })
    end
  end)

  it("has its reset by the service's clock", function()
    for _, ahead in ipairs { -300, 300 } do
      local limited = { status = 429, reset = epoch - ahead + 2, clock_ahead = ahead }
      assert.equal(epoch + 2, core.retry.at(limited))
      assert.equal(2, pause(limited))
    end
  end)

  it("that asks for a pause that can't be read is tried again by its reset alone, and no sooner than other pauses",
    function()
    assert.is_false(again { status = 429, retry_after_unread = true, repeatable = true })
    assert.is_false(again { status = 429, retry_after_unread = true, retry_after = epoch + 5, repeatable = true })
    assert.equal(8, pause { status = 429, retry_after_unread = true, reset = epoch + 1 })
    assert.equal(20, pause { status = 429, retry_after_unread = true, reset = epoch + 20 })
    assert.equal(epoch + 20, core.retry.at { status = 429, retry_after_unread = true, retry_after = epoch + 5,
      reset = epoch + 20 })
  end)
end)

describe("a Retry-After that can't be read", function()
  it("means the longest pause, whatever the random number is, and what of it can be read", function()
    for _, random in ipairs { 0, 0.5, 0.99 } do
      assert.equal(8, pause(unavailable, { retry_after_unread = true, random = random }))
      assert.equal(8, pause(unavailable, { retry_after_unread = true, retry_after = epoch + 5, random = random }))
      assert.equal(20, pause(unavailable, { retry_after_unread = true, retry_after = epoch + 20, random = random }))
    end
    assert.is_nil(pause(unavailable, { retry_after_unread = true, deadline = now + 8 }))
    assert.equal(-1, core.retry.at(with(unavailable, { retry_after_unread = true, retry_after = epoch + 20 })))
  end)
end)

describe("Retry-After beside another status", function()
  it("is obeyed where the status is tried again", function()
    assert.equal(7, pause(unavailable, { retry_after = epoch + 7 }))
    assert.is_nil(pause(unavailable, { retry_after = epoch + 30 }))
    assert.is_nil(pause(unavailable, { retry_after = epoch + 86400 }))
    assert.equal(0.25, pause(unavailable, { retry_after = epoch }))
    assert.equal(0.25, pause(unavailable, { retry_after = epoch - 86400 }))
  end)

  it("makes no try of one that is not", function()
    assert.is_false(again { status = 503, repeatable = false, retry_after = epoch + 1 })
    for _, status in ipairs { 301, 400, 401, 403, 404, 501, 505 } do
      assert.is_false(again { status = status, repeatable = true, retry_after = epoch + 1 }, status)
    end
  end)

  it("is the only time that counts: the reset belongs to a 429", function()
    assert.equal(0.25, pause(unavailable, { reset = epoch + 7 }))
    assert.equal(-1, core.retry.at { status = 503, reset = epoch + 7 })
    assert.equal(epoch + 3, core.retry.at { status = 503, reset = epoch + 7, retry_after = epoch + 3 })
  end)
end)

describe("the pause", function()
  local bounds = { 0.5, 1, 2, 4, 8, 8, 8, 8, 8, 8 }
  local most = 0.9999999

  it("is a part of 0.5 s that doubles up to 8 s", function()
    for tries, bound in ipairs(bounds) do
      local input = { tries = tries, retries = 10 }
      input.random = 0
      assert.equal(0, pause(lost, input))
      input.random = 0.25
      assert.equal(bound / 4, pause(lost, input))
      input.random = most
      assert.is_true(pause(lost, input) < bound and pause(lost, input) > bound * 0.999)
    end
  end)

  it("is spread evenly over many draws", function()
    local seed = 20261120
    for tries, bound in ipairs { 0.5, 1, 2 } do
      local sum, least, greatest, count = 0, bound, 0, 100000
      for _ = 1, count do
        seed = (seed * 16807) % 2147483647
        local seconds = pause(lost, { tries = tries, retries = 10, random = seed / 2147483647 })
        sum, least, greatest = sum + seconds, math.min(least, seconds), math.max(greatest, seconds)
      end
      assert.is_true(math.abs(sum / count - bound / 2) < bound / 2 * 0.02)
      assert.is_true(least >= 0 and least < bound * 0.001)
      assert.is_true(greatest < bound and greatest > bound * 0.999)
    end
  end)

  it("never reaches the deadline", function()
    assert.equal(0.25, pause(lost, { deadline = now + 0.251 }))
    assert.is_nil(pause(lost, { deadline = now + 0.25 }))
    assert.is_nil(pause(lost, { deadline = now + 0.1 }))
    assert.is_nil(pause(lost, { deadline = now, random = 0 }))
    assert.is_nil(pause(lost, { deadline = now - 5, random = 0 }))
    for step = 0, 100 do
      local random = step / 101
      local seconds = pause(lost, { tries = 5, retries = 10, deadline = now + 3, random = random })
      assert.equal(random * 8 < 3, seconds ~= nil, step)
      assert.is_true(seconds == nil or seconds < 3)
    end
  end)
end)

describe("the number of tries", function()
  it("is one more than retries", function()
    for retries = 0, 10 do
      for tries = 1, 12 do
        assert.equal(tries <= retries, again(lost, { tries = tries, retries = retries, deadline = now + 600 }),
          retries .. "/" .. tries)
      end
    end
  end)

  it("bounds a 429 as well", function()
    local limited = { status = 429, retry_after = epoch + 1 }
    assert.is_false(again(limited, { retries = 0 }))
    assert.is_true(again(limited, { tries = 2 }))
    assert.is_false(again(limited, { tries = 3 }))
  end)
end)

describe("the bucket", function()
  local function tokens_left(fields, more)
    return select(3, decide(with(fields, more)))
  end

  local costs = {
    { "a lost connection", lost, 5 },
    { "a 503", unavailable, 5 },
    { "a 408", { status = 408, repeatable = true }, 5 },
    { "a 429", { status = 429, retry_after = epoch + 1 }, 5 },
    { "a handshake that broke", { kind = "tls" }, 5 },
    { "a timeout while connecting", { kind = "timeout" }, 10 },
    { "a timeout after the request left", { kind = "timeout", request_sent = true, repeatable = true }, 10 },
  }
  for _, row in ipairs(costs) do
    it(("pays %d for %s"):format(row[3], row[1]), function()
      assert.equal(500 - row[3], tokens_left(row[2]))
      assert.equal(0, tokens_left(row[2], { tokens = row[3] }))
      assert.is_true(again(row[2], { tokens = row[3] }))
      assert.is_false(again(row[2], { tokens = row[3] - 1 }))
      assert.equal(row[3] - 1, tokens_left(row[2], { tokens = row[3] - 1 }))
      assert.is_false(again(row[2], { tokens = 0 }))
    end)
  end

  it("pays nothing where nothing is tried again", function()
    for _, input in ipairs {
      with(lost, { retries = 0 }), with(lost, { deadline = now }), with { status = 503 },
        with { status = 404, repeatable = true },
      with { status = 429 }, with { status = 429, retry_after = epoch + 60 },
        with { kind = "network", answered = true },
    } do
      assert.same({ false, 500 }, { again(input), tokens_left(input) })
    end
  end)

  it("begins full, takes one back for a success and never more than it holds", function()
    assert.equal(500, bucket())
    assert.equal(1, bucket(0, 1))
    assert.equal(7, bucket(0, 7))
    assert.equal(500, bucket(499, 1))
    assert.equal(500, bucket(499, 2))
    assert.equal(500, bucket(500, 3))
  end)

  it("keeps an outage from being multiplied: a thousand calls make at most 1.2 thousand requests", function()
    local tokens, requests = bucket(), 0
    for _ = 1, 1000 do
      local tries, once_more = 0, true
      while once_more do
        tries, requests = tries + 1, requests + 1
        local seconds
        once_more, seconds, tokens = decide(with(unavailable, { tries = tries, tokens = tokens }))
        assert.equal(once_more, seconds ~= nil)
      end
    end
    assert.equal(1100, requests)
    assert.equal(0, tokens)
    assert.is_true(again(unavailable, { tokens = bucket(tokens, 5) }))
  end)
end)
