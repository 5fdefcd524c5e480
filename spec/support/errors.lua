-- What holds for every error: its fields, their types, its one line of text, and that no key is in it.
--
--   local errors = require "spec.support.errors"
--   errors.check(failure) gives the failure back; errors.raised(call, ...) the one that a call raises
--   errors.key is the key that is looked for: the clients'; errors.kinds

local assert = require "luassert"
local braze = require "braze"
local cjson = require "cjson"

local errors = { key = 'canary/"key\\0123456789' }

local math_type = math.type

errors.field_types = {
  kind = "string", message = "string", hint = "string", where = "string", maybe_applied = "boolean",
  attempts = "integer", elapsed = "number", rate_limit = "table", status = "integer", retry_at = "integer",
  errors = "table", body = "string", request_id = "string",
  operation = "string", curl_code = "integer", curl_message = "string", page = "integer",
}
local always = { "kind", "message", "where", "maybe_applied", "attempts", "elapsed", "rate_limit" }
errors.kinds = {
  usage = true, network = true, tls = true, timeout = true, rate_limited = true, auth = true, rejected = true,
  server = true, protocol = true, cancelled = true, busy = true, ledger = true,
}

local function type_of(value)
  if type(value) ~= "number" then return type(value) end
  if math_type then return math_type(value) == "integer" and "integer" or "number" end
  return value % 1 == 0 and "integer" or "number"
end

function errors.check(failure)
  assert.is_true(braze.is_error(failure), tostring(failure))
  for _, name in ipairs(always) do assert.is_not_nil(failure[name], name) end
  for name, value in pairs(failure) do
    local found = type_of(value)
    if name == "elapsed" then found = type(value) end
    assert.equal(errors.field_types[name], found, name)
  end
  assert.is_true(errors.kinds[failure.kind])
  assert.not_equal("", failure.message)
  assert.equal(failure.kind == "usage", failure.elapsed == 0)
  assert.equal(failure.curl_code == nil, failure.curl_message == nil)
  assert.is_true(#(failure.body or "x") >= 1 and #(failure.body or "") <= 4096)
  local line = (failure.where == "" and "" or failure.where .. " ") .. "braze: " .. failure.kind
    .. (failure.status and (" (%d)"):format(failure.status) or "") .. ": " .. failure.message
    .. (failure.hint and "; " .. failure.hint or "")
  assert.equal(line, tostring(failure))
  assert.is_nil(line:find "%c")
  assert.is_nil((line .. cjson.encode(failure)):find("canary", 1, true))
  return failure
end

-- The error that a call raises, checked.
function errors.raised(...)
  local good, failure = pcall(...)
  assert.is_false(good)
  return errors.check(failure)
end

return errors
