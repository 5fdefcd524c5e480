-- TLS: who is trusted, who is refused before a byte of the request has left, and what a child process inherits.

local braze = require "braze"
local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local ssl = require "ssl"
local standin = require "spec.support.standin"

local quote, output_of, write_file = child.quote, child.output_of, child.write_file
local interpreter = arg[-1]

describe("a client over TLS", function()
  local service = standin.start()
  local authority = service.ca_file:match "^(.*)%.pem$"
  local peer, directory

  setup(function()
    peer = scripted_peer.start()
    directory = output_of("mktemp -d"):match "[^\n]+"
  end)
  teardown(function()
    peer:stop()
    os.execute("rm -rf " .. quote(directory))
  end)
  before_each(function()
    peer:reset()
    service.reset()
  end)

  -- A call with some options; the result or the error.
  local function call(options)
    options.api_key = service.key
    options.endpoint = options.endpoint or service.https
    options.timeout = 20
    local client = braze.new(options)
    local _, answer = pcall(client.create_send_id, client, { campaign_id = service.campaign_id, send_id = "mine" })
    client:close()
    return answer
  end

  local function check_refused(failure)
    assert.equal("tls", failure.kind)
    assert.is_false(failure.maybe_applied)
    assert.equal(0, failure.attempts)
    assert.is_nil(failure.status)
    assert.is_number(failure.curl_code)
    assert.is_string(failure.hint)
    assert.is_true(failure.elapsed > 0)
    return failure
  end

  -- Certificate and key for the peer, for a name, signed by the test authority unless told otherwise.
  local made = 0
  local function make_certificate(given)
    made = made + 1
    local path = directory .. "/" .. made
    local extensions = ("subjectAltName=%s\nextendedKeyUsage=%s\n"):format(given.name, given.usage or "serverAuth")
    write_file(path .. ".cnf", extensions)
    local signer = given.signer or ("-CA %s.pem -CAkey %s.key -set_serial %d"):format(authority, authority, 1000 + made)
    local log = output_of(("cd %s && { openssl ecparam -name prime256v1 -genkey -noout -out %d.key && "
      .. "openssl req -new -key %d.key -subj /CN=localhost -out %d.csr && "
      .. "openssl x509 -req -sha256 -in %d.csr %s -days %d -extfile %d.cnf -out %d.pem; } 2>&1"):format(
      quote(directory), made, made, made, made, signer:gsub("@", made), given.days or 30, made, made))
    local file = io.open(path .. ".pem")
    assert(file, log):close()
    return { certificate = path .. ".pem", key = path .. ".key" }
  end

  local function serve(parameters)
    peer:default { { tls = parameters }, { read = "request" }, { write = scripted_peer.created "mine" } }
  end

  local function peer_url(host)
    return ("https://%s:%d"):format(host or "localhost", peer.port)
  end

  describe("trusts", function()
    local sources = { ["a file"] = service.ca_file, ["a hashed directory"] = service.ca_directory }
    for name, path in pairs(sources) do
      it(name .. " given as ca_file, for a name and for an address", function()
        for _, endpoint in ipairs { service.https, "https://127.0.0.1:" .. service.https_port } do
          assert.equal("mine", call({ ca_file = path, endpoint = endpoint }).send_id)
        end
        assert.equal(2, #service.log().requests)
      end)
    end

    it("a bundle with other certificates before it", function()
      local foreign = make_certificate { name = "DNS:other.test", signer = "-signkey @.key" }
      local bundle = output_of("cat " .. quote(foreign.certificate) .. " " .. quote(service.ca_file))
      assert.equal("mine", call({ ca_file = write_file(directory .. "/bundle.pem", bundle) }).send_id)
    end)

    for _, protocol in ipairs { "tlsv1_2", "tlsv1_3" } do
      it("a server that speaks " .. protocol .. " alone", function()
        serve { certificate = service.server_certificate, key = service.server_key, protocol = protocol }
        assert.equal("mine", call({ ca_file = service.ca_file, endpoint = peer_url() }).send_id)
      end)
    end

    it("a wildcard's one label", function()
      serve(make_certificate { name = "DNS:*.localhost,IP:127.0.0.1" })
      assert.equal("mine", call({ ca_file = service.ca_file, endpoint = peer_url "127.0.0.1" }).send_id)
    end)

    it("one connection for many calls", function()
      local client = braze.new { api_key = service.key, endpoint = service.https, ca_file = service.ca_file }
      for _ = 1, 10 do client:create_send_id { campaign_id = service.campaign_id, send_id = "mine" } end
      client:close()
      local requests = service.log().requests
      assert.equal(10, #requests)
      assert.equal(requests[1].connection, requests[10].connection)
    end)
  end)

  describe("refuses, without a byte of the request and without another try,", function()
    local rows = {
      { "a server of an unknown authority", { name = "DNS:localhost" }, ca_file = false },
      { "a certificate signed by itself", { name = "DNS:localhost", signer = "-signkey @.key" } },
      { "a certificate that has run out", { name = "DNS:localhost", days = -1 } },
      { "a certificate of another host", { name = "DNS:other.test" } },
      { "a certificate of another address", { name = "IP:127.0.0.2" }, host = "127.0.0.1" },
      { "an address that is not in the certificate", { name = "DNS:localhost" }, host = "127.0.0.1" },
      { "a name that holds the host's", { name = "DNS:localhost.test,DNS:xlocalhost" } },
      { "a wildcard in place of a top level", { name = "DNS:*" } },
      { "a client's certificate", { name = "DNS:localhost", usage = "clientAuth" } },
      { "one signed by a server", { name = "DNS:localhost", signer = ("-CA %s -CAkey %s -set_serial 5"):format(
        service.server_certificate, service.server_key) } },
    }
    for _, row in ipairs(rows) do
      it(row[1], function()
        serve(make_certificate(row[2]))
        local ca_file = service.ca_file
        if row.ca_file == false then ca_file = nil end
        local failure = check_refused(call { ca_file = ca_file, endpoint = peer_url(row.host) })
        assert.matches("not trusted", failure.message)
        assert.matches("ca_file %(BRAZE_CA_FILE%)", failure.hint)
        assert.equal(0, peer:requests())
        local log = peer:log()
        for _, connection in ipairs(log) do assert.equal("", connection.received) end
        -- Without ca_file, the system's directory and then its file are asked: one connection each.
        assert.is_true(#log == 1 or (not ca_file and #log == 2), #log)
      end)
    end

    it("the stand-in for whoever has another authority alone", function()
      local other = make_certificate { name = "DNS:localhost", signer = "-signkey @.key" }
      check_refused(call { ca_file = other.certificate })
      assert.same({}, service.log().requests)
    end)
  end)

  describe("names a ca_file", function()
    local files = {
      { "that is not there", "missing.pem" }, { "in a folder that is not there", "missing/ca.pem" },
      { "that is empty", "empty.pem", "" }, { "that is no PEM", "text.pem", "Not a certificate.\n" },
      { "that is cut short", "cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n" },
    }
    for _, row in ipairs(files) do
      it(row[1], function()
        local path = directory .. "/" .. row[2]
        if row[3] then write_file(path, row[3]) end
        local failure = check_refused(call { ca_file = path })
        assert.is_truthy(failure.message:find(path, 1, true))
        assert.matches("ca_file", failure.hint)
        assert.same({}, service.log().requests)
      end)
    end

    it("that is there only later, as a file or as a directory", function()
      for _, later in ipairs { service.ca_file, service.ca_directory } do
        local path = directory .. "/later"
        local client = braze.new { api_key = service.key, endpoint = service.https, ca_file = path, retries = 0 }
        check_refused(select(2, pcall(client.create_send_id, client, { campaign_id = "campaign_identifier" })))
        os.execute(("cp -rL %s %s"):format(quote(later), quote(path)))
        assert.equal(201, client:create_send_id({ campaign_id = "campaign_identifier" }).status)
        os.execute("rm -r " .. quote(path))
      end
    end)

    it("when the process has no descriptor left to read it with", function()
      -- However many are left: what fails for want of one says so, and works once there are some.
      for left = 0, 5 do
        local script = write_file(directory .. "/few.lua", ([[
          require "cjson"
          local client = require "braze".new { api_key = %q, endpoint = %q, ca_file = %q, retries = 0 }
          local files = {}
          repeat
            local file = io.open "/dev/null"
            files[#files + 1] = file
          until not file
          for number = 1, %d do files[number]:close() end
          local good, failure = pcall(client.create_send_id, client, { campaign_id = "campaign_identifier" })
          for number = %d, #files do files[number]:close() end
          io.write(good and "good" or tostring(failure), "\n",
            client:create_send_id({ campaign_id = "campaign_identifier" }).status)
        ]]):format(service.key, service.https, service.ca_file, left, left + 1))
        local output = output_of(("ulimit -n 40; %s %s 2>&1"):format(quote(arg[-1]), quote(script)))
        local first, last = output:match "^(.*)\n(%d+)%s*$"
        assert.equal("201", last)
        assert.is_truthy(first == "good" or first:find "[Tt]oo many open files.*ulimit", first)
      end
    end)

    it("that may not be read", function()
      local path = write_file(directory .. "/secret.pem", output_of("cat " .. quote(service.ca_file)))
      os.execute("chmod 000 " .. quote(path))
      local readable = io.open(path)
      if readable then
        readable:close()
        pending "whoever runs this may read every file"
      end
      assert.is_truthy(check_refused(call { ca_file = path }).message:find(path, 1, true))
    end)

    it("that is a folder without hashed names, in its hint", function()
      os.execute("mkdir " .. quote(directory .. "/plain"))
      write_file(directory .. "/plain/ca.pem", output_of("cat " .. quote(service.ca_file)))
      assert.matches("ca_file", check_refused(call { ca_file = directory .. "/plain" }).hint)
    end)
  end)

  it("is told by a server of TLS 1.3 that it lacks a certificate of its own only after the request has left", function()
    serve {
      certificate = service.server_certificate, key = service.server_key, protocol = "tlsv1_3",
      cafile = service.ca_file, verify = { "peer", "fail_if_no_peer_cert" },
    }
    local failure = call { ca_file = service.ca_file, endpoint = peer_url() }
    assert.same({ "tls", true, 1 }, { failure.kind, failure.maybe_applied, failure.attempts })
    assert.matches("alert", failure.curl_message)
    assert.equal(0, peer:requests())
  end)

  it("refuses a server that speaks TLS 1.1 at most, whatever OpenSSL is told", function()
    local ciphers = "ALL:@SECLEVEL=0"
    serve {
      certificate = service.server_certificate, key = service.server_key, protocol = "tlsv1_1", ciphers = ciphers,
    }
    local plain = assert(socket.connect("127.0.0.1", peer.port))
    local wrapped = ssl.wrap(plain, { mode = "client", protocol = "tlsv1_1", verify = "none", ciphers = ciphers })
    local speaks = wrapped and wrapped:dohandshake()
    plain:close()
    if not speaks then pending "this OpenSSL speaks no TLS 1.1" end
    check_refused(call { ca_file = service.ca_file, endpoint = peer_url(), retries = 0 })
    local configuration = write_file(directory .. "/openssl.cnf", "openssl_conf = all\n[all]\nssl_conf = ssl\n"
      .. "[ssl]\nsystem_default = any\n[any]\nMinProtocol = TLSv1\nCipherString = " .. ciphers .. "\n")
    local program = [[
      local client = require("braze").new { api_key = %q, endpoint = %q, ca_file = %q, retries = 0 }
      local good, answer = pcall(client.create_send_id, client, { campaign_id = "campaign" })
      io.write(good and "made" or answer.kind)
    ]]
    local output = output_of("OPENSSL_CONF=" .. quote(configuration) .. " " .. quote(interpreter) .. " -e "
      .. quote(program:format(service.key, peer_url(), service.ca_file)) .. " 2>&1")
    assert.equal("tls", output)
    assert.equal(0, peer:requests())
  end)

  local others = {
    { "a plain HTTP server", { { read = "any" }, { write = scripted_peer.answer(400, nil, "plain HTTP") } } },
    { "a server that closes at once", { { read = "any" }, { close = "fin" } } },
    { "a server that resets at once", { { read = "any" }, { close = "reset" } } },
    { "a mail server", { { write = "220 mail.test ESMTP\r\n" }, { read = "any" } } },
  }
  for _, row in ipairs(others) do
    it("tells that no TLS is spoken by " .. row[1], function()
      peer:default(row[2])
      local failure = check_refused(call { ca_file = service.ca_file, endpoint = peer_url(), retries = 0 })
      assert.matches("handshake", failure.message)
      for _, connection in ipairs(peer:log()) do
        assert.is_nil(connection.received:find(service.key, 1, true))
        assert.is_nil(connection.received:find("POST", 1, true))
      end
    end)
  end

  -- A program in a fresh interpreter, which has no other sockets than its own: prints which of the process's sockets a
  -- child of it has, and how many it has itself.
  local inheritance = [[
    local function sockets(process)
      -- The pipe itself may be gone before it is looked at.
      local pipe = io.popen("ls -l /proc/" .. process .. "/fd 2>/dev/null")
      local found = {}
      for inode in pipe:lines() do
        inode = inode:match "socket:%%[(%%d+)%%]"
        if inode then found[inode] = true end
      end
      pipe:close()
      return found
    end
    local function count(found, before, kind)
      local number = 0
      for inode in pairs(found) do
        local wanted = not kind
        for _, name in ipairs(kind or {}) do
          local file = io.open("/proc/net/" .. name)
          local table_of_kernel = file and file:read "*a" or ""
          if file then file:close() end
          if table_of_kernel:find(" " .. inode .. " ", 1, true) then wanted = true end
        end
        if wanted and not before[inode] then number = number + 1 end
      end
      return number
    end
    local before = sockets "self"
    local client = require("braze").new { api_key = %q, endpoint = %q, ca_file = %q }
    client:create_send_id { campaign_id = "campaign_identifier" }
    io.write(count(sockets "$PPID", before, { "tcp", "tcp6" }), " ", count(sockets "self", before, { "tcp", "tcp6" }))
    io.write(" ", count(sockets "self", before))
  ]]

  local function inherited(endpoint)
    local program = inheritance:format(service.key, endpoint, service.ca_file)
    return output_of(quote(interpreter) .. " -e " .. quote(program) .. " 2>&1")
  end

  for _, endpoint in ipairs { service.http, service.https } do
    it("keeps its connection from child processes: " .. endpoint:match "^%a+", function()
      assert.matches("^1 0 ", inherited(endpoint))
    end)
  end

  -- libcurl's pair of sockets for waking itself is made without close-on-exec.
end)
