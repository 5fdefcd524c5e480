/* sigpipe: keeps SIGPIPE from the host while a library works on its thread. */
#ifndef BRAZE_SIGPIPE_H
#define BRAZE_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct braze_sigpipe {
  bool held;
  sigset_t before;
};

/* Blocks the signal on this thread, where it may be raised; else does nothing. */
void braze_sigpipe_hold(struct braze_sigpipe *sigpipe, bool may_be_raised);

/* Drops a signal that came meanwhile, and restores the thread's mask. */
void braze_sigpipe_release(struct braze_sigpipe *sigpipe);

#endif
