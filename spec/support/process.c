/* process: what specs need of POSIX beside the core: forks of each kind, their end, pipes between the two processes, and what this
   process has in use. */
#define _GNU_SOURCE /* pipe2, syscall */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lua/compat.h"

#define LOOKS_A_SECOND 1000
#define CHUNK (1 << 20)

#if defined(__GNUC__)
#define EXPORT __attribute__((visibility("default")))
#else
#define EXPORT
#endif

EXPORT int luaopen_braze_process_spec(lua_State *L);

static int fail(lua_State *L, const char *what) {
  return luaL_error(L, "%s: %s", what, strerror(errno));
}

/* process.fork() -> 0 in the child, the child's id in the parent */
static int process_fork(lua_State *L) {
  pid_t child = fork();
  if (child < 0) return fail(L, "fork");
  lua_pushinteger(L, (lua_Integer)child);
  return 1;
}

/* process.clone(): a fork of which no library is told, as _Fork() is one; the same results */
static int process_clone(lua_State *L) {
  long child = syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
  if (child < 0) return fail(L, "clone");
  lua_pushinteger(L, (lua_Integer)child);
  return 1;
}

static volatile sig_atomic_t forks_in_handler, in_child;

/* As a crash reporter does it: the child never returns. */
static void fork_and_end(int number) {
  int code = errno;
  pid_t child = fork();
  (void)number;
  if (child == 0) _exit(0);
  if (child > 0) forks_in_handler++;
  while (waitpid(child, NULL, 0) < 0 && errno == EINTR) continue;
  errno = code;
}

static void fork_and_return(int number) {
  int code = errno;
  pid_t child = fork();
  (void)number;
  if (child == 0) in_child = 1;
  if (child > 0) forks_in_handler = (sig_atomic_t)child;
  errno = code;
}

/* process.fork_in_handler(seconds): forks in a signal handler, again and again; the children end there. 0: no more.
   process.fork_in_handler(seconds, true): once, and the child goes on as its parent does. */
static int process_fork_in_handler(lua_State *L) {
  struct itimerval timer = {{0, 0}, {0, 0}};
  struct sigaction action;
  long microseconds = (long)(luaL_checknumber(L, 1) * 1e6);
  bool returns = lua_toboolean(L, 2);
  memset(&action, 0, sizeof action);
  action.sa_handler = returns ? fork_and_return : fork_and_end;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, NULL);
  timer.it_value.tv_sec = microseconds / 1000000;
  timer.it_value.tv_usec = microseconds % 1000000;
  if (!returns) timer.it_interval = timer.it_value;
  setitimer(ITIMER_REAL, &timer, NULL);
  return 0;
}

/* process.forked_in_handler() -> how often, or the child's id; and whether this is that child */
static int process_forked_in_handler(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)forks_in_handler);
  lua_pushboolean(L, in_child != 0);
  return 2;
}

/* process.exit(code): at once, as a child of fork should: no handler runs, nothing is flushed */
static int process_exit(lua_State *L) {
  _exit((int)luaL_optinteger(L, 1, 0));
}

/* process.id() -> integer */
static int process_id(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)getpid());
  return 1;
}

/* process.wait(child, seconds) -> "exited", code; or "signalled", number; or "hung", after it was killed */
static int process_wait(lua_State *L) {
  static const struct timespec pause_between_looks = {0, 1000000000 / LOOKS_A_SECOND};
  pid_t child = (pid_t)luaL_checkinteger(L, 1);
  double looks = luaL_checknumber(L, 2) * LOOKS_A_SECOND;
  int status = 0;
  pid_t ended;
  while ((ended = waitpid(child, &status, WNOHANG)) == 0 && looks-- > 0)
    nanosleep(&pause_between_looks, NULL);
  if (ended < 0) return fail(L, "waitpid");
  if (ended == 0) {
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    lua_pushliteral(L, "hung");
    return 1;
  }
  lua_pushstring(L, WIFSIGNALED(status) ? "signalled" : "exited");
  lua_pushinteger(L, WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
  return 2;
}

/* process.pipe() -> reading, writing */
static int process_pipe(lua_State *L) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return fail(L, "pipe");
  lua_pushinteger(L, ends[0]);
  lua_pushinteger(L, ends[1]);
  return 2;
}

