/* sockets: those that libcurl has open for an engine: closed in every program that the host starts, and thrown away once the
   peer has closed them or has sent what nobody asked for. libcurl takes a connection for alive on which the goodbye of TLS
   waits, sends the request, and only then finds out; and it takes an answer that waits there for the one to the next request. */
#ifndef BRAZE_SOCKETS_H
#define BRAZE_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "http/libcurl_version.h"

/* libcurl does not say when it closes one that never became a connection, and the host may have its number since. */
struct braze_socket {
  curl_socket_t number;
  uint64_t identity;                   /* of the socket itself */
  const struct braze_connection *user; /* the attempt that has it; NULL = it is kept for the next one */
  long local_port;                     /* once a request was about to leave on it; 0 before */
  double kept_since;                   /* monotonic, where no attempt has it */
};

struct braze_sockets {
  bool wanting; /* for a socket, or beside the last one that was closed, there was no descriptor */
  bool secure;  /* TLS: the bytes that wait may be its goodbye */
  bool strayed; /* bytes came that nobody asked for; whoever reads this resets it */
  bool quiet;   /* one was kept for long enough without any */
  int kept;     /* that no attempt has, by the last look */
  int promised; /* to attempts that have yet to take one of these */
  int count, capacity;
  struct braze_socket *open; /* each number once */
};

/* What an attempt knows of its connection. It may not be freed or moved between begin and end. */
struct braze_connection {
  struct braze_sockets *sockets;
  bool used_before; /* by another request, so that an answer on it may be another one's */
  bool promised;    /* the attempt is about to take one that is kept */
  bool counted;
  uint64_t count_at_start; /* what it had received before */
};

/* libcurl's callbacks. The data of the first is the struct braze_connection of the attempt, that of the second a struct
   braze_sockets that outlives the connections. */
curl_socket_t braze_sockets_open(void *data, curlsocktype purpose, struct curl_sockaddr *address);
int braze_sockets_close(void *data, curl_socket_t socket);

/* Makes a connection fit for an attempt. */
void braze_sockets_begin(struct braze_connection *connection, struct braze_sockets *sockets);

/* The attempt is given to libcurl and will take one of those that are kept: until it has, no other attempt may count on it. */
void braze_sockets_promise(struct braze_connection *connection);

/* How many are kept that are promised to nobody, by the last look. */
static inline int braze_sockets_spare(const struct braze_sockets *sockets) {
  return sockets->kept - sockets->promised;
}

/* A request is about to leave: finds its socket, by its local port and the peer's address as libcurl gives them. False: it was
   used before, and bytes or an end wait there. Then it has been shut down, and nothing may be sent. */
bool braze_sockets_enter(struct braze_connection *connection, long local_port, const char *peer);

/* How many bytes the system has received for the attempt, TLS and all; 0 where it does not say. What came on a connection that
   was used before is counted from the first time that this is asked. */
uint64_t braze_sockets_received(struct braze_connection *connection);

/* The attempt is over at `now`: what is still open is kept for others. */
void braze_sockets_end(struct braze_connection *connection, double now);

/* Shuts down those that no attempt has and that the peer has closed, or on which it has sent what nobody asked for, in a way
   that libcurl notices when it looks. True where there is one. Sets `strayed` where bytes came, `quiet` where one that was kept
   since before `long_ago` has none, and counts `kept`. */
bool braze_sockets_drop_dead(struct braze_sockets *sockets, double long_ago);

/* Shuts down the connection of a transfer that failed, so that it is not kept. */
void braze_sockets_spoil(CURL *easy);

void braze_sockets_free(struct braze_sockets *sockets);

#endif
