/* pages: the walk through a list, page by page: which page is asked for next, which item comes next, when the walk ends. The calls are
   made by the caller: by client:each in this file, and by the modules for hosts in Lua, because only Lua code can yield. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "lua/userdata.h"

#define MAX_COUNTED 1e15 /* up to here every Lua can count one by one */

/* A walk is a table: what it was begun with, the current page, and how the next one is asked for. */
enum {
  CLIENT = 1,
  PARAMS,
  OPTIONS,
  ITEMS,
  INDEX,
  NUMBER,
  PAGE_COUNT,
  FULL,
  MAX_COUNT,
  FIELD,
  NEXT,
  ENDED,
  PAGE,
  NAME,
  BY_LINK,
  READS,
  SLOT_COUNT
};

/* --- The walk ---------------------------------------------------------------------------------------- */

static void set_slot(lua_State *L, int walk, int slot) {
  lua_rawseti(L, walk, slot);
}

static lua_Integer get_integer(lua_State *L, int walk, int slot) {
  lua_Integer value;
  lua_rawgeti(L, walk, slot);
  value = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return value;
}

static void set_integer(lua_State *L, int walk, int slot, lua_Integer value) {
  lua_pushinteger(L, value);
  set_slot(L, walk, slot);
}

/* [-0, +1, m] A copy of the table at index; an empty table where there is none. */
static void push_copy(lua_State *L, int index) {
  lua_newtable(L);
  if (!lua_istable(L, index)) return;
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
}

/* The parameters by which client:each counts, where nothing else names the next page. */
static const char *const counted[] = {"page", "limit", "offset"};
#define COUNT_OF_COUNTED (sizeof counted / sizeof *counted)

/* Reads a number of at most 15 digits. Negative: the text is something else. */
static int64_t read_digits(const char *text, size_t length) {
  return length > 0 && length <= 15 && strspn(text, "0123456789") == length ? strtoll(text, NULL, 10) : -1;
}

/* [-0, +0] The whole number in a field of the table at index, given as a number or as digits; `otherwise` where there is none. */
static lua_Integer integer_field(lua_State *L, int index, const char *name, lua_Integer otherwise) {
  int64_t value = -1;
  size_t length;
  const char *text;
  lua_pushstring(L, name);
  lua_rawget(L, index);
  if (lua_type(L, -1) == LUA_TNUMBER) {
    value = lua_tointeger(L, -1);
  } else if (lua_type(L, -1) == LUA_TSTRING) {
    text = lua_tolstring(L, -1, &length);
    value = read_digits(text, length);
  }
  lua_pop(L, 1);
  return value >= 0 ? (lua_Integer)value : otherwise;
}

/* [-0, +0, e] Raises where one of these parameters, in the table at index, is a number from which client:each cannot count. */
static void check_counts(lua_State *L, int index, const struct lbraze_context *context) {
  size_t i;
  for (i = 0; i < COUNT_OF_COUNTED; i++) {
    double number;
    lua_pushstring(L, counted[i]);
    lua_rawget(L, index);
    number = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : 0;
    if (!(number >= 0 && number <= MAX_COUNTED) || (double)(int64_t)number != number)
      lbraze_refuse(L, context, "each counts on from it", "%s is %.14g: it must be a whole number that is not negative", counted[i],
                    number);
    lua_pop(L, 1);
  }
}

static void remove_field(lua_State *L, int index, const char *name) {
  lua_pushstring(L, name);
  lua_pushnil(L);
  lua_rawset(L, index);
}

/* [-0, +0, m] For a route that reads, whose parameters are its query: moves what client:each counts by from options.query to the
   parameters, unless they have it already. */
static void join_query(lua_State *L, int params, int options) {
  size_t i;
  lua_getfield(L, options, "query");
  if (lua_istable(L, -1)) {
    push_copy(L, lua_gettop(L));
    for (i = 0; i < COUNT_OF_COUNTED; i++) {
      lua_pushstring(L, counted[i]);
      lua_pushvalue(L, -1);
      lua_rawget(L, params);
      lua_pushvalue(L, -2);
      lua_rawget(L, -4);
      if (lua_isnil(L, -2) && !lua_isnil(L, -1)) {
        lua_setfield(L, params, counted[i]);
        remove_field(L, lua_gettop(L) - 2, counted[i]);
        lua_pushnil(L);
      }
      lua_pop(L, 3);
    }
    lua_setfield(L, options, "query");
  }
  lua_pop(L, 1);
}

