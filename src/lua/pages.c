/* pages: how a list is walked through page by page: which page is asked for next, which item comes next, when the walk ends. The
   calls are made by who walks: client:each here, the modules for hosts in Lua, since a yield is possible in Lua alone. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "http/link.h"
#include "lua/userdata.h"

/* A walk is a table: what it was begun with, the page at hand, and how the next one is asked for. */
enum { CLIENT = 1, PARAMS, OPTIONS, ITEMS, INDEX, NUMBER, PAGE_COUNT, FULL, MAX_COUNT, FIELD, NEXT, ENDED, BY_PAGE, NAME, BY_LINK, READS, SLOT_COUNT };

/* --- The next page in a result ----------------------------------------------------------------------- */

/* [-0, +1, m] A part of a query, decoded. */
static void push_decoded(lua_State *L, const char *text, size_t length) {
  char memory[BRAZE_LINK_LIMIT + 1];
  struct braze_buffer decoded;
  braze_buffer_borrow(&decoded, memory, sizeof memory);
  braze_target_decode(&decoded, text, length);
  lua_pushlstring(L, memory, decoded.length);
}

/* [-2, +0, m] Adds the value on top of the stack to the list of the name below it, in the table below that. */
static void add_to_list(lua_State *L, const char *name, size_t length) {
  lua_pushlstring(L, name, length);
  lua_pushvalue(L, -1);
  lua_rawget(L, -5);
  if (!lua_istable(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -7);
  }
  lua_pushvalue(L, -3);
  lua_rawseti(L, -2, (int)lbraze_raw_length(L, -2) + 1);
  lua_pop(L, 4);
}

/* [-0, +0, m] Adds name=value to the table on top of the stack. A list has name[]=value for each of its values. */
static void add_pair(lua_State *L, const char *text, size_t length) {
  const char *equals = memchr(text, '=', length), *name;
  size_t name_length = equals ? (size_t)(equals - text) : length;
  if (name_length == 0) return;
  push_decoded(L, text, name_length);
  push_decoded(L, equals ? equals + 1 : "", equals ? length - name_length - 1 : 0);
  name = lua_tolstring(L, -2, &name_length);
  if (name_length > 2 && memcmp(name + name_length - 2, "[]", 2) == 0)
    add_to_list(L, name, name_length - 2);
  else
    lua_rawset(L, -3);
}

void lbraze_set_next(lua_State *L, const struct braze_settings *settings, const struct braze_buffer *link) {
  const char *query, *end;
  size_t length;
  if (link->length == 0 || !braze_link_next(braze_buffer_text(link), link->length, settings->authority, &query, &length)) return;
  lua_newtable(L);
  for (end = query + length; query < end; query += length + 1) {
    const char *mark = memchr(query, '&', (size_t)(end - query));
    length = (size_t)((mark ? mark : end) - query);
    add_pair(L, query, length);
  }
  lua_setfield(L, -2, "next");
}

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

/* [-0, +1, m] A copy of the table at index, empty where there is none; without the fields that are each's own. */
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

/* [-0, +0] The integer field of the table at index, or a value in its place. */
static lua_Integer integer_field(lua_State *L, int index, const char *name, lua_Integer otherwise) {
  lua_Integer value = otherwise;
  lua_pushstring(L, name);
  lua_rawget(L, index);
  if (lua_type(L, -1) == LUA_TNUMBER) value = lua_tointeger(L, -1);
  lua_pop(L, 1);
  return value;
}

static void remove_field(lua_State *L, int index, const char *name) {
  lua_pushstring(L, name);
  lua_pushnil(L);
  lua_rawset(L, index);
}

