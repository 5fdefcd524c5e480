-- The parser for the command line, made from the table of commands by argparse.

local argparse = require "braze.command.library" "argparse"
local commands = require "braze.command.commands"
local failure = require "braze.command.failure"

local parser = {}

local WIDTH = 100

-- argparse ends the process where help is asked for. Here the text is kept, and the parsing ends with an error.
local HELP = "help"

local function set_help(element, kept)
  element:add_help {
    description = "print this help and end",
    action = function()
      kept.text = element:get_help()
      error(HELP, 0)
    end,
  }
end

local function add_option(element, option)
  if not option.value then
    local action = option.negates and "store_false" or "store_true"
    return element:flag(option.flag):target(option.id):description(option.summary):action(action)
  end
  local added = element:option(option.flag):target(option.id):argname(option.value):description(option.summary)
  if option.is_repeated then
    added:count "*"
  else
    added:overwrite(false)
  end
  return added
end

local function add_options(element, options)
  local by_flag = {}
  for _, option in ipairs(options) do
    by_flag[option.flag] = add_option(element, option)
    if option.negates then element:mutex(by_flag[option.negates], by_flag[option.flag]) end
  end
end

local function add_command(element, command, kept)
  local added = element:command(command.name):target("command." .. command.name):summary(command.summary)
    :description(command.summary .. (command.description and "\n\n" .. command.description or ""))
    :help_max_width(WIDTH):help_usage_margin(2):help_description_margin(32)
  set_help(added, kept)
  for _, argument in ipairs(command.arguments or {}) do
    local made = added:argument(argument.id):argname(argument.value):description(argument.summary)
    if argument.choices then made:choices(argument.choices) end
  end
  add_options(added, command.options)
  for _, inner in ipairs(command.commands or {}) do add_command(added, inner, kept) end
  return added
end

-- argparse's parser, and where the text of a help that is asked for is kept.
function parser.make()
  local kept = {}
  local root = argparse(commands.name):description(commands.description):add_help(false)
    :help_max_width(WIDTH):help_usage_margin(2):help_description_margin(30)
    :usage("Usage: braze COMMAND [OPTIONS]")
    :epilog "\"braze COMMAND --help\" says what a command takes; \"man braze\" has the exit statuses."
  set_help(root, kept)
  local groups, order = {}, {}
  for _, command in ipairs(commands.all()) do
    local added = add_command(root, command, kept)
    if not groups[command.group] then
      groups[command.group] = {}
      order[#order + 1] = command.group
    end
    table.insert(groups[command.group], added)
  end
  for _, name in ipairs(order) do
    root:group(name, (table.unpack or unpack)(groups[name])) -- luacheck: ignore
  end
  add_options(root, commands.options)
  return root, kept
end

local function find(list, name)
  for _, item in ipairs(list) do
    if item.name == name then return item end
  end
end

-- The commands that the words name, from the outermost: { ledger, list }.
local function named_by(arguments)
  local path, list = {}, commands.all()
  for _, word in ipairs(arguments) do
    local found = word:sub(1, 1) ~= "-" and find(list, word)
    if found then
      path[#path + 1] = found
      list = found.commands or {}
    elseif word:sub(1, 1) ~= "-" then
      break
    end
  end
  return path, list
end

-- What argparse says, as a usage error with the nearest name.
local function refuse(text, arguments)
  local message = text:match "^[^\n]*"
  local path, inner = named_by(arguments)
  local called = "braze"
  for _, command in ipairs(path) do called = called .. " " .. command.name end
  local names = {}
  if message:find "^unknown option" then
    local options = #path > 0 and path[#path].options or commands.options
    for _, option in ipairs(options) do names[#names + 1] = option.flag end
  elseif message:find "^unknown command" then
    for _, command in ipairs(inner) do names[#names + 1] = command.name end
  end
  local wrong = message:match "'(.*)'"
  local meant = wrong and failure.nearest(wrong, names)
  local hint = meant and ("did you mean %s?"):format(meant)
    or ("\"%s --help\" says what it takes"):format(called)
  return failure.usage(called .. ": " .. message, hint)
end

-- The command that the arguments name and the values by the options' ids; or nil and the text of a help.
function parser.parse(arguments)
  local root, kept = parser.make()
  if #arguments == 0 then failure.usage("no command is given", "\"braze --help\" lists them") end
  if arguments[1] == "--version" then return { run = "version" }, {} end
  local returned, good, values = pcall(root.pparse, root, arguments)
  if not returned then
    if kept.text then return nil, kept.text end
    error(good, 0)
  end
  if not good then refuse(values, arguments) end
  local command = { commands = commands.all() }
  repeat
    local next_one
    for _, inner in ipairs(command.commands) do
      if values["command." .. inner.name] then next_one = inner end
    end
    command = next_one
  until not command.commands
  return command, values
end

return parser
