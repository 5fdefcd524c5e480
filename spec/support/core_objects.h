/* core_objects: the rooms of spec/support/core.c that own memory, as userdata with finalizers, and what all its rooms share.
   core.c alone includes it: the test build links one object of it. */
#ifndef BRAZE_SPEC_CORE_OBJECTS_H
#define BRAZE_SPEC_CORE_OBJECTS_H

#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "base/list.h"
#include "service/account.h"
#include "lua/compat.h"
#include "base/redact.h"
#include "base/secret.h"
#include "base/wipe.h"
#include "http/settings.h"
#include "base/heap.h"

#define BUFFER "braze.spec.buffer"
#define SETTINGS "braze.spec.settings"
#define HEAP "braze.spec.heap"

/* --- What the rooms share ---------------------------------------------------------------------------- */

struct words {
  struct braze_buffer message, hint;
  char message_text[4096], hint_text[4096];
};

static void words_init(struct words *words) {
  braze_buffer_borrow(&words->message, words->message_text, sizeof words->message_text);
  braze_buffer_borrow(&words->hint, words->hint_text, sizeof words->hint_text);
}

/* [-0, +3, m] nil, message, hint */
static int push_refusal(lua_State *L, const struct words *words) {
  lua_pushnil(L);
  lua_pushlstring(L, words->message.bytes, words->message.length);
  lua_pushlstring(L, words->hint.bytes, words->hint.length);
  return 3;
}

/* [-0, +0, m] Sets a field of the table on top of the stack; a NULL text and a negative number are no field. */
static void set_text(lua_State *L, const char *name, const char *text) {
  if (!text) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double value) {
  if (value < 0) return;
  lua_pushnumber(L, value);
  lua_setfield(L, -2, name);
}

static void set_boolean(lua_State *L, const char *name, bool value) {
  lua_pushboolean(L, value);
  lua_setfield(L, -2, name);
}

/* --- buffer ------------------------------------------------------------------------------------------ */

struct buffer_box {
  struct braze_buffer buffer;
  char memory[]; /* of a borrowed one */
};

/* [-0, +1, m] */
static struct braze_buffer *push_buffer(lua_State *L, size_t limit, size_t borrowed) {
  struct buffer_box *box = lbraze_new_userdata(L, sizeof *box + borrowed);
  braze_buffer_init(&box->buffer, limit);
  if (borrowed > 0) braze_buffer_borrow(&box->buffer, box->memory, borrowed);
  luaL_getmetatable(L, BUFFER);
  lua_setmetatable(L, -2);
  return &box->buffer;
}

static struct braze_buffer *check_buffer(lua_State *L) {
  return &((struct buffer_box *)luaL_checkudata(L, 1, BUFFER))->buffer;
}

/* buffer.new(limit) */
static int buffer_new(lua_State *L) {
  push_buffer(L, (size_t)luaL_checkinteger(L, 1), 0);
  return 1;
}

/* buffer.borrow(size): on memory of this userdata */
static int buffer_borrow(lua_State *L) {
  lua_Integer size = luaL_checkinteger(L, 1);
  luaL_argcheck(L, size >= 1 && size <= 65536, 1, "from 1 to 65536 bytes");
  push_buffer(L, 0, (size_t)size);
  return 1;
}

static int buffer_append(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  lua_pushboolean(L, braze_buffer_append(check_buffer(L), text, length));
  return 1;
}

/* buffer:open(): it grows as one does that no secret comes into */
static int buffer_open(lua_State *L) {
  check_buffer(L)->open = true;
  return 0;
}

static int buffer_reserve(lua_State *L) {
  lua_pushboolean(L, braze_buffer_reserve(check_buffer(L), (size_t)luaL_checkinteger(L, 2)));
  return 1;
}

static int buffer_print(lua_State *L) {
  lua_pushboolean(L, braze_buffer_print(check_buffer(L), "%s=%d", luaL_checkstring(L, 2), (int)luaL_checkinteger(L, 3)));
  return 1;
}

static int buffer_clear(lua_State *L) {
  braze_buffer_clear(check_buffer(L));
  return 0;
}

static int buffer_free(lua_State *L) {
  braze_buffer_free(check_buffer(L));
  return 0;
}

/* buffer:read() -> text, length, capacity, the length of the text as C sees it */
static int buffer_read(lua_State *L) {
  const struct braze_buffer *buffer = check_buffer(L);
  const char *text = braze_buffer_text(buffer);
  lua_pushlstring(L, text, buffer->length);
  lua_pushinteger(L, (lua_Integer)buffer->length);
  lua_pushinteger(L, (lua_Integer)buffer->capacity);
  lua_pushinteger(L, (lua_Integer)strlen(text));
  return 4;
}

