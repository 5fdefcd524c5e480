-- The pages of docs/, the annotations and the module name the same things.

local braze = require "braze"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "*a"
  file:close()
  return text
end

local function list(pattern)
  local paths = {}
  local pipe = assert(io.popen("ls -d " .. pattern))
  for path in pipe:lines() do paths[#paths + 1] = path end
  pipe:close()
  return paths
end

local annotations = ""
for _, path in ipairs(list "src/braze/meta*.lua") do annotations = annotations .. read(path) .. "\n" end

-- A page, or its part between a heading and the next one.
local function page(name, heading)
  local text = "\n" .. read("docs/" .. name .. ".md") .. "\n"
  if not heading then return text end
  local from = select(2, text:find("\n## " .. heading .. "\n", 1, true))
  assert(from, name .. ".md has no section " .. heading)
  return text:sub(from, (text:find("\n## ", from, true) or #text + 1) - 1) .. "\n"
end

-- The cells in the first column of its tables, without their heads.
local function first_cells(text)
  local cells = {}
  local rows = text:gsub("\n|[^\n]*(\n| %-%-%-)", "%1")
  for cell in rows:gmatch "\n| ([^|\n]*) |" do cells[#cells + 1] = cell end
  return cells
end

-- Those of them that are a name, as keys.
local function first_column(text)
  local names = {}
  for _, cell in ipairs(first_cells(text)) do
    local name = cell:match "^`([%w_]+)`$"
    if name then names[name] = true end
  end
  return names
end

local function as_keys(pattern, text)
  local names = {}
  for name in text:gmatch(pattern) do names[name] = true end
  return names
end

-- The fields of a class in the annotations, as keys.
local function fields_of(class)
  local name = class:gsub("%.", "%%.") .. "[:\n]"
  local from = annotations:find("%-%-%-@class " .. name) or annotations:find("%-%-%-@class %(exact%) " .. name)
  assert(from, "no class " .. class)
  return as_keys("%-%-%-@field ([%w_]+)", annotations:sub(from, (annotations:find("\n\n", from, true))))
end

local function kinds_annotated()
  return as_keys("| \"([a-z_]+)\"", annotations:match "%-%-%-@alias braze%.kind\n.-\n\n")
end

describe("the README", function()
  it("has at most 200 lines", function()
    assert.is_true(select(2, read("README.md"):gsub("\n", "")) <= 200)
  end)

  it("names each page of docs/", function()
    local readme = read "README.md"
    for _, path in ipairs(list "docs/*.md") do assert.matches("](" .. path .. ")", readme, 1, true) end
  end)

  it("names each kind of error in its short table", function()
    local named = {}
    for row in read("README.md"):gmatch "\n| (`[^|]*) |" do
      for kind in row:gmatch "`([%w_]+)`" do named[kind] = true end
    end
    for kind in pairs(kinds_annotated()) do assert.is_true(named[kind], kind) end
  end)
end)

describe("docs/", function()
  it("has a cure for each kind of error, and no other", function()
    local kinds = first_column(page("errors", "Kinds"))
    assert.same(kinds_annotated(), kinds)
    local count = 0
    for kind in pairs(kinds) do
      count = count + 1
      assert.equal(kind, braze.error({ kind = kind }).kind)
    end
    assert.equal(12, count)
  end)

  it("has a row for each option, as the annotations have", function()
    local options = {
      api_key = "some-key",
      endpoint = "US-01",
      timeout = 1,
      connect_timeout = 1,
      retries = 1,
      max_connections = 1,
      ca_file = "ca.pem",
      proxy = "",
      ledger = "braze.db",
      workspace = "shop",
      on_event = function() end,
    }
    braze.new(options):close()
    for name in pairs(options) do options[name] = true end
    assert.same(options, first_column(page "options"))
    assert.same(options, fields_of "braze.options")
  end)

  it("has a row for each field of a result, as the annotations have", function()
    local fields = first_column(page("getting-started", "The result"))
    assert.same(fields_of "braze.result", fields)
  end)

  it("names every field of an error that the annotations have", function()
    local errors = page("errors", "Fields")
    for field in pairs(fields_of "braze.error") do
      assert.matches("`" .. field .. "`", errors, 1, true)
    end
  end)

  it("has a row for each method of a client and of a request, as the annotations have", function()
    local cells = table.concat(first_cells(page "game-loops"), "\n")
    local client = require "braze".new { api_key = "braze-standin-key", endpoint = "http://127.0.0.1:9" }
    local objects = { client = client, request = client:start("create_send_id", { campaign_id = "campaign" }) }
    client:close()
    for class, parents in pairs { client = { "client", "any_client" }, request = { "request" } } do
      local methods, annotated = {}, {}
      for name in pairs(getmetatable(objects[class]).__index) do methods[name] = true end
      for _, parent in ipairs(parents) do
        for name in pairs(as_keys("\nfunction " .. parent .. ":([%w_]+)%(", annotations)) do annotated[name] = true end
      end
      if class == "client" then
        for name in pairs(fields_of "braze.methods") do annotated[name] = true end
      end
      assert.same(methods, annotated)
      methods.call, methods.each = nil, nil -- the page about operations has these
      for name in pairs(braze.operations) do methods[name] = nil end
      assert.same(methods, as_keys("`" .. class .. ":([%w_]+)%(", cells))
    end
  end)

  it("has a row for each operation, with its request, as the annotations and the module have", function()
    local names, requests = {}, {}
    for name, row in pairs(braze.operations) do names[name], requests[name] = true, row.method .. " " .. row.path end
    local told = {}
    for name, request in page "operations":gmatch "\n| `([%w_]+)` | `(%u+ /[^`]*)` |" do told[name] = request end
    assert.same(requests, told)
    for _, style in ipairs { "functions", "safe.functions", "methods", "safe.methods" } do
      local annotated = fields_of("braze." .. style)
      for _, other in ipairs { "call", "each", "operations", "null", "list" } do annotated[other] = nil end
      annotated.create_send_id = true
      assert.same(names, annotated)
    end
    for name in pairs(names) do
      local expected, found = {}, {}
      for _, field in ipairs(braze.operations[name].parameters) do
        expected[field.name:match "^[%w_]+$" or ("[%q]"):format(field.name)] = field.required
      end
      local from = select(2, annotations:find("%-%-%-@class %(exact%) braze%." .. name .. "%.params\n"))
      local class = annotations:sub(from, (annotations:find("\n\n", from, true)))
      for field, mark in class:gmatch "%-%-%-@field ([%w_]+)(%??) " do found[field] = mark == "" end
      for field in class:gmatch "%-%-%-@field (%[[^%]]*%][^ ]*) " do found[field] = false end
      assert.same(expected, found)
    end
  end)

  it("has a row for each option of a call that other pages have not", function()
    local own = first_column(page "operations")
    for name in pairs(fields_of "braze.each_options") do assert.is_true(own[name], name) end
    for name in pairs(fields_of "braze.call_options") do assert.matches("`" .. name .. "`", page "options", 1, true) end
  end)

  it("has a row for each module for a host", function()
    local modules = {}
    for _, path in ipairs(list "src/braze/*.lua") do modules[path:match "([%w_]+)%.lua$"] = true end
    local others = { "host", "meta", "meta_operations", "meta_safe", "meta_ledger", "meta_core", "meta_fake",
      "fake", "fake_service" }
    for _, name in ipairs(others) do modules[name] = nil end
    assert.same(modules, as_keys("\n| `braze%.([%w_]+)` |", page "event-loops"))
  end)

  it("names each program in examples/, and no other", function()
    local programs = {}
    for _, path in ipairs(list "examples/*") do programs[path] = true end
    local named = {}
    for _, path in ipairs(list "docs/*.md") do
      for program in pairs(as_keys("%f[%w]examples/[%w_.]+", read(path))) do named[program] = true end
    end
    assert.same(programs, named)
  end)

  it("has a drawing of the wings and a row for every room, as tools/draw makes them", function()
    local pipe = assert(io.popen "tools/draw check 2>&1")
    local said = pipe:read "*a"
    pipe:close()
    assert.equal("", said)
    local rooms = page "architecture"
    for _, path in ipairs(list "src/*.h src/*/*.h") do
      assert.matches("\n| `" .. path:match "([%w_]+)%.h$" .. "` | [^\n]+ |\n", rooms)
    end
  end)

  it("names no file of a wing that is not there", function()
    local files, wings = {}, {}
    for _, path in ipairs(list "src/*/*") do
      local wing, file = path:match "^src/([^/]+)/(.+)$"
      wings[wing], files[wing .. "/" .. file], files[wing .. "/" .. file:gsub("%.[ch]$", "")] = true, true, true
    end
    for room in page("architecture"):gmatch "`src/([%w_]+/[%w_.]+)`" do
      assert.is_truthy(files[room] or not wings[room:match "^[^/]+"], room)
    end
  end)

  it("has a changelog whose newest entry is this version", function()
    assert.equal(braze._VERSION, "braze " .. read("CHANGELOG.md"):match "\n## %[([%d.]+)%]")
  end)
end)
