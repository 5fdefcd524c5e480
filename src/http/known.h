/* known: what an engine knows for its next connection, which certificates to trust and the addresses of a name, and whether it
   has to look again. */
#ifndef BRAZE_KNOWN_H
#define BRAZE_KNOWN_H

#include "http/look.h"
#include "http/outcome.h"

struct braze_known {
  struct braze_look *look;  /* under way; NULL: none */
  double begun;             /* when the last one was begun, monotonic */
  bool at_disk;             /* how far the last one was that a call waited for in vain */
  struct braze_look *found; /* the last one that is done; NULL: none yet */
  char addresses[1024];     /* of the name; "" = libcurl looks it up */
  double name_until;        /* monotonic; from then on the name is looked up again */
};

/* Begins a look unless one is under way. False: the outcome says why not. */
bool braze_known_look(struct braze_known *known, struct braze_settings *settings, const struct braze_wake *wake, double now,
                      struct braze_outcome *outcome);

/* Takes in what a look found. True: one was done; braze_known_check says whether a connection can be made now. */
bool braze_known_update(struct braze_known *known, struct braze_settings *settings, double now);

/* False: it can't, and the outcome says why not. */
bool braze_known_check(const struct braze_known *known, struct braze_outcome *outcome);

/* A call waited in vain for the look that is under way, for so many seconds at most: the outcome says for what. A look that takes
   longer than a call has is given up, so that the next call does not wait for it, too. */
void braze_known_late(struct braze_known *known, double seconds, double now, struct braze_outcome *outcome);

/* Nobody could be reached at the addresses: the next connection asks for them again. */
void braze_known_drop_name(struct braze_known *known);

/* The stores of the last look; NULL: there was none. */
const struct braze_trust *braze_known_trust(const struct braze_known *known);

/* One of them: the second, where there is one and it is asked for, else the first. */
const struct braze_trust_store *braze_known_store(const struct braze_known *known, bool second);

void braze_known_free(struct braze_known *known);

#endif
