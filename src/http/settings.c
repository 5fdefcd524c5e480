/* settings: see settings.h. */
#include "http/settings.h"

#include <stdlib.h>
#include <string.h>

#include "service/advice.h"
#include "service/operation.h"
#include "service/instance.h"
#include "base/text.h"
#include "base/wipe.h"

#define SWAPPED_HINT "are api_key and endpoint swapped?"

struct braze_settings *braze_settings_new(void) {
  struct braze_settings *settings = calloc(1, sizeof *settings);
  if (!settings) return NULL;
  settings->secrets = braze_secrets_new();
  if (!settings->secrets) {
    free(settings);
    return NULL;
  }
  atomic_init(&settings->references, 1);
  atomic_init(&settings->trust_file, false);
  atomic_init(&settings->looks, 0);
  braze_bucket_init(&settings->bucket);
  settings->limits = (struct braze_limits){BRAZE_DEFAULT_TIMEOUT, BRAZE_DEFAULT_CONNECT_TIMEOUT, BRAZE_DEFAULT_RETRIES};
  settings->max_connections = BRAZE_DEFAULT_MAX_CONNECTIONS;
  return settings;
}

struct braze_settings *braze_settings_retain(struct braze_settings *settings) {
  atomic_fetch_add(&settings->references, 1);
  return settings;
}

void braze_settings_release(struct braze_settings *settings) {
  if (!settings || atomic_fetch_sub(&settings->references, 1) > 1) return;
  braze_secrets_release(settings->secrets);
  free(settings->url);
  free(settings->authority);
  free(settings->ca_file);
  free(settings->proxy);
  free(settings->no_proxy);
  free(settings);
}

void braze_settings_hold(struct braze_settings *settings) {
  braze_settings_retain(settings);
  settings->holds++;
}

void braze_settings_let_go(struct braze_settings *settings) {
  if (!settings) return;
  settings->holds--;
  if (settings->dropping) braze_settings_drop_secrets(settings);
  braze_settings_release(settings);
}

void braze_settings_drop_secrets(struct braze_settings *settings) {
  settings->dropping = true;
  if (settings->holds > 0) return;
  braze_secrets_release(settings->secrets);
  settings->secrets = NULL;
}

void braze_settings_after_fork(struct braze_settings *settings) {
  atomic_store(&settings->references, 1 + settings->holds);
  atomic_store(&settings->looks, 0);
  if (settings->secrets) atomic_store(&settings->secrets->references, 1);
}

/* Keeps a copy of text in *kept. */
static bool keep(char **kept, const char *text, size_t length) {
  char *copy = malloc(length + 1);
  if (!copy) return false;
  memcpy(copy, text, length);
  copy[length] = '\0';
  free(*kept);
  *kept = copy;
  return true;
}

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

static bool refuse_key(struct braze_buffer *message, struct braze_buffer *hint, const char *what, const char *cure) {
  braze_buffer_print(message, "the API key %s", what);
  braze_buffer_print(hint, "%s", cure);
  return false;
}

bool braze_settings_set_api_key(struct braze_settings *settings, const char *key, size_t length, struct braze_buffer *message,
                                struct braze_buffer *hint) {
  size_t i;
  if (length == 0) {
    braze_buffer_print(message, "the API key is empty");
    braze_buffer_print(hint, "set BRAZE_API_KEY, or pass api_key to braze.new");
    return false;
  }
  if (length > BRAZE_MAX_KEY_LENGTH) {
    braze_buffer_print(message, "the API key has %zu bytes", length);
    braze_buffer_print(hint, "at most %d are taken; is it the right file?", BRAZE_MAX_KEY_LENGTH);
    return false;
  }
  if (length >= 2 && (key[0] == '"' || key[0] == '\'') && key[length - 1] == key[0])
    return refuse_key(message, hint, "stands in quotes that are part of its value", "leave them out: an environment file, as docker reads one, takes what is behind the \"=\" as it is");
  if (begins(key, length, "Bearer ") || begins(key, length, "Authorization:"))
    return refuse_key(message, hint, "is a whole header's value", "pass the key alone, as it stands in the dashboard; what belongs in front of it is added");
  for (i = 0; i < length; i++)
    if ((unsigned char)key[i] <= ' ' || (unsigned char)key[i] >= 0x7F) {
      braze_buffer_print(message, "the API key holds ");
      braze_text_name_character(message, (unsigned char)key[i]);
      braze_buffer_print(message, " at byte %zu of %zu", i + 1, length);
      braze_buffer_print(hint, "pass the key alone, as it stands in the dashboard%s",
                         i + 1 == length && (key[i] == '\n' || key[i] == '\r') ? "; a file is read without its line end by file:read(\"l\")" : "");
      return false;
    }
  for (i = 0; i + 2 < length; i++)
    if (memcmp(key + i, "://", 3) == 0) return refuse_key(message, hint, "is a URL", SWAPPED_HINT);
  if (is_endpoint(key, length)) return refuse_key(message, hint, "is the name of an instance or a host", SWAPPED_HINT);
  return braze_secrets_set_api_key(settings->secrets, key, length);
}

/* The path of a call, copied from its documentation, would be sent twice over. */
static bool check_path(const char *url, struct braze_buffer *message, struct braze_buffer *hint) {
  const struct braze_endpoint *endpoint;
  size_t i, length = strlen(url);
  for (i = 0; (endpoint = braze_endpoint_at(i)) != NULL; i++) {
    size_t path_length = strlen(endpoint->path);
    if (length < path_length || strcmp(url + length - path_length, endpoint->path) != 0) continue;
    braze_buffer_print(message, "endpoint ends with the path of a call, %s", endpoint->path);
    braze_buffer_print(hint, "leave the path out: %s adds it", endpoint->name);
    return false;
  }
  return true;
}

