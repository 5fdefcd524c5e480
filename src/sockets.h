/* sockets: those that libcurl has open for an engine: closed in every program that the host starts, and thrown away once the
   peer has closed them. libcurl takes a connection for alive on which the goodbye of TLS waits, sends the request, and only then
   finds out: for a call without a send_id of its own that would be "it may have been made" each time a server tidies up. */
#ifndef BRAZE_SOCKETS_H
#define BRAZE_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "libcurl.h"

/* libcurl does not say when it closes one that never became a connection, and the host may have its number since. */
struct braze_socket {
  curl_socket_t number;
  uint64_t identity; /* of the socket itself */
};

struct braze_sockets {
  bool wanting; /* for a socket, or beside the last one that was closed, there was no descriptor */
  int count, capacity;
  struct braze_socket *open; /* each number once */
};

/* libcurl's callbacks; their data is a struct braze_sockets that outlives the connections. */
curl_socket_t braze_sockets_open(void *data, curlsocktype purpose, struct curl_sockaddr *address);
int braze_sockets_close(void *data, curl_socket_t socket);

/* While no transfer runs: shuts down those that the peer has closed, or on which it has sent what nobody asked for, in a way
   that libcurl notices when it looks. True where there is one. */
bool braze_sockets_drop_dead(struct braze_sockets *sockets);

/* Shuts down the connection of a transfer that failed, so that it is not kept. */
void braze_sockets_spoil(CURL *easy);

void braze_sockets_free(struct braze_sockets *sockets);

#endif
