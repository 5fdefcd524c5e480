/* operations: braze.operations, the operations as data; braze.null and braze.list, for JSON that no other Lua value can be. */
#include "lua/binding.h"

static const char *type_name(enum braze_field_type type) {
  static const char *const names[] = {[BRAZE_STRING] = "string",
                                      [BRAZE_INTEGER] = "integer",
                                      [BRAZE_BOOLEAN] = "boolean",
                                      [BRAZE_OBJECT] = "object",
                                      [BRAZE_LIST] = "list"};
  return names[type];
}

static const char *place_name(enum braze_field_place place) {
  static const char *const names[] = {[BRAZE_IN_BODY] = "body", [BRAZE_IN_QUERY] = "query", [BRAZE_IN_PATH] = "path"};
  return names[place];
}

/* [-0, +0, m] Sets a string field of the table on top of the stack; NULL is no field. */
static void set_text(lua_State *L, const char *name, const char *text) {
  if (!text) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

/* [-0, +1, m] { name, type, place, required [, max] [, hint] } */
static void push_field(lua_State *L, const struct braze_field *field) {
  lua_createtable(L, 0, 6);
  set_text(L, "name", field->name);
  set_text(L, "type", type_name(field->type));
  set_text(L, "place", place_name(field->place));
  set_text(L, "hint", field->hint);
  lua_pushboolean(L, field->required);
  lua_setfield(L, -2, "required");
  if (field->max == 0) return;
  lbraze_push_integer(L, field->max);
  lua_setfield(L, -2, "max");
}

static const char *repeat_name(enum braze_repeat repeat) {
  static const char *const names[] = {
      [BRAZE_NEVER_AGAIN] = "never", [BRAZE_READS] = "always", [BRAZE_WITH_KEY] = "with_key", [BRAZE_SAME_STATE] = "always"};
  return names[repeat];
}

/* [-0, +1, m] { method, path, permission, parameters, repeated [, key] [, items] } */
static void push_operation(lua_State *L, const struct braze_operation *operation) {
  int i;
  lua_createtable(L, 0, 7);
  set_text(L, "method", braze_method_name(operation->method));
  set_text(L, "path", operation->path);
  set_text(L, "permission", operation->permission);
  set_text(L, "repeated", repeat_name(operation->repeat));
  set_text(L, "key", operation->key);
  set_text(L, "items", operation->items);
  lua_newtable(L);
  for (i = 0; operation->fields[i].name; i++) {
    push_field(L, &operation->fields[i]);
    lua_rawseti(L, -2, i + 1);
  }
  lua_setfield(L, -2, "parameters");
}

/* braze.list([t]) -> t, marked as a JSON array also when it is empty */
static int list(lua_State *L) {
  lua_settop(L, 1);
  lbraze_check_dot(L, 1, "list");
  if (lua_isnil(L, 1)) {
    lua_newtable(L);
    lua_replace(L, 1);
  }
  if (!lua_istable(L, 1))
    lbraze_refuse_argument(L, 1, NULL, "braze.list", "a table", "write braze.list{} or braze.list{ \"first\", \"second\" }");
  if (lua_getmetatable(L, 1) && !lbraze_has_metatable(L, 1, LBRAZE_LIST))
    lbraze_usage(L, "give it a table without a metatable: a copy of this one", "braze.list was called with a table that has a metatable");
  lbraze_get_registered(L, LBRAZE_LIST);
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return 1;
}

void lbraze_open_operations(lua_State *L, bool safe) {
  const struct braze_operation *operation;
  size_t i;
  lua_newtable(L);
  for (i = 0; (operation = braze_operation_at(i)) != NULL; i++) {
    push_operation(L, operation);
    lua_setfield(L, -2, operation->name);
  }
  lua_setfield(L, -2, "operations");
  lua_pushlightuserdata(L, NULL); /* lua-cjson's own null */
  lua_setfield(L, -2, "null");
  lbraze_new_metatable(L, LBRAZE_LIST, "braze.list");
  lua_pop(L, 1);
  lua_pushcfunction(L, list);
  if (safe) lua_pushcclosure(L, lbraze_safe_call, 1);
  lua_setfield(L, -2, "list");
}
