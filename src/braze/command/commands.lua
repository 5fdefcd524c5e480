-- The commands as data: what each is called, what it takes, what is said of it. The parser, the completions and the
-- manual are made from this table, and the operations in it from braze.operations.
--
-- A command has name, summary, options, and run: the name of what runs it; arguments, commands and description where
-- there are any. An option has flag, id and summary; value: what its value is called, none where it takes none; type;
-- and field, the parameter of an operation that it is for.

local braze = require "braze"
local words = require "braze.command.words"

local commands = {}

commands.name = "braze"
commands.summary = "calls the REST API of Braze"
commands.description = "Calls the REST API of Braze. The key and the endpoint come from the environment alone: "
  .. "BRAZE_API_KEY and BRAZE_REST_ENDPOINT. Nothing is sent twice by itself that may not be sent twice, and the exit "
  .. "status 9 says that a call which failed may have been done."

local JSON = { flag = "--json", id = "json", summary = "write one JSON value, and errors as one JSON object" }

commands.options = {
  JSON,
  { flag = "--version", id = "version", summary = "print the version and end" },
}

-- Of whatever makes a call.
local limits = {
  {
    flag = "--timeout", id = "timeout", value = "SECONDS", type = "number",
    summary = "for the whole call; default 30",
  },
  {
    flag = "--connect-timeout", id = "connect_timeout", value = "SECONDS", type = "number",
    summary = "for the connection of one attempt; default 10",
  },
  {
    flag = "--retries", id = "retries", value = "NUMBER", type = "integer",
    summary = "most further attempts; default 2",
  },
}

local INPUT = {
  flag = "--input", id = "input", value = "FILE", is_file = true,
  summary = "read parameters from a file with a JSON object, or from standard input (-)",
}
local DRY_RUN = { flag = "--dry-run", id = "dry_run", summary = "print the exact request as JSON, and send nothing" }
local YES = { flag = "--yes", id = "yes", summary = "send although it reaches many users" }
local QUERY = {
  flag = "--query", id = "query", value = "NAME=VALUE", is_repeated = true,
  summary = "add to the query; may be given again",
}
local JOB = { flag = "--job", id = "job", value = "NAME", summary = "do it once under this name; needs BRAZE_LEDGER" }
local TARGET = {
  id = "target", value = "TARGET",
  summary = "a method and a path in one word, \"POST /users/track\", or the name of an operation",
}

-- Which fields reach more users than those that are listed.
local reaches_many = { broadcast = true, segment_id = true, audience = true }
commands.reaches_many = reaches_many

local function join(...)
  local all = {}
  for _, list in ipairs { ... } do
    for _, item in ipairs(list) do all[#all + 1] = item end
  end
  return all
end

local value_names = { string = "TEXT", integer = "NUMBER", object = "JSON", list = "JSON" }

local function describe(field)
  local text = words.fields[field.name]
  if field.type == "object" or field.type == "list" then text = text .. "; as JSON, or @FILE" end
  if field.type == "list" and field.max then text = text .. ("; at most %d"):format(field.max) end
  return field.required and text .. " (required)" or text
end

-- A field as one option, or as two where it may be set to false.
local function field_options(field)
  local typed = words.typed(field.name)
  local option = {
    flag = "--" .. typed, id = "field." .. field.name, value = value_names[field.type], type = field.type,
    field = field, summary = describe(field),
  }
  if field.type ~= "boolean" then return { option } end
  local opposite = { flag = "--no-" .. typed, id = option.id, type = "boolean", field = field, negates = option.flag,
    summary = "set it to false" }
  return { option, opposite }
end

local function operation_command(name, summary)
  local row = braze.operations[name]
  local options, many = {}, false
  for _, field in ipairs(row.parameters) do
    for _, option in ipairs(field_options(field)) do options[#options + 1] = option end
    many = many or reaches_many[field.name]
  end
  local writes = row.method ~= "GET"
  return {
    name = words.typed(name), operation = name, run = "operation", group = "Operations", summary = summary,
    description = ("%s %s; the key needs the permission %s."):format(row.method, row.path, row.permission),
    options = join(options, { INPUT }, writes and { JOB } or {}, limits, many and { YES } or {},
      { DRY_RUN, JSON }),
  }
end

local function ledger_command()
  local job = { id = "job", value = "JOB", summary = "the name of the job" }
  return {
    name = "ledger", group = "Others", summary = "Shows and settles what the ledger has.",
    description = "The ledger is the one that BRAZE_LEDGER names, for the workspace BRAZE_WORKSPACE.",
    options = {},
    commands = {
      {
        name = "list", run = "ledger_list", summary = "Lists the jobs.",
        options = {
          { flag = "--state", id = "state", value = "STATE", summary = "held, unknown, done or refused: those alone" },
          JSON,
        },
      },
      { name = "show", run = "ledger_show", summary = "Shows a job.", arguments = { job }, options = { JSON } },
      {
        name = "settle", run = "ledger_settle", summary = "Says what came of a job whose outcome is unknown.",
        arguments = {
          job, { id = "outcome", value = "OUTCOME", choices = { "done", "not-done" }, summary = "what came of it" },
        },
        options = { JSON },
      },
      {
        name = "forget", run = "ledger_forget", summary = "Removes a job: the same name is done anew.",
        arguments = { job }, options = { JSON },
      },
      { name = "quota", run = "ledger_quota", summary = "Shows what is left of the day's quota.", options = { JSON } },
    },
  }
end

-- Every command, in the order of the help.
function commands.all()
  local all = {}
  for _, pair in ipairs(words.operations) do all[#all + 1] = operation_command(pair[1], pair[2]) end
  all = join(all, {
    {
      name = "call", run = "call", group = "Others", summary = "Calls any endpoint, by method and path.",
      arguments = { TARGET },
      options = join({ INPUT, QUERY, {
        flag = "--repeatable", id = "repeatable",
        summary = "it may be sent again after a lost answer: a second one does no harm",
      } }, { JOB }, limits, { YES, DRY_RUN, JSON }),
    },
    {
      name = "each", run = "each", group = "Others",
      summary = "Walks through a list, page by page: a JSON array of all items.",
      arguments = { TARGET },
      options = join({ INPUT, QUERY,
        { flag = "--items", id = "items", value = "FIELD", summary = "the field of the answer that has the list" },
        {
          flag = "--max-pages", id = "max_pages", value = "NUMBER", type = "integer",
          summary = "fail after so many pages rather than to end early; default 100",
        },
      }, limits, { JSON }),
    },
    {
      name = "operations", run = "operations", group = "Others",
      summary = "Lists the operations, with method, path and permission.", options = { JSON },
    },
  }, { ledger_command() }, {
    {
      name = "doctor", run = "doctor", group = "Others",
      summary = "Looks at each step from the environment to TLS, and says what to do. "
        .. "It sends no key and makes nothing.",
      options = { JSON },
    },
    {
      name = "completion", run = "completion", group = "Others", summary = "Prints the completion for a shell.",
      arguments = { { id = "shell", value = "SHELL", choices = { "bash", "zsh", "fish" }, summary = "which shell" } },
      options = {},
    },
  })
  return all
end

return commands
