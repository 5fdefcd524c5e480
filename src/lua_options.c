/* lua_options: tables and environment variables to settings, limits and values; every mistake is named before anything is sent. */
#define _GNU_SOURCE /* secure_getenv */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lua_braze.h"
#include "text.h"

#define SHORTEST_KEY 9 /* what is shorter may be shown */
#define MOST_SHOWN 64
#define SECONDS_HINT "durations are seconds: 0.5 is half a second"

/* Who takes options. */
enum taker { CLIENT = 1, CALL = 2, START = 4 };

/* What one option needs to be read. */
struct reader {
  lua_State *L;
  enum taker taker;
  const struct braze_settings *settings; /* for what must not be shown */
  struct lbraze_limits *limits;
  int *max_connections; /* of a client */
};

struct option {
  const char *name;
  int takers;
};

enum { API_KEY, ENDPOINT, TIMEOUT, CONNECT_TIMEOUT, RETRIES, MAX_CONNECTIONS, CA_FILE, PROXY, ON_DONE, OPTION_COUNT };

static const struct option options[OPTION_COUNT] = {
    {"api_key", CLIENT},
    {"endpoint", CLIENT},
    {"timeout", CLIENT | CALL | START},
    {"connect_timeout", CLIENT | CALL | START},
    {"retries", CLIENT | CALL | START},
    {"max_connections", CLIENT},
    {"ca_file", CLIENT},
    {"proxy", CLIENT},
    {"on_done", START},
};

static const char *option_name(const void *names, int index) {
  return ((const struct option *)names)[index].name;
}

static const char *field_name(const void *names, int index) {
  return ((const struct braze_field *)names)[index].name;
}

/* Raises for a name in a table that is none of the known ones. */
LBRAZE_RAISES static void refuse_name(lua_State *L, const struct braze_settings *settings, const char *what, int nearest_or_none,
                        const char *(*name_at)(const void *, int), const void *names, int count) {
  struct lbraze_words words;
  size_t length = 0;
  const char *name;
  int i;
  lbraze_words_init(&words);
  if (lua_type(L, -2) != LUA_TSTRING) {
    braze_buffer_print(&words.message, "a value without a name where %ss are expected (its key is %s)", what, lbraze_what(L, -2));
  } else {
    name = lua_tolstring(L, -2, &length);
    braze_buffer_print(&words.message, "unknown %s \"", what);
    braze_text_escape(&words.message, name, length, MOST_SHOWN);
    braze_buffer_print(&words.message, "\"");
  }
  if (nearest_or_none >= 0) {
    braze_buffer_print(&words.hint, "did you mean \"%s\"?", name_at(names, nearest_or_none));
  } else {
    braze_buffer_print(&words.hint, "there are");
    for (i = 0; i < count; i++) braze_buffer_print(&words.hint, "%s %s", i == 0 ? "" : ",", name_at(names, i));
  }
  lbraze_raise_usage(L, settings, &words);
}

/* The index of the name on the stack below the value on top, or -1 with *nearest set. */
static int find_name(lua_State *L, const char *(*name_at)(const void *, int), const void *names, int count, int *nearest) {
  size_t length = 0;
  const char *name;
  int i;
  *nearest = -1;
  if (lua_type(L, -2) != LUA_TSTRING) return -1;
  name = lua_tolstring(L, -2, &length);
  for (i = 0; i < count; i++)
    if (strlen(name_at(names, i)) == length && memcmp(name_at(names, i), name, length) == 0) return i;
  *nearest = braze_text_nearest(name, length, name_at, names, count);
  return -1;
}

static void check_duration(lua_State *L, const char *name, double seconds) {
  if (seconds != seconds) lbraze_usage(L, SECONDS_HINT, "%s is not a number", name);
  if (seconds > BRAZE_MOST_TIMEOUT)
    lbraze_usage(L, "the unit is seconds, not milliseconds", "%s is %g: at most %g is taken", name, seconds, BRAZE_MOST_TIMEOUT);
  if (!(seconds > 0)) lbraze_usage(L, SECONDS_HINT, "%s is %g: it must be above 0", name, seconds);
}

