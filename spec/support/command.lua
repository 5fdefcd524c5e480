-- Runs the command braze as a process, with the interpreter and the build of the spec that asks.

local child = require "spec.support.child"

local command = {}

-- The interpreter's own name: busted's wrapper moves the script to index 0 and it to the smallest one.
local function find_interpreter()
  local least = 0
  while arg[least - 1] do least = least - 1 end
  return arg[least]
end

-- What the environment of the process has beside the paths of Lua. A variable that is false is not set.
local function environment_of(given)
  local words = { "env -u BRAZE_API_KEY -u BRAZE_REST_ENDPOINT -u BRAZE_CA_FILE -u NO_COLOR", "TERM=xterm" }
  for name, value in pairs(given or {}) do
    if value then
      words[#words + 1] = name .. "=" .. child.quote(value)
    else
      table.insert(words, 2, "-u " .. name)
    end
  end
  return table.concat(words, " ")
end

-- The command as a line for a shell.
function command.line(arguments, environment)
  local words = { environment_of(environment), child.quote(find_interpreter()), "bin/braze" }
  for _, argument in ipairs(arguments) do words[#words + 1] = child.quote(argument) end
  return table.concat(words, " ")
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

-- A file with this content, removed by the spec.
function command.file(content)
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(content)
  file:close()
  return path
end

-- Runs a line of shell: exit status, standard output, standard error.
function command.shell(line, input)
  local errors, given = os.tmpname(), command.file(input or "")
  local pipe = assert(io.popen(("{ %s; } 2>%s <%s; echo \" $?\""):format(line, errors, given)))
  local output = pipe:read "*a"
  pipe:close()
  local complaint = read(errors)
  os.remove(errors)
  os.remove(given)
  local text, status = output:match "^(.*) (%d+)\n$"
  return tonumber(status), text, complaint
end

-- Runs the command: exit status, standard output, standard error.
function command.run(arguments, environment, input)
  return command.shell(command.line(arguments, environment), input)
end

-- Runs it on a terminal of its own: exit status, and all that the terminal shows, with "\n" as it was written.
function command.on_terminal(arguments, environment, behind)
  local line = "exec " .. command.line(arguments, environment) .. (behind or "")
  local status, shown = command.shell("script -qec " .. child.quote(line) .. " /dev/null")
  return status, (shown:gsub("\r\n", "\n"))
end

-- The text without colours and what else moves a terminal's cursor.
function command.bare(text)
  return (text:gsub("\27%[[%d;]*%a", ""):gsub("\r", ""))
end

return command
