-- Prints an SVG of the parts of attempts: makes calls to the stand-in of tools/with-standin, and draws what on_event is
-- told.

local braze = require "braze"

local ports = { http = os.getenv "HTTP_PORT", https = os.getenv "HTTPS_PORT" }
local colours = {
  name_lookup = "#7a5195", connect = "#2a7fb8", tls = "#ef8a3c", first_byte = "#3a9e5c", pause = "#b8b8b8",
}
local parts = { "name_lookup", "connect", "tls", "first_byte", "pause" }
local left, width, height, gap = 250, 560, 22, 10

-- Rows: a text, and the events of one call.
local rows = {}

local function call(client, text)
  pcall(client.create_send_id, client, { campaign_id = "campaign", send_id = "spring-sale" })
  rows[#rows + 1] = { text = text }
end

local function client(path, events, secure)
  local endpoint = secure and "https://localhost:" .. ports.https or "http://127.0.0.1:" .. ports.http
  return braze.new {
    api_key = "braze-standin-key",
    endpoint = endpoint .. path,
    ca_file = secure and os.getenv "CA_FILE" or nil,
    retries = 1,
    on_event = function(event)
      if event.type ~= "call" then events[#events + 1] = event end
    end,
  }
end

do
  local kept, refused = {}, {}
  local one = client("/slow/20", kept, true)
  call(one, "https, a new connection")
  call(one, "https, the kept connection")
  call(client("/slow/20/fail/503", refused), "refused with 503, and sent again")
  rows[1].events, rows[2].events, rows[3].events = { kept[1] }, { kept[2] }, refused
end

-- The lengths of a row, one after the other: the name of the part, and its seconds.
local function lengths(row)
  local list = {}
  for _, event in ipairs(row.events) do
    for _, part in ipairs(parts) do
      if event[part] and event[part] > 0 then list[#list + 1] = { part, event[part] } end
    end
  end
  return list
end

local longest = 0
for _, row in ipairs(rows) do
  local sum = 0
  for _, length in ipairs(lengths(row)) do sum = sum + length[2] end
  longest = math.max(longest, sum)
end

local function write(format, ...) print(format:format(...)) end

write('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="13">',
  left + width + 20, #rows * (height + gap) + 70)
write "<title>The parts of attempts</title>"
write('<rect width="100%%" height="100%%" fill="#ffffff"/>')
for number, row in ipairs(rows) do
  local x, y = left, gap + (number - 1) * (height + gap)
  write('<text x="%d" y="%d" text-anchor="end">%s</text>', left - 10, y + 16, row.text)
  for _, length in ipairs(lengths(row)) do
    local long = length[2] / longest * width
    write('<rect x="%.1f" y="%d" width="%.1f" height="%d" fill="%s"><title>%s: %.1f ms</title></rect>', x, y,
      math.max(long, 1), height, colours[length[1]], length[1], length[2] * 1000)
    x = x + long
  end
end
local y = gap + #rows * (height + gap) + 20
write('<text x="%d" y="%d">%.0f ms from left to right</text>', left, y, longest * 1000)
for number, part in ipairs(parts) do
  local x = left + (number - 1) * 105
  write('<rect x="%d" y="%d" width="12" height="12" fill="%s"/>', x, y + 12, colours[part])
  write('<text x="%d" y="%d">%s</text>', x + 17, y + 23, part)
end
write "</svg>"
