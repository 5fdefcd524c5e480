-- For luarocks, from a clone: luarocks --lua-version 5.4 make --local rockspec/braze-scm-1.rockspec
-- With a lua-cjson that is not luarocks' own, as Debian's: the same with --deps-mode none.
rockspec_format = "3.0"
package = "braze"
version = "scm-1"

-- Only "luarocks make" from a clone is supported: it uses the files that are there and never looks at the address.
source = { url = "git+file://." }

description = {
  summary = "Makes Braze send IDs: a client for POST /sends/id/create",
  license = "MIT",
}

supported_platforms = { "unix" }
dependencies = { "lua >= 5.1, < 5.6", "lua-cjson >= 2.1", "argparse >= 0.7.1", "dkjson >= 2.6" }

-- Without a header: luarocks looks for one in one directory only, and on Debian libcurl's is in another. The compiler
-- finds it by itself; elsewhere give CURL_DIR or CURL_INCDIR.
external_dependencies = { CURL = { library = "curl" } }

-- What "make install" installs, built by it in a folder of its own: there is one list of sources, and nothing is left in the clone.
build = {
  type = "command",
  build_command = "CC='$(CC)' CFLAGS='$(CFLAGS)' sh tools/rock '$(LUA_INCDIR)' '$(CURL_INCDIR)' '$(CURL_LIBDIR)' '$(LIBDIR)' '$(LUADIR)'",
  install = { bin = { braze = "bin/braze" } },
}
