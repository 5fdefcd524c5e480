-- The examples that make metrics, spans and log lines of events do so with the calls that their libraries take.

local braze = require "braze"
local cjson = require "cjson"
local scripted_peer = require "spec.support.scripted_peer"
local socket = require "socket"
local with_peer = require "spec.support.with_peer"

local read, again = { read = "request" }, { again = true }
local parameters = { campaign_id = "campaign", send_id = "spring" }

local function example(name, ...) return dofile("examples/events_" .. name .. ".lua")(...) end

-- nginx-lua-prometheus, as far as it is used: it raises for labels that were not declared, and a gauge can be set.
local function new_prometheus(samples)
  local function metric(name, labels, methods)
    local made = {}
    for method in methods:gmatch "%S+" do
      made[method] = function(_, value, values)
        assert(type(value) == "number" and #values == #labels, name)
        local key = name .. " " .. table.concat(values, " ")
        samples[key] = method == "set" and value or (samples[key] or 0) + (method == "observe" and 1 or value)
      end
    end
    return made
  end
  return {
    counter = function(_, name, _, labels) return metric(name, labels, "inc") end,
    gauge = function(_, name, _, labels) return metric(name, labels, "set inc") end,
    histogram = function(_, name, _, labels, buckets)
      assert(#buckets == 14)
      return metric(name, labels, "observe")
    end,
  }
end

describe("the examples of events", function()
  local peer, new = with_peer(nil, { retries = 1 })

  -- A call that is refused once and then goes well, and one whose answer is lost.
  local function make_calls(on_event)
    local refused, created = { write = scripted_peer.answer(503, {}, "{}") }, { write = scripted_peer.created() }
    peer:default { read, refused, read, created, again }
    local client = new { on_event = on_event }
    client:create_send_id(parameters)
    peer:default { read, { close = "fin" } }
    client = new { on_event = on_event }
    pcall(client.trigger_campaign, client, { campaign_id = "campaign", recipients = braze.list {} })
  end

  it("count and time calls for nginx-lua-prometheus", function()
    local samples = {}
    make_calls(example("prometheus", new_prometheus(samples)))
    assert.same({
      ["braze_attempt_duration_seconds create_send_id server"] = 1,
      ["braze_attempt_duration_seconds create_send_id success"] = 1,
      ["braze_attempt_duration_seconds trigger_campaign network"] = 1,
      ["braze_retries_total create_send_id server"] = 1,
      ["braze_calls_total create_send_id success"] = 1,
      ["braze_calls_total trigger_campaign network"] = 1,
      ["braze_unknown_outcomes_total trigger_campaign"] = 1,
      ["braze_rate_limit_remaining create_send_id"] = 99,
    }, samples)
  end)

  it("draw on a dashboard no metric that is not made", function()
    local made = {}
    example("prometheus", setmetatable({}, { __index = function(_, kind)
      return function(_, name)
        made[name] = true
        if kind == "histogram" then made[name .. "_bucket"] = true end
        return {}
      end
    end }))
    local file = assert(io.open "examples/events_grafana.json")
    local dashboard = cjson.decode(file:read "*a")
    file:close()
    local count = 0
    for _, panel in ipairs(dashboard.panels) do
      for _, target in ipairs(panel.targets) do
        local name = target.expr:match "braze_[%w_]+"
        assert.is_true(made[name], name)
        count = count + 1
      end
    end
    assert.equal(6, count)
  end)

  it("make a span of each attempt, by the names of OpenTelemetry", function()
    local spans = {}
    make_calls(example("opentelemetry", function(span) spans[#spans + 1] = span end))
    assert.equal(3, #spans)
    assert.same({ "POST", "client", "error" }, { spans[1].name, spans[1].kind, spans[1].status })
    assert.is_true(spans[1].start_time <= spans[1].end_time and spans[1].end_time <= spans[2].start_time + 0.001)
    local port = tonumber(peer.url:match "%d+$")
    assert.same({ ["http.request.method"] = "POST", ["http.response.status_code"] = 503,
      ["server.address"] = "127.0.0.1", ["server.port"] = port, ["url.template"] = "/sends/id/create",
      ["error.type"] = "503" }, spans[1].attributes)
    assert.same({ 1, nil }, { spans[2].attributes["http.request.resend_count"], spans[2].attributes["error.type"] })
    assert.equal("network", spans[3].attributes["error.type"])
  end)

  it("send statsd's lines over UDP", function()
    local server = assert(socket.udp())
    assert(server:setsockname("127.0.0.1", 0))
    server:settimeout(5)
    local _, port = server:getsockname()
    make_calls(example("statsd", "127.0.0.1", tonumber(port)))
    local lines = {}
    for number = 1, 6 do lines[number] = assert(server:receive()):gsub("%d+%.%d%d%d|", "N|") end
    assert.same({ "braze.attempt.create_send_id.server:N|ms", "braze.retry.create_send_id.server:1|c",
      "braze.attempt.create_send_id.success:N|ms", "braze.call.create_send_id.success:1|c",
      "braze.attempt.trigger_campaign.network:N|ms", "braze.call.trigger_campaign.network:1|c" }, lines)
    server:close()
  end)

  it("log what someone should read, with LuaLogging", function()
    local lines = {}
    local found, logging = pcall(require, "logging")
    local logger = found and logging.new(function(_, level, line)
      lines[#lines + 1] = level .. " " .. line
      return true
    end) or { warn = function(_, line) lines[#lines + 1] = "WARN " .. line end,
      error = function(_, line) lines[#lines + 1] = "ERROR " .. line end }
    make_calls(example("logging", logger))
    assert.equal(2, #lines)
    assert.matches("^WARN braze: create_send_id: server %(503%), again in %d+%.%d s$", lines[1])
    assert.matches("^ERROR braze: trigger_campaign: network after 1 attempts and %d+%.%d s; it may have been done$",
      lines[2])
  end)
end)
