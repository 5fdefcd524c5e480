/* request: a call that was started: handed to the client's worker, asked for its answer, waited for, cancelled. */
#include <string.h>

#include "base/clock.h"
#include "lua/userdata.h"
#include "base/text.h"

struct lbraze_request *lbraze_test_request(lua_State *L, int index) {
  struct lbraze_request *request = lbraze_test_userdata(L, index, LBRAZE_REQUEST, sizeof *request);
  if (!request) request = lbraze_test_userdata(L, index, LBRAZE_SAFE_REQUEST, sizeof *request);
  return request && request->self == request ? request : NULL;
}

/* Whether its finalizer ran, as another finalizer may find it. */
static bool is_collected(const struct lbraze_request *request) {
  return !request->answered && !request->call;
}

/* [-0, +0, e] The request at index 1, its client ready for this process. */
static struct lbraze_request *check_request(lua_State *L, const char *method) {
  struct lbraze_request *request = lbraze_test_request(L, 1);
  char hint[128];
  if (!request) {
    braze_text_print(hint, sizeof hint, "write request:%s()", method);
    lbraze_usage(L, hint, "%s was called on %s, not on a request: \".\" stands where \":\" belongs", method, lbraze_what(L, 1));
  }
  lbraze_get_uservalue(L, 1);
  lua_rawgeti(L, -1, LBRAZE_REQUEST_CLIENT);
  lbraze_refresh_client(L, lua_gettop(L), request->client);
  lua_pop(L, 2);
  if (!request->client->handle) lbraze_usage(L, NULL, "%s was called on a request whose client is collected", method);
  if (is_collected(request)) lbraze_usage(L, NULL, "%s was called on a request that is collected", method);
  return request;
}

static bool is_done(const struct lbraze_request *request) {
  return request->answered || braze_call_is_done(request->call);
}

/* [-0, +1, m] Makes the answer of a request that is done, whose table is on top of the stack. */
static bool push_new_answer(lua_State *L, const struct lbraze_hold *hold) {
  struct braze_outcome written;
  struct braze_outcome *outcome = braze_call_outcome(hold->call, &written);
  return lbraze_push_answer(L, hold->settings, hold->call, outcome, outcome != &written ? lua_gettop(L) : 0);
}

/* [-0, +0, m] Empties a place in the table at index. What was never there is not written: before Lua 5.4 that would make room for it. */
static void forget(lua_State *L, int index, int place) {
  bool there;
  lua_rawgeti(L, index, place);
  there = !lua_isnil(L, -1);
  lua_pop(L, 1);
  if (!there) return;
  lua_pushnil(L);
  lua_rawseti(L, index, place);
}

bool lbraze_push_request_answer(lua_State *L, int index, struct lbraze_request *request, struct lbraze_hold *hold) {
  bool good;
  lbraze_get_uservalue(L, index);
  if (!request->answered) {
    if (!hold->call && !request->call) lbraze_usage(L, NULL, "the answer of a request that is collected is gone");
    if (!hold->call) hold->call = braze_call_retain(request->call);
    good = push_new_answer(L, hold);
    if (!good) {
      lua_rawgeti(L, -2, LBRAZE_REQUEST_WHERE);
      lua_setfield(L, -2, "where");
    }
    if (request->answered) { /* by what ran meanwhile: the first answer is the one that stays */
      lua_pop(L, 1);
    } else {
      lua_rawseti(L, -2, LBRAZE_REQUEST_ANSWER);
      forget(L, lua_gettop(L), LBRAZE_SHARED_BODY);
      forget(L, lua_gettop(L), LBRAZE_SHARED_SAFE_BODY);
      request->good = good;
      request->answered = true;
      braze_call_release(request->call);
      request->call = NULL;
    }
  }
  lua_rawgeti(L, -1, LBRAZE_REQUEST_ANSWER);
  lua_remove(L, -2);
  return request->good;
}

/* request:done() -> boolean */
static int request_done(lua_State *L) {
  lua_pushboolean(L, is_done(check_request(L, "done")));
  return 1;
}

/* At 1: the request, and the hold. */
static int push_result(lua_State *L) {
  return lbraze_push_request_answer(L, 1, lua_touserdata(L, 1), lua_touserdata(L, 2)) ? 1 : lua_error(L);
}

/* request:result() -> result */
static int request_result(lua_State *L) {
  struct lbraze_request *request = check_request(L, "result");
  if (!is_done(request))
    return lbraze_usage(L, "ask request:done() first, or wait with request:wait()", "result was asked of a request that is not done");
  lua_settop(L, 1);
  return lbraze_run(L, push_result, request->client, "result", 0);
}

double lbraze_check_wait(lua_State *L, int index, const char *method) {
  double seconds;
  if (lua_isnoneornil(L, index)) return LBRAZE_FOR_EVER;
  seconds = lua_type(L, index) == LUA_TNUMBER ? lua_tonumber(L, index) : -1;
  if (!(seconds >= 0))
    lbraze_refuse_argument(L, index, lbraze_settings_of(L, 1), method, "a number of seconds that is not negative",
                           "leave it out to wait as long as it takes");
  return seconds < LBRAZE_FOR_EVER ? seconds : LBRAZE_FOR_EVER;
}

