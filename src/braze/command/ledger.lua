-- The commands about the ledger: what it knows of jobs, what a person says of them, and the day's quota.

local braze = require "braze"
local failure = require "braze.command.failure"
local output = require "braze.command.output"

local commands = {}

-- Calls use(ledger) with the ledger of the environment, and closes it however that ends.
local function with_ledger(use)
  local ledger = braze.ledger()
  local good, value = pcall(use, ledger)
  ledger:close()
  if not good then error(value, 0) end
  return value
end

local function time_of(epoch)
  return epoch and os.date("!%Y-%m-%d %H:%M:%S UTC", math.floor(epoch)) or ""
end

-- What is said of a job, in this order; the rest of its fields are not for people.
local told = { "job", "state", "operation", "send_id", "holder", "request_id", "settled", "error", "answer" }

local function show_job(job)
  local rows = {}
  for _, name in ipairs(told) do
    if job[name] ~= nil then rows[#rows + 1] = { name, output.cell(job[name]) } end
  end
  rows[#rows + 1] = { "claimed", time_of(job.claimed_at) }
  rows[#rows + 1] = { "changed", time_of(job.changed_at) }
  output.table(nil, rows)
end

function commands.ledger_list(_, parsed)
  local jobs = with_ledger(function(ledger) return ledger:list(parsed.state and { state = parsed.state }) end)
  if output.json then return output.value(braze.list(jobs)) end
  local rows = {}
  for i, job in ipairs(jobs) do
    rows[i] = { output.cell(job.job), job.state, output.cell(job.operation), time_of(job.changed_at) }
  end
  output.table({ "job", "state", "operation", "changed" }, rows)
end

function commands.ledger_show(_, parsed)
  local job = with_ledger(function(ledger) return ledger:find(parsed.job) end)
  if not job then
    failure.other(("the ledger has no job \"%s\""):format(parsed.job), "\"braze ledger list\" lists them")
  end
  if output.json then return output.value(job) end
  show_job(job)
end

function commands.ledger_settle(_, parsed)
  local what = parsed.outcome:gsub("-", "_")
  with_ledger(function(ledger) ledger:settle(parsed.job, what) end)
  if output.json then return output.value { job = parsed.job, settled = what } end
  output.table(nil, { { "job", output.cell(parsed.job) }, { "settled", parsed.outcome } })
end

function commands.ledger_forget(_, parsed)
  local was_there = with_ledger(function(ledger) return ledger:forget(parsed.job) end)
  if output.json then return output.value { job = parsed.job, forgotten = was_there } end
  output.table(nil, { { "job", output.cell(parsed.job) }, { "forgotten", was_there and "yes" or "there was none" } })
end

function commands.ledger_quota()
  local quota = with_ledger(function(ledger) return ledger:quota() end)
  if output.json then return output.value(quota) end
  if not quota.remaining then return output.write "nothing was counted yet\n" end
  output.table(nil, {
    { "limit", output.cell(quota.limit) }, { "remaining", output.cell(quota.remaining) },
    { "resets at", time_of(quota.reset) },
  })
end

return commands
