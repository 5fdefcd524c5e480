-- Metrics of Braze calls as statsd's lines over UDP, with luasocket. A lost datagram is a lost number and nothing else.
--
--   local client = braze.new { on_event = dofile "examples/events_statsd.lua" ("127.0.0.1", 8125) }

local socket = require "socket"

return function(host, port)
  local udp = assert(socket.udp())
  assert(udp:setpeername(host, port))

  return function(event)
    local name = event.operation:gsub("[^%w_]+", "_") .. "." .. (event.kind or "success")
    if event.type == "attempt" then
      udp:send(("braze.attempt.%s:%.3f|ms"):format(name, event.elapsed * 1000))
    elseif event.type == "retry" then
      udp:send(("braze.retry.%s:1|c"):format(name))
    else
      udp:send(("braze.call.%s:1|c"):format(name))
    end
  end
end
