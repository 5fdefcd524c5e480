-- Started calls whose client or request is no longer reachable: nothing runs, nothing is left, nothing is kept alive.

local braze = require "braze"
local collect = require "spec.support.collect"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"

local created = scripted_peer.created
local read, hold, again = { read = "request" }, { hold = true }, { again = true }
local campaign = { campaign_id = "campaign" }

-- Looks until a condition holds, at most 60 seconds: a look-up that was given up may last as long as that.
local function eventually(condition, seconds)
  local deadline = socket.gettime() + (seconds or 60)
  local met = condition()
  while not met and socket.gettime() < deadline do
    socket.sleep(0.002)
    met = condition()
  end
  return met
end

-- How many entries this process has in a folder of /proc: "fd" or "task"; nil where there is none.
local function entries(folder)
  local file = io.open "/proc/self/stat"
  if not file then return nil end
  local process = file:read "*n"
  file:close()
  local pipe = io.popen(("ls /proc/%d/%s"):format(process, folder))
  local _, count = pipe:read("*a"):gsub("\n", "")
  pipe:close()
  return count
end

-- Runs a program in a fresh interpreter that may have so many descriptors; returns what it printed, and its status.
local function run_with_descriptors(most, program)
  local quoted = { arg[-1], program }
  for position, text in ipairs(quoted) do quoted[position] = "'" .. text:gsub("'", "'\\''") .. "'" end
  local command = ("ulimit -n %d; %s -e %s 2>&1; echo \" exit $?\""):format(most, quoted[1], quoted[2])
  local pipe = assert(io.popen(command))
  local output = pipe:read "*a"
  pipe:close()
  return output:match "^(.*) exit (%d+)\n$"
end