static double check_number(lua_State *L, const char *name) {
  if (lua_type(L, -1) != LUA_TNUMBER) lbraze_usage(L, NULL, "%s must be a number, not %s", name, lbraze_what(L, -1));
  return lua_tonumber(L, -1);
}

static double check_seconds(lua_State *L, const char *name) {
  double seconds = check_number(L, name);
  check_duration(L, name, seconds);
  return seconds;
}

static int check_count(lua_State *L, const char *name, int least, int most) {
  double count = check_number(L, name);
  if (!(count >= least && count <= most) || (double)(int)count != count)
    lbraze_usage(L, NULL, "%s is %g: it must be a whole number from %d to %d", name, count, least, most);
  return (int)count;
}

static const char *check_text(lua_State *L, const char *name, size_t *length) {
  if (lua_type(L, -1) != LUA_TSTRING) lbraze_usage(L, NULL, "%s must be a string, not %s", name, lbraze_what(L, -1));
  return lua_tolstring(L, -1, length);
}

/* A variable that is empty counts as not set. In a process that has more rights than its user (setuid, setgid, file capabilities)
   none is: whoever starts it must not choose where the key goes, nor whom to trust. */
static const char *environment(const char *name) {
#ifdef __GLIBC__
  const char *value = secure_getenv(name);
#else
  const char *value = geteuid() == getuid() && getegid() == getgid() ? getenv(name) : NULL;
#endif
  return value && value[0] ? value : NULL;
}

/* Takes what a setter of the settings made of a text; `variable` is where it came from, or NULL. */
static void check_set(lua_State *L, const struct braze_settings *settings, bool good, struct lbraze_words *words, const char *variable) {
  if (good) return;
  if (variable && words->message.length > 0) braze_buffer_print(&words->message, " (from the environment variable %s)", variable);
  lbraze_raise_usage(L, settings, words);
}

static void set_api_key(lua_State *L, struct braze_settings *settings, const char *text, size_t length, const char *variable) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  check_set(L, settings, braze_settings_set_api_key(settings, text, length, &words.message, &words.hint), &words, variable);
}

static void set_endpoint(lua_State *L, struct braze_settings *settings, const char *text, size_t length, const char *variable) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  check_set(L, settings, braze_settings_set_endpoint(settings, text, length, &words.message, &words.hint), &words, variable);
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

/* Reads the option whose value is on top of the stack. Texts are only remembered: they have an order of their own. */
static void read_option(const struct reader *reader, int option) {
  lua_State *L = reader->L;
  const char *name = options[option].name;
  size_t length;
  switch (option) {
  case TIMEOUT: reader->limits->timeout = check_seconds(L, name); break;
  case CONNECT_TIMEOUT: reader->limits->connect_timeout = check_seconds(L, name); break;
  case RETRIES: reader->limits->retries = check_count(L, name, 0, BRAZE_MOST_RETRIES); break;
  case ON_DONE:
    if (!lua_isfunction(L, -1)) lbraze_usage(L, NULL, "%s must be a function, not a %s value", name, luaL_typename(L, -1));
    break;
  case MAX_CONNECTIONS: *reader->max_connections = check_count(L, name, 1, BRAZE_MOST_CONNECTIONS); break;
  default: check_text(L, name, &length); break;
  }
}

LBRAZE_RAISES static void refuse_taker(lua_State *L, const struct option *option) {
  if (option->takers == START) lbraze_usage(L, "a call that is not started returns its result", "%s is an option of start alone", option->name);
  lbraze_usage(L, "give it to braze.new; a call takes timeout, connect_timeout and retries", "%s is an option of a client, not of a call", option->name);
}

static void read_options(const struct reader *reader, int index) {
  lua_State *L = reader->L;
  int option, nearest;
  if (lua_isnoneornil(L, index)) return;
  if (!lua_istable(L, index)) lbraze_usage(L, NULL, "options must be a table, not %s", lbraze_what(L, index));
  lua_pushnil(L);
  while (lua_next(L, index)) {
    option = find_name(L, option_name, options, OPTION_COUNT, &nearest);
    if (option < 0) refuse_name(L, reader->settings, "option", nearest, option_name, options, OPTION_COUNT);
    if (!(options[option].takers & (int)reader->taker)) refuse_taker(L, &options[option]);
    read_option(reader, option);
    lua_pop(L, 1);
  }
}

