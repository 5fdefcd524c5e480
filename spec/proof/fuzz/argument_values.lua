-- The values that spec/proof/fuzz/argument_calls.lua calls with: whatever there is, and good arguments, some of them spoilt.
--
--   local values = argument_values(core, seed, urls)

local key = "canary-key-0123456789"

local names = { "api_key", "endpoint", "timeout", "connect_timeout", "retries", "max_connections", "ca_file", "proxy", "on_done",
  "query", "repeatable", "items", "max_pages", "kind", "status", "message", "hint", "where", "maybe_applied", "rate_limit",
  "timeuot", "", "\0", "key", "page", "limit", "offset" }

local texts = { "", "\0", "a\0b", ("x"):rep(300000), "US-01", "us-1", "create_send_id", "close", "http://[::1]:1",
  "http://x:y@z", "€", "\255\254", "%s%n%d", "line\nline", key, "rate_limited", "network", "1e3", "0x10", "nan", "-1",
  "http://127.0.0.1:1/?a=b", "2026-03-01T09:00:00Z", "asc", "list_campaigns", "campaigns", "data" }

local numbers = { 0, -0.0, 1, -1, 2, 0.5, 1.5, 10, 11, 64, 600, 601, 1000, 1001, 2 ^ 31, -2 ^ 31, 2 ^ 32, 2 ^ 53, 2 ^ 63, -2 ^ 63,
  1e308, -1e308, 1e-308, math.huge, -math.huge, 0 / 0, 255, 299, 300, 404, 429, 500, 999, 1e9, 1e9 + 1 }

local paths = { "GET /campaigns/list", "POST /sends/id/create", "GET /", "POST /x?y=z", "PUT /a", "DELETE /a/b", "PATCH /a", "GET /..",
  "GET //x", "TRACE /x", "GET", "get /campaigns/list", "GET /\0", "GET http://127.0.0.1/", "POST /%2e%2e/x", "GET /a b", "GET /" .. ("x"):rep(9000) }

local function boom() error("metamethod", 0) end
local function nothing() end

local hostile = {
  __index = boom, __newindex = boom, __call = boom, __tostring = boom, __concat = boom, __len = boom, __eq = boom, __lt = boom,
  __le = boom, __add = boom, __unm = boom, __pairs = boom, __ipairs = boom, __gc = boom, __close = boom, __name = "hostile",
}

-- A metamethod that raises does so in the collector too, where Lua 5.4 warns and the others raise into whoever allocates.
if _VERSION ~= "Lua 5.4" then hostile.__gc = nil end

local cycle = {}
cycle.cycle, cycle[cycle], cycle[1] = cycle, cycle, cycle

local deep = {}
for _ = 1, 300 do deep = { deep } end

