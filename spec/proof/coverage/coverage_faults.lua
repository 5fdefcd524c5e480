-- Walks the core's paths with each of its calls to others refused once: coverage_faults.lua DIRECTORY_OF_BRAZE_SO.
-- For spec/proof/coverage/coverage; what a refusal must come to is proved by the bars faults-*. Beside that, moments that no spec
-- can lead to: a cancel while the core's thread is held in the midst of its work, a lua-cjson that goes away.

local build = arg[1]
package.path = "./?.lua;./src/?.lua;" .. package.path
package.cpath = build .. "/?.so;" .. package.cpath

local core = require "braze.core"
local braze = core.braze
local refuse, fork, put_store, hold = assert(package.loadlib(build .. "/braze.so", "luaopen_braze_refuse"))()
local scripted_peer = require "spec.support.scripted_peer"
local standin = require "spec.support.standin"
local socket = require "socket"
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
  ["TLS, a trust store"] = function()
    local one <close> = client { endpoint = "https://127.0.0.1:1", ca_file = "/nowhere" }
    return one:create_send_id(parameters)
  end,
  ["TLS, a proxy"] = function()
    -- The proxy refuses the connection, so nobody asks for the name.
    local one <close> = client {
      endpoint = "https://example.invalid", proxy = "http://us%65r12:p%40ssword@127.0.0.1:1", ca_file = "/nowhere",
    }
    return one:create_send_id(parameters)
  end,
  ["the system's trust store"] = function()
    local one <close> = client { endpoint = "https://127.0.0.1:1" }
    return one:create_send_id(parameters)
  end,
  ["a probe"] = function()
    local one <close> = client()
    return core.probe(one)
  end,
  ["a probe of a name"] = function()
    local one <close> = client { endpoint = "https://braze.test:1", ca_file = "/dev/null", proxy = "" }
    return core.probe(one)
  end,
  ["a call whose time is up"] = function()
    local one <close> = client { timeout = 0.05 }
    return one:create_send_id(parameters)
  end,
  ["a name that is looked up"] = function()
    local one <close> = client { endpoint = "https://braze.test:1", ca_file = "/dev/null", proxy = "" }
    return one:create_send_id(parameters)
  end,
  ["a route with a query and a body of lists"] = function()
    local one <close> = client()
    return one:call("POST /users/track", { a = braze.list {}, b = { 1, { x = true }, braze.list {} } },
      { query = { page = 1, ["ids"] = { 1, "two" } } })
  end,
  ["a GET, page by page"] = function()
    local one <close> = client()
    return one:each("GET /things", { a = "b c" }, { items = "things" })()
  end,
  ["an operation with a field in its path"] = function()
    local one <close> = client()
    return one:send_transactional { campaign_id = "a b", external_send_id = "mine", recipient = { external_user_id = "u" } }
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
  ["a GET, page by page"] = scripted_peer.answer(200, { link = '</things?page=2>; rel="next"' }, '{"things":[1]}'),
}
for name, text in pairs {
  ["a header that breaks off"] = "HTTP/1.1 200 OK\r\nserver: x\r\n",
  ["a refusal that repeats the key"] = scripted_peer.answer(401, {},
    '{"message":"Invalid API key: ' .. key .. ' ' .. ("x"):rep(5000) .. '"}'),
  ["a limit that is used up"] = scripted_peer.answer(429, { ["x-ratelimit-limit"] = 5, ["x-ratelimit-remaining"] = 0,
    ["x-ratelimit-reset"] = os.time() + 86400 }, "{}"),
  ["an answer that is none"] = scripted_peer.answer(200, {}, '{"message":"no, ' .. key:sub(1, 12) .. '"}'),
} do
  paths[name], answers[name] = paths["a blocking call"], text
end

-- What a process meets once, refused in processes of their own. The second form has descriptor 0 free.
local function first(n, before, behind)
  local pipe = assert(io.popen(("%s %s spec/proof/coverage/coverage_first.lua %s %s %s 2>&1; echo status $?"):format(before,
    arg[-1], build, n, behind)))
  local output = pipe:read "*a"
  pipe:close()
  local count, status = output:match "(%d+)\nstatus (%d+)\n$"
  return tonumber(count), status ~= "0" and output or nil
