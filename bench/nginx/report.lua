-- wrk's script: prints what it saw as one line of JSON.
done = function(summary, latency) -- luacheck: ignore 111
  local errors = summary.errors
  io.write(('\nREPORT {"n":%d,"us":%d,"p50_us":%.1f,"p99_us":%.1f,"bad":%d,"status":%d,'
    .. '"connect":%d,"read":%d,"write":%d,"timeout":%d}\n'):format(summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout,
    errors.status, errors.connect, errors.read, errors.write, errors.timeout))
end
