/* fuzz_answer: a whole answer, from its status, headers and body to what Lua sees: lbraze_push_answer with a Lua and lua-cjson
   inside. The body is the input's; status, headers and how far the attempt came are chosen by its first bytes. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "fuzz.h"
#include "http/headers.h"
#include "http/retry.h"
#include "lua/binding.h"
#include "service/account.h"
#include "service/operation.h"

#define KEY "fuzz-key-0123456789"
#define RUNS_BETWEEN_COLLECTIONS 4096

static lua_State *L;
static struct braze_settings *settings;
static struct braze_call *call, *call_with_id;

/* A call of create_send_id; without a send_id where it is NULL. */
static struct braze_call *new_call(const char *send_id) {
  struct braze_call *made = braze_call_new(0);
  struct braze_request *request = made ? braze_call_request(made) : NULL;
  CLAIM(request);
  request->subject = braze_operation_at(0);
  request->name = braze_operation_at(0)->name;
  request->method = BRAZE_POST;
  request->target = braze_operation_at(0)->path;
  request->max_response = braze_operation_at(0)->max_response;
  request->repeatable = send_id != NULL;
  CLAIM(braze_request_show(request, "campaign_id", "campaign", 8, false));
  CLAIM(braze_request_show(request, "send_id", send_id, send_id ? strlen(send_id) : 0, true));
  braze_call_ready(made);
  return made;
}

static void open_all(void) {
  struct braze_buffer message, hint;
  braze_buffer_init(&message, 1024);
  braze_buffer_init(&hint, 1024);
  L = luaL_newstate();
  CLAIM(L);
  luaL_openlibs(L);
  lbraze_take_require(L);
  lbraze_open_error(L);
  settings = braze_settings_new();
  CLAIM(settings && braze_account_set_api_key(settings, KEY, strlen(KEY), &message, &hint) == 0);
  CLAIM(braze_account_set_endpoint(settings, "US-01", 5, &message, &hint) == 0);
  call = new_call(NULL);
  call_with_id = new_call("mine");
}

/* [-0, +1] */
static int get(const char *name) {
  lua_getfield(L, -1, name);
  return lua_type(L, -1);
}

static void claim_type(const char *name, int type, bool optional) {
  int found = get(name);
  CLAIM(found == type || (optional && found == LUA_TNIL));
  lua_pop(L, 1);
}

static void claim_text(const char *name, bool optional) {
  size_t length = 0;
  const char *text;
  int found = get(name);
  CLAIM(found == LUA_TSTRING || (optional && found == LUA_TNIL));
  text = found == LUA_TSTRING ? lua_tolstring(L, -1, &length) : "";
  CLAIM(length <= BRAZE_MESSAGE_LIMIT);
  CLAIM(is_one_line(text, length));
  lua_pop(L, 1);
}

