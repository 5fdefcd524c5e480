/* sigpipe: keeps SIGPIPE from the host while libcurl works on its thread. From 7.87 on libcurl's TLS sends raise none. */
#ifndef BRAZE_SIGPIPE_H
#define BRAZE_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct braze_sigpipe {
  bool held;
  sigset_t before;
};

/* Holds the signal back for this thread, where the libcurl that is loaded may raise it. */
void braze_sigpipe_hold(struct braze_sigpipe *sigpipe);

/* Drops one that came meanwhile and gives the thread its mask back. */
void braze_sigpipe_release(struct braze_sigpipe *sigpipe);

#endif
