-- What a process meets once, with the n-th call of the core to others refused: coverage_first.lua DIRECTORY_OF_BRAZE_SO N [VERSION].
-- For spec/proof/coverage/coverage_faults.lua, which runs it once for each n. Prints how many calls were refused. VERSION: the
-- version of libcurl that the core is told, and then the system's store is that of FILE in FOLDER of the environment.

local build, n, version = arg[1], tonumber(arg[2]), tonumber(arg[3])
package.path = "./?.lua;./src/?.lua;" .. package.path
package.cpath = build .. "/?.so;" .. package.cpath

local refuse, _, put_store = assert(package.loadlib(build .. "/braze.so", "luaopen_braze_refuse"))()
if version then
  put_store(os.getenv "FOLDER", os.getenv "FILE", version)
  -- Once the folder is hashed and once it is not, then a name that leads elsewhere.
  local braze = require "braze"
  for _, endpoint in ipairs { os.getenv "HTTPS", "https://braze.test:1" } do
    for _, ca_file in ipairs { "", os.getenv "FILE", os.getenv "FOLDER" } do
      local client = braze.new {
        api_key = os.getenv "KEY", endpoint = endpoint, ca_file = ca_file ~= "" and ca_file or nil, retries = 0, proxy = "",
      }
      pcall(client.create_send_id, client, { campaign_id = "campaign" })
      pcall(require("braze.core").probe, client)
      client:close()
    end
  end
  print "0"
  os.exit(true, true)
end

refuse(n)
local good, braze = pcall(require, "braze")
local failure
if good then
  good, failure = pcall(function()
    local client = braze.new { api_key = "canary-key-0123456789", endpoint = "http://127.0.0.1:1", retries = 0 }
    local request = client:start("create_send_id", { campaign_id = "campaign" })
    request:wait(5)
    client:close()
    return braze.create_send_id({ campaign_id = "campaign" }, { timeout = 1 })
  end)
end
print(refuse(0))
os.exit(not good and (type(failure) ~= "table" or braze.is_error(failure)), true)
