-- Loads a library that the command has from others, or ends with a line that says how to get it.

local function is_missing(name, reason)
  return type(reason) == "string" and reason:find("module '" .. name .. "' not found", 1, true) ~= nil
end

return function(name)
  local found, library = pcall(require, name)
  if found then return library end
  if not is_missing(name, library) then error(library, 0) end
  io.stderr:write(("braze: %s for %s is missing; install the Debian package lua-%s, or the rock %s\n"):format(
    name, _VERSION, name, name))
  os.exit(1)
end
