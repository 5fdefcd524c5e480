-- Coroutines over one select loop: a task yields what it waits for and goes on when any of that has come.
--
-- What it yields: { read = {sockets}, write = {sockets}, deadline = time, condition = function }, each optional.

local socket = require "socket"

local tasks = {}

local alive = {}
local running = true

local function resume(task)
  local fine, waiting = coroutine.resume(task.routine)
  if fine and coroutine.status(task.routine) == "suspended" then
    task.waiting = waiting
    return
  end
  alive[task] = nil
  if not fine then
    if not task.on_error then error(waiting, 0) end
    task.on_error(waiting)
  end
end

-- Starts a task. What it raises goes to on_error or, without one, ends the loop.
function tasks.spawn(work, on_error)
  local task = { routine = coroutine.create(work), on_error = on_error }
  alive[task] = true
  resume(task)
  return task
end

-- A dropped task never goes on.
function tasks.drop(task)
  alive[task] = nil
end

function tasks.wait(waiting)
  coroutine.yield(waiting)
end

function tasks.pause(seconds)
  coroutine.yield { deadline = socket.gettime() + seconds }
end

local function append(list, more)
  for _, one in ipairs(more or {}) do
    list[#list + 1] = one
  end
end

local function any_in(sockets, ready)
  for _, one in ipairs(sockets or {}) do
    if ready[one] then return true end
  end
  return false
end

-- Waits until something has come for a task, and returns the tasks it came for.
local function ready_tasks()
  local readers, writers, nearest = {}, {}, nil
  for task in pairs(alive) do
    local waiting = task.waiting
    append(readers, waiting.read)
    append(writers, waiting.write)
    local deadline = waiting.condition and waiting.condition() and 0 or waiting.deadline
    if deadline and (not nearest or deadline < nearest) then nearest = deadline end
  end
  local readable, writable = socket.select(readers, writers, nearest and math.max(0, nearest - socket.gettime()))
  local now = socket.gettime()
  local ready = {}
  for task in pairs(alive) do
    local waiting = task.waiting
    if any_in(waiting.read, readable) or any_in(waiting.write, writable)
      or (waiting.deadline and now >= waiting.deadline)
      or (waiting.condition and waiting.condition())
    then
      ready[#ready + 1] = task
    end
  end
  return ready
end

-- Runs the tasks until stop is called.
function tasks.run()
  while running do
    for _, task in ipairs(ready_tasks()) do
      -- One that ran before it may have dropped it.
      if alive[task] then resume(task) end
    end
  end
end

function tasks.stop()
  running = false
end

return tasks
