/* client: a client of Lua's: made, called, closed and collected. */
#include "lua/userdata.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"

/* The client at index, open or closed; NULL for anything else. Never raises: finalizers use it. */
static struct lbraze_client *test_client(lua_State *L, int index) {
  struct lbraze_client *client = lbraze_test_userdata(L, index, LBRAZE_CLIENT, sizeof *client);
  if (!client) client = lbraze_test_userdata(L, index, LBRAZE_SAFE_CLIENT, sizeof *client);
  return client && client->self == client ? client : NULL;
}

const struct braze_settings *lbraze_settings_of(lua_State *L, int index) {
  const struct lbraze_client *client = test_client(L, index);
  const struct lbraze_request *request = client ? NULL : lbraze_test_request(L, index);
  if (request) client = request->client;
  if (!client) {
    lbraze_get_registered(L, LBRAZE_DEFAULT_CLIENT);
    client = test_client(L, -1);
    lua_pop(L, 1);
  }
  return client && client->handle ? braze_client_settings(client->handle) : NULL;
}

/* [-0, +1, m] An empty table for requests. Before Lua 5.4 luaL_ref's list of what is free ends
   in nil, and luaL_unref needs memory to begin it again, which a delivery must not want: ended in 0, as 5.4 does, it needs none. */
static void push_new_requests(lua_State *L) {
  lua_newtable(L);
  lua_pushinteger(L, 0);
  lua_rawseti(L, -2, 0);
}

/* Whether the requests beside the client are those of a process that this one was forked from. */
static bool is_parents(const struct lbraze_client *client) {
  return client->handle && client->generation != braze_client_generation(client->handle);
}

/* The parent's requests are the parent's to deliver. */
void lbraze_refresh_client(lua_State *L, int index, struct lbraze_client *client) {
  const int top = lua_gettop(L);
  if (!is_parents(client)) return;
  lbraze_get_uservalue(L, index);
  push_new_requests(L);
  if (is_parents(client)) { /* unless a finalizer that ran meanwhile did this */
    lua_rawseti(L, -2, LBRAZE_CLIENT_REQUESTS);
    client->delivering = false;
    client->generation = braze_client_generation(client->handle);
  }
  lua_settop(L, top);
}

/* [-0, +0, e] Makes the client at index 1 ready for this process. */
static void make_ready(lua_State *L, struct lbraze_client *client, const char *method) {
  lbraze_refresh_client(L, 1, client);
  if (!client->handle) lbraze_usage(L, NULL, "%s was called on a client that is collected", method);
}

struct lbraze_client *lbraze_check_client(lua_State *L, const char *method) {
  struct lbraze_client *client = test_client(L, 1);
  char hint[128];
  if (!client) {
    braze_text_print(hint, sizeof hint, "write client:%s(...)", method);
    lbraze_usage(L, hint, "%s was called on %s, not on a client: \".\" stands where \":\" belongs", method, lbraze_what(L, 1));
  }
  make_ready(L, client, method);
  return client;
}

static void refuse_closed(lua_State *L, const struct lbraze_client *client, const char *method) {
  if (braze_client_is_closed(client->handle))
    lbraze_usage(L, "make another one with braze.new", "%s was called on a client that is closed", method);
}

void lbraze_check_still_open(lua_State *L, struct lbraze_client *client, const char *method) {
  make_ready(L, client, method);
  refuse_closed(L, client, method);
}

struct lbraze_client *lbraze_check_open_client(lua_State *L, const char *method) {
  struct lbraze_client *client = lbraze_check_client(L, method);
  refuse_closed(L, client, method);
  return client;
}

int lbraze_raise_failure(lua_State *L, int failure) {
  const char *what = failure == EMFILE || failure == ENFILE ? "descriptor" : "thread";
  char why[100];
  if (failure == BRAZE_ERROR_LIBCURL) luaL_error(L, "libcurl could not be initialised");
  if (failure == ENOMEM) luaL_error(L, "not enough memory");
  braze_text_print_error(why, sizeof why, failure);
  lbraze_usage(L, "nothing was sent; look at the process's limits (ulimit -a)", "no %s for the client: %s", what, why);
}

/* [-0, +0, e] Reads the options at index 2 into the new client at index 1. */
static int read_options(lua_State *L) {
  const struct lbraze_hold *hold = lua_touserdata(L, 3);
  struct lbraze_client *client = lua_touserdata(L, 1);
  lbraze_read_client_options(L, 2, hold->client);
  if (lua_isnil(L, -1)) return 0;
  lbraze_get_uservalue(L, 1);
  lua_insert(L, -2);
  lua_rawseti(L, -2, LBRAZE_CLIENT_ON_EVENT);
  client->has_on_event = true;
  return 0;
}