/* pages.open(client, name, params, options) -> walk. Raises for what is wrong with them. */
int lbraze_pages_open(lua_State *L) {
  struct lbraze_target target;
  struct lbraze_context context = {lbraze_settings_of(L, 1), NULL};
  struct lbraze_call_options options;
  const struct braze_settings defaults = {.limits = {BRAZE_DEFAULT_TIMEOUT, BRAZE_DEFAULT_CONNECT_TIMEOUT, BRAZE_DEFAULT_RETRIES}};
  const char *field, *page;
  int walk;
  lua_settop(L, 4);
  lbraze_read_target(L, 2, context.settings, "each", &target);
  context.operation = target.name;
  if (!context.settings) context.settings = &defaults;
  if (target.operation || !lua_isnil(L, 3)) lbraze_check_params(L, 3, &context);
  lbraze_read_call_options(L, 4, LBRAZE_FOR_EACH, &context, &options);
  field = lua_isnil(L, options.items) ? (target.operation ? target.operation->items : NULL) : lua_tostring(L, options.items);
  if (!field)
    lbraze_refuse(L, &context, "name the field of its answer that has the list: options.items = \"catalogs\"",
                  "%s is not known to answer with a list", target.name);
  lua_createtable(L, SLOT_COUNT, 0);
  walk = lua_gettop(L);
  lua_pushvalue(L, 1);
  set_slot(L, walk, CLIENT);
  push_copy(L, 3);
  push_copy(L, 4);
  remove_field(L, walk + 2, "items");
  remove_field(L, walk + 2, "max_pages");
  if (!target.operation && target.route.method == BRAZE_GET) join_query(L, walk + 1, walk + 2);
  check_counts(L, walk + 1, &context);
  set_slot(L, walk, OPTIONS);
  lua_pushstring(L, field);
  set_slot(L, walk, FIELD);
  page = target.operation ? target.operation->page : integer_field(L, walk + 1, "page", -1) >= 0 ? "page" : NULL;
  lua_pushstring(L, page); /* nil for NULL */
  set_slot(L, walk, PAGE);
  set_integer(L, walk, NUMBER, integer_field(L, walk + 1, page ? page : "page", 0));
  set_integer(L, walk, PAGE_COUNT, 0);
  set_integer(L, walk, MAX_COUNT, options.max_pages);
  set_integer(L, walk, FULL, target.operation ? target.operation->page_size : 0);
  set_integer(L, walk, INDEX, 0);
  lua_pushstring(L, target.name);
  set_slot(L, walk, NAME);
  lua_pushboolean(L, target.operation == NULL); /* an operation takes its own parameters, in their types */
  set_slot(L, walk, BY_LINK);
  lua_pushboolean(L, target.operation ? target.operation->method == BRAZE_GET : target.route.method == BRAZE_GET);
  set_slot(L, walk, READS);
  set_slot(L, walk, PARAMS); /* their copy, which is still on the stack */
  return 1;
}

/* pages.item(walk) -> the next item of the current page, or nil */
int lbraze_pages_item(lua_State *L) {
  lua_Integer index;
  luaL_checktype(L, 1, LUA_TTABLE);
  index = get_integer(L, 1, INDEX) + 1;
  lua_settop(L, 1);
  lua_rawgeti(L, 1, ITEMS);
  if (!lua_istable(L, 2)) return 1;
  set_integer(L, 1, INDEX, index);
  lua_rawgeti(L, 2, (int)index);
  return 1;
}

/* [-0, +0, e] Raises an error of a kind about the walk at index 1. */
LBRAZE_RAISES static void refuse_walk(lua_State *L, enum braze_kind kind, const char *message, const char *hint) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "%s", message);
  braze_buffer_print(&words.hint, "%s", hint);
  lua_rawgeti(L, 1, NAME);
  words.operation = lua_tostring(L, -1); /* the walk keeps it */
  lua_rawgeti(L, 1, CLIENT);
  lbraze_push_error(L, lbraze_settings_of(L, lua_gettop(L)), kind, &words);
  lua_rawgeti(L, 1, NUMBER);
  lua_setfield(L, -2, "page");
  lua_error(L);
}