/* pages.open(client, name, params, options) -> walk. Raises for what is wrong with them. */
int lbraze_pages_open(lua_State *L) {
  struct lbraze_target target;
  struct lbraze_context context = {lbraze_settings_of(L, 1), NULL};
  struct lbraze_call_options options;
  const struct braze_settings defaults = {.limits = {BRAZE_DEFAULT_TIMEOUT, BRAZE_DEFAULT_CONNECT_TIMEOUT, BRAZE_DEFAULT_RETRIES}};
  const char *field;
  int walk;
  lua_settop(L, 4);
  lbraze_read_target(L, 2, context.settings, "each", &target);
  context.operation = target.name;
  if (!context.settings) context.settings = &defaults;
  if (target.operation || !lua_isnil(L, 3)) lbraze_check_params(L, 3, &context);
  lbraze_read_call_options(L, 4, LBRAZE_FOR_EACH, &context, &options);
  field = lua_isnil(L, options.items) ? (target.operation ? target.operation->items : NULL) : lua_tostring(L, options.items);
  if (!field)
    lbraze_refuse(L, &context, "name the field of its answer that has the list: options.items = \"catalogs\"", "%s is not known to answer with a list", target.name);
  lua_createtable(L, SLOT_COUNT, 0);
  walk = lua_gettop(L);
  lua_pushvalue(L, 1);
  set_slot(L, walk, CLIENT);
  push_copy(L, 3);
  set_slot(L, walk, PARAMS);
  push_copy(L, 4);
  remove_field(L, lua_gettop(L), "items");
  remove_field(L, lua_gettop(L), "max_pages");
  set_slot(L, walk, OPTIONS);
  lua_pushstring(L, field);
  set_slot(L, walk, FIELD);
  lua_pushboolean(L, target.operation ? target.operation->page != NULL : lua_istable(L, 3) && integer_field(L, 3, "page", -1) >= 0);
  set_slot(L, walk, BY_PAGE);
  set_integer(L, walk, NUMBER, lua_istable(L, 3) ? integer_field(L, 3, "page", 0) : 0);
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
  return 1;
}

/* pages.item(walk) -> the next item of the page at hand, or nil */
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

/* [-1, +0, m] Asks for the page whose query is on top of the stack, above parameters and options: it is the whole query, so that
   nothing of the one before goes with it. */
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
    refuse_walk(L, BRAZE_USAGE, "each has come to max_pages, and the list goes on", "raise options.max_pages, or go on from the page that err.page names");
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

/* The table of parameters at index of the next page, by its number or by what was seen so far; what ends the walk. */
static void plan_next(lua_State *L, int params, lua_Integer count) {
  lua_Integer full = get_integer(L, 1, FULL), limit = integer_field(L, params, "limit", 0), offset = integer_field(L, params, "offset", 0);
  bool by_page, ended = count == 0;
  lua_rawgeti(L, 1, BY_PAGE);
  by_page = lua_toboolean(L, -1);
  lua_pop(L, 1);
  if (full == 0) set_integer(L, 1, FULL, full = limit > 0 ? limit : count);
  if (count < full) ended = true;
  if (by_page) {
    set_integer(L, 1, NUMBER, get_integer(L, 1, NUMBER) + 1);
    lua_pushliteral(L, "page");
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

/* pages.take(walk, result): what came of the call */
int lbraze_pages_take(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  lua_rawgeti(L, 1, FIELD);
  lua_rawget(L, 2);
  if (!lua_istable(L, 3)) {
    struct lbraze_words words;
    lbraze_words_init(&words);
    lua_rawgeti(L, 1, FIELD);
    braze_buffer_print(&words.message, "the answer has no list in the field that options.items names, which is ");
    lbraze_say_value(L, 4, &words.message);
    refuse_walk(L, BRAZE_PROTOCOL, braze_buffer_text(&words.message), "check options.items: it names the field of the answer that has the list");
  }
  lua_rawgeti(L, 1, ITEMS);
  if (lua_istable(L, 4) && lbraze_raw_length(L, 3) > 0 && is_equal(L, 3, 4, 0))
    refuse_walk(L, BRAZE_PROTOCOL, "the service answered with the same page twice", "the list would never end: call for single pages, and look at what comes");
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
