/* json: JSON by lua-cjson, through an instance of our own: the host's settings are never touched. */
#define _GNU_SOURCE /* nl_langinfo under -std=c11 */
#include <langinfo.h>
#include <stdatomic.h>
#include <string.h>

#include "lua/binding.h"
#include "base/text.h"

/* More tables than an answer of Braze nests: the answer, its errors, their fields. */
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

/* [-0, +0, m] Removes the mark that Lua 5.1's require leaves in package.loaded while a module loads. Where loading fails the mark stays,
   and no later require loads the module. One failed allocation, or a call in a finalizer meanwhile, must not cause that. */
static void forget_mark(lua_State *L) {
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  lua_getfield(L, -1, "cjson");
  if (lua_islightuserdata(L, -1) || lua_type(L, -1) == LUA_TNUMBER) { /* the mark; LuaJIT's is a number */
    lua_pushnil(L);
    lua_setfield(L, -3, "cjson");
  }
  lua_pop(L, 2);
}

/* [-0, +0, e] Raises a usage error that says why there is no JSON. */
LBRAZE_RAISES static void refuse(lua_State *L, const char *what, const char *reason, size_t length, const char *hint) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "%s", what);
  braze_text_escape(&words.message, reason, length, 200);
  braze_buffer_print(&words.hint, "%s", hint);
  lbraze_raise_usage(L, NULL, &words);
}

void lbraze_refuse_cjson(lua_State *L, const char *why) {
  refuse(L, "what require \"cjson\" gives is not lua-cjson: ", why, strlen(why),
         "leave package.loaded.cjson and package.preload.cjson to lua-cjson");
}

#define HALF_SIZE 24

/* Writes one half with the decimal point of the current locale: 0.5. Not by localeconv, which is not thread-safe. */
static void write_half(char half[HALF_SIZE]) {
  braze_text_print(half, HALF_SIZE, "%.1f", 0.5);
}

/* lua-cjson ends the process where it finds a decimal point of several bytes, as in Persian and Pashto locales. */
static bool is_readable_locale(void) {
  char half[HALF_SIZE];
  write_half(half);
  return strlen(half) == 3;
}

/* [-0, +1, e] lua-cjson's module, by the host's require. */
static void push_cjson(lua_State *L) {
  int status;
  forget_mark(L);
  lbraze_push_require(L);
  lua_pushliteral(L, "cjson");
  status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM) lua_error(L);
  if (status != 0) {
    size_t length = 0;
    const char *reason = lua_tolstring(L, -1, &length);
    refuse(L, "lua-cjson can't be loaded: ", reason ? reason : "", length,
           "install lua-cjson for this Lua: the package has that name on Debian and on LuaRocks");
  }
}

/* [-0, +1, e] lua-cjson's function that makes an instance, kept from the first call on: a host may replace the module. */
static void push_new(lua_State *L) {
  lbraze_get_registered(L, LBRAZE_NEW_INSTANCE);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  push_cjson(L);
  if (lua_istable(L, -1)) {
    lua_pushliteral(L, "new");
    lua_rawget(L, -2);
    lua_remove(L, -2);
  }
  if (!lua_isfunction(L, -1)) lbraze_refuse_cjson(L, "it has no function \"new\"");
  lua_pushvalue(L, -1);
  lbraze_register(L, LBRAZE_NEW_INSTANCE);
}

/* [-0, +0, e] Makes the instance. It writes and reads fractions with the decimal point of the current locale. */
static void make_instance(lua_State *L) {
  if (!is_readable_locale()) {
    char half[HALF_SIZE];
    write_half(half);
    refuse(L, "lua-cjson can't be used in a locale whose decimal point has several bytes: this one writes one half as ", half, strlen(half),
           "set LC_NUMERIC to one with \".\" or \",\", such as \"C\"; nothing was sent");
  }
  push_new(L);
  lua_call(L, 0, 1);
  if (!lua_istable(L, -1)) lbraze_refuse_cjson(L, "its new did not return a table");
  set(L, "decode_invalid_numbers", 0, true);
  set(L, "decode_max_depth", DEEPEST, false);
  set(L, "encode_max_depth", DEEPEST, false);
  set(L, "encode_number_precision", LBRAZE_JSON_DIGITS, false);
  lua_getfield(L, -1, "encode");
  lbraze_register(L, LBRAZE_ENCODE);
  lua_getfield(L, -1, "decode");
  lbraze_register(L, LBRAZE_DECODE);
  lua_pop(L, 1);
}

