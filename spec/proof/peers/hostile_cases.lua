-- The catalogue of what a server may do to a call: each case has a name, what is expected, and what the server plays
-- behind the request.
--
--   { name, "kind maybe_applied status" or "made status", step... , check = function(outcome) -> good, what is wrong }
--
-- A text is a step that writes it. What stands between two "|" will do as well. first = steps in place of reading the
-- request; parameters of the call; tls = by TLS. Without a closing step the connection is closed.

local bar = require "spec.proof.bar"
local cjson = require "cjson"
local scripted_peer = require "spec.support.scripted_peer"

local answer = scripted_peer.answer
local made = '{"message":"success","send_id":"made"}'
local fin, reset, hold = { close = "fin" }, { close = "reset" }, { hold = true }
local whole = answer(201, nil, made)
local mebibyte = ("x"):rep(1024 * 1024)

local cases = {}
local function case(...)
  cases[#cases + 1] = { ... }
  return cases[#cases]
end

-- The head of a 200 with some lines, then a text.
local function with(lines, text)
  return "HTTP/1.1 200 OK\r\n" .. lines .. "\r\n\r\n" .. (text or "")
end

local function sized(lines, text)
  return with(("content-length: %d\r\n"):format(#(text or made)) .. lines, text or made)
end

local function json(text)
  return answer(200, { ["content-type"] = "application/json" }, text)
end

-- Closes at each stage.
for name, close in pairs { fin = fin, reset = reset } do
  case("closes by " .. name .. " at once", "network true -|network false -", close).first = {}
  case("closes by " .. name .. " after one byte", "network true -", close).first = { { read = 1 } }
  case("closes by " .. name .. " inside the request", "network true -", close).first = { { read = 120 } }
  case("closes by " .. name .. " after the request", "network true -", close)
  case("closes by " .. name .. " inside the body", "network true 200", with("content-length: 38", made:sub(1, 9)),
    close)
end
case("closes inside the status line", "network true -|protocol true -", "HTTP/1.1 20", fin)
case("closes after the status line", "network true 200|protocol true 200", "HTTP/1.1 200 OK\r\n", fin)
case("closes inside a header", "network true 200|protocol true 200", "HTTP/1.1 200 OK\r\ncontent-le", fin)
case("closes before the blank line", "network true 200|protocol true 200",
  "HTTP/1.1 200 OK\r\ncontent-length: 38\r\n", fin)
case("closes after the headers", "network true 200", with "content-length: 38", fin)
case("half-closes inside the body", "network true 200", with("content-length: 38", "{"), { half_close = true }, hold)
case("ends TLS without a goodbye, with a length", "network true 200", with("content-length: 38", "{"),
  { close = "cut" }).tls = true
-- Pinned: libcurl takes the end of a connection for that of the body even if TLS said no goodbye.
case("ends TLS without a goodbye, without a length", "made 200|network true 200", with("x: y", made),
  { close = "cut" }).tls = true
case("ends TLS inside the body, with its goodbye", "network true 200", with("content-length: 38", "{"),
  fin).tls = true
case("answers before it reads", "made 201", whole, { read = "request" }, fin).first = {}
case("answers early, and never reads all", "rejected false 413", answer(413, nil, "{}"), { pause = 0.05 },
  fin).first = { { read = 10 } }

-- Lengths.
case("a length too short", "protocol true 200", with("content-length: 5", made))
case("a length too long", "network true 200", with("content-length: 39", made))
case("a length of 0 before a body", "protocol true 200", with("content-length: 0", made))
case("a negative length", "protocol true 200", with("content-length: -1", made))
case("a length with a sign", "made 200|protocol true 200", with("content-length: +38", made))
case("a hexadecimal length", "protocol true 200", with("content-length: 0x26", made))
case("a length with letters behind", "made 200|protocol true 200", with("content-length: 38abc", made))
case("a length of letters", "protocol true 200", with("content-length: abc", made))
case("a length that is empty", "made 200|protocol true 200", with("content-length:", made))
case("a length of 2^63 - 1", "network true 200", with("content-length: 9223372036854775807", made))
case("a length of 2^64", "made 200|protocol true 200", with("content-length: 18446744073709551616", made))
case("the same length twice", "made 200", with("content-length: 38\r\ncontent-length: 38", made))
case("two lengths, the second too short", "protocol true 200", with("content-length: 38\r\ncontent-length: 5", made))
case("two lengths, the second too long", "network true 200|protocol true 200",
  with("content-length: 38\r\ncontent-length: 99", made))
case("two lengths on one line", "made 200|protocol true 200", with("content-length: 38, 38", made))
local chunked = "transfer-encoding: chunked"
case("a length and chunks", "made 200", with("content-length: 5\r\n" .. chunked, "26\r\n" .. made .. "\r\n0\r\n\r\n"))
case("chunks and a length", "made 200", with(chunked .. "\r\ncontent-length: 5", "26\r\n" .. made .. "\r\n0\r\n\r\n"))

-- Chunks.
case("a chunk size that is none", "network true 200|protocol true 200", with(chunked, "zz\r\n" .. made))
case("a negative chunk size", "network true 200|protocol true 200", with(chunked, "-26\r\n" .. made))
case("a chunk size beyond 64 bits", "network true 200|protocol true 200",
  with(chunked, ("F"):rep(17) .. "\r\n" .. made))
case("a chunk size of 2^63 - 1", "network true 200|protocol true 200", with(chunked, "7FFFFFFFFFFFFFFF\r\n" .. made))
case("a chunk size that is missing", "network true 200|protocol true 200", with(chunked, "\r\n" .. made))
case("a chunk size with 0x", "network true 200|protocol true 200|made 200",
  with(chunked, "0x26\r\n" .. made .. "\r\n0\r\n\r\n"))
case("a chunk longer than its size", "network true 200|protocol true 200",
  with(chunked, "5\r\n" .. made .. "\r\n0\r\n\r\n"))
case("a chunk cut by the end", "network true 200", with(chunked, "27\r\n" .. made))
case("a missing last chunk", "network true 200", with(chunked, "26\r\n" .. made .. "\r\n"))
case("chunks with LF alone", "made 200|network true 200", with(chunked, "26\n" .. made .. "\n0\n\n"))
case("a chunk extension of 100 KiB", "made 200|network true 200|protocol true 200",
  with(chunked, "26;" .. ("x"):rep(102400) .. "\r\n" .. made .. "\r\n0\r\n\r\n"))
case("chunks of a byte each", "made 200", with(chunked, made:gsub(".", "1\r\n%0\r\n") .. "0\r\n\r\n"))
case("trailers", "made 200", with(chunked, "26\r\n" .. made
  .. "\r\n0\r\nx-ratelimit-limit: 5\r\nx-request-id: late\r\n\r\n")).check =
  function(outcome) return not outcome.rate_limit.limit and not outcome.request_id, "trailers count" end
case("trailers behind an empty body", "protocol true 200",
  with(chunked, "0\r\nx-ratelimit-limit: 5\r\nretry-after: 5\r\n\r\n")).check =
  function(outcome) return not outcome.rate_limit.limit and not outcome.retry_at, "trailers count" end
case("endless trailers", "protocol true 200", with(chunked, "26\r\n" .. made .. "\r\n0\r\n"),
  { repeat_write = "x: y\r\n" })
case("endless empty lines for a chunk size", "network true 200|protocol true 200", with(chunked),
  { repeat_write = "\r\n" })
case("an encoding that nobody knows", "made 200|protocol true 200", with("transfer-encoding: xyz", made))
case("gzip as transfer encoding", "protocol true 200|made 200",
  with("transfer-encoding: gzip, chunked", "26\r\n" .. made .. "\r\n0\r\n\r\n"))

-- Versions.
case("HTTP/0.9", "protocol true -", made)
case("HTTP/1.0 without a length", "made 200", "HTTP/1.0 200 OK\r\n\r\n" .. made)
case("HTTP/1.0 kept alive", "made 200", "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 38\r\n\r\n"
  .. made)
case("HTTP/2 in a status line", "made 200|protocol true -|protocol true 200",
  "HTTP/2 200\r\ncontent-length: 38\r\n\r\n" .. made)
case("HTTP/3 in a status line", "protocol true -|made 200", "HTTP/3 200\r\ncontent-length: 38\r\n\r\n" .. made)
case("HTTP/9.9", "protocol true -", "HTTP/9.9 200 OK\r\ncontent-length: 38\r\n\r\n" .. made)
case("small letters in the status line", "made 200|protocol true -", "http/1.1 200 OK\r\ncontent-length: 38\r\n\r\n"
  .. made)
case("a blank line first", "protocol true -|made 201", "\r\n" .. whole)
case("another protocol", "protocol true -", "220 mail.test ESMTP\r\n")
case("an HTTP/2 settings frame", "protocol true -", "\0\0\0\4\0\0\0\0\0")
case("an HTTP/2 GOAWAY frame", "protocol true -", "\0\0\8\7\0\0\0\0\0\0\0\0\0\0\0\0\0")
case("a TLS alert", "protocol true -", "\21\3\3\0\2\2\40")
case("64 KiB of NUL", "protocol true -", ("\0"):rep(65536))
case("endless NUL", "protocol true -", { repeat_write = ("\0"):rep(65536) })

-- Interim answers.
for _, status in ipairs { 100, 102, 103 } do
  local interim = ("HTTP/1.1 %d Interim\r\n\r\n"):format(status)
  case(status .. " once", "made 201", interim .. whole)
  case(status .. " 1,000 times", "made 201", interim:rep(1000) .. whole)
  case(status .. " without end", "protocol true -", { repeat_write = interim:rep(100) })
  case(status .. " and no more", "network true -", interim, fin)
end
case("101, unasked", "protocol true -",
  "HTTP/1.1 101 Switching\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n\1\2\3")
case("103 with other numbers", "made 201", "HTTP/1.1 103 Early\r\nx-ratelimit-limit: 5\r\n\r\n" .. whole).check =
  function(outcome) return not outcome.rate_limit.limit, "an interim answer's number counts" end

-- Statuses.
case("204 with a body", "protocol true 204", "HTTP/1.1 204 No\r\ncontent-length: 38\r\n\r\n" .. made)
case("205 with a body", "made 205|protocol true 205", "HTTP/1.1 205 Reset\r\ncontent-length: 38\r\n\r\n" .. made)
case("304 with a body", "protocol false 304", "HTTP/1.1 304 Not\r\ncontent-length: 38\r\n\r\n" .. made)
case("status 099", "protocol true -", "HTTP/1.1 099 Low\r\ncontent-length: 38\r\n\r\n" .. made)
case("status 600", "protocol true 600", answer(600, nil, made))
case("status 999", "protocol true 999", answer(999, nil, made))
case("status 2e1", "protocol true -", "HTTP/1.1 2e1 OK\r\ncontent-length: 38\r\n\r\n" .. made)
case("status 000", "protocol true -", "HTTP/1.1 000 Zero\r\ncontent-length: 38\r\n\r\n" .. made)
case("status -20", "protocol true -", "HTTP/1.1 -20 Minus\r\ncontent-length: 38\r\n\r\n" .. made)
case("a status of two digits", "protocol true -", "HTTP/1.1 20 OK\r\ncontent-length: 38\r\n\r\n" .. made)
case("a status of four digits", "made 200|protocol true -|protocol true 200",
  "HTTP/1.1 2000 OK\r\ncontent-length: 38\r\n\r\n" .. made)
case("no reason behind the status", "made 200", "HTTP/1.1 200\r\ncontent-length: 38\r\n\r\n" .. made)
case("two status lines", "made 200|protocol true 200|network true 200",
  "HTTP/1.1 200 OK\r\nHTTP/1.1 500 No\r\ncontent-length: 38\r\n\r\n" .. made)
for status, expected in pairs { [401] = "auth false 401", [403] = "auth false 403", [407] = "rejected false 407" } do
  case(status .. " that asks for a password", expected, answer(status, {
    'WWW-Authenticate: Basic realm="x"', "WWW-Authenticate: Negotiate",
      'Proxy-Authenticate: Digest realm="x", nonce="y"' }, "{}"))
end
case("417", "rejected false 417", answer(417))
case("426 with an upgrade", "rejected false 426", answer(426, { "upgrade: h2c", "connection: upgrade" }))
case("408", "rejected true 408", answer(408, { "connection: close" }, "{}"))
case("429 with a reset of 10^40", "rate_limited false 429",
  answer(429, { ["x-ratelimit-reset"] = ("9"):rep(40), ["retry-after"] = ("9"):rep(40) })).check =
  function(outcome) return not outcome.retry_at and not outcome.rate_limit.reset, "a number that is none" end

-- Redirects.
for _, status in ipairs { 300, 301, 302, 303, 305, 307, 308 } do
  for name, target in pairs { ["another host"] = "http://127.0.0.2:%d/", ["https"] = "https://127.0.0.1:%d/",
    file = "file:///etc/passwd",
    ["another port"] = "http://127.0.0.1:1/", ["nowhere"] = "", path = "/elsewhere",
      gopher = "gopher://127.0.0.1:%d/" } do
    local row = case(("%d to %s"):format(status, name), ("protocol %s %d"):format(tostring(status == 303), status))
    row.location, row.status = target, status
  end
end

-- Headers.
case("a header line of 70 KiB", "protocol true 200", sized("x-long: " .. ("y"):rep(70 * 1024)))
-- Before libcurl 8.6 a line that is too long for it cannot be told from a want of memory.
case("a header line of 100 KiB", "protocol true 200|network true 200", sized("x-long: " .. ("y"):rep(100 * 1024)))
case("an endless header line", "protocol true 200|network true 200", "HTTP/1.1 200 OK\r\nx: ",
  { repeat_write = ("y"):rep(65536) })
case("an endless status line", "protocol true -|protocol true 200|network true -", "HTTP/1.1 200 ",
  { repeat_write = ("y"):rep(65536) })
case("10,000 headers", "protocol true 200", sized(("x-filler: yyyyyyyyyy\r\n"):rep(9999) .. "x: y"))
case("endless headers", "protocol true 200", "HTTP/1.1 200 OK\r\n",
  { repeat_write = ("x-filler: yyyyyyyyyy\r\n"):rep(100) })
case("headers of a 500 without end", "server true 500", "HTTP/1.1 500 No\r\n",
  { repeat_write = ("x-filler: yyyyyyyyyy\r\n"):rep(100) })
case("2,000 headers of the same name", "made 200", sized(("x-request-id: id-7\r\n"):rep(2000) .. "x: y"))
case("a header without a colon", "made 200|protocol true 200", sized "nonsense")
case("a header without a name", "made 200|protocol true 200", sized ": x")
case("a folded header", "made 200|protocol true 200", sized "x-ratelimit-limit: 1\r\n 00").check =
  function(outcome) return not outcome.rate_limit.limit, "half of a folded number counts" end
-- By themselves: libcurl 7.83 to 8.0.1 writes to freed memory here (curl/curl#11103), over http and https alike.
for _, secure in ipairs { false, true } do
  for name, before in pairs { ["the first header"] = "",
    ["that of an answer behind an interim one"] = "HTTP/1.1 103 Early\r\nx: y\r\n\r\n" } do
    local folded = case(("a fold before %s, %s"):format(name, secure and "https" or "http"),
      "made 200|protocol true 200|protocol true -",
      before .. "HTTP/1.1 200 OK\r\n folded: x\r\ncontent-length: 38\r\n\r\n" .. made)
    folded.alone, folded.tls = true, secure
  end
end
case("folds alone for trailers", "made 200|protocol true 200", with(chunked, "26\r\n" .. made
  .. "\r\n0\r\n folded\r\n\tagain\r\n\r\n"))
case("NUL in a header", "protocol true 200|made 200", sized "x-nul: a\0b")
case("NUL in a header's name", "protocol true 200|made 200", sized "x-\0nul: ab")
case("a CR alone in a header", "made 200|protocol true 200",
  sized "x-ratelimit-limit: 1\rx-ratelimit-remaining: 2").check =
  function(outcome) return not outcome.rate_limit.limit and not outcome.rate_limit.remaining,
    "a CR ended a header" end
case("LF alone", "made 200", "HTTP/1.1 200 OK\ncontent-length: 38\nx-ratelimit-limit: 7\n\n" .. made).check =
  function(outcome) return outcome.rate_limit.limit == 7, "no limit" end
case("8-bit in a header", "made 200", sized "x-request-id: \228\255\200\r\nx-ratelimit-limit: \1787").check =
  function(outcome) return not outcome.rate_limit.limit, "a number that is none" end
case("a space before the colon", "made 200|protocol true 200", sized "x-ratelimit-limit : 7").check =
  function(outcome) return not outcome.rate_limit.limit or outcome.rate_limit.limit == 7, "another limit" end
case("contradictory limits", "made 200",
  sized "x-ratelimit-limit: 7\r\nX-RateLimit-Limit: 8\r\nx-ratelimit-remaining: 1,2").check =
  function(outcome) return not outcome.rate_limit.limit and not outcome.rate_limit.remaining,
    "a number that is none" end
case("cookies", "made 200", sized(("set-cookie: a=%s; path=/\r\n"):format(("b"):rep(3000)):rep(10)
  .. "set-cookie: c=d"))
case("other services and strict transport", "made 200",
  sized 'alt-svc: h2="127.0.0.1:1"\r\nstrict-transport-security: max-age=99999999')
case("a refresh", "made 200", sized "refresh: 0; url=file:///etc/passwd")
case("an answer and another one at once", "made 201", whole
  .. answer(201, nil, '{"message":"success","send_id":"crossed"}'), { read = "end" })
case("an answer and another one later", "made 201", whole, { pause = 0.002 },
  answer(201, nil, '{"message":"success","send_id":"crossed"}'), fin)

-- Bodies.
local bomb = bar.output_of "head -c 10000000 /dev/zero | gzip -9 | gzip -9 | od -An -v -tx1":gsub("%s", "")
bomb = bomb:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end)
case("a gzip bomb, unasked", "protocol true 200", answer(200, { ["content-encoding"] = "gzip, gzip" }, bomb))
case("a gzip bomb without end", "protocol true 200", with "content-encoding: gzip", { repeat_write = bomb })
for _, encoding in ipairs { "br", "zstd", "deflate", "xyz", "gzip" } do
  case("plain JSON called " .. encoding, "made 200|protocol true 200",
    answer(200, { ["content-encoding"] = encoding }, made))
end
case("bytes called br", "protocol true 200", answer(200, { ["content-encoding"] = "br" }, "\11\2\128\1\2\3\255"))
case("an endless body", "protocol true 200", with "x: y", { repeat_write = mebibyte })
case("an endless body of a 401", "auth false 401", "HTTP/1.1 401 No\r\n\r\n", { repeat_write = mebibyte })
case("10 GB announced", "protocol true 200", with "content-length: 10000000000", { repeat_write = mebibyte })
case("endless chunks", "protocol true 200", with(chunked), { repeat_write = "10000\r\n" .. ("x"):rep(65536)
  .. "\r\n" })
case("a body of 1 MiB", "made 200", json(made .. (" "):rep(1024 * 1024 - #made)))
case("a body of 1 MiB and a byte", "protocol true 200", json(made .. (" "):rep(1024 * 1024 - #made + 1)))
case("the answer in gzip, unasked", "protocol true 200", answer(200, { ["content-encoding"] = "gzip" },
  "\31\139\8\0\0\0\0\0\0\3")).check =
  function(outcome) return not outcome.body and outcome.message:find("gzip", 1, true),
    "a coding is shown, or not named" end
case("bytes in a 401", "auth false 401", answer(401, nil, "\31\139\8\0\0\0\0\0\0\3")).check =
  function(outcome) return not outcome.body, "a body that is no text" end
case("an error of 300,000 empty objects", "rejected false 400", answer(400, nil, '{"errors":['
  .. ("{},"):rep(300000) .. "{}]}")).check =
  function(outcome) return not outcome.errors and #outcome.body == 4096, "too much is kept" end
for _, value in ipairs { "2", "86400", "1800000000000", "9007199254740991" } do
  case("a reset of " .. value, "rate_limited false 429", answer(429, { ["x-ratelimit-reset"] = value })).check =
    function(outcome) return not outcome.retry_at, "a number that is no time" end
end
for _, value in ipairs { "soon", "-1", "1, 2", ("5, "):rep(20000) .. "5", "Sun, 06 Nov 1994 08:49:37" } do
  case("Retry-After: " .. value:sub(1, 20), "server true 503", answer(503, { ["retry-after"] = value })).check =
    function(outcome) return not outcome.retry_at, "a value that is none" end
end
case("JSON called HTML", "made 200", answer(200, { ["content-type"] = "text/html" }, made))
case("JSON without a type", "made 200", sized "x: y")
case("JSON of another character set", "made 200",
  answer(200, { ["content-type"] = "application/json; charset=utf-16" }, made))
case("HTML in a 502", "server true 502", answer(502, { ["content-type"] = "text/html" }, "<html><h1>502</h1>"))
case("HTML in a 200", "protocol true 200", answer(200, { ["content-type"] = "text/html" }, "<html>"))
case("an empty 200", "protocol true 200", answer(200))
case("a 200 of blanks", "protocol true 200", json((" \r\n\t"):rep(1000)))
case("a byte order mark", "protocol true 200|made 200", json("\239\187\191" .. made))
case("UTF-16", "protocol true 200", json("\255\254" .. made:gsub(".", "%0\0")))
case("a key twice", "made 200", json '{"message":"no","send_id":"other","message":"success","send_id":"made"}')
case("lists a million deep", "protocol true 200", json(("["):rep(1000000)))
case("objects 100,000 deep", "protocol true 200", json(('{"a":'):rep(100000) .. "1" .. ("}"):rep(100000)))
case("objects 40 deep in an error", "rejected false 400",
  answer(400, nil, '{"errors":' .. ("["):rep(40) .. ("]"):rep(40) .. "}"))
local function field(value, expected)
  return case("a field " .. value, expected or "made 200",
    json('{"message":"success","send_id":"made","x":' .. value .. "}"))
end
for _, number in ipairs { "1e999", "-1e999", "18446744073709551616", "-0", "-0.0", "1e-999", ("9"):rep(400),
  "0.1e1" } do field(number) end
for _, number in ipairs { "NaN", "Infinity", "-Infinity", "0x1F", "01", "+1", "1.", ".5", "'x'", "nil", '"\\x41"' } do
  field(number, "protocol true 200|made 200")
end
for _, text in ipairs { '"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\u0041"' } do field(text,
  "protocol true 200|made 200") end
for _, text in ipairs { '"\192\175"', '"\237\160\128"', '"\244\144\128\128"', '"\255"',
  '"\\u0000"' } do field(text) end
case("a raw NUL in a string", "protocol true 200|made 200", json '{"message":"success","send_id":"made","x":"a\0b"}')
case("NUL behind the JSON", "protocol true 200|made 200", json(made .. "\0\0"))
case("nonsense behind the JSON", "protocol true 200", json(made .. "x"))
case("two objects", "protocol true 200", json(made .. made))
case("JSON cut in half", "protocol true 200", json(made:sub(1, 20)))
case("a comment", "protocol true 200", json("/* */" .. made))
for _, value in ipairs { "7", "null", '""', "true", "[]", "{}", '["made"]' } do
  case("send_id " .. value, "protocol true 200", json('{"message":"success","send_id":' .. value .. "}"))
end
case("no send_id", "protocol true 200", json '{"message":"success"}')
case("a send_id of 1 MB", "made 200", json('{"message":"success","send_id":"' .. mebibyte:sub(1, 1000000) .. '"}'))
case("a message of 1 MB", "rejected false 400",
  answer(400, nil, '{"message":"' .. mebibyte:sub(1, 1000000) .. '"}')).check =
  function(outcome) return #outcome.message < 2000 and #outcome.body == 4096, "too much is kept" end
case("202, queued", "protocol true 202", answer(202, nil, '{"message":"queued"}'))
case("201, queued with a send_id", "protocol true 201", answer(201, nil, '{"message":"queued","send_id":"made"}'))
for _, text in ipairs { "Success", "success ", "failed", "" } do
  case(('message "%s"'):format(text), "protocol true 200", json('{"message":"' .. text .. '","send_id":"made"}'))
end
for _, errors in ipairs { "7", "true", "null", '"one"', "{}", '{"a":{"b":null}}', "[]", "[null,null,1]",
  "[[[[[]]]]]" } do
  case("errors " .. errors, "rejected false 400", answer(400, nil, '{"message":"no","errors":' .. errors .. "}"))
  case("errors " .. errors .. " of a success", "made 200",
    json('{"message":"success","send_id":"made","errors":' .. errors .. "}"))
end
case("our own fields", "made 200",
  json('{"message":"success","send_id":"made","status":"evil","attempts":99,"elapsed":"x",' ..
    '"rate_limit":7,"request_id":5}')).check =
  function(outcome)
    return outcome.status == 200 and outcome.attempts == 1 and type(outcome.elapsed) == "number"
      and type(outcome.rate_limit) == "table"
      and outcome.request_id == nil, "a field of the body's wins"
  end
case("100,000 fields", "protocol true 200|made 200",
  json('{"message":"success","send_id":"made"' .. (',"a":1'):rep(100000) .. "}"))
case("100,000 nulls in a list", "made 200", json('{"message":"success","send_id":"made","x":['
  .. ("null,"):rep(100000) .. "1]}")).check =
  function(outcome) return #outcome.x == 1, "nulls are left" end

-- The key, sent back.
local forms = {
  plain = bar.key, JSON = cjson.encode(bar.key):sub(2, -2), ["JSON without \\/"] = bar.key:gsub('["\\]', "\\%0"),
  ["JSON's \\u"] = bar.key:gsub(".", function(letter) return ("\\u%04x"):format(letter:byte()) end),
  ["JSON's \\U in capitals"] = bar.key:gsub(".", function(letter) return ("\\u%04X"):format(letter:byte()) end),
  percent = bar.key:gsub(".", function(letter) return ("%%%02X"):format(letter:byte()) end),
  ["percent in small letters"] = bar.key:gsub(".", function(letter) return ("%%%02x"):format(letter:byte()) end),
  ["percent where needed"] = bar.key:gsub('["\\/]', function(letter) return ("%%%02X"):format(letter:byte()) end),
  ["with Bearer"] = "Bearer " .. bar.key, ["twice over"] = bar.key .. bar.key,
    ["behind a part of it"] = bar.key:sub(1, 12) .. bar.key,
  ["less its first character"] = bar.key:gsub('["\\]', "\\%0"):sub(2),
    ["in capitals"] = cjson.encode(bar.key:upper()):sub(2, -2),
  ["twice in JSON"] = bar.key:gsub(".", function(letter) return ("\\\\u%04x"):format(letter:byte()) end),
  HTML = bar.key:gsub(".", function(letter) return ("&#%d;"):format(letter:byte()) end),
}
for name, form in pairs(forms) do
  case("401 with the key: " .. name, "auth false 401",
    answer(401, { ["x-request-id"] = form }, '{"message":"Invalid API key: ' .. form .. '","errors":["' .. form
    .. '"]}'))
  case("302 with the key: " .. name, "protocol false 302",
    answer(302, { location = "http://127.0.0.1:1/?key=" .. form }, form))
  case("200 with the key: " .. name, "protocol true 200", answer(200, nil, form .. " is no JSON"))
end
case("401 with the key in chunks of a byte", "auth false 401",
  "HTTP/1.1 401 No\r\ntransfer-encoding: chunked\r\n\r\n" .. bar.key:gsub(".", "1\r\n%0\r\n") .. "0\r\n\r\n")
case("401 with the key in its reason", "auth false 401", "HTTP/1.1 401 " .. bar.key
  .. "\r\ncontent-length: 2\r\n\r\n{}")
case("no HTTP but the key", "protocol true -", bar.key .. "\r\n")
case("a length that is the key", "protocol true 200|network true 200|made 200",
  with("content-length: " .. bar.key, made))

return cases