end

-- Once each: what a child of a fork meets.

local function in_child(work, untold)
  local child = fork(untold)
  if child == 0 then
    local good = pcall(work)
    os.exit(good, true)
  end
  return child == 1
end

local forks = {
  ["a fork while a call is in flight"] = function()
    peer:default { { hold = true } }
    local one <close> = client()
    local request = one:start("create_send_id", parameters)
    local good = in_child(function()
      assert(request:done())
      local _, failure = pcall(request.result, request)
      assert(failure.kind == "cancelled" and failure.maybe_applied)
      assert(request:wait(0) and one:pending() == 0 and tostring(request))
    end)
    request:cancel()
    return good
  end,
  ["a fork inside an on_done"] = function()
    answering(scripted_peer.created())
    local one <close> = client()
    local good, is_child = true, false
    for _ = 1, 2 do
      one:start("create_send_id", parameters, {
        on_done = function()
          if is_child then return end
          local child = fork()
          is_child, good = child == 0, good and child >= 0
        end,
      })
    end
    one:wait(5)
    if is_child then os.exit(true, true) end
    return good
  end,
  ["a fork of which no library is told"] = function()
    answering(scripted_peer.created())
    local one <close> = client()
    one:create_send_id(parameters)
    return in_child(function() assert(one:create_send_id(parameters).send_id) end, true)
  end,
  ["a fork after a call"] = function()
    answering(scripted_peer.created())
    local one <close> = client()
    one:create_send_id(parameters)
    return in_child(function() assert(one:create_send_id(parameters).send_id) end)
  end,
}

