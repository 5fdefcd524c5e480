/* core_service: operation.h, target.h, link.h, instance.h and endpoint.h as Lua functions for specs. core.c alone includes it, behind
   its helpers. */
#ifndef BRAZE_SPEC_CORE_SERVICE_H
#define BRAZE_SPEC_CORE_SERVICE_H

#include "core_objects.h"
#include "http/link.h"
#include "http/url.h"
#include "service/endpoint.h"
#include "service/instance.h"
#include "service/operation.h"
#include "service/target.h"

/* --- operation --------------------------------------------------------------------------------------- */

/* operation.rows() -> of each row: name, path, key, lost, makes, the fields of path and query and body */
static int operation_rows(lua_State *L) {
  static const char *const repeats[] = {"never", "reads", "with key", "same state"};
  const struct braze_operation *operation;
  size_t i;
  int j;
  lua_newtable(L);
  for (i = 0; (operation = braze_operation_at(i)) != NULL; i++) {
    lua_newtable(L);
    set_text(L, "name", operation->name);
    set_text(L, "method", braze_method_name(operation->method));
    set_text(L, "path", operation->path);
    set_text(L, "permission", operation->permission);
    set_text(L, "repeats", repeats[operation->repeat]);
    set_text(L, "key", operation->key);
    set_text(L, "makes", operation->makes);
    set_text(L, "lost", operation->lost);
    set_text(L, "items", operation->items);
    set_text(L, "page", operation->page);
    set_text(L, "answer", operation->success.field);
    set_number(L, "answer_type", operation->success.type);
    set_boolean(L, "says_success", operation->success.says_success);
    set_number(L, "page_size", operation->page_size);
    set_number(L, "max_response", (double)operation->max_response);
    lua_newtable(L);
    for (j = 0; j < braze_operation_field_count(operation); j++) {
      lua_newtable(L);
      set_text(L, "name", operation->fields[j].name);
      set_number(L, "place", operation->fields[j].place);
      set_number(L, "type", operation->fields[j].type);
      set_boolean(L, "required", operation->fields[j].required);
      set_boolean(L, "shown", operation->fields[j].shown);
      set_boolean(L, "is_send_id", operation->fields[j].rule == BRAZE_SEND_ID);
      set_number(L, "max", (double)operation->fields[j].max);
      set_text(L, "hint", operation->fields[j].hint);
      lua_rawseti(L, -2, j + 1);
    }
    lua_setfield(L, -2, "fields");
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

/* operation.find(name) -> the name of what was found, or nil */
static int operation_find(lua_State *L) {
  size_t length;
  const char *name = luaL_checklstring(L, 1, &length);
  const struct braze_operation *operation = braze_operation_find(name, length);
  lua_pushstring(L, operation ? operation->name : NULL);
  return 1;
}

/* operation.field(name of the operation, name) -> its place among the fields, from 0, or -1 */
static int operation_field(lua_State *L) {
  size_t length, name_length;
  const char *operation = luaL_checklstring(L, 1, &length), *name = luaL_checklstring(L, 2, &name_length);
  lua_pushinteger(L, braze_operation_field(braze_operation_find(operation, length), name, name_length));
  return 1;
}

static enum braze_method check_method(lua_State *L, int index) {
  int method = 0;
  while (method < BRAZE_METHOD_COUNT && strcmp(braze_method_name((enum braze_method)method), luaL_checkstring(L, index)) != 0) method++;
  luaL_argcheck(L, method < BRAZE_METHOD_COUNT, index, "a method is wanted");
  return (enum braze_method)method;
}

/* operation.match(method, path) -> the name of what was found, or nil */
static int operation_match(lua_State *L) {
  size_t length;
  const char *path = luaL_checklstring(L, 2, &length);
  const struct braze_operation *operation = braze_operation_match(check_method(L, 1), path, length);
  lua_pushstring(L, operation ? operation->name : NULL);
  return 1;
}

/* operation.check({ send_id = , required = }, text) -> "good" or the fault, and the position */
static int operation_check(lua_State *L) {
  static const char *const faults[] = {"good", "empty", "too long", "not printable", "a space at an end", "not UTF-8"};
  struct braze_field field = {0};
  size_t length, position = 0;
  const char *text = luaL_checklstring(L, 2, &length);
  luaL_checktype(L, 1, LUA_TTABLE);
  field.rule = boolean_field(L, "send_id") ? BRAZE_SEND_ID : BRAZE_ANY_TEXT;
  field.required = boolean_field(L, "required");
  lua_pushstring(L, faults[braze_field_check(&field, text, length, &position)]);
  lua_pushinteger(L, (lua_Integer)position);
  return 2;
}

/* --- target ------------------------------------------------------------------------------------------ */

/* target.read("METHOD /path") -> method, path; or nil, message, hint */
static int target_read(lua_State *L) {
  struct braze_target target;
  struct words words;
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  words_init(&words);
  if (!braze_target_read(text, length, &target, &words.message, &words.hint)) return push_refusal(L, &words);
  lua_pushstring(L, braze_method_name(target.method));
  lua_pushlstring(L, target.path, target.length);
  return 2;
}

/* target.query(target, name, value) -> the target with the pair; target.query(text) -> the text decoded */
static int target_query(lua_State *L) {
  char memory[4096];
  struct braze_buffer out;
  size_t length, name_length, value_length;
  const char *text = luaL_checklstring(L, 1, &length), *name = lua_tolstring(L, 2, &name_length), *value = lua_tolstring(L, 3, &value_length);
  braze_buffer_borrow(&out, memory, sizeof memory);
  if (!name) {
    braze_target_decode(&out, text, length);
  } else {
    braze_buffer_append(&out, text, length);
    braze_target_add_query(&out, name, name_length, value, value_length);
  }
  lua_pushlstring(L, memory, out.length);
  return 1;
}

/* --- link -------------------------------------------------------------------------------------------- */

/* link.next(header, authority) -> the query of the next page, or nil */
static int link_next(lua_State *L) {
  size_t length, query_length;
  const char *text = luaL_checklstring(L, 1, &length), *query;
  if (!braze_link_next(text, length, luaL_checkstring(L, 2), &query, &query_length)) return 0;
  lua_pushlstring(L, query, query_length);
  return 1;
}

/* --- instance ---------------------------------------------------------------------------------------- */

static int instance_list(lua_State *L) {
  const struct braze_instance *instance;
  size_t i;
  lua_newtable(L);
  for (i = 0; (instance = braze_instance_at(i)) != NULL; i++) {
    lua_newtable(L);
    set_text(L, "name", instance->name);
    set_text(L, "url", instance->url);
    set_text(L, "dashboard", instance->dashboard);
    lua_rawseti(L, -2, (int)i + 1);
  }
  return 1;
}

static int instance_is_loopback(lua_State *L) {
  lua_pushboolean(L, braze_url_is_loopback(luaL_checkstring(L, 1)));
  return 1;
}

/* instance.resolve(text) -> { url, host, secure, loopback }, or nil, message, hint */
static int instance_resolve(lua_State *L) {
  struct braze_endpoint endpoint;
  struct words words;
  struct braze_buffer *url;
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  int failure;
  bool kept;
  words_init(&words);
  url = push_buffer(L, 4096, 0);
  failure = braze_endpoint_read(text, length, &endpoint, &words.message, &words.hint);
  /* From here Lua may raise: the finalizer of a buffer of Lua's takes over. */
  kept = braze_buffer_append(url, braze_buffer_text(&endpoint.url), endpoint.url.length);
  braze_endpoint_free(&endpoint);
  if (!kept || failure == ENOMEM) return luaL_error(L, "not enough memory");
  if (failure != 0) return push_refusal(L, &words);
  lua_newtable(L);
  set_text(L, "url", braze_buffer_text(url));
  set_text(L, "host", endpoint.host);
  set_boolean(L, "secure", endpoint.secure);
  set_boolean(L, "loopback", endpoint.loopback);
  return 1;
}

#endif
