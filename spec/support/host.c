/* host: a C program with Lua inside that ends as it is told, for specs: host ENDING SCRIPT

     return   main returns, and nothing is closed
     exit     exit() is called, and nothing is closed
     close    the state is closed, then main returns
     handler  main returns, and a handler of exit closes the state
     inside   the script calls end_process(), which calls exit()
     thread   another thread calls exit() once the script calls let_end(), while the script goes on
     joined   the same, and a handler of exit waits until the script is done

   Its status is 7 where all went as it should. */
#define _GNU_SOURCE /* pthread under -std=c11 */
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#define GOOD 7

static sem_t may_end, is_done;
static lua_State *state;

static int end_process(lua_State *L) {
  (void)L;
  exit(GOOD);
}

static int let_end(lua_State *L) {
  (void)L;
  sem_post(&may_end);
  return 0;
}

/* Registered before the script runs, it comes after whatever the script's libraries have registered. */
static void close_at_exit(void) {
  lua_close(state);
}

static void wait_at_exit(void) {
  while (sem_wait(&is_done) != 0) continue;
}

static void *exit_when_told(void *data) {
  (void)data;
  while (sem_wait(&may_end) != 0) continue;
  exit(GOOD);
}

int main(int count, char **arguments) {
  lua_State *L = luaL_newstate();
  pthread_t thread;
  bool joined, elsewhere;
  if (!L || count != 3 || sem_init(&may_end, 0, 0) != 0 || sem_init(&is_done, 0, 0) != 0) return 2;
  luaL_openlibs(L);
  state = L;
  if (strcmp(arguments[1], "handler") == 0) atexit(close_at_exit);
  lua_register(L, "end_process", end_process);
  lua_register(L, "let_end", let_end);
  joined = strcmp(arguments[1], "joined") == 0;
  if (joined) atexit(wait_at_exit);
  elsewhere = joined || strcmp(arguments[1], "thread") == 0;
  if (elsewhere && pthread_create(&thread, NULL, exit_when_told, NULL) != 0) return 2;
  if (luaL_loadfile(L, arguments[2]) != 0 || lua_pcall(L, 0, 0, 0) != 0) {
    fprintf(stderr, "host: %s\n", lua_tostring(L, -1));
    return 3;
  }
  if (joined) sem_post(&is_done);
  if (elsewhere) pthread_exit(NULL); /* main's return would be a second exit, in the midst of the first */
  if (strcmp(arguments[1], "exit") == 0) exit(GOOD);
  if (strcmp(arguments[1], "close") == 0) lua_close(L);
  return GOOD;
}
