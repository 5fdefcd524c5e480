/* thread: starts a thread of ours. The host owns the signals: a thread of ours has them all blocked. */
#ifndef BRAZE_THREAD_H
#define BRAZE_THREAD_H

#include <stdbool.h>

/* Runs the function on a detached thread. False: there is none to be had (errno). */
bool braze_thread_start(void *(*function)(void *), void *data);

#endif
