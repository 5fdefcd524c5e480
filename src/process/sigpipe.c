/* sigpipe: see sigpipe.h. The signal's disposition is the host's, because it holds for the whole process: it stays as it is. */
#define _GNU_SOURCE /* pthread_sigmask under -std=c11 */
#include "process/sigpipe.h"

#include <pthread.h>

static bool is_pending(void) {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGPIPE);
}

void braze_sigpipe_hold(struct braze_sigpipe *sigpipe, bool may_be_raised) {
  sigset_t set;
  sigpipe->held = may_be_raised && !is_pending();
  if (!sigpipe->held) return;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, &sigpipe->before);
}

void braze_sigpipe_release(struct braze_sigpipe *sigpipe) {
  sigset_t set;
  int signal;
  if (!sigpipe->held) return;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  if (is_pending()) sigwait(&set, &signal);
  pthread_sigmask(SIG_SETMASK, &sigpipe->before, NULL);
}
