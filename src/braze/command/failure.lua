-- What the command itself refuses, and the exit status that each error ends with. The statuses never change.

local braze = require "braze"

local failure = {}

failure.OTHER = 1
failure.USAGE = 2
failure.MAYBE_APPLIED = 9
failure.INTERRUPTED = 130

-- Of an error after which nothing was done. "cancelled" has none: only a signal cancels a call here.
failure.by_kind = {
  usage = failure.USAGE,
  network = 3,
  timeout = 3,
  auth = 4,
  rejected = 5,
  rate_limited = 6,
  tls = 7,
  server = 8,
  protocol = 8,
  busy = 10,
  ledger = 11,
}

-- For the manual: the statuses in order, each with its meaning.
failure.meanings = {
  { 0, "It was done." },
  { 1, "Anything else, such as an output that can't be written." },
  { 2, "Usage: a wrong flag, value or variable. Nothing was sent." },
  { 3, "Network or timeout, and nothing was sent, or it only read." },
  { 4, "The key, or its permission (status 401 and 403)." },
  { 5, "The service refused the values (any other 4xx)." },
  { 6, "The rate limit or the day's quota is used up (429)." },
  { 7, "TLS: the handshake, or a certificate that is not trusted. Nothing was sent." },
  { 8, "The service failed (5xx), or something else answered, and nothing was done." },
  { 9, "It may have been done, whatever went wrong. Look before you call again." },
  { 10, "Another process holds the job. Nothing was sent." },
  { 11, "The ledger can't be read or written. Nothing was sent." },
  { 130, "Interrupted (Ctrl-C). Standard error says whether it may have been done." },
}

local other = {}
other.__index = other

function other:__tostring()
  return "braze: " .. self.message .. (self.hint and "; " .. self.hint or "")
end

-- Raises for a wrong flag, value or variable.
function failure.usage(message, hint)
  error(braze.error { kind = "usage", message = message, hint = hint }, 0)
end

-- Raises for what is none of the module's kinds.
function failure.other(message, hint)
  error(setmetatable({ message = message, hint = hint }, other), 0)
end

function failure.is_other(value)
  return getmetatable(value) == other
end

-- The exit status of an error object.
function failure.status(err)
  if failure.is_other(err) then return failure.OTHER end
  if err.maybe_applied then return failure.MAYBE_APPLIED end
  return failure.by_kind[err.kind] or failure.OTHER
end

-- Of the names, the one that was probably meant by a wrong one; nil where none is near.
function failure.nearest(wrong, names)
  local best, least = nil, math.max(2, math.floor(#wrong / 3)) + 1
  for _, name in ipairs(names) do
    local row = {}
    for column = 0, #name do row[column] = column end
    for line = 1, #wrong do
      local diagonal = row[0]
      row[0] = line
      for column = 1, #name do
        local cost = wrong:byte(line) == name:byte(column) and diagonal or diagonal + 1
        diagonal = row[column]
        row[column] = math.min(cost, diagonal + 1, row[column - 1] + 1)
      end
    end
    if row[#name] < least then best, least = name, row[#name] end
  end
  return best
end

return failure
