-- braze doctor: each step on the way of a call, from the environment to TLS: what it saw, and what to do. It sends no
-- key, no request, and makes nothing.

local braze = require "braze"
local core = require "braze.core"
local failure = require "braze.command.failure"
local output = require "braze.command.output"

local doctor = {}

local DAY = 24 * 60 * 60
local SOON = 14 * DAY -- a certificate that ends within this is worth a word
local SOME_KEY = "00000000-0000-0000-0000-000000000000"

local function environment(name)
  local value = os.getenv(name)
  return value ~= "" and value or nil
end

-- A report of steps. The first one that is bad decides the exit status.
local function new_report()
  local report = { steps = {}, status = 0 }
  function report.add(state, name, saw, cure)
    report.steps[#report.steps + 1] = { state = state, name = name, saw = saw, cure = cure }
  end
  function report.good(name, saw, ...) report.add("good", name, saw:format(...)) end
  function report.doubtful(name, saw, cure) report.add("doubtful", name, saw, cure) end
  function report.skipped(name, saw) report.add("skipped", name, saw) end
  function report.bad(name, saw, cure, status)
    report.add("bad", name, saw, cure)
    if report.status == 0 then report.status = status end
  end
  function report.wrong(name, err) report.bad(name, err.message, err.hint, failure.status(err)) end
  return report
end

local others = {
  "BRAZE_TIMEOUT", "BRAZE_CA_FILE", "BRAZE_LEDGER", "BRAZE_WORKSPACE",
  "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY",
}

local function look_at_environment(report)
  local missing, set = {}, {}
  for _, name in ipairs { "BRAZE_API_KEY", "BRAZE_REST_ENDPOINT" } do
    table.insert(environment(name) and set or missing, name)
  end
  for _, name in ipairs(others) do
    if environment(name) then set[#set + 1] = name end
  end
  if #missing == 0 then return report.good("environment", "%s", "set: " .. table.concat(set, ", ")) end
  report.bad("environment", table.concat(missing, " and ") .. (#missing > 1 and " are" or " is") .. " not set",
    "set BRAZE_API_KEY to a REST API key, and BRAZE_REST_ENDPOINT to the REST endpoint or its instance: "
    .. "the dashboard shows both", failure.USAGE)
end

-- A client for one check: what is not checked here is taken from nowhere.
local function try(options)
  options.timeout, options.proxy, options.ca_file = 30, "", "/dev/null"
  local client, err = braze.safe.new(options)
  if client then client:close() end
  return err
end

local function look_at_key(report)
  local key = environment "BRAZE_API_KEY"
  if not key then return report.skipped("key", "not set") end
  local err = try { api_key = key, endpoint = "US-01" }
  if err then return report.wrong("key", err) end
  local hex = "%x+"
  local is_usual = #key == 36 and key:find("^" .. table.concat({ hex, hex, hex, hex, hex }, "%-") .. "$")
  if is_usual then return report.good("key", "36 characters, in the usual form") end
  report.doubtful("key",
    ("%d characters, not in the form of Braze's keys (8-4-4-4-12 hexadecimal digits)"):format(#key),
    "compare it with the dashboard, unless a gateway has keys of its own")
end

local function instance_of(url)
  for name, known in pairs(braze.instances) do
    if known == url then return name end
  end
end

local function look_at_endpoint(report)
  local endpoint = environment "BRAZE_REST_ENDPOINT"
  if not endpoint then return report.skipped("endpoint", "not set") end
  local err = try { api_key = SOME_KEY, endpoint = endpoint }
  if err then return report.wrong("endpoint", err) end
  local url = (braze.instances[endpoint] or endpoint):gsub("/+$", "")
  local name = instance_of(url)
  report.good("endpoint", "%s%s", url, name and (" (%s)"):format(name) or "")
end

local function milliseconds(seconds)
  return ("%.0f ms"):format(seconds * 1000)
end

-- The step at which a connection ended: "name", "tcp", "proxy" or "tls"; nil: it came to its end.
local function failed_step(probe)
  local err = probe.error
  if not err then return nil end
  if err.kind == "tls" then return "tls" end
  if err.curl_code == 5 or err.curl_code == 6 then return "name" end
  if probe.proxy_status then return "proxy" end
  if probe.connect then return "tls" end
  return (probe.addresses or probe.name_lookup or probe.address) and "tcp" or "name"
end

local function host_of(url)
  return url:match "^%a+://(%b[])" or url:match "^%a+://([^/:]+)"
end

local function addresses_of(probe)
  local found = (probe.addresses or ""):match ":%d+:(.*)$" or probe.address
  return found and found:gsub(",", ", ")
end

local function say_name(report, probe)
  local host = host_of(probe.proxy or probe.endpoint)
  local addresses = addresses_of(probe)
  if not addresses or addresses:gsub("[%[%]]", "") == host:gsub("[%[%]]", "") then
    return report.good("name", "%s needs no look-up", host)
  end
  report.good("name", "%s is %s", host, addresses)
end

local function say_tcp(report, probe)
  local took = probe.connect and ", " .. milliseconds(probe.connect - (probe.name_lookup or 0)) or ""
  report.good("tcp", "%s port %d%s", probe.address or "connected", probe.port, took)
end

local months = {
  Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9, Oct = 10, Nov = 11, Dec = 12,
}

-- "Nov 26 01:58:29 2026 GMT", or "2026-11-26 01:58:29 GMT", as a time; nil where it is neither.
local function time_of(text)
  local month, day, hour, minute, second, year = (text or ""):match "^(%a%a%a) +(%d+) (%d+):(%d+):(%d+) (%d+)"
  month = months[month]
  if not month then
    year, month, day, hour, minute, second = (text or ""):match "^(%d+)%-(%d+)%-(%d+) (%d+):(%d+):(%d+)"
  end
  if not month then return nil end
  -- os.time takes local time: the offset of a day in UTC from the same day told as local time.
  local stated = os.time {
    year = tonumber(year), month = tonumber(month), day = tonumber(day), hour = tonumber(hour), min = tonumber(minute),
    sec = tonumber(second), isdst = false,
  }
  local utc = os.date("!*t", stated)
  utc.isdst = false
  return stated + os.difftime(stated, os.time(utc))
end

local function say_tls(report, probe)
  if not probe.secure then
    return report.skipped("tls", "http, without TLS: the endpoint is on this machine")
  end
  local store = probe.directory or probe.file or "libcurl's own store"
  local expires = time_of(probe.expires)
  local saw = ("%s, issued by %s, trusted by %s"):format(probe.subject or "a certificate", probe.issuer or "?", store)
  if expires and expires - os.time() < SOON then
    return report.doubtful("tls", saw .. "; it ends at " .. probe.expires, "whoever runs the endpoint must renew it")
  end
  report.good("tls", "%s%s", saw, probe.tls and probe.connect and ", " .. milliseconds(probe.tls - probe.connect) or "")
end

local function say_clock(report, probe)
  local now, starts, expires = os.time(), time_of(probe.starts), time_of(probe.expires)
  local shown = os.date("!%Y-%m-%d %H:%M:%S UTC", now)
  local message = probe.error and probe.error.message or ""
  if message:find "not yet valid" or message:find "expired" then
    return report.doubtful("clock", shown .. ", and the certificate is not valid then",
      "compare it with the time of another machine: a wrong clock makes good certificates invalid")
  end
  if not starts or not expires then
    return report.skipped("clock", shown .. "; there is no certificate to compare it with")
  end
  report.good("clock", "%s, which lies within the certificate's %s to %s", shown, probe.starts, probe.expires)
end

-- The steps of a connection, in order, each until one fails.
local function look_at_connection(report, client)
  local probe = core.probe(client)
  local failed = failed_step(probe)
  local steps = { { "name", say_name }, { "tcp", say_tcp }, { "tls", say_tls } }
  local exceptions = probe.no_proxy and ", but not for " .. probe.no_proxy or ""
  report.good("proxy", "%s", probe.proxy and probe.proxy .. exceptions or "none")
  if failed == "proxy" then report.steps[#report.steps] = nil end
  local reached = true
  for _, step in ipairs(steps) do
    if failed == "proxy" and step[1] == "tls" then
      report.wrong("proxy", probe.error)
      reached = false
    end
    if failed == step[1] then
      report.wrong(step[1], probe.error)
      reached = false
    elseif reached then
      step[2](report, probe)
    else
      report.skipped(step[1], "not reached")
    end
  end
  say_clock(report, probe)
  if probe.unknown_host then
    report.doubtful("endpoint", "its name is one of Braze's, but none that this version knows",
      "compare it with the dashboard")
  end
  return probe.libraries
end

-- The beginning of a file, or nil and why it can't be read.
local function read_beginning(path)
  local file, reason, code = io.open(path, "rb")
  if not file then return nil, reason, code end
  local text
  text, reason, code = file:read(16)
  file:close()
  return text or not reason and "", reason, code
end

local NO_SUCH_FILE = 2

-- A ledger makes its file, or its tables, at its first use: so none is used here.
local function look_at_ledger(report)
  local url = environment "BRAZE_LEDGER"
  if not url then return report.skipped("ledger", "none: BRAZE_LEDGER is not set") end
  local ledger, err = braze.safe.ledger()
  if not ledger then return report.wrong("ledger", err) end
  ledger:close()
  local scheme = url:match "^(%a[%w+.-]*)://"
  if scheme then
    return report.good("ledger", "%s, which \"braze ledger quota\" asks (it makes what the ledger needs there)", scheme)
  end
  local text, reason, code = read_beginning(url)
  if code == NO_SUCH_FILE then return report.good("ledger", "%s is not there yet: its first use makes it", url) end
  if not text or (text ~= "" and text ~= "SQLite format 3\0") then
    return report.bad("ledger", reason or url .. " is no database of SQLite",
      "give another path, or look at its rights", failure.by_kind.ledger)
  end
  report.good("ledger", "%s", url)
end

local function skip_connection(report)
  for _, name in ipairs { "proxy", "name", "tcp", "tls", "clock" } do report.skipped(name, "not looked at") end
end

local function examine()
  local report = new_report()
  look_at_environment(report)
  look_at_key(report)
  look_at_endpoint(report)
  local client, err = braze.safe.new()
  local libraries
  if client then
    libraries = look_at_connection(report, client)
    client:close()
  else
    if report.status == 0 then report.wrong("options", err) end
    skip_connection(report)
  end
  local lua = type(jit) == "table" and jit.version or _VERSION -- luacheck: ignore jit
  look_at_ledger(report)
  report.good("versions", "%s, %s%s", braze._VERSION, lua, libraries and ", " .. libraries or "")
  return report
end

local marks = {
  good = function() return output.good "ok  " end,
  doubtful = function() return output.doubtful "look" end,
  bad = function() return output.bad "BAD " end,
  skipped = function() return "-   " end,
}

local function show(report)
  local lines, bad = {}, 0
  for _, step in ipairs(report.steps) do
    lines[#lines + 1] = ("%s  %-12s %s"):format(marks[step.state](), step.name, output.plain(step.saw))
    if step.cure then lines[#lines + 1] = (" "):rep(19) .. "-> " .. output.plain(step.cure) end
    if step.state == "bad" then bad = bad + 1 end
  end
  lines[#lines + 1] = bad == 0 and "A call can be made. No key was sent, and no request."
    or "A call would fail. No key was sent, and no request."
  output.write(table.concat(lines, "\n") .. "\n")
end

function doctor.doctor()
  local report = examine()
  if output.json then
    output.value { good = report.status == 0, steps = braze.list(report.steps) }
  else
    show(report)
  end
  return report.status
end

return doctor
