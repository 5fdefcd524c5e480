/* registry: what the module keeps in Lua's registry, each under an address of its own, so that no name is hashed to find it. */
#include "lua/binding.h"

static char addresses[LBRAZE_REGISTERED_COUNT];

void lbraze_get_registered(lua_State *L, enum lbraze_registered what) {
  lua_pushlightuserdata(L, &addresses[what]);
  lua_rawget(L, LUA_REGISTRYINDEX);
}

void lbraze_register(lua_State *L, enum lbraze_registered what) {
  lua_pushlightuserdata(L, &addresses[what]);
  lua_insert(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
}

void lbraze_new_metatable(lua_State *L, enum lbraze_registered what, const char *name) {
  lbraze_get_registered(L, what);
  if (lua_istable(L, -1)) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_pushvalue(L, -1);
  lbraze_register(L, what);
}

bool lbraze_has_metatable(lua_State *L, int index, enum lbraze_registered what) {
  bool same;
  if (!lua_getmetatable(L, index)) return false;
  lbraze_get_registered(L, what);
  same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

void *lbraze_test_userdata(lua_State *L, int index, enum lbraze_registered what, size_t size) {
  if (lua_type(L, index) != LUA_TUSERDATA || lbraze_raw_length(L, index) != size) return NULL;
  return lbraze_has_metatable(L, index, what) ? lua_touserdata(L, index) : NULL;
}
