/* settings: what a client was made with. Never changed afterwards but for the bucket and what was learnt about trust;
   shared by everything that works for the client, gone with the last of it. The secrets go earlier. */
#ifndef BRAZE_SETTINGS_H
#define BRAZE_SETTINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "http/retry.h"
#include "base/secret.h"

struct braze_settings {
  atomic_int references;
  int holds;          /* of the owner's thread alone */
  bool dropping;      /* the secrets go with the last hold */
  struct braze_secrets *secrets; /* NULL once the client is closed; each engine has a reference of its own */
  char *url;  /* of the REST endpoint, without a trailing slash */
  char *host; /* host and port in it, for messages */
  bool secure;
  bool loopback;
  bool unknown_host; /* one of Braze's that may be a REST endpoint, but is none that this version knows */
  char *ca_file;  /* NULL = libcurl's own trust store */
  char *proxy;    /* scheme, host and port; NULL = none */
  char *no_proxy; /* hosts that are reached without the proxy */
  double timeout; /* seconds */
  double connect_timeout;
  int retries;
  int max_connections;
  struct braze_bucket bucket;
  atomic_int looks; /* that are under way for the client; see look.h */
  atomic_bool trust_file; /* the default directory alone did not do, the default file did */
};

#define BRAZE_DEFAULT_TIMEOUT 30.0
#define BRAZE_DEFAULT_CONNECT_TIMEOUT 10.0
#define BRAZE_DEFAULT_RETRIES 2
#define BRAZE_DEFAULT_MAX_CONNECTIONS 16
#define BRAZE_MOST_TIMEOUT 600.0
#define BRAZE_MOST_RETRIES 10
#define BRAZE_MOST_CONNECTIONS 1000
#define BRAZE_MOST_KEY_LENGTH 8192

/* Settings with the defaults, one reference; NULL: no memory. */
struct braze_settings *braze_settings_new(void);

struct braze_settings *braze_settings_retain(struct braze_settings *settings);

/* Gives a reference back (NULL is nothing). */
void braze_settings_release(struct braze_settings *settings);

/* A reference for the owner's own thread, on which the settings may be dropped and released meanwhile: it keeps the secrets,
   too, and outlives braze_settings_after_fork. */
void braze_settings_hold(struct braze_settings *settings);

/* Gives such a reference back (NULL is nothing). */
void braze_settings_let_go(struct braze_settings *settings);

/* The owner needs the secrets no more: they are wiped as soon as no engine uses them and nothing holds the settings. */
void braze_settings_drop_secrets(struct braze_settings *settings);

/* In the child of a fork: what the parent's engines hold references to is the owner's alone. */
void braze_settings_after_fork(struct braze_settings *settings);

/* The setters return false for a value that is not taken: message says what is wrong, hint what to do, both without the
   value where it is secret. An empty message means: no memory. */

/* The address of the server: scheme, host, port and at most a path, and what of it messages show. False: no memory. */
bool braze_settings_keep_base_url(struct braze_settings *settings, const char *url, const char *authority);

/* "" = no proxy. no_proxy may be NULL. The endpoint is set before: a loopback one never has a proxy. */
bool braze_settings_set_proxy(struct braze_settings *settings, const char *text, size_t length, const char *no_proxy,
                              struct braze_buffer *message, struct braze_buffer *hint);
bool braze_settings_set_ca_file(struct braze_settings *settings, const char *text, size_t length, struct braze_buffer *message,
                                struct braze_buffer *hint);

#endif
