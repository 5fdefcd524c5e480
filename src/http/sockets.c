/* sockets: see sockets.h. */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "http/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "process/descriptor.h"

/* The kernel's own header: that of the C library may lack the number of bytes. */
#ifdef __has_include
#if __has_include(<linux/tcp.h>)
#include <linux/tcp.h>
#define COUNTS_BYTES
#endif
#endif

#define FIRST_CAPACITY 8
#define MAX_POLLED_AT_ONCE 32
#define MAX_TLS_GOODBYE 64 /* bytes: two alerts of TLS and what is around them; no answer of HTTP over TLS is as short */

/* Whether this is what braze_descriptor_raise returns where no descriptor is free. */
static bool is_out_of_descriptors(int descriptor) {
  return descriptor == -EMFILE || descriptor == -ENFILE;
}

/* A number that the system gives to this socket alone; 0: it is no socket, or the system does not tell. */
static uint64_t identity_of(curl_socket_t number) {
  struct stat state;
  return fstat(number, &state) == 0 && S_ISSOCK(state.st_mode) ? (uint64_t)state.st_ino : 0;
}

static void remove_number(struct braze_sockets *sockets, curl_socket_t number) {
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
  memset(open + sockets->capacity, 0, (size_t)(capacity - sockets->capacity) * sizeof *open); /* it may hold the key from an earlier use */
  sockets->open = open;
  sockets->capacity = capacity;
  return true;
}

/* False: there is no memory to remember the socket. */
static bool note(struct braze_sockets *sockets, const struct braze_connection *user, curl_socket_t number) {
  const struct braze_socket opened = {number, identity_of(number), user, 0, 0};
  remove_number(sockets, number);
  if (opened.identity == 0) return true;
  if (!reserve(sockets)) return false;
  sockets->open[sockets->count++] = opened;
  return true;
}

void braze_sockets_promise(struct braze_connection *connection) {
  if (!connection->promised) connection->sockets->promised++;
  connection->promised = true;
}

/* The attempt has a connection, or will never have one. */
static void end_promise(struct braze_connection *connection) {
  if (connection->promised) connection->sockets->promised--;
  connection->promised = false;
}

curl_socket_t braze_sockets_open(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
  struct braze_connection *user = data;
#ifdef SOCK_CLOEXEC
  curl_socket_t opened = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
#else
  curl_socket_t opened = socket(address->family, address->socktype, address->protocol);
  if (opened != CURL_SOCKET_BAD) fcntl(opened, F_SETFD, FD_CLOEXEC);
#endif
  (void)purpose;
  end_promise(user);
  opened = braze_descriptor_raise(opened);
  user->sockets->out_of_descriptors = is_out_of_descriptors(opened);
  if (opened < 0) return CURL_SOCKET_BAD;
  if (note(user->sockets, user, opened)) return opened;
  close(opened);
  return CURL_SOCKET_BAD;
}

/* libcurl does not say why it could not open a file of certificates. Before the socket is closed we can find out, by one that is opened. */
int braze_sockets_close(void *data, curl_socket_t socket) {
  struct braze_sockets *sockets = data;
  int another = braze_descriptor_raise(open("/dev/null", O_RDONLY | O_CLOEXEC));
  sockets->out_of_descriptors = is_out_of_descriptors(another);
  if (another >= 0) close(another);
  remove_number(sockets, socket);
  return close(socket);
}

void braze_sockets_begin(struct braze_connection *connection, struct braze_sockets *sockets) {
  const struct braze_connection fresh = {sockets, false, false, false, 0};
  *connection = fresh;
}

/* Reads what is there, so that libcurl's own check finds the end and not the bytes before it; then shuts the socket down. */
static void drop(struct braze_sockets *sockets, curl_socket_t socket) {
  char bytes[512];
  size_t total = 0;
  ssize_t length;
  int rounds;
  for (rounds = 0; rounds < 64 && (length = recv(socket, bytes, sizeof bytes, MSG_DONTWAIT)) > 0; rounds++) total += (size_t)length;
  if (total > (sockets->secure ? MAX_TLS_GOODBYE : 0)) sockets->strayed = true;
  shutdown(socket, SHUT_RDWR);
}

/* Whether bytes or an end wait there. Any other event of poll counts as an end. */
static bool is_readable(curl_socket_t socket) {
  struct pollfd state = {socket, POLLIN, 0};
  return poll(&state, 1, 0) > 0;
}

static long local_port_of(curl_socket_t number) {
  union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } own;
  socklen_t length = sizeof own;
  memset(&own, 0, sizeof own);
  if (getsockname(number, &own.any, &length) != 0) return 0;
  return ntohs(own.any.sa_family == AF_INET6 ? own.v6.sin6_port : own.v4.sin_port);
}

static bool has_peer(curl_socket_t number, const char *peer) {
  union { struct sockaddr any; struct sockaddr_in v4; struct sockaddr_in6 v6; } other;
  socklen_t length = sizeof other;
  char text[INET6_ADDRSTRLEN] = "";
  memset(&other, 0, sizeof other);
  if (getpeername(number, &other.any, &length) != 0) return false;
  inet_ntop(other.any.sa_family, other.any.sa_family == AF_INET6 ? (void *)&other.v6.sin6_addr : (void *)&other.v4.sin_addr, text,
            sizeof text);
  return strcmp(text, peer) == 0;
}

