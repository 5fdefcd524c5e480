-- A process that has more rights than its user (setuid, setgid): whoever starts it must not choose where the key goes,
-- nor whom to trust, so no variable of the environment is read.

local child = require "spec.support.child"

local output_of = child.output_of
local quote = child.quote

describe("a process with more rights than its user", function()
  local folder = output_of("mktemp -d"):match "[^\n]+"

  teardown(function() os.execute("rm -rf " .. folder) end)

  -- A copy of the interpreter that runs as somebody else than who starts it; whether there can be one.
  local function prepare()
    output_of(("cd %s && { chmod 755 . && cp \"$(command -v %s)\" lua "
      .. "&& chown 65534:65534 lua && chmod 6755 lua; } 2>&1"):format(
      folder, quote(arg[-1])))
    return output_of(folder .. "/lua -e 'print(1)' 2>&1; stat -c %u " .. folder .. "/lua 2>&1") == "1\n65534\n"
  end

  local function run(program, environment)
    local words = { "env", "LUA_CPATH=" .. quote(package.cpath), "LUA_PATH=" .. quote(package.path) }
    for name, value in pairs(environment) do words[#words + 1] = name .. "=" .. quote(value) end
    words[#words + 1] = folder .. "/lua -e " .. quote(program)
    return output_of(table.concat(words, " "))
  end

  it("reads none of it", function()
    if not prepare() then return pending "this user may not make a program that runs as somebody else" end
    local account = { BRAZE_API_KEY = "key-0123456789", BRAZE_REST_ENDPOINT = "http://127.0.0.1:1" }
    assert.matches("BRAZE_API_KEY is not set", run([[
      print(select(2, pcall(require "braze".create_send_id, { campaign_id = "campaign" })))
    ]], account))
    -- Each of these is refused where it is read.
    assert.equal("made\n", run([[
      require "braze".new { api_key = "key-0123456789", endpoint = "US-01" }
      print "made"
    ]], { BRAZE_TIMEOUT = "x", https_proxy = "socks5://x" }))
  end)
end)
