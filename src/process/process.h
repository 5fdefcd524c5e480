/* process: makes every thread leave libcurl alone while the process forks or exits. A thread inside OpenSSL would leave its locks
   held in the child of a fork, and would use what exit() has already taken down. */
#ifndef BRAZE_PROCESS_H
#define BRAZE_PROCESS_H

#include <stdbool.h>

/* Registers the handlers of exit and fork; once in a process. */
void braze_process_open(void);

/* How many forks lie between the process in which this was first asked and this one, also forks that run no handlers (_Fork,
   clone) where the system tells of them. Cheaper than a process id, and never the same number for two processes of one line. */
unsigned braze_process_forks(void);

/* Around each piece of work in which libcurl or a library below it may hold a lock: not around waits, and not nested. False: the
   process is exiting, and libcurl must not be touched any more, not even to clean up. fork() and exit() wait for the work of other
   threads, two seconds at most; fork() in a signal handler of a thread that is at work waits for nobody. */
bool braze_process_enter(void);
void braze_process_leave(void);

/* In place of the second, for the last piece of work of a thread: it ends once OpenSSL has cleaned up after the thread, for
   which it takes a lock of its own. */
void braze_process_leave_at_thread_end(void);

/* Whether exit() is under way: no work begins any more. */
bool braze_process_is_exiting(void);

/* Whether it is, and on this very thread, in a handler that comes after ours. */
bool braze_process_is_exiting_here(void);

/* For a thread that can do no work, as the process is exiting: returns after so many seconds. What it does next may be to call
   exit() once more, which no two threads may. On the thread that exits it returns at once. */
void braze_process_sleep(double seconds);

#endif