/* The socket that libcurl made for this attempt. It makes two where a name has addresses of two families, and keeps one. */
static struct braze_socket *find_new(const struct braze_connection *connection, long local_port) {
  struct braze_sockets *sockets = connection->sockets;
  struct braze_socket *found = NULL;
  int i, count = 0;
  for (i = 0; i < sockets->count; i++)
    if (sockets->open[i].user == connection && (++count == 1 || local_port_of(sockets->open[i].number) == local_port))
      found = &sockets->open[i];
  return found;
}

/* The kept socket on which the attempt runs. Connections to two addresses may have the same local port. */
static struct braze_socket *find_kept(const struct braze_connection *connection, long local_port, const char *peer) {
  struct braze_sockets *sockets = connection->sockets;
  struct braze_socket *found = NULL;
  int i;
  for (i = 0; i < sockets->count; i++)
    if (sockets->open[i].local_port == local_port && (!found || has_peer(sockets->open[i].number, peer))) found = &sockets->open[i];
  return found;
}

bool braze_sockets_enter(struct braze_connection *connection, long local_port, const char *peer) {
  struct braze_socket *found = find_new(connection, local_port);
  end_promise(connection);
  connection->used_before = !found;
  if (!found) found = find_kept(connection, local_port, peer);
  if (!found) return true;
  found->user = connection;
  found->local_port = local_port;
  if (!connection->used_before || !is_readable(found->number)) return true;
  drop(connection->sockets, found->number);
  return false;
}

static uint64_t received_by(curl_socket_t number) {
  uint64_t received = 0;
#ifdef COUNTS_BYTES
  struct tcp_info info;
  socklen_t length = sizeof info;
  if (getsockopt(number, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 &&
      length >= offsetof(struct tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received)
    received = info.tcpi_bytes_received;
#endif
  (void)number;
  return received;
}

uint64_t braze_sockets_received(struct braze_connection *connection) {
  const struct braze_sockets *sockets = connection->sockets;
  uint64_t total = 0;
  int i;
  for (i = 0; i < sockets->count; i++)
    if (sockets->open[i].user == connection) total += received_by(sockets->open[i].number);
  if (!connection->counted && connection->used_before) connection->count_at_start = total;
  connection->counted = true;
  return total > connection->count_at_start ? total - connection->count_at_start : 0;
}

void braze_sockets_end(struct braze_connection *connection, double now) {
  struct braze_sockets *sockets = connection->sockets;
  int i;
  end_promise(connection);
  for (i = 0; i < sockets->count; i++) {
    if (sockets->open[i].user != connection) continue;
    sockets->open[i].user = NULL;
    sockets->open[i].kept_since = now;
  }
}

/* Handles what poll saw of a kept socket, which is at `index`. True: it was shut down. */
static bool look_at(struct braze_sockets *sockets, int index, const struct pollfd *seen, double long_ago) {
  const struct braze_socket *one = &sockets->open[index];
  if (seen->revents && identity_of(seen->fd) != one->identity) { /* the number is another's by now */
    sockets->open[index] = sockets->open[--sockets->count];
    return false;
  }
  if (seen->revents) {
    drop(sockets, seen->fd);
    return true;
  }
  sockets->kept++;
  if (one->local_port > 0 && one->kept_since <= long_ago) sockets->quiet = true;
  return false;
}

bool braze_sockets_drop_dead(struct braze_sockets *sockets, double long_ago) {
  struct pollfd states[MAX_POLLED_AT_ONCE];
  int places[MAX_POLLED_AT_ONCE];
  bool dropped = false;
  int i = sockets->count;
  sockets->kept = 0;
  /* From the end, because removing a socket moves the last one, which was looked at before, to its place. */
  while (i > 0) {
    nfds_t count = 0;
    for (; i > 0 && count < MAX_POLLED_AT_ONCE; i--) {
      const struct pollfd state = {sockets->open[i - 1].number, POLLIN, 0};
      if (sockets->open[i - 1].user) continue;
      places[count] = i - 1;
      states[count++] = state;
    }
    if (poll(states, count, 0) < 0) continue;
    for (nfds_t at = 0; at < count; at++)
      if (look_at(sockets, places[at], &states[at], long_ago)) dropped = true;
  }
  return dropped;
}

void braze_sockets_free(struct braze_sockets *sockets) {
  free(sockets->open);
}

/* libcurl 7.88 keeps a connection on which sending failed, with TLS in the middle of a record: the next request on it would be lost.
   libcurl finds a socket that is shut down dead before it uses it. */
void braze_sockets_shut_down(CURL *easy) {
  curl_socket_t kept = CURL_SOCKET_BAD;
  if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &kept) == CURLE_OK && kept != CURL_SOCKET_BAD) shutdown(kept, SHUT_RDWR);
}