/* --- settings, secret -------------------------------------------------------------------------------- */

struct settings_box {
  struct braze_settings *settings;
};

/* settings.new() */
static int settings_new(lua_State *L) {
  struct settings_box *box = lbraze_new_userdata(L, sizeof *box);
  box->settings = NULL;
  luaL_getmetatable(L, SETTINGS);
  lua_setmetatable(L, -2);
  box->settings = braze_settings_new();
  return box->settings ? 1 : luaL_error(L, "not enough memory");
}

static struct braze_settings *check_settings(lua_State *L) {
  return ((struct settings_box *)luaL_checkudata(L, 1, SETTINGS))->settings;
}

static int settings__gc(lua_State *L) {
  struct settings_box *box = luaL_checkudata(L, 1, SETTINGS);
  braze_settings_release(box->settings);
  box->settings = NULL;
  return 0;
}

/* [-0, +1 or 3, m] true, or nil, message, hint */
static int push_taken(lua_State *L, int failure, const struct words *words) {
  if (failure != 0) return push_refusal(L, words);
  lua_pushboolean(L, true);
  return 1;
}

typedef int (*setter)(struct braze_settings *settings, const char *text, size_t length, struct braze_buffer *message,
                      struct braze_buffer *hint);

static int set_by(lua_State *L, setter set) {
  struct words words;
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  words_init(&words);
  return push_taken(L, set(check_settings(L), text, length, &words.message, &words.hint), &words);
}

static int settings_set_api_key(lua_State *L) {
  return set_by(L, braze_account_set_api_key);
}

static int settings_set_endpoint(lua_State *L) {
  return set_by(L, braze_account_set_endpoint);
}

static int settings_set_ca_file(lua_State *L) {
  return set_by(L, braze_settings_set_ca_file);
}

/* settings:set_proxy(text [, no_proxy]) */
static int settings_set_proxy(lua_State *L) {
  struct words words;
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length), *no_proxy = luaL_optstring(L, 3, NULL);
  words_init(&words);
  return push_taken(L, braze_settings_set_proxy(check_settings(L), text, length, no_proxy, &words.message, &words.hint), &words);
}

/* settings:set_secret(which, text): past every check, since a secret may be any bytes */
static int settings_set_secret(lua_State *L) {
  static const char *const names[] = {"api_key", "proxy_user", "proxy_password", NULL};
  struct braze_secrets *secrets = check_settings(L)->secrets;
  int which = luaL_checkoption(L, 2, NULL, names);
  size_t length;
  const char *text = luaL_checklstring(L, 3, &length);
  bool kept;
  luaL_argcheck(L, !secrets->texts[which], 2, "is set already");
  kept = which == BRAZE_SECRET_API_KEY ? braze_secrets_set_api_key(secrets, text, length) : braze_secrets_set(secrets, which, text, length);
  return kept ? 0 : luaL_error(L, "not enough memory");
}

/* settings:read() -> what was set */
static int settings_read(lua_State *L) {
  const struct braze_settings *settings = check_settings(L);
  lua_newtable(L);
  set_text(L, "api_key", settings->secrets->texts[BRAZE_SECRET_API_KEY]);
  set_text(L, "proxy_user", settings->secrets->texts[BRAZE_SECRET_PROXY_USER]);
  set_text(L, "proxy_password", settings->secrets->texts[BRAZE_SECRET_PROXY_PASSWORD]);
  set_text(L, "authorization", settings->secrets->authorization);
  set_text(L, "url", settings->url);
  set_text(L, "authority", settings->authority);
  set_text(L, "ca_file", settings->ca_file);
  set_text(L, "proxy", settings->proxy);
  set_text(L, "no_proxy", settings->no_proxy);
  set_boolean(L, "secure", settings->secure);
  set_boolean(L, "loopback", settings->loopback);
  set_number(L, "timeout", settings->limits.timeout);
  set_number(L, "connect_timeout", settings->limits.connect_timeout);
  set_number(L, "retries", settings->limits.retries);
  set_number(L, "max_connections", settings->max_connections);
  return 1;
}

/* settings:redact(text [, limit [, own]]) -> text, whether all of it is there */
static int settings_redact(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  lua_Integer limit = luaL_optinteger(L, 3, 1 << 20);
  struct braze_own_text own = {NULL, 0};
  struct braze_buffer *out;
  bool whole;
  if (!lua_isnoneornil(L, 4)) own.text = luaL_checklstring(L, 4, &own.length);
  out = push_buffer(L, (size_t)limit, 0);
  whole = braze_redact(check_settings(L)->secrets, &own, text, length, out);
  lua_pushlstring(L, braze_buffer_text(out), out->length);
  lua_pushboolean(L, whole);
  return 2;
}

