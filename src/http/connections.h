/* connections: which connection the next attempt may use: one that is kept, or a new one. */
#ifndef BRAZE_CONNECTIONS_H
#define BRAZE_CONNECTIONS_H

#include "http/sockets.h"

struct braze_connections {
  struct braze_sockets sockets;
  double dead_until;       /* monotonic; until then libcurl may not have noticed that one of them is dead */
  double distrusted_until; /* monotonic; until then each attempt makes a connection of its own */
  bool looked;             /* in this pass of the engine, which resets it */
  bool proven;             /* as far as was seen, the service sends nothing behind its answers */
  bool holding;            /* calls wait until quiet_at; whoever begins waiting calls resets it */
  double quiet_at;         /* monotonic; when the first wait for that proof ends; 0: it has not begun */
};

/* Looks at the kept connections, whatever runs on others, once in each pass. With many calls at once a look for each call would take most
   of the time; a request looks at its own connection again before it leaves. One on which bytes or an end wait is not used again. Where
   bytes came that nobody asked for, the next ones may arrive behind a request, and can't be told from its answer. */
void braze_connections_look(struct braze_connections *connections, double now);

/* Whether no kept connection may be used, by the last look. */
bool braze_connections_need_new(const struct braze_connections *connections, double now);

/* Whether a call with this deadline, and with it all that wait behind it, must wait until the kept connections have been quiet for long
   enough. Sets `holding` then. An engine waits for that once: if the wait proves nothing, calls make new connections until one does. */
bool braze_connections_hold(struct braze_connections *connections, double deadline, double now);

void braze_connections_free(struct braze_connections *connections);

#endif
