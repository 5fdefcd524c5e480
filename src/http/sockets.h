/* sockets: those that libcurl has open for an engine. They are closed in every program that the host starts, and shut down once the
   peer has closed them or has sent what nobody asked for. libcurl would take a connection on which the goodbye of TLS waits for alive,
   send the request, and only then find out; and it would take an answer that waits there for the answer to the next request. */
#ifndef BRAZE_SOCKETS_H
#define BRAZE_SOCKETS_H

#include <stdbool.h>
#include <stdint.h>

#include "http/libcurl.h"

/* One socket. libcurl does not say when it closes one that never became a connection: the host may have its number since then. */
struct braze_socket {
  curl_socket_t number;
  uint64_t identity;                   /* of the socket, whatever number it has */
  const struct braze_connection *user; /* the attempt that uses it; NULL: it is kept for the next one */
  long local_port;                     /* 0 until a request is about to be sent on it */
  double kept_since;                   /* monotonic, while no attempt uses it */
};

struct braze_sockets {
  bool out_of_descriptors; /* as seen when the last socket was opened or closed */
  bool secure;  /* TLS: bytes that wait may be its goodbye */
  bool strayed; /* bytes came that nobody asked for; the reader resets it */
  bool quiet;   /* one was kept for long enough without any such bytes; the reader resets it */
  int kept;     /* number that no attempt uses, by the last look */
  int promised; /* number of attempts that are about to take one of those */
  int count, capacity;
  struct braze_socket *open; /* each number once */
};

/* What an attempt knows of its connection. Must not be freed or moved between begin and end. */
struct braze_connection {
  struct braze_sockets *sockets;
  bool used_before; /* by another request, whose answer may still arrive on it */
  bool promised;    /* the attempt is about to take a kept one */
  bool counted;
  uint64_t count_at_start; /* bytes that it had received before this attempt */
};

/* Callbacks of libcurl. The data of the first is the attempt's struct braze_connection, that of the second a struct braze_sockets that
   outlives the connections. */
curl_socket_t braze_sockets_open(void *data, curlsocktype purpose, struct curl_sockaddr *address);
int braze_sockets_close(void *data, curl_socket_t socket);

/* Prepares a connection for an attempt. */
void braze_sockets_begin(struct braze_connection *connection, struct braze_sockets *sockets);

/* The attempt is given to libcurl and will take a kept socket. Until it has, no other attempt may count on that one. */
void braze_sockets_promise(struct braze_connection *connection);

/* How many sockets are kept, by the last look, and not promised to an attempt. */
static inline int braze_sockets_spare(const struct braze_sockets *sockets) {
  return sockets->kept - sockets->promised;
}

/* A request is about to be sent: finds its socket by the local port and the peer's address that libcurl tells. False: the socket was
   used before, and bytes or an end wait there. It has been shut down, and nothing may be sent. */
bool braze_sockets_enter(struct braze_connection *connection, long local_port, const char *peer);

/* How many bytes the system has received for the attempt, including those of TLS; 0 where the system does not tell. On a connection that
   was used before, counting starts with the first call of this. */
uint64_t braze_sockets_received(struct braze_connection *connection);

/* The attempt is over at `now`: its sockets that are still open are kept for others. */
void braze_sockets_end(struct braze_connection *connection, double now);

/* Shuts down the kept sockets that the peer has closed, or on which it has sent what nobody asked for, so that libcurl notices when it
   looks. True: there was one. Sets `strayed` if bytes came, `quiet` if one that has been kept since before `long_ago` has none; counts
   `kept`. */
bool braze_sockets_drop_dead(struct braze_sockets *sockets, double long_ago);

/* Shuts down the connection of a transfer that failed, so that it is not used again. */
void braze_sockets_shut_down(CURL *easy);

void braze_sockets_free(struct braze_sockets *sockets);

#endif
