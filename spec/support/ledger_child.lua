-- Processes of specs that do a job and end in the middle of it.
--
--   local children = require "spec.support.ledger_child"
--   children.die_holding(server, url, peer, call, params, options)   has one killed while the service works on its call
--   children.start(program, environment)                             a process in the background; its number

local child = require "spec.support.child"
local cjson = require "cjson"
local servers = require "spec.support.ledger_servers"
local socket = require "socket"

local quote = child.quote
local interpreter = arg[-1]
local children = {}

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "*a"
  pipe:close()
  return (text:gsub("%s+$", ""))
end

--- Starts a program of Lua in the background; its process's number, and what it prints goes to `output`.
function children.start(program, output)
  local begin = "%s -e %s >%s 2>&1 </dev/null & echo $!"
  return output_of(begin:format(quote(interpreter), quote(program), quote(output or "/dev/null")))
end

function children.signal(process, name)
  os.execute(("kill -%s %s 2>/dev/null"):format(name, process))
end

--- Waits until the process is gone. It is a child of a shell that has ended.
function children.wait(process)
  local deadline = socket.gettime() + 30
  local alive = ("kill -0 %s 2>/dev/null"):format(process)
  while output_of(alive .. " && echo yes") == "yes" do
    assert(socket.gettime() < deadline, "the process does not end")
    socket.sleep(0.01)
  end
end

local program = [[
local braze, cjson = require "braze", require "cjson"
local given = cjson.decode(%q)
local client = braze.new {
  api_key = given.key, endpoint = given.endpoint, ledger = given.url, workspace = "w", timeout = 60,
}
print(pcall(client.call, client, given.call, given.params, given.options))
]]

--- A process that makes the call and waits for its answer.
function children.make(url, endpoint, call, params, options)
  local given = cjson.encode {
    url = url, endpoint = endpoint, call = call, params = params, options = options, key = "braze-key-0123456789",
  }
  return children.start(program:format(given))
end

--- Lets what a dead process holds be seen as such at once: Redis takes its owner for alive until its lease has ended.
function children.expire(server)
  if server.kind ~= "redis" then return end
  local delete = [[--scan --pattern 'braze:*:owner:*' | xargs -r redis-cli -p %d del]]
  servers.redis_cli(server, delete:format(server.port))
end

--- Has a process killed once its request has arrived at the peer, which does not answer.
function children.die_holding(server, url, peer, call, params, options)
  local before = peer:requests()
  local process = children.make(url, peer.url, call, params, options)
  assert(peer:wait { requests = before + 1, seconds = 30 }, "the child's request did not arrive")
  children.signal(process, "KILL")
  children.wait(process)
  children.expire(server)
end

return children