/* [-0, +1] The text of an option, or NULL where it is not given. */
static const char *push_option(lua_State *L, int index, int option, size_t *length) {
  if (!lua_istable(L, index)) {
    lua_pushnil(L);
    return NULL;
  }
  lua_pushstring(L, options[option].name);
  lua_rawget(L, index);
  return lua_isnil(L, -1) ? NULL : check_text(L, options[option].name, length);
}

/* Key and endpoint: both from the table, or both from the environment. */
static void read_account(lua_State *L, int index, struct braze_settings *settings) {
  size_t key_length = 0, endpoint_length = 0;
  const char *key = push_option(L, index, API_KEY, &key_length);
  const char *endpoint = push_option(L, index, ENDPOINT, &endpoint_length);
  bool given = key || endpoint;
  if (given && !(key && endpoint))
    lbraze_usage(L, "they go together: give both, or neither and set BRAZE_API_KEY and BRAZE_REST_ENDPOINT",
                 key ? "api_key is given without endpoint" : "endpoint is given without api_key");
  if (!given) {
    key = environment("BRAZE_API_KEY");
    endpoint = environment("BRAZE_REST_ENDPOINT");
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
  const char *text = push_option(L, index, CA_FILE, &length);
  const char *variable = text ? NULL : environment("BRAZE_CA_FILE");
  if (text || variable) set_ca_file(L, settings, text ? text : variable, text ? length : strlen(variable), text ? NULL : "BRAZE_CA_FILE");
  lua_pop(L, 1);
}

static void read_proxy(lua_State *L, int index, struct braze_settings *settings) {
  size_t length = 0;
  const char *text = push_option(L, index, PROXY, &length);
  const char *variable = text ? NULL : environment("https_proxy");
  if (text)
    set_proxy(L, settings, text, length, NULL, NULL);
  else if (variable)
    set_proxy(L, settings, variable, strlen(variable), environment("no_proxy"), "https_proxy");
  lua_pop(L, 1);
}

/* Digits with at most one point among them; strtod would ask the locale what a point is. Negative = something else. */
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

static void read_timeout_variable(lua_State *L, const struct braze_settings *settings, struct lbraze_limits *limits) {
  const char *text = environment("BRAZE_TIMEOUT");
  if (!text) return;
  limits->timeout = read_decimal(text);
  if (limits->timeout < 0) {
    struct lbraze_words words;
    lbraze_words_init(&words);
    if (strlen(text) < SHORTEST_KEY) {
      braze_buffer_print(&words.message, "the environment variable BRAZE_TIMEOUT is \"");
      braze_text_escape(&words.message, text, strlen(text), MOST_SHOWN);
      braze_buffer_print(&words.message, "\", no number");
    } else {
      braze_buffer_print(&words.message, "the environment variable BRAZE_TIMEOUT is no number (not shown, it may be a key)");
    }
    braze_buffer_print(&words.hint, "write a number of seconds, such as 30 or 2.5");
    lbraze_raise_usage(L, settings, &words);
  }
  check_duration(L, "the environment variable BRAZE_TIMEOUT", limits->timeout);
}

void lbraze_read_client_options(lua_State *L, int index, struct braze_settings *settings) {
  struct lbraze_limits limits = {settings->timeout, settings->connect_timeout, settings->retries};
  struct reader reader = {L, CLIENT, settings, &limits, &settings->max_connections};
  if (!lua_isnoneornil(L, index) && !lua_istable(L, index)) lbraze_usage(L, NULL, "options must be a table, not %s", lbraze_what(L, index));
  read_account(L, index, settings); /* first, so that nothing below can show the key */
  limits.timeout = 0;
  read_options(&reader, index);
  if (limits.timeout <= 0) {
    limits.timeout = settings->timeout;
    read_timeout_variable(L, settings, &limits);
  }
  settings->timeout = limits.timeout;
  settings->connect_timeout = limits.connect_timeout;
  settings->retries = limits.retries;
  read_ca_file(L, index, settings);
  read_proxy(L, index, settings);
}

static void read_limits(lua_State *L, int index, enum taker taker, const struct braze_settings *settings, struct lbraze_limits *limits) {
  struct reader reader = {L, taker, settings, limits, NULL};
  limits->timeout = settings->timeout;
  limits->connect_timeout = settings->connect_timeout;
  limits->retries = settings->retries;
  read_options(&reader, index);
}

void lbraze_read_call_options(lua_State *L, int index, const struct braze_settings *settings, struct lbraze_limits *limits) {
  read_limits(L, index, CALL, settings, limits);
}

void lbraze_read_start_options(lua_State *L, int index, const struct braze_settings *settings, struct lbraze_limits *limits) {
  read_limits(L, index, START, settings, limits);
}

void lbraze_push_on_done(lua_State *L, int index) {
  if (!lua_istable(L, index)) {
    lua_pushnil(L);
    return;
  }
  lua_pushstring(L, options[ON_DONE].name);
  lua_rawget(L, index);
}

/* Raises for a value that breaks its field's rule. */
LBRAZE_RAISES static void refuse_value(lua_State *L, const struct braze_settings *settings, const struct braze_field *field, enum braze_field_fault fault,
                         const struct braze_value *value, size_t position) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  if (fault == BRAZE_FIELD_EMPTY)
    braze_buffer_print(&words.message, "%s is empty", field->name);
  else if (fault == BRAZE_FIELD_TOO_LONG)
    braze_buffer_print(&words.message, "%s has %zu characters: at most %zu are taken", field->name, value->length, field->most_length);
  else
    braze_buffer_print(&words.message, "%s %s, at byte %zu of %zu", field->name,
                       fault == BRAZE_FIELD_NOT_ASCII ? "holds a character that is not ASCII" : "is not UTF-8", position, value->length);
  if (fault == BRAZE_FIELD_EMPTY && !field->required) braze_buffer_print(&words.hint, "leave it out and the service makes one");
  lbraze_raise_usage(L, settings, &words);
}

