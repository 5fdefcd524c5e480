-- A ledger in Redis over TLS: the server's certificate must be of an authority that is trusted, and name the host.

local braze = require "braze"
local child = require "spec.support.child"
local errors = require "spec.support.errors"
local scripted_peer = require "spec.support.scripted_peer"
local servers = require "spec.support.ledger_servers"

local created = scripted_peer.created
local campaign = { campaign_id = "campaign-1" }
local failure = errors.raised

local function run(command, ...)
  local good = os.execute("(" .. command:format(...) .. ") >/dev/null 2>&1")
  assert(good == true or good == 0, command)
end

local function new_folder()
  local pipe = assert(io.popen "mktemp -d")
  local folder = pipe:read "*l"
  pipe:close()
  return folder
end

-- The test authority and a server's certificate, and one for a client.
local function make_certificates()
  local folder = new_folder()
  run("sh spec/support/certificates %s", folder)
  run([[cd %s && mkdir other && cp ca.pem other &&
    openssl req -new -newkey rsa:2048 -nodes -keyout other/server.key -subj /CN=other -out other.csr &&
    echo subjectAltName=DNS:elsewhere.braze.test,IP:127.0.0.9 >names &&
    openssl x509 -req -in other.csr -CA ca.pem -CAkey ca.key -set_serial 8 -days 30 -extfile names \
      -out other/server.pem &&
    openssl req -new -newkey rsa:2048 -nodes -keyout client.key -subj /CN=client -out client.csr &&
    openssl x509 -req -in client.csr -CA ca.pem -CAkey ca.key -set_serial 7 -days 30 -out client.pem &&
    cat client.pem client.key >both.pem && chmod -R a+rX .]], folder)
  return folder
end

