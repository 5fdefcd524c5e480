/* shim: a library for LD_PRELOAD that makes system calls fail when the host says so: see shim.h. Switched off it passes all
   through. Calls that libc makes inside itself are not seen. */
#define _GNU_SOURCE
#include "shim.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static _Atomic(shim_decide) decide_now;
static atomic_long posts, closed[SHIM_CLOSES];

void braze_proof_shim_switch(shim_decide decide);
long braze_proof_shim_posts(void);
long braze_proof_shim_closed(int kind);

void braze_proof_shim_switch(shim_decide decide) {
  if (decide) atomic_store(&posts, 0);
  atomic_store(&decide_now, decide);
}

long braze_proof_shim_posts(void) {
  return atomic_load(&posts);
}

long braze_proof_shim_closed(int kind) {
  return atomic_load(&closed[kind]);
}

/* 0, or the error to fail with; errno is set too. */
static int fails(enum shim_function function) {
  shim_decide decide = atomic_load(&decide_now);
  int error = decide ? decide((int)function) : 0;
  if (error > 0) errno = error;
  return error;
}

/* The next definition of a function behind this library's. */
#define REAL(name, type) \
  static _Atomic(type) found; \
  type real = atomic_load(&found); \
  if (!real) { \
    void *symbol = dlsym(RTLD_NEXT, name); \
    memcpy(&real, &symbol, sizeof real); \
    atomic_store(&found, real); \
  }

typedef int (*socket_function)(int, int, int);
int socket(int domain, int type, int protocol) {
  REAL("socket", socket_function)
  return fails(SHIM_SOCKET) ? -1 : real(domain, type, protocol);
}

typedef int (*socketpair_function)(int, int, int, int *);
int socketpair(int domain, int type, int protocol, int ends[2]) {
  REAL("socketpair", socketpair_function)
  return fails(SHIM_SOCKETPAIR) ? -1 : real(domain, type, protocol, ends);
}

/* glibc declares it with a union of all kinds of addresses. */
#pragma GCC diagnostic ignored "-Wpedantic"
typedef int (*connect_function)(int, const struct sockaddr *, socklen_t);
int connect(int descriptor, const struct sockaddr *address, socklen_t length) {
  REAL("connect", connect_function)
  return fails(SHIM_CONNECT) ? -1 : real(descriptor, address, length);
}

static _Thread_local bool resolves; /* libcurl started this thread to look a name up */

static enum shim_function kind_of_send(size_t length) {
  return length > 1 ? SHIM_SEND : resolves ? SHIM_SEND_RESOLVED : SHIM_SEND_WAKE;
}

/* As the kernel does it, EPIPE comes with its signal unless the caller refused that. */
typedef ssize_t (*send_function)(int, const void *, size_t, int);
ssize_t send(int descriptor, const void *bytes, size_t length, int flags) {
  REAL("send", send_function)
  ssize_t sent;
  int error = fails(kind_of_send(length));
  if (error == EPIPE && !(flags & MSG_NOSIGNAL)) {
    pthread_kill(pthread_self(), SIGPIPE);
    errno = EPIPE;
  }
  if (error) return -1;
  sent = real(descriptor, bytes, length, flags);
  if (sent > 0 && length > 5 && memcmp(bytes, "POST ", 5) == 0 && atomic_load(&decide_now)) atomic_fetch_add(&posts, 1);
  return sent;
}

typedef ssize_t (*recv_function)(int, void *, size_t, int);
ssize_t recv(int descriptor, void *bytes, size_t length, int flags) {
  REAL("recv", recv_function)
  return fails(SHIM_RECV) ? -1 : real(descriptor, bytes, length, flags);
}

typedef int (*poll_function)(struct pollfd *, nfds_t, int);
int poll(struct pollfd *descriptors, nfds_t count, int milliseconds) {
  REAL("poll", poll_function)
  return fails(SHIM_POLL) ? -1 : real(descriptors, count, milliseconds);
}

/* Its errors are the EAI_ ones, which are negative; EAI_SYSTEM comes with an errno of its own. The name in the certificates
   of the tests, which no resolver knows, is this machine. */
