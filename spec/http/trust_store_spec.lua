-- The system's trust store in each of its shapes: a mount namespace of our own puts another one in its place.
-- From libcurl 7.70 on the library says where its store is; before, it is left to it alone.

local scripted_peer = require "spec.support.scripted_peer"
local standin = require "spec.support.standin"

local default_directory = "/etc/ssl/certs"

-- Why there can be no mount namespace here, in the words of what refused it, or nil: it takes a right that containers
-- often lack, and a root that is a mount point, which that of a chroot is not.
local function refusal()
  local command = "unshare -m sh -c 'mount -t tmpfs none %s' 2>&1 || echo it failed"
  local pipe = assert(io.popen(command:format(default_directory)))
  local said = pipe:read "*a"
  pipe:close()
  return said:match "^[^\n]+"
end
local refused = refusal()

local function succeeds(command)
  local first, _, code = os.execute(command)
  return first == true or first == 0 or code == 0
end

-- The interpreter that runs this spec, for a child.
local function interpreter()
  local lowest = 0
  while arg[lowest - 1] do lowest = lowest - 1 end
  return arg[lowest]
end

local program = [[
local client = require "braze".new { api_key = %q, endpoint = %q, retries = %d }
for _ = 1, %d do
  local good, answer = pcall(client.create_send_id, client, { campaign_id = "campaign_identifier", send_id = "same" })
  io.write(good and "status " .. answer.status
    or table.concat({ answer.kind, tostring(answer.curl_code), answer.message }, " "), "\n")
end
]]

describe("the system's trust store", function()
  local service = standin.start()
  local script, stranger = os.tmpname(), os.tmpname()

  --- Runs calls where `layout` (shell commands, $1 = the test CA, $2 = another certificate) has filled the store.
  local function call_with(layout, calls, endpoint, retries)
    local file = assert(io.open(script, "w"))
    file:write(program:format(service.workspace_key "trust", endpoint or service.https, retries or 0, calls or 1))
    file:close()
    local command = ([[unshare -m sh -ec '
      mount -t tmpfs none %s; cd %s
      %s
      cd "$5"; exec "$3" "$4"' sh %s %s %s %s "$PWD" 2>&1]]):format(default_directory, default_directory, layout,
      service.ca_file, stranger, interpreter(), script)
    local pipe = io.popen(command)
    local output = pipe:read "*a"
    pipe:close()
    return output
  end

  local function case(name, body)
    it(name, function()
      if refused then return pending("no mount namespace here: " .. refused) end
      body()
    end)
  end

  setup(function()
    assert.is_true(succeeds(("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 " ..
      "-subj /CN=stranger -keyout /dev/null -out %s 2>/dev/null"):format(stranger)))
  end)
  teardown(function()
    os.remove(script)
    os.remove(stranger)
  end)

  case("is used by its hashed directory alone", function()
    local output = call_with 'cp "$1" ca.pem; openssl rehash .'
    assert.equal("status 201\n", output)
  end)

  case("is used by its file where the directory is not hashed", function()
    assert.equal("status 201\n", (call_with 'cp "$1" ca-certificates.crt'))
  end)

  case("is used by its file where the hashed directory does not verify, and the client keeps to it", function()
    local output = call_with([[cp "$1" ca-certificates.crt; mkdir other; cp "$2" other/other.pem
      openssl rehash other; cp other/*.0 .; rm -r other]], 2)
    assert.equal("status 201\nstatus 201\n", output)
  end)

  describe("whose hashed directory does not verify", function()
    local layout = [[cp "$1" ca-certificates.crt; mkdir other; cp "$2" other/other.pem
      openssl rehash other; cp other/*.0 .; rm -r other]]
    local tls = { tls = { certificate = service.server_certificate, key = service.server_key } }
    local peer

    setup(function() peer = scripted_peer.start() end)
    teardown(function() peer:stop() end)
    before_each(function() peer:reset() end)

    local function url()
      return "https://localhost:" .. peer.port
    end

    case("is tried once for all of a client's connections", function()
      local goodbye = (scripted_peer.created "same"):gsub("\r\n", "\r\nconnection: close\r\n", 1)
      peer:default { tls, { read = "request" }, { write = goodbye } }
      assert.equal(("status 201\n"):rep(3), (call_with(layout, 3, url())))
      local requests = {}
      for number, connection in ipairs(peer:log()) do requests[number] = connection.requests end
      assert.same({ 0, 1, 1, 1 }, requests)
    end)

    case("is not even tried where its names are not hashed", function()
      peer:default { tls, { read = "request" }, { write = scripted_peer.created "same" } }
      assert.equal("status 201\n", (call_with('cp "$1" ca-certificates.crt; cp "$2" other.pem', 1, url())))
      assert.equal(1, #peer:log())
    end)

    case("costs none of the tries", function()
      peer:play { tls, { read = "request" } } -- the first, which is not trusted
      peer:default { tls, { read = "request" }, { write = scripted_peer.answer(503, { ["Retry-After"] = 0 }) },
        { read = "request" }, { write = scripted_peer.created "same" } }
      assert.equal("status 201\n", (call_with(layout, 1, url(), 1)))
    end)
  end)

  case("that trusts somebody else alone refuses the service", function()
    local output = call_with 'cp "$2" ca-certificates.crt; cp "$2" other.pem; openssl rehash . 2>&-'
    assert.matches("^tls 60 the certificate of localhost:%d+ is not trusted", output)
  end)

  for what, elsewhere in pairs {
    file = '"$2"', ["hashed directory"] = '"$PWD/other"; mkdir other; cp "$2" other/other.pem; openssl rehash other',
  } do
    case("is not trusted beside a ca_file that is a " .. what, function()
      local both = 'cp "$1" ca-certificates.crt; cp "$1" ca.pem; openssl rehash . 2>&-; export BRAZE_CA_FILE='
      local output = call_with(both .. elsewhere)
      assert.matches("^tls 60 the certificate of localhost:%d+ is not trusted", output)
    end)
  end

  case("that is empty is an error that names it", function()
    local output = call_with "true"
    assert.matches("^tls 77 the certificates to trust can't be read from the system's store", output)
  end)
end)
