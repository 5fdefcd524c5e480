/* core_sockets: sockets.h as a Lua object for specs: a table of sockets, and one attempt after another on them. */
#ifndef BRAZE_CORE_SOCKETS_H
#define BRAZE_CORE_SOCKETS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "lua/compat.h"
#include "http/sockets.h"

#define SOCKETS_TYPE "braze spec sockets"
#define MAX_ATTEMPTS 8

struct spec_sockets {
  struct braze_sockets sockets;
  struct braze_connection attempts[MAX_ATTEMPTS];
  int begun;
};

static struct spec_sockets *check_sockets(lua_State *L) {
  return luaL_checkudata(L, 1, SOCKETS_TYPE);
}

static struct braze_connection *check_attempt(lua_State *L) {
  struct spec_sockets *object = check_sockets(L);
  lua_Integer number = luaL_checkinteger(L, 2);
  luaL_argcheck(L, number >= 1 && number <= object->begun, 2, "no attempt");
  return &object->attempts[number - 1];
}

/* sockets.new(secure) -> object */
static int sockets_new(lua_State *L) {
  struct spec_sockets *object = lua_newuserdata(L, sizeof *object);
  memset(object, 0, sizeof *object);
  object->sockets.secure = lua_toboolean(L, 1);
  luaL_getmetatable(L, SOCKETS_TYPE);
  lua_setmetatable(L, -2);
  return 1;
}

/* object:begin() -> number of the attempt */
static int sockets_begin(lua_State *L) {
  struct spec_sockets *object = check_sockets(L);
  luaL_argcheck(L, object->begun < MAX_ATTEMPTS, 1, "too many attempts");
  braze_sockets_begin(&object->attempts[object->begun], &object->sockets);
  lua_pushinteger(L, ++object->begun);
  return 1;
}

/* object:connect(attempt, port [, local port [, address]]) -> local port: as libcurl makes a connection for an attempt, to 127.0.0.1 */
static int sockets_connect(lua_State *L) {
  struct braze_connection *attempt = check_attempt(L);
  struct curl_sockaddr how = {AF_INET, SOCK_STREAM, 0, 0, {0, {0}}};
  const int yes = 1;
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  struct pollfd state = {-1, POLLOUT, 0};
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)luaL_optinteger(L, 4, 0));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  state.fd = braze_sockets_open(attempt, CURLSOCKTYPE_IPCXN, &how);
  if (state.fd < 0) return luaL_error(L, "no socket");
  setsockopt(state.fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  /* Bound even to port 0: a second socket may share the port of one that was bound so alone. */
  if (bind(state.fd, (struct sockaddr *)&address, sizeof address) != 0) return luaL_error(L, "the local port is taken");
  address.sin_port = htons((uint16_t)luaL_checkinteger(L, 3));
  address.sin_addr.s_addr = inet_addr(luaL_optstring(L, 5, "127.0.0.1"));
  connect(state.fd, (struct sockaddr *)&address, sizeof address);
  poll(&state, 1, 5000);
  if (getsockname(state.fd, (struct sockaddr *)&address, &length) != 0) return luaL_error(L, "not connected");
  lua_pushinteger(L, ntohs(address.sin_port));
  return 1;
}

/* object:enter(attempt, local port [, the peer's address]) -> fit, used before */
static int sockets_enter(lua_State *L) {
  struct braze_connection *attempt = check_attempt(L);
  lua_pushboolean(L, braze_sockets_enter(attempt, (long)luaL_checkinteger(L, 3), luaL_optstring(L, 4, "127.0.0.1")));
  lua_pushboolean(L, attempt->used_before);
  return 2;
}

/* object:received(attempt) -> bytes */
static int sockets_received(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)braze_sockets_received(check_attempt(L)));
  return 1;
}

/* object:finish(attempt, now) */
static int sockets_finish(lua_State *L) {
  braze_sockets_end(check_attempt(L), luaL_checknumber(L, 3));
  return 0;
}

/* object:look(long ago) -> dropped, strayed, quiet, kept: by this look alone */
static int sockets_look(lua_State *L) {
  struct braze_sockets *sockets = &check_sockets(L)->sockets;
  lua_pushboolean(L, braze_sockets_drop_dead(sockets, luaL_checknumber(L, 2)));
  lua_pushboolean(L, sockets->strayed);
  lua_pushboolean(L, sockets->quiet);
  lua_pushinteger(L, sockets->kept);
  sockets->strayed = sockets->quiet = false;
  return 4;
}

/* object:close(): all of them, as libcurl does */
static int sockets_close(lua_State *L) {
  struct braze_sockets *sockets = &check_sockets(L)->sockets;
  while (sockets->count > 0) braze_sockets_close(sockets, sockets->open[0].number);
  braze_sockets_free(sockets);
  memset(sockets, 0, sizeof *sockets);
  return 0;
}

static void open_sockets(lua_State *L) {
  static const luaL_Reg methods[] = {
      {"begin", sockets_begin}, {"connect", sockets_connect}, {"enter", sockets_enter}, {"received", sockets_received},
      {"finish", sockets_finish}, {"look", sockets_look},     {"close", sockets_close}, {"__gc", sockets_close},
      {NULL, NULL}};
  luaL_newmetatable(L, SOCKETS_TYPE);
  lbraze_set_functions(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
}

#endif
