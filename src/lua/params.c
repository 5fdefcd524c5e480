/* params: the parameters of a call: checked by the operation's row before anything is sent, then written as path, query and JSON
   body. A route has no row: its table goes out as it is. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "lua/binding.h"

#define MAX_SHOWN 64
#define MAX_SAFE_INTEGER 9007199254740991.0 /* 2^53 - 1: every Lua and every reader of JSON holds it exactly */

/* --- Checking ---------------------------------------------------------------------------------------- */

/* Raises for a string that breaks its field's rule. */
LBRAZE_RAISES static void refuse_text(lua_State *L, const struct lbraze_context *context, const struct braze_field *field,
                                      enum braze_text_fault fault, const char *text, size_t length, size_t position) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "%s ", field->name);
  if (fault != BRAZE_TEXT_EMPTY) braze_text_quote(&words.message, text, length, MAX_SHOWN);
  switch (fault) {
  case BRAZE_TEXT_EMPTY: braze_buffer_print(&words.message, "is empty"); break;
  case BRAZE_TEXT_TOO_LONG: braze_buffer_print(&words.message, " has %zu characters: at most %d are taken", length, BRAZE_MAX_SEND_ID); break;
  case BRAZE_TEXT_SPACE_AT_END: braze_buffer_print(&words.message, position == 1 ? " begins with a space" : " ends with a space"); break;
  case BRAZE_TEXT_NOT_PRINTABLE:
    braze_buffer_print(&words.message, " holds ");
    braze_text_name_character(&words.message, (unsigned char)text[position - 1]);
    braze_buffer_print(&words.message, ", at byte %zu of %zu", position, length);
    break;
  default: braze_buffer_print(&words.message, " is not UTF-8, at byte %zu of %zu", position, length); break;
  }
  if (fault == BRAZE_TEXT_EMPTY)
    braze_buffer_print(&words.hint, "%s", field->hint ? field->hint : "give it a value");
  else if (field->rule == BRAZE_SEND_ID)
    braze_buffer_print(&words.hint, "a send_id is 1 to %d printable ASCII characters, with no space at either end", BRAZE_MAX_SEND_ID);
  else
    braze_buffer_print(&words.hint, "convert it to UTF-8");
  words.operation = context->operation;
  lbraze_raise_usage(L, context->settings, &words);
}

/* What to do about a value of the wrong type; NULL where the message says enough. */
static const char *type_hint(const struct braze_field *field, int type) {
  switch (field->type) {
  case BRAZE_BOOLEAN: return type == LUA_TSTRING ? "write true or false without quotes" : NULL;
  case BRAZE_INTEGER: return type == LUA_TSTRING ? "write the number without quotes" : NULL;
  case BRAZE_LIST: return field->hint ? field->hint : "write a list: { \"first\", \"second\" }";
  default: return field->hint;
  }
}

/* The value of a field, at index, which is on top of the stack. */
static void check_type(lua_State *L, const struct lbraze_context *context, const struct braze_field *field, int index) {
  static const int types[] = {
      [BRAZE_STRING] = LUA_TSTRING, [BRAZE_INTEGER] = LUA_TNUMBER, [BRAZE_BOOLEAN] = LUA_TBOOLEAN, [BRAZE_OBJECT] = LUA_TTABLE, [BRAZE_LIST] = LUA_TTABLE};
  static const char *const names[] = {
      [BRAZE_STRING] = "a string", [BRAZE_INTEGER] = "an integer", [BRAZE_BOOLEAN] = "a boolean", [BRAZE_OBJECT] = "a table", [BRAZE_LIST] = "a list"};
  int type = lua_type(L, index);
  if (type != types[field->type]) lbraze_refuse_type(L, context, field->name, names[field->type], type_hint(field, type));
}

static bool is_safe_integer(double number) {
  return number >= -MAX_SAFE_INTEGER && number <= MAX_SAFE_INTEGER && (double)(int64_t)number == number;
}

static void check_integer(lua_State *L, const struct lbraze_context *context, const struct braze_field *field, int index) {
  double number = lua_tonumber(L, index);
  if (number != number) lbraze_refuse(L, context, field->hint, "%s is not a number (NaN): it must be an integer", field->name);
  if (!is_safe_integer(number))
    lbraze_refuse(L, context, field->hint, "%s is %.14g: it must be an integer", field->name, number);
  if (field->max > 0 && number > (double)field->max) lbraze_refuse(L, context, field->hint, "%s is %.14g: at most %ld is taken", field->name, number, field->max);
}

