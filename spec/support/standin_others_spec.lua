-- The stand-in's switches, and the few endpoints that it serves beside a send ID's life, as its README says.

local socket = require "socket"
local standin = require "spec.support.standin"

local service = standin.start()
local send = service.send
local trigger = { campaign_id = "campaign-1", recipients = { { external_user_id = "user-1" } } }

describe("the stand-in's switches", function()
  before_each(service.reset)

  it("do a call whose answer is lost, and none that is dropped or failed", function()
    assert.is_nil((send("POST", "/lose/campaigns/trigger/send", trigger)))
    assert.equal(1, #service.sends())
    assert.is_nil((send("POST", "/drop/campaigns/trigger/send", trigger)))
    local status, answer = send("POST", "/fail/503/campaigns/trigger/send", trigger)
    assert.same({ 503, "The stand-in was told to answer 503" }, { status, answer.message })
    service.steer "next?times=2&fail=502"
    assert.equal(502, (send("POST", "/campaigns/trigger/send", trigger)))
    assert.equal(502, (send("GET", "/campaigns/list")))
    assert.equal(200, (send("GET", "/campaigns/list")))
    service.steer "next?lose=1&after=1"
    assert.equal(200, (send("GET", "/campaigns/list")))
    assert.is_nil((send("POST", "/campaigns/trigger/send", trigger)))
    assert.equal(2, #service.sends())
    local began = socket.gettime()
    assert.equal(503, (send("POST", "/slow/50/gateway/fail/503/campaigns/trigger/send", trigger)))
    assert.is_true(socket.gettime() - began >= 0.05)
  end)

  it("refuse a switch that is none", function()
    for _, what in ipairs {
      "quota?bucket=year&limit=1", "quota?bucket=hour", "clock", "clock?time=1&advance=1", "next",
    } do
      local status, answer = send("POST", "/standin/" .. what, "{}")
      assert.equal(400, status)
      assert.matches("README.md has the switches", answer.message, 1, true)
    end
  end)
end)

describe("the stand-in's other endpoints", function()
  before_each(service.reset)

  it("track users and name each object that is about nobody", function()
    local status, answer = send("POST", "/users/track", {
      attributes = { { external_id = "a", colour = "blue" } }, events = { { name = "b" }, { email = "c", name = "d" } },
    })
    assert.equal(201, status)
    assert.same({ "success", 1, 1 }, { answer.message, answer.attributes_processed, answer.events_processed })
    assert.same({ "events", 0 }, { answer.errors[1].input_array, answer.errors[1].index })
  end)

  it("list a catalog by the cursor of a Link header", function()
    local path, pages, items = "/catalogs/restaurants/items", 0, 0
    while path do
      local status, answer, headers = send("GET", path)
      assert.equal(200, status)
      pages, items = pages + 1, items + #answer.items
      path = headers.link and headers.link:match '^<(/[^>]+)>; rel="next"$'
      assert.equal(pages < 3, path ~= nil)
    end
    assert.same({ 3, 120 }, { pages, items })
    assert.equal(404, (send("GET", "/catalogs/none/items")))
  end)

  it("take changes by every method, with a body and without", function()
    for _, method in ipairs { "POST", "PUT", "PATCH", "DELETE" } do
      assert.equal(202, (send(method, "/catalogs/restaurants/items", { items = { { id = "restaurant1" } } })))
      local status, answer = send(method, "/catalogs/restaurants/items", {})
      assert.equal(400, status)
      assert.equal("invalid-items", answer.errors[1].id)
    end
    assert.equal(200, (send("DELETE", "/catalogs/restaurants")))
    assert.equal(404, (send("DELETE", "/catalogs/none")))
    local status, answer = send("DELETE", "/scim/v2/Users/a%2Fb")
    assert.same({ 204, "" }, { status, answer })
  end)

  it("list events by page", function()
    local _, last = send("GET", "/events/list?page=2")
    assert.equal(50, #last.events)
  end)

  it("echo what arrived", function()
    for _, method in ipairs { "GET", "POST", "PUT", "PATCH", "DELETE" } do
      local body = method ~= "GET" and "[1]" or nil
      local status, answer = send(method, "/echo/a%20b?c=d%2Be", body)
      assert.equal(method == "POST" and 201 or 200, status)
      assert.same({ method, "/echo/a b", "c=d%2Be", body or "" },
        { answer.method, answer.path, answer.query, answer.body })
    end
  end)
end)
