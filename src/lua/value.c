/* value: whether a Lua value can go to the service as it is, before anything is encoded. What lua-cjson would change in silence
   (digits, holes, an empty list) or would fail at is refused here, with the path of the value. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lua/binding.h"

#define MAX_KEY_SHOWN 40

/* Where the walk through a value is. */
struct walk {
  lua_State *L;
  const struct lbraze_context *context;
  size_t bytes;             /* that the JSON has at least */
  bool composed;            /* an empty list is in it, which lua-cjson would write as an object */
  const char *name;         /* of the value, which begins its path; NULL = it is the table of parameters */
  int depth;
  int tables[LBRAZE_MAX_DEPTH]; /* stack indices of the tables around the value at hand; behind each lies the key of the next one */
  const void *around[LBRAZE_MAX_DEPTH + 1]; /* these tables, behind that of the parameters */
};

/* --- What is refused --------------------------------------------------------------------------------- */

/* Appends the path of the value on top of the stack: messages.email.body, recipients[3]. */
static void append_path(const struct walk *walk, struct braze_buffer *out) {
  lua_State *L = walk->L;
  int level;
  if (walk->name) braze_text_escape(out, walk->name, strlen(walk->name), MAX_KEY_SHOWN);
  for (level = 0; level < walk->depth; level++) {
    int key = walk->tables[level] + 1;
    if (lua_type(L, key) == LUA_TNUMBER) {
      braze_buffer_print(out, "[%.14g]", lua_tonumber(L, key));
    } else {
      size_t length = 0;
      const char *text = lua_type(L, key) == LUA_TSTRING ? lua_tolstring(L, key, &length) : "";
      if (out->length > 0) braze_buffer_print(out, ".");
      braze_text_escape(out, text, length, MAX_KEY_SHOWN);
    }
  }
  if (out->length == 0) braze_buffer_print(out, "the table of parameters");
}

LBRAZE_RAISES static void refuse(const struct walk *walk, const char *what, const char *hint) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  append_path(walk, &words.message);
  braze_buffer_print(&words.message, " %s", what);
  if (hint) braze_buffer_print(&words.hint, "%s", hint);
  words.operation = walk->context->operation;
  lbraze_raise_usage(walk->L, walk->context->settings, &words);
}

void lbraze_raise_too_large(lua_State *L, const struct lbraze_context *context, const char *what, size_t bytes) {
  lbraze_refuse(L, context, "the service takes requests of at most 4 MB; nothing was sent",
                "%s has %s%.0f bytes%s: a whole request may have %u", what, what[0] == 't' ? "at least " : "", (double)bytes,
                what[0] == 't' ? " as JSON" : "", BRAZE_MAX_BODY);
}

/* --- Single values ----------------------------------------------------------------------------------- */

static void count_bytes(struct walk *walk, size_t bytes) {
  walk->bytes += bytes;
  if (walk->bytes > BRAZE_MAX_BODY) lbraze_raise_too_large(walk->L, walk->context, "the request", walk->bytes);
}

static void check_string(struct walk *walk) {
  size_t length, good;
  const char *text = lua_tolstring(walk->L, -1, &length);
  char what[96];
  count_bytes(walk, length + 2); /* before each byte is looked at */
  good = braze_text_utf8_length(text, length);
  if (good == length) return;
  braze_text_print(what, sizeof what, "is not UTF-8, at byte %zu of %zu", good + 1, length);
  refuse(walk, what, "convert it to UTF-8, or encode bytes as base64");
}

/* Whether a number has four decimals at most and few digits in all, as prices and counts have: then lua-cjson writes it whole. Spares
   most numbers what printf and strtod cost. */
static bool is_short(double number) {
  const double scaled = number * 10000;
  return scaled > -1e13 && scaled < 1e13 && (double)(long long)(scaled + (scaled < 0 ? -0.5 : 0.5)) / 10000 == number;
}

static void check_number(struct walk *walk) {
  const double number = lua_tonumber(walk->L, -1);
  char digits[64];
  count_bytes(walk, 1);
  if (is_short(number)) return;
  if (number != number) refuse(walk, "is not a number (NaN), which JSON does not have", NULL);
  if (number - number != 0) refuse(walk, "is infinite, which JSON does not have", NULL);
  braze_text_print(digits, sizeof digits, "%.*g", LBRAZE_JSON_DIGITS, number);
  if (strtod(digits, NULL) == number && lbraze_is_exact(walk->L, -1)) return;
  refuse(walk, "is a number that would lose digits on its way",
         "give it as a string, or round it to what is meant: string.format(\"%.2f\", value)");
}

/* --- Tables ------------------------------------------------------------------------------------------ */

static void check_any(struct walk *walk);

/* The members of the table, of which the first is on top of the stack. False: not all keys are strings. */
static bool check_members(struct walk *walk, int table) {
  lua_State *L = walk->L;
  do {
    size_t length;
    const char *name;
    if (lua_type(L, -2) != LUA_TSTRING) return false;
    name = lua_tolstring(L, -2, &length);
    count_bytes(walk, length + 3); /* with quotes and colon */
    if (braze_text_utf8_length(name, length) < length) {
      walk->depth--; /* the table is what is wrong */
      refuse(walk, "has a name that is not UTF-8", "convert it to UTF-8");
    }
    check_any(walk);
    lua_pop(L, 1);
  } while (lua_next(L, table));
  return true;
}