describe("a ledger in Redis over TLS", function()
  local folder, peer, has_tls, server, port

  setup(function()
    peer = scripted_peer.start()
    peer:default { { read = "request" }, { write = created() } }
    folder = make_certificates()
  end)
  teardown(function()
    if server then server.stop() end
    peer:stop()
    run("rm -r %s", child.quote(folder))
  end)

  local function client(url)
    local options = { api_key = "braze-key-0123456789", endpoint = peer.url, workspace = "w", timeout = 5 }
    options.ledger = url
    return braze.new(options)
  end

  -- The error of a call with a job, of which nothing was sent.
  local function refusal(url)
    local made = client(url)
    local before = peer:requests()
    local err = failure(made.create_send_id, made, campaign, { job = "a" })
    assert.equal("ledger", err.kind)
    assert.is_false(err.maybe_applied)
    assert.equal(before, peer:requests())
    made:close()
    return err.message .. " | " .. err.hint
  end

  -- Nothing listens there: who has TLS says so, the other one says that he has none.
  has_tls = true
  setup(function() has_tls = not refusal "rediss://127.0.0.1:1/0":find "speaks no TLS" end)

  local function start(clients, certificates)
    if server then server.stop() end
    port = servers.free_port()
    local settings = "TLS_PORT=%d TLS_FOLDER=%s TLS_CLIENTS=%s"
    server = servers.start("redis", settings:format(port, child.quote(certificates or folder), clients))
  end

  local function only_with_tls()
    if not has_tls then pending "the store for Redis was built with a hiredis that has no TLS" end
    return has_tls
  end

  local function url(host, query)
    return ("rediss://%s:%d/0%s"):format(host, port, query and "?" .. query:gsub("@", folder) or "")
  end

  it("is refused by a build that has none, with what to do", function()
    local message = refusal "rediss://127.0.0.1:1/0"
    if has_tls then
      assert.matches("Connection refused", message, 1, true)
    else
      assert.matches("this build speaks no TLS with Redis", message, 1, true)
      assert.matches("tunnel", message, 1, true)
    end
  end)

  it("has a URL whose files are known by their names", function()
    for _, wrong in ipairs {
      "rediss://127.0.0.1/0?cafile=/x", "rediss://127.0.0.1/0?ca_file", "rediss://127.0.0.1/0?ca_file=",
      "rediss://127.0.0.1/0?key_file=/x", "redis://127.0.0.1/0?ca_file=/x",
    } do
      assert.matches("its URL can't be read", refusal(wrong), 1, true)
    end
  end)

  it("does a job once", function()
    if not only_with_tls() then return end
    start "no"
    for _, host in ipairs { "localhost", "127.0.0.1" } do
      server.fresh()
      local before = peer:requests()
      for round = 1, 2 do
        local made = client(url(host, "ca_file=@/ca.pem"))
        local result = made:create_send_id(campaign, { job = "b" })
        assert.equal(round == 2 or nil, result.replayed)
        made:close()
      end
      assert.equal(before + 1, peer:requests())
    end
  end)

  it("trusts no authority that it was not given", function()
    if not only_with_tls() then return end
    start "no"
    local message = refusal(url "localhost")
    assert.matches("the server's certificate was refused", message, 1, true)
    assert.matches("ca_file", message, 1, true)
    assert.matches("can't be read from its ca_file", refusal(url("localhost", "ca_file=@/none.pem")), 1, true)
    assert.matches("can't be read from its ca_file", refusal(url("localhost", "ca_file=@/ca.key")), 1, true)
    run("mkfifo %s/fifo", folder)
    assert.matches("can't be read from its ca_file", refusal(url("localhost", "ca_file=@/fifo")), 1, true)
  end)

  it("refuses a certificate that names another host", function()
    if not only_with_tls() then return end
    start("no", folder .. "/other")
    for _, host in ipairs { "localhost", "127.0.0.1" } do
      local message = refusal(url(host, "ca_file=@/ca.pem"))
      assert.matches("the server's certificate was refused: .*mismatch", message)
      assert.matches("as the certificate names it", message, 1, true)
    end
  end)

  it("says so where no TLS is spoken", function()
    if not only_with_tls() then return end
    local other = scripted_peer.start()
    other:default { { write = "+PONG\r\n" } }
    local message = refusal((other.url:gsub("^http", "rediss") .. "?ca_file=" .. folder .. "/ca.pem"))
    other:stop()
    assert.matches("the TLS handshake failed", message, 1, true)
    assert.matches("the port is the one for TLS", message, 1, true)
  end)

  it("shows a certificate of its own where the server wants one", function()
    if not only_with_tls() then return end
    start "yes"
    server.fresh()
    for index, files in ipairs { "&cert_file=@/client.pem&key_file=@/client.key", "&cert_file=@/both.pem" } do
      local made = client(url("localhost", "ca_file=@/ca.pem" .. files))
      assert.equal(index == 2 or nil, made:create_send_id(campaign, { job = "c" }).replayed)
      made:close()
    end
    assert.matches("a certificate of its clients", refusal(url("localhost", "ca_file=@/ca.pem")), 1, true)
    for _, files in ipairs {
      "&cert_file=@/none.pem", "&cert_file=@/client.pem", "&cert_file=@/client.pem&key_file=@/server.key",
    } do
      assert.matches("cert_file.*key_file", refusal(url("localhost", "ca_file=@/ca.pem" .. files)))
    end
  end)

  it("is let go of inside the deadline where the server is frozen, and lost without harm where it is killed", function()
    if not only_with_tls() then return end
    start "no"
    server.fresh()
    local made = client(url("localhost", "ca_file=@/ca.pem"))
    made:create_send_id(campaign, { job = "d" })
    server.signal "STOP"
    local before = peer:requests()
    local err = failure(made.create_send_id, made, campaign, { job = "e", timeout = 0.5 })
    assert.equal("ledger", err.kind)
    assert.equal(before, peer:requests())
    assert.equal("ledger", failure(client(url("localhost", "ca_file=@/ca.pem")).create_send_id,
      client(url("localhost", "ca_file=@/ca.pem")), campaign, { job = "e", timeout = 0.5 }).kind)
    server.signal "KILL"
    err = failure(made.create_send_id, made, campaign, { job = "e" })
    assert.equal("ledger", err.kind)
    assert.equal(before, peer:requests())
    server.again()
    assert.equal("success", made:create_send_id(campaign, { job = "e" }).message)
    made:close()
  end)
end)
