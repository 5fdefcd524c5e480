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

/* [-0, +0, m] Lua 5.1's require marks a module while it loads, and when that fails the mark stays: no require gives the module
   any more. An allocation that failed once, or a call in a finalizer that runs meanwhile, must not mean that. */
static void forget_mark(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_getfield(L, -1, "cjson");
  if (lua_islightuserdata(L, -1) || lua_type(L, -1) == LUA_TNUMBER) { /* the mark; LuaJIT's is a number */
    lua_pushnil(L);
    lua_setfield(L, -3, "cjson");
  }
  lua_pop(L, 2);
}

/* [-0, +1, e] A function of the instance, which is made at the first call. */
static void push_function(lua_State *L, enum lbraze_registered which) {
  int status;
  lbraze_get_registered(L, which);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  forget_mark(L);
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
  lua_getfield(L, -1, "encode");
  lbraze_register(L, LBRAZE_ENCODE);
  lua_getfield(L, -1, "decode");
  lbraze_register(L, LBRAZE_DECODE);
  lua_pop(L, 1);
  lbraze_get_registered(L, which);
}

void lbraze_encode_values(lua_State *L, const struct braze_endpoint *endpoint, struct braze_value *values) {
  size_t i;
  for (i = 0; i < endpoint->field_count; i++) {
    if (!values[i].text) continue;
    push_function(L, LBRAZE_ENCODE);
    lua_pushlstring(L, values[i].text, values[i].length);
    lua_call(L, 1, 1);
    values[i].json = lua_tolstring(L, -1, &values[i].json_length);
  }
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
  push_function(L, LBRAZE_DECODE);
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
