-- advice: texts that are hardly anything, and hosts at the edge of being Braze's.

local instance = require("spec.support.test_build").core.instance

local function refused(text)
  local origin, message, hint = instance.resolve(text)
  assert.is_nil(origin, text)
  return message, hint
end

describe("what is said of an endpoint that is none", function()
  -- Each row: the text, a piece of the message.
  local rows = {
    { "", "endpoint is empty" },
    { "/", "endpoint" }, { "//", "endpoint begins with" }, { ":", "endpoint" }, { "http", "endpoint" },
    { "http:", "endpoint" }, { "https//", "endpoint" }, { ":/x", "endpoint" }, { "https:", "endpoint" },
    { "/path", "endpoint" }, { "?", "endpoint" }, { "@", "endpoint" },
    { '"', "endpoint holds a double quote" }, { "'", "no instance" }, { '"US-01', "endpoint holds a double quote" },
    { "'US-01'", "stands in quotes" },
    { "braze.eu", "is no REST endpoint of Braze" }, { "BRAZE.COM", "is no REST endpoint of Braze" },
    { "https://braze.eu", "is no REST endpoint of Braze" }, { "https://braze.eu.", "is no REST endpoint of Braze" },
    { "rest.iad-01.braze.com/path", "does not begin with https://" },
    { "127.0.0.1:80/path", "does not begin with http://" },
    { "192.168.0.1/path", "does not begin with https://" },
    { "192.168.0.1@x", "endpoint" }, { "192.168.0.1?x", "endpoint" }, { "192.168.0.1#x", "endpoint" },
    { "1.2.3", "endpoint" }, { "1.2.3.x", "endpoint" }, { "[::1]:80", "does not begin with http://" },
  }
  for _, row in ipairs(rows) do
    it(("names what is wrong with %q"):format(row[1]), function()
      assert.matches(row[2], (refused(row[1])), 1, true)
    end)
  end

  it("does not name a host that only looks like one of Braze's", function()
    for _, host in ipairs { "notbraze.com", "braze.com.evil.test", "xbraze.eu" } do
      assert.equal("https://" .. host, instance.resolve("https://" .. host).url)
    end
  end)
end)
