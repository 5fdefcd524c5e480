/* step: hands finished calls to the host: tells the client's on_event and runs their on_done, one after the other, on the thread that
   asks. */
#include "base/clock.h"
#include "lua/userdata.h"

/* Calls the on_done of the request at index 1, which has one; at 2 the hold. Runs protected: an error is the on_done's own,
   unless the request has no answer yet. */
static int deliver(lua_State *L) {
  bool good = lbraze_push_request_answer(L, 1, lua_touserdata(L, 1), lua_touserdata(L, 2));
  lbraze_get_uservalue(L, 1);
  lua_rawgeti(L, -1, LBRAZE_REQUEST_ON_DONE);
  if (good) lua_pushnil(L);
  lua_pushvalue(L, 3);
  lua_call(L, good ? 2 : 1, 0);
  return 0;
}

/* Without memory for the answer an on_done still gets its call, with what was raised as its error. */
static int deliver_failure(lua_State *L) {
  lbraze_get_uservalue(L, 1);
  lua_rawgeti(L, -1, LBRAZE_REQUEST_ON_DONE);
  lua_pushvalue(L, 2);
  lua_call(L, 1, 0);
  return 0;
}

/* Tells the client's on_event of the request at index 1; at 2 the hold. Raises what the first one that failed has raised. */
static int report(lua_State *L) {
  int teller;
  lbraze_push_request_answer(L, 1, lua_touserdata(L, 1), lua_touserdata(L, 2));
  lbraze_get_uservalue(L, 1);
  lua_rawgeti(L, -1, LBRAZE_REQUEST_CLIENT);
  teller = lbraze_push_teller(L, 5);
  return lbraze_tell_events(L, teller, 2, 3) ? lua_error(L) : 0;
}

/* What deliver_finished has on the stack, from its own first place on. */
enum { RAISED, DELIVER, DELIVER_FAILURE, REPORT, HOLD, REQUESTS };

/* [-0, +0 or 1] Tells of the request on top of the stack. True: an on_event raised what is pushed. */
static bool run_on_event(lua_State *L, int first) {
  const struct lbraze_request *request = lua_touserdata(L, -1);
  int index = lua_gettop(L);
  if (!request->client->has_on_event) return false;
  lua_pushvalue(L, first + REPORT);
  lua_pushvalue(L, index);
  lua_pushvalue(L, first + HOLD);
  return lua_pcall(L, 2, 0, 0) != 0;
}

/* [-0, +0 or 1] Runs the on_done of the request on top of the stack, if it has one. True: it raised what is pushed. */
static bool run_on_done(lua_State *L, int first) {
  const struct lbraze_request *request = lua_touserdata(L, -1);
  int index = lua_gettop(L);
  bool has_one;
  lbraze_get_uservalue(L, index);
  lua_rawgeti(L, -1, LBRAZE_REQUEST_ON_DONE);
  has_one = !lua_isnil(L, -1);
  lua_settop(L, index);
  if (!has_one) return false;
  lua_pushvalue(L, first + DELIVER);
  lua_pushvalue(L, index);
  lua_pushvalue(L, first + HOLD);
  if (lua_pcall(L, 2, 0, 0) != 0 && !request->answered) {
    lua_pushvalue(L, first + DELIVER_FAILURE);
    lua_pushvalue(L, index);
    lua_pushvalue(L, index + 1);
    lua_pcall(L, 2, 0, 0);
  }
  if (lua_gettop(L) == index) return false;
  lua_settop(L, index + 1);
  return true;
}

/* [-1, +0] Keeps what was raised, unless something was before: it may be nil. */
static void keep_first(lua_State *L, int first, bool *failed) {
  if (*failed)
    lua_pop(L, 1);
  else
    lua_replace(L, first + RAISED);
  *failed = true;
}

/* [-0, +0 or 1] Takes and delivers at most so many; raises nothing, so that all that is taken is delivered. True: an on_done
   raised what stands at first. An on_done that forked returns in the child too, and one may collect the client by hand: then
   there is nothing left to take. */
