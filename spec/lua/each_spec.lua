-- Lists, page by page: which pages are asked for, what ends the walk, and what goes wrong on the way.

local braze = require "braze"
local cjson = require "cjson"
local scripted_peer = require "spec.support.scripted_peer"

local key = "braze-key-0123456789"
local answer = scripted_peer.answer

describe("each", function()
  local peer, client, safe
  setup(function()
    peer = scripted_peer.start()
    client = braze.new { api_key = key, endpoint = peer.url, retries = 0, timeout = 20 }
    safe = braze.safe.new { api_key = key, endpoint = peer.url, retries = 0, timeout = 20 }
  end)
  teardown(function()
    client:close()
    safe:close()
    peer:stop()
  end)
  before_each(function() peer:reset() end)

  -- A page of so many items, first and following.
  local function page(first, count, field, headers)
    local items = {}
    for number = first, first + count - 1 do items[#items + 1] = ('{"id":%d}'):format(number) end
    local list = table.concat(items, ",")
    return answer(200, headers, ('{"message":"success","%s":[%s]}'):format(field or "campaigns", list))
  end

  local function serve(...)
    for _, text in ipairs { ... } do
      -- Said beforehand: what the next page is asked for on must not end while it is asked for.
      text = text:gsub("\r\n", "\r\nConnection: close\r\n", 1)
      peer:play { { read = "request" }, { write = text } }
    end
    peer:default { { read = "request" }, { write = answer(500, nil, '{"message":"one page too many"}') } }
  end

  -- The ids of all items.
  local function walk(...)
    local ids = {}
    for item in client:each(...) do ids[#ids + 1] = item.id end
    return ids
  end

  local function targets()
    local list = {}
    for _, entry in ipairs(peer:log()) do list[#list + 1] = entry.received:match "^%u+ (%S+)" end
    return list
  end

  local function failed(...)
    local ids = {}
    local good, err = pcall(function(...)
      for item in client:each(...) do ids[#ids + 1] = item.id end
    end, ...)
    assert.is_false(good)
    assert.is_true(braze.is_error(err), tostring(err))
    return err, #ids
  end

  it("asks for page after page until one is short", function()
    serve(page(1, 100), page(101, 100), page(201, 3))
    local ids = walk("list_campaigns", { sort_direction = "asc" })
    assert.equal(203, #ids)
    for number = 1, 203 do assert.equal(number, ids[number]) end
    assert.same({
      "/campaigns/list?sort_direction=asc", "/campaigns/list?page=1&sort_direction=asc",
      "/campaigns/list?page=2&sort_direction=asc",
    }, targets())
  end)

  it("ends at an empty page, the first too", function()
    serve(page(1, 100), page(101, 0))
    assert.equal(100, #walk "list_campaigns")
    peer:reset()
    serve(page(1, 0))
    assert.same({}, walk("list_campaigns", {}))
    assert.equal(1, #targets())
  end)

  it("begins where it is told to, and asks for no page before it is needed", function()
    serve(page(1, 100), page(101, 1))
    local next_item = client:each("list_campaigns", { page = 7 })
    assert.equal(0, #targets())
    for _ = 1, 100 do next_item() end
    assert.equal(1, #targets())
    assert.equal(101, next_item().id)
    assert.is_nil(next_item())
    assert.is_nil(next_item())
    assert.same({ "/campaigns/list?page=7", "/campaigns/list?page=8" }, targets())
  end)

  it("leaves the caller's tables as they are, and takes what they were at the start", function()
    serve(page(1, 100), page(101, 0))
    local parameters, options = { sort_direction = "asc" }, { query = { x = 1 }, max_pages = 3 }
    local next_item = client:each("list_campaigns", parameters, options)
    assert.equal(1, next_item().id)
    parameters.sort_direction = "desc"
    options.max_pages = nil
    while next_item() do end
    assert.same({ sort_direction = "desc" }, parameters)
    assert.same({ query = { x = 1 } }, options)
    for _, target in ipairs(targets()) do assert.matches("sort_direction=asc&x=1$", target) end
  end)

  it("refuses a page that is equal to the one before", function()
    serve(page(1, 100), page(1, 100))
    local err, count = failed("list_campaigns", {})
    assert.equal("protocol", err.kind)
    assert.equal("the service answered with the same page twice", err.message)
    assert.equal(1, err.page)
    assert.equal("list_campaigns", err.operation)
    assert.is_false(err.maybe_applied)
    assert.equal(100, count)
  end)

  it("raises after max_pages where there is more, and not where there is none", function()
    serve(page(1, 100), page(101, 100))
    local err, count = failed("list_campaigns", {}, { max_pages = 2 })
    assert.equal("usage", err.kind)
    assert.equal(2, err.page)
    assert.equal("list_campaigns", err.operation)
    assert.equal(200, count)
    assert.equal(2, #targets())
    peer:reset()
    serve(page(1, 100), page(101, 1))
    assert.equal(101, #walk("list_campaigns", {}, { max_pages = 2 }))
  end)

  it("has a limit of 100 pages of its own", function()
    for number = 0, 99 do peer:play { { read = "request" }, { write = page(number * 100, 100) } } end
    local err, count = failed("list_campaigns", {})
    assert.equal("usage", err.kind)
    assert.equal(100, err.page)
    assert.equal(10000, count)
  end)

  it("names the page that failed, and can't go on behind it", function()
    serve(page(1, 100), answer(503, nil, "{}"), answer(503, nil, "{}"))
    local next_item, ids = client:each("list_campaigns", {}), 0
    for _ = 1, 100 do ids = next_item() and ids + 1 end
    local good, err = pcall(next_item)
    assert.is_false(good)
    assert.equal("server", err.kind)
    assert.equal(1, err.page)
    assert.equal("list_campaigns", err.operation)
    assert.is_false(err.maybe_applied)
    good, err = pcall(next_item) -- the same page again
    assert.is_false(good)
    assert.equal(1, err.page)
    assert.equal("/campaigns/list?page=1", targets()[3])
  end)

  it("walks a route by the cursor of its Link header, which is the whole query", function()
    serve(
      page(1, 2, "items", { link = '</catalogs/a/items?cursor=x%3D&limit=2>; rel="next"' }),
      page(3, 1, "items", { link = '</catalogs/a/items?cursor=y>; rel="next"' }),
      page(4, 2, "items"))
    assert.same({ 1, 2, 3, 4, 5 }, walk("GET /catalogs/a/items", { limit = 2 }, { items = "items", query = { z = 1 } }))
    local asked = targets()
    assert.equal("/catalogs/a/items?limit=2&z=1", asked[1])
    assert.is_true(asked[2]:find "cursor=x%%3D" ~= nil and asked[2]:find "limit=2" ~= nil and not asked[2]:find "z=")
    assert.equal("/catalogs/a/items?cursor=y", asked[3])
    assert.equal(3, #asked)
  end)

  it("sends a body again with the query of the next page", function()
    serve(page(1, 2, "items", { link = '</search?cursor=x>; rel="next"' }), page(3, 1, "items"))
    assert.same({ 1, 2, 3 }, walk("POST /search", { name = "n" }, { items = "items" }))
    local log = peer:log()
    assert.equal("/search?cursor=x", targets()[2])
    assert.equal('{"name":"n"}', log[1].received:match "\r\n\r\n(.*)$")
    assert.equal('{"name":"n"}', log[2].received:match "\r\n\r\n(.*)$")
  end)

  it("never follows a link to another host", function()
    serve(page(1, 2, "items", { link = '<https://other.example/catalogs?cursor=x>; rel="next"' }))
    assert.same({ 1, 2 }, walk("GET /catalogs", {}, { items = "items" }))
  end)

  it("asks an operation by its own parameters, whatever a Link header says", function()
    serve(page(1, 100, nil, { link = '</campaigns/list?page=1>; rel="next"' }), page(101, 1))
    assert.equal(101, #walk("list_campaigns", { sort_direction = "asc" }))
    assert.equal("/campaigns/list?page=1&sort_direction=asc", targets()[2])
  end)

  it("walks by limit and offset", function()
    serve(page(1, 2, "emails"), page(3, 2, "emails"), page(5, 1, "emails"))
    assert.same({ 1, 2, 3, 4, 5 }, walk("GET /email/hard_bounces", { limit = 2, offset = 0 }, { items = "emails" }))
    local asked = targets()
    assert.equal(3, #asked)
    for number, target in ipairs(asked) do
      assert.is_truthy(target:find("offset=" .. (number - 1) * 2, 1, true))
      assert.is_truthy(target:find("limit=2", 1, true))
    end
  end)

  it("walks a route by its page, where that is given", function()
    serve(page(1, 3, "segments"), page(4, 3, "segments"), page(7, 2, "segments"))
    assert.equal(8, #walk("GET /segments/list", { page = 0 }, { items = "segments" }))
    assert.same({ "/segments/list?page=0", "/segments/list?page=1", "/segments/list?page=2" }, targets())
  end)

  it("counts on from numbers that are written as texts, or stand in options.query", function()
    for _, given in ipairs {
      { { page = "1" } }, { nil, { page = 1 } }, { {}, { page = "1" } }, { { page = 1 }, { page = 7 } },
    } do
      peer:reset()
      serve(page(1, 2, "list"), page(3, 1, "list"))
      local ids = walk("GET /any", given[1], { items = "list", query = given[2] })
      local asked = targets()
      assert.same({ 1, 2, 3 }, ids)
      assert.is_truthy(asked[1]:find "[?&]page=1" and asked[2]:find "[?&]page=2")
      assert.equal(given[1] and given[1].page and given[2] and given[2].page and true, asked[2]:find "page=7" and true)
    end
    peer:reset()
    serve(page(1, 2, "list"), page(3, 1, "list"))
    assert.same({ 1, 2, 3 }, walk("GET /any", { limit = "2" }, { items = "list", query = { offset = "4", z = 1 } }))
    assert.is_truthy(targets()[2]:find "offset=6" and targets()[2]:find "limit=2" and targets()[2]:find "z=1")
  end)

  it("refuses a number that it can't count on from", function()
    for _, number in ipairs { -1, 1.5, 1e300, 0 / 0, 1 / 0 } do
      for _, name in ipairs { "page", "limit", "offset" } do
        local failure = select(2, safe:each("GET /any", { [name] = number }, { items = "list" }))
        assert.equal("usage", failure.kind)
        assert.matches(name .. " is .*: it must be a whole number that is not negative", failure.message)
      end
    end
    assert.equal("usage", select(2, safe:each("GET /any", nil, { items = "list", query = { page = -1 } })).kind)
    assert.equal(0, #targets())
  end)

  it("takes the one page of a route that has no way to the next", function()
    serve(page(1, 3, "segments"))
    assert.same({ 1, 2, 3 }, walk("GET /segments/list", nil, { items = "segments" }))
    assert.equal(1, #targets())
  end)

  it("walks through the items of a single answer", function()
    serve(answer(200, nil, '{"scheduled_broadcasts":[{"id":1},{"id":2}]}'))
    assert.same({ 1, 2 }, walk("list_scheduled_broadcasts", { end_time = "2026-03-01" }))
    peer:reset()
    serve(page(1, 2, "data"))
    assert.same({ 1, 2 }, walk("get_send_analytics", { campaign_id = "c", send_id = "s", length = 2 }))
  end)

  it("takes an object for no list", function()
    serve(answer(200, nil, '{"list":{"a":1}}'))
    assert.equal("protocol", failed("GET /any", nil, { items = "list" }).kind)
    peer:reset()
    serve(answer(200, nil, '{"list":{}}'))
    assert.same({}, walk("GET /any", nil, { items = "list" }))
  end)

  it("says which field has no list", function()
    serve(answer(200, nil, '{"items":5}'))
    local err = failed("GET /catalogs", {}, { items = "items" })
    assert.equal("protocol", err.kind)
    assert.is_truthy(err.message:find('"items"', 1, true), err.message)
    assert.equal(0, err.page)
    assert.equal("GET /catalogs", err.operation)
  end)

  it("refuses a bad start before anything is sent", function()
    local rows = {
      { { "get_campaign", { campaign_id = "c" } }, "get_campaign is not known to answer with a list" },
      { { "GET /catalogs" }, "GET /catalogs is not known to answer with a list" },
      { { "list_campaigns", "text" }, 'list_campaigns takes a table of parameters, not the string "text"' },
      { { "list_campaigns", {}, { max_pages = 0 } }, "max_pages is 0: it must be a whole number from 1 to 1000000" },
      { { "list_campaigns", {}, { items = 5 } }, "items must be a string, not the number 5" },
      { { "list_campaigns", {}, { on_done = print } }, "on_done is an option of start alone" },
      { { "list_campaign", {} }, 'each: there is no operation "list_campaign"' },
    }
    for _, row in ipairs(rows) do
      local good, err = pcall(client.each, client, row[1][1], row[1][2], row[1][3])
      assert.is_false(good)
      assert.equal("usage", err.kind)
      assert.equal(row[2], err.message)
      local nothing, returned = safe:each(row[1][1], row[1][2], row[1][3])
      assert.is_nil(nothing)
      assert.equal(row[2], returned.message)
    end
    local err = failed("list_campaigns", { page = "1" })
    assert.equal("usage", err.kind)
    assert.equal(0, #peer:log())
  end)

  it("shows no key, wherever it stands in what was given", function()
    peer:default { { read = "request" }, { write = answer(200, nil, "{}") }, { again = true } }
    local route = "GET /x/" .. key
    local failures = {
      select(2, safe:each(key, {})), (failed(route, nil, { items = "a" })), (failed(route, nil, { items = key })),
      select(2, safe:each(route .. "?", {})), select(2, safe:each(route, { [key] = print }, { items = "a" })()),
    }
    assert.equal(5, #failures)
    for number, failure in ipairs(failures) do
      assert.is_true(braze.is_error(failure), number)
      assert.is_nil((tostring(failure) .. tostring(failure.operation)):find(key, 1, true), tostring(failure))
    end
  end)

  it("returns nil and the error in the safe style, and nil alone at the end", function()
    serve(page(1, 100), answer(503, nil, "{}"), page(101, 1))
    local next_item = safe:each("list_campaigns", {})
    for number = 1, 100 do assert.equal(number, next_item().id) end
    local last, err = next_item()
    assert.is_nil(last)
    assert.equal("server", err.kind)
    assert.equal(1, err.page)
    assert.equal(101, next_item().id) -- the page that failed is asked for again
    last, err = next_item()
    assert.is_nil(last)
    assert.is_nil(err)
  end)

  it("refuses a client that is closed, at once and in the middle", function()
    local other = braze.new { api_key = key, endpoint = peer.url, retries = 0 }
    serve(page(1, 100))
    local next_item = other:each("list_campaigns", {})
    for _ = 1, 100 do next_item() end
    other:close()
    local good, err = pcall(next_item)
    assert.is_false(good)
    assert.equal("usage", err.kind)
    assert.equal("usage", select(2, pcall(other.each, other, "list_campaigns")).kind)
  end)

  it("compares pages by what is in them, however deep", function()
    local deep = { id = 1, x = { y = { { 1 }, { z = false } } } }
    local function with(value)
      deep.x.y[2].z = value
      return answer(200, nil, cjson.encode { items = { deep } })
    end
    serve(with(1), with(2), with(2))
    local err, count = failed("GET /a", { page = 0 }, { items = "items" })
    assert.equal("the service answered with the same page twice", err.message)
    assert.equal(2, err.page)
    assert.equal(2, count)
  end)
end)
