-- One run of the bar "raw", in a process of its own so that a tool can watch it: each of the replies to one kept client, http and
-- https, on a connection on which a plain answer came before. Its arguments: every how many-th reply is sent, and "both" where each
-- is sent blocking and started, not one in one way and the next in the other.

package.path = "./?.lua;" .. package.path
local bar = require "spec.proof.bar"
local replies = require "spec.proof.peers.raw_replies"
local scripted_peer = require "spec.support.scripted_peer"

local step = math.tointeger(tonumber(arg[1]))
local plain = "HTTP/1.1 200 OK\r\nx-first: one\r\nx-second: two\r\ncontent-length: 38\r\n\r\n"
  .. '{"message":"success","send_id":"made"}'
local kinds = { network = true, tls = true, timeout = true, rate_limited = true, auth = true, rejected = true,
  server = true, protocol = true }
local folder = bar.output_of "mktemp -d"
os.execute("sh spec/support/certificates " .. folder)

local bad, calls, results = 0, 0, 0

-- What a call came to; counted as bad unless it is a result or a typed error.
local function judge(name, outcome)
  calls = calls + 1
  local good = bar.is_error(outcome) and kinds[outcome.kind] and outcome.kind ~= "timeout"
  if type(outcome) == "table" and not bar.is_error(outcome) and outcome.send_id then
    good, results = true, results + 1
  end
  if good and bar.is_error(outcome) then
    good = #tostring(outcome) > 0 and not tostring(outcome):find "%c" and not (outcome.body
      or ""):find "[%z\1-\8\11\12\14-\31\127]"
  end
  if not good then
    bad = bad + 1
    print(("BAD %s: %s"):format(name, bar.describe(outcome)))
  end
end

local peer = scripted_peer.start()
for _, secure in ipairs { false, true } do
  local begin = secure and { { tls = { certificate = folder .. "/server.pem", key = folder .. "/server.key" } } }
    or {}
  local client = bar.client { endpoint = secure and "https://localhost:" .. peer.port or peer.url, ca_file = folder
    .. "/ca.pem" }
  for number = 1, #replies.list, step do
    local reply = replies.list[number]
    local mode = bar.modes[number // step % 2 + 1]
    for _, way in ipairs(arg[2] == "both" and bar.modes or { mode }) do
      local script = { begin[1] }
      for _, part in ipairs { { read = "request" }, { write = plain }, { read = "request" },
        { write = reply.bytes }, { close = "fin" } } do script[#script + 1] = part end
      peer:reset()
      peer:play(script)
      -- libcurl makes another connection where one that was used before ends early; we see to it that nothing leaves on it.
      peer:default { begin[1] or { read = "request" }, { hold = true } }
      judge("the plain answer", bar.call(way, client, { campaign_id = "campaign" }, { timeout = 20 }))
      judge(("%s, %s, %s"):format(reply.name, secure and "https" or "http", way), bar.call(way, client,
        { campaign_id = "campaign" }, { timeout = 20 }))
    end
  end
  client:close()
end
peer:stop()
os.execute("rm -rf " .. bar.quote(folder))
print(("RAN calls=%d results=%d bad=%d"):format(calls, results, bad))
