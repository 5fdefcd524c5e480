/* wake: a descriptor that is readable while there is something to take: an eventfd on Linux, elsewhere a pipe. */
#ifndef BRAZE_WAKE_H
#define BRAZE_WAKE_H

struct braze_wake {
  int reading; /* what a host polls; -1: the wake is not open */
  int writing; /* equal to reading where it is an eventfd */
};

/* Makes a wake that is not open. */
void braze_wake_init(struct braze_wake *wake);

/* Opens the wake, close-on-exec and non-blocking. Returns 0 or an error of errno.h. */
int braze_wake_open(struct braze_wake *wake);

/* Makes the descriptor readable. May be called on any thread. */
void braze_wake_set(const struct braze_wake *wake);

/* Writes a byte to a socket of the host's (-1: none). Never waits: a socket that is full is readable as it is. */
void braze_wake_notify(int socket);

/* Makes the descriptor no longer readable. */
void braze_wake_clear(const struct braze_wake *wake);

void braze_wake_close(struct braze_wake *wake);

#endif
