/* lua_client: the client: its settings, its engine and its worker, and the blocking call. */
#include "lua_client.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "global.h"
#include "parking.h"

/* What owns a blocking call while Lua may raise. */
struct call_box {
  struct braze_call *call;
};

/* The client at index, open or closed; NULL for anything else. Never raises: finalizers use it. */
static struct lbraze_client *test_client(lua_State *L, int index) {
  struct lbraze_client *client = lua_touserdata(L, index);
  if (!client) return NULL;
  return lbraze_has_metatable(L, index, LBRAZE_CLIENT) || lbraze_has_metatable(L, index, LBRAZE_SAFE_CLIENT) ? client : NULL;
}

/* [-0, +0, m] Gives the table on top of the stack an empty one for requests. Before Lua 5.4 luaL_ref's list of what is free ends
   in nil, and luaL_unref needs memory to begin it again, which a delivery must not want: ended in 0, as 5.4 does, it needs none. */
static void set_new_requests(lua_State *L) {
  lua_newtable(L);
  lua_pushinteger(L, 0);
  lua_rawseti(L, -2, 0);
  lua_rawseti(L, -2, LBRAZE_CLIENT_REQUESTS);
}

bool lbraze_is_child(const struct lbraze_client *client) {
  return client->process != braze_parking_forks();
}

/* In the child of a fork: the parent's engine and worker are left as they are: cleaning them up would write on the parent's
   connections. The secrets that they hold references to are the child's to wipe. */
static void abandon(struct lbraze_client *client) {
  client->engine = NULL;
  client->worker = NULL;
  if (client->settings) braze_settings_after_fork(client->settings);
}

/* The parent's requests are the parent's to deliver. */
void lbraze_refresh_client(lua_State *L, int index, struct lbraze_client *client) {
  if (!lbraze_is_child(client)) {
    if (client->worker && braze_parking_is_exiting()) braze_worker_give_up(client->worker);
    return;
  }
  lbraze_get_uservalue(L, index);
  set_new_requests(L);
  lua_pop(L, 1);
  abandon(client);
  client->pending = 0;
  client->delivering = false;
  client->process = braze_parking_forks();
  client->generation++;
}

struct lbraze_client *lbraze_check_client(lua_State *L, const char *method) {
  struct lbraze_client *client = test_client(L, 1);
  char hint[128];
  if (!client) {
    snprintf(hint, sizeof hint, "write client:%s(...)", method);
    lbraze_usage(L, hint, "%s was called on %s, not on a client: \".\" stands where \":\" belongs", method, lbraze_what(L, 1));
  }
  if (!client->settings) lbraze_usage(L, NULL, "%s was called on a client that is collected", method);
  lbraze_refresh_client(L, 1, client);
  return client;
}

struct lbraze_client *lbraze_check_open_client(lua_State *L, const char *method) {
  struct lbraze_client *client = lbraze_check_client(L, method);
  if (client->closed) lbraze_usage(L, "make another one with braze.new", "%s was called on a client that is closed", method);
  return client;
}

int lbraze_raise_system(lua_State *L, const char *what, int code) {
  lbraze_usage(L, "nothing was sent; look at the process's limits (ulimit -a)", "%s: %.100s", what, strerror(code));
}

/* What a call needs could not be made; errno was 0 before. libcurl 8.22 wants a descriptor for that. */
LBRAZE_RAISES static void raise_unmade(lua_State *L) {
  if (errno == EMFILE || errno == ENFILE) lbraze_raise_system(L, "no descriptor for the client", errno);
  luaL_error(L, "not enough memory");
}

struct braze_worker *lbraze_client_worker(lua_State *L, struct lbraze_client *client) {
  if (client->worker) return client->worker;
  if (!braze_global_start()) luaL_error(L, "libcurl could not be initialised");
  errno = 0;
  client->worker = braze_worker_new(client->settings);
  if (!client->worker) raise_unmade(L);
  return client->worker;
}

/* Idempotent, waits for nothing. What is done can still be delivered. */
static void close_client(struct lbraze_client *client) {
  if (lbraze_is_child(client)) abandon(client);
  if (client->closed) return;
  client->closed = true;
  if (client->worker) braze_worker_close(client->worker);
  if (client->engine) braze_engine_retire(client->engine);
  client->engine = NULL;
  if (client->settings) braze_settings_drop_secrets(client->settings);
}

/* [-0, +1, e] A new client from the options at index. */
static int new_client(lua_State *L, int index, enum lbraze_registered metatable) {
  struct lbraze_client *client = lbraze_new_userdata(L, sizeof *client);
  memset(client, 0, sizeof *client);
  lbraze_get_registered(L, metatable);
  lua_setmetatable(L, -2);
  lua_createtable(L, 2, 0);
  set_new_requests(L);
  lbraze_set_uservalue(L, -2);
  client->process = braze_parking_forks();
  client->settings = braze_settings_new();
  if (!client->settings) return luaL_error(L, "not enough memory");
  lbraze_read_client_options(L, index, client->settings);
  return 1;
}

/* braze.new([options]) -> client */
int lbraze_client_new(lua_State *L) {
  lua_settop(L, 1);
  return new_client(L, 1, LBRAZE_CLIENT);
}

/* braze.safe.new([options]) -> client */
int lbraze_client_new_safe(lua_State *L) {
  lua_settop(L, 1);
  return new_client(L, 1, LBRAZE_SAFE_CLIENT);
}

/* [-0, +1, m] An empty box. The client keeps one for its next call; a call inside a finalizer that runs during another
   call finds it in use and gets its own. */
