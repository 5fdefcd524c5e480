-- trust: a directory of certificates counts as hashed if `openssl rehash` has been over it.

local is_hashed = require("spec.support.test_build").core.trust.is_hashed

describe("trust.is_hashed", function()
  -- Runs a check on a directory that holds files of these names, and nothing else.
  local function in_directory(names, check)
    local directory = os.tmpname()
    os.remove(directory)
    assert(os.execute("mkdir '" .. directory .. "'"))
    for _, name in ipairs(names) do assert(io.open(directory .. "/" .. name, "w")):close() end
    local fine, fault = pcall(check, directory)
    for _, name in ipairs(names) do os.remove(directory .. "/" .. name) end
    os.remove(directory)
    assert(fine, fault)
  end

  local rows = {
    { {}, false },
    { { "0123abcd.0" }, true },
    { { "ca.pem", "README", "89abcdef.0", "zzz" }, true },
    { { "ca.pem", "ca-certificates.crt" }, false },
    { { "0123abcd.r0" }, false },
    { { "0123abcd" }, false },
    { { "0123abcd." }, false },
    { { "0123abc.0" }, false },
    { { "0123abcde.0" }, false },
    { { "0123abcg.0" }, false },
    { { "0123abcd.pem" }, false },
    { { "0123abcd.0.bak" }, false },
    { { "x0123abcd.0" }, false },
    { { "0123abcd_0" }, false },
  }
  for _, row in ipairs(rows) do
    it(("is %s for %s"):format(tostring(row[2]), table.concat(row[1], " ")), function()
      in_directory(row[1], function(directory) assert.equal(row[2], is_hashed(directory)) end)
    end)
  end

  it("is false where nothing but what can't be read has such a name", function()
    in_directory({}, function(directory)
      local entry = directory .. "/0123abcd.0"
      assert(os.execute(("ln -s nowhere '%s'"):format(entry)))
      local found = is_hashed(directory)
      os.remove(entry)
      assert.is_false(found)
    end)
  end)

  it("is false for a path that is too long", function()
    in_directory({ "0123abcd.0" }, function(directory)
      assert.is_true(is_hashed(("/."):rep(200) .. directory))
      assert.is_false(is_hashed(("/."):rep(300) .. directory))
    end)
  end)

  it("is false for what is no directory", function()
    assert.is_false(is_hashed "")
    assert.is_false(is_hashed "spec/http/trust_spec.lua")
    assert.is_false(is_hashed "spec/no/such/directory")
  end)
end)