local every_byte = {}
for i = 0, 255 do every_byte[#every_byte + 1] = string.char(i) end
texts[#texts + 1] = table.concat(every_byte)

return function(core, seed, urls)
  local braze = core.braze
  local values = { key = key, hostile = hostile, boom = boom, nothing = nothing, clients = {}, requests = {}, channels = {},
    errors = {}, walks = {}, iterators = {}, on_dones = {} }
  local operation_names = {}
  for name, operation in pairs(braze.operations) do
    operation_names[#operation_names + 1] = name
    for _, parameter in ipairs(operation.parameters) do names[#names + 1] = parameter.name end
  end
  -- The same order on every Lua.
  table.sort(operation_names)
  table.sort(names)

  -- Numerical Recipes' generator, exact in doubles: the same row on every Lua.
  local state = seed % 4294967296
  local function random(most)
    state = (state * 1664525 + 1013904223) % 4294967296
    return math.floor(state / 4294967296 * most) + 1
  end
  local function one_of(list) return list[random(#list)] end

  -- At most so many are kept, so that old ones are collected.
  local function keep(list, value)
    list[random(24)] = value
    return value
  end

  local function some(list)
    local present = {}
    for i = 1, 24 do
      if list[i] ~= nil then present[#present + 1] = list[i] end
    end
    return #present > 0 and one_of(present) or nil
  end

  local function random_text()
    local letters = {}
    for i = 1, random(40) do letters[i] = string.char(random(256) - 1) end
    return table.concat(letters)
  end

  local random_value

  local function random_table()
    local result = {}
    for _ = 1, random(4) - 1 do
      local name = random(8) == 1 and random_value() or one_of(names)
      if name ~= nil and name == name then result[name] = random_value() end
    end
    if random(6) == 1 then setmetatable(result, hostile) end
    return result
  end

  local makers = {
    function() return nil end,
    function() return random(2) == 1 end,
    function() return one_of(numbers) end,
    function() return one_of(texts) end,
    random_text,
    function() return one_of(names) end,
    function() return one_of(paths) end,
    function() return one_of(operation_names) end,
    random_table,
    function() return setmetatable({}, hostile) end,
    function() return cycle end,
    function() return deep end,
    function() return boom end,
    function() return nothing end,
    function() return print end,
    function() return coroutine.create(nothing) end,
    function() return coroutine.wrap(boom) end,
    function() return io.stdout end,
    function() return some(values.clients) end,
    function() return some(values.requests) end,
    function() return some(values.channels) end,
    function() return some(values.errors) end,
    function() return braze end,
    function() return braze.null end,
    function() return braze.list { one_of(texts), one_of(numbers), braze.null } end,
    function() return some(values.iterators) end,
    function() return _G end,
    function() return newproxy and newproxy(true) or nil end, -- luacheck: ignore 113
  }

  random_value = function() return one_of(makers)() end

  -- --- Good arguments, some of them spoilt --------------------------------------------------------------------

  -- A call that is answered may not take long: no retry, and little time.
  local function limits(options)
    if random(3) == 1 then options.timeout = one_of { 0.001, 0.05, 2 } end
    if random(3) == 1 then options.connect_timeout = one_of { 0.001, 1 } end
    if random(3) == 1 then options.retries = 0 end
    return options
  end

  local function spoil(options)
    local name
    if random(3) > 1 then return options end
    name = random(6) == 1 and random_value() or one_of(names)
    if name ~= nil and name == name then options[name] = random_value() end
    -- What is right may be slow all the same: a long timeout, or many tries with their pauses.
    if type(options.retries) == "number" and options.retries > 0 and options.retries <= 10 then options.retries = -1 end
    return options
  end

  -- An address that any other machine could answer at is none for a test.
  local function stay_here(options)
    if type(options.endpoint) == "string" and options.api_key ~= nil then
      local found, url = pcall(function() return options.endpoint end)
      if found and not url:find "^http://127%.0%.0%.1" and url ~= urls[3] and (url:find "^%a%a%-%d" or url:find "^[hH]") then
        options.api_key = key .. "\n"
      end
    end
    if type(options.proxy) == "string" then options.proxy = options.endpoint == urls[1] and options.proxy or "ftp://x" end
    return options
  end

  local function client_options()
    if random(6) == 1 then return random_value() end
    return stay_here(spoil(limits { api_key = key, endpoint = one_of(urls), timeout = 2, retries = 0 }))
  end

  local good = {
    string = function() return one_of { "campaign", "mine", "2026-03-01T09:00:00Z", "asc" } end,
    integer = function() return one_of { 0, 1, 2, 100 } end,
    boolean = function() return random(2) == 1 end,
    list = function() return one_of { {}, { "one" }, { {}, "x" }, { { external_user_id = "one" } }, braze.list {} } end,
    object = function()
      return one_of { { time = "2026-03-01T09:00:00Z" }, { external_user_id = "one" }, { a = braze.null, b = { 1, 2.5 } }, {} }
    end,
  }

  local function parameters(name)
    if random(6) == 1 then return random_value() end
    local operation = braze.operations[name]
    if not operation then
      return spoil { campaign_id = random(4) == 1 and random_text() or "campaign", send_id = random(2) == 1 and "mine" or nil }
    end
    local given = {}
    for _, parameter in ipairs(operation.parameters) do
      if parameter.required or random(3) == 1 then given[parameter.name] = good[parameter.type]() end
    end
    return spoil(given)
  end

  -- Of an error that braze.error makes; without a kind it makes none.
  local function error_fields()
    if random(4) == 1 then return random_value() end
    local fields = random_table()
    if getmetatable(fields) == nil and random(2) == 1 then fields.kind = one_of { "network", "rate_limited", "server", "cancelled" } end
    return fields
  end

  local function call_options(started)
    local options
    if random(3) == 1 then return nil end
    if random(5) == 1 then return random_value() end
    options = spoil(limits {})
    if started and random(2) == 1 then options.on_done = one_of(values.on_dones) end
    if random(4) == 1 then options.query = one_of { { page = 1 }, { ["a b"] = "ä", c = true }, {}, "x=y", { one_of(texts) } } end
    if random(6) == 1 then options.repeatable = random(2) == 1 end
    if random(6) == 1 then options.items, options.max_pages = one_of { "campaigns", "data", "none" }, random(4) - 1 end
    return options
  end

  values.random, values.one_of, values.some, values.keep, values.random_value = random, one_of, some, keep, random_value
  values.client_options, values.parameters, values.error_fields, values.call_options = client_options, parameters, error_fields, call_options
  values.operation_names, values.paths = operation_names, paths
  return values
end
