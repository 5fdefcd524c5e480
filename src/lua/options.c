/* options: tables and environment variables to settings, limits and values; every mistake is named before anything is sent. */
#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "client.h"
#include "lua/binding.h"
#include "service/account.h"
#include "service/operation.h"

#define MOST_SHOWN 64
#define DEFAULT_PAGES 100
#define BRAZE_MAX_PAGES 1000000
#define SECONDS_HINT "durations are seconds, as a number without a unit: %s = 5, or 0.5 for half a second"

/* What reading the options needs, and where their values go. */
struct reader {
  lua_State *L;
  enum lbraze_scope scope;
  struct lbraze_context context;
  struct lbraze_call_options values; /* where they go; of a client's, the limits alone are used */
  int max_connections;               /* of a client */
};

#define CLIENT LBRAZE_FOR_CLIENT
#define CALL LBRAZE_FOR_CALL
#define START LBRAZE_FOR_START
#define EACH LBRAZE_FOR_EACH

struct option {
  const char *name;
  int scopes; /* where it may be given */
  const char *variable; /* of the environment, NULL = none */
};

enum {
  API_KEY, ENDPOINT, TIMEOUT, CONNECT_TIMEOUT, RETRIES, MAX_CONNECTIONS, CA_FILE, PROXY, LEDGER, WORKSPACE, ON_EVENT,
  ON_DONE, QUERY, REPEATABLE, JOB, ITEMS, MAX_PAGES, OPTION_COUNT
};

static const struct option options[OPTION_COUNT] = {
    {"api_key", CLIENT, "BRAZE_API_KEY"},
    {"endpoint", CLIENT, "BRAZE_REST_ENDPOINT"},
    {"timeout", CLIENT | CALL | START | EACH, "BRAZE_TIMEOUT"},
    {"connect_timeout", CLIENT | CALL | START | EACH, NULL},
    {"retries", CLIENT | CALL | START | EACH, NULL},
    {"max_connections", CLIENT, NULL},
    {"ca_file", CLIENT, "BRAZE_CA_FILE"},
    {"proxy", CLIENT, NULL},
    {"ledger", CLIENT, "BRAZE_LEDGER"},
    {"workspace", CLIENT, "BRAZE_WORKSPACE"},
    {"on_event", CLIENT, NULL},
    {"on_done", START, NULL},
    {"query", CALL | START | EACH, NULL},
    {"repeatable", CALL | START | EACH, NULL},
    {"job", CALL | START, NULL},
    {"items", EACH, NULL},
    {"max_pages", EACH, NULL},
};

static const char *const scope_names[] = {[CLIENT] = "braze.new", [CALL] = "a call", [START] = "start", [EACH] = "each"};

/* The index of an option, OPTION_COUNT = there is none of that name. */
static int find_option(const char *name, size_t length) {
  int option = 0;
  while (option < OPTION_COUNT && (strlen(options[option].name) != length || memcmp(options[option].name, name, length) != 0)) option++;
  return option;
}

/* Whether the text has a word in it, whatever its case. */
static bool has_word(const char *text, size_t length, const char *word) {
  size_t at, word_length = strlen(word);
  for (at = 0; at + word_length <= length; at++)
    if (braze_text_same(text + at, word_length, word)) return true;
  return false;
}

static bool is_parameter(const char *name, size_t length) {
  const struct braze_operation *operation;
  size_t i;
  for (i = 0; (operation = braze_operation_at(i)) != NULL; i++)
    if (braze_operation_field(operation, name, length) >= 0) return true;
  return false;
}

/* A hint for a name that is no option of that scope, where there is a better one than the nearest name; NULL: there is none. */
static const char *option_advice(enum lbraze_scope scope, const char *name, size_t length) {
  if (has_word(name, length, "verif") || has_word(name, length, "insecure") || has_word(name, length, "unauthorized"))
    return "certificates are always verified, and this can't be turned off; to trust a CA of your own, give its PEM file to braze.new as ca_file";
  if (!is_parameter(name, length)) return NULL;
  return scope == CLIENT ? "it is a parameter of a call: create_send_id{campaign_id = \"...\"}"
                         : "it is a parameter: it stands in the first table, the options in a second one, as in create_send_id({campaign_id = \"...\"}, {timeout = 5})";
}

