/* parking: makes workers stand still where the process forks or exits: a thread inside OpenSSL would leave its locks held in
   the child of a fork, and would use what exit() has already taken down. */
#ifndef BRAZE_PARKING_H
#define BRAZE_PARKING_H

#include <stdbool.h>

/* Registers the handlers of exit and fork; once in a process. */
void braze_parking_open(void);

/* How many forks lie between the process in which this was first asked and this one. Cheaper than a process id, and never the
   same number for two processes of one line. */
unsigned braze_parking_forks(void);

/* Around each piece of work of a worker in which a lock of a library may be held: not around its waits. The first does not
   return once the process is exiting. */
void braze_parking_begin_work(void);
void braze_parking_end_work(void);

/* In place of the second, for the last piece of work of a thread: it ends once OpenSSL has cleaned up after the thread, for
   which it takes a lock of its own. */
void braze_parking_end_thread(void);

/* Whether exit() is under way: then libcurl must not be touched any more, not even to clean up. */
bool braze_parking_is_exiting(void);

#endif
