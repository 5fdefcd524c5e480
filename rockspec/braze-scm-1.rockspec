-- For luarocks: the same sources as the Makefile builds ("make lint" compares the lists).
-- From a clone: luarocks make rockspec/braze-scm-1.rockspec
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
dependencies = { "lua >= 5.1, < 5.6", "lua-cjson >= 2.1" }

-- Without a header: luarocks looks for one in one directory only, and on Debian libcurl's is in another. The compiler
-- finds it by itself; elsewhere give CURL_DIR or CURL_INCDIR.
external_dependencies = { CURL = { library = "curl" } }

build = {
  type = "builtin",
  modules = {
    braze = {
      sources = {
        "src/advice.c",
        "src/buffer.c",
        "src/call.c",
        "src/channel.c",
        "src/clock.c",
        "src/endpoint.c",
        "src/engine.c",
        "src/explain.c",
        "src/global.c",
        "src/headers.c",
        "src/instance.c",
        "src/lua_answer.c",
        "src/lua_client.c",
        "src/lua_delivery.c",
        "src/lua_error.c",
        "src/lua_host.c",
        "src/lua_json.c",
        "src/lua_made_error.c",
        "src/lua_module.c",
        "src/lua_names.c",
        "src/lua_options.c",
        "src/lua_params.c",
        "src/lua_registry.c",
        "src/lua_request.c",
        "src/lua_yieldable.c",
        "src/outcome.c",
        "src/parking.c",
        "src/retry.c",
        "src/secret.c",
        "src/sending.c",
        "src/settings.c",
        "src/sigpipe.c",
        "src/sockets.c",
        "src/text.c",
        "src/timetable.c",
        "src/transfer.c",
        "src/trust.c",
        "src/wake.c",
        "src/worker.c",
      },
      incdirs = { "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
      libraries = { "curl", "pthread" },
    },
    ["braze.copas"] = "src/braze/copas.lua",
    ["braze.cqueues"] = "src/braze/cqueues.lua",
    ["braze.host"] = "src/braze/host.lua",
    ["braze.luv"] = "src/braze/luv.lua",
    ["braze.meta"] = "src/braze/meta.lua",
    ["braze.openresty"] = "src/braze/openresty.lua",
  },
  platforms = {
    -- dladdr and dlopen are in a library of their own before glibc 2.34.
    linux = { modules = { braze = { libraries = { "curl", "pthread", "dl" } } } },
  },
}
