/* library: see library.h. */
#define _GNU_SOURCE /* dladdr */
#include "ledger/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

#define MAX_PATH 1024
#define INSTALL_HINT "install it together with braze.so, from the same version"

const char *braze_library_kind(const char *url) {
  static const struct {
    const char *start, *kind;
  } kinds[] = {{"postgresql://", "postgresql"}, {"postgres://", "postgresql"}, {"redis://", "redis"}, {"rediss://", "redis"}};
  size_t i;
  for (i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strncmp(url, kinds[i].start, strlen(kinds[i].start)) == 0) return kinds[i].kind;
  return strstr(url, "://") ? NULL : "sqlite";
}

/* The folder that this library was loaded from. */
static bool find_own_folder(char *folder, size_t size) {
  static const char here = 0;
  Dl_info info;
  const char *slash;
  if (dladdr(&here, &info) == 0 || !info.dli_fname) return false;
  slash = strrchr(info.dli_fname, '/');
  return slash && snprintf(folder, size, "%.*s", (int)(slash - info.dli_fname), info.dli_fname) < (int)size;
}

/* One of the places, "folder/?.so", with the name in place of the question mark. */
static bool fill_in(char *path, size_t size, const char *place, size_t length, const char *name) {
  const char *mark = memchr(place, '?', length);
  if (!mark || length == 0) return false;
  return snprintf(path, size, "%.*s%s%.*s", (int)(mark - place), place, name, (int)(place + length - mark - 1), mark + 1) < (int)size;
}

/* The first file of that name. */
static bool find(const char *name, const char *places, char *path, size_t size) {
  char folder[MAX_PATH];
  size_t length;
  if (find_own_folder(folder, sizeof folder) && snprintf(path, size, "%s/%s.so", folder, name) < (int)size && access(path, R_OK) == 0)
    return true;
  for (; places && *places; places += length + (places[length] == ';')) {
    length = strcspn(places, ";");
    if (fill_in(path, size, places, length, name) && access(path, R_OK) == 0) return true;
  }
  return false;
}

/* The library stays loaded (NODELETE): a thread may be in it when the last ledger is gone. */
const struct braze_store_functions *braze_library_load(const char *kind, const char *places, struct braze_store_words *words) {
  static const struct {
    const char *kind, *package;
  } packages[] = {{"sqlite", "libsqlite3-dev"}, {"postgresql", "libpq-dev"}, {"redis", "libhiredis-dev"}};
  const struct braze_store_functions *functions;
  char name[64], path[MAX_PATH];
  void *library;
  size_t i;
  braze_text_print(name, sizeof name, "braze_ledger_%s", kind);
  if (!find(name, places, path, sizeof path)) {
    braze_text_print(words->message, sizeof words->message, "there is no %s.so beside braze.so, nor in package.cpath", name);
    for (i = 0; strcmp(packages[i].kind, kind) != 0;) i++;
    braze_text_print(words->hint, sizeof words->hint, "it is built where its headers are: install %s, then build and install braze again",
                     packages[i].package);
    return NULL;
  }
  library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (!library) {
    braze_text_print(words->message, sizeof words->message, "%.200s can't be used: %.250s", path, dlerror());
    braze_text_print(words->hint, sizeof words->hint, INSTALL_HINT);
    return NULL;
  }
  functions = dlsym(library, BRAZE_STORE_SYMBOL);
  dlclose(library);
  if (functions && functions->version == BRAZE_STORE_VERSION) return functions;
  braze_text_print(words->message, sizeof words->message, "%.200s can't be used: %s", path,
                   functions ? "it is of another version of braze" : "it is no store of braze's");
  braze_text_print(words->hint, sizeof words->hint, INSTALL_HINT);
  return NULL;
}
