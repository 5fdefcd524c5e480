/* known: what an engine knows for its next connection: the certificates to trust, and the addresses of the host's name; and when it
   must look them up again. */
#ifndef BRAZE_KNOWN_H
#define BRAZE_KNOWN_H

#include "http/look.h"
#include "http/outcome.h"

struct braze_known {
  struct braze_look *look;  /* under way; NULL: none */
  double begun;             /* when the last look began, monotonic */
  bool at_disk;             /* the last look for which a call waited in vain was still at the disk */
  struct braze_look *found; /* the last look that is done; NULL: none yet */
  char addresses[1024];     /* of the name; "": libcurl looks it up */
  double name_until;        /* monotonic; from then on the name must be looked up again */
};

/* Begins a look, unless one is under way. False: it could not begin, and the outcome says why. */
bool braze_known_look(struct braze_known *known, struct braze_settings *settings, const struct braze_wake *wake, double now,
                      struct braze_outcome *outcome);

/* Takes over what the look found, if it is done. True: it was; braze_known_check says whether a connection can be made now. */
bool braze_known_update(struct braze_known *known, struct braze_settings *settings, double now);

/* Whether a connection can be made with what was found. False: the outcome says why not. */
bool braze_known_check(const struct braze_known *known, struct braze_outcome *outcome);

/* A call has waited in vain, for at most `seconds`, for the look that is under way: the outcome says for what. A look that takes longer
   is abandoned, so that the next call does not wait for it as well. */
void braze_known_late(struct braze_known *known, double seconds, double now, struct braze_outcome *outcome);

/* Nobody could be reached at the addresses: the next look asks for them again. */
void braze_known_drop_name(struct braze_known *known);

/* The certificate stores of the last look. NULL: there was none. */
const struct braze_trust *braze_known_trust(const struct braze_known *known);

/* The second of them if it exists and is asked for, else the first. */
const struct braze_trust_store *braze_known_store(const struct braze_known *known, bool second);

void braze_known_free(struct braze_known *known);

#endif
