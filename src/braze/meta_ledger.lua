---@meta braze

-- The ledger, for editors and the Lua language server: see meta.lua.

---What was done, and what nobody knows of. Every method waits for the ledger, at most 30 seconds, and blocks this
---thread, with a module for a host as well.
---@class braze.ledger
local ledger = {}

---A job in a ledger.
---@class braze.job
---@field job string its name
---@field state "held"|"unknown"|"done"|"refused"
---@field operation? string what was called
---@field send_id? string the one that was made up for it
---@field holder? string who does or did it: the process and its machine
---@field claimed_at? number UTC epoch seconds
---@field changed_at? number UTC epoch seconds
---@field request_id? string the response's `x-request-id`
---@field settled? true a person said that it is done
---@field answer? any what the service answered, where it is done
---@field error? { kind: braze.kind, status: integer?, message: string? } what came instead

---The job of that name, or nil.
---
---    local job = ledger:find "nightly"
---    if job then print(job.state, job.operation) end
---@param job string
---@return braze.job?
function ledger:find(job) end

---All jobs of the workspace in the order of their names, or those in one state. Answers are left out.
---
---    for _, job in ipairs(ledger:list { state = "unknown" }) do
---      print(job.job, job.send_id)
---    end
---@param which? { state: "held"|"unknown"|"done"|"refused" }
---@return braze.job[]
function ledger:list(which) end

---Says what became of a job that is unknown. `"done"`: it is never done again. `"not_done"`: the next call does it. Say
---that only where you are certain.
---
---    local job = ledger:find "nightly"
---    if job and job.state == "unknown" then ledger:settle("nightly", "done") end
---@param job string
---@param what "done"|"not_done"
function ledger:settle(job, what) end

---Drops all that is known of a job, in whatever state: the next call does it. Whether there was one.
---
---    ledger:forget "nightly"
---@param job string
---@return boolean
function ledger:forget(job) end

---How many of the day's send IDs are left, as the ledger has counted. Empty where nothing was counted yet.
---
---    print(ledger:quota().remaining or "nothing was counted yet")
---@return braze.rate_limit
function ledger:quota() end

---Closes it. What is being written is still written.
---
---    ledger:close()
function ledger:close() end

---A ledger whose methods return `nil, err` where those of `braze.ledger` raise.
---@class braze.safe.ledger: braze.ledger
local safe_ledger = {}

---The job of that name, or nil; nil and an error where the ledger can't be read.
---@param job string
---@return braze.job? job
---@return braze.error? err
function safe_ledger:find(job) end

---All jobs of the workspace, or nil and an error.
---@param which? { state: "held"|"unknown"|"done"|"refused" }
---@return braze.job[]? jobs
---@return braze.error? err
function safe_ledger:list(which) end

---Says what became of a job that is unknown; nil and an error where it could not.
---@param job string
---@param what "done"|"not_done"
---@return nil
---@return braze.error? err
function safe_ledger:settle(job, what) end

---Whether there was a job to forget; nil and an error where it could not.
---@param job string
---@return boolean? forgotten
---@return braze.error? err
function safe_ledger:forget(job) end

---How many of the day's send IDs are left; nil and an error where the ledger can't be read.
---@return braze.rate_limit? quota
---@return braze.error? err
function safe_ledger:quota() end
