/* made_error: braze.error: an error object made from fields, for specs of users' own. */
#include <string.h>

#include "lua/binding.h"
#include "base/text.h"

/* What a field of an error is; an integer is a Lua number without a fraction. */
enum type { TEXT, FLAG, NUMBER, INTEGER, TABLE };

#define MAX_INTEGER 9007199254740992.0 /* 2^53: up to here a double holds every integer */
#define FIELD_COUNT 17

/* All that an error may have, and the type of each. */
static const char *const field_names[FIELD_COUNT] = {
    "kind", "message", "hint",      "where",        "maybe_applied", "attempts", "elapsed",   "rate_limit", "status",
    "body", "errors",  "curl_code", "curl_message", "request_id",    "retry_at", "operation", "page",
};

static const enum type field_types[FIELD_COUNT] = {
    TEXT, TEXT,  TEXT,    TEXT, FLAG, INTEGER, NUMBER, TABLE,  INTEGER,
    TEXT, TABLE, INTEGER, TEXT, TEXT, INTEGER, TEXT,   INTEGER,
};

static const struct lbraze_context context = {NULL, NULL};

static const char *type_with_article(enum type type) {
  static const char *const names[] = {
      [TEXT] = "a string", [FLAG] = "a boolean", [NUMBER] = "a number", [INTEGER] = "an integer", [TABLE] = "a table"};
  return names[type];
}

/* Whether the value on top of the stack is of a type. */
static bool is_of_type(lua_State *L, enum type type) {
  static const int types[] = {
      [TEXT] = LUA_TSTRING, [FLAG] = LUA_TBOOLEAN, [NUMBER] = LUA_TNUMBER, [INTEGER] = LUA_TNUMBER, [TABLE] = LUA_TTABLE};
  double number;
  if (lua_type(L, -1) != types[type]) return false;
  if (type != INTEGER) return true;
  number = lua_tonumber(L, -1);
  return number >= -MAX_INTEGER && number <= MAX_INTEGER && (double)(int64_t)number == number;
}

static const char *kind_at(const void *names, int index) {
  (void)names;
  return braze_kind_name((enum braze_kind)index);
}

/* [-0, +0, e] Raises for the kind on top of the stack, which is none. */
LBRAZE_RAISES static void refuse_kind(lua_State *L) {
  struct lbraze_words words;
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  int nearest = braze_text_nearest(text, length, kind_at, NULL, BRAZE_KIND_COUNT), kind;
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "braze.error: there is no kind ");
  lbraze_say_name(&words.message, text, length, nearest >= 0 ? kind_at(NULL, nearest) : NULL);
  if (nearest >= 0) {
    braze_buffer_print(&words.hint, "did you mean \"%s\"?", kind_at(NULL, nearest));
  } else {
    braze_buffer_print(&words.hint, "the kinds are");
    for (kind = 0; kind < BRAZE_KIND_COUNT; kind++)
      braze_buffer_print(&words.hint, "%s %s", kind == 0 ? "" : kind + 1 == BRAZE_KIND_COUNT ? " and" : ",", kind_at(NULL, kind));
  }
  lbraze_raise_usage(L, NULL, &words);
}

/* Whether the string on top of the stack is a kind. */
static bool is_kind(lua_State *L) {
  size_t length;
  const char *text = lua_tolstring(L, -1, &length);
  int i;
  for (i = 0; i < BRAZE_KIND_COUNT; i++)
    if (strlen(kind_at(NULL, i)) == length && memcmp(kind_at(NULL, i), text, length) == 0) return true;
  return false;
}

/* [-0, +0, e] Checks names, then types, then the kind of the fields at index 1. */
static void check_fields(lua_State *L) {
  static const struct lbraze_names names = {"field", "braze.error", field_names, FIELD_COUNT};
  char name[32];
  int i;
  if (lbraze_find_unknown(L, 1, &names)) lbraze_refuse_unknown(L, &context, &names, NULL);
  for (i = FIELD_COUNT - 1; i >= 0; i--) { /* the kind last: it stays on the stack */
    lua_pushstring(L, field_names[i]);
    lua_rawget(L, 1);
    braze_text_print(name, sizeof name, "field %s", field_names[i]);
    if (!lua_isnil(L, -1) && !is_of_type(L, field_types[i])) lbraze_refuse_type(L, &context, name, type_with_article(field_types[i]), NULL);
    if (i > 0) lua_pop(L, 1);
  }
  if (!lua_isnil(L, -1) && !is_kind(L)) refuse_kind(L);
  lua_pop(L, 1);
}

/* [-0, +0, e] What is known from status and kind of the fields at index 1; one of the two must be there. */
static void assume(lua_State *L, struct braze_outcome *outcome) {
  braze_outcome_init(outcome);
  lua_pushliteral(L, "status");
  lua_rawget(L, 1);
  lua_pushliteral(L, "kind");
  lua_rawget(L, 1);
  if (lua_type(L, -2) == LUA_TNUMBER) outcome->status = (int)lua_tointeger(L, -2);
  if (outcome->status >= 300)
    braze_outcome_classify_status(outcome);
  else if (lua_isnil(L, -1))
    lbraze_usage(L, "write braze.error{kind = \"rate_limited\", status = 429}", "braze.error: kind is missing");
  else
    outcome->maybe_applied = strcmp(lua_tostring(L, -1), braze_kind_name(BRAZE_SERVER)) == 0 ||
                             strcmp(lua_tostring(L, -1), braze_kind_name(BRAZE_PROTOCOL)) == 0;
  lua_pop(L, 2);
}

/* braze.error(fields) -> error. What is always there is filled in; the caller's table is left as it is. */
int lbraze_error_error(lua_State *L) {
  struct lbraze_words words;
  struct braze_outcome outcome;
  lbraze_check_dot(L, 1, "error");
  if (!lua_istable(L, 1))
    lbraze_refuse_argument(L, 1, NULL, "braze.error", "a table of fields", "write braze.error{kind = \"rate_limited\", status = 429}");
  lua_settop(L, 1);
  check_fields(L);
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "made by braze.error");
  assume(L, &outcome);
  lbraze_push_error(L, NULL, outcome.kind, &words);
  lua_pushboolean(L, outcome.maybe_applied);
  lua_setfield(L, 2, "maybe_applied");
  lua_pushnil(L);
  while (lua_next(L, 1)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, 2);
  }
  return 1;
}
