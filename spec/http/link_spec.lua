-- link: what stands at the edges of the header Link: it ends in the middle of something, or has more than it needs.

local link = require("spec.support.test_build").core.link

local function next_of(header, authority) return link.next(header, authority or "host.test") end

describe("the next page of a Link", function()
  local found = {
    { "spaces and tabs", ' \t</p?page=2> \t; \t rel \t= \t"next"', "page=2" },
    { "a value without quotes", "</p?page=2>;rel=next", "page=2" },
    { "several relations", '</p?page=2>; rel="prev \t next"', "page=2" },
    { "an escape in quotes", [[</p?page=2>; title="a\"b"; rel="next"]], "page=2" },
    { "a parameter without a value", '</p?page=2>; flag; rel="next"', "page=2" },
    { "a space at its end", '</p?page=2>; rel=next \t', "page=2" },
    { "another link before", '</p?page=1>; rel="prev", </p?page=3>; rel="next"', "page=3" },
    { "something odd between two links", '</p?page=1>; rel="prev" odd, </p?page=3>; rel="next"', "page=3" },
    { "nothing but a query", '<?page=2>; rel="next"', "page=2" },
    { "the host's own port", '<http://host.test:80/p?page=2>; rel="next"', "page=2" },
    { "the host and no path", '<https://host.test?page=2>; rel="next"', "page=2" },
    { "an address of version 6 and its port", '<https://[::1]:443/p?page=2>; rel="next"', "page=2", "[::1]" },
    { "a port of the host's own", '<//host.test:8443/p?page=2>; rel="next"', "page=2", "host.test:8443" },
  }
  for _, row in ipairs(found) do
    it("is found with " .. row[1], function() assert.equal(row[3], next_of(row[2], row[4])) end)
  end

  local missing = {
    { "is another host's", '<//other.test/p?page=2>; rel="next"' },
    { "is a host's that begins as ours does", '<https://host.test.evil/p?page=2>; rel="next"' },
    { "ends with the host", '<https://host.test#?>; rel="next"' },
    { "has another scheme", '<ftp:host.test/p?page=2>; rel="next"' },
    { "has a host that is too short", '<https://h?page=2>; rel="next"' },
    { "has another port", '<https://[::1]:444/p?page=2>; rel="next"', "[::1]" },
    { "has an empty query", '</p?>; rel="next"' },
    { "has no end", "</p?page=2" },
    { "has no relation", "</p?page=2>; rel=" },
    { "has quotes without an end", [[</p?page=2>; rel="nex\]] },
    { "has a relation in a second place alone", '</p?page=2>; rel="prev"; rel="next"' },
    { "has something else before it", 'x </p?page=2>; rel="next"' },
    { "has a relation that goes on", '</p?page=2>; rel="nextish"' },
    { "is empty", "" },
    { "is of spaces", " \t" },
  }
  for _, row in ipairs(missing) do
    it("is none where it " .. row[1], function() assert.is_nil(next_of(row[2], row[3])) end)
  end
end)
