/* lua_json: JSON by lua-cjson, through an instance of our own: the host's settings are never touched. */
#include <string.h>

#include "lua_braze.h"
#include "text.h"

/* What Braze nests: an answer, its errors, their fields. */
#define DEEPEST 32

/* [-0, +0, m] Calls a setting of the instance on top of the stack, where this build of cjson has it. */
static void set(lua_State *L, const char *name, int value, bool boolean) {
  lua_getfield(L, -1, name);
  if (!lua_isfunction(L, -1)) {
    lua_pop(L, 1);
    return;
  }
  if (boolean)
    lua_pushboolean(L, value);
  else
    lua_pushinteger(L, value);
  lua_call(L, 1, 0);
}

/* [-0, +1, e] The instance, made at the first call. */
static void push_instance(lua_State *L) {
  int status;
  lua_getfield(L, LUA_REGISTRYINDEX, LBRAZE_JSON);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  lua_getglobal(L, "require");
  lua_pushliteral(L, "cjson");
  status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM) lua_error(L);
  if (status != 0) {
    struct lbraze_words words;
    size_t length = 0;
    const char *reason = lua_tolstring(L, -1, &length);
    lbraze_words_init(&words);
    braze_buffer_print(&words.message, "lua-cjson can't be loaded: ");
    braze_text_escape(&words.message, reason ? reason : "", length, 200);
    braze_buffer_print(&words.hint, "install lua-cjson for this Lua: the package has that name on Debian and on LuaRocks");
    lbraze_raise_usage(L, NULL, &words);
  }
  lua_getfield(L, -1, "new");
  lua_call(L, 0, 1);
  lua_remove(L, -2);
  set(L, "decode_invalid_numbers", 0, true);
  set(L, "decode_max_depth", DEEPEST, false);
  lua_pushvalue(L, -1);
  lua_setfield(L, LUA_REGISTRYINDEX, LBRAZE_JSON);
}

void lbraze_push_json(lua_State *L, const struct braze_endpoint *endpoint, const struct braze_value *values) {
  int pieces = 1, encode;
  size_t i;
  push_instance(L);
  lua_getfield(L, -1, "encode");
  lua_remove(L, -2);
  encode = lua_gettop(L);
  lua_pushliteral(L, "{");
  for (i = 0; i < endpoint->field_count; i++) {
    if (!values[i].text) continue;
    if (pieces > 1) {
      lua_pushliteral(L, ",");
      pieces++;
    }
    lua_pushstring(L, endpoint->fields[i].json);
    lua_pushvalue(L, encode);
    lua_pushlstring(L, values[i].text, values[i].length);
    lua_call(L, 1, 1);
    pieces += 2;
  }
  lua_pushliteral(L, "}");
  lua_concat(L, pieces + 1);
  lua_remove(L, encode);
}

/* [-0, +0] Takes the nulls out of the table on top of the stack and of those in it: a null is an absent field. */
static void drop_nulls(lua_State *L) {
  int count = (int)lbraze_raw_length(L, -1), kept = 0, i;
  if (!lua_checkstack(L, 8)) luaL_error(L, "not enough memory");
  for (i = 1; i <= count; i++) { /* a list stays one without a hole */
    lua_rawgeti(L, -1, i);
    if (lua_islightuserdata(L, -1))
      lua_pop(L, 1);
    else
      lua_rawseti(L, -2, ++kept);
  }
  while (count > kept) {
    lua_pushnil(L);
    lua_rawseti(L, -2, count--);
  }
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    if (lua_istable(L, -1)) {
      drop_nulls(L);
    } else if (lua_islightuserdata(L, -1)) {
      lua_pushvalue(L, -2);
      lua_pushnil(L);
      lua_rawset(L, -5);
    }
    lua_pop(L, 1);
  }
}

bool lbraze_decode_json(lua_State *L, struct braze_buffer *text, size_t kept) {
  int status;
  push_instance(L);
  lua_getfield(L, -1, "decode");
  lua_remove(L, -2);
  lua_pushlstring(L, text->bytes, text->length);
  braze_buffer_cut(text, kept); /* Lua has it, and decoding takes as much again */
  status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM) lua_error(L);
  if (status != 0) {
    lua_pop(L, 1);
    return false;
  }
  if (lua_istable(L, -1)) drop_nulls(L);
  return true;
}
