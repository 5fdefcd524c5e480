/* yieldable: whether a yield is possible, for Lua 5.1's builds. LuaJIT has lua_isyieldable. PUC Lua 5.1 has nothing of the sort,
   and raises a string where a coroutine yields inside a metamethod, an iterator or a C function, when it is too late. What it goes by
   are two counters in its lua_State, next to each other: how many C calls are nested now, and how many were when the coroutine was
   resumed. Where they lie is found by how they behave; where nothing behaves so, it stays unknown. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include "lua/compat.h"

#ifdef LBRAZE_YIELDABLE_IS_LOOKED_UP
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>

typedef unsigned short counter;

/* Behind the header that each object has, which holds bytes that nobody set, and before the end of the smallest lua_State. */
enum { FIRST = 2 * sizeof(void *) / sizeof(counter), LAST = 104 / sizeof(counter), DEPTH = 5 };

static atomic_int place; /* of the first counter; 0 = not found */

struct search {
  bool possible[LAST];
  int depth;
};

/* [-0, +0, m] In a coroutine of its own: drops the places that don't hold the two counters, and calls itself a level deeper. */
static int search_level(lua_State *L) {
  struct search *search = lua_touserdata(L, 1);
  counter counters[LAST];
  int i, level = ++search->depth;
  memcpy(counters, L, sizeof counters);
  for (i = FIRST; i + 1 < LAST; i++) search->possible[i] = search->possible[i] && counters[i] == level && counters[i + 1] == 1;
  if (level == DEPTH) return 0;
  lua_pushcfunction(L, search_level);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 0);
  return 0;
}

/* [-0, +0, m] The place, or 0. */
static int find_place(lua_State *L) {
  struct search *search = lua_newuserdata(L, sizeof *search);
  lua_State *coroutine = lua_newthread(L);
  int i, found = 0, count = 0;
  memset(search, 0, sizeof *search);
  memset(search->possible, true, sizeof search->possible);
  lua_pushcfunction(coroutine, search_level);
  lua_pushvalue(L, -2);
  lua_xmove(L, coroutine, 1);
  if (lua_resume(coroutine, 1) == 0 && search->depth == DEPTH) {
    for (i = FIRST; i + 1 < LAST; i++) {
      if (!search->possible[i]) continue;
      found = i;
      count++;
    }
  }
  lua_pop(L, 2);
  return count == 1 ? found : 0;
}

/* The function that calls this is called by Lua code, which nests no C call. */
static int counted_yieldable(lua_State *L) {
  counter counters[2];
  bool is_main = lua_pushthread(L) == 1;
  lua_pop(L, 1);
  memcpy(counters, (const char *)L + (size_t)atomic_load(&place) * sizeof(counter), sizeof counters);
  return !is_main && counters[0] == counters[1];
}

lbraze_yieldable lbraze_find_yieldable(lua_State *L) {
  lbraze_yieldable function;
  void *found = dlsym(NULL, "lua_isyieldable");
  memcpy(&function, &found, sizeof found);
  if (found) return function;
  atomic_store(&place, find_place(L));
  return atomic_load(&place) ? counted_yieldable : NULL;
}
#else
typedef int lbraze_yieldable_is_luas_own; /* a file of C is never empty */
#endif
