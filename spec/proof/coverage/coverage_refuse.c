/* coverage_refuse: the calls that the core makes of others, refused on demand: the n-th one after refuse(n), for spec/proof/coverage/coverage;
   and a thread that stands still in two of them.
   Linked with -Wl,--wrap for each name below, so that it counts the core's own calls and nobody else's. What a refusal must come
   to is proved by the bars faults-*; here it only leads to the lines that nothing else leads to. */
#define _GNU_SOURCE
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <lauxlib.h>
#include <lua.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static atomic_int left; /* calls until the refused one; 0 = none is refused */
static atomic_int refused;

static int refuse(int code) {
  int before = atomic_load(&left);
  while (before > 0 && !atomic_compare_exchange_weak(&left, &before, before - 1)) continue;
  if (before != 1) return 0;
  atomic_fetch_add(&refused, 1);
  errno = code;
  return 1;
}

/* type, name, parameters, arguments, what a refusal returns, errno */
#define REFUSE(type, name, parameters, arguments, failure, code) \
  type __real_##name parameters; \
  type __wrap_##name parameters; \
  type __wrap_##name parameters { return refuse(code) ? (failure) : __real_##name arguments; }

REFUSE(void *, malloc, (size_t size), (size), NULL, ENOMEM)
REFUSE(void *, calloc, (size_t count, size_t size), (count, size), NULL, ENOMEM)
REFUSE(void *, realloc, (void *memory, size_t size), (memory, size), NULL, ENOMEM)
REFUSE(CURL *, curl_easy_init, (void), (), NULL, ENOMEM)
REFUSE(CURLM *, curl_multi_init, (void), (), NULL, ENOMEM)
REFUSE(CURLMcode, curl_multi_socket_action, (CURLM * multi, curl_socket_t socket, int events, int *running),
       (multi, socket, events, running), CURLM_OUT_OF_MEMORY, ENOMEM)
REFUSE(int, pthread_create, (pthread_t * thread, const pthread_attr_t *attributes, void *(*work)(void *), void *data),
       (thread, attributes, work, data), EAGAIN, EAGAIN)
REFUSE(int, pthread_condattr_init, (pthread_condattr_t * attributes), (attributes), ENOMEM, ENOMEM)
REFUSE(int, pthread_cond_init, (pthread_cond_t * condition, const pthread_condattr_t *attributes), (condition, attributes), ENOMEM, ENOMEM)
REFUSE(int, eventfd, (unsigned count, int flags), (count, flags), -1, EMFILE)
REFUSE(char *, mkdtemp, (char *path), (path), NULL, EACCES)
REFUSE(int, socket, (int family, int type, int protocol), (family, type, protocol), -1, EMFILE)
REFUSE(int, fstat, (int file, struct stat *state), (file, state), -1, EIO)
REFUSE(int, bind, (int socket, const struct sockaddr *address, socklen_t size), (socket, address, size), -1, EACCES)
REFUSE(int, listen, (int socket, int most), (socket, most), -1, EADDRINUSE)
REFUSE(int, getsockopt, (int socket, int level, int name, void *value, socklen_t *size), (socket, level, name, value, size), -1, EBADF)
REFUSE(ssize_t, read, (int file, void *bytes, size_t size), (file, bytes, size), -1, EINTR)
REFUSE(ssize_t, write, (int file, const void *bytes, size_t size), (file, bytes, size), -1, EINTR)
REFUSE(int, poll, (struct pollfd * states, nfds_t count, int milliseconds), (states, count, milliseconds), -1, EINTR)
REFUSE(int, getsockname, (int socket, struct sockaddr *address, socklen_t *size), (socket, address, size), -1, ENOBUFS)
REFUSE(int, getpeername, (int socket, struct sockaddr *address, socklen_t *size), (socket, address, size), -1, ENOTCONN)
REFUSE(int, getnameinfo, (const struct sockaddr *address, socklen_t size, char *host, socklen_t host_size, char *port, socklen_t port_size, int flags),
       (address, size, host, host_size, port, port_size, flags), EAI_MEMORY, ENOMEM)
REFUSE(void *, mmap, (void *address, size_t size, int rights, int flags, int file, off_t offset), (address, size, rights, flags, file, offset), MAP_FAILED, ENOMEM)
REFUSE(int, madvise, (void *address, size_t size, int advice), (address, size, advice), -1, EINVAL)
REFUSE(int, pthread_key_create, (pthread_key_t * key, void (*end)(void *)), (key, end), EAGAIN, EAGAIN)
REFUSE(int, pthread_setspecific, (pthread_key_t key, const void *value), (key, value), ENOMEM, ENOMEM)
REFUSE(CURLcode, curl_global_init, (long flags), (flags), CURLE_FAILED_INIT, ENOMEM)
REFUSE(CURLUcode, curl_url_set, (CURLU * url, CURLUPart part, const char *text, unsigned flags), (url, part, text, flags), CURLUE_OUT_OF_MEMORY, ENOMEM)
REFUSE(int, clock_gettime, (clockid_t clock, struct timespec *time), (clock, time), -1, EPERM)
REFUSE(struct tm *, gmtime_r, (const time_t *seconds, struct tm *parts), (seconds, parts), NULL, EOVERFLOW)
REFUSE(size_t, strftime, (char *text, size_t size, const char *format, const struct tm *parts), (text, size, format, parts), 0, 0)

