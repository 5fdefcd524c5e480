/* ledger: braze.ledger: what was done, as a person asks and tells it. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "ledger/claim.h"
#include "ledger/keeper.h"
#include "lua/binding.h"
#include "service/account.h"

#define SECONDS 30.0 /* that a method waits for its ledger */

struct lbraze_ledger {
  struct braze_ledger *ledger; /* NULL: closed */
};

static struct lbraze_ledger *test_ledger(lua_State *L, int index) {
  struct lbraze_ledger *ledger = lbraze_test_userdata(L, index, LBRAZE_LEDGER, sizeof *ledger);
  return ledger ? ledger : lbraze_test_userdata(L, index, LBRAZE_SAFE_LEDGER, sizeof *ledger);
}

/* [-0, +0, e] The ledger at index 1, which is open. */
static struct lbraze_ledger *check_ledger(lua_State *L, const char *method) {
  struct lbraze_ledger *ledger = test_ledger(L, 1);
  char hint[128];
  if (!ledger) {
    braze_text_print(hint, sizeof hint, "write ledger:%s(...)", method);
    lbraze_usage(L, hint, "%s was called on %s, not on a ledger: \".\" stands where \":\" belongs", method, lbraze_what(L, 1));
  }
  if (!ledger->ledger) lbraze_usage(L, "make another one with braze.ledger", "%s was called on a ledger that is closed", method);
  return ledger;
}

/* [-0, +0, e] Raises for words of the ledger's, which was asked at `began`. */
LBRAZE_RAISES static void raise_words(lua_State *L, const char *shown, const struct braze_reply *reply, double began) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  if (reply->kind == BRAZE_LEDGER) braze_buffer_print(&words.message, "the ledger %s can't be used: ", shown);
  braze_text_escape(&words.message, reply->words.message, strlen(reply->words.message), sizeof reply->words.message);
  braze_text_escape(&words.hint, reply->words.hint, strlen(reply->words.hint), sizeof reply->words.hint);
  lbraze_push_error(L, NULL, reply->kind, &words);
  if (reply->kind != BRAZE_USAGE) {
    lua_pushnumber(L, braze_clock_now() - began);
    lua_setfield(L, -2, "elapsed");
  }
  lua_error(L);
}

/* What a method works with: the inquiry is freed however the method ends. */
struct asking {
  struct braze_inquiry *inquiry;
  struct braze_ledger *ledger;
  lua_CFunction push;
  double began; /* monotonic */
};

static void set_text(lua_State *L, const char *name, const char *text) {
  if (!text[0]) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double number) {
  lua_pushnumber(L, number);
  lua_setfield(L, -2, name);
}

/* [-0, +0, m] Sets the field `error` of the record on top of the stack. */
static void set_error(lua_State *L, const struct braze_entry *entry) {
  if (!entry->failed) return;
  lua_newtable(L);
  set_text(L, "kind", braze_kind_name(entry->kind));
  set_text(L, "message", entry->message);
  if (entry->status > 0) {
    lua_pushinteger(L, entry->status);
    lua_setfield(L, -2, "status");
  }
  lua_setfield(L, -2, "error");
}

/* [-0, +1, m] A record as Lua has it. */
static void push_record(lua_State *L, const struct braze_record *record) {
  struct braze_entry entry;
  bool readable = braze_record_read(record, &entry);
  lua_newtable(L);
  lua_pushlstring(L, record->job, strlen(record->job));
  lua_setfield(L, -2, "job");
  set_text(L, "state", braze_record_state_name(braze_claim_state(record)));
  if (!readable) return;
  set_text(L, "operation", entry.operation);
  set_text(L, "send_id", entry.send_id);
  set_text(L, "holder", entry.holder);
  set_text(L, "request_id", entry.request_id);
  set_number(L, "claimed_at", entry.claimed);
  set_number(L, "changed_at", entry.changed);
  if (entry.settled) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "settled");
  }
  set_error(L, &entry);
  if (record->state != BRAZE_RECORD_DONE || record->body.length == 0) return;
  lua_pushlstring(L, braze_buffer_text(&record->body), record->body.length);
  if (lbraze_decode_json(L)) lua_setfield(L, -2, "answer");
}

/* At 1: the asking. */
static int push_found(lua_State *L) {
  const struct braze_reply *reply = braze_keeper_reply(((struct asking *)lua_touserdata(L, 1))->inquiry);
  if (reply->count == 0) return 0;
  push_record(L, &reply->records[0]);
  return 1;
}

