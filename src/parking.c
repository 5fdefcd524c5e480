/* parking: see parking.h. */
#define _GNU_SOURCE /* pthread_rwlock_t under -std=c11 */
#include "parking.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* How long exit() waits for threads that are inside libcurl. Their steps take milliseconds, so this is reached only where a
   library blocks that should not. */
#define MOST_MILLISECONDS_AT_EXIT 2000

/* Read-locked by threads while they work, write-locked by whoever needs them to stand still, who must not starve. */
#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#define NEW_LOCK PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#else
#define NEW_LOCK PTHREAD_RWLOCK_INITIALIZER
#endif

static pthread_rwlock_t working = NEW_LOCK;
static atomic_uintptr_t exiting; /* the thread that called exit(), 0 = none */
static atomic_uint forks;
static pthread_key_t ending;
static bool ending_made;
static char first_round, second_round;
/* The thread that has the lock for a fork, 0 = none. No variable of a thread's own: in an object that is loaded at run time
   those take memory when they are first used, and end the process where there is none. */
static atomic_uintptr_t forking;

/* Once the lock was to be had, all who worked are done; whoever comes later sees that the process exits. */
static void at_exit(void) {
  static const struct timespec millisecond = {0, 1000000};
  int waited;
  atomic_store(&exiting, (uintptr_t)pthread_self());
  for (waited = 0; waited < MOST_MILLISECONDS_AT_EXIT && pthread_rwlock_trywrlock(&working) != 0; waited++)
    nanosleep(&millisecond, NULL);
  if (waited < MOST_MILLISECONDS_AT_EXIT) pthread_rwlock_unlock(&working);
}

/* While the process exits nobody works, but for one who is stuck, and whom exit() has not waited for either. */
static void before_fork(void) {
  if (!atomic_load(&exiting) && pthread_rwlock_wrlock(&working) == 0) atomic_store(&forking, (uintptr_t)pthread_self());
}

static void after_fork_in_parent(void) {
  if (atomic_load(&forking) != (uintptr_t)pthread_self()) return;
  atomic_store(&forking, 0);
  pthread_rwlock_unlock(&working);
}

/* The parent's workers are not here. */
static void after_fork_in_child(void) {
  static const pthread_rwlock_t new_lock = NEW_LOCK;
  working = new_lock;
  atomic_store(&forking, 0);
}

/* Destructors of one round run in no order that can be relied on; whoever asks for another round comes after all of the
   first, OpenSSL's among them. */
static void on_thread_end(void *value) {
  if (value == &first_round)
    pthread_setspecific(ending, &second_round);
  else
    braze_parking_end_work();
}

static void count_fork(void) {
  atomic_fetch_add(&forks, 1);
}

static void watch_forks(void) {
  pthread_atfork(NULL, NULL, count_fork);
}

unsigned braze_parking_forks(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  return atomic_load_explicit(&forks, memory_order_relaxed);
}

void braze_parking_open(void) {
  ending_made = pthread_key_create(&ending, on_thread_end) == 0;
  atexit(at_exit);
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

bool braze_parking_begin_work(void) {
  pthread_rwlock_rdlock(&working);
  if (!atomic_load(&exiting)) return true;
  pthread_rwlock_unlock(&working);
  return false;
}

void braze_parking_end_work(void) {
  pthread_rwlock_unlock(&working);
}

void braze_parking_end_thread(void) {
  if (!ending_made || pthread_setspecific(ending, &first_round) != 0) braze_parking_end_work();
}

bool braze_parking_is_exiting(void) {
  return atomic_load(&exiting) != 0;
}

bool braze_parking_is_exiting_here(void) {
  return atomic_load(&exiting) == (uintptr_t)pthread_self();
}

void braze_parking_stand_still(double seconds) {
  struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  if (seconds <= 0 || braze_parking_is_exiting_here()) return;
  while (nanosleep(&left, &left) != 0) continue;
}
