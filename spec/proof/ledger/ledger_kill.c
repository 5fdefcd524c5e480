/* A process ends itself, as by a SIGKILL from outside, at the step that BRAZE_KILL_AT names. This one source stands in two places:
   preloaded, it sees requests leave; in the place of a store's library (braze_ledger_*.so) it passes all on to the one in the
   folder BRAZE_KILL_STORES, and sees what is written. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ledger/store.h"

extern struct braze_store_functions braze_store;
struct braze_store_functions braze_store;

static const struct braze_store_functions *real;

static void reach(const char *step) {
  const char *named = getenv("BRAZE_KILL_AT");
  if (named && strcmp(named, step) == 0) kill(getpid(), SIGKILL);
}

static enum braze_store_code swap(void *store, const struct braze_change *change, bool relaxed, double until,
                                  struct braze_store_words *words) {
  const bool claims = change->to && change->to->state == BRAZE_RECORD_HELD;
  enum braze_store_code code;
  reach(claims ? "before-claim" : "before-record");
  code = real->swap(store, change, relaxed, until, words);
  if (code == BRAZE_STORE_GOOD) reach(claims ? "after-claim" : "after-record");
  return code;
}

/* Takes over the table of the real store, if this is in the place of one. */
__attribute__((constructor)) static void start(void) {
  const char *folder = getenv("BRAZE_KILL_STORES"), *name;
  char path[1024];
  Dl_info info;
  void *library;
  if (!folder || !dladdr(&braze_store, &info) || !info.dli_fname) return;
  name = strrchr(info.dli_fname, '/');
  if (!name || strncmp(name, "/braze_ledger_", 14) != 0) return;
  snprintf(path, sizeof path, "%s%s", folder, name);
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  real = library ? dlsym(library, BRAZE_STORE_SYMBOL) : NULL;
  if (!real) abort();
  braze_store = *real;
  braze_store.swap = swap;
}

/* A request of ours is sent at once, and begins so. */
ssize_t send(int descriptor, const void *bytes, size_t length, int flags) {
  ssize_t (*next)(int, const void *, size_t, int);
  void *found = dlsym(RTLD_NEXT, "send");
  const bool request = length > 5 && memcmp(bytes, "POST ", 5) == 0;
  ssize_t sent;
  memcpy(&next, &found, sizeof next);
  if (request) reach("before-request");
  sent = next(descriptor, bytes, length, flags);
  if (request && sent > 0) reach("after-request");
  return sent;
}
