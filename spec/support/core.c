/* core: the core's pure functions as a Lua module, for specs alone: one table for each room, in the test build. */
#include "core_objects.h"
#include "core_sockets.h"

#include "http/link.h"
#include "http/url.h"
#include "service/operation.h"
#include "service/target.h"
#include "http/headers.h"
#include "service/instance.h"
#include "http/outcome.h"
#include "http/retry.h"
#include "base/text.h"
#include "http/trust.h"

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

EXPORT int luaopen_braze_core_spec(lua_State *L);

/* Of spec/support/clock.c. */
int lbraze_spec_push_clock(lua_State *L);

/* [-0, +0, e] A field of the table at index 1. */
static double number_field(lua_State *L, const char *name, double otherwise) {
  double value;
  lua_getfield(L, 1, name);
  value = luaL_optnumber(L, -1, otherwise);
  lua_pop(L, 1);
  return value;
}

static bool boolean_field(lua_State *L, const char *name) {
  bool value;
  lua_getfield(L, 1, name);
  value = lua_toboolean(L, -1);
  lua_pop(L, 1);
  return value;
}

/* [-0, +0, e] The length of the list of strings at index. */
static int check_list(lua_State *L, int index) {
  int count = 0, type;
  luaL_checktype(L, index, LUA_TTABLE);
  do {
    lua_rawgeti(L, index, ++count);
    type = lua_type(L, -1);
    lua_pop(L, 1);
    luaL_argcheck(L, type == LUA_TSTRING || type == LUA_TNIL, index, "a list of strings is wanted");
  } while (type == LUA_TSTRING);
  return count - 1;
}

/* --- text -------------------------------------------------------------------------------------------- */

static int text_utf8_length(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushinteger(L, (lua_Integer)braze_text_utf8_length(text, length));
  return 1;
}

static int text_ascii_length(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushinteger(L, (lua_Integer)braze_text_ascii_length(text, length));
  return 1;
}

/* text.escape(text [, most [, room]]): at most as many bytes as told; room = what the buffer has left */
static int text_escape(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  char memory[4096];
  struct braze_buffer out;
  braze_buffer_borrow(&out, memory, (size_t)luaL_optinteger(L, 3, (lua_Integer)sizeof memory - 1) + 1);
  braze_text_escape(&out, text, length, (size_t)luaL_optinteger(L, 2, (lua_Integer)sizeof memory));
  lua_pushlstring(L, out.bytes, out.length);
  return 1;
}

static int text_same(lua_State *L) {
  size_t length;
  const char *left = luaL_checklstring(L, 1, &length);
  lua_pushboolean(L, braze_text_same(left, length, luaL_checkstring(L, 2)));
  return 1;
}

static int text_may_be_key(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushboolean(L, braze_text_may_be_key(text, length));
  return 1;
}

static int text_hex_value(lua_State *L) {
  lua_pushinteger(L, braze_text_hex_value(*luaL_checkstring(L, 1)));
  return 1;
}

/* The name stays valid: the list at index 2 keeps it. */
static const char *name_at(const void *state, int index) {
  lua_State *L = *(lua_State *const *)state;
  const char *name;
  lua_rawgeti(L, 2, index + 1);
  name = lua_tostring(L, -1);
  lua_pop(L, 1);
  return name;
}

/* text.nearest(text, names) -> name or nil */
static int text_nearest(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  int nearest = braze_text_nearest(text, length, name_at, &L, check_list(L, 2));
  if (nearest < 0)
    lua_pushnil(L);
  else
    lua_rawgeti(L, 2, nearest + 1);
  return 1;
}

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
    set_number(L, "max_response", (double)operation->max_response);
    lua_newtable(L);
    for (j = 0; j < braze_operation_field_count(operation); j++) {
      lua_newtable(L);
      set_text(L, "name", operation->fields[j].name);
      set_number(L, "place", operation->fields[j].place);
      set_number(L, "type", operation->fields[j].type);
      set_boolean(L, "required", operation->fields[j].required);
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
  struct braze_origin origin;
  struct words words;
  struct braze_buffer *url;
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  bool good, kept;
  words_init(&words);
  url = push_buffer(L, 4096, 0);
  good = braze_instance_resolve(text, length, &origin, &words.message, &words.hint);
  /* From here Lua may raise: the finalizer of a buffer of Lua's takes over. */
  kept = braze_buffer_append(url, braze_buffer_text(&origin.url), origin.url.length);
  braze_origin_free(&origin);
  if (!kept) return luaL_error(L, "not enough memory");
  if (!good) return push_refusal(L, &words);
  lua_newtable(L);
  set_text(L, "url", braze_buffer_text(url));
  set_text(L, "host", origin.host);
  set_boolean(L, "secure", origin.secure);
  set_boolean(L, "loopback", origin.loopback);
  return 1;
}

