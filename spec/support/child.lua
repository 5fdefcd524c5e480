-- What specs do with processes of their own.

local child = {}

local interpreter = arg[-1]

function child.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Runs a program in a fresh interpreter, with these variables beside the others; what it printed, and its exit status.
function child.run(program, environment)
  local words = { "env" }
  for name, value in pairs(environment or {}) do words[#words + 1] = name .. "=" .. child.quote(value) end
  words[#words + 1] = ("%s -e %s 2>&1; echo \" exit $?\""):format(child.quote(interpreter), child.quote(program))
  local pipe = assert(io.popen(table.concat(words, " ")))
  local output = pipe:read "*a"
  pipe:close()
  return output:match "^(.*) exit (%d+)\n$"
end

-- How many this process has open.
function child.descriptors()
  local pipe = assert(io.popen "ls /proc/$PPID/fd | wc -l")
  local count = pipe:read "*n"
  pipe:close()
  return count
end

return child
