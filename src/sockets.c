/* sockets: see sockets.h. */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "descriptor.h"

#define FIRST_CAPACITY 8

/* Whether a descriptor that was asked for is one, or failed for want of any. */
static bool is_wanting(int descriptor) {
  return descriptor < 0 && (errno == EMFILE || errno == ENFILE);
}

/* What the system calls the socket behind a number, and no other one while it runs; 0 = it is no socket, or can't be told. */
static uint64_t identity_of(curl_socket_t number) {
  struct stat state;
  return fstat(number, &state) == 0 && S_ISSOCK(state.st_mode) ? (uint64_t)state.st_ino : 0;
}

static void forget(struct braze_sockets *sockets, curl_socket_t number) {
  int i;
  for (i = 0; i < sockets->count && sockets->open[i].number != number; i++) continue;
  if (i < sockets->count) sockets->open[i] = sockets->open[--sockets->count];
}

static bool reserve(struct braze_sockets *sockets) {
  int capacity = sockets->capacity ? sockets->capacity * 2 : FIRST_CAPACITY;
  struct braze_socket *open;
  if (sockets->count < sockets->capacity) return true;
  open = realloc(sockets->open, (size_t)capacity * sizeof *open);
  if (!open) return false;
  sockets->open = open;
  sockets->capacity = capacity;
  return true;
}

/* False = there is no memory to look after it. */
static bool note(struct braze_sockets *sockets, curl_socket_t number) {
  const struct braze_socket opened = {number, identity_of(number)};
  forget(sockets, number);
  if (opened.identity == 0) return true;
  if (!reserve(sockets)) return false;
  sockets->open[sockets->count++] = opened;
  return true;
}

curl_socket_t braze_sockets_open(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
  struct braze_sockets *sockets = data;
#ifdef SOCK_CLOEXEC
  curl_socket_t opened = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
#else
  curl_socket_t opened = socket(address->family, address->socktype, address->protocol);
  if (opened != CURL_SOCKET_BAD) fcntl(opened, F_SETFD, FD_CLOEXEC);
#endif
  (void)purpose;
  opened = braze_descriptor_raise(opened);
  sockets->wanting = is_wanting(opened);
  if (opened == CURL_SOCKET_BAD || note(sockets, opened)) return opened;
  close(opened);
  return CURL_SOCKET_BAD;
}

/* libcurl does not say why it could not open a file of certificates. As long as the socket is there it can be told. */
int braze_sockets_close(void *data, curl_socket_t socket) {
  struct braze_sockets *sockets = data;
  int another = fcntl(socket, F_DUPFD_CLOEXEC, BRAZE_LEAST_DESCRIPTOR);
  sockets->wanting = is_wanting(another);
  if (another >= 0) close(another);
  forget(sockets, socket);
  return close(socket);
}

/* Reads what is there, so that libcurl's own look finds the end and not the goodbye in front of it. */
static void drop(curl_socket_t socket) {
  char bytes[512];
  int rounds;
  for (rounds = 0; rounds < 64 && recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) > 0; rounds++) continue;
  shutdown(socket, SHUT_RDWR);
}

bool braze_sockets_drop_dead(struct braze_sockets *sockets) {
  bool dropped = false;
  int i;
  for (i = sockets->count - 1; i >= 0; i--) {
    const struct braze_socket one = sockets->open[i];
    struct pollfd state = {one.number, POLLIN, 0};
    if (poll(&state, 1, 0) <= 0) continue;
    if (identity_of(one.number) == one.identity) {
      drop(one.number);
      dropped = true;
    } else {
      forget(sockets, one.number);
    }
  }
  return dropped;
}

void braze_sockets_free(struct braze_sockets *sockets) {
  free(sockets->open);
}

/* libcurl 7.88 keeps a connection on which sending failed, with TLS in the middle of a record: the next request on it would be
   lost. One that is shut down is found dead before it is used. */
void braze_sockets_spoil(CURL *easy) {
  curl_socket_t kept = CURL_SOCKET_BAD;
  if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &kept) == CURLE_OK && kept != CURL_SOCKET_BAD) shutdown(kept, SHUT_RDWR);
}
