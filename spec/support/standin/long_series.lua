-- For benchmarks: numbers of a send as long as a mebibyte, made once.

local long_series = {}

local length = 1024 * 1024
local channel = '{"variation_api_id":"variation-%d","sent":%d,"delivered":%d,"undelivered":%d,'
  .. '"opens":%d,"unique_clicks":%d,"rate":0.%d}'
local text

local function make()
  local days, size = {}, 0
  while size < length do
    local number = #days + 1
    local channels = {}
    for place = 1, 4 do
      local sent = number * place * 7
      channels[place] = channel:format(place, sent, sent - 3, 3, sent - 5, number % 100, sent % 97)
    end
    days[number] = ('{"time":"2026-03-%02d","messages":{"email":[%s]},"conversions":%d,"revenue":%d.5}'):format(
      number % 28 + 1, table.concat(channels, ","), number, number * 3)
    size = size + #days[number] + 1
  end
  return '{"message":"success","data":[' .. table.concat(days, ",") .. "]}"
end

function long_series.answer()
  text = text or make()
  ngx.header.content_type = "application/json"
  ngx.header.content_length = #text
  ngx.print(text)
end

return long_series
