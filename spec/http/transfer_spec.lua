-- What each transfer is set to: what is offered, which proxy is asked, where limits lie to the byte, how long a
-- connection is kept, and what is said of a failure.

local braze = require "braze"
local child = require "spec.support.child"
local scripted_peer = require "spec.support.scripted_peer"
local standin = require "spec.support.standin"

local build = os.getenv "BRAZE_BUILD":gsub("/oldest$", "")
local read, again = { read = "request" }, { again = true }
local made = { write = scripted_peer.created "made" }
local key = "braze-key-0123456789"
local parameters = { campaign_id = "campaign" }

describe("a transfer", function()
  local service = standin.start()
  local peer, other

  setup(function()
    peer = scripted_peer.start()
    other = scripted_peer.start()
  end)
  teardown(function()
    peer:stop()
    other:stop()
  end)
  before_each(function()
    peer:reset()
    other:reset()
    service.reset()
  end)

  local function new(options)
    local all = { api_key = key, endpoint = peer.url, retries = 0, timeout = 10 }
    for name, value in pairs(options or {}) do all[name] = value end
    return braze.new(all)
  end

  -- A call of a client of its own, or of the one that is given; the result or the error.
  local function call(options, values, client)
    local one = client or new(options)
    local _, answer = pcall(one.create_send_id, one, values or parameters)
    if not client then one:close() end
    return answer
  end

  local function tls(certificate)
    return { tls = certificate or { certificate = service.server_certificate, key = service.server_key } }
  end

  it("offers HTTP/1.1 alone", function()
    peer:default { { read = "any" }, { close = "fin" } }
    call { endpoint = ("https://localhost:%d"):format(peer.port), ca_file = service.ca_file }
    local hello = peer:log()[1].received
    assert.matches("localhost", hello, 1, true)
    assert.is_truthy(hello:find("\8http/1.1", 1, true))
    assert.is_nil(hello:find("\2h2", 1, true))
  end)

  it("sends a long body at once, and asks nobody whether it may", function()
    peer:default { read, made, again }
    local long = ("c"):rep(1500000)
    assert.equal("made", call({}, { campaign_id = long }).send_id)
    local received = peer:log()[1].received
    assert.is_true(#received > #long)
    assert.is_nil(received:sub(1, 2000):lower():find("\r\nexpect", 1, true))
  end)

  describe("asks for a proxy", function()
    -- This machine, yet no loopback address. Nobody listens at port 1.
    local elsewhere = "https://0.0.0.0:1"
    local program = [[
      local client = require "braze".new { api_key = "braze-key-0123456789", endpoint = %q, proxy = %s, retries = 0 }
      local _, failure = pcall(client.create_send_id, client, { campaign_id = "campaign" })
      io.write(failure.kind)
    ]]

    before_each(function()
      for _, one in ipairs { peer, other } do one:default { read, { write = scripted_peer.answer(403) } } end
    end)

    -- How often a call with this option asks the proxy of the option, and that of the environment.
    local function asked(option, environment)
      local text = option and ("%q"):format(option) or "nil"
      assert.equal("network", (child.run(program:format(elsewhere, text), environment)))
      return #peer:log(), #other:log()
    end

    it("of the environment, where no other is given", function()
      assert.same({ 0, 1 }, { asked(nil, { https_proxy = other.url }) })
    end)

    it("of its option, though the environment has another", function()
      assert.same({ 1, 0 }, { asked(peer.url, { https_proxy = other.url }) })
    end)

    it("of its option, whatever no_proxy says of the environment's", function()
      for _, names in ipairs { "0.0.0.0", "*" } do
        peer:reset()
        peer:default { read, { write = scripted_peer.answer(403) } }
        assert.same({ 1, 0 }, { asked(peer.url, { no_proxy = names, NO_PROXY = names, https_proxy = other.url }) })
      end
    end)

    it("never where the option is empty, whatever the environment has", function()
      local environment = {}
      for _, name in ipairs { "https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY" } do
        environment[name] = other.url
      end
      assert.same({ 0, 0 }, { asked("", environment) })
    end)
  end)

  -- A header of so many bytes in all, in lines that libcurl takes.
  local function header_of(bytes, first, last)
    local line = "x-filler: " .. ("f"):rep(1000) .. "\r\n"
    local text = first .. line:rep(math.floor((bytes - #first - #last - 100) / #line))
    return text .. "x-rest: " .. ("r"):rep(bytes - #text - #last - #"x-rest: \r\n") .. "\r\n" .. last
  end

  it("takes 64 KiB of headers, and not a byte more", function()
    local body = '{"message":"success","send_id":"made"}'
    local last = ("content-length: %d\r\n\r\n"):format(#body)
    for more, expected in pairs { [-1] = "made", [0] = "made", [1] = "protocol" } do
      peer:reset()
      peer:default { read, { write = header_of(65536 + more, "HTTP/1.1 201 Created\r\n", last) .. body } }
      local answer = call()
      assert.equal(expected, answer.send_id or answer.kind)
    end
  end)

  it("counts the headers of each answer by themselves", function()
    local body = '{"message":"success","send_id":"made"}'
    local last = ("content-length: %d\r\n\r\n"):format(#body)
    peer:default { read, { write = header_of(40000, "HTTP/1.1 201 Created\r\n", last) .. body }, again }
    local client = new()
    for _ = 1, 3 do assert.equal("made", call(nil, nil, client).send_id) end
    client:close()
  end)

  it("does not count a proxy's headers among the service's", function()
    local body = '{"message":"success","send_id":"made"}'
    local connected = header_of(40000, "HTTP/1.1 200 Connection established\r\n", "\r\n")
    peer:default { read, { write = connected }, { connect = other.port } }
    local last = ("content-length: %d\r\n\r\n"):format(#body)
    other:default { tls(), read, { write = header_of(40000, "HTTP/1.1 201 Created\r\n", last) .. body } }
    assert.equal("made",
      call({ endpoint = "https://rest.braze.test", ca_file = service.ca_file, proxy = peer.url }).send_id)
  end)

  it("keeps 4,096 bytes of an error's body", function()
    for _, length in ipairs { 4095, 4096, 4097, 10000 } do
      peer:reset()
      peer:default { read, { write = scripted_peer.answer(500, {}, ("b"):rep(length)) } }
      assert.equal(math.min(length, 4096), #call().body)
    end
  end)

  it("says nothing of the failure of another call", function()
    peer:play { read, { close = "reset" } }
    peer:play { read, { write = "HTTP/1.1 200 OK\r\nno header at all\r\n\r\n" } }
    local client = new()
    local first, second = call(nil, nil, client), call(nil, nil, client)
    client:close()
    assert.matches("[Rr]eset", first.curl_message)
    assert.is_nil(second.curl_message:find "[Rr]eset")
  end)

  describe("shows no key", function()
    it("in the text of libcurl, which quotes a certificate's name", function()
      local pipe = assert(io.popen "mktemp -d")
      local directory = pipe:read "*l"
      pipe:close()
      os.execute(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj '/CN=%s' "
        .. "-keyout %s/key.pem -out %s/certificate.pem 2>/dev/null"):format(key, directory, directory))
      local certificate = { certificate = directory .. "/certificate.pem", key = directory .. "/key.pem" }
      peer:default { tls(certificate), read }
      local failure = call { endpoint = ("https://localhost:%d"):format(peer.port), ca_file = certificate.certificate }
      os.execute("rm -rf " .. directory)
      assert.equal("tls", failure.kind)
      assert.matches("***", failure.curl_message, 1, true)
      for _, text in ipairs { failure.curl_message, failure.message, tostring(failure) } do
        assert.is_nil(text:find(key, 1, true))
      end
    end)

    it("in a hint, which quotes the endpoint's path", function()
      peer:default { read, { write = scripted_peer.answer(404) } }
      local failure = call { endpoint = peer.url .. "/" .. key }
      assert.matches("***", failure.hint, 1, true)
      assert.is_nil(tostring(failure):find(key, 1, true))
    end)
  end)

  describe("on a connection that was used before", function()
    local same = { write = scripted_peer.created "same" }
    local preload = build .. "/test/preload.so"
    local prelude = [[
      local preload = assert(package.loadlib(%q, "luaopen_braze_preload_spec"))()
      local client = require "braze".new { api_key = %q, endpoint = %q, ca_file = %q, retries = 0, timeout = 600 }
      local function call()
        local parameters = { campaign_id = "campaign_identifier", send_id = "same" }
        local good, answer = pcall(client.create_send_id, client, parameters)
        io.write(good and "made " or answer.kind .. " ")
      end
    ]]

    -- Runs a program in which the clock may be moved and a send made to fail; what it printed.
    local function run(endpoint, program)
      local before = os.getenv "LD_PRELOAD"
      local text = prelude:format(preload, service.workspace_key "transfer", endpoint, service.ca_file) .. program
      return (child.run(text, { LD_PRELOAD = before and before .. ":" .. preload or preload }))
    end

    it("goes on after a minute, and not after more of idleness", function()
      peer:default { read, same, again }
      assert.equal("made made made ", run(peer.url, "call() preload.skip(58) call() preload.skip(63) call()"))
      assert.same({ 2, 1 }, { peer:log()[1].requests, peer:log()[2].requests })
    end)

    it("goes on for ten minutes, and not for longer", function()
      peer:default { read, same, again }
      assert.equal(("made "):rep(12), run(peer.url, "for _ = 1, 12 do call() preload.skip(58) end"))
      local log = peer:log()
      assert.same({ 2, 12 }, { #log, log[1].requests + log[2].requests })
      assert.is_true(log[1].requests >= 10)
    end)

    it("does not come after one that could not be sent", function()
      -- Half of it left: what came behind them on this connection would be read as the rest.
      assert.equal("made network made made ", run(service.https, "call() preload.fail_send() call() call() call()"))
    end)
  end)

end)