/* --- headers ----------------------------------------------------------------------------------------- */

static int headers_number(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushnumber(L, (lua_Number)braze_headers_number(text, length));
  return 1;
}

/* headers.retry_after(text, epoch) */
static int headers_retry_after(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushnumber(L, braze_headers_retry_after(text, length, luaL_checknumber(L, 2)));
  return 1;
}

/* headers.feed(lines, epoch) -> { limit, remaining, reset, retry_after, retry_after_unread, clock_ahead, coding, request_id,
   location }, what is there of them */
static int headers_feed(lua_State *L) {
  struct braze_headers headers;
  struct braze_outcome outcome; /* no body is appended, so it owns nothing */
  double epoch = luaL_checknumber(L, 2);
  int i, count = check_list(L, 1);
  braze_outcome_init(&outcome);
  braze_headers_init(&headers);
  for (i = 1; i <= count; i++) {
    size_t length;
    const char *line;
    lua_rawgeti(L, 1, i);
    line = lua_tolstring(L, -1, &length);
    braze_headers_line(&headers, line, length, epoch, &outcome);
    lua_pop(L, 1);
  }
  braze_headers_finish(&headers, &outcome);
  lua_newtable(L);
  set_number(L, "limit", (double)outcome.rate_limit.limit);
  set_number(L, "remaining", (double)outcome.rate_limit.remaining);
  set_number(L, "reset", (double)outcome.rate_limit.reset);
  set_number(L, "retry_after", outcome.retry_after);
  if (outcome.retry_after_unread) set_boolean(L, "retry_after_unread", true);
  if (outcome.clock_ahead != 0) {
    lua_pushnumber(L, outcome.clock_ahead);
    lua_setfield(L, -2, "clock_ahead");
  }
  set_text(L, "coding", outcome.coding[0] ? outcome.coding : NULL);
  set_text(L, "request_id", outcome.request_id[0] ? outcome.request_id : NULL);
  set_text(L, "location", outcome.location[0] ? outcome.location : NULL);
  return 1;
}

/* --- outcome, retry ---------------------------------------------------------------------------------- */

/* [-0, +0, e] The outcome that the table at index 1 describes, classified as a transfer does it. */
static void read_outcome(lua_State *L, struct braze_outcome *outcome) {
  int kind = 0;
  luaL_checktype(L, 1, LUA_TTABLE);
  braze_outcome_init(outcome);
  outcome->status = (int)number_field(L, "status", 0);
  outcome->proxy_status = (int)number_field(L, "proxy_status", 0);
  outcome->retry_after = number_field(L, "retry_after", BRAZE_ABSENT);
  outcome->retry_after_unread = boolean_field(L, "retry_after_unread");
  outcome->clock_ahead = number_field(L, "clock_ahead", 0);
  outcome->rate_limit.reset = (int64_t)number_field(L, "reset", BRAZE_ABSENT);
  outcome->answered = boolean_field(L, "answered");
  outcome->trust_failed = boolean_field(L, "trust_failed");
  outcome->request_sent = boolean_field(L, "request_sent") || outcome->status > 0;
  outcome->used_before = boolean_field(L, "used_before");
  outcome->maybe_applied = boolean_field(L, "maybe_applied");
  lua_getfield(L, 1, "kind");
  if (!lua_isnil(L, -1)) {
    const char *name = luaL_checkstring(L, -1);
    while (kind < BRAZE_KIND_COUNT && strcmp(braze_kind_name((enum braze_kind)kind), name) != 0) kind++;
    if (kind == BRAZE_KIND_COUNT) luaL_error(L, "%s is no kind", name);
    braze_outcome_fail(outcome, (enum braze_kind)kind);
  } else if (outcome->status >= 300 || outcome->status == 0) {
    braze_outcome_classify_status(outcome);
  }
  lua_pop(L, 1);
}

/* outcome.classify(outcome) -> kind, maybe_applied */
static int outcome_classify(lua_State *L) {
  struct braze_outcome outcome;
  read_outcome(L, &outcome);
  if (boolean_field(L, "rejected_answer")) braze_outcome_reject_answer(&outcome);
  lua_pushstring(L, braze_kind_name(outcome.kind));
  lua_pushboolean(L, outcome.maybe_applied);
  return 2;
}

/* retry.decide(everything that decides, in one table) -> whether again, after how many seconds (nil if not), tokens left */
static int retry_decide(lua_State *L) {
  struct braze_outcome outcome;
  struct braze_retry_call call;
  struct braze_retry_time time;
  struct braze_bucket bucket;
  double at = 0;
  bool again;
  read_outcome(L, &outcome);
  call.repeatable = boolean_field(L, "repeatable");
  call.retries = (int)number_field(L, "retries", 2);
  call.tries = (int)number_field(L, "tries", 1);
  call.deadline = number_field(L, "deadline", 1030);
  time.now = number_field(L, "now", 1000);
  time.epoch = number_field(L, "epoch", 1800000000);
  time.random = number_field(L, "random", 0.5);
  atomic_init(&bucket.tokens, (int)number_field(L, "tokens", 500));
  again = braze_retry_decide(&call, &outcome, &time, &bucket, &at);
  lua_pushboolean(L, again);
  if (again)
    lua_pushnumber(L, at - time.now);
  else
    lua_pushnil(L);
  lua_pushinteger(L, atomic_load(&bucket.tokens));
  return 3;
}

