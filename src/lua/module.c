/* module: the module table, and nothing else. */
#include "braze.h"
#include "base/version.h"
#include "service/instance.h"
#include "lua/userdata.h"

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

static const luaL_Reg functions[] = {
    {"call", lbraze_default_call},
    {"new", lbraze_client_new},
    {"is_error", lbraze_error_is_error},
    {"error", lbraze_error_error},
    {"ledger", lbraze_ledger_new},
    {NULL, NULL},
};

/* [-0, +1, m] */
static void push_instances(lua_State *L) {
  const struct braze_instance *instance;
  size_t i;
  lua_newtable(L);
  for (i = 0; (instance = braze_instance_at(i)) != NULL; i++) {
    lua_pushstring(L, instance->url);
    lua_setfield(L, -2, instance->name);
  }
}

/* [-0, +0, m] Adds what is the same in both styles to the table on top of the stack. */
static void set_constants(lua_State *L, bool safe) {
  lbraze_open_operations(L, safe);
  push_instances(L);
  lua_setfield(L, -2, "instances");
  lua_pushliteral(L, "braze " BRAZE_VERSION);
  lua_setfield(L, -2, "_VERSION");
}

/* [-0, +1, m] The module in the style of cjson.safe. */
static void push_safe(lua_State *L) {
  const luaL_Reg *function;
  lua_newtable(L);
  for (function = functions; function->name; function++) {
    lua_pushcfunction(L, function->func == lbraze_client_new   ? lbraze_client_new_safe
                         : function->func == lbraze_ledger_new ? lbraze_ledger_new_safe
                                                               : function->func);
    lua_pushcclosure(L, lbraze_safe_call, 1);
    lua_setfield(L, -2, function->name);
  }
  lbraze_set_operations(L, lbraze_default_operation, true);
  set_constants(L, true);
}

/* Returns whether the globals say that this is nginx with ngx_lua. */
static int look_for_nginx(lua_State *L) {
  bool found = false;
  lua_getglobal(L, "ngx");
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "config");
    found = lua_istable(L, -1);
  }
  lua_pushboolean(L, found);
  return 1;
}

/* [-0, +0, m] The same, false where a metatable of the globals forbids names that are not declared. */
static bool is_nginx(lua_State *L) {
  int status;
  bool found;
  lua_pushcfunction(L, look_for_nginx);
  status = lua_pcall(L, 0, 1, 0);
  if (status == LUA_ERRMEM) lua_error(L);
  found = status == 0 && lua_toboolean(L, -1);
  lua_pop(L, 1);
  return found;
}

/* [-0, +1, m] The module that blocks. */
static void push_module(lua_State *L) {
  lbraze_take_require(L);
  lbraze_open_error(L);
  lbraze_open_client(L);
  lua_newtable(L);
  lbraze_set_functions(L, functions);
  lbraze_set_operations(L, lbraze_default_operation, false);
  set_constants(L, false);
  push_safe(L);
  lua_setfield(L, -2, "safe");
}

/* [-1, +1, e] require of the name on top of the stack. */
static void require(lua_State *L) {
  lbraze_take_require(L);
  lbraze_push_require(L);
  lua_insert(L, -2);
  lua_call(L, 1, 1);
}

/* [-0, +0, m] Names the object's other openers to require, for a static host where there is no file to find them in. */
static void set_preload(lua_State *L) {
  static const luaL_Reg openers[] = {{"braze.core", luaopen_braze_core}, {"braze.safe", luaopen_braze_safe}, {NULL, NULL}};
  int top = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED"); /* a sandbox may have no global "package" */
  if (lua_istable(L, -1)) lua_getfield(L, -1, "package");
  if (lua_istable(L, -1)) lua_getfield(L, -1, "preload");
  if (lua_istable(L, -1)) lbraze_set_functions(L, openers);
  lua_settop(L, top);
}

/* In nginx a call that blocks would stop the worker: there the same name gives the module that yields. */
EXPORT int luaopen_braze(lua_State *L) {
  set_preload(L);
  if (is_nginx(L)) {
    lua_pushliteral(L, "braze.openresty");
    require(L);
  } else {
    push_module(L);
  }
  return 1;
}

/* require "braze.safe", before or after require "braze" */
EXPORT int luaopen_braze_safe(lua_State *L) {
  lua_pushliteral(L, "braze");
  require(L);
  lua_getfield(L, -1, "safe");
  return 1;
}

/* require "braze.core": the module that blocks, whatever the host, and what the modules for hosts need beside it */
EXPORT int luaopen_braze_core(lua_State *L) {
  lbraze_push_core(L);
  push_module(L);
  lua_setfield(L, -2, "braze");
  return 1;
}
