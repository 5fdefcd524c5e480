-- The reference as one page of HTML: no script, nothing from elsewhere, dark where the reader's system is.

local STYLE = [[
:root { color-scheme: light dark; --ink: #1c2024; --soft: #5b6470; --paper: #fff; --tint: #f3f5f7; --line: #dde2e7;
  --link: #0b5cad; --name: #7a2e0e; --text: #1a6b3c; }
@media (prefers-color-scheme: dark) { :root { --ink: #dfe4ea; --soft: #98a3b0; --paper: #14181c; --tint: #1d2328;
  --line: #323a42; --link: #7db8f2; --name: #f0a878; --text: #8fd0a5; } }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: var(--paper); font: 16px/1.55 system-ui, sans-serif; }
a { color: var(--link); text-decoration: none; }
a:hover, a:focus { text-decoration: underline; }
code, pre { font: .9em/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
main { max-width: 48rem; padding: 0 1.25rem 6rem; margin: 0 auto; }
header { max-width: 48rem; margin: 0 auto; padding: 2rem 1.25rem 0; }
h1 { font-size: 1.9rem; margin: 0; }
h2 { font-size: 1.5rem; margin: 3.5rem 0 .5rem; padding-bottom: .3rem; border-bottom: 2px solid var(--line); }
h3 { font-size: 1.05rem; margin: 2.5rem 0 .5rem; padding: .5rem .75rem; background: var(--tint); border-radius: 6px;
  overflow-wrap: anywhere; scroll-margin-top: 1rem; }
h3 code { color: var(--name); font-weight: 600; }
h3 .returns, h3 .returns code { color: var(--soft); font-weight: 400; }
h4 { font-size: .85rem; margin: 1.25rem 0 .25rem; color: var(--soft); text-transform: uppercase;
  letter-spacing: .05em; }
.self { float: right; color: var(--soft); font-weight: 400; padding-left: .5rem; }
pre { background: var(--tint); border: 1px solid var(--line); border-radius: 6px; padding: .75rem 1rem;
  overflow-x: auto; }
pre i { color: var(--soft); font-style: normal; }
pre b { color: var(--text); font-weight: 400; }
dl { margin: .25rem 0 0; }
dt { margin-top: .6rem; overflow-wrap: anywhere; }
dt code { color: var(--name); }
dt .type { color: var(--soft); font-size: .9em; padding-left: .5rem; }
dt .must { color: var(--soft); font-size: .8em; padding-left: .5rem; }
dd { margin: 0 0 0 1.25rem; }
dd p, li p { margin: .15rem 0; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; }
dl.facts dt, dl.facts dd { margin: 0; }
dl.facts dt { color: var(--soft); }
.more { color: var(--soft); font-size: .9em; }
nav { border: 1px solid var(--line); border-radius: 6px; margin: 1.5rem 1.25rem 0; }
nav summary { padding: .6rem 1rem; font-weight: 600; cursor: pointer; }
nav ul { list-style: none; margin: 0; padding: 0 1rem .75rem; }
nav ul ul { padding: 0 0 .5rem .75rem; }
nav li { overflow-wrap: anywhere; }
nav ul ul a { font-size: .875em; }
nav > details > ul { max-height: 40vh; overflow-y: auto; }
@media (min-width: 64rem) {
  body { display: grid; grid-template: "nav header" auto "nav main" 1fr / 20rem minmax(0, 1fr); }
  nav { grid-area: nav; position: sticky; top: 0; height: 100vh; overflow-y: auto; margin: 0; border: 0;
    border-right: 1px solid var(--line); border-radius: 0; padding-top: 1.5rem; }
  nav > details > ul { max-height: none; }
  header, main { width: 100%; margin: 0; padding-left: 3rem; }
  header { grid-area: header; }
  main { grid-area: main; }
}
@media print { nav { display: none; } body { display: block; } }
]]

local function escape(text)
  return (text:gsub("[&<>\"]", { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }))
end

-- Filled before anything is written: the anchor for each name of a class.
local anchors = {}

local function anchor_of(name)
  return (name:gsub("[^%w_.:-]", "-"))
end

-- A type, in which the names of classes lead to them.
local function type_html(kind)
  return (escape(kind):gsub("braze[%w_.]*", function(name)
    return anchors[name] and ('<a href="#%s">%s</a>'):format(anchors[name], name) or name
  end))
end

-- `code` and [links](address) in a line of text.
local function inline(text)
  local codes = {}
  text = text:gsub("`([^`]*)`", function(code)
    codes[#codes + 1] = code
    return "\1" .. #codes .. "\2"
  end)
  text = escape(text):gsub("%[([^%]]*)%]%(([^)]*)%)", '<a href="%2">%1</a>')
  return (text:gsub("\1(%d+)\2", function(number)
    local code = codes[tonumber(number)]
    local html = "<code>" .. escape(code) .. "</code>"
    return anchors[code] and ('<a href="#%s">%s</a>'):format(anchors[code], html) or html
  end))
end

-- Paragraphs and lists ("* ") of a text.
local function block(text)
  local out = {}
  for paragraph in (text .. "\n\n"):gmatch "(.-)\n\n+" do
    if paragraph:find "^%* " then
      local items = {}
      for item in ("\n" .. paragraph):gsub("\n%* ", "\0"):gmatch "%z([^%z]*)" do
        items[#items + 1] = "<li>" .. inline(item) .. "</li>"
      end
      out[#out + 1] = "<ul>\n" .. table.concat(items, "\n") .. "\n</ul>"
    elseif paragraph ~= "" then
      out[#out + 1] = "<p>" .. inline(paragraph) .. "</p>"
    end
  end
  return table.concat(out, "\n")
end

-- Lua with its texts and comments set off.
local function code_html(code)
  local out, at = {}, 1
  while at <= #code do
    local from, to = code:find('"[^"\n]*"', at)
    local comment, comment_end = code:find("%-%-[^\n]*", at)
    if comment and (not from or comment < from) then from, to = comment, comment_end end
    out[#out + 1] = escape(code:sub(at, (from or #code + 1) - 1))
    if not from then break end
    local tag = from == comment and "i" or "b"
    out[#out + 1] = ("<%s>%s</%s>"):format(tag, escape(code:sub(from, to)), tag)
    at = to + 1
  end
  return table.concat(out)
end

local function items_html(items, title)
  local out = { title and "<h4>" .. title .. "</h4>" or "", "<dl>" }
  for _, item in ipairs(items) do
    local must = not item.optional and title == "Parameters" and ' <span class="must">required</span>' or ""
    out[#out + 1] = ('<dt><code>%s</code> <span class="type">%s</span>%s</dt>'):format(escape(item.name),
      type_html(item.type), must)
    if item.text ~= "" then out[#out + 1] = "<dd>" .. block(item.text) .. "</dd>" end
  end
  out[#out + 1] = "</dl>"
  return table.concat(out, "\n")
end

local function entry_html(entry)
  local id = anchor_of(entry.id)
  local returns = entry.returns and (' <span class="returns">%s <code>%s</code></span>')
    :format(entry.is_value and "is" or "returns", type_html(entry.returns)) or ""
  local title = escape(entry.title)
  local self = ('<a class="self" href="#%s" aria-label="link to %s">#</a>'):format(id, title)
  local out = { ('<h3 id="%s">%s<code>%s</code>%s</h3>'):format(id, self, title, returns) }
  local function add(html) out[#out + 1] = html end
  if entry.inherits then add('<p class="more">Also has what ' .. type_html(entry.inherits) .. " has.</p>") end
  add(block(entry.text))
  if entry.facts then
    add '<dl class="facts">'
    for _, fact in ipairs(entry.facts) do add(("<dt>%s</dt><dd>%s</dd>"):format(fact[1], inline(fact[2]))) end
    add "</dl>"
  end
  if entry.example then add("<pre><code>" .. code_html(entry.example) .. "</code></pre>") end
  if entry.parameters and #entry.parameters > 0 then add(items_html(entry.parameters, "Arguments")) end
  if entry.fields and #entry.fields > 0 then add(items_html(entry.fields, entry.fields_title)) end
  local links = {}
  for _, link in ipairs(entry.links or {}) do
    links[#links + 1] = ('<a href="%s">%s</a>'):format(escape(link[2]), escape(link[1]))
  end
  if #links > 0 then add('<p class="more">Braze\'s own pages: ' .. table.concat(links, ", ") .. "</p>") end
  return table.concat(out, "\n")
end

local function find_anchors(document)
  for _, section in ipairs(document.sections) do
    for _, alias in ipairs(section.aliases or {}) do anchors[alias] = section.id end
    for _, entry in ipairs(section.entries) do
      -- Of a table and a function of one name, the table comes later: a type means that.
      anchors[entry.type_name or entry.id] = anchor_of(entry.id)
      for _, alias in ipairs(entry.aliases or {}) do anchors[alias] = anchor_of(entry.id) end
    end
  end
end

local function contents(document)
  local out = { "<nav aria-label=\"Contents\"><details open><summary>Contents</summary>\n<ul>" }
  for _, section in ipairs(document.sections) do
    out[#out + 1] = ('<li><a href="#%s">%s</a>\n<ul>'):format(section.id, section.title)
    for _, entry in ipairs(section.entries) do
      local name = entry.title:gsub("%(.*$", "")
      out[#out + 1] = ('<li><a href="#%s">%s</a></li>'):format(anchor_of(entry.id), escape(name))
    end
    out[#out + 1] = "</ul></li>"
  end
  out[#out + 1] = "</ul></details></nav>"
  return table.concat(out, "\n")
end

return function(document)
  find_anchors(document)
  local out = {
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">",
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    ("<title>%s: reference</title>\n<style>\n%s</style>\n</head>\n<body>"):format(document.title, STYLE),
    ("<header>\n<h1>%s</h1>\n<p>Every function, option, field and kind of error of the module. "):format(document.title)
      .. "Durations are seconds, points in time are UTC epoch seconds. Made by tools/reference from the annotations in "
      .. "<code>src/braze/meta*.lua</code>.</p>\n</header>",
    contents(document),
    "<main>",
  }
  for _, section in ipairs(document.sections) do
    out[#out + 1] = ('<section>\n<h2 id="%s">%s</h2>\n%s'):format(section.id, section.title, block(section.text))
    for _, entry in ipairs(section.entries) do out[#out + 1] = entry_html(entry) end
    out[#out + 1] = "</section>"
  end
  out[#out + 1] = "</main>\n</body>\n</html>\n"
  return table.concat(out, "\n")
end
