-- A long answer through braze, and lua-cjson alone on the same text, in turn: read.lua CALLS WARM_UP
-- Prints one line of JSON; BRAZE_API_KEY and BRAZE_REST_ENDPOINT, an http:// one, are in the environment.

local braze = require "braze"
local cjson = require "cjson"
local http = require "socket.http"

local calls, warm_up = tonumber(arg[1]), tonumber(arg[2])
local text = assert(http.request(os.getenv "BRAZE_REST_ENDPOINT" .. "/sends/data_series"))
local client = braze.new()
local parameters = { campaign_id = "campaign", send_id = "send", length = 14 }
local bad = 0

local work = {
  braze = function()
    local result = client:get_send_analytics(parameters)
    if #result.data < 1000 then bad = bad + 1 end
  end,
  cjson = function()
    if #cjson.decode(text).data < 1000 then bad = bad + 1 end
  end,
}
local cpu = { braze = 0, cjson = 0 }
for number = 1 - warm_up, calls do
  for name, run in pairs(work) do
    -- Neither pays for what the other one has left behind.
    collectgarbage()
    local began = os.clock()
    run()
    if number > 0 then cpu[name] = cpu[name] + os.clock() - began end
  end
end
print(('{"length":%d,"n":%d,"bad":%d,"braze_us":%.1f,"cjson_us":%.1f}'):format(#text, calls, bad,
  cpu.braze / calls * 1e6, cpu.cjson / calls * 1e6))
