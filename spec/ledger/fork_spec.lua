-- A process that forks: its child works with a ledger of its own, and leaves the parent's alone.

local braze = require "braze"
local scripted_peer = require "spec.support.scripted_peer"
local servers = require "spec.support.ledger_servers"

local build = assert(os.getenv "BRAZE_BUILD", "BRAZE_BUILD names the directory of the build under test")
local process = assert(package.loadlib(build .. "/test/braze.so", "luaopen_braze_process_spec"))()

-- Whether the process has a lock on a file of its own. SQLite, left to itself, takes the parent's for the child's: then
-- another process that closes the file removes what the child still writes to.
local function holds_a_lock(id)
  for line in io.lines "/proc/locks" do
    if line:match "POSIX%s+ADVISORY%s+READ%s+(%d+)" == tostring(id):match "^%d+" then return true end
  end
  return false
end

for _, kind in ipairs(servers.kinds) do
  describe("a fork with a ledger in " .. kind, function()
    it("leaves each process its own, also while a job is held", function()
      local server, peer = servers.start(kind), scripted_peer.start()
      local url = server.fresh()
      local client = braze.new {
        api_key = "braze-key-0123456789", endpoint = peer.url, ledger = url, workspace = "w", timeout = 20,
      }
      peer:default { { read = "request" }, { write = scripted_peer.created() } }
      local first = client:create_send_id({ campaign_id = "campaign-1" }, { job = "before" }).send_id
      peer:play { { read = "request" }, { pause = 1 }, { write = scripted_peer.created() } }
      local request = client:start("create_send_id", { campaign_id = "campaign-1" }, { job = "held" })
      assert.is_true(peer:wait { requests = 2 })
      local note = os.tmpname()
      local child = process.fork()
      if child == 0 then
        local good, why = pcall(function()
          assert(client:create_send_id({ campaign_id = "campaign-1" }, { job = "before" }).send_id == first)
          assert(not client:create_send_id({ campaign_id = "campaign-1" }, { job = "child" }).replayed)
          assert(client:create_send_id({ campaign_id = "campaign-1" }, { job = "held" }).replayed)
          assert(kind ~= "sqlite" or holds_a_lock(process.id()), "the child holds no lock on the file")
          client:close()
        end)
        local file = io.open(note, "w")
        file:write(good and "good" or tostring(why))
        file:close()
        process.exit(0)
      end
      assert.is_true(request:wait(20))
      assert.is_string(request:result().send_id)
      assert.is_string(client:create_send_id({ campaign_id = "campaign-1" }, { job = "parent" }).send_id)
      assert.equal("exited", (process.wait(child, 30)))
      local file = io.open(note)
      assert.equal("good", file:read "*a")
      file:close()
      os.remove(note)
      assert.equal(4, peer:requests())
      client:close()
      peer:stop()
      server.stop()
    end)
  end)
end
