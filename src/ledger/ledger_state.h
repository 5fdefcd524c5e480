/* ledger_state: what a ledger consists of. For the files of the ledger and its thread alone. */
#ifndef BRAZE_LEDGER_STATE_H
#define BRAZE_LEDGER_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

struct braze_lane;

struct braze_ledger {
  atomic_int references; /* of users */
  atomic_int all;        /* these together with the lanes' */
  unsigned process;      /* in which the lane runs, by braze_process_forks */
  pthread_mutex_t mutex; /* of all below up to the blank line, of the lanes and of the tasks */
  pthread_cond_t done;
  struct braze_lane *lane; /* NULL: none yet */
  int abandoned;           /* threads that are left behind */
  bool warned;
  char warning[512]; /* of the store, not said yet; "": none */

  char *url, *places, *workspace;
  const char *kind;
  char shown[256];
};

/* Opens a condition whose times are those of braze_clock_now. */
void braze_lane_open_condition(pthread_cond_t *condition);

/* In the child of a fork: the threads of the parent do not exist there, and one of them may have held the mutex. */
void braze_lane_refresh(struct braze_ledger *ledger);

/* Lets the thread end, once it has done what it has to do. */
void braze_lane_end(struct braze_ledger *ledger);

/* Drops a reference that counts among all. */
void braze_ledger_release_all(struct braze_ledger *ledger);

#endif