LBRAZE_RAISES static void refuse_scope(const struct reader *reader, const struct option *option) {
  const char *hint = "a call that is not started returns its result";
  if (option->scopes == START && reader->scope == CLIENT) hint = "give it to client:start";
  if (option->scopes == START) lbraze_refuse(reader->L, &reader->context, hint, "%s is an option of start alone", option->name);
  if (option->scopes == EACH) lbraze_refuse(reader->L, &reader->context, "give it to client:each", "%s is an option of each alone", option->name);
  if (reader->scope == CLIENT) lbraze_refuse(reader->L, &reader->context, "give it to the call, in the table behind the parameters", "%s is an option of a call, not of a client", option->name);
  lbraze_refuse(reader->L, &reader->context, "give it to braze.new; a call takes timeout, connect_timeout, retries, query, repeatable and job", "%s is an option of a client, not of a call", option->name);
}

/* Keeps the key as a secret before it is checked, so that no error shows it. */
static void remember_key(lua_State *L, int index, struct braze_settings *settings) {
  const char *key;
  size_t length = 0;
  lua_pushstring(L, options[API_KEY].name);
  lua_rawget(L, index);
  key = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &length) : lbraze_environment(options[API_KEY].variable);
  if (key && length == 0) length = strlen(key);
  if (length > 0) braze_secrets_set_api_key(settings->secrets, key, length);
  lua_pop(L, 1);
}

/* [-0, +0, e] Raises where the options are no table, or one of their names is not known to the scope. `made` are the settings that
   these options are for, NULL for a call's. */
static void check_names(const struct reader *reader, int index, struct braze_settings *made) {
  lua_State *L = reader->L;
  const char *known[OPTION_COUNT], *name, *advice = NULL;
  struct lbraze_names names = {"option", scope_names[reader->scope], known, 0};
  size_t length = 0;
  int option;
  if (lua_isnoneornil(L, index)) return;
  if (reader->scope == CLIENT) lbraze_check_dot(L, index, "new");
  if (!lua_istable(L, index)) {
    lua_pushvalue(L, index);
    lbraze_refuse_type(L, &reader->context, "options", "a table",
                       reader->scope == CLIENT && !lua_isnumber(L, -1)  ? "write braze.new{api_key = \"...\", endpoint = \"US-01\"}"
                       : reader->scope == START && lua_isfunction(L, -1) ? "write {on_done = function(err, result) ... end}"
                                                                         : "write {timeout = 5}");
  }
  for (option = 0; option < OPTION_COUNT; option++)
    if (options[option].scopes & (int)reader->scope) known[names.count++] = options[option].name;
  if (!lbraze_find_unknown(L, index, &names)) return;
  if (made) remember_key(L, index, made);
  if (lua_type(L, -1) == LUA_TSTRING) {
    name = lua_tolstring(L, -1, &length);
    option = find_option(name, length);
    if (option < OPTION_COUNT) refuse_scope(reader, &options[option]);
    advice = option_advice(reader->scope, name, length);
  }
  lbraze_refuse_unknown(L, &reader->context, &names, advice);
}

/* Raises for a number of seconds that is out of range. The message calls it `said`, the hint `name`. */
static void check_duration(lua_State *L, const struct lbraze_context *context, const char *said, const char *name, double seconds) {
  char hint[128];
  braze_text_print(hint, sizeof hint, SECONDS_HINT, name);
  if (seconds != seconds) lbraze_refuse(L, context, hint, "%s is not a number", said);
  if (seconds > BRAZE_MAX_TIMEOUT)
    lbraze_refuse(L, context, "the unit is seconds, not milliseconds", "%s is %.14g: at most %g is taken", said, seconds, BRAZE_MAX_TIMEOUT);
  if (!(seconds > 0)) lbraze_refuse(L, context, hint, "%s is %.14g: it must be above 0", said, seconds);
}

static double check_seconds(const struct reader *reader, const char *name) {
  lua_State *L = reader->L;
  char hint[128];
  braze_text_print(hint, sizeof hint, SECONDS_HINT, name);
  if (lua_type(L, -1) != LUA_TNUMBER) lbraze_refuse_type(L, &reader->context, name, "a number", hint);
  check_duration(L, &reader->context, name, name, lua_tonumber(L, -1));
  return lua_tonumber(L, -1);
}

static int check_count(const struct reader *reader, const char *name, int least, int most) {
  lua_State *L = reader->L;
  double count;
  char hint[128];
  braze_text_print(hint, sizeof hint, "write a whole number from %d to %d: %s = %d", least, most, name, least > 0 ? 16 : 2);
  if (lua_type(L, -1) != LUA_TNUMBER) lbraze_refuse_type(L, &reader->context, name, "a number", hint);
  count = lua_tonumber(L, -1);
  if (!(count >= least && count <= most) || (double)(int)count != count)
    lbraze_refuse(L, &reader->context, NULL, "%s is %.14g: it must be a whole number from %d to %d", name, count, least, most);
  return (int)count;
}

