-- The wings of src/, and what each room of them includes. A room is a header and the C file of the same name, or one of
-- them alone. For tools/laws.lua and tools/draw: local wings = dofile "tools/wings.lua"

local wings = {}

-- From the ground up: a file includes its own wing and those before it.
wings.order = {
  { name = "base", knows = "libc" },
  { name = "process", knows = "threads and signals" },
  { name = "http", knows = "libcurl" },
  { name = "service", knows = "Braze" },
  { name = "ledger", knows = "what was done" },
  { name = "stores", knows = "a database each" },
  { name = "client", knows = "what a binding needs" },
  { name = "lua", knows = "Lua" },
  { name = "fake", knows = "answers that are made up" },
}

-- What a file of one wing may see of those below it, where that is less than all: "*", or rooms by name. The binding
-- sees the front door with what it includes, the words of the service, and plain helpers.
wings.shown = {
  lua = {
    base = "*",
    process = { channel = true },
    http = { call = true, events = true, limits = true, link = true,
      outcome = true, probe = true, request = true, settings = true },
    service = "*",
    ledger = { claim = true, job = true, keeper = true, ledger = true, record = true, store = true },
    client = "*",
  },
  stores = { base = { buffer = true, text = true }, ledger = { store = true } },
  client = { base = "*", process = "*", http = "*", service = "*", ledger = { ledger = true } },
}

for rank, wing in ipairs(wings.order) do
  wing.rank = rank
  wings.order[wing.name] = wing
end

-- The wing of a path of the sources, and the room. client.[ch] is a wing by itself; braze.h, the header for C programs,
-- is the binding's.
function wings.place(path)
  local inside = path:match "^src/(.+)%.[ch]$"
  if not inside then return nil end
  local wing, room = inside:match "^(.+)/([^/]+)$"
  if wing then return wing, room end
  return inside == "braze" and "lua" or inside, inside
end

function wings.output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  assert(pipe:close(), command)
  return text
end

-- Every C file and header below a folder.
function wings.files(folder)
  local files = {}
  for path in wings.output_of(("find '%s' -name '*.[ch]' | LC_ALL=C sort"):format(folder or "src")):gmatch "[^\n]+" do
    files[#files + 1] = path
  end
  return files
end

-- What a file includes by name in quotes, as paths of files that are there.
function wings.included(path, folder)
  local found = {}
  for line in io.lines(path) do
    local name = line:match '^%s*#%s*include%s+"([^"]+)"'
    if name then
      for _, candidate in ipairs { folder .. "/" .. name, path:match "^(.*/)" .. name } do
        local file = io.open(candidate)
        if file then
          file:close()
          found[#found + 1] = candidate
          break
        end
      end
    end
  end
  return found
end

-- The groups of nodes that can reach each other: more than one node means a circle. graph: node -> list of nodes.
-- Tarjan's algorithm: the groups come in an order in which each stands behind those that it reaches.
function wings.groups(graph, nodes)
  local index, low, on_stack, stack, groups, count = {}, {}, {}, {}, {}, 0
  local function visit(node)
    count = count + 1
    index[node], low[node] = count, count
    stack[#stack + 1], on_stack[node] = node, true
    for _, other in ipairs(graph[node] or {}) do
      if not index[other] then
        visit(other)
        low[node] = math.min(low[node], low[other])
      elseif on_stack[other] then
        low[node] = math.min(low[node], index[other])
      end
    end
    if low[node] == index[node] then
      local group = {}
      repeat
        local member = table.remove(stack)
        on_stack[member] = false
        table.insert(group, 1, member)
      until member == node
      groups[#groups + 1] = group
    end
  end
  for _, node in ipairs(nodes) do
    if not index[node] then visit(node) end
  end
  return groups
end

return wings
