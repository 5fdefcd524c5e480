-- The commands that make calls: an operation, call, each.

local braze = require "braze"
local core = require "braze.core"
local failure = require "braze.command.failure"
local json = require "braze.command.json"
local output = require "braze.command.output"
local values = require "braze.command.values"

local calls = {}

-- Ctrl-C is seen between two of these: while a call blocks in C, Lua sees no signal.
local LOOK_SECONDS = 0.1

-- Rows that decide how wide the columns are, while more may follow.
local ROWS_BEFORE_A_HEAD = 100

-- The result of a call. Interrupted, it is cancelled at once, and the error says whether the request had left.
local function call(client, target, params, options)
  local _, mistake = core.check_name(client, target) -- start would call it by its own name
  if mistake then error(mistake, 0) end
  local request = client:start(target, params, options)
  local good, interruption = pcall(function()
    while not request:done() do request:wait(LOOK_SECONDS) end
  end)
  if good then return request:result() end
  request:cancel()
  local _, err = pcall(request.result, request)
  error({ interruption = interruption, err = err }, 0)
end

-- What a request has beside what braze says of it: the headers that its transfers set.
local function headers_of(request, authorization)
  local headers = {
    { "Host", (request.url:match "^%a+://([^/]+)") },
    { "User-Agent", "braze-lua/" .. braze._VERSION:match "%S+$" },
    { "Authorization", authorization },
    { "Accept", "*/*" },
    { "Accept-Encoding", "identity" },
  }
  if request.body then
    headers[#headers + 1] = { "Content-Type", "application/json" }
    headers[#headers + 1] = { "Content-Length", tostring(#request.body) }
  end
  local named = {}
  for _, header in ipairs(headers) do named[header[1]] = header[2] end
  return named
end

local function dry_run(client, target, params, options)
  local request = core.request(client, target, params, options)
  output.value {
    method = request.method,
    url = request.url,
    headers = headers_of(request, "Bearer (the key)"),
    body = request.body and json.raw(request.body),
    repeatable = request.repeatable,
  }
end

-- Fields of a result that are told in other words, or not at all, on a terminal.
local own = { rate_limit = true, elapsed = true, attempts = true, status = true, next = true, request_id = true }

local function sorted_names(result)
  local names = {}
  for name in pairs(result) do
    if not own[name] and type(name) == "string" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- The columns of a list of objects: the names of the first ones, in order; "id" and "name" first.
local function columns_of(items)
  local first, seen, columns = { "id", "name", "time" }, {}, {}
  for _, item in ipairs(items) do
    if type(item) ~= "table" then return nil end
    for name in pairs(item) do
      if type(name) ~= "string" then return nil end
      seen[name] = true
    end
  end
  for _, name in ipairs(first) do
    if seen[name] then columns[#columns + 1] = name end
    seen[name] = nil
  end
  local rest = {}
  for name in pairs(seen) do rest[#rest + 1] = name end
  table.sort(rest)
  for _, name in ipairs(rest) do columns[#columns + 1] = name end
  return columns
end

local function row_of(item, columns)
  local row = {}
  if not columns then return { output.cell(item) } end
  for i, name in ipairs(columns) do row[i] = output.cell(item[name]) end
  return row
end

local function show_list(items)
  local columns, rows = columns_of(items), {}
  for i, item in ipairs(items) do rows[i] = row_of(item, columns) end
  output.table(columns, rows)
end

-- What is left of the limit, as a line of a table.
local function left(limit)
  if not limit.remaining then return nil end
  local text = limit.limit and ("%d of %d"):format(limit.remaining, limit.limit) or tostring(limit.remaining)
  if limit.reset then text = text .. os.date("!, until %Y-%m-%d %H:%M:%S UTC", limit.reset) end
  return text
end

local function show_result(result, items)
  local list = items and result[items]
  local rows = {}
  for _, name in ipairs(sorted_names(result)) do
    if name ~= items then rows[#rows + 1] = { name, output.cell(result[name]) } end
  end
  rows[#rows + 1] = { "status", output.cell(result.status) }
  rows[#rows + 1] = { "left", left(result.rate_limit) }
  output.table(nil, rows)
  if list and #list > 0 then
    output.write "\n"
    show_list(list)
  end
end

-- Lists that are known to be one, although they are empty: else "{}" would be written.
local function mark_lists(result, items)
  for _, name in ipairs { items or "errors", "errors" } do
    local value = result[name]
    local is_empty = type(value) == "table" and next(value) == nil
    if is_empty and not getmetatable(value) then result[name] = braze.list(value) end
  end
end

function calls.operation(command, parsed)
  local target = values.target(command, parsed)
  local params, options = values.params(command, parsed), values.options(command, parsed)
  local client = braze.new()
  if parsed.dry_run then return dry_run(client, target, params, options) end
  values.check_reach(target, params, parsed)
  local result = call(client, target, params, options)
  client:close()
  if result.ledger_error then output.warn(tostring(result.ledger_error)) end
  local items = braze.operations[target] and braze.operations[target].items
  if not output.json then return show_result(result, items) end
  mark_lists(result, items)
  result.elapsed = math.floor(result.elapsed * 1e6 + 0.5) / 1e6
  output.value(result)
end

calls.call = calls.operation

-- An iterator over the items of a list. client:each would do, if Ctrl-C were seen while it waits.
local function each(client, target, params, options)
  local walk, mistake = core.pages.open(client, target, params, options)
  if not walk then error(mistake, 0) end
  return function()
    while true do
      local item = core.pages.item(walk)
      if item ~= nil then return item end
      local asked, given, number = core.pages.ask(walk)
      if not asked then
        if given then error(given, 0) end
        return nil
      end
      local good, result = pcall(call, client, target, asked, given)
      if not good then
        if braze.is_error(result) then result.page = number end
        error(result, 0)
      end
      local _, wrong = core.pages.take(walk, result)
      if wrong then error(wrong, 0) end
    end
  end
end

-- Writes items as they come: a JSON array with one on each line.
local function new_json_writer()
  local writer, count = {}, 0
  function writer.add(item)
    output.put((count == 0 and "[\n" or ",\n") .. json.encode(item))
    count = count + 1
    if count % ROWS_BEFORE_A_HEAD == 0 then output.write "" end
  end
  function writer.finish() output.write(count == 0 and "[]\n" or "\n]\n") end
  return writer
end

-- The same as a table, whose columns are as wide as the first rows need.
local function new_table_writer()
  local writer, waiting, columns, widths = {}, {}, nil, nil
  local function begin()
    columns = columns_of(waiting)
    local rows = {}
    for i, item in ipairs(waiting) do rows[i] = row_of(item, columns) end
    widths = output.widths(rows, columns and output.widths { columns })
    output.progress()
    if columns then output.write(output.line(columns, widths, output.bold)) end
    for _, row in ipairs(rows) do output.put(output.line(row, widths)) end
    output.write ""
    waiting = nil
  end
  function writer.add(item)
    if not waiting then return output.write(output.line(row_of(item, columns), widths)) end
    waiting[#waiting + 1] = item
    if #waiting >= ROWS_BEFORE_A_HEAD then begin() end
  end
  function writer.finish()
    if waiting then begin() end
  end
  return writer
end

function calls.each(command, parsed)
  local target = values.target(command, parsed)
  local params, options = values.params(command, parsed), values.options(command, parsed)
  local client = braze.new()
  local next_item = each(client, target, params, options)
  local writer = output.json and new_json_writer() or new_table_writer()
  local count = 0
  output.progress "reading the first page"
  local good, err = pcall(function()
    for item in next_item do
      writer.add(item)
      count = count + 1
      if count % 20 == 0 and output.json then output.progress(("%d items"):format(count)) end
    end
  end)
  output.progress()
  -- What came before a page that failed is there, and is one JSON value.
  if good or not failure.is_other(err) then writer.finish() end
  client:close()
  if not good then error(err, 0) end
end

function calls.operations()
  if output.json then return output.value(braze.operations) end
  local rows = {}
  for _, pair in ipairs(require("braze.command.words").operations) do
    local row = braze.operations[pair[1]]
    rows[#rows + 1] = { pair[1], row.method, row.path, row.permission }
  end
  output.table({ "name", "method", "path", "permission" }, rows)
end

return calls
