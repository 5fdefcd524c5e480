/* inspect: what the command braze needs of C beside the module itself: the request of a call that is not made, and a connection
   without a request. */
#include "base/clock.h"
#include "http/probe.h"
#include "lua/userdata.h"

/* [-0, +3, e] At 1: the client, the name, its parameters, its options, the hold. Leaves a table in place of what client:call would send. */
static int push_request(lua_State *L) {
  struct lbraze_hold *hold = lua_touserdata(L, 5);
  struct lbraze_context context = {hold->settings, NULL};
  struct lbraze_target target;
  const struct braze_request *request;
  lbraze_read_target(L, 2, hold->settings, "call", &target);
  context.operation = target.name;
  lbraze_make_call(L, 3, LBRAZE_FOR_CALL, &target, &context, hold);
  request = braze_call_request(hold->call);
  lua_createtable(L, 0, 4);
  lua_pushstring(L, braze_method_name(request->method));
  lua_setfield(L, -2, "method");
  lua_pushfstring(L, "%s%s", hold->settings->url, request->target);
  lua_setfield(L, -2, "url");
  if (request->body.length > 0) {
    lua_pushlstring(L, request->body.bytes, request->body.length);
    lua_setfield(L, -2, "body");
  }
  lua_pushboolean(L, request->repeatable);
  lua_setfield(L, -2, "repeatable");
  return 1;
}

/* core.request(client, name, params [, options]) -> { method, url, repeatable [, body] } */
int lbraze_inspect_request(lua_State *L) {
  const struct lbraze_client *client = lbraze_check_open_client(L, "request");
  lua_settop(L, 4);
  return lbraze_run(L, push_request, client, "request", braze_clock_now());
}

/* [-0, +0, m] Sets a string field of the table on top of the stack; NULL and "" are no field. */
static void set_text(lua_State *L, const char *name, const char *text) {
  if (!text || !text[0]) return;
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

/* [-0, +0, m] The same for seconds; 0 is no field. */
static void set_seconds(lua_State *L, const char *name, double seconds) {
  if (seconds <= 0) return;
  lua_pushnumber(L, seconds);
  lua_setfield(L, -2, name);
}

static void set_client(lua_State *L, const struct braze_settings *settings) {
  set_text(L, "endpoint", settings->url);
  set_text(L, "proxy", settings->proxy);
  set_text(L, "no_proxy", settings->no_proxy);
  lua_pushboolean(L, settings->secure);
  lua_setfield(L, -2, "secure");
  lua_pushboolean(L, settings->unknown_host);
  lua_setfield(L, -2, "unknown_host");
}

static void set_probe(lua_State *L, const struct braze_probe *probe) {
  set_text(L, "directory", probe->directory);
  set_text(L, "file", probe->file);
  set_text(L, "addresses", probe->addresses);
  set_text(L, "address", probe->address);
  set_text(L, "subject", probe->subject);
  set_text(L, "issuer", probe->issuer);
  set_text(L, "starts", probe->starts);
  set_text(L, "expires", probe->expires);
  set_seconds(L, "name_lookup", probe->name_lookup);
  set_seconds(L, "connect", probe->connect);
  set_seconds(L, "tls", probe->tls);
  lbraze_push_integer(L, probe->port);
  lua_setfield(L, -2, "port");
}

/* [-0, +0, e] What went wrong. */
static void set_failure(lua_State *L, const struct lbraze_hold *hold) {
  struct braze_outcome written, *outcome = braze_call_outcome(hold->call, &written);
  if (outcome->proxy_status > 0) {
    lbraze_push_integer(L, outcome->proxy_status);
    lua_setfield(L, -2, "proxy_status");
  }
  lbraze_push_answer(L, hold->settings, hold->call, outcome, 0);
  lua_setfield(L, -2, "error");
}

/* At 1: the client, the hold. */
static int push_probe(lua_State *L) {
  struct lbraze_hold *hold = lua_touserdata(L, 2);
  struct braze_probe *probe = lbraze_new_userdata(L, sizeof *probe);
  struct braze_request *request;
  hold->call = braze_call_new(hold->began);
  if (!hold->call) return luaL_error(L, "not enough memory");
  *braze_call_limits(hold->call) = hold->settings->limits;
  request = braze_call_request(hold->call);
  request->method = BRAZE_GET;
  request->name = request->target = "/";
  braze_call_ready(hold->call);
  if (!braze_probe_run(probe, hold->settings, hold->call)) return luaL_error(L, "not enough memory");
  lua_newtable(L);
  set_client(L, hold->settings);
  set_text(L, "libraries", braze_probe_libraries());
  set_probe(L, probe);
  if (!probe->connected) set_failure(L, hold);
  return 1;
}

/* core.probe(client) -> how far a connection comes, without a request */
int lbraze_inspect_probe(lua_State *L) {
  const struct lbraze_client *client = lbraze_check_open_client(L, "probe");
  lua_settop(L, 1);
  return lbraze_run(L, push_probe, client, "probe", braze_clock_now());
}
