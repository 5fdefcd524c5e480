/* adapter: what the modules for hosts and the command (src/braze/) need of C beside the module itself: require "braze.core". */
#include <stdatomic.h>
#include <string.h>

#include "base/text.h"
#include "lua/userdata.h"

/* Asked once: looking it up takes longer than all else that starts a call. */
static _Atomic(lbraze_yieldable) is_yieldable;

/* core.is_yieldable() -> boolean, or nothing where this Lua can't tell */
static int core_is_yieldable(lua_State *L) {
  lbraze_yieldable function = atomic_load(&is_yieldable);
  if (!function) return 0;
  lua_pushboolean(L, function(L));
  return 1;
}

/* core.check_call(name, params, options): raises for what is wrong with a call whatever its client is */
static int core_check_call(lua_State *L) {
  struct lbraze_context context = {NULL, NULL};
  struct lbraze_target target;
  lua_settop(L, 3);
  lbraze_check_dot(L, 1, "call");
  lbraze_read_target(L, 1, NULL, "call", &target);
  context.operation = target.name;
  if (target.operation) lbraze_check_params(L, 2, &context);
  lbraze_check_call_options(L, 3, LBRAZE_FOR_CALL, &context);
  return 0;
}

/* core.check_name(client, name) -> nothing, or nil and the error of a name that call does not take */
static int core_check_name(lua_State *L) {
  struct lbraze_target target;
  lua_settop(L, 2);
  lbraze_read_target(L, 2, lbraze_settings_of(L, 1), "call", &target);
  return 0;
}

/* core.seconds(value) -> seconds, or false: as long as it takes; or nil and an error. The check that wait makes where it blocks. */
static int core_seconds(lua_State *L) {
  double seconds = lbraze_check_wait(L, 1, "wait");
  if (seconds < LBRAZE_FOR_EVER)
    lua_pushnumber(L, seconds);
  else
    lua_pushboolean(L, false);
  return 1;
}

/* core.call(function, ...) -> true, or false and what it raised. Unlike pcall it lets nothing yield, whatever Lua it is. */
static int core_call(lua_State *L) {
  bool good;
  luaL_checkany(L, 1);
  good = lua_pcall(L, lua_gettop(L) - 1, 0, 0) == 0;
  lua_pushboolean(L, good);
  lua_insert(L, 1);
  return lua_gettop(L);
}

/* core.thread() -> the coroutine that runs, also where it is the main one, which coroutine.running does not give on Lua 5.1 */
static int core_thread(lua_State *L) {
  lua_pushthread(L);
  return 1;
}

/* core.resumes(thread, other) -> boolean: whether the one coroutine is inside a coroutine.resume of the other */
static int core_resumes(lua_State *L) {
  lua_State *thread = lua_tothread(L, 1);
  lua_Debug call;
  bool found = false;
  if (thread && thread != L && lua_checkstack(thread, 1) && lua_getstack(thread, 0, &call) && lua_getlocal(thread, &call, 1)) {
    found = lua_tothread(thread, -1) == lua_tothread(L, 2) && lua_isthread(L, 2);
    lua_pop(thread, 1);
  }
  lua_pushboolean(L, found);
  return 1;
}

/* core.notify(client, socket): a byte is written to the socket when the client has something to deliver; -1 = to none */
static int core_notify(lua_State *L) {
  int socket = (int)luaL_checkinteger(L, 2);
  struct lbraze_client *client = lbraze_check_client(L, "notify");
  int failure = braze_client_notify(client->handle, socket);
  if (failure != 0) lbraze_raise_failure(L, failure);
  return 0;
}

/* core.channel() -> channel, path; or nil, reason. Connect to the path, then call accept, both in one go. */
static int core_channel(lua_State *L) {
  struct braze_channel *channel = lbraze_new_userdata(L, sizeof *channel);
  char path[64], why[128];
  int failure;
  braze_channel_init(channel);
  lbraze_get_registered(L, LBRAZE_CHANNEL);
  lua_setmetatable(L, -2);
  failure = braze_channel_open(channel, path, sizeof path);
  if (failure != 0) {
    braze_text_print_error(why, sizeof why, failure);
    lua_pushnil(L);
    lua_pushstring(L, why);
    return 2;
  }
  lua_pushstring(L, path);
  return 2;
}

/* [-0, +0, e] The channel at index 1. */
static struct braze_channel *check_channel(lua_State *L) {
  struct braze_channel *channel = lbraze_test_userdata(L, 1, LBRAZE_CHANNEL, sizeof *channel);
  if (!channel) luaL_error(L, "a channel is expected, not %s", lbraze_what(L, 1));
  return channel;
}

/* channel:accept() -> descriptor or nil */
static int channel_accept(lua_State *L) {
  int connection = braze_channel_accept(check_channel(L));
  if (connection >= 0)
    lua_pushinteger(L, connection);
  else
    lua_pushnil(L);
  return 1;
}

/* channel:poke(): what reads at the other end gets a byte */
static int channel_poke(lua_State *L) {
  braze_channel_poke(check_channel(L));
  return 0;
}

/* channel:close() */
static int channel_close(lua_State *L) {
  braze_channel_close(check_channel(L));
  return 0;
}

/* Any value may come in through debug.getmetatable: what is no channel is left alone. */
static int channel__gc(lua_State *L) {
  struct braze_channel *channel = lbraze_test_userdata(L, 1, LBRAZE_CHANNEL, sizeof *channel);
  if (channel) braze_channel_close(channel);
  return 0;
}

/* [-0, +0, m] Adds a function that returns nil and an error to the table on top of the stack. */
static void set_safe(lua_State *L, const char *name, lua_CFunction function) {
  lua_pushcfunction(L, function);
  lua_pushcclosure(L, lbraze_safe_call, 1);
  lua_setfield(L, -2, name);
}

void lbraze_push_core(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"is_yieldable", core_is_yieldable}, {"check_call", core_check_call}, {"call", core_call},       {"thread", core_thread},
      {"resumes", core_resumes},           {"notify", core_notify},         {"channel", core_channel}, {"request", lbraze_inspect_request},
      {"probe", lbraze_inspect_probe},     {NULL, NULL},
  };
  static const luaL_Reg methods[] = {{"accept", channel_accept}, {"poke", channel_poke}, {"close", channel_close}, {NULL, NULL}};
  atomic_store(&is_yieldable, lbraze_find_yieldable(L));
  lbraze_new_metatable(L, LBRAZE_CHANNEL, "braze.channel");
  lbraze_push_methods(L, methods, false);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, channel__gc);
  lua_setfield(L, -2, "__gc");
  lua_pop(L, 1);
  lua_newtable(L);
  lbraze_set_functions(L, functions);
  set_safe(L, "seconds", core_seconds);
  set_safe(L, "check_name", core_check_name);
  lua_newtable(L);
  set_safe(L, "open", lbraze_pages_open);
  set_safe(L, "item", lbraze_pages_item);
  set_safe(L, "ask", lbraze_pages_ask);
  set_safe(L, "take", lbraze_pages_take);
  lua_setfield(L, -2, "pages");
}
