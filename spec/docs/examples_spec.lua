-- The programs in examples/ do what they say, run by the interpreter that runs this spec.

local child = require "spec.support.child"
local standin = require "spec.support.standin"

local quote = child.quote

-- The interpreter's own name: busted's wrapper moves the script to index 0 and it to the smallest one.
local function find_interpreter()
  local least = 0
  while arg[least - 1] do least = least - 1 end
  return arg[least]
end

-- Runs an example with these variables and arguments alone; returns exit status, standard output and standard error.
local function run(example, environment, ...)
  local words = { "env -u BRAZE_CAMPAIGN_ID -u BRAZE_API_KEY -u BRAZE_REST_ENDPOINT" }
  for name, value in pairs(environment) do words[#words + 1] = name .. "=" .. quote(value) end
  words[#words + 1] = quote(find_interpreter())
  words[#words + 1] = "examples/" .. example
  for _, argument in ipairs { ... } do words[#words + 1] = quote(argument) end
  local path = os.tmpname()
  words[#words + 1] = "2>" .. quote(path)
  local pipe = assert(io.popen(table.concat(words, " ") .. "; echo $?"))
  local output = pipe:read "*a"
  pipe:close()
  local file = assert(io.open(path))
  local complaint = file:read "*a"
  file:close()
  os.remove(path)
  local text, status = output:match "^(.-)(%d+)\n$"
  return tonumber(status), text, complaint
end

describe("examples/create_send_id.lua", function()
  local service = standin.start()
  local environment

  before_each(function()
    service.reset()
    environment = {
      BRAZE_API_KEY = service.key,
      BRAZE_REST_ENDPOINT = service.http,
      BRAZE_CAMPAIGN_ID = service.campaign_id,
    }
  end)

  local function run_it(...)
    return run("create_send_id.lua", environment, ...)
  end

  it("prints the ID, the limits and the attempts, and then a mistake", function()
    local status, output, complaint = run_it()
    assert.equal("", complaint)
    assert.equal(0, status)
    assert.matches("^send_id    %x+%-%x+%-%x+%-%x+%-%x+\n", output)
    assert.matches("\nstatus     201\n", output)
    assert.matches("\nlimit      100\nremaining  99\n", output)
    assert.matches("\nresets at  %d%d%d%d%-%d%d%-%d%d 00:00:00 UTC\n", output)
    assert.matches("\nattempts   1\n", output)
    local mistake = output:match "\n  ([^\n]+)\n$"
    assert.matches("^examples/create_send_id%.lua:%d+: braze: usage: .*campain_id.*campaign_id", mistake)
  end)

  it("makes one request, for its argument where there is one", function()
    local status, output = run_it "my own"
    assert.equal(0, status)
    assert.matches("^send_id    my own\n", output)
    local requests = service.log().requests
    assert.equal(1, #requests)
    assert.matches('"send_id":"my own"', requests[1].body, 1, true)
  end)

  it("ends with 1 and the service's words for a campaign that does not exist", function()
    environment.BRAZE_CAMPAIGN_ID = "no-such-campaign"
    local status, output, complaint = run_it()
    assert.equal(1, status)
    assert.equal("", output)
    assert.matches("^examples/create_send_id%.lua:%d+: braze: rejected %(400%): "
      .. "[^\n]*\"Invalid Campaign ID\"[^\n]*\n$", complaint)
    assert.matches("no-such-campaign", complaint, 1, true)
  end)

  for _, name in ipairs { "BRAZE_CAMPAIGN_ID", "BRAZE_API_KEY", "BRAZE_REST_ENDPOINT" } do
    it("ends with 1 and sends nothing without " .. name, function()
      for _, value in ipairs { "unset", "empty" } do
        environment[name] = value == "empty" and "" or nil
        local status, output, complaint = run_it()
        assert.equal(1, status)
        assert.equal("", output)
        assert.matches(name .. " is not set", complaint, 1, true)
        assert.matches("^[^\n]+\n$", complaint)
      end
      assert.equal(0, #service.log().requests)
    end)
  end

  it("refuses an empty send_id before anything is sent", function()
    local status, _, complaint = run_it ""
    assert.equal(1, status)
    assert.matches("braze: usage: send_id is empty", complaint, 1, true)
    assert.equal(0, #service.log().requests)
  end)
end)

describe("the examples of a send ID's life", function()
  local service = standin.start()
  local environment

  before_each(function()
    service.reset()
    environment = {
      BRAZE_API_KEY = service.key, BRAZE_REST_ENDPOINT = service.http, BRAZE_CAMPAIGN_ID = service.campaign_id,
    }
  end)

  local numbers = "\n\nsent  delivered  opened  clicked\n   2          2       %d        0\n$"

  it("create, send, wait and print the numbers", function()
    local status, output, complaint = run("send_life.lua", environment, "spring", "user-1", "unknown-2")
    assert.equal("", complaint)
    assert.equal(0, status)
    assert.matches("^created   spring\nsent      %x+\n          external_user_id unknown%-2 does not exist" .. numbers,
      output)
    local sends = service.sends()
    assert.same({ 1, "spring", 2 }, { #sends, sends[1].send_id, sends[1].recipients })
  end)

  it("send once where the answer of the send is lost, and learn from the numbers", function()
    service.steer "next?after=1&lose=1"
    local status, output, complaint = run("send_life.lua", environment, "spring", "user-1", "user-2")
    assert.equal("", complaint)
    assert.equal(0, status)
    assert.matches("^created   spring\nunknown   [^\n]*braze: network: [^\n]*" .. numbers, output)
    assert.equal(1, #service.sends())
  end)

  it("send nothing where the ID or the send is refused", function()
    environment.BRAZE_CAMPAIGN_ID = "no-such-campaign"
    local status, output, complaint = run("send_life.lua", environment, "spring", "user-1")
    assert.same({ 1, "" }, { status, output })
    assert.matches("Invalid Campaign ID", complaint, 1, true)
    environment.BRAZE_CAMPAIGN_ID = service.campaign_id
    service.steer "next?after=1&fail=400"
    status, output = run("send_life.lua", environment, "spring", "user-1")
    assert.same({ 1, "created   spring\n" }, { status, output })
    assert.same({}, service.sends())
  end)

  it("schedule a campaign, move it by an hour and delete it", function()
    local status, output, complaint = run("nightly_schedule.lua", environment, "user-1", "user-2")
    assert.equal("", complaint)
    assert.equal(0, status)
    local id, again = output:match("^scheduled  (%S+)  %d+%-%d+%-%d+T02:00:00Z\n"
      .. "moved      (%S+)  %d+%-%d+%-%d+T03:00:00Z\n")
    assert.is_string(id)
    assert.equal(id, again)
    assert.equal("deleted    " .. id .. "\n", output:match "[^\n]*\n$")
    assert.equal(3, #service.log().requests)
    assert.same({}, service.schedules())
  end)

  it("leave the schedule to be looked into where the answer of its making is lost", function()
    service.steer "next?lose=1"
    local status, output, complaint = run("nightly_schedule.lua", environment, "user-1")
    assert.same({ 1, "" }, { status, output })
    assert.matches("schedule", complaint, 1, true)
    assert.equal(1, #service.schedules())
    assert.equal(1, #service.log().requests)
  end)

  it("list every campaign once, page by page", function()
    local status, output, complaint = run("campaigns.lua", environment)
    assert.equal("", complaint)
    assert.equal(0, status)
    local seen, count = {}, 0
    for id in output:gmatch "(%S+)  [^\n]*  Campaign %d+\n" do
      assert.is_nil(seen[id])
      seen[id], count = true, count + 1
    end
    assert.equal(250, count)
    assert.matches("\n250 campaigns\n$", output)
    assert.equal(3, #service.log().requests)
  end)

  it("end with 1 where a page fails, after what came before it", function()
    service.steer "next?after=1&fail=400"
    local status, output, complaint = run("campaigns.lua", environment)
    assert.equal(1, status)
    assert.equal(100, select(2, output:gsub("\n", "")))
    assert.matches("told to answer 400", complaint, 1, true)
  end)

  it("track an event by method and path", function()
    local status, output, complaint = run("track_event.lua", environment, "user-1", "signed up")
    assert.equal("", complaint)
    assert.same({ 0, "status     201\nprocessed  1\nremaining  249999\n" }, { status, output })
    local request = service.log().requests[1]
    assert.equal("/users/track", request.path)
    assert.matches('"name":"signed up"', request.body, 1, true)
  end)

  it("say how they are used", function()
    for _, name in ipairs { "send_life.lua", "nightly_schedule.lua", "track_event.lua" } do
      local status, output, complaint = run(name, environment)
      assert.same({ 1, "" }, { status, output })
      assert.matches("^usage: [^\n]*examples/" .. name .. " [^\n]+\n$", complaint)
    end
    assert.same({}, service.log().requests)
  end)
end)
