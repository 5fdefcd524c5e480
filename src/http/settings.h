/* settings: what a client was made with. They never change afterwards. Everything that works for the client shares them; the last of it
   frees them. The secrets are wiped earlier. */
#ifndef BRAZE_SETTINGS_H
#define BRAZE_SETTINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/secret.h"
#include "http/limits.h"

struct braze_shared;

struct braze_settings {
  atomic_int references;
  struct braze_secrets *secrets; /* NULL once the client is closed; each engine has a reference of its own */
  char *url;  /* of the REST endpoint, without a trailing slash */
  char *authority; /* host and port in it, for messages */
  bool secure;
  bool loopback;
  bool unknown_host; /* one of Braze's that may be a REST endpoint, but is none that this version knows */
  char *ca_file;  /* NULL: libcurl's own trust store */
  char *proxy;    /* scheme, host and port; NULL: none */
  char *no_proxy; /* hosts that are reached without the proxy */
  struct braze_limits limits; /* of each call that names none of its own */
  int max_connections;
  struct braze_shared *shared; /* what changes; see shared.h */
};

#define BRAZE_DEFAULT_TIMEOUT 30.0
#define BRAZE_DEFAULT_CONNECT_TIMEOUT 10.0
#define BRAZE_DEFAULT_RETRIES 2
#define BRAZE_DEFAULT_MAX_CONNECTIONS 16
#define BRAZE_MAX_TIMEOUT 600.0
#define BRAZE_MAX_RETRIES 10
#define BRAZE_MAX_CONNECTIONS 1000
#define BRAZE_MAX_KEY_LENGTH 8192

/* Makes settings with the defaults and one reference. NULL: no memory. */
struct braze_settings *braze_settings_new(void);

struct braze_settings *braze_settings_retain(struct braze_settings *settings);

/* Drops a reference. NULL is allowed. */
void braze_settings_release(struct braze_settings *settings);

/* The owner no longer needs the secrets: they are wiped as soon as no engine uses them. */
void braze_settings_drop_secrets(struct braze_settings *settings);

/* In the child of a fork: drops the references of the parent's engines, which do not exist there. The owner's remains. */
void braze_settings_after_fork(struct braze_settings *settings);

/* Keeps the address of the server (scheme, host, port and at most a path), and what messages show of it. False: no memory. */
bool braze_settings_keep_base_url(struct braze_settings *settings, const char *url, const char *authority);

/* The setters return 0; ENOMEM; or EINVAL for a value that is refused: message says what is wrong, hint what to do, both without a value
   that is secret. */

/* "": no proxy. no_proxy may be NULL. Set the endpoint first: one on loopback never has a proxy. */
int braze_settings_set_proxy(struct braze_settings *settings, const char *text, size_t length, const char *no_proxy,
                             struct braze_buffer *message, struct braze_buffer *hint);
int braze_settings_set_ca_file(struct braze_settings *settings, const char *text, size_t length, struct braze_buffer *message,
                               struct braze_buffer *hint);

#endif
