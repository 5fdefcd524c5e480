-- hold: a method that is called where Lua's own stack has no room left.

local braze = require "braze"

describe("a call where Lua's stack is nearly full", function()
  it("is refused before anything is sent, and the next one is not", function()
    local client = braze.new { api_key = "braze-key-0123456789", endpoint = "http://127.0.0.1:1", retries = 0 }
    finally(function() client:close() end)
    local load_text, wide = loadstring or load, nil
    local function narrow(level)
      if level > 0 then return (narrow(level - 1)) end
      return select(2, pcall(client.create_send_id, client, { campaign_id = "campaign" }))
    end
    -- Of a frame with many places: fewer calls fill the stack.
    wide = load_text(([[
      local wide, narrow = ...
      return function(level, rest)
        local %s
        if level > 0 then return (wide(level - 1, rest)) end
        return (narrow(rest))
      end]]):format(("x, "):rep(150) .. "x"))(function(...) return wide(...) end, narrow)
    -- What comes of a call so deep in a recursion: the error's kind and message, or false where Lua itself has no room.
    local function kind_at(wides, narrows)
      local there, failure = pcall(wide, wides, narrows)
      if not there or not braze.is_error(failure) then return false end
      return failure.kind, failure.message
    end
    -- The most levels at which a call is made. Every Lua has a limit of its own.
    local function deepest(most, kind_of)
      local least = 0
      while most - least > 1 do
        local middle = math.floor((least + most) / 2)
        if kind_of(middle) == "network" then least = middle else most = middle end
      end
      return least
    end
    local wides = deepest(20000, function(level) return kind_at(level, 0) end)
    local narrows = deepest(1000, function(level) return kind_at(wides, level) end)
    -- The search itself had a few levels more below it.
    local kind, message
    for level = narrows, narrows + 100 do
      kind, message = kind_at(wides, level)
      if kind ~= "network" then break end
    end
    -- LuaJIT and Lua 5.1 count calls as well, or end the recursion themselves.
    if _VERSION ~= "Lua 5.1" or (kind and kind ~= "network") then
      assert.equal("usage", kind)
      assert.matches("create_send_id was called where Lua", message, 1, true)
    end
    if _VERSION ~= "Lua 5.1" then assert.matches("'s stack is nearly full", message, 1, true) end
    assert.equal("network", (kind_at(0, 0)))
  end)
end)