static bool is_empty(lua_State *L, int index) {
  lua_pushnil(L);
  if (!lua_next(L, index)) return true;
  lua_pop(L, 2);
  return false;
}

/* The table at index, whose values have been checked. */
static void check_shape(lua_State *L, const struct lbraze_context *context, const struct braze_field *field, int index) {
  size_t length = lbraze_raw_length(L, index);
  if (field->type == BRAZE_LIST && length == 0 && !is_empty(L, index))
    lbraze_refuse(L, context, type_hint(field, LUA_TTABLE), "%s must be a list, not a table with names", field->name);
  if (field->type == BRAZE_OBJECT && (length > 0 || lbraze_has_metatable(L, index, LBRAZE_LIST)))
    lbraze_refuse(L, context, field->hint ? field->hint : "write names and values: { name = value }", "%s must be a table with names, not a list", field->name);
  if (field->max > 0 && length > (size_t)field->max)
    lbraze_refuse(L, context, "split it into several calls", "%s has %zu entries: at most %ld are taken", field->name, length, field->max);
}

/* The value of field i, on top of the stack, where it stays. */
static void check_field(lua_State *L, struct lbraze_params *params, int i) {
  const struct braze_field *field = &params->target->operation->fields[i];
  int index = lua_gettop(L);
  check_type(L, params->context, field, index);
  if (field->type == BRAZE_STRING) {
    size_t length, position;
    const char *text = lua_tolstring(L, index, &length);
    enum braze_text_fault fault;
    if (length > BRAZE_MAX_BODY) lbraze_raise_too_large(L, params->context, field->name, length); /* before each byte is looked at */
    params->bytes += length;
    fault = braze_field_check(field, text, length, &position);
    if (fault != BRAZE_TEXT_GOOD) refuse_text(L, params->context, field, fault, text, length, position);
    if (field->place == BRAZE_IN_PATH && (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)) /* folded away, it would lead elsewhere */
      lbraze_refuse(L, params->context, field->hint, "%s is \"%s\", which no path can hold", field->name, text);
  } else if (field->type == BRAZE_INTEGER) {
    check_integer(L, params->context, field, index);
  } else if (field->type != BRAZE_BOOLEAN) {
    params->bytes += lbraze_check_value(L, index, field->name, params->index, params->context, &params->composed[i]);
    params->fractions = true;
    check_shape(L, params->context, field, index);
  }
  if (params->bytes > BRAZE_MAX_BODY) lbraze_raise_too_large(L, params->context, "the request", params->bytes);
}

static void read_fields(lua_State *L, struct lbraze_params *params) {
  const struct braze_field *fields = params->target->operation->fields;
  const char *known[LBRAZE_MAX_FIELDS];
  const struct lbraze_names names = {"parameter", params->target->name, known, braze_operation_field_count(params->target->operation)};
  int i;
  for (i = 0; i < names.count; i++) known[i] = fields[i].name;
  if (lbraze_find_unknown(L, params->index, &names)) lbraze_refuse_unknown(L, params->context, &names, lbraze_option_among_parameters(L, -1));
  for (i = 0; i < names.count; i++) {
    lua_pushstring(L, known[i]);
    lua_rawget(L, params->index);
    if (!lua_isnil(L, -1)) {
      params->slots[i] = lua_gettop(L);
      check_field(L, params, i);
    } else if (fields[i].required) {
      lbraze_refuse(L, params->context, fields[i].hint, "%s is missing", known[i]);
    }
  }
}

/* One value of a query, on top of the stack; `name` says which. */
static void check_query_value(lua_State *L, const struct lbraze_context *context, int table, const char *name) {
  int type = lua_type(L, -1);
  bool composed;
  size_t i;
  if (type == LUA_TTABLE && is_empty(L, lua_gettop(L)))
    lbraze_refuse(L, context, "leave it out, or give it a value: a query has no empty list", "%s is an empty table", name);
  if (type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN && !(type == LUA_TTABLE && lbraze_raw_length(L, -1) > 0))
    lbraze_refuse_type(L, context, name, "a string, a number, a boolean or a list of those", NULL);
  if (type == LUA_TNUMBER && is_safe_integer(lua_tonumber(L, -1))) return; /* written with all its digits */
  lbraze_check_value(L, -1, name, table, context, &composed);
  for (i = 1; type == LUA_TTABLE && i <= lbraze_raw_length(L, -1); i++) {
    lua_rawgeti(L, -1, (int)i);
    if (lua_istable(L, -1) || lua_islightuserdata(L, -1))
      lbraze_refuse(L, context, "a query holds strings, numbers, booleans and lists of those", "%s[%zu] is %s", name, i, lbraze_what(L, -1));
    lua_pop(L, 1);
  }
}

