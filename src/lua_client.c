/* lua_client: the client: its settings, its engine for blocking calls, and the call itself. */
#define _GNU_SOURCE /* getpid under -std=c11 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "lua_braze.h"

struct client {
  struct braze_settings *settings; /* NULL = closed, and that before it is open */
  struct braze_engine *engine;     /* for blocking calls; made at the first */
  pid_t process;                   /* that the engine belongs to */
};

/* What owns a call while Lua may raise. */
struct call_box {
  struct braze_call *call;
};

/* The client at index, open or closed; NULL for anything else. Never raises: finalizers use it. */
static struct client *test_client(lua_State *L, int index) {
  struct client *client = lua_touserdata(L, index);
  bool ours = false;
  if (!client || !lua_getmetatable(L, index)) return NULL;
  luaL_getmetatable(L, LBRAZE_CLIENT);
  luaL_getmetatable(L, LBRAZE_SAFE_CLIENT);
  ours = lua_rawequal(L, -3, -2) || lua_rawequal(L, -3, -1);
  lua_pop(L, 3);
  return ours ? client : NULL;
}

/* [-0, +0, e] The client at index 1, open or closed. */
static struct client *check_client(lua_State *L, const char *method) {
  struct client *client = test_client(L, 1);
  char hint[128];
  if (client) return client;
  strcpy(hint, "write client:");
  strncat(hint, method, 64);
  strcat(hint, "(...)");
  lbraze_usage(L, hint, "%s was called on %s, not on a client: \".\" stands where \":\" belongs", method, lbraze_what(L, 1));
  return NULL;
}

/* [-0, +0, e] The same, and it must be open. After a fork the child leaves the parent's engine alone: cleaning it up would
   write on the parent's connections. */
static struct client *check_open_client(lua_State *L, const char *method) {
  struct client *client = check_client(L, method);
  if (!client->settings) lbraze_usage(L, "make another one with braze.new", "%s was called on a client that is closed", method);
  if (client->process != getpid()) {
    client->engine = NULL;
    client->process = getpid();
  }
  return client;
}

/* Idempotent, waits for nothing. */
static void close_client(struct client *client) {
  struct braze_settings *settings = client->settings;
  client->settings = NULL;
  if (client->engine && client->process == getpid()) braze_engine_free(client->engine);
  client->engine = NULL;
  braze_settings_release(settings);
}

/* [-0, +1, e] A new client from the options at index. */
static int new_client(lua_State *L, int index, const char *metatable) {
  struct client *client = lbraze_new_userdata(L, sizeof *client);
  memset(client, 0, sizeof *client);
  luaL_getmetatable(L, metatable);
  lua_setmetatable(L, -2);
  lua_createtable(L, 1, 0);
  lbraze_set_uservalue(L, -2);
  client->process = getpid();
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
  lua_rawgeti(L, -1, 1);
  box = lua_touserdata(L, -1);
  if (!box || box->call) {
    lua_pop(L, 1);
    box = lbraze_new_userdata(L, sizeof *box);
    box->call = NULL;
    luaL_getmetatable(L, LBRAZE_CALL);
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawseti(L, -3, 1);
  }
  lua_remove(L, -2);
  return box;
}

static int call_box__gc(lua_State *L) {
  struct call_box *box = lua_touserdata(L, 1);
  if (box) braze_call_free(box->call);
  if (box) box->call = NULL;
  return 0;
}

/* [-0, +1, e] Blocks until the call is done; its result. The client stands at index 1, its parameters and options behind it. */
static int call_endpoint(lua_State *L, struct client *client, const struct braze_endpoint *endpoint) {
  struct braze_value values[BRAZE_MOST_FIELDS];
  struct lbraze_limits limits;
  struct call_box *box;
  const char *body;
  size_t body_length;
  bool good;
  lbraze_read_parameters(L, 2, client->settings, endpoint, values);
  lbraze_read_call_options(L, 3, client->settings, &limits);
  lbraze_push_json(L, endpoint, values);
  body = lua_tolstring(L, -1, &body_length);
  box = push_box(L, 1);
  if (!client->engine) client->engine = braze_engine_new(client->settings, 1);
  box->call = braze_call_new(endpoint, values, body, body_length);
  if (!client->engine || !box->call) return luaL_error(L, "not enough memory");
  box->call->timeout = limits.timeout;
  box->call->connect_timeout = limits.connect_timeout;
  box->call->retries = limits.retries;
  braze_engine_run(client->engine, box->call);
  good = lbraze_push_answer(L, client->settings, box->call);
  braze_call_free(box->call);
  box->call = NULL;
  return good ? 1 : lua_error(L);
}

/* client:create_send_id(params [, options]) -> result */
static int client_create_send_id(lua_State *L) {
  struct client *client = check_open_client(L, "create_send_id");
  lua_settop(L, 3);
  return call_endpoint(L, client, braze_endpoint_find("create_send_id", strlen("create_send_id")));
}

/* braze.create_send_id(params [, options]) -> result, on a client made from the environment at the first use. */
int lbraze_client_create_send_id_by_default(lua_State *L) {
  lua_settop(L, 2);
  lua_getfield(L, LUA_REGISTRYINDEX, LBRAZE_DEFAULT_CLIENT);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_pushnil(L);
    new_client(L, 3, LBRAZE_CLIENT);
    lua_remove(L, 3);
    lua_pushvalue(L, -1);
    lua_setfield(L, LUA_REGISTRYINDEX, LBRAZE_DEFAULT_CLIENT);
  }
  lua_insert(L, 1);
  return client_create_send_id(L);
}

/* client:close() */
static int client_close(lua_State *L) {
  close_client(check_client(L, "close"));
  return 0;
}

/* Any value may come in through debug.getmetatable: what is no client is left alone. */
static int client__gc(lua_State *L) {
  struct client *client = test_client(L, 1);
  if (client) close_client(client);
  return 0;
}

static int client__tostring(lua_State *L) {
  const struct client *client = check_client(L, "tostring");
  if (client->settings)
    lua_pushfstring(L, "braze.client (%s)", client->settings->host ? client->settings->host : "");
  else
    lua_pushliteral(L, "braze.client (closed)");
  return 1;
}

/* [-0, +0, m] One of the two metatables; the methods of the safe one go through lbraze_safe_call. */
static void open_metatable(lua_State *L, const char *name, bool safe) {
  static const luaL_Reg methods[] = {{"create_send_id", client_create_send_id}, {"close", client_close}, {NULL, NULL}};
  static const luaL_Reg metamethods[] = {{"__gc", client__gc}, {"__close", client__gc}, {"__tostring", client__tostring}, {NULL, NULL}};
  const luaL_Reg *method;
  luaL_newmetatable(L, name);
  lbraze_set_functions(L, metamethods);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "__name");
  lua_newtable(L);
  for (method = methods; method->name; method++) {
    lua_pushcfunction(L, method->func);
    if (safe) lua_pushcclosure(L, lbraze_safe_call, 1);
    lua_setfield(L, -2, method->name);
  }
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

void lbraze_open_client(lua_State *L) {
  static const luaL_Reg box_metamethods[] = {{"__gc", call_box__gc}, {NULL, NULL}};
  open_metatable(L, LBRAZE_CLIENT, false);
  open_metatable(L, LBRAZE_SAFE_CLIENT, true);
  luaL_newmetatable(L, LBRAZE_CALL);
  lbraze_set_functions(L, box_metamethods);
  lua_pop(L, 1);
}
