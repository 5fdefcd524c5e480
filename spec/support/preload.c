/* preload: a library for LD_PRELOAD that specs steer from inside the process, as a module of Lua: it moves the monotonic clock,
   looks into memory that our library gives back, makes a send fail, and counts what is polled. Until it is told it passes all through. */
#define _GNU_SOURCE /* dladdr, memmem, RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "lua/compat.h"

#define EXPORT __attribute__((visibility("default")))
#define OUR_LIBRARY "/braze.so"

EXPORT int luaopen_braze_preload_spec(lua_State *L);
EXPORT int clock_gettime(clockid_t clock, struct timespec *time);
EXPORT void free(void *block);
EXPORT ssize_t send(int descriptor, const void *bytes, size_t length, int flags);
EXPORT int (poll)(struct pollfd *states, nfds_t count, int milliseconds);
EXPORT int __poll_chk(struct pollfd *states, nfds_t count, int milliseconds, size_t size);

static atomic_long skipped;       /* seconds */
static atomic_int sends_until_failure;
static atomic_int found;
static atomic_long polled; /* descriptors, by our library */
static atomic_long other_polls; /* calls by whoever else: libcurl */
static char text[128];
static atomic_size_t text_length; /* 0 = nothing is looked for */

static void (*real_free)(void *);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static ssize_t (*real_send)(int, const void *, size_t, int);
static int (*real_poll)(struct pollfd *, nfds_t, int);

static void find(void *function, size_t size, const char *name) {
  void *symbol = dlsym(RTLD_NEXT, name);
  memcpy(function, &symbol, size);
}

__attribute__((constructor)) static void start(void) {
  find(&real_free, sizeof real_free, "free");
  find(&real_clock_gettime, sizeof real_clock_gettime, "clock_gettime");
  find(&real_send, sizeof real_send, "send");
  find(&real_poll, sizeof real_poll, "poll");
}

int clock_gettime(clockid_t clock, struct timespec *time) {
  int result;
  if (!real_clock_gettime) start();
  result = real_clock_gettime(clock, time);
  if (result == 0 && clock == CLOCK_MONOTONIC) time->tv_sec += atomic_load(&skipped);
  return result;
}

static bool is_ours(const void *caller) {
  Dl_info info;
  const char *name = dladdr(caller, &info) ? info.dli_fname : NULL;
  size_t length = name ? strlen(name) : 0, end = sizeof OUR_LIBRARY - 1;
  return length >= end && strcmp(name + length - end, OUR_LIBRARY) == 0;
}

static void count_poll(const void *caller, nfds_t count) {
  if (is_ours(caller))
    atomic_fetch_add(&polled, (long)count);
  else
    atomic_fetch_add(&other_polls, 1);
}

int (poll)(struct pollfd *states, nfds_t count, int milliseconds) {
  count_poll(__builtin_return_address(0), count);
  return real_poll(states, count, milliseconds);
}

/* What poll is where the C library checks sizes. */
int __poll_chk(struct pollfd *states, nfds_t count, int milliseconds, size_t size) {
  (void)size;
  count_poll(__builtin_return_address(0), count);
  return real_poll(states, count, milliseconds);
}

/* What was overwritten before it is freed is not found. */
void free(void *block) {
  size_t length = atomic_load(&text_length);
  if (!block || !real_free) return; /* before the start of all: a few bytes of the loader's */
  if (length > 0 && memmem(block, malloc_usable_size(block), text, length) && is_ours(__builtin_return_address(0)))
    atomic_fetch_add(&found, 1);
  real_free(block);
}

/* Half of it leaves, and the rest can't. Single bytes are how threads wake each other, and are never made to fail. */
ssize_t send(int descriptor, const void *bytes, size_t length, int flags) {
  int left = length > 1 ? atomic_load(&sends_until_failure) : 0;
  if (left > 0) atomic_store(&sends_until_failure, left - 1);
  if (left == 1) {
    errno = EPIPE;
    return -1;
  }
  return real_send(descriptor, bytes, left == 2 ? length / 2 : length, flags);
}

/* preload.skip(seconds): the monotonic clock goes on from so much later */
static int preload_skip(lua_State *L) {
  atomic_fetch_add(&skipped, (long)luaL_checkinteger(L, 1));
  return 0;
}

/* preload.look_for(text): from here on, in each block of memory that our library frees */
static int preload_look_for(lua_State *L) {
  size_t length;
  const char *given = luaL_checklstring(L, 1, &length);
  luaL_argcheck(L, length > 0 && length < sizeof text, 1, "1 to 127 bytes are looked for");
  memcpy(text, given, length);
  atomic_store(&found, 0);
  atomic_store(&text_length, length);
  return 0;
}

/* preload.found() -> in how many blocks it was */
static int preload_found(lua_State *L) {
  lua_pushinteger(L, atomic_load(&found));
  return 1;
}

/* preload.polled() -> how many descriptors our library has polled so far */
static int preload_polled(lua_State *L) {
  lua_pushinteger(L, atomic_load(&polled));
  return 1;
}

/* preload.other_polls() -> how often poll was called by others so far */
static int preload_other_polls(lua_State *L) {
  lua_pushinteger(L, atomic_load(&other_polls));
  return 1;
}

/* preload.fail_send(): half of what is sent next leaves, and the rest fails as on a broken connection */
static int preload_fail_send(lua_State *L) {
  (void)L;
  atomic_store(&sends_until_failure, 2);
  return 0;
}

int luaopen_braze_preload_spec(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"skip", preload_skip}, {"look_for", preload_look_for}, {"found", preload_found}, {"fail_send", preload_fail_send},
      {"polled", preload_polled}, {"other_polls", preload_other_polls}, {NULL, NULL},
  };
  lua_newtable(L);
  lbraze_set_functions(L, functions);
  return 1;
}
