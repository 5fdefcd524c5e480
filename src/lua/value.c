/* value: whether a Lua value can go to the service as it is, before anything is encoded. What lua-cjson would change in silence
   (digits, holes, an empty list) or would fail at is refused here, with the path of the value. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lua/binding.h"

#define MAX_KEY_SHOWN 40
#define SAFE_INTEGER 9007199254740992.0 /* 2^53: up to here a double holds every integer */

struct check {
  lua_State *L;
  const struct lbraze_context *context;
  int depth;
  int tables[LBRAZE_MAX_DEPTH]; /* stack indices of the tables around the value; behind each lies the key of the next one */
  size_t bytes;                 /* that the JSON has at least */
  bool composed;                /* an empty list is in it, which lua-cjson would write as an object */
};

/* Appends the path of the value on top of the stack: messages.email.body, recipients[3]. */
static void append_path(const struct check *check, struct braze_buffer *out) {
  lua_State *L = check->L;
  int level;
  for (level = 0; level < check->depth; level++) {
    int key = check->tables[level] + 1;
    if (lua_type(L, key) == LUA_TNUMBER) {
      braze_buffer_print(out, "[%.14g]", lua_tonumber(L, key));
    } else {
      size_t length = 0;
      const char *text = lua_type(L, key) == LUA_TSTRING ? lua_tolstring(L, key, &length) : "";
      if (level > 0) braze_buffer_print(out, ".");
      braze_text_escape(out, text, length, MAX_KEY_SHOWN);
    }
  }
  if (check->depth == 0) braze_buffer_print(out, "the table of parameters");
}

LBRAZE_RAISES static void refuse(const struct check *check, const char *what, const char *hint) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  append_path(check, &words.message);
  braze_buffer_print(&words.message, " %s", what);
  if (hint) braze_buffer_print(&words.hint, "%s", hint);
  words.operation = check->context->operation;
  lbraze_raise_usage(check->L, check->context->settings, &words);
}

LBRAZE_RAISES static void refuse_size(const struct check *check) {
  lbraze_raise_too_large(check->L, check->context, "the request", check->bytes);
}

static void count_bytes(struct check *check, size_t bytes) {
  check->bytes += bytes;
  if (check->bytes > BRAZE_MAX_BODY) refuse_size(check);
}

static void check_string(struct check *check) {
  size_t length, good;
  const char *text = lua_tolstring(check->L, -1, &length);
  count_bytes(check, length + 2);
  good = braze_text_utf8_length(text, length);
  if (good < length) {
    char what[96];
    braze_text_print(what, sizeof what, "is not UTF-8, at byte %zu of %zu", good + 1, length);
    refuse(check, what, "convert it to UTF-8, or encode bytes as base64");
  }
}

static void check_number(struct check *check) {
  lua_State *L = check->L;
  double number = lua_tonumber(L, -1);
  char digits[64];
  count_bytes(check, 1);
  if (number != number) refuse(check, "is not a number (NaN), which JSON does not have", NULL);
  if (number - number != 0) refuse(check, "is infinite, which JSON does not have", NULL);
  braze_text_print(digits, sizeof digits, "%.*g", lbraze_json_digits(L), number);
  if (strtod(digits, NULL) == number && lbraze_is_exact(L, -1)) return;
  refuse(check, "is a number that would lose digits on its way",
         "give it as a string, or round it to what is meant: string.format(\"%.2f\", value)");
}

/* Whether the table on top of the stack has the keys 1 to its length and no other. *names: how many keys are no integers. */
static bool is_sequence(struct check *check, size_t *count, size_t *names) {
  lua_State *L = check->L;
  double highest = 0;
  *count = *names = 0;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1);
    ++*count;
    if (lua_type(L, -1) == LUA_TNUMBER) {
      double key = lua_tonumber(L, -1);
      if (key < 1 || key > (double)BRAZE_MAX_BODY || (double)(long)key != key) highest = -1;
      if (highest >= 0 && key > highest) highest = key;
    } else {
      ++*names;
    }
  }
  return *names == 0 && highest == (double)*count;
}

