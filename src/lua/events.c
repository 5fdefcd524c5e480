/* events: tells a client's on_event what happened on the way of a call, on the thread that asks, when the call is done. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "lua/userdata.h"

#define MOST_SHOWN 300 /* bytes of what an on_event has raised */

/* What tell has on the stack. */
enum { HOOK = 1, HOLD, ANSWER, RAISED };

/* [-0, +0, m] The functions below set a field of the table on top of the stack. */

static void set_text(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static void set_safe_text(lua_State *L, const struct braze_settings *settings, const char *name, const char *text, size_t length) {
  lbraze_push_safe_text(L, settings, text, length);
  lua_setfield(L, -2, name);
}

static void set_number(lua_State *L, const char *name, double number) {
  lua_pushnumber(L, number);
  lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, int64_t number) {
  lbraze_push_integer(L, number);
  lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, bool flag) {
  lua_pushboolean(L, flag);
  lua_setfield(L, -2, name);
}

/* [-0, +1, m] A new event. */
static void push_event(lua_State *L, const struct lbraze_hold *hold, const char *type, double time, int fields) {
  const char *operation = braze_call_request(hold->call)->name;
  lua_createtable(L, 0, fields);
  set_text(L, "type", type);
  set_safe_text(L, hold->settings, "operation", operation, strlen(operation));
  set_number(L, "time", time);
}

/* The host and port of the REST endpoint. */
static void set_server(lua_State *L, const struct braze_settings *settings) {
  const char *host = strstr(settings->url, "://"), *end, *colon;
  host = host ? host + 3 : settings->url;
  end = host + strcspn(host, "/");
  colon = host[0] == '[' ? memchr(host, ']', (size_t)(end - host)) : host;
  colon = colon ? memchr(colon, ':', (size_t)(end - colon)) : NULL;
  lua_pushlstring(L, host, (size_t)((colon ? colon : end) - host));
  lua_setfield(L, -2, "server_address");
  set_integer(L, "server_port", colon ? strtol(colon + 1, NULL, 10) : settings->secure ? 443 : 80);
}

/* What was asked for: never the values of a query, and of an operation the path without the values in it. */
static void set_request(lua_State *L, const struct lbraze_hold *hold) {
  static const char *const ids[] = {"campaign_id", "send_id"};
  const struct braze_request *request = braze_call_request(hold->call);
  const struct braze_operation *operation = request->subject;
  const char *path = operation ? operation->path : request->target;
  size_t i;
  set_text(L, "method", braze_method_name(request->method));
  set_safe_text(L, hold->settings, "path", path, strcspn(path, "?"));
  for (i = 0; i < sizeof ids / sizeof *ids; i++) {
    size_t length;
    const char *value = braze_request_value(request, ids[i], &length);
    if (value) set_safe_text(L, hold->settings, ids[i], value, length);
  }
}

static void set_outcome(lua_State *L, const struct braze_event *event) {
  if (!event->succeeded) set_text(L, "kind", braze_kind_name(event->kind));
  if (event->status > 0) set_integer(L, "status", event->status);
}

static void set_parts(lua_State *L, const struct braze_event *event) {
  const struct {
    const char *name;
    double seconds;
  } parts[] = {{"name_lookup", event->name_lookup}, {"connect", event->connect}, {"tls", event->tls}, {"first_byte", event->first_byte}};
  size_t i;
  set_number(L, "elapsed", event->elapsed);
  for (i = 0; i < sizeof parts / sizeof *parts; i++)
    if (parts[i].seconds >= 0) set_number(L, parts[i].name, parts[i].seconds);
}

/* [-0, +1, m] */
static void push_attempt(lua_State *L, const struct lbraze_hold *hold, const struct braze_event *event) {
  push_event(L, hold, "attempt", event->time, 20);
  set_request(L, hold);
  set_server(L, hold->settings);
  set_outcome(L, event);
  set_integer(L, "resend_count", event->resend_count);
  set_parts(L, event);
  set_flag(L, "connection_reused", event->connection_reused);
  set_flag(L, "sent", event->sent);
  if (event->request_id[0]) set_text(L, "request_id", event->request_id);
  lbraze_push_rate_limit(L, &event->rate_limit);
  lua_setfield(L, -2, "rate_limit");
}

/* [-0, +1, m] */
static void push_retry(lua_State *L, const struct lbraze_hold *hold, const struct braze_event *event) {
  push_event(L, hold, "retry", event->time, 6);
  set_number(L, "pause", event->pause);
  set_outcome(L, event);
}

/* [-0, +1, m] The end of the call, as its answer has it. */
static void push_end(lua_State *L, const struct lbraze_hold *hold) {
  static const char *const names[] = {"status", "attempts", "elapsed", "replayed"};
  const bool failed = lbraze_is_error(L, ANSWER);
  size_t i;
  push_event(L, hold, "call", braze_clock_epoch(), 9);
  for (i = 0; i < sizeof names / sizeof *names; i++) {
    lua_getfield(L, ANSWER, names[i]);
    lua_setfield(L, -2, names[i]);
  }
  if (failed) {
    lua_getfield(L, ANSWER, "kind");
    lua_setfield(L, -2, "kind");
    lua_getfield(L, ANSWER, "maybe_applied");
  } else {
    lua_pushboolean(L, 0);
  }
  lua_setfield(L, -2, "maybe_applied");
}

/* [-1, +0] Calls on_event with the event on top of the stack. Keeps the first thing that was raised. Returns whether anything was. */
static bool run_hook(lua_State *L, bool failed) {
  lua_pushvalue(L, HOOK);
  lua_insert(L, -2);
  if (lua_pcall(L, 1, 0, 0) == 0) return failed;
  if (failed)
    lua_pop(L, 1);
  else
    lua_replace(L, RAISED);
  return true;
}

/* Raises what the first on_event that failed has raised, after all have run. */
static int tell(lua_State *L) {
  const struct lbraze_hold *hold = lua_touserdata(L, HOLD);
  const struct braze_events *events = braze_call_events(hold->call);
  bool failed = false;
  int i;
  lua_settop(L, RAISED);
  for (i = 0; events && i < events->count; i++) {
    if (events->list[i].pause < 0)
      push_attempt(L, hold, &events->list[i]);
    else
      push_retry(L, hold, &events->list[i]);
    failed = run_hook(L, failed);
  }
  push_end(L, hold);
  failed = run_hook(L, failed);
  if (!failed) return 0;
  lua_settop(L, RAISED);
  return lua_error(L);
}

/* At 1: what on_event raised; at 2: the hold. */
static int warn(lua_State *L) {
  const struct lbraze_hold *hold = lua_touserdata(L, 2);
  char text[BRAZE_MESSAGE_LIMIT];
  struct braze_buffer out;
  size_t length = 0;
  const char *raised;
  lua_getglobal(L, "tostring");
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  raised = lua_tolstring(L, -1, &length);
  lbraze_push_safe_text(L, hold->settings, raised ? raised : "", length);
  raised = lua_tolstring(L, -1, &length);
  braze_buffer_borrow(&out, text, sizeof text);
  braze_buffer_print(&out, "braze: on_event raised an error, which changes nothing in the call: ");
  braze_text_escape(&out, raised, length, MOST_SHOWN);
  lbraze_complain(L, braze_buffer_text(&out));
  return 0;
}

void lbraze_ask_for_events(lua_State *L, const struct lbraze_client *client, struct braze_call *call) {
  if (client->has_on_event && !braze_events_ask(call)) luaL_error(L, "not enough memory");
}

int lbraze_push_teller(lua_State *L, int client) {
  lua_pushcfunction(L, tell);
  lua_pushcfunction(L, warn);
  lbraze_get_uservalue(L, client);
  lua_rawgeti(L, -1, LBRAZE_CLIENT_ON_EVENT);
  lua_remove(L, -2);
  return lua_gettop(L) - 2;
}

bool lbraze_tell_events(lua_State *L, int teller, int hold, int answer) {
  lua_pushvalue(L, teller);
  lua_pushvalue(L, teller + 2);
  lua_pushvalue(L, hold);
  lua_pushvalue(L, answer);
  return lua_pcall(L, 3, 0, 0) != 0;
}

void lbraze_warn_of_event(lua_State *L, int teller, int hold) {
  lua_pushvalue(L, teller + 1);
  lua_insert(L, -2);
  lua_pushvalue(L, hold);
  if (lua_pcall(L, 2, 0, 0) != 0) lua_pop(L, 1); /* no memory to say it with: the call's result comes first */
}
