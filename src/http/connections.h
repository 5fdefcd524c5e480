/* connections: which connection the next attempt may use: one that is kept, or a new one. */
#ifndef BRAZE_CONNECTIONS_H
#define BRAZE_CONNECTIONS_H

#include "http/sockets.h"

#define BRAZE_QUIET_SECONDS 0.05 /* what a service sends behind an answer has come by then */

struct braze_connections {
  struct braze_sockets sockets;
  double dead_until;       /* monotonic; until then libcurl may not have noticed that one of them is dead */
  double distrusted_until; /* monotonic; until then each attempt makes a connection of its own */
  bool proven;             /* as far as was seen, the service sends nothing behind its answers */
};

/* Looks at the kept connections, whatever runs on others. One on which bytes or an end wait is not used again. Where bytes came
   that nobody asked for, the next ones may arrive behind a request, and can't be told from its answer. */
void braze_connections_look(struct braze_connections *connections, double now);

/* Whether no kept connection may be used, by the last look. */
bool braze_connections_need_new(const struct braze_connections *connections, double now);

/* Whether connections are kept on which the service was not yet seen to be quiet behind an answer. */
bool braze_connections_are_doubtful(const struct braze_connections *connections);

/* Looks, and returns whether a connection is kept on which a request may be sent. */
bool braze_connections_have_fit(struct braze_connections *connections, double now);

void braze_connections_free(struct braze_connections *connections);

#endif
