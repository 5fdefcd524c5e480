/* lua_module: the module table, and nothing else. */
#include "global.h"
#include "instance.h"
#include "lua_braze.h"

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

EXPORT int luaopen_braze(lua_State *L);
EXPORT int luaopen_braze_safe(lua_State *L);

static const luaL_Reg functions[] = {
    {"create_send_id", lbraze_client_create_send_id_by_default},
    {"new", lbraze_client_new},
    {"is_error", lbraze_error_is_error},
    {"error", lbraze_error_error},
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
static void set_constants(lua_State *L) {
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
    lua_pushcfunction(L, function->func == lbraze_client_new ? lbraze_client_new_safe : function->func);
    lua_pushcclosure(L, lbraze_safe_call, 1);
    lua_setfield(L, -2, function->name);
  }
  set_constants(L);
}

/* Whether this is nginx with ngx_lua. */
static bool is_nginx(lua_State *L) {
  bool found = false;
  lua_getglobal(L, "ngx");
  if (lua_istable(L, -1)) {
    lua_getfield(L, -1, "config");
    found = lua_istable(L, -1);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  return found;
}

int luaopen_braze(lua_State *L) {
  lbraze_open_error(L);
  if (is_nginx(L))
    return lbraze_usage(L, "run the call outside nginx for now, in a job of its own", "this version of braze has no module for nginx yet, and a blocking call would stop the worker");
  lbraze_open_client(L);
  lua_newtable(L);
  lbraze_set_functions(L, functions);
  set_constants(L);
  push_safe(L);
  lua_setfield(L, -2, "safe");
  /* So that require "braze.safe" gives the same table, also in a static host where there is no file to find. */
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "loaded");
  lua_getfield(L, -3, "safe");
  lua_setfield(L, -2, "braze.safe");
  lua_pop(L, 2);
  return 1;
}

/* require "braze.safe", before or after require "braze". */
int luaopen_braze_safe(lua_State *L) {
  lua_getglobal(L, "require");
  lua_pushliteral(L, "braze");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "safe");
  return 1;
}
