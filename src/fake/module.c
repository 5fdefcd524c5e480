/* module: require "braze_fake", what src/braze/fake.lua needs of C: the module over clients without a network, and functions that
   steer them. */
#include "lua/userdata.h"

#include "base/clock.h"
#include "fake/fake.h"

#ifdef BRAZE_FAKE /* a host that compiles all of src/ into itself has the real ones */

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

int luaopen_braze_core(lua_State *L);
int luaopen_braze_fake(lua_State *L);

/* The place in the table beside a client where the function is that makes up its answers. */
enum { ANSWERING = LBRAZE_CLIENT_ON_EVENT + 1 };

/* Under its address the registry has such functions by client, weakly. */
static const char answering = 0;

/* The state that runs the method of a client or a request, by which alone an answer is made up. Another one, even a coroutine made for it,
   would not do: LuaJIT before September 2023 takes it for the running one after the next error (LuaJIT/LuaJIT#1066). */
static _Thread_local lua_State *running;

/* [-1, +0] The call's failure from the table on top of the stack: { kind, sent }. */
static void fail(lua_State *L, struct braze_call *call) {
  enum braze_kind kind = BRAZE_NETWORK;
  int k;
  lua_getfield(L, -1, "kind");
  for (k = 0; k < BRAZE_KIND_COUNT; k++)
    if (strcmp(lua_tostring(L, -1), braze_kind_name((enum braze_kind)k)) == 0) kind = (enum braze_kind)k;
  lua_getfield(L, -2, "sent");
  braze_fake_fail(call, kind, lua_toboolean(L, -1));
  lua_pop(L, 3);
}

/* [-0, +1, m] The functions that make up answers, by client. */
static void push_answering(lua_State *L) {
  lua_pushlightuserdata(L, (void *)(size_t)&answering);
  lua_rawget(L, LUA_REGISTRYINDEX);
}

/* What one exchange needs. */
struct exchange {
  struct braze_client *client;
  struct braze_call *call;
  int tries;
  bool expected;
};

/* At 1: the exchange. The function that answers is given the name, the method, path and query, the body, a value that is one for the whole
   call, and the number of the try. It returns nothing where it has no answer; a status, lines and a body; or a table. */
static int exchange(lua_State *L) {
  struct exchange *exchange = lua_touserdata(L, 1);
  const struct braze_request *request = braze_call_request(exchange->call);
  size_t length = 0;
  const char *body;
  push_answering(L);
  lua_pushlightuserdata(L, exchange->client);
  lua_rawget(L, 2);
  lua_replace(L, 2);
  lua_pushvalue(L, 2);
  lua_pushstring(L, request->name);
  lua_pushstring(L, braze_method_name(request->method));
  lua_pushstring(L, request->target);
  lua_pushlstring(L, request->body.bytes ? request->body.bytes : "", request->body.length);
  lua_pushlightuserdata(L, exchange->call);
  lua_pushinteger(L, exchange->tries);
  lua_call(L, 6, 3);
  if (lua_isnil(L, 3)) return 0;
  exchange->expected = true;
  if (lua_istable(L, 3)) {
    lua_settop(L, 3);
    fail(L, exchange->call);
    return 0;
  }
  body = luaL_checklstring(L, 5, &length);
  if (!braze_fake_answer(exchange->client, exchange->call, (int)lua_tointeger(L, 3), luaL_checkstring(L, 4), body, length))
    return luaL_error(L, "not enough memory");
  return 0;
}

/* An answer that can't be made up, for want of memory alone, is a connection that fails. */
static bool answer(struct braze_client *client, struct braze_call *call, int tries) {
  lua_State *L = running;
  struct exchange made = {client, call, tries, false};
  if (!L || !lua_checkstack(L, LUA_MINSTACK)) return false;
  lua_pushcfunction(L, exchange);
  lua_pushlightuserdata(L, &made);
  if (lua_pcall(L, 1, 0, 0) == 0) return made.expected;
  lua_pop(L, 1);
  braze_fake_fail(call, BRAZE_NETWORK, false);
  return true;
}

/* fake.within(function, ...) -> what the function returns. Answers can be made up while it runs. */
static int within(lua_State *L) {
  lua_State *before = running;
  int failure;
  running = L;
  failure = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  running = before;
  return failure == 0 ? lua_gettop(L) : lua_error(L);
}

/* The same with the upvalue as the function. */
static int method_within(lua_State *L) {
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  return within(L);
}

/* [-0, +0, m] Has the methods of a metatable run by method_within. */
static void wrap_methods(lua_State *L, enum lbraze_registered metatable) {
  lbraze_get_registered(L, metatable);
  lua_getfield(L, -1, "__index");
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_pushcclosure(L, method_within, 1);
    lua_rawset(L, -4);
  }
  lua_pop(L, 2);
}

static struct braze_client *check_handle(lua_State *L, const char *method) {
  return lbraze_check_client(L, method)->handle;
}

/* fake.attach(client, answer): the client's answers are made up by the function */
static int attach(lua_State *L) {
  struct braze_client *client = check_handle(L, "attach");
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  lbraze_get_uservalue(L, 1);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, ANSWERING);
  push_answering(L);
  lua_pushlightuserdata(L, client);
  lua_pushvalue(L, 2);
  lua_rawset(L, -3);
  braze_fake_set_exchange(client, answer);
  return 0;
}

/* fake.advance(client, seconds) */
static int advance(lua_State *L) {
  braze_fake_advance(check_handle(L, "advance"), luaL_checknumber(L, 2));
  return 0;
}

/* fake.finish(client, n) -> boolean; within fake.within */
static int finish(lua_State *L) {
  struct braze_client *client = check_handle(L, "finish");
  lua_pushboolean(L, braze_fake_finish(client, (int)luaL_checknumber(L, 2)));
  return 1;
}

/* fake.epoch() -> UTC epoch seconds */
static int epoch(lua_State *L) {
  lua_pushnumber(L, braze_clock_epoch());
  return 1;
}

/* fake.adopt(error, list): from now on errors and lists are of the kinds of these two, which are another copy's */
static int adopt(lua_State *L) {
  if (!lua_getmetatable(L, 1) || !lua_getmetatable(L, 2)) return luaL_error(L, "an error and a list are needed");
  lbraze_register(L, LBRAZE_LIST);
  lbraze_register(L, LBRAZE_ERROR);
  return 0;
}

EXPORT int luaopen_braze_fake(lua_State *L) {
  static const luaL_Reg functions[] = {{"attach", attach}, {"advance", advance}, {"finish", finish}, {"within", within},
                                       {"epoch", epoch},   {"adopt", adopt},     {NULL, NULL}};
  static const enum lbraze_registered metatables[] = {LBRAZE_CLIENT, LBRAZE_SAFE_CLIENT, LBRAZE_REQUEST, LBRAZE_SAFE_REQUEST};
  size_t i;
  lua_pushlightuserdata(L, (void *)(size_t)&answering);
  lua_newtable(L);
  lua_createtable(L, 0, 1);
  lua_pushliteral(L, "v");
  lua_setfield(L, -2, "__mode");
  lua_setmetatable(L, -2);
  lua_rawset(L, LUA_REGISTRYINDEX);
  luaopen_braze_core(L);
  for (i = 0; i < sizeof metatables / sizeof *metatables; i++) wrap_methods(L, metatables[i]);
  lbraze_set_functions(L, functions);
  return 1;
}

#endif
