/* process: what specs need of POSIX beside the core: forks of each kind, their end, and pipes between the two processes. */
#define _GNU_SOURCE /* pipe2, syscall */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lua_compat.h"

#define LOOKS_A_SECOND 1000

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

int luaopen_braze_process_spec(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"fork", process_fork}, {"exit", process_exit},   {"id", process_id},
      {"wait", process_wait}, {"pipe", process_pipe},   {"write", process_write},
      {"read", process_read}, {"close", process_close}, {"clone", process_clone},
      {"fork_in_handler", process_fork_in_handler}, {"forked_in_handler", process_forked_in_handler}, {NULL, NULL},
  };
  lua_newtable(L);
  lbraze_set_functions(L, functions);
  return 1;
}
