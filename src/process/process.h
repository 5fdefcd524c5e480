/* process: keeps every thread out of libcurl while the process forks or exits. A thread inside OpenSSL would leave OpenSSL's locks
   held in the child of a fork, and would use what exit() has already torn down. */
#ifndef BRAZE_PROCESS_H
#define BRAZE_PROCESS_H

#include <stdbool.h>

/* Registers the handlers of exit() and fork(). Called once in a process. */
void braze_process_open(void);

/* The number of forks between the process that first called this and this one. Forks that run no handlers (_Fork, clone) count as
   well where the system lets us notice them. Cheaper than a process id, and never the same for a process and its descendant. */
unsigned braze_process_forks(void);

/* Enters a piece of work in which libcurl, or a library below it, may hold a lock. Not for waits, and not nested. False: the process
   is exiting, and libcurl must not be touched any more, not even to clean up. fork() and exit() wait until all other threads have
   left, for two seconds at most; fork() in a signal handler of a thread that is at work does not wait. */
bool braze_process_enter(void);

/* Leaves it. */
void braze_process_leave(void);

/* Leaves the last piece of work of a thread, once OpenSSL has cleaned up after that thread: it takes a lock of its own to do so. */
void braze_process_leave_at_thread_end(void);

/* Whether exit() has begun. From then on braze_process_enter returns false. */
bool braze_process_is_exiting(void);

/* Whether exit() has begun on this very thread, which now runs a handler that comes after ours. */
bool braze_process_is_exiting_here(void);

/* Sleeps, on a thread that can do no work because the process is exiting: its caller might call exit() next, which two threads must
   not do. Returns at once on the thread that exits. */
void braze_process_sleep(double seconds);

#endif