/* [-0, +0, m] Whether the instance reads a fraction. lua-cjson asks for the decimal point when an instance is made, and keeps it
   for all instances of the process: whoever calls setlocale, or makes an instance in another locale, makes fractions unreadable. */
static bool reads_fractions(lua_State *L) {
  bool right;
  int status;
  lbraze_get_registered(L, LBRAZE_DECODE);
  lua_pushliteral(L, "0.5");
  status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM) lua_error(L);
  right = status == 0 && lua_type(L, -1) == LUA_TNUMBER && lua_tonumber(L, -1) == 0.5;
  lua_pop(L, 1);
  return right;
}

/* The decimal point with which an instance of ours was last seen to read a fraction, in whichever state; 0: none was. */
static _Atomic char seen_point;

/* The current decimal point; 0: it has several bytes. */
static char decimal_point(void) {
  const char *point = nl_langinfo(RADIXCHAR);
  return point[0] && !point[1] ? point[0] : '\0';
}

void lbraze_check_json(lua_State *L, bool fractions) {
  const char point = decimal_point();
  bool made;
  lbraze_get_registered(L, LBRAZE_DECODE);
  made = !lua_isnil(L, -1);
  lua_pop(L, 1);
  /* In the same locale an answer can be read, whatever others have made of lua-cjson meanwhile: see lbraze_decode_json. */
  if (made && !fractions && point && point == atomic_load(&seen_point)) return;
  if (!made || !reads_fractions(L)) {
    make_instance(L);
    if (!reads_fractions(L)) lbraze_refuse_cjson(L, "its decode does not read 0.5");
  }
  atomic_store(&seen_point, point);
}

void lbraze_take_require(lua_State *L) {
  lbraze_get_registered(L, LBRAZE_REQUIRE);
  if (lua_isnil(L, -1)) {
    lua_getglobal(L, "require");
    lbraze_register(L, LBRAZE_REQUIRE);
  }
  lua_pop(L, 1);
}

void lbraze_push_require(lua_State *L) {
  lbraze_get_registered(L, LBRAZE_REQUIRE);
}

void lbraze_push_encode(lua_State *L) {
  lbraze_get_registered(L, LBRAZE_ENCODE);
}

/* [-0, +0] Removes the nulls from the table on top of the stack and from those in it: a null is an absent field. */
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

/* [-0, +1 if true, m] Decodes the string on top of the stack. */
static bool decode(lua_State *L) {
  int status;
  lbraze_get_registered(L, LBRAZE_DECODE);
  lua_pushvalue(L, -2);
  status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM) lua_error(L);
  if (status == 0 && !lua_isnil(L, -1)) return true; /* nil: by an instance of cjson.safe's */
  lua_pop(L, 1);
  return false;
}

bool lbraze_decode_json(lua_State *L) {
  const char *text = lua_tostring(L, -1); /* a NUL ends it here, and lua-cjson decodes nothing behind one either */
  if (strchr(text, '.') && !reads_fractions(L) && is_readable_locale()) make_instance(L);
  /* Once more, since a debug hook may have raised what looks like a fault of the text: a time limit, say. */
  if (!decode(L) && !decode(L)) {
    lua_pop(L, 1);
    return false;
  }
  /* Most answers have none, and the walk through a long one takes time. */
  if (lua_istable(L, -1) && strstr(text, "null")) drop_nulls(L);
  lua_remove(L, -2);
  return true;
}
