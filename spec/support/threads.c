/* threads: a C program with as many Lua states as it is told, each on its own OS thread, for specs: threads
   COUNT SCRIPT

   Each state runs the script with its number; all begin at once. The status is 0 where none of them failed.
 */
#define _GNU_SOURCE /* pthread_barrier_t under -std=c11 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#define MAX_THREADS 256

static const char *script;
static pthread_barrier_t begin;
static atomic_int failures;

static void *run(void *data) {
  const int *number = data;
  lua_State *L = luaL_newstate();
  if (L) luaL_openlibs(L);
  pthread_barrier_wait(&begin);
  if (!L) {
    atomic_fetch_add(&failures, 1);
    return NULL;
  }
  if (luaL_loadfile(L, script) == 0) lua_pushinteger(L, *number);
  if (!lua_isnumber(L, -1) || lua_pcall(L, 1, 0, 0) != 0) {
    const char *reason = lua_tostring(L, -1);
    fprintf(stderr, "threads: %d: %s\n", *number, reason ? reason : luaL_typename(L, -1));
    atomic_fetch_add(&failures, 1);
  }
  lua_close(L);
  return NULL;
}

int main(int count, char **arguments) {
  pthread_t threads[MAX_THREADS];
  int numbers[MAX_THREADS], most = count == 3 ? atoi(arguments[1]) : 0, i;
  if (most < 1 || most > MAX_THREADS) return 2;
  script = arguments[2];
  pthread_barrier_init(&begin, NULL, (unsigned)most);
  for (i = 0; i < most; i++) {
    numbers[i] = i + 1;
    if (pthread_create(&threads[i], NULL, run, &numbers[i]) != 0) return 2;
  }
  for (i = 0; i < most; i++) pthread_join(threads[i], NULL);
  return atomic_load(&failures) == 0 ? 0 : 1;
}
