-- What completes the command's words in bash, zsh and fish, made from the table of commands.

local braze = require "braze"
local commands = require "braze.command.commands"
local words = require "braze.command.words"

local completion = {}

local HELP = { flag = "--help", id = "help", summary = "print this help and end" }

local function add_help(options)
  local all = { HELP }
  for _, option in ipairs(options) do all[#all + 1] = option end
  return all
end

-- Whether its value is, or may be, the name of a file.
local function takes_file(option)
  return option.is_file or option.type == "object" or option.type == "list"
end

-- What may stand where the command takes an argument.
local function choices_of(command)
  local choices = {}
  for _, argument in ipairs(command.arguments or {}) do
    for _, choice in ipairs(argument.choices or {}) do choices[#choices + 1] = choice end
    if argument.id == "target" then
      for _, pair in ipairs(words.operations) do
        local fits = command.name ~= "each" or braze.operations[pair[1]].items
        if fits then choices[#choices + 1] = words.typed(pair[1]) end
      end
    end
  end
  for _, inner in ipairs(command.commands or {}) do choices[#choices + 1] = inner.name end
  return choices
end

-- Calls visit(command, path) for each command; the path is the words that lead to it: { "ledger", "list" }.
local function visit_all(list, visit, before)
  for _, command in ipairs(list) do
    local path = {}
    for i, word in ipairs(before or {}) do path[i] = word end
    path[#path + 1] = command.name
    visit(command, path)
    visit_all(command.commands or {}, visit, path)
  end
end

local function names_of(list)
  local names = {}
  for i, command in ipairs(list) do names[i] = command.name end
  return names
end

-- --- bash ---------------------------------------------------------------------------------------------

local BASH = [==[
# Completion of braze for bash.
_braze() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
  local path= choices= flags= files= texts= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${COMP_WORDS[i]}" in
$paths) path="$path ${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path" in
$cases  esac
  compopt -o filenames 2>/dev/null
  # "@" is a word of its own for bash.
  if [[ $prev == @ ]]; then COMPREPLY=($(compgen -f -- "$cur")); return; fi
  if [[ $cur == @ ]]; then COMPREPLY=($(compgen -f)); return; fi
  case " $files " in *" $prev "*) COMPREPLY=($(compgen -f -- "$cur")); return ;; esac
  compopt +o filenames 2>/dev/null
  case " $texts " in *" $prev "*) return ;; esac
  if [[ $cur == -* ]]; then choices=$flags; fi
  COMPREPLY=($(compgen -W "$choices" -- "$cur"))
}
complete -F _braze braze
]==]

local function bash_case(path, options, choices)
  local flags, files, texts = {}, {}, {}
  for _, option in ipairs(add_help(options)) do
    flags[#flags + 1] = option.flag
    if takes_file(option) then
      files[#files + 1] = option.flag
    elseif option.value then
      texts[#texts + 1] = option.flag
    end
  end
  local lines = { ("  %q)\n"):format(path) }
  local function set(name, list)
    if #list > 0 then lines[#lines + 1] = ("    %s=%q\n"):format(name, table.concat(list, " ")) end
  end
  set("choices", choices)
  set("flags", flags)
  set("files", files)
  set("texts", texts)
  lines[#lines + 1] = "    ;;\n"
  return table.concat(lines)
end

-- The templates hold names with "$" that are the shell's own: only these are filled in.
local function fill(template, values)
  return (template:gsub("%$(%l+)", function(name) return values[name] end))
end

function completion.bash()
  local all, paths, cases = commands.all(), {}, {}
  cases[1] = bash_case("", commands.options, names_of(all))
  visit_all(all, function(command, path)
    local text = " " .. table.concat(path, " ")
    paths[#paths + 1] = ("%q"):format(text)
    cases[#cases + 1] = bash_case(text, command.options, choices_of(command))
  end)
  return fill(BASH, { paths = "    " .. table.concat(paths, " | "), cases = table.concat(cases) })
end

-- --- zsh ----------------------------------------------------------------------------------------------

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function zsh_option(option)
  local text = option.flag .. "[" .. option.summary:gsub("[%[%]\\]", "\\%0") .. "]"
  if takes_file(option) then
    text = text .. ":" .. option.value .. ":_files" .. (option.is_file and "" or " -P @")
  elseif option.value then
    text = text .. ":" .. option.value .. ": "
  end
  return (option.is_repeated and "'*'" or "") .. quote(text)
end

local function zsh_arguments(options, rest)
  local parts = { "_arguments -C" }
  for _, option in ipairs(add_help(options)) do parts[#parts + 1] = zsh_option(option) end
  for _, part in ipairs(rest) do parts[#parts + 1] = part end
  return table.concat(parts, " \\\n    ")
end

local function zsh_description(list)
  local parts = {}
  for i, command in ipairs(list) do parts[i] = quote(command.name .. ":" .. command.summary) end
  return table.concat(parts, " \\\n    ")
end

-- A function for a list of commands, and one for each of them.
local function zsh_function(out, name, options, list)
  out[#out + 1] = ("%s() {\n  local curcontext=$curcontext state line\n  local -a commands\n"):format(name)
  out[#out + 1] = ("  %s && return\n"):format(zsh_arguments(options, { "'1: :->command'", "'*:: :->rest'" }))
  out[#out + 1] = ("  case $state in\n  command)\n    commands=(%s)\n    _describe command commands\n    ;;\n")
    :format(zsh_description(list))
  out[#out + 1] = "  rest)\n    case $words[1] in\n"
  for _, command in ipairs(list) do
    out[#out + 1] = ("    %s) %s-%s ;;\n"):format(command.name, name, command.name)
  end
  out[#out + 1] = "    esac\n    ;;\n  esac\n}\n\n"
  for _, command in ipairs(list) do
    local own = name .. "-" .. command.name
    if command.commands then
      zsh_function(out, own, command.options, command.commands)
    else
      local choices, rest = choices_of(command), {}
      if #choices > 0 then rest[1] = quote("*: :(" .. table.concat(choices, " ") .. ")") end
      out[#out + 1] = ("%s() {\n  %s\n}\n\n"):format(own, zsh_arguments(command.options, rest))
    end
  end
end

function completion.zsh()
  local out = { "#compdef braze\n# Completion of braze for zsh.\n\n" }
  zsh_function(out, "_braze", commands.options, commands.all())
  out[#out + 1] = "_braze \"$@\"\n"
  return table.concat(out)
end

-- --- fish ---------------------------------------------------------------------------------------------

local function fish_quote(text)
  return "'" .. text:gsub("[\\']", "\\%0") .. "'"
end

local function fish_line(out, condition, rest)
  out[#out + 1] = ("complete -c braze -n %s %s\n"):format(fish_quote(condition), rest)
end

local function fish_option(out, condition, option)
  local needs = takes_file(option) and " -r -F" or option.value and " -x" or ""
  fish_line(out, condition, ("-l %s%s -d %s"):format(option.flag:sub(3), needs, fish_quote(option.summary)))
end

local function fish_command(out, condition, command)
  fish_line(out, condition, ("-a %s -d %s"):format(command.name, fish_quote(command.summary)))
end

-- The condition that the words so far name this command, and none that is inside it.
local function fish_condition(path, list)
  local parts = {}
  for _, word in ipairs(path) do parts[#parts + 1] = "__fish_seen_subcommand_from " .. word end
  if #list > 0 then parts[#parts + 1] = "not __fish_seen_subcommand_from " .. table.concat(names_of(list), " ") end
  return table.concat(parts, "; and ")
end

function completion.fish()
  local out = { "# Completion of braze for fish.\ncomplete -c braze -f\n" }
  local all = commands.all()
  for _, option in ipairs(add_help(commands.options)) do fish_option(out, "__fish_use_subcommand", option) end
  for _, command in ipairs(all) do fish_command(out, "__fish_use_subcommand", command) end
  visit_all(all, function(command, path)
    local inner = command.commands or {}
    local condition = fish_condition(path, inner)
    for _, option in ipairs(add_help(command.options)) do fish_option(out, condition, option) end
    for _, one in ipairs(inner) do fish_command(out, condition, one) end
    local choices = #inner == 0 and choices_of(command) or {}
    if #choices > 0 then fish_line(out, condition, "-a " .. fish_quote(table.concat(choices, " "))) end
  end)
  return table.concat(out)
end

return completion
