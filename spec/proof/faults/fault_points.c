/* fault_points: Lua's allocator, libcurl's memory hooks, the core's malloc (by the linker's --wrap) and the preloaded
   system calls: each counts what it passes and what is alive, and refuses by plan. Any thread may come here. */
#define _GNU_SOURCE /* RTLD_DEFAULT */
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "faults.h"

/* No call is interrupted for ever, and no clock stands still for ever: their "from then on" ends after so many, since whoever
   tries again, or waits for a time to come, may do that without end. */
#define MAX_PASSING 100

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void __real_free(void *block);
double __wrap_braze_clock_random(void);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
void __wrap_free(void *block);

static atomic_bool armed;
static struct fault_plan plans[FAULT_MAX_PLANS];
static int plan_count;
static atomic_uint hit;
static atomic_long passed[FAULT_SOURCES], passed_functions[SHIM_FUNCTIONS];
static atomic_long blocks[FAULT_SOURCES], lua_bytes;
static shim_switch switch_shim;
static shim_posts count_posts;
static shim_closed count_closed;

/* The plan that refuses the n-th of these points, or NULL. */
static const struct fault_plan *refuses(enum fault_source source, int function, long n) {
  const struct fault_plan *found = NULL;
  int i;
  for (i = 0; i < plan_count; i++) {
    const struct fault_plan *plan = &plans[i];
    if (plan->source != source || (source == FAULT_SYSTEM && plan->function != function)) continue;
    if (n >= plan->n + MAX_PASSING && (plan->error == EINTR || (source == FAULT_SYSTEM && function == SHIM_CLOCK_GETTIME))) continue;
    if (n < plan->n || (plan->mode == FAULT_ONCE && n > plan->n) || (plan->mode == FAULT_TWICE && n > plan->n + 1)) continue;
    atomic_fetch_or(&hit, 1u << i);
    found = plan;
  }
  return found;
}

static bool refuses_memory(enum fault_source source) {
  return atomic_load(&armed) && refuses(source, 0, atomic_fetch_add(&passed[source], 1) + 1) != NULL;
}

static int decide(int function) {
  const struct fault_plan *plan;
  if (!atomic_load(&armed)) return 0;
  atomic_fetch_add(&passed[FAULT_SYSTEM], 1);
  plan = refuses(FAULT_SYSTEM, function, atomic_fetch_add(&passed_functions[function], 1) + 1);
  return plan ? plan->error : 0;
}

void fault_arm(const struct fault_plan *given, int count) {
  int i;
  plan_count = count;
  if (count > 0) memcpy(plans, given, (size_t)count * sizeof *given);
  atomic_store(&hit, 0);
  for (i = 0; i < FAULT_SOURCES; i++) atomic_store(&passed[i], 0);
  for (i = 0; i < SHIM_FUNCTIONS; i++) atomic_store(&passed_functions[i], 0);
  atomic_store(&armed, true);
  if (switch_shim) switch_shim(decide);
}

unsigned fault_disarm(void) {
  if (switch_shim) switch_shim(NULL);
  atomic_store(&armed, false);
  return atomic_load(&hit);
}

long fault_passed(enum fault_source source, int function) {
  return source == FAULT_SYSTEM ? atomic_load(&passed_functions[function]) : atomic_load(&passed[source]);
}

long fault_blocks(enum fault_source source) {
  return atomic_load(&blocks[source]);
}

long fault_lua_bytes(void) {
  return atomic_load(&lua_bytes);
}

bool fault_has_shim(void) {
  return switch_shim != NULL;
}

long fault_posts(void) {
  return count_posts ? count_posts() : 0;
}

long fault_closed(enum shim_close kind) {
  return count_closed ? count_closed((int)kind) : 0;
}

/* Every block anew, so that the sanitizer sees each use of an old address. A block that shrinks is never refused: before
   5.4 Lua takes that for granted. */
void *fault_lua_allocator(void *data, void *block, size_t old_size, size_t new_size) {
  void *fresh;
  (void)data;
  if (!block) old_size = 0;
  if (new_size > old_size && refuses_memory(FAULT_LUA)) return NULL;
  fresh = new_size > 0 ? __real_malloc(new_size) : NULL;
  if (fresh && block) memcpy(fresh, block, old_size < new_size ? old_size : new_size);
  __real_free(block);
  atomic_fetch_add(&blocks[FAULT_LUA], (fresh != NULL) - (block != NULL));
  atomic_fetch_add(&lua_bytes, (long)new_size - (long)old_size);
  return fresh;
}

/* Blocks of libcurl's and of the core's are alike but for who counts them. */
static void *get(enum fault_source source, size_t size, bool cleared) {
  void *block = refuses_memory(source) ? NULL : cleared ? __real_calloc(1, size) : __real_malloc(size);
  if (block) atomic_fetch_add(&blocks[source], 1);
  return block;
}

static void *resize(enum fault_source source, void *block, size_t size) {
  void *fresh = refuses_memory(source) ? NULL : __real_realloc(block, size);
  if (fresh && !block) atomic_fetch_add(&blocks[source], 1);
  return fresh;
}

static void give_back(enum fault_source source, void *block) {
  if (block) atomic_fetch_sub(&blocks[source], 1);
  __real_free(block);
}

static void *curl_malloc(size_t size) {
  return get(FAULT_CURL, size, false);
}

static void *curl_calloc(size_t count, size_t size) {
  return count > 0 && size > SIZE_MAX / count ? NULL : get(FAULT_CURL, count * size, true);
}

static void *curl_realloc(void *block, size_t size) {
  return resize(FAULT_CURL, block, size);
}

static void curl_give_back(void *block) {
  give_back(FAULT_CURL, block);
}

static char *curl_strdup(const char *text) {
  char *copy = get(FAULT_CURL, strlen(text) + 1, false);
  return copy ? strcpy(copy, text) : NULL;
}

void *__wrap_malloc(size_t size) {
  return get(FAULT_CORE, size, false);
}

void *__wrap_calloc(size_t count, size_t size) {
  return get(FAULT_CORE, count * size, true);
}

void *__wrap_realloc(void *block, size_t size) {
  return resize(FAULT_CORE, block, size);
}

void __wrap_free(void *block) {
  give_back(FAULT_CORE, block);
}

/* The pause before a retry is a part of half a second by chance: here a hundredth. */
double __wrap_braze_clock_random(void) {
  return 0.01;
}

/* curl_global_init is counted: the core's own leaves these hooks where they are. */
void fault_points_open(void) {
  void *symbol = dlsym(RTLD_DEFAULT, SHIM_SWITCH);
  if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, curl_give_back, curl_realloc, curl_strdup, curl_calloc) != CURLE_OK) {
    fputs("libcurl could not be initialised\n", stderr);
    exit(2);
  }
  if (!symbol) return;
  memcpy(&switch_shim, &symbol, sizeof switch_shim);
  symbol = dlsym(RTLD_DEFAULT, SHIM_POSTS);
  memcpy(&count_posts, &symbol, sizeof count_posts);
  symbol = dlsym(RTLD_DEFAULT, SHIM_CLOSED);
  memcpy(&count_closed, &symbol, sizeof count_closed);
}