describe("a client with calls in flight", function()
  local peer

  -- How many threads there are without ours: one, but for tools that add their own.
  local own_threads = 1

  teardown(function() peer:stop() end)
  before_each(function()
    collect()
    peer:reset()
    peer:default { read, hold }
  end)

  local function new(url)
    return braze.new { api_key = "braze-key-0123456789", endpoint = url or peer.url, timeout = 20, retries = 0 }
  end

  setup(function()
    peer = scripted_peer.start()
    local first = new()
    first:start("create_send_id", campaign)
    first:close()
    collect()
    if entries "task" and not eventually(function() return entries "task" == 1 end, 10) then
      own_threads = entries "task"
    end
  end)

  -- Weak references to what is given.
  local function weak(...)
    return setmetatable({ ... }, { __mode = "v" })
  end

  it("is collected with its requests, and no on_done runs", function()
    local runs = 0
    local function use()
      local client = new()
      for _ = 1, 5 do client:start("create_send_id", campaign, { on_done = function() runs = runs + 1 end }) end
      assert.is_true(peer:wait { requests = 5 })
      return weak(client)
    end
    local references = use()
    collect()
    assert.is_nil(references[1])
    assert.is_true(peer:wait { ended = 5 })
    assert.equal(0, runs)
  end)

  it("is collected though an on_done captures it, and its request, and itself", function()
    local runs = 0
    local function use()
      local client = new()
      local request, on_done
      function on_done() runs = runs + #tostring(client) + #tostring(request) + #tostring(on_done) end
      request = client:start("create_send_id", campaign, { on_done = on_done })
      assert.is_true(peer:wait { requests = 1 })
      return weak(client, request, on_done)
    end
    local references = use()
    collect()
    collect()
    assert.same({}, references)
    assert.is_true(peer:wait { ended = 1 })
    assert.equal(0, runs)
  end)

  it("is collected once what it finished was delivered or not", function()
    peer:default { read, { write = created() }, again }
    local function use(steps)
      local client = new()
      for _ = 1, 5 do assert.is_true(client:start("create_send_id", campaign):wait(5)) end
      client:step(steps)
      return weak(client)
    end
    for steps = 0, 5 do
      local references = use(steps)
      collect()
      assert.is_nil(references[1])
    end
    assert.is_true(peer:wait { connections = 6, ended = 6 })
  end)

  it("drops a request that was delivered", function()
    peer:default { read, { write = created() }, again }
    local client = new()
    local references = weak()
    for number = 1, 20 do
      references[number] = client:start("create_send_id", campaign, { on_done = function() end })
    end
    collect()
    assert.is_true(client:wait(5))
    collect()
    assert.same({}, references)
    client:close()
  end)

  it("is kept by a request that somebody keeps", function()
    peer:default { read, { pause = 0.05 }, { write = created() }, again }
    local request = new():start("create_send_id", campaign)
    collect()
    assert.is_true(request:wait(5))
    assert.equal(201, request:result().status)
    collect()
    assert.equal(201, request:result().status)
    local references = weak(request)
    request = nil -- luacheck: ignore 311
    collect()
    assert.is_nil(references[1])
  end)

  it("keeps a request that nobody keeps, for its on_done", function()
    peer:default { read, { pause = 0.05 }, { write = created() }, again }
    local client, runs = new(), 0
    for _ = 1, 5 do client:start("create_send_id", campaign, { on_done = function() runs = runs + 1 end }) end
    collect()
    assert.is_true(client:wait(5))
    assert.equal(5, runs)
    client:close()
  end)

  it("may be collected inside an on_done, or another's", function()
    peer:default { read, { write = created() }, again }
    local runs = 0
    local function use()
      local client, other = new(), new()
      other:start("create_send_id", campaign, { on_done = function() runs = runs + 100 end })
      for _ = 1, 5 do
        client:start("create_send_id", campaign, { on_done = function()
          other = nil
          runs = runs + 1
          collect()
        end })
      end
      return client:wait(5) and other == nil
    end
    assert.is_true(use())
    assert.equal(5, runs)
    collect()
  end)

  it("is of no use to a finalizer, nor are its requests, and does no harm", function()
    local outcome
    local function use()
      local client = new()
      local request = client:start("create_send_id", campaign)
      local function finalize()
        outcome = { pcall(request.done, request) }
        for _, method in ipairs { "result", "wait", "cancel" } do pcall(request[method], request, 0) end
        for _, method in ipairs { "step", "wait", "pending", "pollfd", "close" } do pcall(client[method], client, 0) end
        pcall(client.start, client, "create_send_id", campaign)
        tostring(client)
        tostring(request)
      end
      if newproxy then
        getmetatable(newproxy(true)).__gc = finalize
      else
        setmetatable({}, { __gc = finalize })
      end
    end
    for _ = 1, 10 do use() end
    collect()
    collect()
    assert.is_table(outcome)
  end)

  it("is not harmed by finalizers called by hand", function()
    local client = new()
    local request = client:start("create_send_id", campaign)
    local finalize = debug.getmetatable(request).__gc
    for _, value in ipairs { 1, "text", {}, print, io.stdout, setmetatable({}, debug.getmetatable(request)) } do
      pcall(finalize, value)
    end
    pcall(finalize)
    client:close()
    assert.is_true(request:done())
    assert.equal("cancelled", select(2, pcall(request.result, request)).kind)
  end)

  it("leaves no descriptor and no thread behind", function()
    if not entries "fd" then pending "there is no /proc here" end
    -- What stays for good (libcurl's own) is there after the first.
    local function use(ending)
      local client = new()
      for _ = 1, 4 do client:start("create_send_id", campaign) end
      client:pollfd()
      if ending % 3 == 0 then client:close() end
      if ending % 3 == 1 then client:wait(0.001) end
    end
    local function settle(most_descriptors, most_threads)
      collect()
      return eventually(function() return entries "fd" <= most_descriptors and entries "task" <= most_threads end)
    end
    use(0)
    collect()
    assert.is_true(eventually(function() return entries "task" == own_threads end))
    local descriptors = entries "fd"
    for number = 1, 60 do use(number) end
    assert.is_true(settle(descriptors, own_threads))
    local unused = {}
    for number = 1, 20 do unused[number] = new():pollfd() end
    assert.is_true(settle(descriptors, own_threads))
    assert.equal(20, #unused)
  end)

  it("leaves nothing behind during handshakes and look-ups of names", function()
    if not entries "fd" then pending "there is no /proc here" end
    peer:default { hold }
    assert.is_true(eventually(function() return entries "task" == own_threads end))
    local descriptors = entries "fd"
    for _, url in ipairs { ("https://localhost:%d"):format(peer.port), "https://no-such-host.invalid" } do
      for number = 1, 10 do
        local client = new(url)
        for _ = 1, 4 do client:start("create_send_id", campaign) end
        if number % 2 == 0 then client:close() end
      end
    end
    collect()
    assert.is_true(eventually(function() return entries "fd" <= descriptors and entries "task" == own_threads end))
  end)

  it("starts no thread before the first start, and one for all", function()
    if not entries "task" then pending "there is no /proc here" end
    local before = entries "task"
    local client = new()
    client:pollfd()
    client:step()
    pcall(client.start, client, "create_send_id", {})
    assert.equal(before, entries "task")
    for _ = 1, 20 do client:start("create_send_id", campaign) end
    assert.is_true(peer:wait { requests = 16 })
    assert.equal(before + 1, entries "task")
    client:close()
    assert.is_true(eventually(function() return entries "task" == before end))
  end)

  it("has all signals blocked on its thread", function()
    if not entries "task" then pending "there is no /proc here" end
    local client = new()
    client:start("create_send_id", campaign)
    assert.is_true(peer:wait { requests = 1 })
    local stat = io.open "/proc/self/stat"
    local process = stat:read "*n"
    stat:close()
    local pipe = io.popen(("sed -n s/SigBlk:.//p /proc/%d/task/*/status"):format(process))
    local masks = pipe:read "*a"
    pipe:close()
    client:close()
    -- Every bit but those of KILL, STOP and the C library's own two; valgrind keeps the last one for itself.
    assert.matches("[7f]ffffffe7ffbfeff", masks)
  end)

  it("is told where there are too few descriptors, and waits for nothing that cannot come", function()
    -- However many are left when the client starts: a call ends at its deadline, and later ones work again.
    peer:default { read, { write = created() }, again }
    for left = 0, 8 do
      local output, status = run_with_descriptors(40, ([[
        require "cjson"
        local braze, files = require "braze", {}
        local client = braze.new { api_key = "braze-key-0123456789", endpoint = %q, retries = 0, timeout = 2 }
        repeat
          local file = io.open "/dev/null"
          files[#files + 1] = file
        until not file
        for number = 1, %d do files[number]:close() end
        local good, request = pcall(client.start, client, "create_send_id", { campaign_id = "campaign" })
        assert(good and request:wait(20) or request.kind == "usage", "the first call did not end")
        local answered, failure = pcall(function() return good and request:result() end)
        if not good then
          failure = request
          assert(failure.message:find "^no descriptor for the client", failure.message)
        end
        assert(good and answered or tostring(failure):lower():find "too many open files.*ulimit", tostring(failure))
        for number = %d, #files do files[number]:close() end
        good, request = pcall(client.start, client, "create_send_id", { campaign_id = "campaign" })
        assert(good, request)
        assert(request:wait(20), "the second call did not end")
        io.write(request:result().status)
      ]]):format(peer.url, left, left + 1))
      assert.same({ left, "201", "0" }, { left, output, status })
    end
  end)
end)