local names = {}
for name in pairs(paths) do names[#names + 1] = name end
table.sort(names)

local runs, sites, bad = 0, 0, 0
for _, name in ipairs(names) do
  answering(answers[name] or scripted_peer.created())
  if name == "a call whose time is up" then peer:default { { hold = true } } end
  if name == "a header that breaks off" then
    peer:default { { read = "request" }, { write = answers[name] }, { close = "fin" } }
  end
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
for _, behind in ipairs { "", "<&-" } do
  local n = 0
  repeat
    n = n + 1
    local count, failure = first(n, "", behind)
    runs, sites = runs + 1, sites + (count or 0)
    if failure then
      bad = bad + 1
      print("a process's first call", n, failure)
    end
  until count == 0 or n > 200
end
for name, path in pairs(forks) do
  local good, result = pcall(path)
  if not good or not result then
    bad = bad + 1
    print(name, result)
  end
end

-- An answer that can't be made, since lua-cjson is gone meanwhile, and one that is made by a lua-cjson without our settings.
do
  answering(scripted_peer.created())
  local one <close> = client()
  local registry, json, failure = debug.getregistry(), package.loaded.cjson, nil
  -- Its functions stand there under addresses, beside the host's require.
  local function forget_json()
    for name, value in pairs(registry) do
      if type(name) == "userdata" and type(value) == "function" and value ~= require then registry[name] = nil end
    end
    package.loaded.cjson = nil
  end
  one:start("create_send_id", parameters, { on_done = function(what) failure = what end })
  forget_json()
  package.preload.cjson = function() error("no lua-cjson") end
  pcall(one.wait, one, 5)
  if not braze.is_error(failure) then
    bad = bad + 1
    print("an answer that can't be made", failure)
  end
  package.preload.cjson = function() return { new = function() return { encode = json.encode, decode = json.decode } end } end
  forget_json()
  if not one:create_send_id(parameters).send_id then bad = bad + 1 end
end

-- Lets the core's thread stand still where it comes to through work, cancels what work returned, and lets it go on. The error
-- of the request, and whether the thread did stand still.
local function cancel_meanwhile(work)
  hold(true)
  local request = work()
  for _ = 1, 5000 do
    if hold() then break end
    socket.sleep(0.001)
  end
  local held = hold()
  request:cancel()
  hold(false)
  local _, failure = pcall(request.result, request)
  return failure, held
end

-- A call that is cancelled once it has a connection, in the moment before its request is sent.
do
  peer:reset()
  answering(scripted_peer.created())
  local one <close> = client()
  started(one)
  local failure, held = cancel_meanwhile(function() return one:start("create_send_id", parameters) end)
  -- One more on the same thread: what was cancelled is behind it.
  started(one)
  if not held or failure.kind ~= "cancelled" or failure.maybe_applied or peer:requests() ~= 2 then
    bad = bad + 1
    print("cancelled in the moment before it is sent", held, failure, peer:requests())
  end
end

-- One for which a kept connection was counted on, which ends before libcurl takes it: it looks its name and certificates up first.
do
  local service = standin.start()
  local script = { { tls = { certificate = service.server_certificate, key = service.server_key } },
    { read = "request" }, { write = scripted_peer.created() }, { pause = 0.5 }, { close = "fin" } }
  peer:reset()
  peer:default(script)
  local one <close> = client { endpoint = "https://localhost:" .. peer.port, ca_file = service.ca_file }
  started(one)
  socket.sleep(0.2)
  hold(true)
  local request = one:start("create_send_id", parameters)
  for _ = 1, 5000 do
    if hold() then break end
    socket.sleep(0.001)
  end
  socket.sleep(0.6)
  hold(false)
  request:wait(5)
  local good, result = pcall(request.result, request)
  -- The code for the oldest libcurl counts the head that it may have sent on the first one.
  if not good or peer:requests() ~= 2 then
    bad = bad + 1
    print("a kept connection that ends in the last moment", result, peer:requests())
  end
  service.stop()
end

-- One that is cancelled while it waits for room, in the moment in which there is some: it makes no connection.
do
  peer:reset()
  peer:default { { read = "request" }, { hold = true } }
  local one <close> = client { max_connections = 1 }
  one:start("create_send_id", parameters)
  assert(peer:wait { requests = 1 })
  local waiting = one:start("create_send_id", parameters)
  local failure, held = cancel_meanwhile(function()
    peer:reset()
    answering(scripted_peer.created())
    return waiting
  end)
  started(one)
  if not held or failure.kind ~= "cancelled" or failure.maybe_applied or #peer:log() ~= 1 then
    bad = bad + 1
    print("cancelled in the moment in which there is room", held, failure, #peer:log())
  end
end

-- The system's store where its directory is hashed and does not have what its file has.
do
  local service = standin.start()
  local directory = os.tmpname()
  os.remove(directory)
  os.execute(("mkdir %s && openssl req -x509 -newkey rsa:2048 -nodes -days 9 -subj /CN=stranger -keyout /dev/null -out %s/one.pem "
    .. "2>/dev/null && openssl rehash %s"):format(directory, directory, directory))
  put_store(directory, service.ca_file)
  local one <close> = client { api_key = service.workspace_key "store", endpoint = service.https }
  for _ = 1, 2 do
    local good, result = pcall(one.create_send_id, one, { campaign_id = "campaign_identifier" })
    -- The code for the oldest libcurl can't ask where the store is.
    if not good and result.kind ~= "tls" then
      bad = bad + 1
      print("a store whose file alone has it", result)
    end
  end
  -- By the version of libcurl, which is asked once: before 7.83, and from 8.21 on, where what is not trusted has to be told as well.
  for _, version in ipairs { 0x075200, 0x081500 } do
    local _, failure = first(0, ("env FOLDER=%s FILE=%s HTTPS=%s KEY=%s"):format(directory, service.ca_file, service.https,
      service.workspace_key "first"), version)
    if failure then
      bad = bad + 1
      print("a version of libcurl", version, failure)
    end
  end
  for ca_file, kind in pairs { [service.ca_file] = "none", [directory] = "tls", ["/proc/self/fd"] = "tls", [""] = "none" } do
    local two <close> = client {
      api_key = service.workspace_key "trust", endpoint = service.https, ca_file = ca_file ~= "" and ca_file or nil,
    }
    local good, result = pcall(two.create_send_id, two, { campaign_id = "campaign_identifier" })
    -- Without a ca_file: the code for the oldest libcurl can't ask where the store is.
    if (good and "none" or result.kind) ~= kind and ca_file ~= "" then
      bad = bad + 1
      print("trust in " .. ca_file, result)
    end
  end
  os.execute("rm -rf " .. directory)
  service.stop()
end

peer:stop()
print(("refusals: %d sites, %d runs, %d bad"):format(sites, runs, bad))
os.exit(bad == 0, true)