/* [-0, +1, m] A copy of the table in a slot of the walk at index 1. */
static void push_copy_of(lua_State *L, int slot) {
  lua_rawgeti(L, 1, slot);
  push_copy(L, lua_gettop(L));
  lua_remove(L, -2);
}

/* [-1, +0, m] Makes the query on top of the stack the whole query of the next call, whose parameters and options are below it: nothing of
   the query before stays. */
static void use_next(lua_State *L) {
  int query = lua_gettop(L);
  lua_rawgeti(L, 1, READS);
  if (lua_toboolean(L, -1)) {
    push_copy(L, query);
    lua_replace(L, query - 2);
    lua_pushnil(L);
  } else {
    push_copy(L, query);
  }
  lua_setfield(L, query - 1, "query");
  lua_settop(L, query - 1);
}

/* pages.ask(walk) -> params, options of the next page's call, and its number; nil where there is none */
int lbraze_pages_ask(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_rawgeti(L, 1, ENDED);
  if (lua_toboolean(L, -1)) {
    lua_pushnil(L);
    return 1;
  }
  if (get_integer(L, 1, PAGE_COUNT) >= get_integer(L, 1, MAX_COUNT))
    refuse_walk(L, BRAZE_USAGE, "each has read max_pages pages, and the list goes on",
                "raise options.max_pages, or go on from the page that err.page names");
  push_copy_of(L, PARAMS);
  push_copy_of(L, OPTIONS);
  lua_rawgeti(L, 1, NEXT);
  if (lua_istable(L, -1))
    use_next(L);
  else
    lua_pop(L, 1);
  lua_rawgeti(L, 1, NUMBER);
  return 3;
}

/* Whether two values are the same, tables by what is in them. */
static bool is_equal(lua_State *L, int one, int other, int depth) {
  bool same = true;
  int count = 0;
  if (!lua_istable(L, one) || !lua_istable(L, other)) return lua_rawequal(L, one, other);
  if (depth == LBRAZE_MAX_DEPTH || !lua_checkstack(L, 8)) return false;
  lua_pushnil(L);
  while (same && lua_next(L, one)) {
    count++;
    lua_pushvalue(L, -2);
    lua_rawget(L, other);
    same = is_equal(L, lua_gettop(L) - 1, lua_gettop(L), depth + 1);
    lua_pop(L, same ? 2 : 3);
  }
  if (!same) return false;
  lua_pushnil(L);
  while (lua_next(L, other)) {
    count--;
    lua_pop(L, 1);
  }
  return count == 0;
}

/* Sets the parameters of the next page, in the table at index, by its number or by how much was seen; and whether the walk ends. */
static void plan_next(lua_State *L, int params, lua_Integer count) {
  lua_Integer full = get_integer(L, 1, FULL), limit = integer_field(L, params, "limit", 0), offset = integer_field(L, params, "offset", 0);
  bool ended = count == 0;
  if (full == 0) set_integer(L, 1, FULL, full = limit > 0 ? limit : count);
  if (count < full) ended = true;
  lua_rawgeti(L, 1, PAGE);
  if (!lua_isnil(L, -1)) {
    set_integer(L, 1, NUMBER, get_integer(L, 1, NUMBER) + 1);
    lua_rawgeti(L, 1, NUMBER);
    lua_rawset(L, params);
  } else if (limit > 0 || offset > 0) {
    lua_pushliteral(L, "offset");
    lua_pushinteger(L, offset + count);
    lua_rawset(L, params);
    set_integer(L, 1, NUMBER, get_integer(L, 1, NUMBER) + 1);
  } else {
    ended = true;
  }
  lua_pushboolean(L, ended);
  set_slot(L, 1, ENDED);
}

