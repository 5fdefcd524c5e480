-- Changes to the engine: its queue, its slots, its retries, its waits. See spec/proof/mutation-hand.

local specs = "spec/engine_spec.lua spec/delivery_spec.lua spec/request_spec.lua spec/leaks_spec.lua spec/waiting_spec.lua"

return {
  {
    file = "src/engine.c", specs = specs,
    { "a call that is cancelled while it runs keeps its slot",
      "unlink_from(&engine->running, call);\n    engine->running_count--;\n  } else {",
      "unlink_from(&engine->running, call);\n  } else {",
      "spec/waiting_spec.lua: gives its connection to the next" },
    { "an easy handle is lost with each call that is cancelled while it runs",
      "call->transfer = NULL;\n  put_transfer(engine, transfer);\n  finish(engine, call, now);",
      "call->transfer = NULL;\n  finish(engine, call, now);",
      "spec/leaks_spec.lua: cancelled while it runs" },
  },
}
