/* look: see look.h. The engine and the thread share one struct, which the last of the two frees. */
#define _GNU_SOURCE /* getaddrinfo, inet_aton, clocks under -std=c11 */
#include "http/look.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "http/shared.h"
#include "process/condition.h"
#include "process/process.h"
#include "process/thread.h"

#define MAX_ADDRESSES 16

struct braze_look {
  atomic_int references; /* the engine's and the thread's */
  atomic_int stage;
  pthread_mutex_t mutex; /* of the wake, and for the condition */
  pthread_cond_t done;
  const struct braze_wake *wake; /* NULL: none, or the engine has dropped the look */
  struct braze_settings *settings;
  bool with_name;
  struct braze_found found;
};

static atomic_int under_way;
static atomic_uint process; /* in which they are under way, by braze_process_forks */

/* Splits a URL "scheme://host:port/path" into host and port, by default the scheme's own port. False: one is too long. */
static bool split_url(const char *url, const char *default_port, char *host, size_t size, char *port, size_t port_size) {
  const char *start = strstr(url, "://"), *colon;
  size_t length;
  start = start ? start + 3 : url;
  length = strcspn(start, "/");
  colon = memchr(start, ':', length);
  if (*start == '[' || length >= size + port_size) return false;
  if (snprintf(host, size, "%.*s", (int)(colon ? (size_t)(colon - start) : length), start) >= (int)size) return false;
  if (!colon) return snprintf(port, port_size, "%s", default_port) < (int)port_size;
  return snprintf(port, port_size, "%.*s", (int)(start + length - colon - 1), colon + 1) < (int)port_size;
}

/* The peer of a connection: the proxy, or the service. */
static bool find_peer(const struct braze_settings *settings, char *host, size_t size, char *port, size_t port_size) {
  const char *url = settings->proxy ? settings->proxy : settings->url;
  const char *default_port = strncmp(url, "https://", 8) == 0 ? "443" : "80";
  return split_url(url, default_port, host, size, port, port_size);
}

/* "127.0.0.1", and "127.1" as well. A literal of IPv6 stands in brackets, and split_url refuses it. */
static bool is_literal(const char *host) {
  struct in_addr address;
  return inet_aton(host, &address) != 0;
}

static bool is_localhost(const char *host) {
  size_t length = strlen(host);
  return strcmp(host, "localhost") == 0 || (length > 10 && strcmp(host + length - 10, ".localhost") == 0);
}

bool braze_look_is_needed(const struct braze_settings *settings) {
  return settings->secure;
}

bool braze_look_wants_name(const struct braze_settings *settings) {
  char host[256], port[8];
  if (settings->proxy && settings->no_proxy && settings->no_proxy[0]) return false;
  return find_peer(settings, host, sizeof host, port, sizeof port) && !is_localhost(host) && !is_literal(host);
}

/* Whether a socket of this family can be made; if not, whether because no descriptor is free. */
static bool has_socket(int family, bool *no_descriptor) {
  int opened = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  *no_descriptor = opened < 0 && (errno == EMFILE || errno == ENFILE);
  if (opened >= 0) close(opened);
  return opened >= 0;
}

static void append(struct braze_found *found, const char *separator, const char *before, const char *address, const char *behind) {
  size_t length = strlen(found->addresses);
  if (length + strlen(address) + 4 > sizeof found->addresses) return;
  braze_text_print(found->addresses + length, sizeof found->addresses - length, "%s%s%s%s", separator, before, address, behind);
}

/* Keeps the addresses in the system's order, which libcurl follows. An address with a scope (%eth0) can't be given to libcurl. */
static void keep_addresses(struct braze_found *found, const struct addrinfo *list, const char *port) {
  char address[64];
  int count = 0;
  braze_text_print(found->addresses, sizeof found->addresses, "%s:%s:", found->name, port);
  for (; list && count < MAX_ADDRESSES; list = list->ai_next) {
    bool six = list->ai_family == AF_INET6;
    if (list->ai_family != AF_INET && !six) continue;
    if (getnameinfo(list->ai_addr, list->ai_addrlen, address, sizeof address, NULL, 0, NI_NUMERICHOST) != 0 || strchr(address, '%'))
      continue;
    append(found, count > 0 ? "," : "", six ? "[" : "", address, six ? "]" : "");
    count++;
  }
  if (count == 0) found->addresses[0] = '\0';
}

