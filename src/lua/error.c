/* error: error objects: tables with a metatable, raised whole, one line as text. */
#include <stdarg.h>
#include <string.h>

#include "lua/binding.h"
#include "base/redact.h"
#include "base/text.h"

#define HIGHEST_LEVEL 50
#define SHORTEST_KEY 8

void lbraze_words_init(struct lbraze_words *words) {
  braze_buffer_borrow(&words->message, words->message_text, sizeof words->message_text);
  braze_buffer_borrow(&words->hint, words->hint_text, sizeof words->hint_text);
  words->operation = NULL;
}

/* Whether something secret is in a text. A key too short to be one would only spoil our own words. */
static bool has_secret(const struct braze_settings *settings, const char *text, size_t length) {
  return settings && settings->secrets && settings->secrets->lengths[BRAZE_SECRET_API_KEY] >= SHORTEST_KEY &&
         braze_redact_finds(settings->secrets, NULL, text, length);
}

/* Appends a text with what is secret taken out. */
static void append_redacted(const struct braze_settings *settings, const char *text, size_t length, struct braze_buffer *out) {
  if (has_secret(settings, text, length))
    braze_redact(settings->secrets, NULL, text, length, out);
  else
    braze_buffer_append(out, text, length);
}

/* Whether a chunk is one of ours, which stand between a user's code and this file's. */
static bool is_ours(const char *source) {
  return strstr(source, "braze/host.lua") || strstr(source, "braze/fake.lua");
}

/* pcall, a tail call or the wrapper of braze.safe may stand in between. */
void lbraze_push_where(lua_State *L, const struct braze_settings *settings) {
  lua_Debug caller;
  char text[4 * LUA_IDSIZE + 16], source_text[4 * LUA_IDSIZE + 4]; /* a chunk's name may be any bytes, and each take four */
  struct braze_buffer where, source;
  int level;
  if (!settings) settings = lbraze_settings_of(L, 1);
  for (level = 1; level < HIGHEST_LEVEL && lua_getstack(L, level, &caller); level++) {
    lua_getinfo(L, "Sl", &caller);
    if (caller.currentline > 0 && !is_ours(caller.source)) {
      braze_buffer_borrow(&where, text, sizeof text);
      braze_buffer_borrow(&source, source_text, sizeof source_text);
      /* A chunk that was loaded from a string has its text as its name, and that may hold the key; so may a name that its loader chose. */
      if (caller.source[0] != '@' && caller.source[0] != '=') strcpy(caller.short_src, "[string]");
      append_redacted(settings, caller.short_src, strlen(caller.short_src), &source);
      braze_text_escape(&where, braze_buffer_text(&source), source.length, 4 * LUA_IDSIZE);
      braze_buffer_print(&where, ":%d:", caller.currentline);
      lua_pushlstring(L, text, where.length);
      return;
    }
  }
  lua_pushliteral(L, "");
}

/* [-0, +1, m] Pushes a text of ours, redacted: it may quote the key, where a user has put it in a wrong place. What the service said was
   redacted before. */
static void push_redacted(lua_State *L, const struct braze_settings *settings, const struct braze_buffer *text) {
  char safe[BRAZE_MESSAGE_LIMIT];
  struct braze_buffer out;
  braze_buffer_borrow(&out, safe, sizeof safe);
  append_redacted(settings, braze_buffer_text(text), text->length, &out);
  lua_pushlstring(L, safe, out.length);
}

void lbraze_push_safe_text(lua_State *L, const struct braze_settings *settings, const char *text, size_t length) {
  char safe[BRAZE_MESSAGE_LIMIT];
  struct braze_buffer out;
  if (!has_secret(settings, text, length)) {
    lua_pushlstring(L, text, length);
    return;
  }
  braze_buffer_borrow(&out, safe, sizeof safe);
  braze_redact(settings->secrets, NULL, text, length, &out);
  lua_pushlstring(L, safe, out.length);
}

void lbraze_push_error(lua_State *L, const struct braze_settings *settings, enum braze_kind kind, const struct lbraze_words *words) {
  if (!settings) settings = lbraze_settings_of(L, 1);
  lua_createtable(L, 0, 16);
  lua_pushstring(L, braze_kind_name(kind));
  lua_setfield(L, -2, "kind");
  push_redacted(L, settings, &words->message);
  lua_setfield(L, -2, "message");
  if (words->hint.length > 0) {
    push_redacted(L, settings, &words->hint);
    lua_setfield(L, -2, "hint");
  }
  if (words->operation) {
    lbraze_push_safe_text(L, settings, words->operation, strlen(words->operation));
    lua_setfield(L, -2, "operation");
  }
  lbraze_push_where(L, settings);
  lua_setfield(L, -2, "where");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "maybe_applied");
  lbraze_push_integer(L, 0);
  lua_setfield(L, -2, "attempts");
  lua_pushnumber(L, 0);
  lua_setfield(L, -2, "elapsed");
  lua_newtable(L);
  lua_setfield(L, -2, "rate_limit");
  lbraze_get_registered(L, LBRAZE_ERROR);
  lua_setmetatable(L, -2);
}

