/* wake: a descriptor that is readable while there is something to fetch: an eventfd, elsewhere a pipe. */
#ifndef BRAZE_WAKE_H
#define BRAZE_WAKE_H

#include <stdbool.h>

struct braze_wake {
  int reading; /* what a host polls; -1 = not open */
  int writing; /* the same for an eventfd */
};

/* A wake that is not open. */
void braze_wake_init(struct braze_wake *wake);

/* Opens it, close-on-exec and non-blocking. False: errno says why not. */
bool braze_wake_open(struct braze_wake *wake);

/* Makes it readable; from any thread. */
void braze_wake_set(const struct braze_wake *wake);

/* Writes a byte to a socket of the host's, -1 = none; waits for nothing. A full one is readable all the same. */
void braze_wake_notify(int socket);

/* Makes it not readable. */
void braze_wake_clear(const struct braze_wake *wake);

void braze_wake_close(struct braze_wake *wake);

#endif
