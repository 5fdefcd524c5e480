-- Metrics of Braze calls for nginx-lua-prometheus. In init_worker_by_lua_block, where `prometheus` is
-- require("prometheus").init("prometheus_metrics"):
--
--   client = require("braze").new { on_event = dofile "examples/events_prometheus.lua" (prometheus) }
--
-- examples/events_grafana.json is a dashboard of them.

local buckets = { 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10 }

return function(prometheus)
  local attempts = prometheus:histogram("braze_attempt_duration_seconds",
    "Time of one request, or of one connection that failed", { "operation", "outcome" }, buckets)
  local retries = prometheus:counter("braze_retries_total", "Pauses before a further attempt", { "operation", "kind" })
  local calls = prometheus:counter("braze_calls_total", "Calls that ended", { "operation", "outcome" })
  local unknown = prometheus:counter("braze_unknown_outcomes_total", "Calls that failed and may have been applied",
    { "operation" })
  local remaining = prometheus:gauge("braze_rate_limit_remaining", "Requests left in the window", { "operation" })

  return function(event)
    local outcome = event.kind or "success"
    if event.type == "attempt" then
      attempts:observe(event.elapsed, { event.operation, outcome })
      if event.rate_limit.remaining then remaining:set(event.rate_limit.remaining, { event.operation }) end
    elseif event.type == "retry" then
      retries:inc(1, { event.operation, outcome })
    else
      calls:inc(1, { event.operation, outcome })
      if event.maybe_applied then unknown:inc(1, { event.operation }) end
    end
  end
end