/* The values of a query: what a URL can hold. */
static void check_query(lua_State *L, const struct lbraze_context *context, int index) {
  lua_pushnil(L);
  while (lua_next(L, index)) {
    size_t length;
    const char *text;
    if (lua_type(L, -2) != LUA_TSTRING) lbraze_refuse(L, context, "write query = { name = value }", "the query has a value without a name (its key is %s)", lbraze_what(L, -2));
    text = lua_tolstring(L, -2, &length);
    if (strlen(text) < length) lbraze_refuse(L, context, NULL, "the query has a name that holds a NUL");
    if (braze_text_utf8_length(text, length) < length || length == 0) lbraze_refuse(L, context, NULL, "the query has a name that is %s", length == 0 ? "empty" : "not UTF-8");
    check_query_value(L, context, index, text);
    lua_pop(L, 1);
  }
}

/* The first field that has to be given, NULL where there is none. */
static const char *first_required(const struct braze_operation *operation) {
  const struct braze_field *field;
  for (field = operation->fields; field->name; field++)
    if (field->required) return field->name;
  return NULL;
}

void lbraze_check_params(lua_State *L, int index, const struct lbraze_context *context) {
  const struct braze_operation *operation;
  const char *required;
  struct lbraze_words words;
  lbraze_check_dot(L, index, context->operation);
  if (lua_istable(L, index)) return;
  operation = braze_operation_find(context->operation, strlen(context->operation));
  required = operation ? first_required(operation) : NULL;
  if (operation && operation->method == BRAZE_GET && !required && lua_isnil(L, index)) { /* a read that needs nothing */
    lua_newtable(L);
    lua_replace(L, index);
    return;
  }
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "%s takes a table of parameters, not ", context->operation);
  if (lua_isnoneornil(L, index))
    braze_buffer_print(&words.message, "nothing");
  else
    lbraze_say_value(L, index, &words.message);
  braze_buffer_print(&words.hint, "write %s%s{%s = ...}", lua_isuserdata(L, index) ? "client:" : "", context->operation, required ? required : "name");
  words.operation = context->operation;
  lbraze_raise_usage(L, context->settings, &words);
}

void lbraze_read_params(lua_State *L, int index, const struct lbraze_target *target, const struct lbraze_context *context,
                        const struct lbraze_call_options *options, struct lbraze_params *params) {
  memset(params, 0, sizeof *params);
  params->target = target;
  params->context = context;
  params->options = options;
  params->index = index;
  lbraze_check_stack(L, LBRAZE_MAX_FIELDS + 16, target->name);
  if (target->operation) {
    read_fields(L, params);
  } else if (!lua_isnoneornil(L, index)) {
    if (!lua_istable(L, index)) {
      lua_pushvalue(L, index);
      lbraze_refuse_type(L, context, "the parameters", "a table", "write { name = value }, or leave them out");
    }
    params->slots[0] = index;
    params->fractions = true;
    if (target->route.method == BRAZE_GET)
      check_query(L, context, index);
    else
      lbraze_check_value(L, index, NULL, 0, context, &params->composed[0]);
  }
  if (lua_isnil(L, options->query)) return;
  params->fractions = true;
  check_query(L, context, options->query);
}

/* --- Writing ----------------------------------------------------------------------------------------- */

/* Raises unless all was written: the buffer is full, or there is no memory. */
static void check_written(lua_State *L, const struct lbraze_params *params, const struct braze_buffer *out, bool written) {
  if (written) return;
  if (out->length < out->limit) luaL_error(L, "not enough memory");
  if (out->limit == BRAZE_MAX_TARGET) lbraze_refuse(L, params->context, "give what is long in the body", "the path and the query have more than %u bytes", BRAZE_MAX_TARGET);
  lbraze_raise_too_large(L, params->context, "the request", (size_t)BRAZE_MAX_BODY + 1);
}

static void write_text(lua_State *L, const struct lbraze_params *params, struct braze_buffer *out, const char *text, size_t length) {
  check_written(L, params, out, braze_buffer_append(out, text, length));
}

