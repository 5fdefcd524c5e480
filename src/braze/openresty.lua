-- braze for OpenResty and nginx with ngx_lua: a light thread waits for a semaphore, and one timer for each nginx worker
-- reads from a unix socket that the clients' threads write to. nginx can wait for nothing but sockets it connected.

local host = require "braze.host"
local semaphore = require "ngx.semaphore"

local core = host.core

-- Seconds that a light thread waits at once. While the channel is up, a lost byte costs that and is no hang; without
-- it the light thread has to look by itself.
local slice, slice_without_channel = 1, 0.005
-- The reader goes on for so long without work, so that a call now and then does not set it up anew each time.
local linger = 1
-- nginx logs each read that times out as an error, so the reader's never does.
local never = 24 * 3600 * 1000

local phases_that_wait = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true,
}

-- Of this nginx worker: what init_by_lua made in the master is forked into the workers.
local state

local function own_state()
  local pid = ngx.worker.pid()
  if not state or state.pid ~= pid then
    state = { pid = pid, clients = {}, free = {}, notified = setmetatable({}, { __mode = "k" }) }
  end
  return state
end

local worker = {}

function worker.now()
  ngx.update_time()
  return ngx.now()
end

function worker.refusal()
  local phase = ngx.get_phase()
  if phases_that_wait[phase] then return end
  if phase == "init" then
    return "nothing may wait in the phase init (init_by_lua)",
      "do it in init_worker_by_lua, inside ngx.timer.at(0, function() ... end)"
  end
  return ("nothing may wait in the phase %s"):format(phase),
    "do it inside ngx.timer.at(0, function() ... end), which may wait"
end

function worker.start_refusal()
  if ngx.get_phase() ~= "init" then return end
  return "in the phase init (init_by_lua) there is no worker yet", "do it in init_worker_by_lua"
end

function worker.report(err)
  ngx.log(ngx.ERR, tostring(err))
end

local function deliver(client)
  local delivered, err = client:_deliver()
  if not delivered then ngx.log(ngx.ERR, "braze: an on_done raised: ", tostring(err)) end
end

-- An on_done may start a call of one more client, so the table is not walked through meanwhile.
local function deliver_all(own)
  local clients = {}
  for client in pairs(own.clients) do clients[#clients + 1] = client end
  for _, client in ipairs(clients) do
    deliver(client)
    if not client:_busy() then own.clients[client] = nil end
  end
end

local function notify(own, client)
  if not own.writing or own.notified[client] == own.channel then return end
  own.notified[client] = own.channel
  core.notify(client.core, own.writing)
end

-- Connecting to a unix socket does not yield: nothing comes between the three steps.
local function connect(own)
  local channel, path = core.channel()
  if not channel then return nil, path end
  local reading = ngx.socket.tcp()
  local connected, err = reading:connect("unix:" .. path)
  local writing = connected and channel:accept()
  if not writing then
    channel:close()
    return nil, err or "the connection was not taken"
  end
  own.channel, own.writing = channel, writing
  for client in pairs(own.clients) do notify(own, client) end
  return reading
end

-- The reader has nothing to read. False: it may end, for that has lasted long enough or nginx is going away. Otherwise
-- a timer looks again, which nginx fires early when it goes away.
local function end_idleness_later(own)
  own.idle_since = own.idle_since or worker.now()
  if ngx.worker.exiting() or worker.now() - own.idle_since >= linger then return false end
  if own.idle_timer then return true end
  local channel = own.channel
  own.idle_timer = ngx.timer.at(linger, function()
    own.idle_timer = nil
    if own.channel == channel then channel:poke() end
  end)
  return own.idle_timer
end

local function read(own)
  local reading, err = connect(own)
  if not reading then
    if not own.warned then ngx.log(ngx.WARN, "braze: answers are looked for every few milliseconds: ", err) end
    own.warned = true
    repeat
      ngx.sleep(slice_without_channel)
      deliver_all(own)
    until not next(own.clients)
    return
  end
  reading:settimeout(never)
  while true do
    deliver_all(own)
    if next(own.clients) then
      own.idle_since = nil
    elseif not end_idleness_later(own) then
      break
    end
    if not reading:receiveany(4096) then break end
  end
  reading:close()
end

local function run_reader(own)
  local good, err = pcall(read, own)
  if not good then ngx.log(ngx.ERR, "braze: ", tostring(err)) end
  if own.channel then own.channel:close() end
  own.channel, own.writing, own.reading = nil, nil, false
  if next(own.clients) and not ngx.worker.exiting() then worker.watch(next(own.clients)) end
end

function worker.watch(client)
  local own = own_state()
  own.clients[client] = true
  notify(own, client)
  if own.reading then return end
  own.reading = ngx.timer.at(0, function() run_reader(own) end) and true or false
end

function worker.wait(seconds, announce)
  local own = own_state()
  local place = table.remove(own.free) or semaphore.new(0)
  local longest = own.writing and slice or slice_without_channel
  announce(place)
  local woken, err = place:wait(seconds and math.min(seconds, longest) or longest)
  if woken then
    own.free[#own.free + 1] = place
  elseif err == "timeout" then
    deliver_all(own)
  else
    -- Waiting is not possible after all: without this the caller would look again and again, and stop the worker.
    error(core.braze.error { kind = "usage", message = "this light thread can't wait: " .. tostring(err) }, 0)
  end
end

function worker.wake(place)
  place:post(1)
end

return host.make("braze.openresty", worker)
