/* hold: what a method works with while Lua code may run: references of its own, released however the method ends. */
#include <string.h>

#include "lua/userdata.h"

/* Slots for an answer of the deepest JSON that is decoded. */
#define STACK_ROOM 200

/* Nested calls that an answer takes: lua-cjson's. To deliver it: ours, the host module's, and the on_done or on_event with what it calls. */
#define ANSWER_ROOM 4
#define DELIVERY_ROOM 8

struct lbraze_hold *lbraze_push_hold(lua_State *L) {
  struct lbraze_hold *hold = lbraze_new_userdata(L, sizeof *hold);
  memset(hold, 0, sizeof *hold);
  return hold;
}

void lbraze_hold_client(struct lbraze_hold *hold, const struct lbraze_client *client) {
  hold->client = client->handle;
  hold->settings = braze_client_settings(hold->client);
  braze_client_hold(hold->client);
}

void lbraze_hold_release(struct lbraze_hold *hold) {
  braze_call_release(hold->call);
  hold->call = NULL;
  braze_client_let_go(hold->client);
  hold->client = NULL;
  hold->settings = NULL;
}

void lbraze_check_stack(lua_State *L, int slots, const char *method) {
  if (lua_checkstack(L, slots)) return;
  lbraze_new_userdata(L, (size_t)slots * 2 * sizeof(void *));
  lua_pop(L, 1);
  if (!lua_checkstack(L, slots))
    lbraze_usage(L, "call it outside of the recursion", "%s was called where Lua's stack is nearly full", method);
}

int lbraze_run(lua_State *L, lua_CFunction function, const struct lbraze_client *client, const char *method, double began) {
  int count = lua_gettop(L), status, i;
  struct lbraze_hold *hold;
  lbraze_check_stack(L, count + 4, method);
  hold = lbraze_push_hold(L);
  hold->began = began;
  lua_pushcfunction(L, function);
  for (i = 1; i <= count + 1; i++) lua_pushvalue(L, i);
  if (!client->handle) lbraze_usage(L, NULL, "%s was called on a client that is collected", method);
  lbraze_hold_client(hold, client);
  status = lua_pcall(L, count + 1, 1, 0);
  lbraze_hold_release(hold);
  return status == 0 ? 1 : lua_error(L);
}

/* Calls its first argument, itself, with the others: one call inside the other, as many as there are arguments. */
static int nest(lua_State *L) {
  const int left = lua_gettop(L);
  if (left > 0) lua_call(L, left - 1, 0);
  return 0;
}

void lbraze_check_room(lua_State *L, const char *method, bool delivers) {
  const int depth = delivers ? DELIVERY_ROOM : ANSWER_ROOM;
  int status, i;
  lbraze_check_stack(L, STACK_ROOM, method);
  lua_pushcfunction(L, nest);
  for (i = 0; i < depth; i++) lua_pushvalue(L, -1);
  status = lua_pcall(L, depth, 0, 0);
  if (status == 0) return;
  if (status == LUA_ERRMEM || !lua_isstring(L, -1) || !strstr(lua_tostring(L, -1), "overflow")) lua_error(L);
  lbraze_usage(L, "call it outside of the recursion", "%s was called where Lua allows hardly any more nested calls", method);
}
