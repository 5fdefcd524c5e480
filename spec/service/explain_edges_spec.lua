-- explain, by itself: the words of outcomes that are hard to come by, as a table of what came of a call.

local explain = require("spec.support.test_build").core.explain

local host = { url = "https://rest.iad-01.braze.com", authority = "rest.iad-01.braze.com" }

local function words(outcome)
  local all = {}
  for name, value in pairs(host) do all[name] = value end
  for name, value in pairs(outcome) do all[name] = value end
  return explain.words(all)
end

-- Each row: what came of a call, a piece of the message, a piece of the hint.
local rows = {
  -- What there was no connection for.
  { { kind = "timeout", lack = "store" }, "could not be read within 30 s from the system's store:",
    "look at the mount" },
  { { kind = "timeout", lack = "store", ca_file = "/mnt/ca.pem", connecting = true },
    'could not be read within 10 s from "/mnt/ca.pem":', "look at the mount" },
  { { kind = "timeout", lack = "name", connecting = true },
    "no connection to rest.iad-01.braze.com within 10 s: the name server did not answer for rest.iad-01.braze.com;",
    "or raise connect_timeout" },
  { { kind = "timeout", lack = "name", proxy = "http://proxy:3128" },
    "within 30 s: the name server did not answer for http://proxy:3128;", "or raise timeout (BRAZE_TIMEOUT)" },
  { { kind = "network", lack = "looks" }, "earlier look-ups of names", "check DNS" },
  { { kind = "network", lack = "thread" }, "there is no thread or memory to look up its name; nothing was sent",
    "ulimit -u" },
  -- Time that is up.
  { { kind = "timeout" }, "had no time to begin within 30 s; nothing was sent", "was stopped or has too much to do" },
  { { kind = "timeout", maybe_applied = true }, "had no time to begin within 30 s once more", "it may have been done" },
  { { kind = "timeout", curl_code = 28, connecting = true },
    "no connection to rest.iad-01.braze.com within 10 s (curl 28)",
    "check network, DNS and firewall, or raise connect_timeout" },
  { { kind = "timeout", curl_code = 28, proxy = "http://proxy:3128" },
    "no connection to rest.iad-01.braze.com within 30 s (curl 28)",
    "firewall, and the proxy http://proxy:3128, or raise timeout (BRAZE_TIMEOUT)" },
  -- A flood before the request.
  { { kind = "network", stop = "too much received" }, "came from rest.iad-01.braze.com before",
    "check that the endpoint is Braze, now https://rest.iad-01.braze.com" },
  { { kind = "network", stop = "too much received", proxy = "http://proxy:3128" }, "came from the proxy before",
    "its answer to CONNECT has no end" },
  -- What is known of the operation, and of a route nothing.
  { { kind = "auth", status = 403, operation = "create_send_id" }, "does not let", "the permission sends.id.create" },
  { { kind = "auth", status = 403 }, "does not let", "the permission that this call needs: its page" },
  { { kind = "rejected", status = 404, operation = "create_send_id" }, "refused", "check the endpoint, now" },
  { { kind = "rejected", status = 404 }, "refused", "check the path and the endpoint, now" },
  { { kind = "rejected", status = 404, applied_before = true, maybe_applied = true, operation = "create_send_id" },
    "refused", "may have made the send_id" },
  { { kind = "rejected", status = 404, applied_before = true, maybe_applied = true,
    operation = "update_scheduled_messages" },
    "refused", "may have done it" },
  { { kind = "rejected", status = 404, applied_before = true, maybe_applied = true }, "refused", "may have done it" },
  { { kind = "server", status = 503, maybe_applied = true, repeatable = true, operation = "create_send_id" }, "failed",
    "call again with the same send_id" },
  { { kind = "server", status = 503, maybe_applied = true, repeatable = true, operation = "update_scheduled_messages" },
    "failed", "call again with the same values" },
  { { kind = "server", status = 503, maybe_applied = true, repeatable = true }, "failed",
    "call again with the same values" },
  { { kind = "server", status = 503, maybe_applied = true, operation = "create_send_id" }, "failed",
    "its name is lost" },
  { { kind = "server", status = 503, maybe_applied = true, operation = "get_campaign" }, "failed", "find out first" },
  { { kind = "server", status = 503, maybe_applied = true }, "failed", "find out first" },
  { { kind = "protocol", answered = true, status = 202, answer = "queued" }, "it may be done later", "" },
  { { kind = "protocol", answered = true, status = 202, answer = "queued", operation = "get_campaign" },
    "it may be done later", "" },
  { { kind = "protocol", answered = true, status = 202, answer = "queued", operation = "create_send_id" },
    "gave no send_id", "" },
  -- When.
  { { kind = "rate_limited", status = 429, reset = 1800000060, retry_after = 1800000060 },
    "resets 2027-01-15T08:01:00Z (in 60 s)",
    "call again then" },
  { { kind = "rate_limited", status = 429, reset = 1800000060, retry_after = 1800000030 }, "resets", "the limit is" },
  { { kind = "rate_limited", status = 429, reset = 1800000060, retry_after = 1800000090 }, "resets", "the limit is" },
  { { kind = "rate_limited", status = 429, retry_after = 1800000090 }, "the rate limit is used up", "the limit is" },
  { { kind = "server", status = 503, retry_after = 1800000030 }, "failed", "the service asks to be called after" },
  -- A host of Braze's that is not known, which matters where the call came to nothing.
  { { kind = "network", unknown_host = true }, "could not be reached",
    "no REST endpoint that this version of braze knows" },
  { { kind = "tls", unknown_host = true }, "the TLS handshake", "no REST endpoint that this version of braze knows" },
  { { kind = "timeout", unknown_host = true }, "had no time", "no REST endpoint that this version of braze knows" },
  { { kind = "protocol", unknown_host = true }, "no answer of a web service", "no REST endpoint" },
  { { kind = "auth", status = 401, unknown_host = true }, "does not accept", "no REST endpoint that this version" },
  { { kind = "rejected", status = 404, unknown_host = true }, "refused", "no REST endpoint that this version" },
  -- A body in a coding.
  { { kind = "server", status = 503, coding = "br", body = "x" }, 'its body is in the Content-Encoding "br"', "" },
}

describe("the words of an outcome", function()
  for _, row in ipairs(rows) do
    it(("say %q and %q"):format(row[2]:sub(1, 50), row[3]:sub(1, 50)), function()
      local message, hint = words(row[1])
      assert.matches(row[2], message, 1, true)
      assert.matches(row[3], hint, 1, true)
    end)
  end

  it("leave out what does not hang on the host's name, or was not shown", function()
    local _, hint = words { kind = "auth", status = 403, unknown_host = true }
    assert.is_nil(hint:find("no REST endpoint", 1, true))
    _, hint = words { kind = "network", request_sent = true, unknown_host = true }
    assert.is_nil(hint:find("no REST endpoint", 1, true))
    assert.is_nil(words { kind = "server", status = 503, coding = "br" }:find("Content-Encoding", 1, true))
    _, hint = words { kind = "rate_limited", status = 429, reset = 1800000060, retry_after = 1800000090 }
    assert.is_nil(hint:find("call again then", 1, true))
  end)
end)
