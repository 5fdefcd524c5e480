/* braze: for a program that has Lua inside and braze linked into it. Give the functions to package.preload under the names that
   they are required by:

     luaopen_braze       "braze"
     luaopen_braze_safe  "braze.safe"
     luaopen_braze_core  "braze.core", which the modules for hosts (braze.luv and the like) need

   lua.h may be included before or after; this header includes nothing. */
#ifndef BRAZE_H
#define BRAZE_H

#ifdef __cplusplus
extern "C" {
#endif

struct lua_State;

int luaopen_braze(struct lua_State *L);
int luaopen_braze_safe(struct lua_State *L);
int luaopen_braze_core(struct lua_State *L);

#ifdef __cplusplus
}
#endif

#endif