static void read_value(lua_State *L, const struct braze_settings *settings, const struct braze_field *field, struct braze_value *value) {
  enum braze_field_fault fault;
  size_t position;
  if (lua_type(L, -1) != LUA_TSTRING) lbraze_usage(L, NULL, "%s must be a string, not %s", field->name, lbraze_what(L, -1));
  value->text = lua_tolstring(L, -1, &value->length);
  fault = braze_field_check(field, value->text, value->length, &position);
  if (fault != BRAZE_FIELD_GOOD) refuse_value(L, settings, field, fault, value, position);
}

void lbraze_read_parameters(lua_State *L, int index, const struct braze_settings *settings, const struct braze_endpoint *endpoint,
                            struct braze_value *values) {
  int count = (int)endpoint->field_count, field, nearest;
  memset(values, 0, BRAZE_MOST_FIELDS * sizeof *values);
  if (!lua_istable(L, index))
    lbraze_usage(L, "write create_send_id{campaign_id = \"...\"}", "%s takes a table of parameters, not %s", endpoint->name,
                 lua_isnil(L, index) ? "nothing" : lbraze_what(L, index));
  lua_pushnil(L);
  while (lua_next(L, index)) {
    field = find_name(L, field_name, endpoint->fields, count, &nearest);
    if (field < 0) refuse_name(L, settings, "parameter", nearest, field_name, endpoint->fields, count);
    read_value(L, settings, &endpoint->fields[field], &values[field]);
    lua_pop(L, 1);
  }
  for (field = 0; field < count; field++)
    if (endpoint->fields[field].required && !values[field].text)
      lbraze_usage(L, "it is the Campaign API Identifier, at the foot of the campaign's page in the dashboard", "%s is missing", endpoint->fields[field].name);
}