/* [-1, +1, e] A new client from the options on top of the stack. */
static int new_client(lua_State *L, enum lbraze_registered metatable) {
  int options = lua_gettop(L), status;
  struct lbraze_client *client = lbraze_new_userdata(L, sizeof *client);
  struct lbraze_hold *hold;
  memset(client, 0, sizeof *client);
  client->self = client;
  lua_createtable(L, 1, 0);
  push_new_requests(L);
  lua_rawseti(L, -2, LBRAZE_CLIENT_REQUESTS);
  lbraze_set_uservalue(L, -2);
  lbraze_get_registered(L, metatable);
  lua_setmetatable(L, -2);
  hold = lbraze_push_hold(L);
  lua_pushcfunction(L, read_options);
  lua_pushvalue(L, options + 1);
  lua_pushvalue(L, options);
  lua_pushvalue(L, options + 2);
  client->handle = braze_client_new();
  if (!client->handle) return luaL_error(L, "not enough memory");
  client->generation = braze_client_generation(client->handle);
  lbraze_hold_client(hold, client);
  status = lua_pcall(L, 3, 0, 0);
  lbraze_hold_release(hold);
  if (status != 0) return lua_error(L);
  lua_settop(L, options + 1);
  lua_remove(L, options);
  return 1;
}

/* braze.new([options]) -> client */
int lbraze_client_new(lua_State *L) {
  lua_settop(L, 1);
  return new_client(L, LBRAZE_CLIENT);
}

/* braze.safe.new([options]) -> client */
int lbraze_client_new_safe(lua_State *L) {
  lua_settop(L, 1);
  return new_client(L, LBRAZE_SAFE_CLIENT);
}

/* Blocks until the call is done, and pushes its result. At 1: the client, the name, its parameters, its options, the hold. */
static int run_call(lua_State *L) {
  struct lbraze_client *client = lua_touserdata(L, 1);
  struct lbraze_hold *hold = lua_touserdata(L, 5);
  struct lbraze_context context = {hold->settings, NULL};
  struct lbraze_target target;
  int failure, teller = 0;
  bool good;
  lbraze_check_still_open(L, client, "call"); /* one that was closed before it was held has no key left to redact */
  lbraze_read_target(L, 2, hold->settings, "call", &target);
  context.operation = target.name;
  lbraze_make_call(L, 3, LBRAZE_FOR_CALL, &target, &context, hold);
  lbraze_check_room(L, target.name, client->has_on_event);
  if (client->has_on_event) teller = lbraze_push_teller(L, 1);
  lbraze_check_still_open(L, client, target.name); /* what ran up to here may have closed it; from here on nothing runs */
  failure = braze_client_call(hold->client, hold->call);
  if (failure != 0) return lbraze_raise_failure(L, failure);
  good = lbraze_push_answer(L, hold->settings, hold->call, braze_call_outcome(hold->call, NULL), 0);
  if (teller && lbraze_tell_events(L, teller, 5, lua_gettop(L))) lbraze_warn_of_event(L, teller, 5);
  return good ? 1 : lua_error(L);
}

int lbraze_make_call(lua_State *L, int params_index, enum lbraze_scope scope, const struct lbraze_target *target,
                     const struct lbraze_context *context, struct lbraze_hold *hold) {
  struct lbraze_call_options options;
  struct lbraze_params params;
  if (target->operation) lbraze_check_params(L, params_index, context);
  lbraze_read_call_options(L, params_index + 1, scope, context, &options);
  lbraze_read_params(L, params_index, target, context, &options, &params);
  hold->call = braze_call_new(hold->began);
  if (!hold->call) luaL_error(L, "not enough memory");
  *braze_call_limits(hold->call) = options.limits;
  lbraze_write_request(L, &params, braze_call_request(hold->call));
  if (lua_isnil(L, options.job))
    lbraze_set_no_job(L, braze_client_ledger(hold->client), hold->call);
  else
    lbraze_set_job(L, context, options.job, braze_client_ledger(hold->client), hold->call);
  lbraze_ask_for_events(L, lua_touserdata(L, 1), hold->call);
  braze_call_ready(hold->call);
  return options.on_done;
}

/* At 1: the client, the name, its parameters, its options. */
static int call_since(lua_State *L, double began) {
  const struct lbraze_client *client = lbraze_check_open_client(L, "call");
  lua_settop(L, 4);
  return lbraze_run(L, run_call, client, "call", began);
}

/* client:call(name, params [, options]) -> result */
int lbraze_client_call(lua_State *L) {
  return call_since(L, braze_clock_now());
}

/* client:NAME(params [, options]) -> result; the name is the upvalue */
static int client_operation(lua_State *L) {
  const double began = braze_clock_now();
  const char *name = lua_tostring(L, lua_upvalueindex(1));
  const struct lbraze_client *client = lbraze_check_open_client(L, name);
  lua_settop(L, 3);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 2);
  return lbraze_run(L, run_call, client, name, began);
}

/* [-0, +1, e] The client of the module's functions, made from the environment at the first use. */
static void push_default_client(lua_State *L) {
  lbraze_get_registered(L, LBRAZE_DEFAULT_CLIENT);
  if (!lua_isnil(L, -1)) return;
  lua_pop(L, 1);
  lua_pushnil(L);
  new_client(L, LBRAZE_CLIENT);
  lua_pushvalue(L, -1);
  lbraze_register(L, LBRAZE_DEFAULT_CLIENT);
}

