-- braze.fake: clients for the specs of programs that use braze. A client is the real one (checks, JSON, retries,
-- errors, events, ledger, start); in place of the network stand the answers that a spec expects, and time moves only
-- when it says so.

local core = require "braze_fake"
local real = require "braze.core".braze
local service = require "braze.fake_service"

local fake = {}

-- Errors and lists are those of the module that is faked.
core.adopt(real.error { kind = "usage" }, real.list {})

local defaults = { api_key = "fake-key-for-specs-only", endpoint = "US-01" }

-- By client: its expectations and calls.
local states = setmetatable({}, { __mode = "k" })
-- Writes the JSON of answers: what it would send as parameters.
local writer = core.braze.new(defaults)

local function usage(message, hint, ...)
  return real.error { kind = "usage", message = message:format(...), hint = hint }
end

local function to_json(value)
  return core.request(writer, "POST /answer", value).body
end

-- What a call is called with, for people.
local function shown(call)
  local good, text = pcall(to_json, call.params)
  text = good and text or "parameters that can't be shown"
  return call.name .. (#text > 200 and " " .. text:sub(1, 200) .. "..." or " " .. text)
end

-- --- Expectations -----------------------------------------------------------------------------------------------

local expectation_methods = {}
local expectation_metatable = { __index = expectation_methods, __name = "braze.fake.expectation" }

local function check_fields(fields, method)
  if fields == nil then return {} end
  if type(fields) ~= "table" then error(usage("%s takes a table of fields, not a %s", nil, method, type(fields)), 0) end
  local copy = {}
  for name, value in pairs(fields) do copy[name] = value end
  return copy
end

--- The answer is a success, with these fields beside those that a success has.
function expectation_methods:answers(fields)
  self.fields, self.failure = check_fields(fields, "answers"), nil
  self.status_given = self.fields.status
  self.fields.status = nil
  return self
end

--- The answer has this status, with these fields.
function expectation_methods:status(status, fields)
  if type(status) ~= "number" or status < 200 or status > 599 or status % 1 ~= 0 then
    error(usage("status takes a whole number from 200 to 599, not %s", "write :status(429)", tostring(status)), 0)
  end
  self.fields, self.failure, self.status_given = check_fields(fields, "status"), nil, status
  return self
end

--- The call fails with this kind.
function expectation_methods:fails(given)
  local fields = check_fields(given, "fails")
  local failure, message, hint = service.failure(fields, self.reads)
  if not failure then error(usage("%s", hint, message), 0) end
  fields.kind, fields.maybe_applied = nil, nil
  self.fields, self.status_given, self.raw_body = fields, failure.status, failure.body
  self.failure = not failure.status and failure or nil
  return self
end

--- How many requests it answers. Default 1.
function expectation_methods:times(count)
  if type(count) ~= "number" or count < 1 or count % 1 ~= 0 then
    error(usage("times takes a whole number from 1, not %s", nil, tostring(count)), 0)
  end
  self.left = self.left - self.count + count
  self.count = count
  return self
end

local function find(state, name, params)
  for _, expectation in ipairs(state.expectations) do
    if expectation.left > 0 and expectation.name == name and service.matches(expectation.params, params) then
      return expectation
    end
  end
end

-- --- Answers ----------------------------------------------------------------------------------------------------

-- What comes back for a request: a status, header lines and a body; or a failure's kind and whether the request had
-- left.
local function reply(state, expectation, call)
  if expectation.failure then return expectation.failure end
  local status, lines, body = service.answer(state.service, expectation, call, core.epoch())
  return status, lines, type(body) == "table" and to_json(body) or body
end

-- Called for each request of a call. Nothing: it was not expected. A request that is sent again is answered by the next
-- expectation that fits, or as the one before.
local function answer(state, name, method, target, body, id, try)
  local call = try > 1 and state.under_way[id]
  if not call then
    call = {
      name = name, params = service.read_params(name, method, target, body), options = state.options,
      at = core.epoch(), attempts = 0,
    }
  end
  local expectation = find(state, name, call.params)
  if expectation then
    expectation.left = expectation.left - 1
    call.expectation = expectation
  elseif not call.expectation then
    state.unexpected = shown(call) .. " was called and is not expected"
    state.problems[#state.problems + 1] = state.unexpected
    return nil
  end
  if call.attempts == 0 then state.calls[#state.calls + 1] = call end
  state.under_way[id] = call
  call.attempts = call.attempts + 1
  return reply(state, call.expectation, call)
end

-- --- Clients ----------------------------------------------------------------------------------------------------

-- Hands on what a method gave, unless the request was not expected.
local function pass(state, safe, good, ...)
  if state.unexpected then
    local mistake = usage("%s", "write client:expect before the call, and :times(n) where there are more of them",
      state.unexpected)
    state.unexpected = nil
    if safe then return nil, mistake end
    error(mistake, 0)
  end
  if not good then error((...), 0) end
  return ...
end

-- The options of the call stand at a place among its arguments.
local function checked(method, safe, place)
  return function(self, ...)
    local state = states[self]
    if not state then return method(self, ...) end
    state.options = (select(place, ...))
    return pass(state, safe, pcall(method, self, ...))
  end
end

local methods = {}

local function check_client(self, method)
  local state = states[self]
  if state then return state end
  error(usage("%s was called on what is no client of braze.fake", ("write client:%s(...)"):format(method), method), 0)
end

--- Expects a call of this name; its parameters hold at least these.
---@param name string an operation, or "METHOD /path"
---@param params? table
function methods:expect(name, params)
  local state = check_client(self, "expect")
  local _, mistake = core.check_name(self, name)
  if mistake then error(mistake, 0) end
  if params ~= nil and type(params) ~= "table" then
    error(usage("expect takes a table of parameters, not a %s", nil, type(params)), 0)
  end
  local expectation = setmetatable({
    name = name, params = params or {}, fields = {}, count = 1, left = 1, reads = service.reads(name),
  }, expectation_metatable)
  state.expectations[#state.expectations + 1] = expectation
  return expectation
end

--- The calls that were made, in their order: { name, params, options, at, attempts }.
function methods:calls()
  local copies = {}
  for number, call in ipairs(check_client(self, "calls").calls) do
    copies[number] = {
      name = call.name, params = call.params, options = call.options, at = call.at, attempts = call.attempts,
    }
  end
  return copies
end

--- Moves the time. Started calls whose deadline passes end with a timeout.
---@param seconds number
function methods:advance(seconds)
  check_client(self, "advance")
  if type(seconds) ~= "number" or not (seconds >= 0 and seconds < 1e9) then
    error(usage("advance takes seconds, a number that is not negative, not %s", nil, tostring(seconds)), 0)
  end
  core.advance(self, seconds)
end

--- Ends the n-th of the started calls that are under way, in the order in which they were started.
---@param n? integer default 1
function methods:finish(n)
  check_client(self, "finish")
  if n == nil then n = 1 end
  if type(n) ~= "number" or n < 1 or n % 1 ~= 0 then
    error(usage("finish takes a whole number from 1, not %s", nil, tostring(n)), 0)
  end
  if not core.within(core.finish, self, n) then
    error(usage("there is no started call number %d under way", "one that has ended counts no more", n), 0)
  end
end

--- Raises where something was called that was not expected, or expected and not called.
function methods:verify()
  local state = check_client(self, "verify")
  local problems = {}
  for number, problem in ipairs(state.problems) do problems[number] = problem end
  for _, expectation in ipairs(state.expectations) do
    if expectation.left > 0 then
      problems[#problems + 1] = ("%s is expected and was called %d of %d times"):format(shown(expectation),
        expectation.count - expectation.left, expectation.count)
    end
  end
  if #problems > 0 then error(usage("%s", nil, table.concat(problems, "; ")), 0) end
end

local function with_defaults(options)
  if options ~= nil and type(options) ~= "table" then return options end
  local given = {}
  for name, value in pairs(options or {}) do given[name] = value end
  if given.api_key == nil and given.endpoint == nil then
    given.api_key, given.endpoint = defaults.api_key, defaults.endpoint
  end
  return given
end

-- What a client of either style has beside the real one's methods.
local function extend(client, safe)
  local index = getmetatable(client).__index
  if index.expect then return end
  local each = index.each
  for name in pairs(core.braze.operations) do index[name] = checked(index[name], safe, 2) end
  for _, name in ipairs { "call", "start" } do index[name] = checked(index[name], safe, 3) end
  index.each = function(self, ...)
    local next_item, mistake = each(self, ...)
    local state = states[self]
    if not next_item or not state then return next_item, mistake end
    return function()
      state.options = nil
      return pass(state, safe, pcall(core.within, next_item))
    end
  end
  for name, method in pairs(methods) do index[name] = method end
end

local function new(module, options, state, safe)
  local client = module.new(with_defaults(options))
  extend(client, safe)
  states[client] = state
  core.attach(client, function(...) return answer(state, ...) end)
  return client
end

local function new_state()
  return { expectations = {}, calls = {}, problems = {}, under_way = {}, service = service.new() }
end

--- A client without a network. Options as of braze.new; none is needed, and the environment is not read.
function fake.new(options)
  return new(core.braze, options, new_state(), false)
end

--- Puts a client behind braze.new and behind the functions of require "braze", in both styles. Returns a function that
--- takes it away again, and the client.
function fake.install(client)
  client = client or fake.new()
  local state = check_client(client, "install")
  local module, saved = require "braze", {}
  local safe_client = new({ new = function(options) return assert(core.braze.safe.new(options)) end }, nil, state, true)

  local function replace(face, name, value)
    saved[#saved + 1] = { face, name, face[name] }
    face[name] = value
  end

  local function install(face, one, creator)
    replace(face, "new", function(options)
      local made, mistake = creator(with_defaults(options))
      if not made then return nil, mistake end
      made:close()
      return one
    end)
    replace(face, "call", function(...) return one:call(...) end)
    for name in pairs(core.braze.operations) do
      replace(face, name, function(...) return one[name](one, ...) end)
    end
  end

  install(module, client, core.braze.new)
  install(module.safe, safe_client, core.braze.safe.new)
  return function()
    for number = #saved, 1, -1 do
      local face, name, value = saved[number][1], saved[number][2], saved[number][3]
      face[name] = value
      saved[number] = nil
    end
  end, client
end

return fake
