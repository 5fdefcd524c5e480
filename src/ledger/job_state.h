/* job_state: what a job consists of. For the files about jobs alone. */
#ifndef BRAZE_JOB_STATE_H
#define BRAZE_JOB_STATE_H

#include "http/guard.h"
#include "ledger/claim.h"
#include "ledger/lane.h"

/* How far the engine is with the job. */
enum braze_job_phase {
  BRAZE_JOB_NEW,
  BRAZE_JOB_CLAIMING,
  BRAZE_JOB_TAKEN,  /* requests may leave */
  BRAZE_JOB_ENDING, /* what came of it is being written */
  BRAZE_JOB_OVER
};

struct braze_job {
  struct braze_guard guard;
  struct braze_task task; /* each step is one, and has these fields to itself until it is done */
  struct braze_ledger *ledger;
  struct braze_wish wish;
  enum braze_job_phase phase;
  double deadline; /* monotonic */
  double timeout;  /* of the call, in seconds */
  int tries;
  bool lost; /* a write may have been done: its connection broke */

  /* What came of the claim. */
  bool taken, repeated;
  bool failed; /* the store could not be used: the words say why */
  enum braze_verdict verdict;
  struct braze_record record; /* what was taken, or what stands there */
  struct braze_entry entry;
  struct braze_quota quota;
  double store_now, read_at; /* by the store's clock, and the same moment on the monotonic one */

  /* The end. */
  struct braze_became became;
  int64_t token; /* that is written, or was last tried */
  bool ended;

  /* Under the ledger's mutex: what was in the way at the last try. */
  bool obstructed;
  struct braze_store_words words;

  /* For the Lua thread, once the call is done: the ledger's thread may still be at work. */
  bool replayed;
  bool held; /* somebody did it all the time */
  struct braze_store_words said;
  char failure[640];
};

/* The guard is the first of a job's fields. */
static inline struct braze_job *braze_job_of_guard(struct braze_guard *guard) {
  return (struct braze_job *)(void *)guard;
}

static inline struct braze_job *braze_job_of_task(struct braze_task *task) {
  return BRAZE_OWNER(task, struct braze_job, task);
}

/* The two steps, on the ledger's thread. */
extern const struct braze_task_functions braze_job_claiming, braze_job_ending;

/* For a call without a job: the count of the quota is corrected. */
extern const struct braze_task_functions braze_job_learning;

#endif
