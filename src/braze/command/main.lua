-- The command braze: from the arguments to an exit status.

local braze = require "braze"
local failure = require "braze.command.failure"
local output = require "braze.command.output"
local parser = require "braze.command.parser"

local main = {}

-- Where the code of each command is; loaded when it runs.
local modules = {
  operation = "calls", call = "calls", each = "calls", operations = "calls", doctor = "doctor", ledger_list = "ledger",
  ledger_show = "ledger", ledger_settle = "ledger", ledger_forget = "ledger", ledger_quota = "ledger",
}

local own = {}

function own.version()
  output.write(braze._VERSION .. "\n")
end

function own.completion(_, parsed)
  output.write(require("braze.command.completion")[parsed.shell]())
end

local function wants_json(arguments)
  for _, argument in ipairs(arguments) do
    if argument == "--" then return false end
    if argument == "--json" then return true end
  end
  return false
end

-- Lua's own interpreter makes an error of Ctrl-C.
local function is_interruption(value)
  return type(value) == "string" and value:find "interrupted!$" ~= nil
end

local function say(err)
  if braze.is_error(err) then err.where = "" end -- a line of the command's own code helps nobody
  output.error(err)
end

-- Ends as a program does that Ctrl-C has ended: a shell that runs it in a loop then ends the loop, too. Lua took its
-- own handler away when it was called.
local function end_by_signal()
  io.stdout:flush()
  local pipe = io.popen "kill -INT $PPID"
  if pipe then pipe:close() end
  return failure.INTERRUPTED
end

local function interrupted(err)
  output.progress()
  if braze.is_error(err) and err.kind == "cancelled" then
    say(err)
  else
    output.warn "interrupted"
  end
  return end_by_signal()
end

-- The exit status for what was raised.
local function handle(raised)
  if type(raised) == "table" and raised.interruption then
    if not is_interruption(raised.interruption) then error(raised.interruption, 0) end
    return interrupted(raised.err)
  end
  if is_interruption(raised) then return interrupted() end
  if not braze.is_error(raised) and not failure.is_other(raised) then error(raised, 0) end
  say(raised)
  return failure.status(raised)
end

local function run(arguments)
  local command, parsed = parser.parse(arguments)
  if not command then
    output.write(parsed .. "\n")
    return 0
  end
  local module = modules[command.run]
  local code = module and require("braze.command." .. module) or own
  return code[command.run](command, parsed) or 0
end

-- Runs the command with these arguments and returns its exit status.
function main.run(arguments)
  output.open(wants_json(arguments))
  local good, status = pcall(run, arguments)
  if good then return status end
  good, status = pcall(handle, status)
  if good then return status end
  io.stderr:write("braze: a mistake in the command itself: ", tostring(status), "\n")
  return failure.OTHER
end

return main