/* braze.call(name, params [, options]) -> result */
int lbraze_default_call(lua_State *L) {
  const double began = braze_clock_now();
  struct lbraze_context context = {NULL, NULL};
  struct lbraze_target target;
  lua_settop(L, 3);
  lbraze_check_dot(L, 1, "call");
  lbraze_read_target(L, 1, NULL, "call", &target);
  context.operation = target.name;
  if (target.operation) lbraze_check_params(L, 2, &context);
  lbraze_check_call_options(L, 3, LBRAZE_FOR_CALL, &context);
  push_default_client(L);
  lua_insert(L, 1);
  return call_since(L, began);
}

/* braze.NAME(params [, options]) -> result; the name is the upvalue */
int lbraze_default_operation(lua_State *L) {
  const double began = braze_clock_now();
  const struct lbraze_context context = {NULL, lua_tostring(L, lua_upvalueindex(1))};
  lua_settop(L, 2);
  lbraze_check_params(L, 1, &context);
  lbraze_check_call_options(L, 2, LBRAZE_FOR_CALL, &context);
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  push_default_client(L);
  lua_insert(L, 1);
  return call_since(L, began);
}

void lbraze_set_operations(lua_State *L, lua_CFunction function, bool safe) {
  const struct braze_operation *operation;
  size_t i;
  for (i = 0; (operation = braze_operation_at(i)) != NULL; i++) {
    lua_pushstring(L, operation->name);
    lua_pushcclosure(L, function, 1);
    if (safe) lua_pushcclosure(L, lbraze_safe_call, 1);
    lua_setfield(L, -2, operation->name);
  }
}

/* client:close() */
static int client_close(lua_State *L) {
  struct lbraze_client *client = test_client(L, 1);
  /* One that is collected already, as another finalizer may find it, is closed. */
  if (!client || client->handle) braze_client_close(lbraze_check_client(L, "close")->handle);
  return 0;
}

/* client:pending() -> n */
static int client_pending(lua_State *L) {
  lua_pushinteger(L, braze_client_pending(lbraze_check_client(L, "pending")->handle));
  return 1;
}

/* client:pollfd(), client:getfd() -> descriptor */
static int client_pollfd(lua_State *L) {
  int descriptor, failure = braze_client_descriptor(lbraze_check_client(L, "pollfd")->handle, &descriptor);
  if (failure != 0) return lbraze_raise_failure(L, failure);
  lua_pushinteger(L, descriptor);
  return 1;
}

/* client:events() -> "r" */
static int client_events(lua_State *L) {
  lbraze_check_client(L, "events");
  lua_pushliteral(L, "r");
  return 1;
}

/* Any value may come in through debug.getmetatable: what is no client is left alone. */
static int client__gc(lua_State *L) {
  struct lbraze_client *client = test_client(L, 1);
  if (!client) return 0;
  braze_client_free(client->handle);
  client->handle = NULL;
  return 0;
}

static int client__close(lua_State *L) {
  const struct lbraze_client *client = test_client(L, 1);
  if (client && client->handle) braze_client_close(client->handle);
  return 0;
}

static int client__tostring(lua_State *L) {
  const struct lbraze_client *client = test_client(L, 1);
  char text[512] = "braze.client (closed)"; /* a copy: pushing may run what frees the settings */
  if (client && client->handle && !braze_client_is_closed(client->handle)) {
    const char *authority = braze_client_settings(client->handle)->authority;
    braze_text_print(text, sizeof text, "braze.client (%s)", authority ? authority : "");
  }
  lua_pushstring(L, text);
  return 1;
}

/* [-0, +0, m] One of the two metatables; the methods of the safe one go through lbraze_safe_call. */
static void open_metatable(lua_State *L, enum lbraze_registered what, const char *name, bool safe) {
  static const luaL_Reg methods[] = {
      {"call", lbraze_client_call},              {"each", lbraze_client_each},   {"start", lbraze_client_start},
      {"step", lbraze_client_step},
      {"wait", lbraze_client_wait},              {"pending", client_pending},    {"pollfd", client_pollfd},
      {"getfd", client_pollfd},                  {"events", client_events},      {"close", client_close},
      {NULL, NULL},
  };
  static const luaL_Reg metamethods[] = {{"__gc", client__gc}, {"__close", client__close}, {"__tostring", client__tostring}, {NULL, NULL}};
  lbraze_new_metatable(L, what, name);
  lbraze_set_functions(L, metamethods);
  lbraze_push_methods(L, methods, safe);
  lbraze_set_operations(L, client_operation, safe);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void lbraze_open_client(lua_State *L) {
  open_metatable(L, LBRAZE_CLIENT, "braze.client", false);
  open_metatable(L, LBRAZE_SAFE_CLIENT, "braze.safe.client", true);
  lbraze_open_request(L);
  lbraze_open_ledger(L);
}
