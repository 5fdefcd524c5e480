-- heap: whatever is added and removed, the first item is one that is due earliest.

local heap = require("spec.support.test_build").core.heap

-- Draws that are the same in every run and on every Lua.
local function generator(seed)
  return function(most)
    seed = (seed * 16807) % 2147483647
    return seed % most + 1
  end
end

-- The earliest due time of a model, a table of number to due time.
local function earliest(model)
  local least
  for _, due in pairs(model) do
    if not least or due < least then least = due end
  end
  return least
end

local function check(table_under_test, model)
  local number, due = table_under_test:first()
  assert.equal(earliest(model), due)
  if number then assert.equal(model[number], due) end
end

-- Takes the first out until nothing is left; the due times come in order and none is missing.
local function drain(table_under_test, model)
  while next(model) do
    check(table_under_test, model)
    local number = table_under_test:first()
    table_under_test:remove(number)
    model[number] = nil
  end
  assert.is_nil((table_under_test:first()))
end

describe("the heap", function()
  it("is empty at first", function() assert.is_nil((heap.new(1):first())) end)

  local orders = {
    ascending = function(number) return number end,
    descending = function(number) return 100 - number end,
    equal = function() return 7 end,
    alternating = function(number) return number % 2 == 0 and number or 100 - number end,
    ["equal in pairs"] = function(number) return math.floor(number / 2) end,
  }
  for name, due in pairs(orders) do
    it("gives back what was added in " .. name .. " order", function()
      local one, model = heap.new(99), {}
      for number = 1, 99 do
        model[number] = due(number)
        one:add(number, model[number])
        check(one, model)
      end
      drain(one, model)
    end)
  end

  it("gives what is due at the same time in the order in which it was added", function()
    local one = heap.new(9)
    for number = 1, 9 do one:add(number, 7) end
    one:remove(4)
    one:add(4, 7)
    local order = {}
    for _ = 1, 9 do
      local number = one:first()
      order[#order + 1] = number
      one:remove(number)
    end
    assert.same({ 1, 2, 3, 5, 6, 7, 8, 9, 4 }, order)
  end)

  it("lets any item go from anywhere in it", function()
    for removed = 1, 20 do
      local one, model = heap.new(20), {}
      local draw = generator(removed)
      for number = 1, 20 do
        model[number] = draw(1000)
        one:add(number, model[number])
      end
      -- Removing the first gives the heap its depth.
      local first = one:first()
      one:remove(first)
      model[first] = nil
      one:remove(removed)
      model[removed] = nil
      drain(one, model)
    end
  end)

  it("leaves an item alone that is not in it", function()
    local one = heap.new(3)
    one:remove(1)
    assert.is_nil((one:first()))
    one:add(1, 5)
    one:add(2, 6)
    one:remove(3)
    one:remove(2)
    one:remove(2)
    assert.same({ 1, 5 }, { one:first() })
    one:remove(1)
    one:remove(1)
    assert.is_nil((one:first()))
  end)

  for _, seed in ipairs { 1, 20261120, 424242 } do
    it("agrees with a plain list over 20,000 random steps, seed " .. seed, function()
      local count = 64
      local one, model, draw = heap.new(count), {}, generator(seed)
      for step = 1, 20000 do
        local number = draw(count)
        if model[number] then
          one:remove(number)
          model[number] = nil
        else
          -- Few different times, so that equal ones are common.
          model[number] = draw(40)
          one:add(number, model[number])
        end
        if step % 500 == 0 then
          local first = one:first()
          if first then
            one:remove(first)
            model[first] = nil
          end
        end
        local _, due = one:first()
        if due ~= earliest(model) then assert.equal(earliest(model), due, "step " .. step) end
      end
      check(one, model)
      drain(one, model)
    end)
  end
end)