/* The items of the table, of which the first is on top of the stack. False: the keys are not 1, 2, 3, ..., or come in another order. */
static bool check_items(struct walk *walk, int table) {
  lua_State *L = walk->L;
  double expected = 1;
  do {
    if (lua_type(L, -2) != LUA_TNUMBER || lua_tonumber(L, -2) != expected) return false;
    count_bytes(walk, expected > 1); /* the comma */
    check_any(walk);
    lua_pop(L, 1);
    expected++;
  } while (lua_next(L, table));
  return true;
}

/* What the keys of a table are. */
struct keys {
  size_t count, names; /* all, and those that are no numbers */
  bool sequence;       /* they are 1, 2, 3, ... */
};

static struct keys look_at_keys(lua_State *L, int table) {
  struct keys keys = {0, 0, false};
  double highest = 0;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    keys.count++;
    if (lua_type(L, -1) == LUA_TNUMBER) {
      double key = lua_tonumber(L, -1);
      if (key < 1 || key > (double)BRAZE_MAX_BODY || (double)(long)key != key) highest = -1;
      if (highest >= 0 && key > highest) highest = key;
    } else {
      keys.names++;
    }
  }
  keys.sequence = keys.names == 0 && highest == (double)keys.count;
  return keys;
}

/* [-0, +0, e] Raises for a key that is neither number nor string, if there is one. */
static void refuse_odd_key(const struct walk *walk, int table) {
  lua_State *L = walk->L;
  char what[64];
  lua_pushnil(L);
  while (lua_next(L, table)) {
    lua_pop(L, 1);
    if (lua_type(L, -1) == LUA_TNUMBER || lua_type(L, -1) == LUA_TSTRING) continue;
    braze_text_print(what, sizeof what, "has a key that is %s", lbraze_what(L, -1));
    refuse(walk, what, "JSON has strings as names");
  }
}

/* [-0, +0, e] A table that braze.list has marked, or whose keys come in an order of their own: what is wrong with it, if it is no list. */
static void check_list(struct walk *walk, int table, bool marked) {
  lua_State *L = walk->L;
  const struct keys keys = look_at_keys(L, table);
  size_t i;
  walk->depth--; /* the table is what is wrong */
  if (marked && !keys.sequence) refuse(walk, "is marked by braze.list and has keys other than 1, 2, 3, ...", NULL);
  if (keys.names > 0 && keys.names < keys.count)
    refuse(walk, "has both names and numbers as keys", "JSON has objects and lists, nothing in between");
  refuse_odd_key(walk, table);
  if (!keys.sequence)
    refuse(walk, "is a list with holes, or with keys other than 1, 2, 3, ...",
           "put braze.null where a value is missing, or use strings as keys");
  walk->depth++;
  if (keys.count == 0) walk->composed = true;
  for (i = 1; i <= keys.count; i++) {
    count_bytes(walk, i > 1);
    lua_pushnumber(L, (lua_Number)i);
    lua_rawgeti(L, table, (int)i);
    check_any(walk);
    lua_pop(L, 2);
  }
}

/* Notes that the walk goes into the table on top of the stack. */
static void enter(struct walk *walk) {
  const void *table = lua_topointer(walk->L, -1);
  int i;
  for (i = 0; i <= walk->depth; i++)
    if (walk->around[i] == table) refuse(walk, "is a table that contains itself", NULL);
  if (walk->depth == LBRAZE_MAX_DEPTH - (walk->name ? 1 : 0)) refuse(walk, "is nested too deep: at most 32 tables are taken", NULL);
  walk->tables[walk->depth++] = lua_gettop(walk->L);
  walk->around[walk->depth] = table;
}

static void check_table(struct walk *walk) {
  lua_State *L = walk->L;
  const int table = lua_gettop(L);
  const bool marked = lbraze_has_metatable(L, table, LBRAZE_LIST);
  size_t start;
  bool checked = false;
  lbraze_check_stack(L, 8, walk->context->operation);
  enter(walk);
  count_bytes(walk, 2);
  start = walk->bytes;
  lua_pushnil(L);
  if (!marked) checked = !lua_next(L, table) || (lua_type(L, -2) == LUA_TNUMBER ? check_items(walk, table) : check_members(walk, table));
  lua_settop(L, table);
  if (!checked) {
    walk->bytes = start;
    check_list(walk, table, marked);
  }
  walk->depth--;
}

/* The value on top of the stack, whatever it is. */
static void check_any(struct walk *walk) {
  lua_State *L = walk->L;
  char what[64];
  switch (lua_type(L, -1)) {
  case LUA_TSTRING: check_string(walk); return;
  case LUA_TNUMBER: check_number(walk); return;
  case LUA_TBOOLEAN: count_bytes(walk, 4); return;
  case LUA_TTABLE: check_table(walk); return;
  case LUA_TLIGHTUSERDATA:
    if (lua_touserdata(L, -1) == NULL) return;
    break;
  default: break;
  }
  braze_text_print(what, sizeof what, "is %s", lbraze_what(L, -1));
  refuse(walk, what, "strings, numbers, booleans, tables and braze.null can be sent");
}

size_t lbraze_check_value(lua_State *L, int index, const char *name, int params, const struct lbraze_context *context, bool *composed) {
  struct walk walk = {L, context, 0, false, name, 0, {0}, {name ? lua_topointer(L, params) : NULL}};
  lbraze_check_stack(L, 8, context->operation);
  lua_pushvalue(L, index);
  check_any(&walk);
  lua_pop(L, 1);
  *composed = walk.composed;
  return walk.bytes;
}
