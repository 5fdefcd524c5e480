-- The replies of the bar "raw": odd answers in the manner of those that others test with, made here. Two kinds: bodies that are
-- JSON or nearly so, each whole, in a success and in an error; and heads that are HTTP or nearly so.
--
--   local replies = require "spec.proof.peers.raw_replies" ; replies.list[1].name, replies.list[1].bytes ; replies.bodies of them are bodies

local replies = {}

local function add(name, bytes)
  replies[#replies + 1] = { name = name, bytes = bytes }
end

local made = '{"message":"success","send_id":"made"}'

local function sized(status, lines, body)
  return ("HTTP/1.1 %s\r\n%scontent-length: %d\r\n\r\n%s"):format(status, lines, #body, body)
end

-- --- Bodies ---------------------------------------------------------------------------------------------

local values = {}
local function value(...)
  for _, text in ipairs { ... } do values[#values + 1] = text end
end

-- Numbers: every combination of a sign, an integer, a fraction and an exponent, right ones and wrong ones.
for _, sign in ipairs { "", "-", "+", "--" } do
  for _, whole in ipairs { "0", "1", "012", "", "9007199254740993" } do
    for _, rest in ipairs { "", ".5", ".", "e5", "E+400", "e-400", "e", ".5e" } do value(sign .. whole .. rest) end
  end
end
value("NaN", "-NaN", "Infinity", "-Infinity", "inf", "0x1F", "0x", "1_000", "1 000", "1,000", "\239\188\145",
  ("1"):rep(5000), "0." .. ("0"):rep(5000) .. "1", "1a", "-a", "1e1e1", "2.e3",
  "-0", "-0.0e-0", "1e9999999999", "-1e9999999999", "0e+", ".", "-.", "e", "1/1", "0b1", "1h", "∞")

-- Strings: each escape there is, each letter that is none, surrogates in every order, bytes that are no UTF-8.
for _, letter in ipairs { '"', "\\", "/", "b", "f", "n", "r", "t", "a", "x41", "0", "'", "u", "u0", "u00", "u004",
  "u0041", "uzzzz", "u00e9", "u0000", "U0041", "v", "\n", "\0", "{", "" } do
  value('"\\' .. letter .. '"')
end
for _, one in ipairs { "d800", "dbff", "dc00", "dfff", "0041", "fffe", "FFFF" } do
  for _, other in ipairs { "", "\\ud800", "\\udc00", "\\udfff", "x", "\\u0041", "\\n" } do value('"\\u' .. one
    .. other .. '"') end
end
for _, bytes in ipairs { "\128", "\191", "\192\128", "\192\175", "\193\191", "\194", "\194\32", "\224\128\128",
  "\224\159\191", "\226\130", "\237\160\128", "\237\191\191", "\239\191\191",
  "\240\128\128\128", "\240\159\152\128", "\240\159\152", "\244\143\191\191", "\244\144\128\128",
    "\245\128\128\128", "\248\136\128\128\128", "\252\132\128\128\128\128", "\254", "\255", "\255\254",
  "\0", "\1", "\31", "\127", "\t", "\n", "\r", "\27[31m", "\194\155", "\226\128\168", "\239\187\191" } do
  value('"' .. bytes .. '"', bytes)
end

-- Structures: what is open, what is closed twice, what stands where nothing should.
for _, text in ipairs { "[]", "{}", "[1]", '{"a":1}', '[{"a":[]}]', '{"a":{"b":[{}]}}', "[[],[]]", '["a",1,null,true,false]' } do
  value(text, text .. text, text:sub(1, -2), text:sub(2), text .. "]", text .. "}", text .. ",", "," .. text,
    " \t\r\n" .. text .. " \n", text .. "\0", text .. "#", text .. "//x", "/**/" .. text, (text:gsub(",", ",,")))
end
value("", " ", "\n", "null", "true", "false", "nul", "tru", "NULL", "True", "undefined", "nil", "'a'", '"a', 'a"',
  '"', '""', "[,1]", "[1,]", "[1 2]", "[1,,2]", '{"a"}', '{"a":}', '{:1}', '{"a" 1}', '{"a":1,}', "{a:1}", "{1:1}",
  '{"a":1 "b":2}', '{"a":1,"a":2}', '{"":0}', '{"\\u0000":1}', '{[]:1}', '{"a":/**/1}', "[1\n", "[\"a",
    "[\"a\nb\"]", "{\"a\":\"b", "[}", "{]", "][", "}{", "[*]", "<null>", "<html>", "[\11]", "\239\187\191{}",
    "\255\254{\0}\0", "\0{\0}",
  ("["):rep(40), ("["):rep(40) .. ("]"):rep(40), ("["):rep(100000), ('{"a":'):rep(40) .. "1" .. ("}"):rep(40),
    ('[{"":'):rep(50000), ("[]"):rep(1000), "[" .. ("1,"):rep(20000) .. "1]", '{"errors":' .. ("[{"):rep(30),
    "%7B%7D", "e30=")

for number, text in ipairs(values) do
  local name = ("value %d, %q"):format(number, text:sub(1, 30))
  -- Each stands in one of the places, and with a chunk's end in it in another.
  if number % 2 == 0 then
    add(name .. " in a success", sized("200 OK", "", '{"message":"success","send_id":"made","x":' .. text .. "}"))
    add(name .. " as an error", sized("400 Bad Request", "content-type: application/json\r\n", text))
  else
    add(name .. " in an error", sized("429 Many", "retry-after: 86400\r\n", '{"message":"no","errors":[' .. text
      .. "]}"))
    add(name .. " in chunks",
      ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"):format(#text, text))
  end
end
local bodies = #replies

-- --- Heads ----------------------------------------------------------------------------------------------

for _, version in ipairs { "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/1", "HTTP/1.2", "HTTP/2", "HTTP/3",
  "HTTP/11.1", "HTTP", "http/1.1", "ICY", "RTSP/1.0", "HTTP/1.1\0", " HTTP/1.1", "HTTP/01.1" } do
  for _, status in ipairs { "200 OK", "200", "200OK", "2000", "20", "099", "000", "-200", "+200", "  200", "999 x",
    "200 \255\0\1" } do
    if version == "HTTP/1.1" or #status < 7 then add(("a line %q %q"):format(version, status),
      ("%s %s\r\ncontent-length: 38\r\n\r\n%s"):format(version, status, made)) end
  end
end

-- Lines of a header, each before, between and behind the others.
local lines = {
  " folded: x", "\tfolded", " ", "\t", "      ", "x", ":", ": x", "x:", "x :y", "x\0y: z", "x: y\0z", "x: y\rz",
    "\r", "x: " .. ("y"):rep(20000), ("x"):rep(20000) .. ": y", "\255: \254",
  "content-length: 38", "content-length: 39", "content-length: -1", "content-length: 99999999999999999999",
    "content-length: 38, 38", "content-length: x", "content-length:", "Content-Length : 38",
  "transfer-encoding: chunked", "transfer-encoding: gzip", "transfer-encoding: chunked, chunked",
    "transfer-encoding: identity", "transfer-encoding:", "transfer-encoding: chunked\r\ncontent-length: 5",
  "content-encoding: gzip", "content-encoding: br, gzip", "content-encoding: x-unknown",
    "content-encoding: deflate\r\ncontent-encoding: gzip", "content-encoding: " .. ("gzip, "):rep(100) .. "gzip",
  "connection: close", "connection: keep-alive", "connection: upgrade\r\nupgrade: h2c", "connection: x, close, y",
    "keep-alive: timeout=0", "keep-alive: timeout=-1, max=99999999999", "proxy-connection: close",
  "location: http://127.0.0.1:1/", "location: ", "location: //", "refresh: 0",
    "set-cookie: a=b; domain=.; path=/; expires=x", "set-cookie: " .. ("a"):rep(5000) .. "=b", "set-cookie: =",
    "set-cookie:",
  "www-authenticate: Basic", "www-authenticate: Digest realm=\"x\", nonce=", "www-authenticate: Negotiate !!!",
    "www-authenticate: NTLM TlRMTVNTUAACAAAA", "proxy-authenticate: Digest x",
  "retry-after: -1", "retry-after: 99999999999999999999999", "retry-after: Fri, 31 Dec 9999 23:59:59 GMT",
    "retry-after: " .. ("5, "):rep(1000) .. "5", "date: x", "date: Thu, 01 Jan 1970 00:00:00 GMT", "last-modified: x",
  "x-ratelimit-reset: 1e9", "x-ratelimit-limit: 1\r\n 2", "x-request-id: " .. ("z"):rep(300),
    "alt-svc: h3=\":1\"; ma=x", "strict-transport-security: max-age=", "content-range: bytes 5-6/x",
    "accept-ranges: none",
  "content-type: ", "content-type: a/b; charset=\"", "content-disposition: attachment; filename=\"../../x\"",
    "trailer: x", "te: trailers", "expect: 100-continue", "via: \27[31m",
}
for number, line in ipairs(lines) do
  add(("line %d first, %q"):format(number, line:sub(1, 30)), "HTTP/1.1 200 OK\r\n" .. line
    .. "\r\nx-one: 1\r\n\r\n" .. made)
  add(("line %d second, %q"):format(number, line:sub(1, 30)), sized("200 OK", "x-one: 1\r\n" .. line .. "\r\n", made))
  add(("line %d last, %q"):format(number, line:sub(1, 30)), "HTTP/1.1 503 No\r\nx-one: 1\r\ncontent-length: 2\r\n"
    .. line .. "\r\n\r\n{}")
end

-- Folded lines at every place where a response may begin anew.
for _, fold in ipairs { " f: x", "\tf", " ", "\t \t", " " .. ("f"):rep(4000) } do
  for name, before in pairs { ["at the start"] = "", ["behind 100"] = "HTTP/1.1 100 Continue\r\n\r\n",
    ["behind 103 with a header"] = "HTTP/1.1 103 Early\r\nx: y\r\n\r\n",
    ["behind a folded 103"] = "HTTP/1.1 103 Early\r\nx: y\r\n z\r\n\r\n",
      ["behind 103 twice"] = ("HTTP/1.1 103 Early\r\nx: y\r\n\r\n"):rep(2),
      ["behind a second status line"] = "HTTP/1.1 200 OK\r\n" } do
    add(("a fold %q %s"):format(fold:sub(1, 6), name), before .. "HTTP/1.1 200 OK\r\n" .. fold
      .. "\r\ncontent-length: 38\r\n\r\n" .. made)
    add(("folds %q %s"):format(fold:sub(1, 6), name), before .. "HTTP/1.1 200 OK\r\nx: y\r\n" .. (fold
      .. "\r\n"):rep(20) .. "content-length: 38\r\n\r\n" .. made)
  end
  add(("a fold %q in trailers"):format(fold:sub(1, 6)),
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n26\r\n" .. made .. "\r\n0\r\n" .. fold .. "\r\nx: y\r\n"
    .. fold .. "\r\n\r\n")
end

-- Chunks.
for _, size in ipairs { "26", "026", "26 ", " 26", "26;a=b", "26;", "26;a=\"", "0x26", "-26", "+26", "26\t", "zz",
  "", "FFFFFFFFFFFFFFFF", "7FFFFFFFFFFFFFFF", "10000000000000026", "27", "25", "0", "26\0" } do
  for _, ending in ipairs { "\r\n0\r\n\r\n", "\n0\n\n", "\r\n", "\r\n0\r\n", "\r\n0\r\nx: y\r\n\r\n", "0\r\n\r\n" } do
    add(("a chunk %q, %q"):format(size, ending), "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" .. size
      .. "\r\n" .. made .. ending)
  end
end

-- Cut and doubled.
local whole = sized("200 OK", "x-ratelimit-limit: 5\r\nx-request-id: id\r\n", made)
for cut = 0, #whole - 1, 5 do add("cut at " .. cut, whole:sub(1, cut)) end
add("twice", whole .. whole)
add("behind an empty line", "\r\n" .. whole)
add("behind empty lines", ("\r\n"):rep(100) .. whole)
add("with LF alone", (whole:gsub("\r\n", "\n")))
add("with CR alone", (whole:gsub("\r\n", "\r")))
add("many interim ones", ("HTTP/1.1 100 Continue\r\n\r\n"):rep(500) .. whole)
add("101", "HTTP/1.1 101 Switching\r\nupgrade: h2c\r\n\r\n" .. whole)
for _, status in ipairs { 201, 202, 203, 204, 205, 206, 300, 301, 302, 303, 304, 305, 307, 308, 400, 401, 403, 404,
  405, 407, 408, 409, 410, 411, 413, 414, 415, 416, 417, 418, 421, 422, 425, 426, 428, 429, 431, 451, 500, 501,
  502, 503, 504, 505, 511, 520, 524, 599 } do
  add("status " .. status .. " without a length", ("HTTP/1.1 %d X\r\nlocation: /x\r\n\r\n%s"):format(status, made))
end

return { list = replies, bodies = bodies }