int lbraze_raise_usage(lua_State *L, const struct braze_settings *settings, const struct lbraze_words *words) {
  lbraze_push_error(L, settings, BRAZE_USAGE, words);
  lua_error(L);
}

LBRAZE_RAISES static void raise_printed(lua_State *L, const struct lbraze_context *context, const char *hint, const char *format,
                                        va_list arguments) {
  struct lbraze_words words;
  char text[BRAZE_MESSAGE_LIMIT];
  lbraze_words_init(&words);
  braze_text_print_list(text, sizeof text, format, arguments);
  braze_buffer_append(&words.message, text, strlen(text));
  if (hint) braze_buffer_append(&words.hint, hint, strlen(hint));
  words.operation = context ? context->operation : NULL;
  lbraze_raise_usage(L, context ? context->settings : NULL, &words);
}

int lbraze_usage(lua_State *L, const char *hint, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  raise_printed(L, NULL, hint, format, arguments);
  va_end(arguments);
}

int lbraze_refuse(lua_State *L, const struct lbraze_context *context, const char *hint, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  raise_printed(L, context, hint, format, arguments);
  va_end(arguments);
}

const char *lbraze_what(lua_State *L, int index) {
  switch (lua_type(L, index)) {
  case LUA_TNONE: return "nothing";
  case LUA_TNIL: return "nil";
  case LUA_TBOOLEAN: return "a boolean";
  case LUA_TNUMBER: return "a number";
  case LUA_TSTRING: return "a string";
  case LUA_TTABLE: return "a table";
  case LUA_TFUNCTION: return "a function";
  case LUA_TTHREAD: return "a coroutine";
  case LUA_TLIGHTUSERDATA: return lua_touserdata(L, index) ? "a userdata" : "a JSON null";
  default: return "a userdata";
  }
}

bool lbraze_is_error(lua_State *L, int index) {
  return lua_istable(L, index) && lbraze_has_metatable(L, index, LBRAZE_ERROR);
}

/* [-0, +1, m] The field of the error at index 1 as text, with something in front of it; "" where it is not there. */
static void push_field(lua_State *L, const char *name, const char *before) {
  lua_pushstring(L, name);
  lua_rawget(L, 1);
  if (lua_isstring(L, -1))
    lua_pushfstring(L, "%s%s", before, lua_tostring(L, -1));
  else
    lua_pushliteral(L, "");
  lua_remove(L, -2);
}

/* One line: where, "braze: ", kind and status, message, hint. */
static int error__tostring(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  push_field(L, "where", "");
  lua_pushstring(L, lua_tostring(L, 2)[0] ? " braze: " : "braze: ");
  push_field(L, "kind", "");
  push_field(L, "status", " (");
  lua_pushstring(L, lua_tostring(L, 5)[0] ? ")" : "");
  push_field(L, "message", ": ");
  push_field(L, "hint", "; ");
  lua_concat(L, lua_gettop(L) - 1);
  return 1;
}

static void push_as_text(lua_State *L, int index) {
  if (!lbraze_is_error(L, index)) {
    lua_pushvalue(L, index);
    return;
  }
  lua_pushcfunction(L, error__tostring);
  lua_pushvalue(L, index);
  lua_call(L, 1, 1);
}

static int error__concat(lua_State *L) {
  int side;
  for (side = 1; side <= 2; side++) {
    if (!lua_isstring(L, side) && !lbraze_is_error(L, side))
      return luaL_error(L, "attempt to concatenate a braze error with a %s value", luaL_typename(L, side));
  }
  push_as_text(L, 1);
  push_as_text(L, 2);
  lua_concat(L, 2);
  return 1;
}

/* braze.is_error(value) -> boolean */
int lbraze_error_is_error(lua_State *L) {
  if (lua_gettop(L) > 1) lbraze_check_dot(L, 1, "is_error");
  lua_pushboolean(L, lbraze_is_error(L, 1));
  return 1;
}

int lbraze_safe_call(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  if (lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0) == 0) return lua_gettop(L);
  lua_pushnil(L);
  lua_insert(L, -2);
  return 2;
}

void lbraze_push_methods(lua_State *L, const luaL_Reg *methods, bool safe) {
  lua_newtable(L);
  for (; methods->name; methods++) {
    lua_pushcfunction(L, methods->func);
    if (safe) lua_pushcclosure(L, lbraze_safe_call, 1);
    lua_setfield(L, -2, methods->name);
  }
}

void lbraze_open_error(lua_State *L) {
  static const luaL_Reg metamethods[] = {{"__tostring", error__tostring}, {"__concat", error__concat}, {NULL, NULL}};
  lbraze_new_metatable(L, LBRAZE_ERROR, "braze.error");
  lbraze_set_functions(L, metamethods);
  lua_pop(L, 1);
}
