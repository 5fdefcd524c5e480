/* job: calls with a job: their options, and what their results have of the ledger. */
#include <string.h>

#include "base/text.h"
#include "client.h"
#include "ledger/job.h"
#include "lua/binding.h"

void lbraze_check_job(lua_State *L, const struct lbraze_context *context) {
  static const char hint[] =
      "name what is to be done once: job = \"nightly-2026-03-01\"; 1 to 255 bytes of UTF-8 without control characters";
  const char *text;
  size_t length, i;
  if (lua_type(L, -1) != LUA_TSTRING) lbraze_refuse_type(L, context, "job", "a string", hint);
  text = lua_tolstring(L, -1, &length);
  if (length == 0) lbraze_refuse(L, context, hint, "job is empty");
  if (length > 255) lbraze_refuse(L, context, hint, "job has %zu bytes: at most 255 are taken", length);
  if (braze_text_utf8_length(text, length) < length) lbraze_refuse(L, context, hint, "job is not UTF-8");
  for (i = 0; i < length; i++)
    if ((unsigned char)text[i] < ' ' || text[i] == 0x7F)
      lbraze_refuse(L, context, hint, "job holds a control character, at byte %zu", i + 1);
}

const char *lbraze_push_places(lua_State *L) {
  int top = lua_gettop(L);
  lua_getfield(L, LUA_REGISTRYINDEX, "_LOADED");
  if (lua_istable(L, -1)) lua_getfield(L, -1, "package");
  if (lua_istable(L, -1)) lua_getfield(L, -1, "cpath");
  if (lua_type(L, -1) != LUA_TSTRING) lua_pushnil(L);
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
  return lua_tostring(L, -1);
}

/* [-0, +1] The option's text, or else the variable's; NULL where there is neither. `variable` becomes NULL where it is the option's. */
static const char *push_text(lua_State *L, int index, const char *name, const char **variable, size_t *length) {
  const char *text;
  lua_pushnil(L);
  if (lua_istable(L, index)) {
    lua_pushstring(L, name);
    lua_rawget(L, index);
    lua_replace(L, -2);
  }
  if (!lua_isnil(L, -1)) {
    *variable = NULL;
    return lua_tolstring(L, -1, length);
  }
  text = lbraze_environment(*variable);
  if (text) *length = strlen(text);
  return text;
}

/* [-0, +0, e] Raises what a setter said, unless it went well. */
static void check_set(lua_State *L, const struct braze_settings *settings, bool good, struct lbraze_words *words, const char *variable) {
  if (good) return;
  if (variable && words->message.length > 0) braze_buffer_print(&words->message, " (from the environment variable %s)", variable);
  lbraze_raise_usage(L, settings, words);
}

void lbraze_read_ledger_options(lua_State *L, int index, struct braze_client *client) {
  const struct braze_settings *settings = braze_client_settings(client);
  const char *ledger_variable = "BRAZE_LEDGER", *workspace_variable = "BRAZE_WORKSPACE", *places;
  size_t url_length = 0, length = 0;
  const char *url = push_text(L, index, "ledger", &ledger_variable, &url_length),
             *workspace = push_text(L, index, "workspace", &workspace_variable, &length);
  struct braze_ledger *ledger = NULL;
  struct lbraze_words words;
  if (!url) {
    if (workspace && !workspace_variable)
      lbraze_usage(L, "give ledger as well, or leave workspace out", "workspace names whose quota a ledger shares, and there is no ledger");
    lua_pop(L, 2);
    return;
  }
  places = lbraze_push_places(L);
  lbraze_words_init(&words);
  check_set(L, settings, braze_ledger_new(&ledger, url, url_length, places, &words.message, &words.hint), &words, ledger_variable);
  braze_client_set_ledger(client, ledger);
  if (!workspace) {
    workspace = settings->url;
    length = strlen(workspace);
    workspace_variable = NULL;
  }
  check_set(L, settings, braze_ledger_set_workspace(ledger, workspace, length, &words.message, &words.hint), &words, workspace_variable);
  lua_pop(L, 3);
}

void lbraze_set_job(lua_State *L, const struct lbraze_context *context, int name, struct braze_ledger *ledger, struct braze_call *call) {
  size_t length;
  const char *text = lua_tolstring(L, name, &length);
  if (!ledger)
    lbraze_refuse(
        L, context,
        "give braze.new a ledger, or set BRAZE_LEDGER: the path of a file (\"/var/lib/app/braze.db\"), postgresql://... or redis://...",
        "job is given, and the client has no ledger that could keep it");
  if (braze_request_reads(braze_call_request(call)))
    lbraze_refuse(L, context, "leave job out: a GET changes nothing", "job is given for a GET");
  if (!braze_job_attach(call, ledger, text, length)) luaL_error(L, "not enough memory");
}

void lbraze_set_no_job(lua_State *L, struct braze_ledger *ledger, struct braze_call *call) {
  if (ledger && !braze_job_attach_lesson(call, ledger)) luaL_error(L, "not enough memory");
}

void lbraze_set_ledger_fields(lua_State *L, const struct braze_guard *guard) {
  const char *failure = braze_job_failure(guard);
  struct lbraze_words words;
  lbraze_words_init(&words);
  if (braze_ledger_take_warning(braze_job_ledger(guard), &words.message)) lbraze_warn(L, words.message_text);
  if (braze_job_is_replayed(guard)) {
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "replayed");
  }
  if (failure) {
    lua_pushstring(L, failure);
    lua_setfield(L, -2, "ledger_error");
  }
}
