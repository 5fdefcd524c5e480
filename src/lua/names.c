/* names: the names and values that a caller gave, as an error shows them, and what was probably meant by a wrong one. */
#include <string.h>

#include "lua/binding.h"
#include "base/text.h"

#define MOST_SHOWN 64

/* Names that other libraries have for the same thing. */
struct alias {
  const char *name, *meant;
};

static const struct alias aliases[] = {
    {"token", "api_key"},          {"bearer", "api_key"},       {"auth", "api_key"},       {"authorization", "api_key"},
    {"secret", "api_key"},         {"url", "endpoint"},         {"uri", "endpoint"},       {"host", "endpoint"},
    {"hostname", "endpoint"},      {"server", "endpoint"},      {"base_url", "endpoint"},  {"base_uri", "endpoint"},
    {"baseurl", "endpoint"},       {"api_url", "endpoint"},     {"address", "endpoint"},   {"instance", "endpoint"},
    {"cluster", "endpoint"},       {"region", "endpoint"},      {"ca", "ca_file"},         {"cainfo", "ca_file"},
    {"ca_bundle", "ca_file"},      {"ca_cert", "ca_file"},      {"ca_certs", "ca_file"},   {"cacert", "ca_file"},
    {"ca_path", "ca_file"},        {"capath", "ca_file"},       {"ca_dir", "ca_file"},     {"cert", "ca_file"},
    {"certificate", "ca_file"},    {"tries", "retries"},        {"attempts", "retries"},   {"max_attempts", "retries"},
    {"deadline", "timeout"},       {"pool", "max_connections"}, {"callback", "on_done"},   {"cb", "on_done"},
    {"pool_size", "max_connections"}, {"concurrency", "max_connections"}, {"on_complete", "on_done"}, {"on_result", "on_done"},
};

static const char *name_at(const void *names, int index) {
  return ((const char *const *)names)[index];
}

static bool is_name(const struct lbraze_names *names, const char *text, size_t length) {
  int i;
  for (i = 0; i < names->count; i++)
    if (strlen(names->names[i]) == length && memcmp(names->names[i], text, length) == 0) return true;
  return false;
}

/* Whether the key on top of the stack is to be reported rather than the one below it: the first string in alphabetical order, so that
   each run names the same mistake. */
static bool comes_first(lua_State *L) {
  if (lua_type(L, -1) != LUA_TSTRING) return lua_isnil(L, -2);
  return lua_type(L, -2) != LUA_TSTRING || strcmp(lua_tostring(L, -1), lua_tostring(L, -2)) < 0;
}

bool lbraze_find_unknown(lua_State *L, int index, const struct lbraze_names *names) {
  lua_pushnil(L); /* the one to report */
  lua_pushnil(L);
  while (lua_next(L, index)) {
    size_t length = 0;
    const char *name;
    lua_pop(L, 1);
    name = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : NULL;
    if (name && is_name(names, name, length)) continue;
    if (!comes_first(L)) continue;
    lua_pushvalue(L, -1);
    lua_replace(L, -3);
  }
  if (!lua_isnil(L, -1)) return true;
  lua_pop(L, 1);
  return false;
}

/* The known name that was probably meant, NULL = none. */
static const char *find_meant(const struct lbraze_names *names, const char *text, size_t length) {
  size_t i;
  int nearest;
  for (i = 0; i < sizeof aliases / sizeof *aliases; i++)
    if (braze_text_same(text, length, aliases[i].name) && is_name(names, aliases[i].meant, strlen(aliases[i].meant)))
      return aliases[i].meant;
  nearest = braze_text_nearest(text, length, name_at, names->names, names->count);
  return nearest < 0 ? NULL : names->names[nearest];
}

/* A name that is long and has a digit in it may be a key in the wrong place. */
static bool may_be_shown(const char *name, size_t length) {
  return length < 20 || strcspn(name, "0123456789") >= length;
}

