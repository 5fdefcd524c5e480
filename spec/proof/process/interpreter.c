/* interpreter: as much of lua as specs need, to be built with a sanitizer: [-e TEXT]... [SCRIPT [ARGUMENT]...], and before them the
   text of LUA_INIT.
   What is preloaded into an interpreter goes to every shell that it starts as well, and not all of those bear it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

static int show(lua_State *L, int status) {
  if (status == 0) return 0;
  /* What is no text shows itself by its __tostring. */
  if (!lua_isstring(L, -1) && luaL_callmeta(L, -1, "__tostring")) lua_remove(L, -2);
  fprintf(stderr, "lua: %s\n", lua_isstring(L, -1) ? lua_tostring(L, -1) : luaL_typename(L, -1));
  return 1;
}

static int traced(lua_State *L) {
  if (!lua_isstring(L, 1)) return 1;
  lua_getglobal(L, "debug");
  lua_getfield(L, -1, "traceback");
  lua_pushvalue(L, 1);
  lua_pushinteger(L, 2);
  lua_call(L, 2, 1);
  return 1;
}

static lua_State *running;

static void stop(lua_State *L, lua_Debug *record) {
  (void)record;
  lua_sethook(L, NULL, 0, 0);
  luaL_error(L, "interrupted!");
}

/* Ctrl-C ends what runs with an error, as it does in lua. */
static void interrupt(int number) {
  signal(number, SIG_DFL);
  lua_sethook(running, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKCOUNT, 1);
}

/* Calls the function below the arguments. */
static int run(lua_State *L, int arguments) {
  int base = lua_gettop(L) - arguments, status;
  lua_pushcfunction(L, traced);
  lua_insert(L, base);
  running = L;
  signal(SIGINT, interrupt);
  status = lua_pcall(L, arguments, 0, base);
  signal(SIGINT, SIG_DFL);
  return show(L, status);
}

static int run_text(lua_State *L, const char *text, const char *name) {
  return show(L, luaL_loadbuffer(L, text, strlen(text), name)) || run(L, 0);
}

int main(int count, char **arguments) {
  lua_State *L = luaL_newstate();
  const char *init = getenv("LUA_INIT");
  int script = 1, i, status = 0;
  if (!L) return 1;
  luaL_openlibs(L);
  while (script + 1 < count && strcmp(arguments[script], "-e") == 0) script += 2;
  lua_newtable(L);
  for (i = 0; i < count; i++) {
    lua_pushstring(L, arguments[i]);
    lua_rawseti(L, -2, i - script);
  }
  lua_setglobal(L, "arg");
  if (init) status = run_text(L, init, "=LUA_INIT");
  for (i = 2; i <= script && i < count && status == 0; i += 2)
    if (i < script) status = run_text(L, arguments[i], "=(command line)");
  if (status == 0 && script < count) {
    status = show(L, luaL_loadfile(L, arguments[script]));
    luaL_checkstack(L, count, "too many arguments");
    for (i = script + 1; status == 0 && i < count; i++) lua_pushstring(L, arguments[i]);
    if (status == 0) status = run(L, count - script - 1);
  }
  lua_close(L);
  return status;
}
