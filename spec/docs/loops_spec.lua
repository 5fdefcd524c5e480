-- The examples that are loops of 60 frames a second: a Lua program, and a C program that embeds Lua 5.4.

local child = require "spec.support.child"
local standin = require "spec.support.standin"

local quote = child.quote

-- Runs a command with these variables of braze's alone; returns exit status and all that it printed.
local function run(command, environment)
  local words = { "env -u MAKEFLAGS -u BRAZE_CAMPAIGN_ID -u BRAZE_API_KEY -u BRAZE_REST_ENDPOINT -u BRAZE_CA_FILE" }
  for name, value in pairs(environment) do words[#words + 1] = name .. "=" .. quote(value) end
  local pipe = assert(io.popen(table.concat(words, " ") .. " " .. command .. " 2>&1; echo \" exit $?\""))
  local output = pipe:read "*a"
  pipe:close()
  local text, status = output:match "^(.*) exit (%d+)\n$"
  return tonumber(status), text
end

describe("an example", function()
  local service = standin.start()
  local environment

  before_each(function()
    service.reset()
    environment = {
      BRAZE_API_KEY = service.key,
      BRAZE_REST_ENDPOINT = service.https,
      BRAZE_CA_FILE = service.ca_file,
      BRAZE_CAMPAIGN_ID = service.campaign_id,
    }
  end)

  describe("game_loop.lua", function()
    local function run_it(arguments)
      return run(quote(arg[-1]) .. " examples/game_loop.lua " .. (arguments or ""), environment)
    end

    it("makes its calls, one a frame, and says how long they held it up", function()
      local status, output = run_it()
      assert.equal(0, status, output)
      assert.matches("^send_id        %x+%-%x+%-%x+%-%x+%-%x+\n", output)
      assert.matches("\nmade           30\nfailed         0\nframes         %d+\n", output)
      assert.is_true(tonumber(output:match "\nframes *(%d+)") >= 30)
      local longest = tonumber(output:match "\nlongest step   ([%d.]+) ms\n$")
      assert.is_number(longest)
      if not os.getenv "BRAZE_VALGRIND" then assert.is_true(longest < 1000 / 60, output) end
      assert.equal(30, service.count(service.campaign_id))
    end)

    it("needs no luasocket", function()
      local without = "-e 'package.preload.socket = function() error \"none\" end' "
      local status, output = run(quote(arg[-1]) .. " " .. without .. "examples/game_loop.lua 5", environment)
      assert.equal(0, status, output)
      assert.matches("\nmade           5\nfailed         0\n", output)
    end)

    it("says what went wrong, and ends with 1", function()
      environment.BRAZE_CAMPAIGN_ID = "no-such-campaign"
      local status, output = run_it "2"
      assert.equal(1, status)
      assert.matches("\nmade           0\nfailed         2\n", output)
      assert.matches("examples/game_loop.lua:%d+: braze: rejected %(400%): [^\n]*no%-such%-campaign[^\n]*\n", output)
      for _, name in ipairs { "BRAZE_CAMPAIGN_ID", "BRAZE_API_KEY", "BRAZE_REST_ENDPOINT" } do
        local value = environment[name]
        environment[name] = nil
        status, output = run_it()
        environment[name] = value
        assert.equal(1, status)
        assert.matches("^[^\n]*" .. name .. " is not set[^\n]*\n$", output)
      end
      assert.equal(1, (run_it "many"))
    end)
  end)

  describe("embed.c", function()
    -- Built by "make variants" wherever Lua 5.4 is; built here where somebody runs this spec alone.
    local built, text = run("make -s --no-print-directory build/5.4/embed", {})

    local function run_it(script)
      return run("build/5.4/embed " .. (script and quote(script) or ""), environment)
    end

    it("compiles without a warning", function()
      assert.same({ 0, "" }, { built, text })
    end)

    it("runs the script that it holds", function()
      local status, output = run_it()
      assert.equal(0, status, output)
      assert.matches("^send_id        %x+%-%x+%-%x+%-%x+%-%x+\nmade           30\nfailed         0\n", output)
      assert.is_true(tonumber(output:match "\nframes *(%d+)") >= 30)
      local longest = tonumber(output:match "\nlongest frame  ([%d.]+) ms\n$")
      assert.is_number(longest)
      assert.equal(30, service.count(service.campaign_id))
    end)

    it("runs another one, and finds what is linked in", function()
      local path = os.tmpname()
      local file = assert(io.open(path, "w"))
      file:write [[
        assert(package.preload.braze and not package.loaded.braze)
        local braze = require "braze"
        assert(require "braze.safe" == braze.safe)
        local client = braze.new()
        local request = client:start("create_send_id", { campaign_id = os.getenv "BRAZE_CAMPAIGN_ID" })
        function on_frame(number)
          client:step()
          return number < 2 or not request:done()
        end
      ]]
      file:close()
      local status, output = run_it(path)
      os.remove(path)
      assert.equal(0, status, output)
      assert.matches("^frames *%d+\nlongest frame *[%d.]+ ms\n$", output)
      assert.equal(1, service.count(service.campaign_id))
    end)

    it("says what went wrong, and ends with 1", function()
      local status, output = run_it "/no/such/script.lua"
      assert.equal(1, status)
      assert.matches("^embed: .*script.lua", output)
      environment.BRAZE_API_KEY = nil
      status, output = run_it()
      assert.equal(1, status)
      assert.matches("^embed: .*BRAZE_API_KEY is not set", output)
    end)
  end)
end)
