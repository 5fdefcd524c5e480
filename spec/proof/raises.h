/* raises: what the analysers are told of functions that never return, which no header of Lua's says. Included before every file
   of the binding by spec/proof/analysers alone. */
#ifndef BRAZE_PROOF_RAISES_H
#define BRAZE_PROOF_RAISES_H

#include <lauxlib.h>
#include <lua.h>

struct braze_settings;
struct lbraze_words;

#define RAISES __attribute__((__noreturn__))

RAISES int(lua_error)(lua_State *L);
RAISES int(luaL_error)(lua_State *L, const char *format, ...);
RAISES int lbraze_raise_usage(lua_State *L, const struct braze_settings *settings, const struct lbraze_words *words);
RAISES int lbraze_usage(lua_State *L, const char *hint, const char *format, ...);
RAISES int lbraze_raise_system(lua_State *L, const char *what, int code);

#endif