static bool deliver_all(lua_State *L, int first, int most, int *count) {
  struct lbraze_hold *hold = lua_touserdata(L, first + HOLD);
  bool failed = false;
  while (*count < most && (hold->call = braze_client_take(hold->client)) != NULL) {
    int reference = braze_call_tag(hold->call);
    lua_rawgeti(L, first + REQUESTS, reference);
    luaL_unref(L, first + REQUESTS, reference);
    ++*count;
    if (run_on_event(L, first)) keep_first(L, first, &failed);
    if (run_on_done(L, first)) keep_first(L, first, &failed);
    braze_call_release(hold->call);
    hold->call = NULL;
    lua_settop(L, first + REQUESTS);
  }
  braze_client_rearm(hold->client);
  return failed;
}

/* [-0, +0, e] Delivers at most so many of what had finished when this began; the number of those delivered. The client is at
   index 1, and has just been checked. */
static int deliver_finished(lua_State *L, struct lbraze_client *client, int most, const char *method) {
  const int first = lua_gettop(L) + 1;
  struct lbraze_hold *hold;
  int count = 0, ready;
  bool failed;
  if (!braze_client_is_ready(client->handle)) return 0;
  lbraze_check_room(L, method, true); /* before anything is taken */
  lua_pushnil(L);
  lua_pushcfunction(L, deliver);
  lua_pushcfunction(L, deliver_failure);
  if (client->has_on_event)
    lua_pushcfunction(L, report);
  else
    lua_pushnil(L);
  hold = lbraze_push_hold(L);
  lbraze_check_client(L, method);
  lbraze_get_uservalue(L, 1);
  lua_rawgeti(L, -1, LBRAZE_CLIENT_REQUESTS);
  lua_remove(L, -2);
  ready = braze_client_ready_count(client->handle);
  if (most > ready) most = ready;
  lbraze_hold_client(hold, client);
  client->delivering = true;
  failed = deliver_all(L, first, most, &count);
  client->delivering = false;
  lbraze_hold_release(hold);
  lua_settop(L, first);
  if (failed) lua_error(L);
  lua_settop(L, first - 1);
  return count;
}

static struct lbraze_client *check_not_delivering(lua_State *L, const char *method) {
  struct lbraze_client *client = lbraze_check_client(L, method);
  if (client->delivering)
    lbraze_usage(L, "return from it; what has finished meanwhile is delivered next",
                 "%s was called inside an on_done or on_event of the same client", method);
  return client;
}

/* client:step([most]) -> n */
int lbraze_client_step(lua_State *L) {
  struct lbraze_client *client = check_not_delivering(L, "step");
  double most = 1e9;
  lua_settop(L, 2);
  if (!lua_isnil(L, 2)) {
    most = lua_type(L, 2) == LUA_TNUMBER ? lua_tonumber(L, 2) : -1;
    if (!(most >= 0) || (most < 1e9 && (double)(int)most != most))
      lbraze_refuse_argument(L, 2, braze_client_settings(client->handle), "step", "a whole number that is not negative",
                             "leave it out to deliver all");
    if (most > 1e9) most = 1e9;
  }
  lua_pushinteger(L, deliver_finished(L, client, (int)most, "step"));
  return 1;
}

/* client:wait([seconds]) -> boolean */
int lbraze_client_wait(lua_State *L) {
  struct lbraze_client *client = check_not_delivering(L, "wait");
  double until = braze_clock_now() + lbraze_check_wait(L, 2, "wait");
  lua_settop(L, 1);
  for (;;) {
    double remaining;
    deliver_finished(L, client, 1000000000, "wait");
    lbraze_check_client(L, "wait"); /* an on_done may have forked, or collected the client by hand */
    remaining = until - braze_clock_now();
    if (braze_client_pending(client->handle) == 0 || remaining <= 0) break;
    braze_client_wait(client->handle, NULL, remaining);
  }
  lua_pushboolean(L, braze_client_pending(client->handle) == 0);
  return 1;
}