/* [-0, +1, e] The value at index as a path or a query has it: a string, an integer, a boolean; another number as lua-cjson writes it. */
static const char *push_plain(lua_State *L, int index, size_t *length) {
  const double number = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : 0.5;
  char digits[32];
  if (lua_type(L, index) == LUA_TBOOLEAN) {
    lua_pushstring(L, lua_toboolean(L, index) ? "true" : "false");
  } else if (is_safe_integer(number)) {
    braze_text_print(digits, sizeof digits, "%lld", (long long)number);
    lua_pushstring(L, digits);
  } else if (lua_type(L, index) == LUA_TNUMBER) {
    lbraze_push_encode(L);
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
  } else {
    lua_pushvalue(L, index);
  }
  return lua_tolstring(L, -1, length);
}

/* The path with its fields filled in; a path without any is taken as it stands. */
static void write_path(lua_State *L, const struct lbraze_params *params, struct braze_request *request) {
  const struct braze_operation *operation = params->target->operation;
  const char *at = operation->path, *brace;
  while ((brace = strchr(at, '{')) != NULL) {
    const char *end = strchr(brace, '}'), *text;
    size_t length;
    text = push_plain(L, params->slots[braze_operation_field(operation, brace + 1, (size_t)(end - brace - 1))], &length);
    write_text(L, params, &request->built, at, (size_t)(brace - at));
    check_written(L, params, &request->built, braze_target_encode(&request->built, text, length));
    lua_pop(L, 1);
    at = end + 1;
  }
  if (at != operation->path) write_text(L, params, &request->built, at, strlen(at));
}

/* Raises: a finalizer or a debug hook has changed the query after it was checked. */
LBRAZE_RAISES static void refuse_changed(lua_State *L, const struct lbraze_params *params) {
  lbraze_refuse(L, params->context, NULL, "the query was changed while the call read it");
}

/* Adds name=value with the value at index; for a list name[]=value for each of its values. */
static void write_pair(lua_State *L, const struct lbraze_params *params, struct braze_request *request, const char *name, size_t name_length, int index) {
  size_t length, i;
  const char *text;
  if (lua_istable(L, index)) {
    char list_name[256];
    int written = snprintf(list_name, sizeof list_name, "%s[]", name);
    if (written < 0 || (size_t)written >= sizeof list_name) lbraze_refuse(L, params->context, NULL, "the query has a name of more than 250 bytes");
    for (i = 1; i <= lbraze_raw_length(L, index); i++) {
      lua_rawgeti(L, index, (int)i);
      if (lua_istable(L, -1)) refuse_changed(L, params);
      write_pair(L, params, request, list_name, (size_t)written, lua_gettop(L));
      lua_pop(L, 1);
    }
    return;
  }
  text = push_plain(L, index, &length);
  if (!text) refuse_changed(L, params);
  check_written(L, params, &request->built, braze_target_add_query(&request->built, name, name_length, text, length));
  lua_pop(L, 1);
}

/* Begins the target with the path, unless it was begun. */
static void begin_query(lua_State *L, const struct lbraze_params *params, struct braze_request *request) {
  const struct braze_operation *operation = params->target->operation;
  if (request->built.length > 0) return;
  if (operation)
    write_text(L, params, &request->built, operation->path, strlen(operation->path));
  else
    write_text(L, params, &request->built, params->target->route.path, params->target->route.length);
}

/* Adds what stands in the table at index, in an order that is the same each time for the same table. */
static void write_query_table(lua_State *L, const struct lbraze_params *params, struct braze_request *request, int index) {
  lua_pushnil(L);
  while (lua_next(L, index)) {
    size_t length;
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
    if (!name) refuse_changed(L, params);
    begin_query(L, params, request);
    write_pair(L, params, request, name, length, lua_gettop(L));
    lua_pop(L, 1);
  }
}

static void write_query(lua_State *L, const struct lbraze_params *params, struct braze_request *request) {
  const struct braze_operation *operation = params->target->operation;
  int i;
  for (i = 0; operation && operation->fields[i].name; i++) {
    if (operation->fields[i].place != BRAZE_IN_QUERY || !params->slots[i]) continue;
    begin_query(L, params, request);
    write_pair(L, params, request, operation->fields[i].name, strlen(operation->fields[i].name), params->slots[i]);
  }
  if (!operation && params->target->route.method == BRAZE_GET && params->slots[0]) write_query_table(L, params, request, params->slots[0]);
  if (!lua_isnil(L, params->options->query)) write_query_table(L, params, request, params->options->query);
}

