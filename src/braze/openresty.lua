-- braze for OpenResty and nginx with ngx_lua: a light thread waits for a semaphore, and one timer for each nginx
-- worker, the reader, reads from a unix socket that the clients' threads write to. nginx can wait for nothing but
-- sockets it connected.
--
-- nginx drops a timer that is due while lua_max_running_timers others run, and says so to its log alone. So a timer
-- that was made is not taken for one that runs: the reader counts what it does, and check() replaces a reader that no
-- longer counts. Everyone who comes by calls check(): a call that begins, one that waits, client:pending(), and a timer
-- that is made for it while anything is in flight.
--
-- An on_done runs in a timer of its own, never in the reader and never in the request of somebody else: ngx.exit and
-- the like end that timer, and ngx.say has nobody to write to.

-- Taken now: a sandbox may remove them afterwards.
local error, ipairs, math, next, ngx, pairs, pcall, setmetatable, table, tostring =
  error, ipairs, math, next, ngx, pairs, pcall, setmetatable, table, tostring

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
-- A reader or a timer from which nothing was heard for so long is lost. The later look is for a moment that the first
-- one falls into, too.
local heartbeat, late_heartbeat = 1, 5

local phases_that_wait = {
  rewrite = true, server_rewrite = true, access = true, content = true, timer = true, preread = true,
  ssl_cert = true, ssl_session_fetch = true, ssl_client_hello = true,
}

-- Of this nginx worker: what init_by_lua made in the master is forked into the workers.
local state

local function own_state()
  local pid = ngx.worker.pid()
  if not state or state.pid ~= pid then
    state = {
      pid = pid,
      clients = {}, -- with something to deliver, now or later
      free = {}, -- semaphores
      notified = setmetatable({}, { __mode = "k" }), -- of each client: the channel that it writes to
      reader = false, -- whether a timer for it was made
      number = 0, -- of the reader's that is the newest
      beats = 0, -- how often a reader came by
      rest = semaphore.new(0), -- what a reader without work waits for
      probe = semaphore.new(0), -- what nobody posts
      callbacks = {}, -- the on_done that are to run
    }
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
  if phases_that_wait[phase] then
    -- Asked without waiting: in another place than these it would say so only when the call has begun.
    local _, err = own_state().probe:wait(0)
    if err == "timeout" or not err then return end
    return "this light thread can't wait: " .. err, "do it inside ngx.timer.at(0, function() ... end), which may wait"
  end
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

function worker.explain(err)
  local variable = err.message:match "(BRAZE_[%u_]+) is not set"
  if not variable then return end
  err.hint = ('nginx hides its environment from its workers: set %s where nginx is started, and write "env %s;" at '
    .. "the top of nginx.conf; or give api_key and endpoint to braze.new"):format(variable, variable)
end

local function deliver_all(own)
  local clients = {}
  for client in pairs(own.clients) do clients[#clients + 1] = client end
  for _, client in ipairs(clients) do
    local delivered, err = client:_deliver()
    if not delivered then ngx.log(ngx.ERR, "braze: ", tostring(err)) end
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

-- None of them can yield, so all run, whatever one of them does to the timer.
local function run_callbacks(own)
  local callbacks = own.callbacks
  own.callbacks, own.callbacks_since = {}, nil
  for _, run in ipairs(callbacks) do
    local good, err = pcall(run)
    if not good then ngx.log(ngx.ERR, "braze: an on_done raised: ", tostring(err)) end
  end
end

local function make_callbacks_timer(own)
  ngx.timer.at(0, function() run_callbacks(own) end)
end

function worker.defer(run)
  local own = own_state()
  own.callbacks[#own.callbacks + 1] = run
  if own.callbacks_since then return end
  own.callbacks_since = worker.now()
  make_callbacks_timer(own)
end

local function are_callbacks_late(own)
  return own.callbacks_since and worker.now() - own.callbacks_since >= heartbeat
end

-- Waits until there is work again. False: that has lasted long enough, or nginx is going away.
local function rest(own)
  if ngx.worker.exiting() then return false end
  own.is_resting = true
  own.rest:wait(linger)
  local has_work = not own.is_resting
  own.is_resting = false
  return has_work
end

local function read(own, number)
  local reading, err = connect(own)
  if not reading then
    if not own.warned then ngx.log(ngx.WARN, "braze: answers are looked for every few milliseconds: ", err) end
    own.warned = true
    repeat
      ngx.sleep(slice_without_channel)
      own.beats = own.beats + 1
      deliver_all(own)
    until own.number ~= number or not next(own.clients)
    return
  end
  reading:settimeout(never)
  while own.number == number do
    own.beats = own.beats + 1
    deliver_all(own)
    if are_callbacks_late(own) then break end
    if next(own.clients) then
      if not reading:receiveany(4096) then break end
    elseif not rest(own) then
      break
    end
  end
  reading:close()
end

local check

local function run_reader(own, number)
  if own.number ~= number then return end
  local good, err = pcall(read, own, number)
  if not good then ngx.log(ngx.ERR, "braze: ", tostring(err)) end
  if own.number ~= number then return end
  if own.channel then own.channel:close() end
  own.channel, own.writing, own.reader = nil, nil, false
  -- There may be no more than this one timer for both.
  if are_callbacks_late(own) then run_callbacks(own) end
  if good then check(own) end
end

local function make_reader(own)
  own.number = own.number + 1
  if own.channel then
    own.channel:poke() -- a reader that is there after all reads that another one has taken its place
    own.channel:close()
  end
  own.channel, own.writing = nil, nil
  own.checked_at, own.beats_then = worker.now(), own.beats
  local number = own.number
  own.reader = ngx.timer.at(0, function() run_reader(own, number) end) and true or false
end

-- Has check called so many seconds later. One that is late for that was dropped.
local function check_later(own, name, seconds)
  local due, now = own[name], worker.now()
  if due and now < due + heartbeat then return end
  local function look()
    own[name] = nil
    check(own)
  end
  own[name] = ngx.timer.at(seconds, look) and now + seconds
end

--- Sees to it that what is in flight will be delivered.
function check(own)
  if not next(own.clients) and not own.callbacks[1] then return end
  if not own.reader then
    make_reader(own)
  elseif worker.now() - own.checked_at >= heartbeat then
    if own.beats == own.beats_then then
      make_reader(own)
    else
      own.checked_at, own.beats_then = worker.now(), own.beats
      if own.channel then own.channel:poke() end
    end
    if are_callbacks_late(own) then make_callbacks_timer(own) end
  end
  check_later(own, "look", heartbeat)
  -- As long as nothing else runs no timer is dropped.
  if ngx.timer.running_count() > 1 then check_later(own, "late_look", late_heartbeat) end
end

function worker.watch(client)
  if not client:_busy() then return end
  local own = own_state()
  own.clients[client] = true
  notify(own, client)
  if own.is_resting then
    own.is_resting = false
    own.checked_at, own.beats_then = worker.now(), own.beats
    own.rest:post(1)
  end
  check(own)
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
    check(own)
    if own.channel and not next(own.clients) then own.channel:poke() end -- the reader may rest
  else
    -- Waiting is not possible after all: without this the caller would look again and again, and stop the worker.
    error(core.braze.error { kind = "usage", message = "this light thread can't wait: " .. tostring(err) }, 0)
  end
end

function worker.wake(place)
  place:post(1)
end

return host.make("braze.openresty", worker)