/* What to write where a text is expected and something else was given. */
static const char *text_hint(int option) {
  switch (option) {
  case CA_FILE: return "give the path of a PEM file; left out, the system's store is used. Verification can't be turned off";
  case PROXY: return "write \"http://host:port\", or \"\" for none";
  case ENDPOINT: return "write \"https://rest.iad-01.braze.com\", or an instance's name, such as \"US-01\"";
  default: return NULL;
  }
}

/* The text on top of the stack, which is the option's value. */
static const char *check_text(lua_State *L, const struct braze_settings *settings, int option, size_t *length) {
  const struct lbraze_context context = {settings, NULL};
  if (lua_type(L, -1) != LUA_TSTRING) lbraze_refuse_type(L, &context, options[option].name, "a string", text_hint(option));
  return lua_tolstring(L, -1, length);
}

/* Raises where a setter of the settings failed; `variable` is where the value came from, or NULL. */
static void check_set(lua_State *L, const struct braze_settings *settings, int failure, struct lbraze_words *words, const char *variable) {
  if (failure == 0) return;
  if (failure == ENOMEM) luaL_error(L, "not enough memory");
  if (variable) braze_buffer_print(&words->message, " (from the environment variable %s)", variable);
  lbraze_raise_usage(L, settings, words);
}

static void set_api_key(lua_State *L, struct braze_settings *settings, const char *text, size_t length, const char *variable) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  check_set(L, settings, braze_account_set_api_key(settings, text, length, &words.message, &words.hint), &words, variable);
}

static void set_endpoint(lua_State *L, struct braze_settings *settings, const char *text, size_t length, const char *variable) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  check_set(L, settings, braze_account_set_endpoint(settings, text, length, &words.message, &words.hint), &words, variable);
  if (!settings->unknown_host) return;
  braze_buffer_print(&words.message, "braze: %s is no REST endpoint that this version of braze knows; braze.instances lists those", settings->authority);
  lbraze_warn(L, words.message_text);
}

static void set_ca_file(lua_State *L, struct braze_settings *settings, const char *text, size_t length, const char *variable) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  check_set(L, settings, braze_settings_set_ca_file(settings, text, length, &words.message, &words.hint), &words, variable);
}

static void set_proxy(lua_State *L, struct braze_settings *settings, const char *text, size_t length, const char *no_proxy, const char *variable) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  check_set(L, settings, braze_settings_set_proxy(settings, text, length, no_proxy, &words.message, &words.hint), &words, variable);
}

/* Copies the value on top of the stack to its slot. */
static void keep(lua_State *L, int slot) {
  lua_pushvalue(L, -1);
  lua_replace(L, slot);
}

/* Reads the option whose value is on top of the stack. Texts are only checked here: they are set later, in a fixed order. */
static void read_option(struct reader *reader, int option) {
  lua_State *L = reader->L;
  const char *name = options[option].name;
  size_t length;
  switch (option) {
  case TIMEOUT: reader->values.limits.timeout = check_seconds(reader, name); break;
  case CONNECT_TIMEOUT: reader->values.limits.connect_timeout = check_seconds(reader, name); break;
  case RETRIES: reader->values.limits.retries = check_count(reader, name, 0, BRAZE_MAX_RETRIES); break;
  case ON_DONE:
    if (!lua_isfunction(L, -1)) lbraze_refuse_type(L, &reader->context, name, "a function", "write on_done = function(err, result) ... end");
    keep(L, reader->values.on_done);
    break;
  case ON_EVENT:
    if (!lua_isfunction(L, -1)) lbraze_refuse_type(L, &reader->context, name, "a function", "write on_event = function(event) ... end");
    keep(L, reader->values.on_event);
    break;
  case QUERY:
    if (!lua_istable(L, -1)) lbraze_refuse_type(L, &reader->context, name, "a table", "write query = { page = 2 }");
    keep(L, reader->values.query);
    break;
  case REPEATABLE:
    if (!lua_isboolean(L, -1)) lbraze_refuse_type(L, &reader->context, name, "a boolean", "write repeatable = true where a second request does no harm");
    reader->values.repeatable = lua_toboolean(L, -1);
    break;
  case JOB:
    lbraze_check_job(L, &reader->context);
    keep(L, reader->values.job);
    break;
  case MAX_PAGES: reader->values.max_pages = check_count(reader, name, 1, BRAZE_MAX_PAGES); break;
  case ITEMS:
    if (lua_type(L, -1) != LUA_TSTRING) lbraze_refuse_type(L, &reader->context, name, "a string", "write the name of the answer's field that has the list: items = \"catalogs\"");
    keep(L, reader->values.items);
    break;
  case MAX_CONNECTIONS: reader->max_connections = check_count(reader, name, 1, BRAZE_MAX_CONNECTIONS); break;
  default: check_text(L, reader->context.settings, option, &length); break;
  }
}

