-- The completions of the command, each asked in its own shell where that is installed; and that the files in share/ are
-- what the commands say.

local command = require "spec.support.command"

local function has(program)
  return command.shell("command -v " .. program) == 0
end

describe("the completion of braze", function()
  -- What bash offers for the last of these words.
  local function bash(...)
    local words = { ... }
    local quoted = {}
    for i, word in ipairs(words) do quoted[i] = "'" .. word .. "'" end
    local script = command.file(([[
      compopt() { :; }
      . share/completions/braze.bash
      COMP_WORDS=(braze %s)
      COMP_CWORD=%d
      _braze
      printf '%%s\n' "${COMPREPLY[@]}"
    ]]):format(table.concat(quoted, " "), #words))
    local status, output, complaint = command.shell("bash " .. script)
    os.remove(script)
    assert.same({ 0, "" }, { status, complaint })
    local offered = {}
    for line in output:gmatch "[^\n]+" do offered[#offered + 1] = line end
    return offered
  end

  it("in bash has commands, flags and choices", function()
    assert.same({ "create-send-id" }, bash "cr")
    assert.same({ "--campaign-id" }, bash("create-send-id", "--ca"))
    assert.same({ "--yes" }, bash("send-messages", "--broadcast", "--y"))
    assert.same({ "bash" }, bash("completion", "b"))
    assert.same({ "get-send-analytics" }, bash("each", "get-s"))
    assert.same({}, bash("each", "create"))
    assert.same({ "create-send-id" }, bash("call", "create"))
    assert.same({ "--version" }, bash "--v")
  end)

  it("in bash has files where a value may be one, and nothing for a text", function()
    assert.same({ "README.md" }, bash("call", "--input", "READM"))
    assert.same({ "README.md" }, bash("trigger-campaign", "--recipients", "@", "READM"))
    assert.same({}, bash("create-send-id", "--campaign-id", "READM"))
  end)

  for _, row in ipairs {
    { "zsh", "zsh -n share/completions/_braze" },
    { "fish", "fish -n share/completions/braze.fish" },
  } do
    it(("can be read by %s"):format(row[1]), function()
      if not has(row[1]) then pending(row[1] .. " is not installed") end
      local status, _, complaint = command.shell(row[2])
      assert.same({ 0, "" }, { status, complaint })
    end)
  end

  it("in fish has commands and flags", function()
    if not has "fish" then pending "fish is not installed" end
    local function fish(line)
      local script = "fish -N -c '. share/completions/braze.fish; complete -C \"%s\"'"
      local status, output = command.shell(script:format(line))
      assert.equal(0, status)
      return output
    end
    assert.matches("^create%-send%-id\t", fish "braze cr")
    assert.matches("^%-%-campaign%-id\t", fish "braze create-send-id --ca")
    assert.matches("^get%-send%-analytics", fish "braze each get-s")
  end)

  it("is printed by the command", function()
    for shell, path in pairs { bash = "braze.bash", zsh = "_braze", fish = "braze.fish" } do
      local file = assert(io.open("share/completions/" .. path))
      local text = file:read "*a"
      file:close()
      assert.equal(text, select(2, command.run { "completion", shell }))
    end
  end)
end)
