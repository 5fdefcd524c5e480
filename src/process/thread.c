/* thread: see thread.h. */
#define _GNU_SOURCE /* sigfillset, pthread_sigmask under -std=c11 */
#include "process/thread.h"

#include <pthread.h>
#include <signal.h>

int braze_thread_start(void *(*function)(void *), void *data) {
  sigset_t all, before;
  pthread_t thread;
  int failure;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  failure = pthread_create(&thread, NULL, function, data);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (failure == 0) pthread_detach(thread);
  return failure;
}