bool braze_settings_set_endpoint(struct braze_settings *settings, const char *text, size_t length, struct braze_buffer *message,
                                 struct braze_buffer *hint) {
  struct braze_origin origin;
  bool good = braze_instance_resolve(text, length, &origin, message, hint) &&
              keep(&settings->url, braze_buffer_text(&origin.url), origin.url.length) &&
              keep(&settings->authority, origin.authority, strlen(origin.authority)) && check_path(settings->url, message, hint);
  settings->secure = origin.secure;
  settings->loopback = origin.loopback;
  settings->unknown_host = good && braze_advice_is_unknown(origin.host);
  braze_origin_free(&origin);
  return good;
}

/* Keeps a part of the proxy's URL as a secret, with its %XX decoded. */
static bool keep_decoded(struct braze_secrets *secrets, int which, const char *text, size_t length, bool *unreadable) {
  struct braze_buffer decoded;
  size_t i;
  bool good = true;
  braze_buffer_init(&decoded, length);
  for (i = 0; i < length && good; i++) {
    int high = text[i] == '%' && i + 2 < length ? braze_text_hex_value(text[i + 1]) : -1;
    int low = high >= 0 ? braze_text_hex_value(text[i + 2]) : -1;
    char character = low >= 0 ? (char)(high * 16 + low) : text[i];
    if (low >= 0) i += 2;
    *unreadable = character == '\0';
    good = !*unreadable && braze_buffer_append(&decoded, &character, 1);
  }
  good = good && braze_secrets_set(secrets, which, braze_buffer_text(&decoded), decoded.length);
  if (decoded.bytes) braze_wipe(decoded.bytes, decoded.length);
  braze_buffer_free(&decoded);
  return good;
}

static bool refuse_proxy(struct braze_buffer *message, struct braze_buffer *hint, const char *what) {
  braze_buffer_print(message, "proxy %s", what);
  braze_buffer_print(hint, "write \"http://host:port\", with \"user:password@\" in front of the host if it asks for them, or \"\" for none");
  return false;
}

/* libcurl's own default for a proxy is 1080; for one that is reached by TLS it is 443. */
static bool has_port(const char *address, size_t length) {
  const char *end = address + length;
  while (end > address && end[-1] >= '0' && end[-1] <= '9') end--;
  return end > address && end < address + length && end[-1] == ':';
}

bool braze_settings_set_proxy(struct braze_settings *settings, const char *text, size_t length, const char *no_proxy,
                              struct braze_buffer *message, struct braze_buffer *hint) {
  const char *at, *end = text + length, *user_end = NULL, *scheme = "http://", *address, *wrong;
  size_t i;
  bool unreadable = false;
  if (length == 0 || settings->loopback) return true;
  for (i = 0; i < length; i++)
    if ((unsigned char)text[i] <= ' ' || (unsigned char)text[i] >= 0x7F)
      return refuse_proxy(message, hint, "holds a character that no URL has");
  if (length >= 7 && braze_text_same(text, 7, "http://")) {
    text += 7;
  } else if (length >= 8 && braze_text_same(text, 8, "https://")) {
    text += 8;
    scheme = "https://";
  }
  for (at = text; at + 2 < end; at++)
    if (memcmp(at, "://", 3) == 0) return refuse_proxy(message, hint, "has a scheme other than http:// or https://");
  while (end > text && end[-1] == '/') end--;
  for (at = text; at < end; at++)
    if (*at == '@') user_end = at;
  address = user_end ? user_end + 1 : text;
  wrong = braze_instance_check_authority(address, (size_t)(end - address));
  if (wrong) return refuse_proxy(message, hint, wrong);
  if (user_end) {
    const char *colon = memchr(text, ':', (size_t)(user_end - text));
    if (!keep_decoded(settings->secrets, BRAZE_SECRET_PROXY_USER, text, (size_t)((colon ? colon : user_end) - text), &unreadable))
      return unreadable && refuse_proxy(message, hint, "has a user that can't be read");
    if (colon && !keep_decoded(settings->secrets, BRAZE_SECRET_PROXY_PASSWORD, colon + 1, (size_t)(user_end - colon - 1), &unreadable))
      return unreadable && refuse_proxy(message, hint, "has a password that can't be read");
  }
  {
    struct braze_buffer url;
    bool good;
    braze_buffer_init(&url, length + sizeof "https://" + sizeof ":80");
    good = braze_buffer_print(&url, "%s", scheme) && braze_buffer_append(&url, address, (size_t)(end - address)) &&
           (has_port(address, (size_t)(end - address)) || strcmp(scheme, "http://") != 0 || braze_buffer_print(&url, ":80")) && keep(&settings->proxy, braze_buffer_text(&url), url.length);
    braze_buffer_free(&url);
    return good && (!no_proxy || keep(&settings->no_proxy, no_proxy, strlen(no_proxy)));
  }
}

bool braze_settings_set_ca_file(struct braze_settings *settings, const char *text, size_t length, struct braze_buffer *message,
                                struct braze_buffer *hint) {
  if (length == 0 || memchr(text, '\0', length)) {
    braze_buffer_print(message, length == 0 ? "ca_file is empty" : "ca_file holds a NUL");
    braze_buffer_print(hint, "give the path of a PEM bundle, or of a directory made by `openssl rehash`; leave it out for the system's store");
    return false;
  }
  return keep(&settings->ca_file, text, length);
}
