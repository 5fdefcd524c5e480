/* canary_shim: looks into every block of memory that is freed, for texts that must not be left there, and counts by who
   frees it: LD_PRELOAD, with the texts in the file that CANARY names, one a line. What is overwritten before it is freed is
   not found, and neither is what another owner has left in the block: a new block is empty. */
#define _GNU_SOURCE /* dladdr, memmem, RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_OWNERS 16
#define MAX_TEXTS 32

static struct {
  char name[64];
  int count;
} owners[MAX_OWNERS];

static void (*real_free)(void *);
static void *(*real_realloc)(void *, size_t);
static char texts[MAX_TEXTS][512];
static size_t lengths[MAX_TEXTS];
static int text_count;

static void count(const void *caller) {
  Dl_info info;
  const char *name = dladdr(caller, &info) && info.dli_fname ? strrchr(info.dli_fname, '/') : NULL;
  int i;
  name = name ? name + 1 : "?";
  for (i = 0; i < MAX_OWNERS - 1 && owners[i].name[0] && strcmp(owners[i].name, name) != 0; i++) continue;
  snprintf(owners[i].name, sizeof owners[i].name, "%s", name);
  owners[i].count++;
}

/* A block counts once, whatever number of texts is in it. */
static void look(void *block, const void *caller) {
  size_t size;
  int i;
  if (text_count == 0) return;
  size = malloc_usable_size(block);
  for (i = 0; i < text_count; i++) {
    if (memmem(block, size, texts[i], lengths[i])) {
      count(caller);
      return;
    }
  }
}

/* Read without stdio, whose buffer would be one more block that holds the texts. */
static void read_texts(const char *path) {
  static char all[MAX_TEXTS * 512];
  int file = open(path, O_RDONLY | O_CLOEXEC), i = 0;
  ssize_t length = file >= 0 ? read(file, all, sizeof all - 1) : 0;
  char *text = all, *end;
  if (file >= 0) close(file);
  if (length <= 0) return;
  all[length] = '\0';
  while (i < MAX_TEXTS && (end = strchr(text, '\n')) != NULL) {
    if (end > text && (size_t)(end - text) < sizeof texts[i]) {
      memcpy(texts[i], text, (size_t)(end - text));
      lengths[i] = (size_t)(end - text);
      i++;
    }
    text = end + 1;
  }
  text_count = i;
}

__attribute__((constructor)) static void start(void) {
  const char *path = getenv("CANARY");
  real_free = (void (*)(void *))dlsym(RTLD_NEXT, "free");
  real_realloc = (void *(*)(void *, size_t))dlsym(RTLD_NEXT, "realloc");
  if (path && text_count == 0) read_texts(path);
}

void free(void *block) {
  if (block && real_free) {
    look(block, __builtin_return_address(0));
    real_free(block);
  }
}

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);

/* Empties what is behind the first bytes of a block, to its very end. */
static void *empty(void *block, size_t first) {
  if (block && malloc_usable_size(block) > first) memset((char *)block + first, 0, malloc_usable_size(block) - first);
  return block;
}

void *malloc(size_t size) {
  return empty(__libc_malloc(size), 0);
}

void *calloc(size_t count, size_t size) {
  return empty(__libc_calloc(count, size), 0);
}

void *realloc(void *block, size_t size) {
  const size_t before = block ? malloc_usable_size(block) : 0;
  if (!real_realloc) start();
  if (block && size > before) look(block, __builtin_return_address(0));
  return empty(real_realloc(block, size), before);
}

/* One line for each owner, when the program ends. */
__attribute__((destructor)) static void finish(void) {
  const char *path = getenv("CANARY_REPORT");
  FILE *report = path ? fopen(path, "w") : NULL;
  int i;
  for (i = 0; report && i < MAX_OWNERS && owners[i].name[0]; i++) fprintf(report, "%s %d\n", owners[i].name, owners[i].count);
  if (report) fclose(report);
}