static void check_any(struct check *check);

/* The key below the value on top of the stack. */
static void check_key(struct check *check) {
  lua_State *L = check->L;
  int type = lua_type(L, -2);
  char what[64];
  size_t length;
  const char *key;
  if (type == LUA_TNUMBER) return;
  if (type != LUA_TSTRING) {
    check->depth--; /* the table is what is wrong */
    braze_text_print(what, sizeof what, "has a key that is %s", lbraze_what(L, -2));
    refuse(check, what, "JSON has strings as names");
  }
  key = lua_tolstring(L, -2, &length);
  count_bytes(check, length + 3);
  if (braze_text_utf8_length(key, length) == length) return;
  check->depth--;
  refuse(check, "has a name that is not UTF-8", "convert it to UTF-8");
}

/* The table on top of the stack; its keys are all of one kind. */
static void check_members(struct check *check) {
  lua_State *L = check->L;
  int table = lua_gettop(L);
  check->tables[check->depth++] = table;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    check_key(check);
    check_any(check);
    lua_pop(L, 1);
  }
  check->depth--;
}

static void check_table(struct check *check) {
  lua_State *L = check->L;
  bool marked = lbraze_has_metatable(L, -1, LBRAZE_LIST);
  size_t count, names;
  bool sequence;
  int i;
  if (!lua_checkstack(L, 8)) luaL_error(L, "not enough memory");
  for (i = 0; i < check->depth; i++)
    if (lua_rawequal(L, check->tables[i], -1)) refuse(check, "is a table that contains itself", NULL);
  if (check->depth == LBRAZE_MAX_DEPTH) refuse(check, "is nested too deep: at most 32 tables are taken", NULL);
  sequence = is_sequence(check, &count, &names);
  if (marked && !sequence) refuse(check, "is marked by braze.list and has keys other than 1, 2, 3, ...", NULL);
  if (names > 0 && names < count) refuse(check, "has both names and numbers as keys", "JSON has objects and lists, nothing in between");
  if (names == 0 && !sequence)
    refuse(check, "is a list with holes, or with keys other than 1, 2, 3, ...", "put braze.null where a value is missing, or use strings as keys");
  if (marked && count == 0) check->composed = true;
  count_bytes(check, 2);
  if (count > 0) check_members(check);
}

/* The value on top of the stack, whatever it is. */
static void check_any(struct check *check) {
  lua_State *L = check->L;
  char what[64];
  switch (lua_type(L, -1)) {
  case LUA_TSTRING: check_string(check); return;
  case LUA_TNUMBER: check_number(check); return;
  case LUA_TBOOLEAN: count_bytes(check, 4); return;
  case LUA_TTABLE: check_table(check); return;
  case LUA_TLIGHTUSERDATA:
    if (lua_touserdata(L, -1) == NULL) return;
    break;
  default: break;
  }
  braze_text_print(what, sizeof what, "is %s", lbraze_what(L, -1));
  refuse(check, what, "strings, numbers, booleans, tables and braze.null can be sent");
}

size_t lbraze_check_value(lua_State *L, int params, const char *key, const struct lbraze_context *context, bool *composed) {
  struct check check = {L, context, 0, {0}, 0, false};
  int top = lua_gettop(L);
  luaL_checkstack(L, 8, NULL);
  lua_pushvalue(L, params);
  if (key) { /* a field of the table of parameters, whose name begins the path */
    check.tables[check.depth++] = top + 1;
    lua_pushstring(L, key);
    lua_pushvalue(L, -1);
    lua_rawget(L, params);
  }
  check_any(&check);
  lua_settop(L, top);
  *composed = check.composed;
  return check.bytes;
}

void lbraze_raise_too_large(lua_State *L, const struct lbraze_context *context, const char *what, size_t bytes) {
  lbraze_refuse(L, context, "the service takes requests of at most 4 MB; nothing was sent", "%s has %s%.0f bytes%s: a whole request may have %u", what,
                what[0] == 't' ? "at least " : "", (double)bytes, what[0] == 't' ? " as JSON" : "", BRAZE_MAX_BODY);
}