/* Where the core's thread stands still, once hold(true) was called, until hold(false): before a transfer begins, and where one
   has ended. */
static atomic_int holding; /* 1 = the next time, 2 = it does */
static void stand_still(void) {
  static const struct timespec millisecond = {0, 1000000};
  int next = 1;
  if (!atomic_compare_exchange_strong(&holding, &next, 2)) return;
  while (atomic_load(&holding) == 2) nanosleep(&millisecond, NULL);
}

CURLMcode __real_curl_multi_add_handle(CURLM *multi, CURL *easy);
CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *easy);
CURLMcode __wrap_curl_multi_add_handle(CURLM *multi, CURL *easy) {
  if (refuse(ENOMEM)) return CURLM_OUT_OF_MEMORY;
  stand_still();
  return __real_curl_multi_add_handle(multi, easy);
}

/* A result that libcurl has since 8.6: the response is too large. */
CURLMsg *__real_curl_multi_info_read(CURLM *multi, int *count);
CURLMsg *__wrap_curl_multi_info_read(CURLM *multi, int *count);
CURLMsg *__wrap_curl_multi_info_read(CURLM *multi, int *count) {
  CURLMsg *message = __real_curl_multi_info_read(multi, count);
  if (message && refuse(0)) message->data.result = (CURLcode)100;
  if (message) stand_still();
  return message;
}

/* Every name that ends with .test is this machine. */
int __real_getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **list);
int __wrap_getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **list);
int __wrap_getaddrinfo(const char *name, const char *port, const struct addrinfo *hints, struct addrinfo **list) {
  const char *end = name ? strrchr(name, '.') : NULL;
  if (refuse(ENOMEM)) return EAI_MEMORY;
  return __real_getaddrinfo(end && strcmp(end, ".test") == 0 ? "127.0.0.1" : name, port, hints, list);
}

/* Every option's value goes as one word: long, pointer, function, curl_off_t. */
#undef curl_easy_setopt
CURLcode __real_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...);
CURLcode __wrap_curl_easy_setopt(CURL *easy, CURLoption option, ...) {
  va_list arguments;
  void *value;
  va_start(arguments, option);
  value = va_arg(arguments, void *);
  va_end(arguments);
  return refuse(ENOMEM) ? CURLE_OUT_OF_MEMORY : __real_curl_easy_setopt(easy, option, value);
}

/* Where the system's store is said to be, and by which version, once put_store has been called. */
static char store_directory[256], store_file[256];
static unsigned store_version;
curl_version_info_data *__real_curl_version_info(CURLversion wanted);
curl_version_info_data *__wrap_curl_version_info(CURLversion wanted);
curl_version_info_data *__wrap_curl_version_info(CURLversion wanted) {
  static curl_version_info_data moved;
  curl_version_info_data *real = __real_curl_version_info(wanted);
  if (store_file[0] == '\0') return real;
  moved = *real;
  moved.capath = store_directory;
  moved.cainfo = store_file;
  if (store_version > 0) moved.version_num = store_version;
  return &moved;
}

/* put_store(directory, file [, version]) */
static int put_store(lua_State *L) {
  snprintf(store_directory, sizeof store_directory, "%s", luaL_checkstring(L, 1));
  snprintf(store_file, sizeof store_file, "%s", luaL_checkstring(L, 2));
  store_version = (unsigned)luaL_optinteger(L, 3, 0);
  return 0;
}

/* refuse(n): the n-th call from now is refused, 0 = none. Returns how many were since the last time. */
static int set(lua_State *L) {
  atomic_store(&left, (int)luaL_checkinteger(L, 1));
  lua_pushinteger(L, atomic_exchange(&refused, 0));
  return 1;
}

/* hold(true): the thread will stand still; hold(false): it goes on; hold(): whether it does. */
static int hold(lua_State *L) {
  if (!lua_isnone(L, 1)) atomic_store(&holding, lua_toboolean(L, 1));
  lua_pushboolean(L, atomic_load(&holding) == 2);
  return 1;
}

/* fork([true]) -> 0 in the child, whose counts are added at its exit; in the parent the child's status once it has ended. true: no
   library is told of the fork. */
static int fork_and_wait(lua_State *L) {
  int status = 0;
  pid_t child = lua_toboolean(L, 1) ? (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L) : fork();
  if (child > 0) waitpid(child, &status, 0);
  lua_pushinteger(L, child > 0 ? (status == 0 ? 1 : -1) : child);
  return 1;
}

__attribute__((visibility("default"))) int luaopen_braze_refuse(lua_State *L);
int luaopen_braze_refuse(lua_State *L) {
  lua_pushcfunction(L, set);
  lua_pushcfunction(L, fork_and_wait);
  lua_pushcfunction(L, put_store);
  lua_pushcfunction(L, hold);
  return 4;
}
