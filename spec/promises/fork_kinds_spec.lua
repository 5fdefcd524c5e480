-- Forks of other kinds: in a signal handler, in the middle of a call; without any handler of a library (_Fork, clone).
-- And what a child wipes.

local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"
local with_peer = require "spec.support.with_peer"

local created = scripted_peer.created
local read, again = { read = "request" }, { again = true }

describe("after a fork", function()
  local peer = with_peer { read, { write = created() }, again }

  local function run(program)
    return child.run_with_process(peer.url, program)
  end

  -- Runs a program in a child, which is ended where it hangs.
  local function run_within(seconds, program)
    return run(([[
      local reading, writing = process.pipe()
      local child = process.fork()
      if child == 0 then
        local client = braze.new { api_key = "braze-key-0123456789", endpoint = url, timeout = 20 }
        local good, text = pcall(function()
          %s
        end)
        process.write(writing, tostring(text))
        process.exit(good and 0 or 1)
      end
      process.close(writing)
      local how, code = process.wait(child, %d)
      io.write(how, " ", code or "", " ", how ~= "hung" and process.read(reading) or "")
    ]]):format(program, seconds))
  end

  -- Blocking calls alone: where there is a second thread, glibc's own fork waits for malloc, which the handler may have
  -- interrupted.
  it("in a signal handler in the middle of calls nothing hangs", function()
    local output = run_within(60, [[
      client:create_send_id { campaign_id = "campaign" }
      local calls = 0
      process.fork_in_handler(0.005)
      repeat
        client:create_send_id { campaign_id = "campaign" }
        calls = calls + 1
      until calls >= 200 and process.forked_in_handler() >= 100
      process.fork_in_handler(0)
      return "held"
    ]])
    assert.equal("exited 0 held", output)
  end)

  it("in a signal handler whose child goes on, the call is the parent's, and the child's next one its own", function()
    peer:default { read, { pause = 0.3 }, { write = created() }, again }
    local output = run_within(60, [[
      process.fork_in_handler(0.1, true)
      local good, answer = pcall(client.create_send_id, client, { campaign_id = "campaign", send_id = "first" })
      local number, in_child = process.forked_in_handler()
      if in_child then
        local ended = not good and answer.kind == "cancelled" and answer.maybe_applied
        good, answer = pcall(client.create_send_id, client, { campaign_id = "campaign", send_id = "child" })
        process.exit(ended and good and answer.send_id == "child" and 0 or 1)
      end
      local how, code = process.wait(number, 20)
      local second = client:create_send_id { campaign_id = "campaign", send_id = "second" }
      return table.concat({ answer.send_id, second.send_id, how, code }, " ")
    ]])
    assert.equal("exited 0 first second exited 0", output)
    local texts = peer:send_ids()
    table.sort(texts)
    assert.same({ "child", "first second" }, texts)
  end)

  it("of which no library is told the child has connections of its own, too", function()
    local output = run_within(60, [[
      client:create_send_id { campaign_id = "campaign", send_id = "parent-1" }
      client:start("create_send_id", { campaign_id = "campaign", send_id = "parent-2" })
      assert(client:wait(20))
      local child = process.clone()
      if child == 0 then
        local mine = client:create_send_id { campaign_id = "campaign", send_id = "child" }
        process.exit(mine.send_id == "child" and 0 or 1)
      end
      local how, code = process.wait(child, 20)
      client:create_send_id { campaign_id = "campaign", send_id = "parent-3" }
      return how .. " " .. code
    ]])
    assert.equal("exited 0 exited 0", output)
    local texts = peer:send_ids()
    table.sort(texts)
    assert.same({ "child", "parent-1 parent-3", "parent-2" }, texts)
  end)

  -- The key is made of parts, so that none of Lua's own strings holds it whole, and searched for in the writable memory
  -- of the child.
  for how, touch in pairs {
    ["is closed"] = "client:close()",
    ["leaves a scope"] = "debug.getmetatable(client).__close(client)",
    ["is collected"] = "client = nil collectgarbage() collectgarbage()",
    ["is collected after its next call"] =
      "pcall(client.pending, client) client = nil collectgarbage() collectgarbage()",
  } do
    it("a child whose copy of a client " .. how .. " has wiped the key", function()
      local output = run_within(60, ([[
        local function part(from, to)
          local bytes = {}
          for position = from, to do bytes[#bytes + 1] = string.char(97 + position %% 23 * 7 %% 26) end
          return table.concat(bytes)
        end
        local function count()
          local hits, head, tail = 0, part(1, 12), part(13, 40)
          for line in io.lines "/proc/self/maps" do
            local first, last, rights, name = line:match "^(%%x+)%%-(%%x+) (%%S+) %%S+ %%S+ %%S+%%s*(.*)"
            if rights:sub(1, 2) == "rw" and not name:find "%%[stack" and #first <= 12 then
              local memory = assert(io.open("/proc/self/mem", "rb"))
              memory:seek("set", tonumber(first, 16))
              local left = tonumber(last, 16) - tonumber(first, 16)
              local text = memory:read(left) or ""
              memory:close()
              local position = text:find("Bearer " .. head, 1, true)
              while position do
                if text:sub(position + 19, position + 18 + #tail) == tail then hits = hits + 1 end
                position = text:find("Bearer " .. head, position + 1, true)
              end
            end
          end
          return hits
        end
        client:close()
        -- Nothing listens there: what libcurl has sent it does not wipe.
        client = braze.new { api_key = part(1, 12) .. part(13, 40), endpoint = "http://127.0.0.1:1", retries = 0 }
        client:start("create_send_id", { campaign_id = "campaign" })
        assert(client:wait(20))
        pcall(client.create_send_id, client, { campaign_id = "campaign" })
        local function look(touch)
          local child = process.fork()
          if child ~= 0 then return select(2, process.wait(child, 40)) end
          touch()
          process.exit(count())
        end
        return (look(function() end) > 0 and "found" or "not found") .. " before, "
          .. look(function() %s end) .. " after"
      ]]):format(touch))
      assert.equal("exited 0 found before, 0 after", output)
    end)
  end
end)