/* At 1: the asking; at 2 the state that is wanted, or nil. */
static int push_list(lua_State *L) {
  const struct braze_reply *reply = braze_keeper_reply(((struct asking *)lua_touserdata(L, 1))->inquiry);
  const char *state = lua_tostring(L, 2);
  size_t i;
  int count = 0;
  lua_newtable(L);
  for (i = 0; i < reply->count; i++) {
    if (state && strcmp(state, braze_record_state_name(braze_claim_state(&reply->records[i]))) != 0) continue;
    push_record(L, &reply->records[i]);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

static int push_whether(lua_State *L) {
  lua_pushboolean(L, braze_keeper_reply(((struct asking *)lua_touserdata(L, 1))->inquiry)->count > 0);
  return 1;
}

static int push_nothing(lua_State *L) {
  (void)L;
  return 0;
}

static int push_quota(lua_State *L) {
  const struct braze_quota *quota = &braze_keeper_reply(((struct asking *)lua_touserdata(L, 1))->inquiry)->quota;
  lua_newtable(L);
  if (quota->window == 0) return 1;
  lbraze_push_integer(L, quota->total);
  lua_setfield(L, -2, "limit");
  lbraze_push_integer(L, quota->left);
  lua_setfield(L, -2, "remaining");
  lbraze_push_integer(L, (int64_t)(quota->ends + 0.999));
  lua_setfield(L, -2, "reset");
  return 1;
}

/* [-0, +1, e] Asks, at 1 the asking and at 2 what it pushes with; raises what went wrong. */
static int ask_protected(lua_State *L) {
  struct asking *asking = lua_touserdata(L, 1);
  const struct braze_reply *reply = braze_keeper_reply(asking->inquiry);
  if (!reply->good) raise_words(L, braze_ledger_shown(asking->ledger), reply, asking->began);
  lua_settop(L, 2);
  return asking->push(L);
}

/* [-0, +1, e] Waits for the answer and pushes it; what stands at `extra` (0: nothing) goes with it. */
static int ask(lua_State *L, struct lbraze_ledger *ledger, enum braze_question question, const char *job, lua_CFunction push, int extra) {
  struct asking *asking = lbraze_new_userdata(L, sizeof *asking);
  struct lbraze_words words;
  bool warned;
  int status;
  asking->push = push;
  asking->began = braze_clock_now();
  asking->ledger = NULL;
  lua_pushcfunction(L, ask_protected);
  lua_pushvalue(L, -2);
  if (extra)
    lua_pushvalue(L, extra);
  else
    lua_pushnil(L);
  asking->ledger = braze_ledger_retain(ledger->ledger); /* a finalizer may close it meanwhile */
  asking->inquiry = braze_keeper_ask(asking->ledger, question, job, SECONDS);
  if (!asking->inquiry) {
    braze_ledger_release(asking->ledger);
    return luaL_error(L, "not enough memory");
  }
  status = lua_pcall(L, 2, 1, 0);
  lbraze_words_init(&words);
  warned = braze_ledger_take_warning(asking->ledger, &words.message);
  braze_keeper_free(asking->inquiry);
  braze_ledger_release(asking->ledger);
  if (warned) lbraze_warn(L, words.message_text);
  return status == 0 ? 1 : lua_error(L);
}

#define MOST_SHOWN 40

/* [-0, +0, e] Raises a usage error that shows what stands at index: a string itself, cut, or what else it is. */
static void refuse_value(lua_State *L, int index, const char *hint, const char *format) {
  char text[MOST_SHOWN * 4 + 8];
  struct braze_buffer out;
  size_t length;
  const char *string = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : NULL;
  braze_buffer_borrow(&out, text, sizeof text);
  if (string) braze_text_quote(&out, string, length, MOST_SHOWN);
  lbraze_usage(L, hint, format, string ? text : lbraze_what(L, index));
}

/* [-0, +0, e] The job's name at index 2. */
static const char *check_job(lua_State *L, const char *method) {
  size_t length;
  const char *job = lua_type(L, 2) == LUA_TSTRING ? lua_tolstring(L, 2, &length) : NULL;
  if (!job) lbraze_usage(L, "write ledger:find(\"nightly-2026-03-01\")", "%s takes the name of a job, not %s", method, lbraze_what(L, 2));
  if (length == 0 || length > BRAZE_MAX_JOB || strlen(job) != length)
    lbraze_usage(L, NULL, "%s was given a name of %d bytes: a job's name has 1 to %d, and no NUL", method, (int)length, BRAZE_MAX_JOB);
  return job;
}

/* ledger:find(job) -> record or nil */
static int ledger_find(lua_State *L) {
  struct lbraze_ledger *ledger = check_ledger(L, "find");
  return ask(L, ledger, BRAZE_FIND, check_job(L, "find"), push_found, 0);
}

/* [-0, +0, e] Raises for a state that no record has. */
static void check_state(lua_State *L) {
  int state;
  if (lua_type(L, -1) == LUA_TSTRING)
    for (state = BRAZE_RECORD_HELD; state < BRAZE_RECORD_STATE_COUNT; state++)
      if (strcmp(lua_tostring(L, -1), braze_record_state_name((enum braze_record_state)state)) == 0) return;
  refuse_value(L, -1, "the states are \"held\", \"unknown\", \"done\" and \"refused\"", "list was given %s as a state, which no job has");
}

/* ledger:list([{state = ...}]) -> records */
static int ledger_list(lua_State *L) {
  static const char *const names[] = {"state"};
  static const struct lbraze_names known = {"field", "list", names, 1};
  static const struct lbraze_context context = {NULL, NULL};
  struct lbraze_ledger *ledger = check_ledger(L, "list");
  lua_settop(L, 2);
  if (!lua_isnil(L, 2) && !lua_istable(L, 2))
    return lbraze_usage(L, "write ledger:list{state = \"unknown\"}", "list takes a table, not %s", lbraze_what(L, 2));
  lua_pushnil(L);
  if (lua_istable(L, 2)) {
    if (lbraze_find_unknown(L, 2, &known)) lbraze_refuse_unknown(L, &context, &known, NULL);
    lua_pushliteral(L, "state");
    lua_rawget(L, 2);
    if (!lua_isnil(L, -1)) check_state(L);
  }
  return ask(L, ledger, BRAZE_LIST_ALL, NULL, push_list, lua_gettop(L));
}

/* ledger:settle(job, "done" | "not_done") */
static int ledger_settle(lua_State *L) {
  struct lbraze_ledger *ledger = check_ledger(L, "settle");
  const char *job = check_job(L, "settle"), *what = lua_type(L, 3) == LUA_TSTRING ? lua_tostring(L, 3) : "";
  bool done = strcmp(what, "done") == 0;
  if (!done && strcmp(what, "not_done") != 0)
    refuse_value(L, 3, "write \"done\" where it was done, \"not_done\" where you are certain that it was not",
                 "settle takes \"done\" or \"not_done\" behind the job, not %s");
  ask(L, ledger, done ? BRAZE_SETTLE_DONE : BRAZE_SETTLE_NOT_DONE, job, push_nothing, 0);
  return 0;
}

/* ledger:forget(job) -> whether there was one */
static int ledger_forget(lua_State *L) {
  struct lbraze_ledger *ledger = check_ledger(L, "forget");
  return ask(L, ledger, BRAZE_FORGET, check_job(L, "forget"), push_whether, 0);
}

/* ledger:quota() -> { limit, remaining, reset } */
static int ledger_quota(lua_State *L) {
  return ask(L, check_ledger(L, "quota"), BRAZE_ASK_QUOTA, NULL, push_quota, 0);
}

static int ledger__gc(lua_State *L) {
  struct lbraze_ledger *ledger = test_ledger(L, 1);
  if (ledger) braze_ledger_release(ledger->ledger);
  if (ledger) ledger->ledger = NULL;
  return 0;
}

/* ledger:close() */
static int ledger_close(lua_State *L) {
  if (!test_ledger(L, 1)) check_ledger(L, "close");
  return ledger__gc(L);
}

static int ledger__tostring(lua_State *L) {
  const struct lbraze_ledger *ledger = test_ledger(L, 1);
  char text[300] = "braze.ledger (closed)";
  if (ledger && ledger->ledger) braze_text_print(text, sizeof text, "braze.ledger (%s)", braze_ledger_shown(ledger->ledger));
  lua_pushstring(L, text);
  return 1;
}

/* [-0, +0, e] Raises what a setter said, unless it went well. */
static void check_set(lua_State *L, bool good, struct lbraze_words *words, const char *variable) {
  if (good) return;
  if (variable && words->message.length > 0) braze_buffer_print(&words->message, " (from the environment variable %s)", variable);
  lbraze_raise_usage(L, NULL, words);
}

/* The argument at index as text, or else the variable of the environment; NULL where there is neither. */
static const char *argument(lua_State *L, int index, const char *name, const char *variable, size_t *length) {
  const char *text = lbraze_environment(variable);
  if (!lua_isnoneornil(L, index)) {
    if (lua_type(L, index) != LUA_TSTRING) lbraze_usage(L, NULL, "braze.ledger takes %s as a string, not %s", name, lbraze_what(L, index));
    return lua_tolstring(L, index, length);
  }
  if (text) *length = strlen(text);
  return text;
}

/* The endpoint of the environment, written as clients write it; "" where there is none. */
static void read_endpoint(char *text, size_t size) {
  const char *endpoint = lbraze_environment("BRAZE_REST_ENDPOINT");
  struct braze_settings *settings = endpoint ? braze_settings_new() : NULL;
  struct lbraze_words words;
  lbraze_words_init(&words);
  text[0] = '\0';
  if (settings && braze_account_set_endpoint(settings, endpoint, strlen(endpoint), &words.message, &words.hint) == 0)
    braze_text_print(text, size, "%s", settings->url);
  braze_settings_release(settings);
}

static void set_workspace(lua_State *L, struct braze_ledger *ledger) {
  struct lbraze_words words;
  char endpoint[BRAZE_MAX_WORKSPACE + 2];
  size_t length = 0;
  const char *text = argument(L, 2, "a workspace", "BRAZE_WORKSPACE", &length);
  lbraze_words_init(&words);
  if (!text) {
    read_endpoint(endpoint, sizeof endpoint);
    text = endpoint;
    length = strlen(endpoint);
    if (length == 0)
      lbraze_usage(L, "give it the workspace that the clients have, or their endpoint's URL where they name none",
                   "braze.ledger was given no workspace, and the environment has none");
  }
  check_set(L, braze_ledger_set_workspace(ledger, text, length, &words.message, &words.hint), &words, NULL);
}

static int new_ledger(lua_State *L, enum lbraze_registered metatable) {
  struct lbraze_ledger *made;
  struct lbraze_words words;
  size_t length = 0;
  const char *url;
  lbraze_check_dot(L, 1, "ledger");
  lua_settop(L, 2);
  url = argument(L, 1, "a URL or a path", "BRAZE_LEDGER", &length);
  if (!url) return lbraze_usage(L, "write braze.ledger(\"/var/lib/app/braze.db\"), or set BRAZE_LEDGER", "braze.ledger was given no URL");
  made = lbraze_new_userdata(L, sizeof *made);
  made->ledger = NULL;
  lbraze_get_registered(L, metatable);
  lua_setmetatable(L, -2);
  lbraze_words_init(&words);
  check_set(L, braze_ledger_new(&made->ledger, url, length, lbraze_push_places(L), &words.message, &words.hint), &words,
            lua_isnil(L, 1) ? "BRAZE_LEDGER" : NULL);
  lua_pop(L, 1);
  set_workspace(L, made->ledger);
  return 1;
}

int lbraze_ledger_new(lua_State *L) {
  return new_ledger(L, LBRAZE_LEDGER);
}

int lbraze_ledger_new_safe(lua_State *L) {
  return new_ledger(L, LBRAZE_SAFE_LEDGER);
}

static void open_metatable(lua_State *L, enum lbraze_registered what, const char *name, bool safe) {
  static const luaL_Reg methods[] = {
      {"find", ledger_find},   {"list", ledger_list}, {"settle", ledger_settle}, {"forget", ledger_forget}, {"quota", ledger_quota},
      {"close", ledger_close}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", ledger__gc}, {"__close", ledger__gc}, {"__tostring", ledger__tostring}, {NULL, NULL}};
  lbraze_new_metatable(L, what, name);
  lbraze_set_functions(L, metamethods);
  lbraze_push_methods(L, methods, safe);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void lbraze_open_ledger(lua_State *L) {
  open_metatable(L, LBRAZE_LEDGER, "braze.ledger", false);
  open_metatable(L, LBRAZE_SAFE_LEDGER, "braze.safe.ledger", true);
}