static void look_up(struct braze_look *look) {
  struct braze_found *found = &look->found;
  struct addrinfo hints, *list = NULL;
  char port[8];
  bool no_descriptor;
  if (!find_peer(look->settings, found->name, sizeof found->name, port, sizeof port)) return;
  memset(&hints, 0, sizeof hints);
  hints.ai_family = has_socket(AF_INET6, &no_descriptor) || no_descriptor ? AF_UNSPEC : AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  found->name_failure = getaddrinfo(found->name, port, &hints, &list);
  found->has_name = true;
  found->of_proxy = look->settings->proxy != NULL;
  if (found->name_failure == 0) {
    keep_addresses(found, list, port);
    freeaddrinfo(list);
  } else {
    has_socket(AF_INET, &found->no_descriptor);
  }
}

static void give_place(struct braze_settings *settings) {
  atomic_fetch_sub(&under_way, 1);
  atomic_fetch_sub(&settings->shared->looks, 1);
}

/* Counts one more look. False: there are as many as allowed. The threads of a parent do not exist in its child. */
static bool take_place(struct braze_settings *settings) {
  const unsigned now = braze_process_forks();
  int in_process, of_client;
  if (atomic_exchange(&process, now) != now) atomic_store(&under_way, 0);
  in_process = atomic_fetch_add(&under_way, 1);
  of_client = atomic_fetch_add(&settings->shared->looks, 1);
  if (in_process < BRAZE_MAX_LOOKS && of_client < BRAZE_MAX_LOOKS_OF_CLIENT) return true;
  give_place(settings);
  return false;
}

void braze_look_release(struct braze_look *look) {
  if (!look) return;
  pthread_mutex_lock(&look->mutex);
  look->wake = NULL;
  pthread_mutex_unlock(&look->mutex);
  if (atomic_fetch_sub(&look->references, 1) > 1) return;
  braze_trust_free(&look->found.trust);
  pthread_mutex_destroy(&look->mutex);
  pthread_cond_destroy(&look->done);
  braze_settings_release(look->settings);
  free(look);
}

static void *run(void *data) {
  struct braze_look *look = data;
  braze_trust_find(look->settings, &look->found.trust);
  atomic_store(&look->stage, BRAZE_LOOK_AT_NAME);
  if (look->with_name) look_up(look);
  give_place(look->settings);
  pthread_mutex_lock(&look->mutex);
  atomic_store(&look->stage, BRAZE_LOOK_DONE);
  if (look->wake) braze_wake_set(look->wake);
  pthread_cond_broadcast(&look->done);
  pthread_mutex_unlock(&look->mutex);
  braze_look_release(look);
  return NULL;
}

/* Runs the look on a thread of its own. Returns what braze_look_begin does. */
static int start_thread(struct braze_look *look) {
  int failure;
  if (!take_place(look->settings)) return EAGAIN;
  failure = braze_thread_start(run, look);
  if (failure != 0) give_place(look->settings);
  return failure == EAGAIN ? ENOMEM : failure;
}

int braze_look_begin(struct braze_look **begun, struct braze_settings *settings, bool with_name, const struct braze_wake *wake) {
  struct braze_look *look = calloc(1, sizeof *look);
  int failure;
  if (!look || !braze_condition_init(&look->done)) {
    free(look);
    return ENOMEM;
  }
  atomic_init(&look->references, 2);
  atomic_init(&look->stage, BRAZE_LOOK_AT_DISK);
  pthread_mutex_init(&look->mutex, NULL);
  look->wake = wake && wake->writing >= 0 ? wake : NULL;
  look->with_name = with_name;
  look->settings = braze_settings_retain(settings);
  failure = start_thread(look);
  if (failure == 0) {
    *begun = look;
  } else {
    atomic_fetch_sub(&look->references, 1);
    braze_look_release(look);
  }
  return failure;
}

enum braze_look_stage braze_look_stage(struct braze_look *look) {
  return (enum braze_look_stage)atomic_load(&look->stage);
}

struct braze_found *braze_look_found(struct braze_look *look) {
  return &look->found;
}

void braze_look_wait(struct braze_look *look, double max_seconds) {
  const struct timespec until = braze_condition_time(max_seconds);
  pthread_mutex_lock(&look->mutex);
  while (atomic_load(&look->stage) != BRAZE_LOOK_DONE && pthread_cond_timedwait(&look->done, &look->mutex, &until) == 0) continue;
  pthread_mutex_unlock(&look->mutex);
}