/* [-0, +0] The options that a table of checked names has, a bit each. To ask for each option by its name would cost more than the rest. */
static unsigned given_options(lua_State *L, int index) {
  unsigned given = 0;
  size_t length;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tolstring(L, -2, &length) : NULL;
    if (name) given |= 1u << find_option(name, length);
  }
  return given;
}

/* Reads the values of options whose names have been checked, in an order that is the same each time. */
static void read_options(struct reader *reader, int index) {
  lua_State *L = reader->L;
  const unsigned given = lua_isnoneornil(L, index) ? 0 : given_options(L, index);
  int option;
  for (option = 0; option < OPTION_COUNT; option++) {
    if (!(given >> option & 1)) continue;
    lua_pushstring(L, options[option].name);
    lua_rawget(L, index);
    if (!lua_isnil(L, -1)) read_option(reader, option);
    lua_pop(L, 1);
  }
}

/* [-0, +1] The text of an option, or NULL where it is not given. */
static const char *push_option(lua_State *L, int index, const struct braze_settings *settings, int option, size_t *length) {
  if (!lua_istable(L, index)) {
    lua_pushnil(L);
    return NULL;
  }
  lua_pushstring(L, options[option].name);
  lua_rawget(L, index);
  return lua_isnil(L, -1) ? NULL : check_text(L, settings, option, length);
}

/* Key and endpoint: both from the table, or both from the environment. */
static void read_account(lua_State *L, int index, struct braze_settings *settings) {
  size_t key_length = 0, endpoint_length = 0;
  const char *key = push_option(L, index, settings, API_KEY, &key_length);
  const char *endpoint = push_option(L, index, settings, ENDPOINT, &endpoint_length);
  bool given = key || endpoint;
  if (given && !(key && endpoint))
    lbraze_usage(L, "they go together: give both (what is nil is not given), or neither and set BRAZE_API_KEY and BRAZE_REST_ENDPOINT",
                 key ? "api_key is given without endpoint" : "endpoint is given without api_key");
  if (!given) {
    key = lbraze_environment("BRAZE_API_KEY");
    endpoint = lbraze_environment("BRAZE_REST_ENDPOINT");
    if (!key)
      lbraze_usage(L, "set BRAZE_API_KEY and BRAZE_REST_ENDPOINT, or give api_key and endpoint to braze.new",
                   "no API key: BRAZE_API_KEY is not set");
    if (!endpoint)
      lbraze_usage(L, "set BRAZE_REST_ENDPOINT to the REST endpoint shown beside the API key in the dashboard, such as https://rest.iad-01.braze.com, or to an instance's name, such as US-01",
                   "no endpoint: BRAZE_REST_ENDPOINT is not set");
    key_length = strlen(key);
    endpoint_length = strlen(endpoint);
  }
  set_api_key(L, settings, key, key_length, given ? NULL : "BRAZE_API_KEY");
  set_endpoint(L, settings, endpoint, endpoint_length, given ? NULL : "BRAZE_REST_ENDPOINT");
  lua_pop(L, 2);
}

static void read_ca_file(lua_State *L, int index, struct braze_settings *settings) {
  size_t length = 0;
  const char *text = push_option(L, index, settings, CA_FILE, &length);
  const char *variable = text ? NULL : lbraze_environment("BRAZE_CA_FILE");
  if (text || variable) set_ca_file(L, settings, text ? text : variable, text ? length : strlen(variable), text ? NULL : "BRAZE_CA_FILE");
  lua_pop(L, 1);
}

/* The first of two variables that is set, and which one it is. The name in lower case wins, as in other programs. */
static const char *either_variable(const char *lower, const char *upper, const char **name) {
  *name = lbraze_environment(lower) ? lower : upper;
  return lbraze_environment(*name);
}

static void read_proxy(lua_State *L, int index, struct braze_settings *settings) {
  size_t length = 0;
  const char *name, *no_proxy_name;
  const char *text = push_option(L, index, settings, PROXY, &length);
  const char *variable = text ? NULL : either_variable("https_proxy", "HTTPS_PROXY", &name);
  if (text)
    set_proxy(L, settings, text, length, NULL, NULL);
  else if (variable)
    set_proxy(L, settings, variable, strlen(variable), either_variable("no_proxy", "NO_PROXY", &no_proxy_name), name);
  lua_pop(L, 1);
}

