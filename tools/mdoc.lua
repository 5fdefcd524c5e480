-- Writes manual pages in mdoc, for tools/command and tools/reference: local mdoc = dofile "tools/mdoc.lua"

local mdoc = {}

function mdoc.read(path)
  local file = io.open(path)
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

-- The day of the newest release, as the manual's date; before the first one there is none.
function mdoc.date()
  local months = {
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
  }
  local year, month, day = mdoc.read("CHANGELOG.md"):match "\n## %[[%d.]+%] %- (%d+)%-(%d+)%-(%d+)"
  if not year then return "January 1, 2026" end
  return ("%s %d, %s"):format(months[tonumber(month)], tonumber(day), year)
end

local WIDTH = 74

-- A text as mdoc has it, in lines: nothing in it is a request, a macro or an escape.
function mdoc.plain(text)
  local lines, line = {}, ""
  for word in text:gsub("\\", "\\e"):gsub("%(%)", "(\\&)"):gmatch "%S+" do
    if line ~= "" and #line + 1 + #word > WIDTH then
      lines[#lines + 1] = line
      line = ""
    end
    if line == "" and word:find "^[.']" then word = "\\&" .. word end
    line = line == "" and word or line .. " " .. word
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

-- As an argument of a macro: in quotes where it has spaces, and no macro by its name.
function mdoc.argument(text)
  text = mdoc.plain(text):gsub("\n", " "):gsub("%-", "\\-"):gsub('"', '""')
  if text:find "^%u%l$" then text = "\\&" .. text end
  return text:find "[ \"]" and '"' .. text .. '"' or text
end

-- A page: add(format, ...) adds a line, sentences(text) each sentence on a line of its own, as mdoc wants them.
function mdoc.page()
  local page, out = {}, {}
  function page.add(format, ...)
    out[#out + 1] = select("#", ...) > 0 and format:format(...) or format
  end
  function page.sentences(text)
    for sentence in text:gsub("([.:]) +(%u)", "%1\n%2"):gmatch "[^\n]+" do page.add("%s", mdoc.plain(sentence)) end
  end
  function page.text() return table.concat(out, "\n") .. "\n" end
  return page
end

-- Writes files, each { path, text }; or with check prints which of them are out of date.
function mdoc.write(made, check, tool)
  for _, pair in ipairs(made) do
    if check then
      if mdoc.read(pair[1]) ~= pair[2] then print(pair[1] .. " is out of date; run " .. tool) end
    else
      local file = assert(io.open(pair[1], "w"))
      file:write(pair[2])
      assert(file:close())
    end
  end
end

return mdoc