static int settings_found(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  lua_pushboolean(L, braze_redact_finds(check_settings(L)->secrets, NULL, text, length));
  return 1;
}

/* secret.wipe(text, count) -> the text after its first bytes were wiped */
static int secret_wipe(lua_State *L) {
  char memory[64];
  size_t length, count = (size_t)luaL_checkinteger(L, 2);
  const char *text = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length <= sizeof memory && count <= length, 1, "at most 64 bytes");
  memcpy(memory, text, length);
  braze_wipe(memory, count);
  lua_pushlstring(L, memory, length);
  return 1;
}

/* --- heap -------------------------------------------------------------------------------------------- */

struct heap_item {
  struct braze_heap_node node;
  bool added;
};

struct heap_box {
  struct braze_heap heap;
  size_t count;
  struct heap_item items[];
};

/* heap.new(count): with so many items, none of them in it */
static int heap_new(lua_State *L) {
  lua_Integer count = luaL_checkinteger(L, 1);
  struct heap_box *box;
  size_t size;
  luaL_argcheck(L, count >= 1 && count <= 10000, 1, "from 1 to 10000");
  size = sizeof *box + (size_t)count * sizeof *box->items;
  box = lbraze_new_userdata(L, size);
  memset(box, 0, size);
  box->count = (size_t)count;
  luaL_getmetatable(L, HEAP);
  lua_setmetatable(L, -2);
  return 1;
}

static struct heap_item *check_item(lua_State *L, struct heap_box *box) {
  lua_Integer number = luaL_checkinteger(L, 2);
  luaL_argcheck(L, number >= 1 && (size_t)number <= box->count, 2, "no such item");
  return &box->items[number - 1];
}

/* heap:add(number, due) */
static int heap_add(lua_State *L) {
  struct heap_box *box = luaL_checkudata(L, 1, HEAP);
  struct heap_item *item = check_item(L, box);
  double due = luaL_checknumber(L, 3);
  luaL_argcheck(L, !item->added, 2, "is in the heap");
  item->node.due = due;
  item->added = true;
  braze_heap_add(&box->heap, &item->node);
  return 0;
}

/* heap:remove(number) */
static int heap_remove(lua_State *L) {
  struct heap_box *box = luaL_checkudata(L, 1, HEAP);
  struct heap_item *item = check_item(L, box);
  braze_heap_remove(&box->heap, &item->node);
  item->added = false;
  return 0;
}

/* heap:first() -> number, due; nothing where it is empty */
static int heap_first(lua_State *L) {
  struct heap_box *box = luaL_checkudata(L, 1, HEAP);
  struct braze_heap_node *first = box->heap.first;
  if (!first) return 0;
  lua_pushinteger(L, (lua_Integer)(BRAZE_OWNER(first, struct heap_item, node) - box->items) + 1);
  lua_pushnumber(L, first->due);
  return 2;
}

/* --- Metatables -------------------------------------------------------------------------------------- */

/* [-0, +0, m] */
static void open_metatable(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction finalizer) {
  luaL_newmetatable(L, name);
  lua_newtable(L);
  lbraze_set_functions(L, methods);
  lua_setfield(L, -2, "__index");
  if (finalizer) {
    lua_pushcfunction(L, finalizer);
    lua_setfield(L, -2, "__gc");
  }
  lua_pop(L, 1);
}

static void open_objects(lua_State *L) {
  static const luaL_Reg buffer_methods[] = {
      {"append", buffer_append}, {"print", buffer_print}, {"clear", buffer_clear},
      {"free", buffer_free},     {"read", buffer_read},   {"reserve", buffer_reserve},
      {"open", buffer_open},     {NULL, NULL},
  };
  static const luaL_Reg settings_methods[] = {
      {"set_api_key", settings_set_api_key}, {"set_endpoint", settings_set_endpoint}, {"set_ca_file", settings_set_ca_file},
      {"set_proxy", settings_set_proxy},     {"set_secret", settings_set_secret},     {"read", settings_read},
      {"redact", settings_redact},           {"found", settings_found},               {NULL, NULL},
  };
  static const luaL_Reg heap_methods[] = {
      {"add", heap_add}, {"remove", heap_remove}, {"first", heap_first}, {NULL, NULL},
  };
  open_metatable(L, BUFFER, buffer_methods, buffer_free);
  open_metatable(L, SETTINGS, settings_methods, settings__gc);
  open_metatable(L, HEAP, heap_methods, NULL);
}

#endif