static void write_field(lua_State *L, const struct lbraze_params *params, int i, struct braze_buffer *body) {
  const struct braze_field *field = &params->target->operation->fields[i];
  int slot = params->slots[i];
  size_t length;
  const char *text;
  write_text(L, params, body, body->length == 0 ? "{\"" : ",\"", 2);
  write_text(L, params, body, field->name, strlen(field->name));
  write_text(L, params, body, "\":", 2);
  if (field->type == BRAZE_INTEGER || field->type == BRAZE_BOOLEAN) {
    text = push_plain(L, slot, &length);
    write_text(L, params, body, text, length);
    lua_pop(L, 1);
  } else if (field->type == BRAZE_LIST && lbraze_raw_length(L, slot) == 0) {
    write_text(L, params, body, "[]", 2);
  } else {
    check_written(L, params, body, lbraze_append_json(L, slot, params->composed[i], params->context, body));
  }
}

/* Whether a call of the operation has a body: without a field in it, what deletes has none. */
static bool has_body(const struct braze_operation *operation) {
  int i;
  for (i = 0; operation->fields[i].name; i++)
    if (operation->fields[i].place == BRAZE_IN_BODY) return true;
  return operation->method != BRAZE_DELETE;
}

static void write_body(lua_State *L, const struct lbraze_params *params, struct braze_request *request) {
  const struct braze_operation *operation = params->target->operation;
  int i;
  if (request->method == BRAZE_GET) return;
  if (!operation) {
    if (params->slots[0]) check_written(L, params, &request->body, lbraze_append_json(L, params->slots[0], params->composed[0], params->context, &request->body));
    return;
  }
  if (!has_body(operation)) return;
  for (i = 0; operation->fields[i].name; i++)
    if (operation->fields[i].place == BRAZE_IN_BODY && params->slots[i]) write_field(L, params, i, &request->body);
  if (request->body.length == 0) write_text(L, params, &request->body, "{", 1);
  write_text(L, params, &request->body, "}", 1);
}

static void write_shown(lua_State *L, const struct lbraze_params *params, struct braze_request *request) {
  const struct braze_field *fields = params->target->operation->fields;
  int i;
  for (i = 0; fields[i].name; i++) {
    size_t length = 0;
    const char *text = NULL;
    if (!fields[i].shown) continue;
    if (params->slots[i]) text = push_plain(L, params->slots[i], &length);
    check_written(L, params, &request->values, braze_request_show(request, fields[i].name, text, length, fields[i].rule == BRAZE_SEND_ID));
    if (text) lua_pop(L, 1);
  }
}

/* Whether the field that makes a repeat harmless is given. */
static bool has_key(lua_State *L, const struct lbraze_params *params, const char *key) {
  bool given;
  if (params->target->operation) return params->slots[braze_operation_field(params->target->operation, key, strlen(key))] != 0;
  if (!params->slots[0]) return false;
  lua_pushstring(L, key);
  lua_rawget(L, params->slots[0]);
  given = lua_type(L, -1) == LUA_TSTRING && lbraze_raw_length(L, -1) > 0;
  lua_pop(L, 1);
  return given;
}

/* A route with the method and the path of an operation follows the rule of that operation. */
static bool is_repeatable(lua_State *L, const struct lbraze_params *params) {
  const struct braze_target *route = &params->target->route;
  const struct braze_operation *operation = params->target->operation;
  if (!operation) operation = braze_operation_match(route->method, route->path, route->length);
  if (!operation) return params->options->repeatable || route->method == BRAZE_GET;
  switch (operation->repeat) {
  case BRAZE_NEVER_AGAIN: return false;
  case BRAZE_WITH_KEY: return has_key(L, params, operation->key);
  default: return true;
  }
}

static void write_name(lua_State *L, const struct lbraze_params *params, struct braze_request *request) {
  if (params->target->operation) {
    request->name = params->target->operation->name;
    return;
  }
  write_text(L, params, &request->named, params->target->name, strlen(params->target->name));
  request->name = braze_buffer_text(&request->named);
}

void lbraze_write_request(lua_State *L, const struct lbraze_params *params, struct braze_request *request) {
  const struct braze_operation *operation = params->target->operation;
  lbraze_check_json(L, params->fractions);
  request->method = operation ? operation->method : params->target->route.method;
  request->subject = operation;
  request->max_response = operation ? operation->max_response : BRAZE_MAX_ROUTE_RESPONSE;
  request->repeatable = is_repeatable(L, params);
  write_name(L, params, request);
  if (operation) write_path(L, params, request);
  write_query(L, params, request);
  if (!operation) begin_query(L, params, request);
  request->target = operation && request->built.length == 0 ? operation->path : braze_buffer_text(&request->built);
  write_body(L, params, request);
  if (operation) write_shown(L, params, request);
}
