/* look: finds what a new connection needs: the certificates to trust, and the addresses of the host's name. On a thread of its own,
   because a file system or a name server may never answer: so no deadline, no fork and no other call waits for it. */
#ifndef BRAZE_LOOK_H
#define BRAZE_LOOK_H

#include <stdbool.h>

#include "http/settings.h"
#include "http/trust.h"
#include "process/wake.h"

/* How many looks may be under way at a time, including abandoned ones: in a process, and for one client, so that a client whose disk or
   name server hangs leaves some to the others. */
#define BRAZE_MAX_LOOKS 32
#define BRAZE_MAX_LOOKS_OF_CLIENT 8

enum braze_look_stage { BRAZE_LOOK_AT_DISK, BRAZE_LOOK_AT_NAME, BRAZE_LOOK_DONE };

/* What was found. */
struct braze_found {
  struct braze_trust trust;
  bool has_name;      /* the name was looked up */
  int name_failure;   /* an error of getaddrinfo; 0: none */
  bool no_descriptor; /* the look-up failed because no descriptor was free */
  bool of_proxy;      /* the name is the proxy's, not the service's */
  char name[256];
  char addresses[1024]; /* "host:port:address,address"; "": libcurl must look the name up */
};

struct braze_look;

/* Begins a look, with_name: at the name as well. Sets the wake (NULL: none) once the look is done. Returns 0; EAGAIN where too many
   looks are under way; or the error that kept the thread from starting, which is never EAGAIN. */
int braze_look_begin(struct braze_look **begun, struct braze_settings *settings, bool with_name, const struct braze_wake *wake);

/* How far the look is. */
enum braze_look_stage braze_look_stage(struct braze_look *look);

/* Waits until the look is done, for at most max_seconds. */
void braze_look_wait(struct braze_look *look, double max_seconds);

/* What a look that is done has found. It lives as long as the look. */
struct braze_found *braze_look_found(struct braze_look *look);

/* Drops the look, whether it is done or not. NULL is allowed. */
void braze_look_release(struct braze_look *look);

/* Whether a connection of such a client needs a look at all. */
bool braze_look_is_needed(const struct braze_settings *settings);

/* Whether a look includes the name. Not for a literal address, which has none; and not where some hosts are reached without the proxy,
   because only libcurl knows which name it needs then. */
bool braze_look_wants_name(const struct braze_settings *settings);

#endif
