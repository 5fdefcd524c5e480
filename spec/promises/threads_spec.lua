-- Sixteen Lua states, each on an OS thread of its own, with clients of their own: nothing of one reaches another.

local child = require "spec.support.child"
local standin = require "spec.support.standin"

local quote = child.quote
local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local thread_count = 16

describe("sixteen states on sixteen threads", function()
  local service = standin.start()
  local path = os.tmpname()

  before_each(service.reset)
  teardown(function() os.remove(path) end)

  -- Runs a program in all of them; it is told its number, where to call, and a key that is its own.
  local function run(program)
    local file = assert(io.open(path, "w"))
    file:write(([[
      local number = ...
      local braze = require "braze"
      local https, http, ca_file = %q, %q, %q
      local key = %q .. number
      local function new(endpoint, options)
        options = options or {}
        options.api_key, options.endpoint, options.ca_file = key, endpoint, ca_file
        return braze.new(options)
      end
      local function check(one, what)
        if not one then error(number .. ": " .. tostring(what), 2) end
        return one
      end
      %s
    ]]):format(service.https, service.http, service.ca_file, service.workspace_key "thread-", program))
    file:close()
    local command = quote(build .. "/threads") .. " " .. thread_count .. " " .. quote(path)
    local pipe = assert(io.popen(command .. " 2>&1; echo \" exit $?\""))
    local output = pipe:read "*a"
    pipe:close()
    local text, status = output:match "^(.*) exit (%d+)\n$"
    assert.equal("", text)
    assert.equal("0", status)
  end

  it("make blocking calls", function()
    run [[
      for _, endpoint in ipairs { http .. "/fast", https .. "/fast" } do
        local client = new(endpoint)
        for _ = 1, 50 do
          check(client:create_send_id({ campaign_id = "campaign-thread" }).send_id == "send_identifier")
        end
        client:close()
      end
    ]]
  end)

  it("make started calls", function()
    run [[
      for _, endpoint in ipairs { http .. "/fast", https .. "/fast" } do
        local client, count = new(endpoint), 0
        for _ = 1, 100 do
          client:start("create_send_id", { campaign_id = "campaign-thread" }, { on_done = function(failure, result)
            check(not failure, failure)
            check(result.send_id == "send_identifier")
            count = count + 1
          end })
        end
        check(client:wait(60))
        check(count == 100)
      end
    ]]
  end)

  it("are given the answers to their own calls", function()
    run [[
      local client, seen = new(http), {}
      for call = 1, 40 do
        local id = number .. "-" .. call
        client:start("create_send_id", { campaign_id = "campaign-" .. number, send_id = id }, {
          on_done = function(failure, result)
            check(not failure, failure)
            check(result.send_id == id, result.send_id)
            seen[#seen + 1] = id
          end,
        })
        if call % 10 == 0 then
          local blocking = client:create_send_id { campaign_id = "campaign-" .. number, send_id = id .. "-blocking" }
          check(blocking.send_id == id .. "-blocking", blocking.send_id)
        end
        client:step()
      end
      check(client:wait(60) and #seen == 40)
    ]]
    for number = 1, thread_count do assert.equal(44, service.count("campaign-" .. number)) end
    for _, request in ipairs(service.log().requests) do
      local number = request.body:match '"send_id":"(%d+)%-'
      assert.equal("Bearer " .. service.workspace_key("thread-" .. number), request.headers.authorization)
    end
  end)

  it("start, cancel, close and drop clients without end", function()
    run [[
      for round = 1, 30 do
        local client = new((round % 2 == 0 and https or http) .. "/fast")
        for call = 1, 8 do
          local request = client:start("create_send_id", { campaign_id = "campaign-thread" })
          if call % 3 == 0 then request:wait(0.001) end
          if call % 2 == 0 then request:cancel() end
        end
        if round % 3 == 0 then client:close() end
        if round % 3 == 1 then check(client:wait(60)) end
        if round % 5 == 0 then collectgarbage() end
      end
    ]]
  end)
end)
