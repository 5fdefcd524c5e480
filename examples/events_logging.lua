-- A line for what someone should read, and no line for a success. Takes a logger of LuaLogging, or anything with the
-- methods `warn` and `error`; in nginx:
--
--   local log = {}
--   function log:warn(line) ngx.log(ngx.WARN, line) end
--   function log:error(line) ngx.log(ngx.ERR, line) end
--   local client = require("braze").new { on_event = dofile "examples/events_logging.lua" (log) }

return function(logger)
  return function(event)
    local status = event.status and " (" .. event.status .. ")" or ""
    if event.type == "retry" then
      logger:warn(("braze: %s: %s%s, again in %.1f s"):format(event.operation, event.kind, status, event.pause))
    elseif event.type == "call" and event.kind then
      logger:error(("braze: %s: %s%s after %d attempts and %.1f s%s"):format(event.operation, event.kind, status,
        event.attempts, event.elapsed, event.maybe_applied and "; it may have been done" or ""))
    end
  end
end