static void claim_limits(void) {
  static const char *const names[] = {"limit", "remaining", "reset"};
  size_t i;
  CLAIM(get("rate_limit") == LUA_TTABLE);
  for (i = 0; i < 3; i++) {
    claim_type(names[i], LUA_TNUMBER, true);
    get(names[i]);
    CLAIM(lua_tonumber(L, -1) >= 0 && lua_tonumber(L, -1) <= 9007199254740991.0);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void claim_error(const struct braze_outcome *outcome, bool answered) {
  int kind = 0;
  CLAIM(lbraze_is_error(L, -1));
  claim_text("message", false);
  claim_text("hint", true);
  claim_type("maybe_applied", LUA_TBOOLEAN, false);
  claim_type("retry_at", LUA_TNUMBER, true);
  claim_type("errors", LUA_TTABLE, true);
  claim_type("body", LUA_TSTRING, true);
  CLAIM(get("kind") == LUA_TSTRING);
  while (kind < BRAZE_KIND_COUNT && strcmp(lua_tostring(L, -1), braze_kind_name((enum braze_kind)kind)) != 0) kind++;
  CLAIM(kind < BRAZE_KIND_COUNT && kind != BRAZE_USAGE);
  lua_pop(L, 1);
  if (answered) CLAIM(kind == BRAZE_PROTOCOL && outcome->maybe_applied);
  lua_getglobal(L, "tostring");
  lua_pushvalue(L, -2);
  lua_call(L, 1, 1);
  CLAIM(!strpbrk(lua_tostring(L, -1), "\r\n"));
  lua_pop(L, 1);
}

static void claim_result(void) {
  size_t length = 0;
  CLAIM(lua_istable(L, -1) && !lbraze_is_error(L, -1));
  CLAIM(get("message") == LUA_TSTRING && strcmp(lua_tostring(L, -1), "success") == 0);
  lua_pop(L, 1);
  CLAIM(get("send_id") == LUA_TSTRING && lua_tolstring(L, -1, &length) && length > 0);
  lua_pop(L, 1);
}

static void read_headers(struct input *input, struct braze_outcome *outcome) {
  static const char *const lines[] = {"x-ratelimit-limit: 100", "x-ratelimit-remaining: 0", "x-ratelimit-reset: 1800000000",
                                      "retry-after: 9007199254740991", "x-request-id: \xFF\x1B[31m", "location: http://x/\x07",
                                      "content-encoding: gzip\x1B", "date: Fri, 31 Dec 9999 23:59:59 GMT"};
  struct braze_headers headers;
  unsigned which = take_byte(input), i;
  braze_headers_init(&headers);
  for (i = 0; i < 8; i++)
    if (which & 1u << i) braze_headers_line(&headers, lines[i], strlen(lines[i]), 1700000000, outcome);
  braze_headers_finish(&headers, outcome);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const int statuses[] = {200, 201, 202, 204, 299, 300, 303, 304, 400, 401, 403, 404, 408, 409, 429, 500, 503, 520, 599, 600, 999, 0};
  static unsigned runs;
  struct input input = {data, size};
  struct braze_outcome outcome;
  unsigned flags = take_byte(&input);
  bool answered, good;
  int shared;
  if (!L) open_all();
  braze_outcome_init(&outcome);
  outcome.status = statuses[take_byte(&input) % (sizeof statuses / sizeof *statuses)];
  outcome.request_sent = outcome.status > 0 || flags & 1;
  outcome.attempts = outcome.request_sent;
  outcome.stop = flags & 2 ? (enum braze_stop)(take_byte(&input) % (BRAZE_STOP_NO_MEMORY + 1)) : BRAZE_STOP_NONE;
  if (flags & 4) {
    outcome.curl_code = (int)(take_byte(&input) % 100);
    snprintf(outcome.curl_message, sizeof outcome.curl_message, "\x1B]0;%s\x9B\r\xC2", "title");
  }
  outcome.proxy_status = flags & 8 ? 407 : 0;
  outcome.applied_before = outcome.maybe_applied = (flags & 16) != 0;
  outcome.trust_failed = (flags & 32) != 0;
  outcome.connecting = (flags & 64) != 0;
  if (outcome.status > 0) read_headers(&input, &outcome);
  if (outcome.status >= 300)
    braze_outcome_classify_status(&outcome);
  else if (outcome.status > 0 && outcome.curl_code == 0)
    outcome.answered = true;
  else
    braze_outcome_fail(&outcome, (enum braze_kind)(BRAZE_NETWORK + take_byte(&input) % (BRAZE_CANCELLED - BRAZE_NETWORK + 1)));
  braze_buffer_append(&outcome.body, (const char *)input.at, input.left);
  answered = outcome.answered;
  if (flags & 64) lua_newtable(L); /* where others who ask find the text */
  shared = lua_gettop(L);
  good = lbraze_push_answer(L, settings, flags & 128 ? call_with_id : call, &outcome, shared);
  CLAIM(lua_gettop(L) == shared + 1);
  CLAIM(!good || answered);
  claim_limits();
  claim_type("request_id", LUA_TSTRING, true);
  claim_type("attempts", LUA_TNUMBER, false);
  claim_type("elapsed", LUA_TNUMBER, false);
  claim_type("status", LUA_TNUMBER, true);
  if (good)
    claim_result();
  else
    claim_error(&outcome, answered);
  lua_settop(L, 0);
  braze_outcome_free(&outcome);
  if (++runs % RUNS_BETWEEN_COLLECTIONS == 0) lua_gc(L, LUA_GCCOLLECT, 0);
  return 0;
}