static struct call_box *push_box(lua_State *L, int client_index) {
  struct call_box *box;
  lbraze_get_uservalue(L, client_index);
  lua_rawgeti(L, -1, LBRAZE_CLIENT_BOX);
  box = lua_touserdata(L, -1);
  if (!box || box->call) {
    lua_pop(L, 1);
    box = lbraze_new_userdata(L, sizeof *box);
    box->call = NULL;
    lbraze_get_registered(L, LBRAZE_CALL);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, LBRAZE_CLIENT_BOX);
  }
  lua_remove(L, -2);
  return box;
}

static int call_box__gc(lua_State *L) {
  struct call_box *box = lua_touserdata(L, 1);
  if (box) braze_call_release(box->call);
  if (box) box->call = NULL;
  return 0;
}

/* [-0, +1, e] Blocks until the call is done; its result. The client stands at index 1, its parameters and options behind it. */
static int call_endpoint(lua_State *L, struct lbraze_client *client, const struct braze_endpoint *endpoint) {
  struct braze_value values[BRAZE_MOST_FIELDS];
  struct lbraze_limits limits;
  struct call_box *box;
  bool good;
  lbraze_read_parameters(L, 2, client->settings, endpoint, values);
  lbraze_read_call_options(L, 3, client->settings, &limits);
  lbraze_encode_values(L, endpoint, values);
  box = push_box(L, 1);
  if (!braze_global_start()) return luaL_error(L, "libcurl could not be initialised");
  errno = 0;
  if (!client->engine) client->engine = braze_engine_new(client->settings, 1);
  if (client->engine) box->call = braze_call_new(endpoint, values);
  if (!box->call) raise_unmade(L);
  box->call->timeout = limits.timeout;
  box->call->connect_timeout = limits.connect_timeout;
  box->call->retries = limits.retries;
  braze_engine_run(client->engine, box->call);
  good = lbraze_push_answer(L, client->settings, box->call, &box->call->outcome);
  braze_call_release(box->call);
  box->call = NULL;
  return good ? 1 : lua_error(L);
}

/* client:create_send_id(params [, options]) -> result */
static int client_create_send_id(lua_State *L) {
  struct lbraze_client *client = lbraze_check_open_client(L, "create_send_id");
  lua_settop(L, 3);
  return call_endpoint(L, client, braze_endpoint_find("create_send_id", strlen("create_send_id")));
}

/* braze.create_send_id(params [, options]) -> result, on a client made from the environment at the first use. */
int lbraze_client_create_send_id_by_default(lua_State *L) {
  lua_settop(L, 2);
  lbraze_get_registered(L, LBRAZE_DEFAULT_CLIENT);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushnil(L);
    new_client(L, 3, LBRAZE_CLIENT);
    lua_remove(L, 3);
    lua_pushvalue(L, -1);
    lbraze_register(L, LBRAZE_DEFAULT_CLIENT);
  }
  lua_insert(L, 1);
  return client_create_send_id(L);
}

/* client:close() */
static int client_close(lua_State *L) {
  struct lbraze_client *client = test_client(L, 1);
  /* One that is collected already, as another finalizer may find it, is closed. */
  if (!client || client->settings) close_client(lbraze_check_client(L, "close"));
  return 0;
}

/* client:pending() -> n */
static int client_pending(lua_State *L) {
  lua_pushinteger(L, lbraze_check_client(L, "pending")->pending);
  return 1;
}

/* client:pollfd(), client:getfd() -> descriptor */
static int client_pollfd(lua_State *L) {
  struct lbraze_client *client = lbraze_check_client(L, "pollfd");
  lua_pushinteger(L, braze_worker_descriptor(lbraze_client_worker(L, client)));
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
  close_client(client);
  braze_worker_free(client->worker);
  client->worker = NULL;
  braze_settings_release(client->settings);
  client->settings = NULL;
  return 0;
}

static int client__close(lua_State *L) {
  struct lbraze_client *client = test_client(L, 1);
  if (client) close_client(client);
  return 0;
}

static int client__tostring(lua_State *L) {
  const struct lbraze_client *client = test_client(L, 1);
  if (client && client->settings && !client->closed)
    lua_pushfstring(L, "braze.client (%s)", client->settings->host ? client->settings->host : "");
  else
    lua_pushliteral(L, "braze.client (closed)");
  return 1;
}

/* [-0, +0, m] One of the two metatables; the methods of the safe one go through lbraze_safe_call. */
static void open_metatable(lua_State *L, enum lbraze_registered what, const char *name, bool safe) {
  static const luaL_Reg methods[] = {
      {"create_send_id", client_create_send_id}, {"start", lbraze_client_start}, {"step", lbraze_client_step},
      {"wait", lbraze_client_wait},              {"pending", client_pending},    {"pollfd", client_pollfd},
      {"getfd", client_pollfd},                  {"events", client_events},      {"close", client_close},
      {NULL, NULL},
  };
  static const luaL_Reg metamethods[] = {{"__gc", client__gc}, {"__close", client__close}, {"__tostring", client__tostring}, {NULL, NULL}};
  lbraze_new_metatable(L, what, name);
  lbraze_set_functions(L, metamethods);
  lbraze_push_methods(L, methods, safe);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void lbraze_open_client(lua_State *L) {
  static const luaL_Reg box_metamethods[] = {{"__gc", call_box__gc}, {NULL, NULL}};
  open_metatable(L, LBRAZE_CLIENT, "braze.client", false);
  open_metatable(L, LBRAZE_SAFE_CLIENT, "braze.safe.client", true);
  lbraze_open_request(L);
  lbraze_new_metatable(L, LBRAZE_CALL, "braze.call");
  lbraze_set_functions(L, box_metamethods);
  lua_pop(L, 1);
}
