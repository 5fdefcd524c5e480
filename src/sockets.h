/* sockets: those that libcurl has open for an engine: closed in every program that the host starts, and thrown away once the
   peer has closed them. libcurl takes a connection for alive on which the goodbye of TLS waits, sends the request, and only then
   finds out: for a call without a send_id of its own that would be "it may have been made" each time a server tidies up. */
#ifndef BRAZE_SOCKETS_H
#define BRAZE_SOCKETS_H

#include "libcurl.h"

#define BRAZE_MOST_SOCKETS 1024

struct braze_sockets {
  int count;
  curl_socket_t open[BRAZE_MOST_SOCKETS]; /* what does not fit is not looked after */
};

/* libcurl's callbacks; their data is a struct braze_sockets that outlives the connections. */
curl_socket_t braze_sockets_open(void *data, curlsocktype purpose, struct curl_sockaddr *address);
int braze_sockets_close(void *data, curl_socket_t socket);

/* While no transfer runs: shuts down those that the peer has closed, or on which it has sent what nobody asked for, in a way
   that libcurl notices before it uses them. */
void braze_sockets_drop_dead(const struct braze_sockets *sockets);

#endif
