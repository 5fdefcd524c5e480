/* settings: see settings.h. */
#include "http/settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/wipe.h"
#include "http/shared.h"
#include "http/url.h"

#define MAX_PROXY_USER 16384 /* bytes of user and password, as they are written */

struct braze_settings *braze_settings_new(void) {
  struct braze_settings *settings = calloc(1, sizeof *settings);
  if (!settings) return NULL;
  atomic_init(&settings->references, 1);
  settings->secrets = braze_secrets_new();
  settings->shared = malloc(sizeof *settings->shared);
  if (!settings->secrets || !settings->shared) {
    braze_settings_release(settings);
    return NULL;
  }
  atomic_init(&settings->shared->trust_file, false);
  atomic_init(&settings->shared->looks, 0);
  braze_bucket_init(&settings->shared->bucket);
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
  free(settings->shared);
  free(settings->url);
  free(settings->authority);
  free(settings->ca_file);
  free(settings->proxy);
  free(settings->no_proxy);
  free(settings);
}

void braze_settings_drop_secrets(struct braze_settings *settings) {
  braze_secrets_release(settings->secrets);
  settings->secrets = NULL;
}

void braze_settings_after_fork(struct braze_settings *settings) {
  atomic_store(&settings->references, 1);
  atomic_store(&settings->shared->looks, 0);
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

bool braze_settings_keep_base_url(struct braze_settings *settings, const char *url, const char *authority) {
  return keep(&settings->url, url, strlen(url)) && keep(&settings->authority, authority, strlen(authority));
}

/* Keeps a part of the proxy's URL as a secret, with its %XX decoded. Returns 0; ENOMEM; or EINVAL: it holds a NUL. */
static int keep_decoded(struct braze_secrets *secrets, int which, const char *text, size_t length) {
  struct braze_buffer decoded;
  size_t i;
  int failure = 0;
  braze_buffer_init(&decoded, length);
  for (i = 0; i < length && failure == 0; i++) {
    int high = text[i] == '%' && i + 2 < length ? braze_text_hex_value(text[i + 1]) : -1;
    int low = high >= 0 ? braze_text_hex_value(text[i + 2]) : -1;
    char character = low >= 0 ? (char)(high * 16 + low) : text[i];
    if (low >= 0) i += 2;
    if (character == '\0')
      failure = EINVAL;
    else if (!braze_buffer_append(&decoded, &character, 1))
      failure = ENOMEM;
  }
  if (failure == 0 && !braze_secrets_set(secrets, which, braze_buffer_text(&decoded), decoded.length)) failure = ENOMEM;
  if (decoded.bytes) braze_wipe(decoded.bytes, decoded.length);
  braze_buffer_free(&decoded);
  return failure;
}

static int refuse_proxy(struct braze_buffer *message, struct braze_buffer *hint, const char *what) {
  braze_buffer_print(message, "proxy %s", what);
  braze_buffer_print(hint,
                     "write \"http://host:port\", with \"user:password@\" in front of the host if it asks for them, or \"\" for none");
  return EINVAL;
}

/* Keeps user and password of a proxy's URL: what stands between text and end. libcurl 7.88 sends no more of a CONNECT than twice its buffer
   for a request, and then waits until the deadline. */
static int keep_user(struct braze_secrets *secrets, const char *text, const char *end, struct braze_buffer *message,
                     struct braze_buffer *hint) {
  const char *colon = memchr(text, ':', (size_t)(end - text));
  int failure;
  if (end - text > MAX_PROXY_USER) return refuse_proxy(message, hint, "has a user and a password of more than 16 KiB");
  failure = keep_decoded(secrets, BRAZE_SECRET_PROXY_USER, text, (size_t)((colon ? colon : end) - text));
  if (failure == EINVAL) return refuse_proxy(message, hint, "has a user that can't be read");
  if (failure == 0 && colon) failure = keep_decoded(secrets, BRAZE_SECRET_PROXY_PASSWORD, colon + 1, (size_t)(end - colon - 1));
  if (failure == EINVAL) return refuse_proxy(message, hint, "has a password that can't be read");
  return failure;
}

/* libcurl's own default for a proxy is 1080; for one that is reached by TLS it is 443. */
static bool has_port(const char *address, size_t length) {
  const char *end = address + length;
  while (end > address && end[-1] >= '0' && end[-1] <= '9') end--;
  return end > address && end < address + length && end[-1] == ':';
}

/* Keeps the proxy's URL without user and password. Port 80 where it names none. */
static bool keep_proxy(struct braze_settings *settings, const char *scheme, const char *address, size_t length) {
  struct braze_buffer url;
  bool good;
  braze_buffer_init(&url, length + sizeof "https://" + sizeof ":80");
  good = braze_buffer_print(&url, "%s", scheme) && braze_buffer_append(&url, address, length) &&
         (has_port(address, length) || strcmp(scheme, "http://") != 0 || braze_buffer_print(&url, ":80")) &&
         keep(&settings->proxy, braze_buffer_text(&url), url.length);
  braze_buffer_free(&url);
  return good;
}

int braze_settings_set_proxy(struct braze_settings *settings, const char *text, size_t length, const char *no_proxy,
                             struct braze_buffer *message, struct braze_buffer *hint) {
  const char *at, *end = text + length, *user_end = NULL, *scheme = "http://", *address, *wrong;
  struct braze_url parts;
  size_t i;
  int failure;
  if (length == 0 || settings->loopback) return 0;
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
  wrong = braze_url_read_authority(address, (size_t)(end - address), &parts);
  if (wrong) return refuse_proxy(message, hint, wrong);
  failure = user_end ? keep_user(settings->secrets, text, user_end, message, hint) : 0;
  if (failure != 0) return failure;
  if (!keep_proxy(settings, scheme, address, (size_t)(end - address))) return ENOMEM;
  return !no_proxy || keep(&settings->no_proxy, no_proxy, strlen(no_proxy)) ? 0 : ENOMEM;
}

int braze_settings_set_ca_file(struct braze_settings *settings, const char *text, size_t length, struct braze_buffer *message,
                               struct braze_buffer *hint) {
  if (length == 0 || memchr(text, '\0', length)) {
    braze_buffer_print(message, length == 0 ? "ca_file is empty" : "ca_file holds a NUL");
    braze_buffer_print(hint,
                       "give the path of a PEM bundle, or of a directory made by `openssl rehash`; leave it out for the system's store");
    return EINVAL;
  }
  return keep(&settings->ca_file, text, length) ? 0 : ENOMEM;
}