/* Reads digits with at most one point among them: strtod would use the locale's decimal point. Negative: it is something else. */
static double read_decimal(const char *text) {
  double value = 0, unit = 1;
  bool point = false, digit = false;
  for (; *text; text++) {
    if (*text == '.' && !point) {
      point = true;
    } else if (*text >= '0' && *text <= '9') {
      digit = true;
      value = value * 10 + (*text - '0');
      if (point) unit *= 10;
    } else {
      return -1;
    }
  }
  return digit ? value / unit : -1;
}

static void read_timeout_variable(lua_State *L, const struct braze_settings *settings, struct braze_limits *limits) {
  const struct lbraze_context context = {settings, NULL};
  const char *text = lbraze_environment(options[TIMEOUT].variable);
  if (!text) return;
  limits->timeout = read_decimal(text);
  if (limits->timeout < 0) {
    struct lbraze_words words;
    lbraze_words_init(&words);
    if (!braze_text_may_be_key(text, strlen(text))) {
      braze_buffer_print(&words.message, "the environment variable BRAZE_TIMEOUT is ");
      braze_text_quote(&words.message, text, strlen(text), MOST_SHOWN);
      braze_buffer_print(&words.message, ", which is not a number");
    } else {
      braze_buffer_print(&words.message, "the environment variable BRAZE_TIMEOUT is not a number (not shown, it may be a key)");
    }
    braze_buffer_print(&words.hint, "write a number of seconds without a unit, such as 30 or 2.5");
    lbraze_raise_usage(L, settings, &words);
  }
  check_duration(L, &context, "the environment variable BRAZE_TIMEOUT", "BRAZE_TIMEOUT", limits->timeout);
}

void lbraze_read_client_options(lua_State *L, int index, struct braze_client *client) {
  struct braze_settings *settings = braze_client_settings(client);
  struct reader reader = {.L = L, .scope = CLIENT, .context = {settings, NULL}, .max_connections = settings->max_connections};
  reader.values.limits = settings->limits;
  check_names(&reader, index, settings);
  read_account(L, index, settings); /* first, so that nothing below can show the key */
  reader.values.limits.timeout = 0;
  lua_pushnil(L);
  reader.values.on_event = lua_gettop(L);
  read_options(&reader, index);
  if (reader.values.limits.timeout <= 0) {
    reader.values.limits.timeout = settings->limits.timeout;
    read_timeout_variable(L, settings, &reader.values.limits);
  }
  settings->limits = reader.values.limits;
  settings->max_connections = reader.max_connections;
  read_ca_file(L, index, settings);
  read_proxy(L, index, settings);
  lbraze_read_ledger_options(L, index, client);
}

void lbraze_check_call_options(lua_State *L, int index, enum lbraze_scope scope, const struct lbraze_context *context) {
  const struct reader reader = {.L = L, .scope = scope, .context = *context};
  check_names(&reader, index, NULL);
}

void lbraze_read_call_options(lua_State *L, int index, enum lbraze_scope scope, const struct lbraze_context *context, struct lbraze_call_options *call) {
  const struct braze_settings *settings = context->settings;
  struct reader reader = {.L = L, .scope = scope, .context = *context};
  reader.values.limits = settings->limits;
  reader.values.max_pages = DEFAULT_PAGES;
  check_names(&reader, index, NULL);
  lua_settop(L, lua_gettop(L) + LBRAZE_OPTION_SLOTS);
  reader.values.on_done = lua_gettop(L) - 3;
  reader.values.query = lua_gettop(L) - 2;
  reader.values.items = lua_gettop(L) - 1;
  reader.values.job = lua_gettop(L);
  read_options(&reader, index);
  *call = reader.values;
}

const char *lbraze_option_among_parameters(lua_State *L, int index) {
  size_t length = 0;
  const char *name = lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, &length) : "";
  int option = find_option(name, length);
  if (option == OPTION_COUNT) return NULL;
  if (options[option].scopes & CALL) return "it is an option: it stands in a second table, as in create_send_id({campaign_id = \"...\"}, {timeout = 5})";
  if (options[option].scopes & EACH) return "it is an option of each: it stands in the table behind the parameters";
  return options[option].scopes & START ? "it is an option of start: it stands in the table behind the parameters" : "it is an option of a client: give it to braze.new";
}
