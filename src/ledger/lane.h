/* lane: the thread of a ledger, and what it has to do. Nothing of a store runs on any other thread: it may be slow, locked, or hang. */
#ifndef BRAZE_LANE_H
#define BRAZE_LANE_H

#include <stdatomic.h>

#include "base/list.h"
#include "ledger/store.h"
#include "process/wake.h"

/* How many threads may be left behind in stores that hang: in a process, and by one ledger. */
#define BRAZE_MAX_ABANDONED 32
#define BRAZE_MAX_ABANDONED_OF_LEDGER 8

struct braze_ledger;
struct braze_lane; /* the thread, its store, and what it has to do */
struct braze_task;

struct braze_task_functions {
  /* One try, on the thread. Returns 0 when the task is done, else when to try again (monotonic). */
  double (*run)(struct braze_task *task, struct braze_lane *lane);
  void (*free)(struct braze_task *task);
};

/* Something to do for the thread. It lies at the front of what it is for; one reference is the thread's while it has the task. */
struct braze_task {
  const struct braze_task_functions *functions;
  struct braze_link link;
  atomic_int references;
  struct braze_ledger *ledger;
  double due; /* monotonic */
  /* Below: under the ledger's mutex. */
  bool done, stirred;
  bool left; /* nobody waits for it any more */
  const struct braze_wake *wake;
};

/* Makes a task ready, with one reference and the ledger's. */
void braze_task_init(struct braze_task *task, const struct braze_task_functions *functions, struct braze_ledger *ledger);

void braze_task_release(struct braze_task *task);

/* Hands the task over; the wake (NULL: none) is set once it is done. Returns 0, or the error of errno.h that kept the thread from
   starting. */
int braze_task_submit(struct braze_task *task, const struct braze_wake *wake);

/* Whether the task is done, or stirred. */
bool braze_task_is_done(struct braze_task *task);

/* Waits until the task is done or stirred, for at most so long. False: it is not. */
bool braze_task_wait(struct braze_task *task, double max_seconds);

/* Nobody waits for the task any more: no wake is set from here on. False: it was done already. */
bool braze_task_leave(struct braze_task *task);

/* On the thread: whether nobody waits for it any more. */
bool braze_task_is_left(struct braze_task *task);

/* A task was waited for in vain, for `seconds`. A thread that has hung in its store for half of that time is left behind, so that the next
   task does not wait for it as well. */
void braze_lane_late(struct braze_ledger *ledger, double seconds);

/* On the thread: those who wait need wait no longer, though the task goes on. */
void braze_task_stir(struct braze_task *task);

/* For tasks, on the thread. */

/* The store, opened if it is not open. NULL: the code and the words say why. */
void *braze_lane_store(struct braze_lane *lane, double until, enum braze_store_code *code, struct braze_store_words *words);
const struct braze_store_functions *braze_lane_functions(const struct braze_lane *lane);

/* Closes the store after its connection broke, so that it is opened anew. */
void braze_lane_drop_store(struct braze_lane *lane);

/* Counts the records that are held through this thread's store, for those stores that must show that they live. */
void braze_lane_hold(struct braze_lane *lane, int change);

/* Tries the tasks that wait for a later time at once: what they wait for may have come. */
void braze_lane_hurry(struct braze_lane *lane);

#endif
