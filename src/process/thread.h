/* thread: starts a thread of ours. It blocks all signals, which are the host's. */
#ifndef BRAZE_THREAD_H
#define BRAZE_THREAD_H

/* Runs the function on a detached thread. Returns 0, or the error of errno.h that kept the thread from starting. */
int braze_thread_start(void *(*function)(void *), void *data);

#endif
