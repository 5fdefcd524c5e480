/* core: the core's pure functions as a Lua module, for specs alone: one table for each room, in the test build. */
#include "core_objects.h"
#include "core_sockets.h"

#include "base/json_reader.h"
#include "http/headers.h"
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

#include "core_explain.h"

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

/* text.print(text, size) -> what fits into size bytes with the NUL */
static int text_print(lua_State *L) {
  char memory[64];
  braze_text_print(memory, (size_t)luaL_checkinteger(L, 2), "%s", luaL_checkstring(L, 1));
  lua_pushstring(L, memory);
  return 1;
}

/* text.copy(text, size) -> whether it fits, and the copy in so many bytes of memory */
static int text_copy(lua_State *L) {
  char memory[64];
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushboolean(L, braze_text_copy(memory, (size_t)luaL_checkinteger(L, 2), text, length));
  lua_pushstring(L, memory);
  return 2;
}

/* text.print_error(code, size) -> in the same way, what errno's code means */
static int text_print_error(lua_State *L) {
  char memory[64];
  braze_text_print_error(memory, (size_t)luaL_checkinteger(L, 2), (int)luaL_checkinteger(L, 1));
  lua_pushstring(L, memory);
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

#include "core_service.h"

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

/* headers.feed(lines, epoch [, status]) -> { limit, remaining, reset, retry_after, retry_after_unread, clock_ahead, coding, request_id,
   location, link }, what is there of them */
static int headers_feed(lua_State *L) {
  struct braze_headers headers;
  struct braze_outcome outcome;
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
  outcome.status = (int)luaL_optinteger(L, 3, 0);
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
  set_text(L, "link", outcome.link.length > 0 ? braze_buffer_text(&outcome.link) : NULL);
  braze_outcome_free(&outcome);
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
  lua_pushnumber(L, braze_outcome_retry_at(&outcome, number_field(L, "epoch", 1800000000)));
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

/* --- json_reader ------------------------------------------------------------------------------------- */

static int json_is_valid(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  lua_pushboolean(L, braze_json_is_valid(text, length));
  return 1;
}

/* The digest as text, or nil for what is no JSON. */
static int json_digest(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  struct braze_digest digest;
  char printed[BRAZE_DIGEST_TEXT];
  braze_digest_init(&digest);
  if (!braze_json_digest(&digest, text, length)) return 0;
  braze_digest_print(&digest, printed);
  lua_pushstring(L, printed);
  return 1;
}

/* The member as it is written, and what it stands for if it is a string. */
static int json_member(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  struct braze_json found = braze_json_member(text, length, luaL_checkstring(L, 2));
  struct braze_buffer meant;
  if (!found.text) return 0;
  braze_buffer_init(&meant, 4096);
  lua_pushlstring(L, found.text, found.length);
  if (braze_json_read_string(found, &meant))
    lua_pushlstring(L, braze_buffer_text(&meant), meant.length);
  else
    lua_pushnil(L);
  braze_buffer_free(&meant);
  return 2;
}

static int json_number(lua_State *L) {
  struct braze_json value = {luaL_checkstring(L, 1), 0};
  value.length = strlen(value.text);
  lua_pushnumber(L, braze_json_number(value, -0.5));
  return 1;
}

static int json_write_string(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  struct braze_buffer out;
  braze_buffer_init(&out, 4096);
  lua_pushnil(L);
  if (braze_json_write_string(&out, text, length)) lua_pushlstring(L, braze_buffer_text(&out), out.length);
  braze_buffer_free(&out);
  return 1;
}

/* --- The module -------------------------------------------------------------------------------------- */

static const luaL_Reg text_functions[] = {
    {"utf8_length", text_utf8_length}, {"ascii_length", text_ascii_length}, {"escape", text_escape}, {"same", text_same}, {"may_be_key", text_may_be_key},
    {"hex_value", text_hex_value},     {"nearest", text_nearest},           {"print", text_print},   {"print_error", text_print_error},
    {"copy", text_copy},              {NULL, NULL},
};
static const luaL_Reg json_functions[] = {{"is_valid", json_is_valid}, {"digest", json_digest}, {"member", json_member},
                                          {"number", json_number}, {"write_string", json_write_string}, {NULL, NULL}};
static const luaL_Reg operation_functions[] = {
    {"rows", operation_rows}, {"find", operation_find}, {"field", operation_field}, {"match", operation_match}, {"check", operation_check}, {NULL, NULL}};
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
static const luaL_Reg explain_functions[] = {{"words", explain_words}, {NULL, NULL}};
static const luaL_Reg trust_functions[] = {{"is_hashed", trust_is_hashed}, {NULL, NULL}};

static const struct {
  const char *name;
  const luaL_Reg *functions;
} rooms[] = {
    {"text", text_functions},       {"operation", operation_functions}, {"target", target_functions}, {"link", link_functions}, {"instance", instance_functions},
    {"buffer", buffer_functions},   {"settings", settings_functions}, {"secret", secret_functions},
    {"headers", headers_functions}, {"outcome", outcome_functions},   {"retry", retry_functions},
    {"heap", heap_functions}, {"trust", trust_functions},  {"sockets", sockets_functions},
    {"explain", explain_functions}, {"json", json_functions},
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