void lbraze_say_name(struct braze_buffer *out, const char *name, size_t length, const char *meant) {
  if (meant || may_be_shown(name, length))
    braze_text_quote(out, name, length, MOST_SHOWN);
  else
    braze_buffer_print(out, "(%zu characters; not shown, it may be a key)", length);
}

void lbraze_refuse_unknown(lua_State *L, const struct lbraze_context *context, const struct lbraze_names *names, const char *advice) {
  struct lbraze_words words;
  size_t length = 0;
  const char *name = NULL, *meant = NULL;
  int i;
  lbraze_words_init(&words);
  if (lua_type(L, -1) != LUA_TSTRING) {
    braze_buffer_print(&words.message, "a value without a name where %ss are expected (its key is %s)", names->what, lbraze_what(L, -1));
  } else {
    name = lua_tolstring(L, -1, &length);
    meant = find_meant(names, name, length);
    braze_buffer_print(&words.message, "unknown %s ", names->what);
    lbraze_say_name(&words.message, name, length, meant);
  }
  if (advice) {
    braze_buffer_print(&words.hint, "%s", advice);
  } else if (meant) {
    braze_buffer_print(&words.hint, "did you mean \"%s\"?", meant);
  } else {
    braze_buffer_print(&words.hint, "%s takes", names->called);
    for (i = 0; i < names->count; i++)
      braze_buffer_print(&words.hint, "%s %s", i == 0 ? "" : i + 1 == names->count ? " and" : ",", names->names[i]);
  }
  words.operation = context->operation;
  lbraze_raise_usage(L, context->settings, &words);
}

void lbraze_say_value(lua_State *L, int index, struct braze_buffer *out) {
  size_t length = 0;
  const char *text;
  double number;
  switch (lua_type(L, index)) {
  case LUA_TBOOLEAN: braze_buffer_print(out, "%s, a boolean", lua_toboolean(L, index) ? "true" : "false"); break;
  case LUA_TNUMBER:
    number = lua_tonumber(L, index);
    if (number == number)
      braze_buffer_print(out, "the number %.14g", number);
    else
      braze_buffer_print(out, "NaN, which is not a number"); /* printed, it has a sign on some machines */
    break;
  case LUA_TSTRING:
    text = lua_tolstring(L, index, &length);
    if (braze_text_may_be_key(text, length)) {
      braze_buffer_print(out, "a string (%zu characters; not shown, it may be a key)", length);
    } else {
      braze_buffer_print(out, "the string ");
      braze_text_quote(out, text, length, MOST_SHOWN);
    }
    break;
  default: braze_buffer_print(out, "%s", lbraze_what(L, index)); break;
  }
}

void lbraze_refuse_type(lua_State *L, const struct lbraze_context *context, const char *name, const char *expected, const char *hint) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "%s must be %s, not ", name, expected);
  lbraze_say_value(L, -1, &words.message);
  if (hint) braze_buffer_print(&words.hint, "%s", hint);
  words.operation = context->operation;
  lbraze_raise_usage(L, context->settings, &words);
}

void lbraze_refuse_argument(lua_State *L, int index, const struct braze_settings *settings, const char *method, const char *expected,
                            const char *hint) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "%s takes %s, not ", method, expected);
  lbraze_say_value(L, index, &words.message);
  braze_buffer_print(&words.hint, "%s", hint);
  lbraze_raise_usage(L, settings, &words);
}

bool lbraze_is_module(lua_State *L, int index) {
  const char *version;
  bool same;
  if (!lua_istable(L, index)) return false;
  lua_pushvalue(L, index);
  lua_pushliteral(L, "_VERSION");
  lua_rawget(L, -2);
  version = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  same = strncmp(version, "braze ", 6) == 0;
  lua_pop(L, 2);
  return same;
}

void lbraze_check_dot(lua_State *L, int index, const char *function) {
  char hint[128];
  if (!lbraze_is_module(L, index)) return;
  braze_text_print(hint, sizeof hint, "write braze.%s%s", function, strcmp(function, "is_error") == 0 ? "(value)" : "{...}");
  lbraze_usage(L, hint, "%s was called on the module itself: \":\" stands where \".\" belongs", function);
}
