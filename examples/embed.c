/* A game server in small: a C program with Lua 5.4 inside, 60 frames a second, and braze linked into it.

     make build/5.4/embed
     BRAZE_API_KEY=... BRAZE_REST_ENDPOINT=... BRAZE_CAMPAIGN_ID=... build/5.4/embed [SCRIPT]

   Each frame the program calls the script's on_frame(number), until that returns false. No frame waits for
   the network: the calls are made on a thread of braze's own, and on_frame only picks up what has finished.
   Without SCRIPT it runs the one below. */
#define _GNU_SOURCE /* clock_nanosleep under -std=c11 */
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "braze.h"

#define NANOSECONDS_A_FRAME (1000000000L / 60)

static const char built_in[] =
    "local braze = require 'braze'\n"
    "local client = braze.new()\n"
    "local campaign_id = os.getenv 'BRAZE_CAMPAIGN_ID'\n"
    "local started, made, failed = 0, 0, 0\n"
    "\n"
    "local function on_done(err, result)\n"
    "  if err then\n"
    "    failed = failed + 1\n"
    "    io.stderr:write(tostring(err), '\\n')\n"
    "  else\n"
    "    made = made + 1\n"
    "    if made == 1 then print('send_id        ' .. result.send_id) end\n"
    "  end\n"
    "end\n"
    "\n"
    "function on_frame()\n"
    "  if started < 30 then\n"
    "    client:start('create_send_id', { campaign_id = campaign_id }, { on_done = on_done })\n"
    "    started = started + 1\n"
    "  end\n"
    "  client:step(64)\n"
    "  if started < 30 or client:pending() > 0 then return true end\n"
    "  print('made           ' .. made)\n"
    "  print('failed         ' .. failed)\n"
    "  client:close()\n"
    "  return false\n"
    "end\n";

static double seconds_between(const struct timespec *from, const struct timespec *to) {
  return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

/* Says what is on top of the stack; braze's errors are objects that know their text. */
static void complain(lua_State *L) {
  fprintf(stderr, "embed: %s\n", luaL_tolstring(L, -1, NULL));
}

/* Loads and runs the script. False: it failed, and was complained about. */
static bool load(lua_State *L, const char *path) {
  bool good;
  luaL_openlibs(L);
  /* So that require "braze" finds what is linked in; with braze.so in a directory of package.cpath this is
   * not needed. */
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_braze);
  lua_setfield(L, -2, "braze");
  lua_pushcfunction(L, luaopen_braze_safe);
  lua_setfield(L, -2, "braze.safe");
  lua_pop(L, 2);
  good = (path ? luaL_loadfile(L, path) : luaL_loadstring(L, built_in)) == LUA_OK &&
         lua_pcall(L, 0, 0, 0) == LUA_OK;
  if (!good) complain(L);
  return good;
}

/* Calls on_frame. False: it was the last frame, by its own word or by an error. */
static bool run_frame(lua_State *L, long number, bool *good) {
  bool going_on;
  lua_getglobal(L, "on_frame");
  lua_pushinteger(L, (lua_Integer)number);
  *good = lua_pcall(L, 1, 1, 0) == LUA_OK;
  if (!*good) complain(L);
  going_on = *good && lua_toboolean(L, -1);
  lua_settop(L, 0);
  return going_on;
}

/* Sixty times a second; what a frame leaves of its time is slept. */
static bool run(lua_State *L) {
  struct timespec began, ended, next;
  double longest = 0;
  long number = 0;
  bool going_on = true, good = true;
  clock_gettime(CLOCK_MONOTONIC, &next);
  while (going_on) {
    clock_gettime(CLOCK_MONOTONIC, &began);
    going_on = run_frame(L, ++number, &good);
    clock_gettime(CLOCK_MONOTONIC, &ended);
    if (seconds_between(&began, &ended) > longest) longest = seconds_between(&began, &ended);
    next.tv_nsec += NANOSECONDS_A_FRAME;
    if (next.tv_nsec >= 1000000000L) {
      next.tv_nsec -= 1000000000L;
      next.tv_sec++;
    }
    if (going_on) clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
  }
  printf("frames         %ld\nlongest frame  %.3f ms\n", number, longest * 1000);
  return good;
}

int main(int count, char **arguments) {
  lua_State *L = luaL_newstate();
  bool good;
  if (!L) return 1;
  good = load(L, count > 1 ? arguments[1] : NULL) && run(L);
  lua_close(L);
  return good ? 0 : 1;
}
