/* encode: a checked Lua value to JSON, appended to a buffer. lua-cjson writes it, but for one thing that it can't: an empty list
   inside a table, which a Lua table does not tell from an empty object. Only a value that has one is put together here. */
#include <stdio.h>

#include "base/text.h"
#include "lua/binding.h"

/* Raises where a value that was checked can't be encoded. */
LBRAZE_RAISES static void refuse_changed(lua_State *L, const struct lbraze_context *context, const char *reason, size_t length) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "the parameters can't be written as JSON: ");
  braze_text_escape(&words.message, reason, length, 200);
  braze_buffer_print(&words.hint, "they were changed while the call read them: by a debug hook, a finalizer or another coroutine");
  words.operation = context->operation;
  lbraze_raise_usage(L, context->settings, &words);
}

/* [-1, +0, e] lua-cjson's text of the value on top of the stack. */
static bool append_encoded(lua_State *L, const struct lbraze_context *context, struct braze_buffer *out) {
  size_t length = 0;
  const char *text;
  bool taken;
  int status;
  lbraze_push_encode(L);
  lua_insert(L, -2);
  status = lua_pcall(L, 1, 1, 0);
  if (status == LUA_ERRMEM || (status != 0 && lua_type(L, -1) != LUA_TSTRING)) lua_error(L);
  if (status != 0) {
    text = lua_tolstring(L, -1, &length);
    refuse_changed(L, context, text, length);
  }
  if (lua_type(L, -1) != LUA_TSTRING) lbraze_refuse_cjson(L, "its encode does not return a string");
  text = lua_tolstring(L, -1, &length);
  if (out->length + length > out->limit) lbraze_raise_too_large(L, context, "the request", out->length + length);
  taken = braze_buffer_append(out, text, length);
  lua_pop(L, 1);
  return taken;
}

static bool append_composed(lua_State *L, const struct lbraze_context *context, struct braze_buffer *out, int depth);

/* [-0, +0, e] The list on top of the stack. */
static bool append_list(lua_State *L, const struct lbraze_context *context, struct braze_buffer *out, int depth) {
  size_t count = lbraze_raw_length(L, -1), i;
  bool good = braze_buffer_append(out, "[", 1);
  for (i = 1; i <= count && good; i++) {
    lua_rawgeti(L, -1, (int)i);
    good = (i == 1 || braze_buffer_append(out, ",", 1)) && append_composed(L, context, out, depth + 1);
    lua_pop(L, 1);
  }
  return good && braze_buffer_append(out, "]", 1);
}

/* [-0, +0, e] The object on top of the stack. */
static bool append_object(lua_State *L, const struct lbraze_context *context, struct braze_buffer *out, int depth) {
  int table = lua_gettop(L);
  bool good = braze_buffer_append(out, "{", 1), first = true;
  lua_pushnil(L);
  while (good && lua_next(L, table)) {
    good = first || braze_buffer_append(out, ",", 1);
    first = false;
    lua_pushvalue(L, -2);
    good = good && append_encoded(L, context, out) && braze_buffer_append(out, ":", 1) && append_composed(L, context, out, depth + 1);
    lua_settop(L, table + (good ? 1 : 0));
  }
  return good && braze_buffer_append(out, "}", 1);
}

/* [-0, +0, e] The value on top of the stack. */
static bool append_composed(lua_State *L, const struct lbraze_context *context, struct braze_buffer *out, int depth) {
  lbraze_check_stack(L, 8, context->operation);
  if (depth > LBRAZE_MAX_DEPTH) refuse_changed(L, context, "nested too deep", 15);
  if (lua_istable(L, -1) && (lbraze_raw_length(L, -1) > 0 || lbraze_has_metatable(L, -1, LBRAZE_LIST)))
    return append_list(L, context, out, depth);
  if (lua_istable(L, -1)) return append_object(L, context, out, depth);
  lua_pushvalue(L, -1);
  return append_encoded(L, context, out);
}

bool lbraze_append_json(lua_State *L, int index, bool composed, const struct lbraze_context *context, struct braze_buffer *out) {
  bool taken;
  lua_pushvalue(L, index);
  if (!composed) return append_encoded(L, context, out);
  taken = append_composed(L, context, out, 0);
  lua_pop(L, 1);
  return taken;
}
