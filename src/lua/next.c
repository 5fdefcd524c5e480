/* next: the query of the next page in a result, from the header Link. */
#include <string.h>

#include "http/link.h"
#include "lua/binding.h"

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
