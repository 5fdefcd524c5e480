/* hang: preloaded into a child of a spec: a disk and a name server that do not answer. While there is a file at $HANG_WHILE, what
   asks for a path that begins with $HANG_PATH waits, and so does what asks for a name that holds $HANG_NAME. */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void wait_while(int hangs) {
  static const struct timespec pause = {0, 10000000};
  const char *file = getenv("HANG_WHILE");
  while (hangs && file && access(file, F_OK) == 0) nanosleep(&pause, NULL);
}

/* Writes the C library's own function to the pointer. ISO C has no conversion between the two kinds of pointers. */
static void find(const char *name, void *function) {
  void *found = dlsym(RTLD_NEXT, name);
  memcpy(function, &found, sizeof found);
}

static int begins(const char *path) {
  const char *prefix = getenv("HANG_PATH");
  return prefix && path && strncmp(path, prefix, strlen(prefix)) == 0;
}

int stat(const char *restrict path, struct stat *restrict state) {
  int (*next)(const char *, struct stat *);
  find("stat", &next);
  wait_while(begins(path));
  return next(path, state);
}

int open(const char *path, int flags, ...) {
  int (*next)(const char *, int, ...);
  va_list more;
  mode_t mode;
  va_start(more, flags);
  mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
  va_end(more);
  find("open", &next);
  wait_while(begins(path));
  return next(path, flags, mode);
}

int getaddrinfo(const char *restrict name, const char *restrict port, const struct addrinfo *restrict hints,
                struct addrinfo **restrict list) {
  int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  const char *silent = getenv("HANG_NAME"), *address = getenv("HANG_ADDRESS");
  int hangs = silent && name && strstr(name, silent) != NULL;
  find("getaddrinfo", &next);
  wait_while(hangs);
  return next(hangs && address ? address : name, port, hints, list);
}
