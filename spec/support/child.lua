-- What specs do with processes of their own.

local child = {}

local interpreter = arg[-1]

function child.quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- What a command printed.
function child.output_of(command)
  local pipe = assert(io.popen(command))
  local output = pipe:read "*a"
  pipe:close()
  return output
end

function child.write_file(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
  return path
end

-- Runs a program in a fresh interpreter, with these variables beside the others; what it printed, and its exit status.
function child.run(program, environment)
  local words = { "env" }
  for name, value in pairs(environment or {}) do words[#words + 1] = name .. "=" .. child.quote(value) end
  words[#words + 1] = ("%s -e %s 2>&1; echo \" exit $?\""):format(child.quote(interpreter), child.quote(program))
  return child.output_of(table.concat(words, " ")):match "^(.*) exit (%d+)\n$"
end

-- The same for a program about forks: it finds process (spec/support/process.c), braze, and a peer's url.
function child.run_with_process(url, program)
  local path = os.getenv "BRAZE_BUILD":gsub("/oldest$", "") .. "/test/braze.so"
  return child.run(([[
    local process = assert(package.loadlib(%q, "luaopen_braze_process_spec"))()
    local braze = require "braze"
    local url = %q
    %s
  ]]):format(path, url, program))
end

-- How many this process has open.
function child.descriptors()
  local pipe = assert(io.popen "ls /proc/$PPID/fd | wc -l")
  local count = pipe:read "*n"
  pipe:close()
  return count
end

return child
