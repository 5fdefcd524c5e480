/* fault_run: one path, run with faults on a Lua state of its own, and all that must hold before and after it. */
#define _GNU_SOURCE /* clocks and dlopen under -std=c11 */
#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "faults.h"

#define PATHS "spec/proof/faults/fault_paths.lua"
#define MARGIN 1.5       /* seconds beyond a call's timeout: sanitizers on a busy machine */
#define MAX_SETTLING 3.0 /* seconds for threads to end after lua_close */

int luaopen_braze(lua_State *L);
int luaopen_braze_safe(lua_State *L);
int luaopen_braze_core(lua_State *L);

static lua_CFunction open_cjson;
static char text_of_paths[65536];
static size_t length_of_paths;
static double call_timeout = 1.0;

static double now(void) {
  struct timespec time = {0, 0};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int count_entries(const char *folder) {
  DIR *opened = opendir(folder);
  int count = 0;
  if (!opened) return -1;
  while (readdir(opened)) count++;
  closedir(opened);
  return count;
}

/* --- The paths, in Lua -------------------------------------------------------------------------------------- */

static void set_text(lua_State *L, const char *name, const char *before, const char *variable, const char *after) {
  const char *value = getenv(variable);
  lua_pushfstring(L, "%s%s%s", before, value ? value : "", after);
  lua_setfield(L, -2, name);
}

/* [-0, +1, e] What fault_paths.lua gets. */
static void push_environment(lua_State *L) {
  lua_newtable(L);
  set_text(L, "http", "http://127.0.0.1:", "HTTP_PORT", "/fast");
  set_text(L, "service", "http://127.0.0.1:", "HTTP_PORT", "");
  set_text(L, "slow", "http://127.0.0.1:", "HTTP_PORT", "/slow/5000");
  set_text(L, "https", "https://localhost:", "HTTPS_PORT", "/fast");
  set_text(L, "named", "https://rest.braze.test:", "HTTPS_PORT", "/fast");
  set_text(L, "ca_file", "", "CA_FILE", "");
  set_text(L, "ca_directory", "", "CA_DIRECTORY", "");
  lua_pushliteral(L, "127.0.0.1:1");
  lua_setfield(L, -2, "refused");
  lua_pushnumber(L, call_timeout);
  lua_setfield(L, -2, "timeout");
}

/* Opens a state as a host does; the table of fault_paths.lua is at index 1. */
static int prepare(lua_State *L) {
  static const luaL_Reg modules[] = {{"braze", luaopen_braze}, {"braze.safe", luaopen_braze_safe}, {"braze.core", luaopen_braze_core}, {NULL, NULL}};
  const luaL_Reg *module;
  luaL_openlibs(L);
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  for (module = modules; module->name; module++) {
    lua_pushcfunction(L, module->func);
    lua_setfield(L, -2, module->name);
  }
  if (open_cjson) {
    lua_pushcfunction(L, open_cjson);
    lua_setfield(L, -2, "cjson");
  }
  if (luaL_loadbuffer(L, text_of_paths, length_of_paths, "@" PATHS) != 0) return lua_error(L);
  push_environment(L);
  lua_call(L, 1, 1);
  return 1;
}

/* [-0, +1] A state with the paths' table on top; NULL with a message on stderr. */
static lua_State *open_state(void) {
  lua_State *L = lua_newstate(fault_lua_allocator, NULL);
  if (!L) return NULL;
  lua_pushcfunction(L, prepare);
  if (lua_pcall(L, 0, 1, 0) == 0) return L;
  fprintf(stderr, "%s\n", lua_tostring(L, -1));
  lua_close(L);
  return NULL;
}

/* lua-cjson stays loaded, so that it can be found in stacks, and its leaks be told from ours. Lua 5.1 has no searchpath. */
static bool find_cjson(lua_State *L) {
  static const char search[] = "for template in package.cpath:gmatch '[^;]+' do\n"
                               "  local path = template:gsub('%?', 'cjson')\n"
                               "  local file = io.open(path)\n"
                               "  if file then file:close() return path end\n"
                               "end";
  const char *path;
  void *library, *symbol;
  if (luaL_dostring(L, search) != 0) return false;
  path = lua_tostring(L, -1);
  library = path ? dlopen(path, RTLD_NOW) : NULL;
  symbol = library ? dlsym(library, "luaopen_cjson") : NULL;
  if (symbol) memcpy(&open_cjson, &symbol, sizeof open_cjson);
  return symbol != NULL;
}

bool fault_paths_open(const char *bar, char names[][32], int most, int *count) {
  FILE *file = fopen(PATHS, "r");
  lua_State *L;
  bool good;
  if (getenv("FAULT_TIMEOUT")) call_timeout = atof(getenv("FAULT_TIMEOUT"));
  if (!file) return false;
  length_of_paths = fread(text_of_paths, 1, sizeof text_of_paths, file);
  fclose(file);
  L = open_state();
  if (!L) return false;
  good = find_cjson(L);
  lua_settop(L, 1);
  lua_getfield(L, 1, "names");
  lua_pushstring(L, bar);
  good = good && lua_pcall(L, 1, 1, 0) == 0;
  for (*count = 0; good && *count < most; ++*count) {
    lua_rawgeti(L, 2, *count + 1);
    if (lua_isnil(L, -1)) break;
    snprintf(names[*count], 32, "%s", lua_tostring(L, -1));
    lua_pop(L, 1);
  }
  if (!good) fprintf(stderr, "lua-cjson or " PATHS " can't be loaded\n");
  lua_close(L);
  return good;
}

/* --- One run ------------------------------------------------------------------------------------------------ */

struct ledger {
  int descriptors, threads;
  long core, curl, closed[SHIM_CLOSES];
};

static void take_ledger(struct ledger *ledger) {
  ledger->descriptors = count_entries("/proc/self/fd");
  ledger->threads = count_entries("/proc/self/task");
  ledger->core = fault_blocks(FAULT_CORE);
  ledger->curl = fault_blocks(FAULT_CURL);
  ledger->closed[SHIM_CLOSE_INPUT] = fault_closed(SHIM_CLOSE_INPUT);
  ledger->closed[SHIM_CLOSE_AGAIN] = fault_closed(SHIM_CLOSE_AGAIN);
}

/* Whether all came back; threads get some time to end. */
static bool is_settled(const struct ledger *before, struct ledger *after) {
  const struct timespec pause = {0, 200000};
  double until = now() + MAX_SETTLING;
  for (;;) {
    take_ledger(after);
    if (after->threads <= before->threads && after->core == before->core && after->curl <= before->curl && after->descriptors <= before->descriptors)
      return true;
    if (now() > until) return false;
    nanosleep(&pause, NULL);
  }
}

static void complain(struct fault_result *result, const char *text) {
  if (result->good) snprintf(result->reason, sizeof result->reason, "%s", text);
  result->good = false;
}

/* The paths' check of what the function on top of the stack ended in. */
static void check(lua_State *L, int status, const char *sources, long posts, struct fault_result *result) {
  int value = lua_gettop(L);
  lua_getfield(L, 1, "check");
  lua_pushboolean(L, status != 0);
  lua_pushvalue(L, value);
  lua_pushstring(L, sources);
  lua_pushinteger(L, (lua_Integer)posts);
  if (lua_pcall(L, 4, 2, 0) != 0 || !lua_isnil(L, -2)) complain(result, lua_isstring(L, -2) ? lua_tostring(L, -2) : "the check failed");
  snprintf(result->outcome, sizeof result->outcome, "%s", lua_isstring(L, -1) ? lua_tostring(L, -1) : "other");
  lua_settop(L, value - 1);
}

static void name_sources(const struct fault_plan *plans, int count, char *text, size_t size) {
  int i;
  text[0] = '\0';
  for (i = 0; i < count; i++) {
    strncat(text, fault_source_names[plans[i].source], size - strlen(text) - 1);
    strncat(text, " ", size - strlen(text) - 1);
  }
}

static void run_on(lua_State *L, const char *path, const struct fault_plan *plans, int count, struct fault_result *result) {
  char sources[64];
  double began;
  bool close_armed;
  int status;
  name_sources(plans, count, sources, sizeof sources);
  lua_getfield(L, 1, "setup");
  lua_pushstring(L, path);
  if (lua_pcall(L, 1, 2, 0) != 0) {
    fault_arm(NULL, 0);
    fault_disarm();
    complain(result, lua_isstring(L, -1) ? lua_tostring(L, -1) : "the setup failed");
    lua_close(L);
    return;
  }
  close_armed = lua_toboolean(L, -1);
  lua_pop(L, 1);
  began = now();
  fault_arm(plans, count);
  if (close_armed) {
    lua_close(L);
    result->hit = fault_disarm();
    snprintf(result->outcome, sizeof result->outcome, "closed");
  } else {
    status = lua_pcall(L, 0, 1, 0);
    result->hit = fault_disarm();
  }
  if (now() - began > call_timeout + MARGIN) complain(result, "took longer than its deadline");
  if (close_armed) return;
  check(L, status, sources, fault_posts(), result);
  lua_close(L);
}

/* libcurl up to 7.88 at least: where the thread that looked a name up can't tell its end (its send fails), the addresses
   that it found are lost: getaddrinfo_thread sets sock_error, and Curl_addrinfo_callback frees them on success alone. One
   block, by that very send. */
static bool is_known_leak(const struct fault_plan *plans, int count, const struct ledger *before, const struct ledger *after) {
  int i;
  for (i = 0; i < count; i++)
    if (plans[i].source == FAULT_SYSTEM && plans[i].function == SHIM_SEND_RESOLVED)
      return after->core == before->core && after->curl == before->curl + 1 && after->descriptors == before->descriptors && after->threads == before->threads;
  return false;
}

/* libcurl 7.88 at least: where the first allocation of a look-up fails, init_thread_sync_data closes both ends of a pair of
   sockets that it has not made yet, and whose numbers are still 0. */
static bool is_known_close(const struct fault_plan *plans, int count) {
  int i;
  for (i = 0; i < count; i++)
    if (plans[i].source == FAULT_CURL) return true;
  return false;
}

/* What was closed must have been open, and ours. */
static void judge_closes(const struct fault_plan *plans, int count, const struct ledger *before, const struct ledger *after, struct fault_result *result) {
  long inputs = after->closed[SHIM_CLOSE_INPUT] - before->closed[SHIM_CLOSE_INPUT];
  if (after->closed[SHIM_CLOSE_AGAIN] > before->closed[SHIM_CLOSE_AGAIN]) complain(result, "a descriptor was closed twice");
  if (inputs > 0 && is_known_close(plans, count))
    result->upstream = true;
  else if (inputs > 0)
    complain(result, "standard input was closed");
}

void fault_run(const char *path, const struct fault_plan *plans, int count, struct fault_result *result) {
  struct ledger before, after;
  char text[256];
  lua_State *L;
  memset(result, 0, sizeof *result);
  result->good = true;
  take_ledger(&before);
  L = open_state();
  if (!L) {
    complain(result, "no state");
    return;
  }
  run_on(L, path, plans, count, result);
  if (fault_blocks(FAULT_LUA) != 0 || fault_lua_bytes() != 0) {
    snprintf(text, sizeof text, "left: %ld blocks of Lua's, %ld bytes", fault_blocks(FAULT_LUA), fault_lua_bytes());
    complain(result, text);
  }
  if (!is_settled(&before, &after) && is_known_leak(plans, count, &before, &after)) {
    result->upstream = true;
  } else if (!is_settled(&before, &after)) {
    snprintf(text, sizeof text, "left: %ld blocks of the core's, %ld of libcurl's, %d threads, %d descriptors", after.core - before.core,
             after.curl - before.curl, after.threads - before.threads, after.descriptors - before.descriptors);
    complain(result, text);
  }
  judge_closes(plans, count, &before, &after, result);
}
