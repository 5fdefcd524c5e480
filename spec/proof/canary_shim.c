/* canary_shim: looks into every block of memory that is given back, for a text that must not be left there, and counts by
   who gives it back: LD_PRELOAD, with the text in CANARY. What is overwritten before it is freed is not found. */
#define _GNU_SOURCE /* dladdr, memmem, RTLD_NEXT */
#include <dlfcn.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_OWNERS 16

static struct {
  char name[64];
  int count;
} owners[MOST_OWNERS];

static void (*real_free)(void *);
static void *(*real_realloc)(void *, size_t);
static char canary[128];

static void count(const void *caller) {
  Dl_info info;
  const char *name = dladdr(caller, &info) && info.dli_fname ? strrchr(info.dli_fname, '/') : NULL;
  int i;
  name = name ? name + 1 : "?";
  for (i = 0; i < MOST_OWNERS - 1 && owners[i].name[0] && strcmp(owners[i].name, name) != 0; i++) continue;
  snprintf(owners[i].name, sizeof owners[i].name, "%s", name);
  owners[i].count++;
}

static void look(void *block, const void *caller) {
  if (canary[0] && memmem(block, malloc_usable_size(block), canary, strlen(canary))) count(caller);
}

__attribute__((constructor)) static void start(void) {
  const char *text = getenv("CANARY");
  real_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
  real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
  if (text) snprintf(canary, sizeof canary, "%s", text);
}

void free(void *block) {
  if (block && real_free) {
    look(block, __builtin_return_address(0));
    real_free(block);
  }
}

void *realloc(void *block, size_t size) {
  void *moved;
  if (!real_realloc) start();
  if (block && size > malloc_usable_size(block)) look(block, __builtin_return_address(0));
  moved = real_realloc(block, size);
  return moved;
}

/* One line for each owner, when the program ends. */
__attribute__((destructor)) static void finish(void) {
  const char *path = getenv("CANARY_REPORT");
  FILE *report = path ? fopen(path, "w") : NULL;
  int i;
  for (i = 0; report && i < MOST_OWNERS && owners[i].name[0]; i++) fprintf(report, "%s %d\n", owners[i].name, owners[i].count);
  if (report) fclose(report);
}
