-- What must hold of a run of fault_paths.lua: what it ended in is what its faults may end in, nothing is in flight, and the
-- next calls are as without a fault.
--
--   loadfile(...)(env, context, options, parameters) -> check_run(raised, value, sources, posts) -> what is wrong or nil, a word for the outcome

local env, context, options, parameters = ...

-- What a fault of each source may end in, beside a result and what the path itself ends in.
local allowed = {
  lua = {},
  core = { network = true },
  libcurl = { network = true, tls = true },
  system = { network = true, tls = true, timeout = true },
}

local function is_allowed(kind, sources)
  if kind == context.expect then return true end
  for source in sources:gmatch "%a+" do
    if allowed[source][kind] then return true end
  end
  return false
end

-- nil where the error is one that the fault may cause, or what is wrong with it; and a word for it.
local function judge_error(problem, sources)
  local braze = require "braze"
  if type(problem) == "string" then
    if problem:find "not enough memory" then return nil, "not enough memory" end
    return "an error that is no braze error: " .. problem, "other"
  end
  if not braze.is_error(problem) then return "an error of type " .. type(problem), "other" end
  local text = tostring(problem)
  if is_allowed(problem.kind, sources) then return nil, problem.kind end
  -- Descriptors and threads run out: a usage error that names the cause.
  if sources:find "system" and text:find "nothing was sent; look at the process's limits" then return nil, "limits" end
  return "an error of the wrong kind: " .. text, problem.kind
end

-- What is sent and what is told of it, where one call went over plain HTTP.
local function judge_posts(value, posts)
  if not context.single or type(value) ~= "table" or not value.attempts then return end
  if posts > value.attempts then return ("%d requests left, %d are told"):format(posts, value.attempts) end
  if posts > 0 and value.maybe_applied == false then return "a request left, and maybe_applied is false" end
end

local function judge_requests(raised, sources)
  for i, request in ipairs(context.requests or {}) do
    if request then
      if not request:done() then return ("request %d is not done"):format(i) end
      local good, problem = pcall(request.result, request)
      local wrong = not good and judge_error(problem, sources)
      if wrong then return wrong end
    end
    local times = context.delivered and context.delivered[i]
    if times and (times > 1 or (times == 0 and request and not raised)) then
      return ("on_done %d ran %d times"):format(i, times)
    end
  end
end

-- The client at hand, if it is open, must go on as without a fault; and so must a new one.
local function call_again(again, expect)
  local good, result, problem = pcall(again.create_send_id, again, context.more or parameters)
  if expect then
    local kind = type(problem or result) == "table" and (problem or result).kind
    if kind ~= expect then return "the next call: " .. tostring(problem or result) end
    return
  end
  if not good or not result then return "the next call: " .. tostring(problem or result) end
  if type(result.send_id) ~= "string" then return "the next call has no send_id" end
end

local function start_again(again)
  for i = 1, 2 do
    local request = again:start("create_send_id", parameters)
    if not request:wait(2) then return ("the next started call (%d) is not done after 2 s"):format(i) end
    again:wait(2)
    if again:pending() > 0 then return "the next started call is not delivered after 2 s" end
    local result, problem = request:result()
    if not result then return "the next started call: " .. tostring(problem) end
    if not result.send_id then return "the next started call has no send_id" end
  end
end

local function next_calls()
  local braze = require "braze"
  local wrong
  local held = context.client
  if held and not tostring(held):find "closed" and context.options.endpoint ~= env.slow then
    local expect = not context.recovers and context.expect or nil
    held:wait(2)
    wrong = call_again(held, expect)
    if wrong then return wrong end
    if not expect then wrong = start_again(held) end
  elseif not held then
    context.more = nil
    held = braze.new(options(env.http))
    wrong = call_again(held)
    held:close()
  end
  return wrong
end

-- Lua 5.1's require gives no module whose first load failed until a host takes its mark away.
local function forget_marks()
  for _, name in ipairs { "braze", "braze.safe", "braze.core" } do
    if type(package.loaded[name]) ~= "table" then package.loaded[name] = nil end
  end
end

local function check_run(raised, value, sources, posts)
  local wrong, word
  forget_marks()
  if raised then
    wrong, word = judge_error(value, sources)
  elseif value == false then
    wrong, word = "not done within its deadline", "hang"
  elseif context.expect and type(value) == "table" and value.send_id then
    wrong, word = "a result where an error belongs", "result"
  else
    word = "result"
  end
  wrong = wrong or judge_posts(value, posts)
  if context.options and context.options.endpoint == env.slow then
    for _, request in ipairs(context.requests) do
      if request then request:cancel() end
    end
  end
  if context.client and not wrong then
    local good, problem = pcall(context.client.wait, context.client, env.timeout + 1)
    wrong = not good and judge_error(problem, sources)
    if context.client:pending() > 0 then wrong = "calls are pending for longer than their timeout" end
  end
  wrong = wrong or judge_requests(raised, sources) or next_calls()
  return wrong or nil, word
end

return check_run