typedef int (*getaddrinfo_function)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict list) {
  REAL("getaddrinfo", getaddrinfo_function)
  int error = fails(SHIM_GETADDRINFO);
  resolves = gettid() != getpid() && name && strcmp(name, "rest.braze.test") == 0;
  if (error == EAI_SYSTEM) errno = EMFILE;
  if (name && strcmp(name, "rest.braze.test") == 0) name = "127.0.0.1";
  return error ? error : real(name, service, hints, list);
}

typedef int (*open_function)(const char *, int, ...);
int open(const char *path, int flags, ...) {
  REAL("open", open_function)
  mode_t mode = 0;
  va_list arguments;
  va_start(arguments, flags);
  if (flags & (O_CREAT | O_TMPFILE)) mode = va_arg(arguments, mode_t);
  va_end(arguments);
  return fails(SHIM_OPEN) ? -1 : real(path, flags, mode);
}

typedef FILE *(*fopen_function)(const char *, const char *);
FILE *fopen(const char *restrict path, const char *restrict mode) {
  REAL("fopen", fopen_function)
  return fails(SHIM_OPEN) ? NULL : real(path, mode);
}

FILE *fopen64(const char *restrict path, const char *restrict mode) {
  REAL("fopen64", fopen_function)
  return fails(SHIM_OPEN) ? NULL : real(path, mode);
}

typedef DIR *(*opendir_function)(const char *);
DIR *opendir(const char *path) {
  REAL("opendir", opendir_function)
  return fails(SHIM_OPEN) ? NULL : real(path);
}

typedef int (*eventfd_function)(unsigned, int);
int eventfd(unsigned count, int flags) {
  REAL("eventfd", eventfd_function)
  return fails(SHIM_EVENTFD) ? -1 : real(count, flags);
}

typedef int (*pthread_create_function)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int pthread_create(pthread_t *restrict thread, const pthread_attr_t *restrict attributes, void *(*run)(void *), void *restrict data) {
  REAL("pthread_create", pthread_create_function)
  int error = fails(SHIM_PTHREAD_CREATE);
  return error ? error : real(thread, attributes, run, data);
}

typedef int (*clock_gettime_function)(clockid_t, struct timespec *);
int clock_gettime(clockid_t clock, struct timespec *time) {
  REAL("clock_gettime", clock_gettime_function)
  return fails(SHIM_CLOCK_GETTIME) ? -1 : real(clock, time);
}

/* Every command that is used takes an integer, a pointer or nothing: passed on as one word. */
typedef int (*fcntl_function)(int, int, ...);
#define FCNTL(name) \
  REAL(name, fcntl_function) \
  va_list arguments; \
  void *argument; \
  va_start(arguments, command); \
  argument = va_arg(arguments, void *); \
  va_end(arguments); \
  return fails(SHIM_FCNTL) ? -1 : real(descriptor, command, argument);

int fcntl(int descriptor, int command, ...) {
  FCNTL("fcntl")
}

int fcntl64(int descriptor, int command, ...);
int fcntl64(int descriptor, int command, ...) {
  FCNTL("fcntl64")
}

typedef ssize_t (*read_function)(int, void *, size_t);
ssize_t read(int descriptor, void *bytes, size_t length) {
  REAL("read", read_function)
  return fails(SHIM_READ) ? -1 : real(descriptor, bytes, length);
}

typedef ssize_t (*write_function)(int, const void *, size_t);
ssize_t write(int descriptor, const void *bytes, size_t length) {
  REAL("write", write_function)
  return fails(SHIM_WRITE) ? -1 : real(descriptor, bytes, length);
}

typedef int (*close_function)(int);
int close(int descriptor) {
  REAL("close", close_function)
  int result = descriptor == STDIN_FILENO ? 0 : real(descriptor);
  if (descriptor == STDIN_FILENO) atomic_fetch_add(&closed[SHIM_CLOSE_INPUT], 1);
  if (descriptor >= 0 && result < 0 && errno == EBADF) atomic_fetch_add(&closed[SHIM_CLOSE_AGAIN], 1);
  return result;
}
