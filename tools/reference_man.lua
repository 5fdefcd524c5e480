-- The reference as a manual page in mdoc: man 3 braze.

local mdoc = dofile "tools/mdoc.lua"

-- A text of the annotations without its marks.
local function bare(text)
  return (text:gsub("`", ""):gsub("%[([^%]]*)%]%([^)]*%)", "%1"))
end

return function(document)
  local page = mdoc.page()
  local add = page.add

  local function paragraphs(text)
    local first = true
    for paragraph in (text .. "\n\n"):gmatch "(.-)\n\n+" do
      if paragraph:find "^%* " then
        add ".Bl -bullet -compact"
        for item in ("\n" .. paragraph):gsub("\n%* ", "\0"):gmatch "%z([^%z]*)" do
          add ".It"
          page.sentences(bare(item):gsub("\n", " "))
        end
        add ".El"
      elseif paragraph ~= "" then
        if not first then add ".Pp" end
        page.sentences(bare(paragraph):gsub("\n", " "))
      end
      first = false
    end
  end

  local function items(list)
    if not list or #list == 0 then return end
    add ".Bl -tag -width Ds"
    for _, item in ipairs(list) do
      add(".It %s", mdoc.argument(item.type == "" and item.name or item.name .. ": " .. item.type))
      if item.text == "" then
        add(item.optional and "Optional." or "Required.")
      else
        paragraphs(item.text)
      end
    end
    add ".El"
  end

  local function entry_page(entry)
    add(".Ss %s", mdoc.argument(entry.title))
    if entry.returns then
      page.sentences((entry.is_value and "Is " or "Returns ") .. entry.returns .. ".")
      add ".Pp"
    end
    if entry.text ~= "" then paragraphs(entry.text) end
    for _, fact in ipairs(entry.facts or {}) do
      add ".Pp"
      page.sentences(bare(fact[1] .. ": " .. fact[2]):gsub("%.?$", "."))
    end
    if entry.example then
      add ".Bd -literal -offset indent"
      for line in entry.example:gmatch "[^\n]+" do
        add("%s", (line:gsub("\\", "\\e"):gsub("^[.']", "\\&%0"):gsub("%-", "\\-")))
      end
      add ".Ed"
    end
    items(entry.parameters)
    items(entry.fields)
    if entry.inherits then page.sentences("It also has what " .. entry.inherits .. " has.") end
  end

  add ".\\\" Made by tools/reference from src/braze/meta*.lua."
  add(".Dd %s", mdoc.date())
  add ".Dt BRAZE 3"
  add ".Os"
  add ".Sh NAME"
  add ".Nm braze"
  add ".Nd the REST API of Braze from Lua"
  add ".Sh SYNOPSIS"
  add ".Bd -literal"
  add "local braze = require \"braze\""
  add ".Ed"
  add ".Sh DESCRIPTION"
  page.sentences("Durations are seconds, points in time are UTC epoch seconds.")
  for _, section in ipairs(document.sections) do
    add(".Sh %s", section.title:upper())
    if section.text ~= "" then paragraphs(section.text) end
    for _, entry in ipairs(section.entries) do entry_page(entry) end
  end
  add ".Sh SEE ALSO"
  add "The command of the same name, in section 1."
  return page.text()
end
