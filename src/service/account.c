/* account: see account.h. */
#include "service/account.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "service/advice.h"
#include "service/endpoint.h"
#include "service/instance.h"
#include "service/operation.h"

#define SWAPPED_HINT "are api_key and endpoint swapped?"
#define SHORTEST_IN_ENDPOINT 16u /* a shorter key may be a word that a host's name has by chance */

static bool begins(const char *text, size_t length, const char *beginning) {
  return length >= strlen(beginning) && braze_text_same(text, strlen(beginning), beginning);
}

/* Whether a key is what an endpoint looks like: an instance's name, or a host of Braze's. */
static bool is_endpoint(const char *key, size_t length) {
  const struct braze_instance *instance;
  char host[256];
  size_t i;
  for (i = 0; (instance = braze_instance_at(i)) != NULL; i++)
    if (braze_text_same(key, length, instance->name)) return true;
  if (length >= sizeof host) return false;
  memcpy(host, key, length);
  host[length] = '\0';
  return braze_advice_is_braze(host);
}

static int refuse_key(struct braze_buffer *message, struct braze_buffer *hint, const char *what, const char *cure) {
  braze_buffer_print(message, "the API key %s", what);
  braze_buffer_print(hint, "%s", cure);
  return EINVAL;
}

int braze_account_set_api_key(struct braze_settings *settings, const char *key, size_t length, struct braze_buffer *message,
                              struct braze_buffer *hint) {
  size_t i;
  if (length == 0) {
    braze_buffer_print(message, "the API key is empty");
    braze_buffer_print(hint, "set BRAZE_API_KEY, or pass api_key to braze.new");
    return EINVAL;
  }
  if (length > BRAZE_MAX_KEY_LENGTH) {
    braze_buffer_print(message, "the API key has %zu bytes", length);
    braze_buffer_print(hint, "at most %d are taken; is it the right file?", BRAZE_MAX_KEY_LENGTH);
    return EINVAL;
  }
  if (length >= 2 && (key[0] == '"' || key[0] == '\'') && key[length - 1] == key[0])
    return refuse_key(message, hint, "stands in quotes that are part of its value",
                      "leave them out: an environment file, as docker reads one, takes what is behind the \"=\" as it is");
  if (begins(key, length, "Bearer ") || begins(key, length, "Authorization:"))
    return refuse_key(message, hint, "is a whole header's value",
                      "pass the key alone, as it stands in the dashboard; what belongs in front of it is added");
  for (i = 0; i < length; i++)
    if ((unsigned char)key[i] <= ' ' || (unsigned char)key[i] >= 0x7F) {
      braze_buffer_print(message, "the API key holds ");
      braze_text_name_character(message, (unsigned char)key[i]);
      braze_buffer_print(message, " at byte %zu of %zu", i + 1, length);
      braze_buffer_print(hint, "pass the key alone, as it stands in the dashboard%s",
                         i + 1 == length && (key[i] == '\n' || key[i] == '\r') ? "; a file is read without its line end by file:read(\"l\")"
                                                                               : "");
      return EINVAL;
    }
  for (i = 0; i + 2 < length; i++)
    if (memcmp(key + i, "://", 3) == 0) return refuse_key(message, hint, "is a URL", SWAPPED_HINT);
  if (is_endpoint(key, length)) return refuse_key(message, hint, "is the name of an instance or a host", SWAPPED_HINT);
  return braze_secrets_set_api_key(settings->secrets, key, length) ? 0 : ENOMEM;
}

/* Refuses an endpoint that ends with the path of a call, copied from the documentation: the path would be sent twice. */
static int check_path(const char *url, struct braze_buffer *message, struct braze_buffer *hint) {
  const struct braze_operation *operation;
  size_t i, length = strlen(url);
  for (i = 0; (operation = braze_operation_at(i)) != NULL; i++) {
    size_t path_length = strlen(operation->path);
    if (length < path_length || strcmp(url + length - path_length, operation->path) != 0) continue;
    braze_buffer_print(message, "endpoint ends with the path of a call, %s", operation->path);
    braze_buffer_print(hint, "leave the path out: %s adds it", operation->name);
    return EINVAL;
  }
  return 0;
}

/* Whether the key is in the host's name: a name server would see it, and tostring(client) would show it. */
static bool holds_key(const struct braze_settings *settings, const char *host) {
  const char *key = settings->secrets->texts[BRAZE_SECRET_API_KEY];
  size_t key_length = settings->secrets->lengths[BRAZE_SECRET_API_KEY], length = strlen(host), at;
  if (!key || key_length < SHORTEST_IN_ENDPOINT) return false;
  for (at = 0; at + key_length <= length; at++)
    if (braze_text_same(host + at, key_length, key)) return true;
  return false;
}

static int check_host(const struct braze_settings *settings, const char *host, struct braze_buffer *message,
                      struct braze_buffer *hint) {
  if (!holds_key(settings, host)) return 0;
  braze_buffer_print(message, "endpoint has the API key in its host's name");
  braze_buffer_print(hint, "write the REST endpoint alone, such as \"https://rest.iad-01.braze.com\"; the key belongs in api_key");
  return EINVAL;
}

int braze_account_set_endpoint(struct braze_settings *settings, const char *text, size_t length, struct braze_buffer *message,
                               struct braze_buffer *hint) {
  struct braze_endpoint endpoint;
  int failure = braze_endpoint_read(text, length, &endpoint, message, hint);
  if (failure == 0) failure = check_path(braze_buffer_text(&endpoint.url), message, hint);
  if (failure == 0) failure = check_host(settings, endpoint.host, message, hint);
  if (failure == 0 && !braze_settings_keep_base_url(settings, braze_buffer_text(&endpoint.url), endpoint.authority)) failure = ENOMEM;
  settings->secure = endpoint.secure;
  settings->loopback = endpoint.loopback;
  settings->unknown_host = failure == 0 && braze_advice_is_unknown(endpoint.host);
  braze_endpoint_free(&endpoint);
  return failure;
}
