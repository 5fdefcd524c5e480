/* clock: stands in for src/base/clock.c in the test build: time and random numbers under a spec's control, and the Lua functions for it.
   Until a spec takes control both are the real ones. Control is for one thread. */
#define _GNU_SOURCE /* clock_gettime under -std=c11 */
#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

#include "lua/compat.h"

#define MAX_WAITS 1024
/* While a transfer is busy the network decides, in real time: look again soon, whatever the spec's clock says. */
#define LONGEST_BUSY_WAIT 0.02

int lbraze_spec_push_clock(lua_State *L);

static struct {
  bool taken;
  double now, epoch, random;
  double late; /* seconds that each wait in which nothing is busy lasts too long, as where the process is stopped */
  double waits[MAX_WAITS]; /* seconds of each wait in which nothing was busy: the pauses between tries */
  int wait_count;
} control;

static double seconds(clockid_t clock) {
  struct timespec time;
  clock_gettime(clock, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double braze_clock_now(void) {
  return control.taken ? control.now : seconds(CLOCK_MONOTONIC);
}

double braze_clock_epoch(void) {
  return control.taken ? control.epoch : seconds(CLOCK_REALTIME);
}

double braze_clock_random(void) {
  return control.taken ? control.random : (double)rand() / ((double)RAND_MAX + 1.0);
}

static void advance(double by) {
  control.now += by;
  control.epoch += by;
}

double braze_clock_wait(double due, bool busy) {
  double wait = due - braze_clock_now();
  if (wait <= 0) return 0;
  if (!control.taken) return wait;
  if (busy) return wait < LONGEST_BUSY_WAIT ? wait : LONGEST_BUSY_WAIT;
  if (control.wait_count < MAX_WAITS) control.waits[control.wait_count++] = wait;
  advance(wait + control.late);
  control.now = due + control.late; /* adding the difference may end a hair before it */
  return 0;
}

/* [-0, +0, e] Sets *kept from a field of the table at index 1, if it is there. */
static void take_field(lua_State *L, const char *name, double *kept) {
  lua_getfield(L, 1, name);
  if (!lua_isnil(L, -1)) *kept = luaL_checknumber(L, -1);
  lua_pop(L, 1);
}

/* clock.set{ now = , epoch = , random = , late = }: changes what is given. */
static int clock_set(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  take_field(L, "now", &control.now);
  take_field(L, "epoch", &control.epoch);
  take_field(L, "random", &control.random);
  take_field(L, "late", &control.late);
  return 0;
}

/* clock.take([fields]): stops the clock; what is not given has a round value. Forgets the waits. */
static int clock_take(lua_State *L) {
  control.taken = true;
  control.now = 1000;
  control.epoch = 1800000000;
  control.random = 0.5;
  control.late = 0;
  control.wait_count = 0;
  return lua_isnoneornil(L, 1) ? 0 : clock_set(L);
}

static int clock_release(lua_State *L) {
  (void)L;
  control.taken = false;
  return 0;
}

static int clock_advance(lua_State *L) {
  advance(luaL_checknumber(L, 1));
  return 0;
}

/* clock.waits() -> list of seconds, since take or the last call of this */
static int clock_waits(lua_State *L) {
  int i;
  lua_createtable(L, control.wait_count, 0);
  for (i = 0; i < control.wait_count; i++) {
    lua_pushnumber(L, control.waits[i]);
    lua_rawseti(L, -2, i + 1);
  }
  control.wait_count = 0;
  return 1;
}

/* clock.read() -> now, epoch, random, as the core sees them */
static int clock_read(lua_State *L) {
  lua_pushnumber(L, braze_clock_now());
  lua_pushnumber(L, braze_clock_epoch());
  lua_pushnumber(L, braze_clock_random());
  return 3;
}

/* clock.wait(due, busy) -> seconds, as the engine is told to wait */
static int clock_wait(lua_State *L) {
  lua_pushnumber(L, braze_clock_wait(luaL_checknumber(L, 1), lua_toboolean(L, 2)));
  return 1;
}

/* [-0, +1, m] */
int lbraze_spec_push_clock(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"take", clock_take},   {"set", clock_set},   {"release", clock_release}, {"advance", clock_advance},
      {"waits", clock_waits}, {"read", clock_read}, {"wait", clock_wait},       {NULL, NULL},
  };
  lua_newtable(L);
  lbraze_set_functions(L, functions);
  return 1;
}
