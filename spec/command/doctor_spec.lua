-- braze doctor: each step, what it saw and what to do, and that neither a key nor a request leaves.

local cjson = require "cjson"
local command = require "spec.support.command"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local standin = require "spec.support.standin"

describe("braze doctor", function()
  local service = standin.start()
  local environment

  before_each(function()
    service.reset()
    environment = { BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http }
  end)

  -- The exit status, and the steps by their names.
  local function examine()
    local status, output, complaint = command.run({ "doctor" }, environment)
    assert.equal("", complaint)
    assert.not_matches(environment.BRAZE_API_KEY or "\0", output, 1, true)
    local report, steps = cjson.decode(output), {}
    assert.equal(status == 0, report.good)
    for _, step in ipairs(report.steps) do
      assert.is_nil(steps[step.name])
      steps[step.name] = step
      if step.state == "bad" then assert.is_string(step.cure, step.name) end
    end
    assert.same({}, service.log().requests)
    return status, steps
  end

  local function states(steps)
    local text = {}
    for _, name in ipairs { "environment", "key", "endpoint", "proxy", "name", "tcp", "tls", "clock" } do
      text[#text + 1] = steps[name].state
    end
    return table.concat(text, " ")
  end

  it("finds nothing where a call can be made", function()
    environment.BRAZE_API_KEY = "01234567-89ab-cdef-0123-456789abcdef"
    environment.BRAZE_REST_ENDPOINT, environment.BRAZE_CA_FILE = service.https, service.ca_file
    local status, steps = examine()
    assert.equal("good good good good good good good good", states(steps))
    assert.equal(0, status)
    assert.matches("trusted by " .. service.ca_file, steps.tls.saw, 1, true)
    assert.matches("^braze [%d.]+, .*libcurl/", steps.versions.saw)
  end)

  it("has no TLS to look at on loopback", function()
    local status, steps = examine()
    assert.equal("good doubtful good good good good skipped skipped", states(steps))
    assert.equal(0, status)
  end)

  it("names a variable that is not set", function()
    environment.BRAZE_API_KEY = nil
    local status, steps = examine()
    assert.equal("bad skipped good skipped skipped skipped skipped skipped", states(steps))
    assert.matches("BRAZE_API_KEY is not set", steps.environment.saw, 1, true)
    assert.equal(2, status)
    environment.BRAZE_REST_ENDPOINT = nil
    status, steps = examine()
    assert.matches("BRAZE_API_KEY and BRAZE_REST_ENDPOINT are not set", steps.environment.saw, 1, true)
    assert.equal(2, status)
  end)

  it("names what is wrong with key, endpoint and options", function()
    environment.BRAZE_API_KEY = "a key\n"
    assert.equal("bad", select(2, examine()).key.state)
    environment.BRAZE_API_KEY, environment.BRAZE_REST_ENDPOINT = service.key, "https://dashboard-01.braze.com"
    local status, steps = examine()
    assert.same({ 2, "bad" }, { status, steps.endpoint.state })
    environment.BRAZE_REST_ENDPOINT, environment.BRAZE_TIMEOUT = service.http, "soon"
    status, steps = examine()
    assert.same({ 2, "bad" }, { status, steps.options.state })
    assert.matches("BRAZE_TIMEOUT", steps.options.saw, 1, true)
  end)

  it("names a host that has no address", function()
    environment.BRAZE_REST_ENDPOINT = "https://" .. ("x"):rep(64) .. ".invalid"
    local status, steps = examine()
    assert.equal("good doubtful good good bad skipped skipped skipped", states(steps))
    assert.equal(3, status)
  end)

  it("names a port that nobody listens on", function()
    local listening = assert(socket.bind("127.0.0.1", 0))
    local _, port = listening:getsockname()
    listening:close()
    environment.BRAZE_REST_ENDPOINT = ("https://127.0.0.1:%d"):format(port)
    local status, steps = examine()
    assert.equal("good doubtful good good good bad skipped skipped", states(steps))
    assert.equal(3, status)
  end)

  it("names a certificate that is not trusted", function()
    environment.BRAZE_REST_ENDPOINT = service.https
    local status, steps = examine()
    assert.equal("good doubtful good good good good bad skipped", states(steps))
    assert.equal(7, status)
    assert.matches("ca_file", steps.tls.cure, 1, true)
  end)

  it("names a file of certificates that is not there", function()
    environment.BRAZE_REST_ENDPOINT, environment.BRAZE_CA_FILE = service.https, "no-such-file.pem"
    local status, steps = examine()
    assert.equal("bad", steps.tls.state)
    assert.equal(7, status)
  end)

  it("goes through a proxy, and names one that refuses", function()
    local peer = scripted_peer.start()
    finally(function() peer:stop() end)
    peer:default {
      { read = "request" }, { write = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n" },
    }
    environment.BRAZE_REST_ENDPOINT = "https://rest.example"
    environment.https_proxy = ("http://user:geheim@127.0.0.1:%d"):format(peer.port)
    local status, steps = examine()
    assert.same({ "bad", "skipped" }, { steps.proxy.state, steps.tls.state })
    assert.matches("407", steps.proxy.saw, 1, true)
    assert.equal(3, status)
    for _, step in pairs(steps) do assert.not_matches("geheim", step.saw .. (step.cure or ""), 1, true) end
    local asked = peer:log()
    assert.not_matches(service.key, cjson.encode(asked), 1, true)
  end)

  it("is a list for people on a terminal", function()
    local status, shown = command.on_terminal({ "doctor" }, environment)
    assert.equal(0, status)
    assert.matches("\27[32mok  \27[0m  endpoint     " .. service.http, shown, 1, true)
    assert.matches("\n +-> compare it with the dashboard", shown)
    assert.matches("\nA call can be made. No key was sent, and no request.\n$", shown)
  end)
end)