/* process.socketpair() -> two sockets that are connected, and whose calls wait */
static int process_socketpair(lua_State *L) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return fail(L, "socketpair");
  lua_pushinteger(L, ends[0]);
  lua_pushinteger(L, ends[1]);
  return 2;
}

/* process.fill(socket): writes to it until it takes no more */
static int process_fill(lua_State *L) {
  static const char bytes[4096];
  int socket = (int)luaL_checkinteger(L, 1);
  size_t size = sizeof bytes;
  while (size > 0)
    if (send(socket, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) <= 0) size /= 2;
  return 0;
}

/* process.die_of_pipes(): a write to what nobody reads ends this process, as it does where nobody has changed that */
static int process_die_of_pipes(lua_State *L) {
  (void)L;
  signal(SIGPIPE, SIG_DFL);
  return 0;
}

/* process.write(descriptor, text) */
static int process_write(lua_State *L) {
  int descriptor = (int)luaL_checkinteger(L, 1);
  size_t length;
  const char *text = luaL_checklstring(L, 2, &length);
  if (write(descriptor, text, length) != (ssize_t)length) return fail(L, "write");
  return 0;
}

/* process.read(descriptor) -> what is there, "" at the end; waits for it */
static int process_read(lua_State *L) {
  char text[4096];
  ssize_t length = read((int)luaL_checkinteger(L, 1), text, sizeof text);
  if (length < 0) return fail(L, "read");
  lua_pushlstring(L, text, (size_t)length);
  return 1;
}

/* process.close(descriptor) */
static int process_close(lua_State *L) {
  close((int)luaL_checkinteger(L, 1));
  return 0;
}

/* process.memory() -> bytes that malloc has given out, in all its arenas; 0 where the C library does not count them */
static int process_memory(lua_State *L) {
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 33)
  const struct mallinfo2 info = mallinfo2();
  lua_pushnumber(L, (lua_Number)info.uordblks + (lua_Number)info.hblkhd);
#else
  lua_pushnumber(L, 0);
#endif
  return 1;
}

/* How often the text stands in the memory from `from` to `to`, which is read in parts that overlap, into a buffer. */
static int count_between(FILE *memory, unsigned long from, unsigned long to, char *buffer, const char *text, size_t length) {
  int count = 0;
  while (from + length <= to) {
    size_t size = to - from < CHUNK ? to - from : CHUNK;
    const char *at = buffer;
    if (fseeko(memory, (off_t)from, SEEK_SET) != 0 || fread(buffer, 1, size, memory) != size) break;
    while ((at = memmem(at, size - (size_t)(at - buffer), text, length)) != NULL) count++, at++;
    from += size - (length - 1);
  }
  return count;
}

/* process.copies(text) -> how often it stands in the memory that this process may write to */
static int process_copies(lua_State *L) {
  size_t length;
  const char *text = luaL_checklstring(L, 1, &length);
  FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "r");
  /* A mapping of its own, which is left out: what was read must not be found in it again. */
  char *buffer = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char line[512], rights[8];
  unsigned long from, to;
  const unsigned long own = (unsigned long)(void *)buffer;
  int count = 0;
  if (!maps || !memory || buffer == MAP_FAILED) return fail(L, "/proc/self/mem");
  setvbuf(memory, NULL, _IONBF, 0);
  while (fgets(line, sizeof line, maps)) {
    if (sscanf(line, "%lx-%lx %7s", &from, &to, rights) != 3 || rights[0] != 'r' || rights[1] != 'w') continue;
    if (from <= own && own < to) { /* the kernel may have joined it with its neighbours */
      count += count_between(memory, from, own, buffer, text, length);
      from = own + CHUNK;
    }
    count += count_between(memory, from, to, buffer, text, length);
  }
  munmap(buffer, CHUNK);
  fclose(memory);
  fclose(maps);
  lua_pushinteger(L, count);
  return 1;
}

