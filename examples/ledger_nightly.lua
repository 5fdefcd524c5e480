-- The job of every night: done once, however often it is run, on however many machines, and wherever it is killed.
--   BRAZE_LEDGER=/var/lib/app/braze.db BRAZE_CAMPAIGN_ID=... lua examples/ledger_nightly.lua
local braze = require "braze.safe"

local client = assert(braze.new())
local job = os.date "!nightly-%Y-%m-%d"
local made, err = client:create_send_id({ campaign_id = os.getenv "BRAZE_CAMPAIGN_ID" }, { job = job })
if not made then
  io.stderr:write(tostring(err), "\n")
  os.exit(err.maybe_applied and 9 or 1)
end
print(made.send_id, made.replayed and "made before" or "made now")
