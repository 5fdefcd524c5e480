/* process: see process.h. Only atomic variables: fork() may be called in a signal handler, in the middle of any of this. */
#define _GNU_SOURCE /* MAP_ANONYMOUS, MADV_WIPEONFORK under -std=c11 */
#include "process/process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

/* How long exit() and fork() wait for threads inside libcurl. A step takes milliseconds, so this is reached only where a library
   blocks that should not, for example on a file system that hangs. */
#define MAX_MILLISECONDS 2000
#define LOOKS_PER_MILLISECOND 10

/* The number of threads at work that are known one by one. A further thread that calls fork() in a signal handler while it is at work
   waits for itself, as long as above. */
#define MAX_KNOWN 128u

static atomic_int working;       /* threads at work */
static atomic_int holding;       /* forks under way: no work begins */
static atomic_uintptr_t exiting; /* the thread that called exit(), 0 = none */
/* The threads at work; 0: free. Not thread-local variables: in an object that is loaded at run time those need memory at their first
   use, and end the process where there is none. */
static atomic_uintptr_t known[MAX_KNOWN];
static atomic_uint forks;
static atomic_uint *mark; /* 1; the kernel makes it 0 in a new process, however that was made. NULL: this system can't */
static pthread_key_t ending;
static bool ending_made;
static char first_round, second_round;

/* The index of a thread (0: a free place) among the known ones, searched from where this thread would stand. MAX_KNOWN: not found. */
static unsigned find_place(uintptr_t wanted) {
  unsigned first = (unsigned)((uintptr_t)pthread_self() >> 6) % MAX_KNOWN, i;
  for (i = 0; i < MAX_KNOWN; i++)
    if (atomic_load(&known[(first + i) % MAX_KNOWN]) == wanted) return (first + i) % MAX_KNOWN;
  return MAX_KNOWN;
}

static bool is_working_here(void) {
  return find_place((uintptr_t)pthread_self()) < MAX_KNOWN;
}

static void take_place(void) {
  unsigned place;
  uintptr_t free_place;
  do {
    place = find_place(0);
    free_place = 0;
  } while (place < MAX_KNOWN && !atomic_compare_exchange_strong(&known[place], &free_place, (uintptr_t)pthread_self()));
}

static void give_place(void) {
  unsigned place = find_place((uintptr_t)pthread_self());
  if (place < MAX_KNOWN) atomic_store(&known[place], 0);
}

static void sleep_a_little(void) {
  static const struct timespec pause = {0, 1000000 / LOOKS_PER_MILLISECOND};
  nanosleep(&pause, NULL);
}

/* Waits until no other thread is at work, or until the time is up. */
static void wait_for_others(void) {
  int own = is_working_here(), looks;
  for (looks = 0; looks < MAX_MILLISECONDS * LOOKS_PER_MILLISECOND && atomic_load(&working) > own; looks++) sleep_a_little();
}

/* A thread that tries to enter later sees that the process is exiting. */
static void at_exit(void) {
  atomic_store(&exiting, (uintptr_t)pthread_self());
  wait_for_others();
}

/* A thread that is at work has called fork() in a signal handler. The child of such a fork may do next to nothing, so no thread has
   to leave libcurl for it; this thread could not. */
static void before_fork(void) {
  if (is_working_here()) return;
  atomic_fetch_add(&holding, 1);
  if (!atomic_load(&exiting)) wait_for_others();
}

static void after_fork_in_parent(void) {
  if (!is_working_here()) atomic_fetch_sub(&holding, 1);
}

/* The parent's other threads do not exist in the child. */
static void after_fork_in_child(void) {
  uintptr_t self = (uintptr_t)pthread_self();
  unsigned i;
  for (i = 0; i < MAX_KNOWN; i++)
    if (atomic_load(&known[i]) != self) atomic_store(&known[i], 0);
  atomic_store(&holding, 0);
  atomic_store(&working, 0);
}

/* The destructors of one round run in an unspecified order. Asking for a second round makes ours run after all of the first, and so
   after OpenSSL's. */
static void on_thread_end(void *value) {
  if (value == &first_round)
    pthread_setspecific(ending, &second_round);
  else
    braze_process_leave();
}

static void count_fork(void) {
  if (mark) atomic_store(mark, 1);
  atomic_fetch_add(&forks, 1);
}

/* Memory that the kernel clears in each new process: _Fork() and a plain clone() run no handlers. NULL: this system has none. */
static atomic_uint *new_mark(void) {
#ifdef MADV_WIPEONFORK
  const size_t size = (size_t)sysconf(_SC_PAGESIZE);
  void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return NULL;
  if (madvise(page, size, MADV_WIPEONFORK) == 0) {
    atomic_init((atomic_uint *)page, 1);
    return page;
  }
  munmap(page, size);
#endif
  return NULL;
}

static void watch_forks(void) {
  mark = new_mark();
  pthread_atfork(NULL, NULL, count_fork);
}

unsigned braze_process_forks(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  if (mark && atomic_load_explicit(mark, memory_order_relaxed) == 0) {
    after_fork_in_child();
    count_fork();
  }
  return atomic_load_explicit(&forks, memory_order_relaxed);
}

void braze_process_open(void) {
  ending_made = pthread_key_create(&ending, on_thread_end) == 0;
  atexit(at_exit);
  pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

/* The place is taken before the thread is counted, and given back after: a fork in a signal handler in between does not wait. */
bool braze_process_enter(void) {
  take_place();
  for (;;) {
    atomic_fetch_add(&working, 1);
    if (!atomic_load(&exiting) && atomic_load(&holding) == 0) return true;
    atomic_fetch_sub(&working, 1);
    if (atomic_load(&exiting)) break;
    sleep_a_little();
  }
  give_place();
  return false;
}

/* In the child of a fork in a signal handler, the work that goes on is not counted. */
void braze_process_leave(void) {
  int count = atomic_load(&working);
  while (count > 0 && !atomic_compare_exchange_weak(&working, &count, count - 1)) continue;
  give_place();
}

void braze_process_leave_at_thread_end(void) {
  if (!ending_made || pthread_setspecific(ending, &first_round) != 0) braze_process_leave();
}

bool braze_process_is_exiting(void) {
  return atomic_load(&exiting) != 0;
}

bool braze_process_is_exiting_here(void) {
  return atomic_load(&exiting) == (uintptr_t)pthread_self();
}

void braze_process_sleep(double seconds) {
  struct timespec remaining = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  if (seconds <= 0 || braze_process_is_exiting_here()) return;
  while (nanosleep(&remaining, &remaining) != 0) continue;
}