/* process.list(directory) -> the names in it, but for those that begin with a dot; none where it is gone */
static int process_list(lua_State *L) {
  DIR *opened = opendir(luaL_checkstring(L, 1));
  const struct dirent *entry;
  int count = 0;
  lua_newtable(L);
  while (opened && (entry = readdir(opened)) != NULL) {
    if (entry->d_name[0] == '.') continue;
    lua_pushstring(L, entry->d_name);
    lua_rawseti(L, -2, ++count);
  }
  if (opened) closedir(opened);
  return 1;
}

/* process.blocked() -> the numbers of the signals that this thread blocks */
static int process_blocked(lua_State *L) {
  sigset_t set;
  int number, count = 0;
  pthread_sigmask(SIG_SETMASK, NULL, &set);
  lua_newtable(L);
  for (number = 1; number < NSIG; number++) {
    if (sigismember(&set, number) != 1) continue;
    lua_pushinteger(L, number);
    lua_rawseti(L, -2, ++count);
  }
  return 1;
}

struct allocator {
  lua_Alloc allocate;
  void *data;
  lua_Integer left;  /* allocations that still succeed */
  lua_Integer times; /* those behind them that do not */
};

static void *allocate_but_some(void *data, void *block, size_t old_size, size_t new_size) {
  struct allocator *allocator = data;
  /* Of a new block the old size says what it is for. */
  if (new_size > (block ? old_size : 0) && --allocator->left < 0 && --allocator->times >= 0) return NULL;
  return allocator->allocate(allocator->data, block, old_size, new_size);
}

/* [-n, +3, e] Calls the function at index 1 with what is above it -> whether it returned, whether an allocation was refused, what it raised */
static int call_refusing(lua_State *L, lua_Integer left, lua_Integer times) {
  struct allocator allocator;
  int status;
  allocator.left = left;
  allocator.times = times;
  allocator.allocate = lua_getallocf(L, &allocator.data);
  lua_setallocf(L, allocate_but_some, &allocator);
  status = lua_pcall(L, lua_gettop(L) - 1, 0, 0);
  lua_setallocf(L, allocator.allocate, allocator.data);
  if (status == 0) lua_pushnil(L);
  lua_pushboolean(L, status == 0);
  lua_pushboolean(L, allocator.left < 0);
  lua_pushvalue(L, -3);
  return 3;
}

/* process.starve(count, function, ...): only the first count allocations of this state succeed */
static int process_starve(lua_State *L) {
  lua_Integer left = luaL_checkinteger(L, 1);
  lua_remove(L, 1);
  return call_refusing(L, left, PTRDIFF_MAX);
}

/* process.refuse(count, times, function, ...): of the allocations behind the first count so many fail. From 5.2 on a Lua collects and
   asks once more */
static int process_refuse(lua_State *L) {
  lua_Integer left = luaL_checkinteger(L, 1), times = luaL_checkinteger(L, 2);
  lua_remove(L, 1);
  lua_remove(L, 1);
  return call_refusing(L, left, times);
}

int luaopen_braze_process_spec(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"fork", process_fork}, {"exit", process_exit},   {"id", process_id},
      {"wait", process_wait}, {"pipe", process_pipe},   {"write", process_write},
      {"read", process_read}, {"close", process_close}, {"memory", process_memory}, {"list", process_list},
      {"blocked", process_blocked}, {"starve", process_starve}, {"refuse", process_refuse}, {"copies", process_copies},
      {"socketpair", process_socketpair}, {"fill", process_fill}, {"clone", process_clone}, {"die_of_pipes", process_die_of_pipes},
      {"fork_in_handler", process_fork_in_handler}, {"forked_in_handler", process_forked_in_handler}, {NULL, NULL},
  };
  lua_newtable(L);
  lbraze_set_functions(L, functions);
  return 1;
}
