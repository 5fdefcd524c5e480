-- known: what is on disk when a connection is made counts, whatever libcurl keeps: parsed certificates, sessions,
-- connections.

local braze = require "braze"
local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"
local standin = require "spec.support.standin"

local quote = child.quote

describe("certificates that are replaced on disk", function()
  local service = standin.start()
  local authority = service.ca_file:match "^(.*)%.pem$"
  local folder, peer, clients

  local function sh(command)
    local pipe = assert(io.popen(("cd %s && { %s; } 2>&1; echo \" exit $?\""):format(quote(folder), command)))
    local output, status = pipe:read "*a":match "^(.*) exit (%d+)\n$"
    pipe:close()
    assert(status == "0", output)
    return output
  end

  setup(function()
    local pipe = assert(io.popen "mktemp -d")
    folder = pipe:read "*l"
    pipe:close()
    peer = scripted_peer.start()
    sh(("cp %s old.pem"):format(quote(authority .. ".pem")))
    sh [[openssl ecparam -name prime256v1 -genkey -noout -out new.key
      openssl req -x509 -new -key new.key -subj /CN=new-authority -days 2 -out new.pem
      openssl ecparam -name prime256v1 -genkey -noout -out server.key
      openssl req -new -key server.key -subj /CN=localhost -out server.csr
      printf 'subjectAltName=DNS:localhost\n' >server.cnf
      openssl x509 -req -in server.csr -CA new.pem -CAkey new.key -set_serial 7 -days 2 \
        -extfile server.cnf -out server.pem]]
    for _, name in ipairs { "old", "new" } do sh(("mkdir %s && cp %s.pem %s && openssl rehash %s"):format(
      name, name, name, name)) end
  end)
  teardown(function()
    peer:stop()
    os.execute("rm -rf " .. quote(folder))
  end)
  before_each(function()
    peer:reset()
    clients = {}
  end)
  after_each(function()
    for _, one in ipairs(clients) do one:close() end
  end)

  -- Whose certificate the peer shows on the next connections, one request on each unless it is told to keep them.
  local function serve(which, keep)
    local tls = which == "old" and { certificate = service.server_certificate, key = service.server_key }
      or { certificate = folder .. "/server.pem", key = folder .. "/server.key" }
    local last = scripted_peer.created():gsub("\r\n", "\r\nConnection: close\r\n", 1)
    local script = { { tls = tls }, { read = "request" } }
    for _ = 1, keep and 1 or 0 do
      script[#script + 1] = { write = scripted_peer.created() }
      script[#script + 1] = { read = "request" }
    end
    script[#script + 1] = { write = last }
    peer:default(script)
  end

  -- In one go, as a package manager and certbot do it; or in place.
  local function put(which) sh(("cp %s.pem next && mv next bundle.pem"):format(which)) end
  local function write_over(which) sh(("cat %s.pem >bundle.pem"):format(which)) end
  local function put_directory(which)
    sh(("rm -rf next && cp -R %s next && rm -rf store && mv next store"):format(which))
  end

  local function new(options)
    local all = { api_key = "braze-key-0123456789", endpoint = "https://localhost:" .. peer.port, timeout = 20,
      retries = 0,
      ca_file = folder .. "/bundle.pem" }
    for name, value in pairs(options or {}) do all[name] = value end
    clients[#clients + 1] = braze.new(all)
    return clients[#clients]
  end

  local function call(client, mode)
    local good, answer
    if mode == "blocking" then
      good, answer = pcall(client.create_send_id, client, { campaign_id = "campaign" })
    else
      local request = client:start("create_send_id", { campaign_id = "campaign" })
      assert.is_true(request:wait(20))
      client:step()
      good, answer = pcall(request.result, request)
    end
    return good and "201" or answer.kind .. (answer.maybe_applied and " maybe" or "")
  end

  for _, mode in ipairs { "blocking", "started" } do
    for how, replace in pairs { ["by rename"] = put, ["in place"] = write_over, ["as a directory"] = put_directory } do
      it(("count at the next connection: %s, replaced %s"):format(mode, how), function()
        local client = new(replace == put_directory and { ca_file = folder .. "/store" } or nil)
        local seen = {}
        for _, step in ipairs { { "old", "old" }, { "new", "new" }, { "new", "old" }, { "old", "old" }, { "old",
          "new" },
          { "new", "new" } } do
          replace(step[2])
          serve(step[1])
          seen[#seen + 1] = call(client, mode)
          seen[#seen + 1] = call(client, mode)
        end
        assert.equal("201 201 201 201 tls tls 201 201 tls tls 201 201", table.concat(seen, " "))
      end)
    end

    it("an authority taken out is not trusted by a session of TLS that is resumed, " .. mode, function()
      local client = new()
      put "old"
      serve "old"
      for _ = 1, 3 do assert.equal("201", call(client, mode)) end
      put "new"
      assert.equal("tls", call(client, mode))
    end)

    it("a connection that is there goes on, " .. mode, function()
      local client = new()
      put "old"
      serve("old", true)
      assert.equal("201", call(client, mode))
      put "new"
      assert.equal("201", call(client, mode))
      assert.equal(1, #peer:log())
    end)

    it("a file that was not there is used once it is, " .. mode, function()
      local client = new()
      sh "rm -f bundle.pem"
      serve "old"
      assert.equal("tls", call(client, mode))
      sh "cp -R old bundle.pem"
      assert.equal("201", call(client, mode))
      sh "rm -rf bundle.pem"
      put "old"
      assert.equal("201", call(client, mode))
    end)
  end
end)