/* request:wait([seconds]) -> boolean */
static int request_wait(lua_State *L) {
  struct lbraze_request *request = check_request(L, "wait");
  double until = braze_clock_now() + lbraze_check_wait(L, 2, "wait");
  while (!is_done(request)) {
    double remaining = until - braze_clock_now();
    if (remaining <= 0) break;
    braze_client_wait(request->client->handle, request->call, remaining);
    check_request(L, "wait"); /* the process may exit meanwhile */
  }
  lua_pushboolean(L, is_done(request));
  return 1;
}

/* request:cancel() */
static int request_cancel(lua_State *L) {
  struct lbraze_request *request = check_request(L, "cancel");
  if (!is_done(request)) braze_client_cancel(request->client->handle, request->call);
  return 0;
}

static int request__gc(lua_State *L) {
  struct lbraze_request *request = lbraze_test_request(L, 1);
  if (request) braze_call_release(request->call);
  if (request) request->call = NULL;
  return 0;
}

static int request__tostring(lua_State *L) {
  const struct lbraze_request *request = lbraze_test_request(L, 1);
  bool done = request && (!request->call || is_done(request));
  lua_pushstring(L, done ? "braze.request (done)" : "braze.request (in flight)");
  return 1;
}

/* [-0, +1, m] A request that is not started, with its table: client, on_done and the place of the call that starts it. The
   client is at index 1. */
static struct lbraze_request *push_request(lua_State *L, struct lbraze_client *client, const struct lbraze_hold *hold, int on_done) {
  struct lbraze_request *request = lbraze_new_userdata(L, sizeof *request);
  memset(request, 0, sizeof *request);
  request->self = request;
  request->client = client;
  lua_createtable(L, 4, 0);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, LBRAZE_REQUEST_CLIENT);
  lua_pushvalue(L, on_done);
  lua_rawseti(L, -2, LBRAZE_REQUEST_ON_DONE);
  lbraze_push_where(L, hold->settings);
  lua_rawseti(L, -2, LBRAZE_REQUEST_WHERE);
  lbraze_set_uservalue(L, -2);
  lbraze_get_registered(L, lbraze_has_metatable(L, 1, LBRAZE_SAFE_CLIENT) ? LBRAZE_SAFE_REQUEST : LBRAZE_REQUEST);
  lua_setmetatable(L, -2);
  return request;
}

/* [-0, +1, e] Pushes the client's table of requests and keeps the request, which is on top of the stack, there; its reference.
   The client then is open, and nothing of Lua's has run since it was looked at. */
static int keep_request(lua_State *L) {
  lbraze_check_still_open(L, lua_touserdata(L, 1), "start"); /* what ran up to here may have closed it */
  lbraze_get_uservalue(L, 1);
  lua_rawgeti(L, -1, LBRAZE_CLIENT_REQUESTS);
  lua_remove(L, -2);
  lua_pushvalue(L, -2);
  return luaL_ref(L, -2); /* makes no object, and so runs no finalizer */
}

/* Starts the call and pushes its request. At 1: the client, the name, the parameters, the options, the hold. */
static int start_call(lua_State *L) {
  struct lbraze_client *client = lua_touserdata(L, 1);
  struct lbraze_hold *hold = lua_touserdata(L, 5);
  struct lbraze_context context = {hold->settings, NULL};
  struct lbraze_target target;
  struct lbraze_request *request;
  int on_done, reference, failure;
  lbraze_check_still_open(L, client, "start"); /* one that was closed before it was held has no key left to redact */
  lbraze_read_target(L, 2, hold->settings, "start", &target);
  context.operation = target.name;
  on_done = lbraze_make_call(L, 3, LBRAZE_FOR_START, &target, &context, hold);
  request = push_request(L, client, hold, on_done);
  reference = keep_request(L);
  braze_call_set_tag(hold->call, reference);
  failure = braze_client_start(hold->client, hold->call);
  if (failure != 0) {
    luaL_unref(L, -1, reference);
    return lbraze_raise_failure(L, failure);
  }
  request->call = braze_call_retain(hold->call);
  lua_pop(L, 1);
  return 1;
}

/* client:start(name, params [, options]) -> request */
int lbraze_client_start(lua_State *L) {
  const double began = braze_clock_now();
  const struct lbraze_client *client = lbraze_check_open_client(L, "start");
  lua_settop(L, 4);
  return lbraze_run(L, start_call, client, "start", began);
}

/* [-0, +0, m] One of the two metatables. */
static void open_metatable(lua_State *L, enum lbraze_registered what, const char *name, bool safe) {
  static const luaL_Reg methods[] = {
      {"done", request_done}, {"result", request_result}, {"wait", request_wait}, {"cancel", request_cancel}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", request__gc}, {"__tostring", request__tostring}, {NULL, NULL}};
  lbraze_new_metatable(L, what, name);
  lbraze_set_functions(L, metamethods);
  lbraze_push_methods(L, methods, safe);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void lbraze_open_request(lua_State *L) {
  open_metatable(L, LBRAZE_REQUEST, "braze.request", false);
  open_metatable(L, LBRAZE_SAFE_REQUEST, "braze.safe.request", true);
}
