/* allocations: who holds how much memory. Preloaded, it takes malloc's place and notes with each block who asked for it;
   as a Lua module it tells, by library: "build/5.4/braze.so" and so on. For glibc, whose own names it calls.

   held() gives the bytes that are held now, counted() how many blocks were asked for so far. peak() gives the most bytes
   that were held since mark(), beyond those that were held then: those that Lua and its modules asked for, and all.
   Whoever calls another library that then allocates is not the one who asked: strdup's blocks are the C library's. */
#define _GNU_SOURCE /* dladdr */
#include <dlfcn.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BLOCKS (1u << 20) /* powers of two; a page of the table takes memory once it is used */
#define MAX_CALLERS (1u << 14)

struct block {
  void *start; /* NULL: free for good; GONE: freed, the search goes on behind it */
  size_t size;
  void *caller;
};

struct caller {
  void *address;
  long long count;
  bool ours; /* Lua, or a module of it other than libcurl */
};

/* Bytes that are held, and the most of them since mark(). */
struct level {
  long long now, most, marked;
};

#define GONE ((void *)-1)

/* The one name of a Lua module, and those that take the place of others: all that is visible outside. */
#define VISIBLE __attribute__((visibility("default")))

VISIBLE void *malloc(size_t size);
VISIBLE void *calloc(size_t count, size_t size);
VISIBLE void *realloc(void *old, size_t size);
VISIBLE void free(void *start);
VISIBLE int luaopen_allocations(lua_State *L);

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *start, size_t size);
extern void __libc_free(void *start);

static struct block blocks[MAX_BLOCKS];
static struct caller callers[MAX_CALLERS];
static struct level all, ours;
static atomic_flag lock = ATOMIC_FLAG_INIT;

static void enter(void) {
  while (atomic_flag_test_and_set_explicit(&lock, memory_order_acquire)) continue;
}

static void leave(void) {
  atomic_flag_clear_explicit(&lock, memory_order_release);
}

static unsigned place_of(const void *address, unsigned places) {
  return (unsigned)(((uintptr_t)address >> 4) * 0x9E3779B97F4A7C15u >> 40) & (places - 1);
}

static void add_bytes(struct level *level, long long bytes) {
  level->now += bytes;
  if (level->now > level->most) level->most = level->now;
}

/* The entry of a caller; NULL where there is no room for it. */
static struct caller *find_caller(void *address) {
  unsigned from = place_of(address, MAX_CALLERS), tries;
  Dl_info library;
  for (tries = 0; tries < MAX_CALLERS && callers[from].address && callers[from].address != address; tries++)
    from = (from + 1) & (MAX_CALLERS - 1);
  if (tries == MAX_CALLERS) return NULL;
  if (!callers[from].address) {
    callers[from].address = address;
    callers[from].ours = dladdr(address, &library) && library.dli_fname &&
                         (strstr(library.dli_fname, "lua") || strstr(library.dli_fname, "braze.so"));
  }
  return &callers[from];
}

static void note(void *start, size_t size, void *caller) {
  unsigned place = place_of(start, MAX_BLOCKS), tries;
  struct caller *from;
  if (!start) return;
  enter();
  for (tries = 0; tries < MAX_BLOCKS && blocks[place].start && blocks[place].start != GONE; tries++)
    place = (place + 1) & (MAX_BLOCKS - 1);
  from = find_caller(caller);
  if (tries < MAX_BLOCKS && from) {
    blocks[place] = (struct block){start, size, caller};
    add_bytes(&all, (long long)size);
    if (from->ours) add_bytes(&ours, (long long)size);
  }
  if (from) from->count++;
  leave();
}

static void forget(const void *start) {
  unsigned place = place_of(start, MAX_BLOCKS), tries;
  if (!start) return;
  enter();
  for (tries = 0; tries < MAX_BLOCKS && blocks[place].start; tries++) {
    if (blocks[place].start == start) {
      add_bytes(&all, -(long long)blocks[place].size);
      if (find_caller(blocks[place].caller)->ours) add_bytes(&ours, -(long long)blocks[place].size);
      blocks[place].start = GONE;
      break;
    }
    place = (place + 1) & (MAX_BLOCKS - 1);
  }
  leave();
}

/* --- In place of the C library's ----------------------------------------------------------------------------------- */

void *malloc(size_t size) {
  void *start = __libc_malloc(size);
  note(start, size, __builtin_return_address(0));
  return start;
}

void *calloc(size_t count, size_t size) {
  void *start = __libc_calloc(count, size);
  note(start, count * size, __builtin_return_address(0));
  return start;
}

/* The old block is forgotten first: once it is freed, another thread may be given its address. */
void *realloc(void *old, size_t size) {
  void *start;
  forget(old);
  start = __libc_realloc(old, size);
  note(start, size, __builtin_return_address(0));
  return start;
}

void free(void *start) {
  forget(start);
  __libc_free(start);
}

/* --- For Lua ------------------------------------------------------------------------------------------------------- */

/* [-0, +0]: adds a number to the field of the table on top that is named after the library of an address. */
static void add(lua_State *L, const void *address, long long number) {
  Dl_info library;
  const char *name = dladdr(address, &library) && library.dli_fname ? library.dli_fname : "elsewhere";
  lua_getfield(L, -1, name);
  number += (long long)lua_tointeger(L, -1);
  lua_pop(L, 1);
  lua_pushinteger(L, (lua_Integer)number);
  lua_setfield(L, -2, name);
}

/* The tables are read without the lock, since filling Lua's own table allocates: nothing else may run meanwhile. */
static int held(lua_State *L) {
  unsigned place;
  lua_newtable(L);
  for (place = 0; place < MAX_BLOCKS; place++)
    if (blocks[place].start && blocks[place].start != GONE) add(L, blocks[place].caller, (long long)blocks[place].size);
  return 1;
}

static int counted(lua_State *L) {
  unsigned place;
  lua_newtable(L);
  for (place = 0; place < MAX_CALLERS; place++)
    if (callers[place].address) add(L, callers[place].address, callers[place].count);
  return 1;
}

static void mark_level(struct level *level) {
  level->marked = level->most = level->now;
}

static int mark(lua_State *L) {
  (void)L;
  enter();
  mark_level(&all);
  mark_level(&ours);
  leave();
  return 0;
}

static int peak(lua_State *L) {
  const long long of_ours = ours.most - ours.marked, of_all = all.most - all.marked;
  lua_pushnumber(L, (lua_Number)of_ours);
  lua_pushnumber(L, (lua_Number)of_all);
  return 2;
}

int luaopen_allocations(lua_State *L) {
  lua_newtable(L);
  lua_pushcfunction(L, held);
  lua_setfield(L, -2, "held");
  lua_pushcfunction(L, counted);
  lua_setfield(L, -2, "counted");
  lua_pushcfunction(L, mark);
  lua_setfield(L, -2, "mark");
  lua_pushcfunction(L, peak);
  lua_setfield(L, -2, "peak");
  return 1;
}
