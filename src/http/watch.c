/* watch: see watch.h. */
#include "http/watch.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 8
/* Two sockets while it connects, one more to look a name up, and the descriptor that wakes the engine. */
#define ROOM_FOR_ATTEMPT 4
#define BLIND_MILLISECONDS 50 /* how long nobody can wake the engine at most, once the host has closed its descriptor */

static bool reserve(struct braze_watch *watch, int count) {
  int capacity = watch->capacity > 0 ? watch->capacity : FIRST_CAPACITY;
  struct pollfd *sockets;
  if (watch->capacity - watch->count >= count) return true;
  while (capacity - watch->count < count) capacity *= 2;
  sockets = realloc(watch->sockets, (size_t)capacity * sizeof *sockets);
  if (!sockets) return false;
  memset(sockets + watch->capacity, 0, (size_t)(capacity - watch->capacity) * sizeof *sockets); /* it may hold the key from an earlier use */
  watch->sockets = sockets;
  watch->capacity = capacity;
  return true;
}

static void remove_at(struct braze_watch *watch, int index) {
  watch->sockets[index] = watch->sockets[--watch->count];
}

/* libcurl's callback: what it waits for on this socket. */
static int on_socket(CURL *easy, curl_socket_t socket, int what, void *data, void *unused) {
  struct braze_watch *watch = data;
  const short events = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
  const struct pollfd watched = {socket, events, 0};
  int i = 0;
  (void)easy, (void)unused;
  while (i < watch->count && watch->sockets[i].fd != socket) i++;
  if (what == CURL_POLL_REMOVE || events == 0) {
    if (i < watch->count) remove_at(watch, i);
  } else if (i < watch->count) {
    watch->sockets[i].events = events;
  } else if (reserve(watch, 2)) {
    watch->sockets[watch->count++] = watched;
  } else {
    watch->missing = true;
  }
  return 0; /* anything else ends all that the multi handle has, for ever */
}

void braze_watch_open(struct braze_watch *watch, CURLM *multi) {
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, watch);
}

bool braze_watch_reserve(struct braze_watch *watch) {
  return reserve(watch, ROOM_FOR_ATTEMPT);
}

/* Polls all sockets, and a descriptor behind them if there is one. Returns what happened on that one. */
static int poll_all(struct braze_watch *watch, int descriptor, int milliseconds) {
  const struct pollfd another = {descriptor, POLLIN, 0};
  int i;
  watch->sockets[watch->count] = another;
  watch->polled = poll(watch->sockets, (nfds_t)watch->count + (descriptor >= 0), milliseconds) >= 0;
  if (watch->polled) return watch->sockets[watch->count].revents;
  for (i = 0; i < watch->count; i++) watch->sockets[i].revents = 0; /* a signal came */
  return 0;
}

bool braze_watch_wait(struct braze_watch *watch, CURLM *multi, int descriptor, double seconds) {
  long of_libcurl = -1, most = (long)(seconds * 1000.0 + 0.999);
  int seen;
  curl_multi_timeout(multi, &of_libcurl);
  if (of_libcurl >= 0 && of_libcurl < most) most = of_libcurl;
  seen = poll_all(watch, descriptor, (int)most);
  if (seen & POLLNVAL) poll_all(watch, -1, most < BLIND_MILLISECONDS ? (int)most : BLIND_MILLISECONDS);
  return (seen & POLLIN) != 0;
}

/* What libcurl is told of a socket. 0: it asks for itself, which is one more system call; an error is its own to find. One that the host has
   closed it finds only by reading. */
static int bits_of(const struct pollfd *seen) {
  return (seen->events == POLLIN && seen->revents == POLLIN) || (seen->revents & POLLNVAL) ? CURL_CSELECT_IN : 0;
}

/* Has libcurl look at the sockets on which something happened: the last first, because one that is removed makes room for the last. */
static CURLMcode act_on_sockets(struct braze_watch *watch, CURLM *multi, bool *acted) {
  CURLMcode code = CURLM_OK;
  int i, running;
  for (i = watch->count - 1; i >= 0 && code == CURLM_OK; i--) {
    const struct pollfd seen = i < watch->count ? watch->sockets[i] : (struct pollfd){-1, 0, 0};
    if (seen.revents == 0) continue;
    watch->sockets[i].revents = 0;
    if (seen.revents & POLLNVAL) remove_at(watch, i); /* libcurl may not know it any more */
    *acted = true;
    code = curl_multi_socket_action(multi, seen.fd, bits_of(&seen), &running);
  }
  return code;
}

bool braze_watch_act(struct braze_watch *watch, CURLM *multi, bool look) {
  CURLMcode code;
  bool acted = false;
  int running;
  if (look && !watch->polled && watch->count > 0) poll_all(watch, -1, 0);
  watch->polled = false;
  code = act_on_sockets(watch, multi, &acted);
  if (code == CURLM_OK && !acted) code = curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
  if (code == CURLM_OK && !watch->missing) return true;
  watch->missing = false;
  return false;
}

void braze_watch_free(struct braze_watch *watch) {
  free(watch->sockets);
}