/* retry.at(outcome) -> epoch seconds, negative where the service did not say */
static int retry_at(lua_State *L) {
  struct braze_outcome outcome;
  read_outcome(L, &outcome);
  lua_pushnumber(L, braze_retry_at(&outcome, number_field(L, "epoch", 1800000000)));
  return 1;
}

/* retry.bucket([tokens [, successes]]) -> the tokens after so many successes; without arguments those of a new bucket */
static int retry_bucket(lua_State *L) {
  struct braze_bucket bucket;
  lua_Integer i, successes = luaL_optinteger(L, 2, 0);
  braze_bucket_init(&bucket);
  if (!lua_isnoneornil(L, 1)) atomic_store(&bucket.tokens, (int)luaL_checkinteger(L, 1));
  for (i = 0; i < successes; i++) braze_bucket_reward(&bucket);
  lua_pushinteger(L, atomic_load(&bucket.tokens));
  return 1;
}

/* --- trust ------------------------------------------------------------------------------------------- */

static int trust_is_hashed(lua_State *L) {
  lua_pushboolean(L, braze_trust_is_hashed(luaL_checkstring(L, 1)));
  return 1;
}

/* --- The module -------------------------------------------------------------------------------------- */

static const luaL_Reg text_functions[] = {
    {"utf8_length", text_utf8_length}, {"ascii_length", text_ascii_length}, {"escape", text_escape}, {"same", text_same}, {"may_be_key", text_may_be_key},
    {"hex_value", text_hex_value},     {"nearest", text_nearest},           {NULL, NULL},
};
static const luaL_Reg operation_functions[] = {
    {"rows", operation_rows}, {"find", operation_find}, {"match", operation_match}, {"check", operation_check}, {NULL, NULL}};
static const luaL_Reg target_functions[] = {{"read", target_read}, {"query", target_query}, {NULL, NULL}};
static const luaL_Reg link_functions[] = {{"next", link_next}, {NULL, NULL}};
static const luaL_Reg instance_functions[] = {
    {"list", instance_list}, {"resolve", instance_resolve}, {"is_loopback", instance_is_loopback}, {NULL, NULL}};
static const luaL_Reg buffer_functions[] = {{"new", buffer_new}, {"borrow", buffer_borrow}, {NULL, NULL}};
static const luaL_Reg settings_functions[] = {{"new", settings_new}, {NULL, NULL}};
static const luaL_Reg secret_functions[] = {{"wipe", secret_wipe}, {NULL, NULL}};
static const luaL_Reg headers_functions[] = {
    {"feed", headers_feed}, {"number", headers_number}, {"retry_after", headers_retry_after}, {NULL, NULL}};
static const luaL_Reg outcome_functions[] = {{"classify", outcome_classify}, {NULL, NULL}};
static const luaL_Reg retry_functions[] = {{"decide", retry_decide}, {"at", retry_at}, {"bucket", retry_bucket}, {NULL, NULL}};
static const luaL_Reg heap_functions[] = {{"new", heap_new}, {NULL, NULL}};
static const luaL_Reg sockets_functions[] = {{"new", sockets_new}, {NULL, NULL}};
static const luaL_Reg trust_functions[] = {{"is_hashed", trust_is_hashed}, {NULL, NULL}};

static const struct {
  const char *name;
  const luaL_Reg *functions;
} rooms[] = {
    {"text", text_functions},       {"operation", operation_functions}, {"target", target_functions}, {"link", link_functions}, {"instance", instance_functions},
    {"buffer", buffer_functions},   {"settings", settings_functions}, {"secret", secret_functions},
    {"headers", headers_functions}, {"outcome", outcome_functions},   {"retry", retry_functions},
    {"heap", heap_functions}, {"trust", trust_functions},  {"sockets", sockets_functions},
};

int luaopen_braze_core_spec(lua_State *L) {
  size_t i;
  open_objects(L);
  open_sockets(L);
  lua_newtable(L);
  for (i = 0; i < sizeof rooms / sizeof *rooms; i++) {
    lua_newtable(L);
    lbraze_set_functions(L, rooms[i].functions);
    lua_setfield(L, -2, rooms[i].name);
  }
  lbraze_spec_push_clock(L);
  lua_setfield(L, -2, "clock");
  return 1;
}
