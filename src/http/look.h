/* look: what a new connection has to know first: the certificates to trust, and the addresses of a name. Both are looked up on a
   thread of their own, because a file system or a name server may never answer: then neither the deadline of a call waits for it,
   nor a fork, nor the other calls. */
#ifndef BRAZE_LOOK_H
#define BRAZE_LOOK_H

#include <stdbool.h>

#include "http/settings.h"
#include "http/trust.h"
#include "process/wake.h"

/* Under way at a time, those that were given up included: in a process, and for one client, so that a client whose disk or name
   server hangs leaves some to the others. */
#define BRAZE_MOST_LOOKS 32
#define BRAZE_MOST_LOOKS_OF_CLIENT 8

enum braze_look_stage { BRAZE_LOOK_AT_DISK, BRAZE_LOOK_AT_NAME, BRAZE_LOOK_DONE };

/* What was found. */
struct braze_found {
  struct braze_trust trust;
  bool has_name;      /* the name was looked up */
  int name_failure;   /* of getaddrinfo, 0 = none */
  bool no_descriptor; /* for want of which the name was not found */
  bool of_proxy;      /* the name is the proxy's, and not the service's */
  char name[256];
  char addresses[1024]; /* "host:port:address,address", or "" where libcurl is to look the name up by itself */
};

struct braze_look;

/* Begins to look; with_name: at the name, too. The wake (NULL: none) is set once it is done. NULL: none begun: EAGAIN where too
   many are under way, or else what errno says. */
struct braze_look *braze_look_begin(struct braze_settings *settings, bool with_name, const struct braze_wake *wake);

/* How far it is. */
enum braze_look_stage braze_look_stage(struct braze_look *look);

/* Waits until it is done, at most so many seconds. */
void braze_look_wait(struct braze_look *look, double most_seconds);

/* What was found by a look that is done; it lives as long as the look. */
struct braze_found *braze_look_found(struct braze_look *look);

/* Gives the look up, done or not (NULL is nothing). */
void braze_look_release(struct braze_look *look);

/* Whether there is anything to look at for a connection of such a client. */
bool braze_look_is_needed(const struct braze_settings *settings);

/* Whether a name is looked up for it, and not left to libcurl: a literal address has none, and where there is a list of
   hosts that are reached without the proxy, libcurl alone knows which name is wanted. */
bool braze_look_wants_name(const struct braze_settings *settings);

#endif
