/* sockets: see sockets.h. */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "sockets.h"

#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

curl_socket_t braze_sockets_open(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
  struct braze_sockets *sockets = data;
#ifdef SOCK_CLOEXEC
  curl_socket_t opened = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);
#else
  curl_socket_t opened = socket(address->family, address->socktype, address->protocol);
  if (opened != CURL_SOCKET_BAD) fcntl(opened, F_SETFD, FD_CLOEXEC);
#endif
  (void)purpose;
  if (opened != CURL_SOCKET_BAD && sockets->count < BRAZE_MOST_SOCKETS) sockets->open[sockets->count++] = opened;
  return opened;
}

int braze_sockets_close(void *data, curl_socket_t socket) {
  struct braze_sockets *sockets = data;
  int i;
  for (i = 0; i < sockets->count && sockets->open[i] != socket; i++) continue;
  if (i < sockets->count) sockets->open[i] = sockets->open[--sockets->count];
  return close(socket);
}

/* Reads what is there, so that libcurl's own look finds the end and not the goodbye in front of it. */
static void drop(curl_socket_t socket) {
  char bytes[512];
  int rounds;
  for (rounds = 0; rounds < 64 && recv(socket, bytes, sizeof bytes, MSG_DONTWAIT) > 0; rounds++) continue;
  shutdown(socket, SHUT_RDWR);
}

void braze_sockets_drop_dead(const struct braze_sockets *sockets) {
  int i;
  for (i = 0; i < sockets->count; i++) {
    struct pollfd state = {sockets->open[i], POLLIN, 0};
    if (poll(&state, 1, 0) > 0) drop(sockets->open[i]);
  }
}
