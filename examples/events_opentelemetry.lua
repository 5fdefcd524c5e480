-- One span for each attempt, with the names of OpenTelemetry's semantic conventions for HTTP clients. `export` is
-- called with a plain table after the fact; a tracer that takes explicit times, or a writer of OTLP's JSON, makes a
-- span of it:
--
--   local client = braze.new { on_event = dofile "examples/events_opentelemetry.lua" (export) }

return function(export)
  return function(event)
    if event.type ~= "attempt" then return end
    export {
      name = event.method,
      kind = "client",
      start_time = event.time - event.elapsed, -- UTC epoch seconds
      end_time = event.time,
      status = event.kind and "error" or "unset",
      attributes = {
        ["http.request.method"] = event.method,
        ["http.request.resend_count"] = event.resend_count > 0 and event.resend_count or nil,
        ["http.response.status_code"] = event.status,
        ["server.address"] = event.server_address,
        ["server.port"] = event.server_port,
        ["url.template"] = event.path,
        ["error.type"] = event.kind and (event.status and tostring(event.status) or event.kind) or nil,
      },
    }
  end
end
