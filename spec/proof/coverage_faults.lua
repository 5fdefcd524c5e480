-- Walks the core's paths with each of its calls to others refused once: coverage_faults.lua DIRECTORY_OF_BRAZE_SO.
-- For spec/proof/coverage; what a refusal must come to is proved by the bars faults-*.

local build = arg[1]
package.path = "./?.lua;./src/?.lua;" .. package.path
package.cpath = build .. "/?.so;" .. package.cpath

local core = require "braze.core"
local braze = core.braze
local refuse = assert(package.loadlib(build .. "/braze.so", "luaopen_braze_refuse"))()
local scripted_peer = require "spec.support.scripted_peer"
local unix = require "socket.unix"

local key = "canary-key-0123456789"
local peer = scripted_peer.start()
local parameters = { campaign_id = "campaign" }

local function answering(text)
  peer:default { { read = "request" }, { write = text }, { again = true } }
end

local function client(options)
  local all = { api_key = key, endpoint = peer.url, retries = 0, timeout = 5 }
  for name, value in pairs(options or {}) do all[name] = value end
  return braze.new(all)
end

local function started(one)
  local request = one:start("create_send_id", parameters, { on_done = function() end })
  one:wait(5)
  request:wait(5)
  return request:result()
end

local paths = {
  ["a blocking call"] = function()
    local one <close> = client()
    one:create_send_id(parameters)
    return one:create_send_id(parameters)
  end,
  ["a started call"] = function()
    local one <close> = client()
    return started(one)
  end,
  ["a client never used, its descriptor asked for"] = function()
    local one <close> = client()
    return one:pollfd()
  end,
  ["TLS, a trust store, a proxy"] = function()
    local one <close> = client { endpoint = "https://127.0.0.1:1", ca_file = "/nowhere", proxy = "http://us%65r12:p%40ssword@127.0.0.1:1" }
    return one:create_send_id(parameters)
  end,
  ["the system's trust store"] = function()
    local one <close> = client { endpoint = "https://127.0.0.1:1" }
    return one:create_send_id(parameters)
  end,
  ["a channel"] = function()
    local channel, path = core.channel()
    if not channel then error(path, 0) end
    local other = unix()
    other:connect(path)
    local descriptor = channel:accept()
    local one <close> = client()
    if descriptor then core.notify(one, descriptor) end
    core.notify(one, -1)
    channel:poke()
    channel:close()
    channel:accept()
    other:close()
  end,
}

local answers = {
  ["a blocking call"] = scripted_peer.created(),
  ["a started call"] = scripted_peer.created(),
}
for name, text in pairs {
  ["a refusal that repeats the key"] = scripted_peer.answer(401, {}, '{"message":"Invalid API key: ' .. key .. ' ' .. ("x"):rep(5000) .. '"}'),
  ["a limit that is used up"] = scripted_peer.answer(429, { ["x-ratelimit-limit"] = 5, ["x-ratelimit-remaining"] = 0, ["x-ratelimit-reset"] = os.time() + 86400 }, "{}"),
  ["an answer that is none"] = scripted_peer.answer(200, {}, '{"message":"no, ' .. key:sub(1, 12) .. '"}'),
} do
  paths[name], answers[name] = paths["a blocking call"], text
end

local names = {}
for name in pairs(paths) do names[#names + 1] = name end
table.sort(names)

local runs, sites, bad = 0, 0, 0
for _, name in ipairs(names) do
  answering(answers[name] or scripted_peer.created())
  local n = 0
  repeat
    n = n + 1
    refuse(n)
    local good, failure = pcall(paths[name])
    collectgarbage()
    local count = refuse(0)
    runs, sites = runs + 1, sites + count
    if not good and not braze.is_error(failure) and type(failure) ~= "string" then
      bad = bad + 1
      print(name, n, failure)
    end
    -- What was refused has left nothing behind.
    if count > 0 and not pcall(paths["a client never used, its descriptor asked for"]) then
      bad = bad + 1
      print(name, n, "the next client does not work")
    end
  until count == 0 or n > 2000
end
peer:stop()
print(("refusals: %d sites, %d runs, %d bad"):format(sites, runs, bad))
os.exit(bad == 0, true)
