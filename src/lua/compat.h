/* compat: the one file that knows Lua's versions. What is built for 5.1 imports nothing but 5.1's own symbols, so that
   one shared object serves PUC Lua 5.1 and LuaJIT. Every shim has a name of ours: LuaJIT's headers define some of Lua 5.2's. */
#ifndef LBRAZE_COMPAT_H
#define LBRAZE_COMPAT_H

#include <lauxlib.h>
#include <lua.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* One value beside a userdata; on 5.1 it is always a table. */
#if LUA_VERSION_NUM >= 504
#define lbraze_new_userdata(L, size) lua_newuserdatauv(L, size, 1)
#define lbraze_get_uservalue(L, index) ((void)lua_getiuservalue(L, index, 1))
#define lbraze_set_uservalue(L, index) ((void)lua_setiuservalue(L, index, 1))
#elif LUA_VERSION_NUM >= 502
#define lbraze_new_userdata(L, size) lua_newuserdata(L, size)
#define lbraze_get_uservalue(L, index) ((void)lua_getuservalue(L, index))
#define lbraze_set_uservalue(L, index) lua_setuservalue(L, index)
#else
#define lbraze_new_userdata(L, size) lua_newuserdata(L, size)
#define lbraze_get_uservalue(L, index) lua_getfenv(L, index)
#define lbraze_set_uservalue(L, index) ((void)lua_setfenv(L, index))
#endif

#if LUA_VERSION_NUM >= 502
#define lbraze_raw_length(L, index) lua_rawlen(L, index)
#else
#define lbraze_raw_length(L, index) lua_objlen(L, index)
#endif

/* Whether a double holds the number at index exactly: an integer of Lua's own kind may have more digits. */
#if LUA_VERSION_NUM >= 503
#define lbraze_is_exact(L, index)                                                                                                          \
  (!lua_isinteger(L, index) || (lua_tointeger(L, index) <= ((lua_Integer)1 << 53) && lua_tointeger(L, index) >= -((lua_Integer)1 << 53)))
#else
#define lbraze_is_exact(L, index) true
#endif

/* An integer that may need 53 bits, also where lua_Integer is narrower. */
#if LUA_VERSION_NUM >= 503
#define lbraze_push_integer(L, value) lua_pushinteger(L, (lua_Integer)(value))
#else
#define lbraze_push_integer(L, value) lua_pushnumber(L, (lua_Number)(value))
#endif

/* [-0, +0] A warning, which the host shows if it wants to; before Lua 5.4 there are none. */
#if LUA_VERSION_NUM >= 504
#define lbraze_warn(L, text) lua_warning(L, text, 0)
#else
#define lbraze_warn(L, text) ((void)(L), (void)(text))
#endif

/* [-0, +0] The same for what must not be lost: where there are no warnings, it goes to the standard error. */
#if LUA_VERSION_NUM >= 504
#define lbraze_complain(L, text) lbraze_warn(L, text)
#else
#define lbraze_complain(L, text) ((void)(L), (void)fprintf(stderr, "%s\n", text))
#endif

/* Whether a yield is possible: Lua's function for it, as lua_isyieldable. LuaJIT has it, PUC Lua 5.1 does not: so it is looked up
   at run time. NULL: it can't be told here. */
typedef int (*lbraze_yieldable)(lua_State *L);
#if LUA_VERSION_NUM >= 503
#define lbraze_find_yieldable(L) lua_isyieldable
#else
#define LBRAZE_YIELDABLE_IS_LOOKED_UP
lbraze_yieldable lbraze_find_yieldable(lua_State *L); /* lua_yieldable.c; [-0, +0, m] */
#endif

/* Of a function that raises, whatever it is declared to return. */
#define LBRAZE_RAISES __attribute__((__noreturn__))

/* Lua's headers do not say it of these. */
LBRAZE_RAISES int(lua_error)(lua_State *L);
LBRAZE_RAISES int(luaL_error)(lua_State *L, const char *format, ...);

/* [-0, +0, m] Adds functions to the table on top of the stack. */
static inline void lbraze_set_functions(lua_State *L, const luaL_Reg *functions) {
  for (; functions->name; functions++) {
    lua_pushcfunction(L, functions->func);
    lua_setfield(L, -2, functions->name);
  }
}

#endif