/* pages.take(walk, result): takes the answer of the call */
int lbraze_pages_take(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_rawgeti(L, 1, FIELD);
  lua_rawget(L, 2);
  if (!lua_istable(L, 3) || lbraze_has_names(L, 3)) {
    struct lbraze_words words;
    lbraze_words_init(&words);
    lua_rawgeti(L, 1, FIELD);
    braze_buffer_print(&words.message, "the answer has no list in the field that options.items names, which is ");
    lbraze_say_value(L, 4, &words.message);
    refuse_walk(L, BRAZE_PROTOCOL, braze_buffer_text(&words.message),
                "check options.items: it names the field of the answer that has the list");
  }
  lua_rawgeti(L, 1, ITEMS);
  if (lua_istable(L, 4) && lbraze_raw_length(L, 3) > 0 && is_equal(L, 3, 4, 0))
    refuse_walk(L, BRAZE_PROTOCOL, "the service answered with the same page twice",
                "the list would never end: call for single pages, and look at what comes");
  lua_settop(L, 3);
  set_slot(L, 1, ITEMS);
  set_integer(L, 1, INDEX, 0);
  set_integer(L, 1, PAGE_COUNT, get_integer(L, 1, PAGE_COUNT) + 1);
  lua_rawgeti(L, 1, BY_LINK);
  if (lua_toboolean(L, 3))
    lua_getfield(L, 2, "next");
  else
    lua_pushnil(L);
  lua_remove(L, 3);
  if (lua_istable(L, 3)) {
    lua_Integer count;
    lua_rawgeti(L, 1, ITEMS);
    count = (lua_Integer)lbraze_raw_length(L, -1);
    lua_pop(L, 1);
    set_slot(L, 1, NEXT);
    lua_pushboolean(L, count == 0);
    set_slot(L, 1, ENDED);
    set_integer(L, 1, NUMBER, get_integer(L, 1, NUMBER) + 1);
    return 0;
  }
  lua_rawgeti(L, 1, NEXT);
  if (lua_istable(L, -1)) { /* the page before had a next one, and this has none */
    lua_pushboolean(L, true);
    set_slot(L, 1, ENDED);
    return 0;
  }
  lua_settop(L, 2);
  lua_rawgeti(L, 1, PARAMS);
  lua_rawgeti(L, 1, ITEMS);
  plan_next(L, 3, (lua_Integer)lbraze_raw_length(L, 4));
  return 0;
}

/* [-0, +0] Sets the page's number in the error on top of the stack. */
static void set_page(lua_State *L, int number) {
  if (!lbraze_is_error(L, -1)) return;
  lua_pushliteral(L, "page");
  lua_pushvalue(L, number);
  lua_rawset(L, -3);
}

/* [-0, +1, e] Asks for the next page of the walk at index 2; false where there is none. The client is at index 1. */
static bool fetch(lua_State *L) {
  lua_settop(L, 3); /* client, walk, name */
  lua_pushcfunction(L, lbraze_pages_ask);
  lua_pushvalue(L, 2);
  lua_call(L, 1, 3);
  if (lua_isnil(L, 4)) return false;
  lua_pushcfunction(L, lbraze_client_call);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 4);
  lua_pushvalue(L, 5);
  if (lua_pcall(L, 4, 1, 0) != 0) {
    set_page(L, 6);
    lua_error(L);
  }
  lua_pushcfunction(L, lbraze_pages_take);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 7);
  lua_call(L, 2, 0);
  return true;
}

/* The iterator: client, walk and name are its upvalues. */
static int next_item(lua_State *L) {
  lua_settop(L, 0);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_pushvalue(L, lua_upvalueindex(2));
  lua_pushvalue(L, lua_upvalueindex(3));
  do {
    lua_settop(L, 3);
    lua_pushcfunction(L, lbraze_pages_item);
    lua_pushvalue(L, 2);
    lua_call(L, 1, 1);
    if (!lua_isnil(L, 4)) return 1;
  } while (fetch(L));
  lua_pushnil(L);
  return 1;
}

/* client:each(name, params [, options]) -> iterator */
int lbraze_client_each(lua_State *L) {
  bool safe;
  lbraze_check_open_client(L, "each");
  safe = lbraze_has_metatable(L, 1, LBRAZE_SAFE_CLIENT);
  lua_settop(L, 4);
  lua_pushcfunction(L, lbraze_pages_open);
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, 3);
  lua_pushvalue(L, 4);
  lua_call(L, 4, 1);
  lua_pushvalue(L, 1);
  lua_insert(L, -2);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, next_item, 3);
  if (safe) lua_pushcclosure(L, lbraze_safe_call, 1);
  return 1;
}
