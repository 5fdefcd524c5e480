/* lane: see lane.h. */
#define _GNU_SOURCE /* clocks under -std=c11 */
#include "ledger/lane.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/chance.h"
#include "base/clock.h"
#include "base/text.h"
#include "http/engine.h"
#include "ledger/ledger.h"
#include "ledger/ledger_state.h"
#include "ledger/library.h"
#include "process/process.h"
#include "process/thread.h"

#define LONGEST_WAIT 3600.0
#define TIME_TO_RENEW 2.0

/* A thread with a store of its own. It frees itself when it ends. */
struct braze_lane {
  struct braze_ledger *ledger;
  struct braze_list tasks; /* by link, those not yet run first */
  pthread_cond_t work;
  int64_t session; /* its own, by which the store knows its owner, also after it has connected anew */
  bool ending;     /* once there is nothing left to do */
  bool abandoned;  /* another one has taken its place */
  double since;    /* when the task that runs now began; 0: none runs */
  /* For the thread alone. */
  const struct braze_store_functions *functions;
  void *store;
  int held;
  double renewed;
};

static atomic_int abandoned_in_process;
static atomic_uint abandoned_process;

void braze_lane_open_condition(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  pthread_condattr_init(&attributes);
#ifndef __APPLE__
  pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
#endif
  pthread_cond_init(condition, &attributes);
  pthread_condattr_destroy(&attributes);
}

void braze_lane_refresh(struct braze_ledger *ledger) {
  const unsigned now = braze_process_forks();
  if (atomic_exchange(&abandoned_process, now) != now) atomic_store(&abandoned_in_process, 0);
  if (ledger->process == now) return;
  ledger->process = now;
  pthread_mutex_init(&ledger->mutex, NULL);
  braze_lane_open_condition(&ledger->done);
  ledger->lane = NULL;
  ledger->abandoned = 0;
}

static struct timespec time_of(double seconds) {
  struct timespec time;
  double whole;
#ifdef __APPLE__
  clock_gettime(CLOCK_REALTIME, &time);
#else
  clock_gettime(CLOCK_MONOTONIC, &time);
#endif
  seconds -= braze_clock_now();
  if (seconds < 0) seconds = 0;
  if (seconds > LONGEST_WAIT) seconds = LONGEST_WAIT;
  whole = (double)(time_t)seconds;
  time.tv_sec += (time_t)whole;
  time.tv_nsec += (long)((seconds - whole) * 1e9);
  if (time.tv_nsec >= 1000000000L) {
    time.tv_nsec -= 1000000000L;
    time.tv_sec++;
  }
  return time;
}

void braze_lane_end(struct braze_ledger *ledger) {
  braze_lane_refresh(ledger);
  pthread_mutex_lock(&ledger->mutex);
  if (ledger->lane) {
    ledger->lane->ending = true;
    pthread_cond_signal(&ledger->lane->work);
  }
  pthread_mutex_unlock(&ledger->mutex);
}

/* --- The thread -------------------------------------------------------------------------------------- */

/* Under the mutex: the task that is due first. */
static struct braze_task *first_task(const struct braze_lane *lane) {
  struct braze_link *link;
  struct braze_task *first = NULL, *task;
  for (link = lane->tasks.first; link; link = link->next) {
    task = BRAZE_OWNER(link, struct braze_task, link);
    if (!first || task->due < first->due) first = task;
  }
  return first;
}

/* Whether the others must be shown that this thread lives. */
static bool must_renew(const struct braze_lane *lane) {
  return lane->held > 0 && lane->store && lane->functions->renew;
}

/* One that fails is tried again at the next turn; a record whose owner is taken for gone is never done twice. */
static void renew(struct braze_lane *lane) {
  struct braze_store_words words;
  const double now = braze_clock_now();
  if (!must_renew(lane) || now < lane->renewed + lane->functions->renew_every) return;
  lane->renewed = now;
  if (lane->functions->renew(lane->store, now + TIME_TO_RENEW, &words) == BRAZE_STORE_LOST) braze_lane_drop_store(lane);
}

/* Under the mutex: waits for something to do. NULL: the thread must end. */
static struct braze_task *next_task(struct braze_lane *lane) {
  struct braze_ledger *ledger = lane->ledger;
  for (;;) {
    struct braze_task *task = first_task(lane);
    double now = braze_clock_now(), until = task ? task->due : now + LONGEST_WAIT;
    struct timespec time;
    if (task && task->due <= now) {
      braze_list_remove(&lane->tasks, &task->link);
      return task;
    }
    if (!task && (lane->ending || lane->abandoned)) return NULL;
    if (must_renew(lane)) {
      if (now >= lane->renewed + lane->functions->renew_every) {
        pthread_mutex_unlock(&ledger->mutex);
        renew(lane);
        pthread_mutex_lock(&ledger->mutex);
        continue;
      }
      if (lane->renewed + lane->functions->renew_every < until) until = lane->renewed + lane->functions->renew_every;
    }
    time = time_of(until);
    pthread_cond_timedwait(&lane->work, &ledger->mutex, &time);
  }
}

/* Under the mutex. */
static void finish(struct braze_ledger *ledger, struct braze_task *task) {
  task->done = true;
  if (task->wake) braze_wake_set(task->wake);
  task->wake = NULL;
  pthread_cond_broadcast(&ledger->done);
}

/* The thread's end is work, too: OpenSSL, which a store may have used, cleans up behind it. Once the process exits, it is left to that. */
static void end(struct braze_lane *lane) {
  struct braze_ledger *ledger = lane->ledger;
  braze_lane_drop_store(lane);
  while (!braze_process_enter()) pause();
  pthread_cond_destroy(&lane->work);
  free(lane);
  braze_ledger_release_all(ledger);
}

static void *work(void *data) {
  struct braze_lane *lane = data;
  struct braze_ledger *ledger = lane->ledger;
  struct braze_task *task;
  bool was_abandoned;
  pthread_mutex_lock(&ledger->mutex);
  while ((task = next_task(lane)) != NULL) {
    double next;
    lane->since = braze_clock_now();
    pthread_mutex_unlock(&ledger->mutex);
    next = task->functions->run(task, lane);
    renew(lane);
    pthread_mutex_lock(&ledger->mutex);
    lane->since = 0;
    task->due = next;
    if (next > 0) {
      braze_list_append(&lane->tasks, &task->link);
      continue;
    }
    finish(ledger, task);
    pthread_mutex_unlock(&ledger->mutex);
    braze_task_release(task);
    pthread_mutex_lock(&ledger->mutex);
  }
  was_abandoned = lane->abandoned;
  if (was_abandoned)
    ledger->abandoned--;
  else
    ledger->lane = NULL;
  pthread_mutex_unlock(&ledger->mutex);
  if (was_abandoned) atomic_fetch_sub(&abandoned_in_process, 1);
  end(lane);
  braze_process_leave_at_thread_end();
  return NULL;
}

/* Under the mutex: the ledger's thread, started if there is none. Returns 0 or an error. */
static int start_lane(struct braze_ledger *ledger) {
  struct braze_lane *lane;
  int failure;
  if (ledger->lane) return 0;
  lane = calloc(1, sizeof *lane);
  if (!lane || !braze_engine_prepare()) { /* with it come the handlers of exit() and fork() */
    free(lane);
    return ENOMEM;
  }
  lane->ledger = ledger;
  lane->session = braze_chance_number();
  braze_lane_open_condition(&lane->work);
  atomic_fetch_add(&ledger->all, 1);
  failure = braze_thread_start(work, lane);
  if (failure == 0) {
    ledger->lane = lane;
    return 0;
  }
  atomic_fetch_sub(&ledger->all, 1);
  pthread_cond_destroy(&lane->work);
  free(lane);
  return failure;
}

void braze_lane_late(struct braze_ledger *ledger, double seconds) {
  struct braze_lane *lane;
  braze_lane_refresh(ledger);
  pthread_mutex_lock(&ledger->mutex);
  lane = ledger->lane;
  if (lane && lane->since > 0 && braze_clock_now() - lane->since >= seconds / 2 && ledger->abandoned < BRAZE_MAX_ABANDONED_OF_LEDGER) {
    struct braze_list left = braze_list_take_all(&lane->tasks);
    if (atomic_fetch_add(&abandoned_in_process, 1) < BRAZE_MAX_ABANDONED) {
      ledger->abandoned++;
      lane->abandoned = true;
      ledger->lane = NULL;
      if (left.first && start_lane(ledger) == 0) {
        ledger->lane->tasks = left;
        left.first = left.last = NULL;
      }
    } else {
      atomic_fetch_sub(&abandoned_in_process, 1);
    }
    if (left.first) lane->tasks = left;
  }
  pthread_mutex_unlock(&ledger->mutex);
}

/* --- Tasks ------------------------------------------------------------------------------------------- */

void braze_task_init(struct braze_task *task, const struct braze_task_functions *functions, struct braze_ledger *ledger) {
  memset(task, 0, sizeof *task);
  atomic_init(&task->references, 1);
  task->functions = functions;
  task->ledger = braze_ledger_retain(ledger);
}

void braze_task_release(struct braze_task *task) {
  struct braze_ledger *ledger = task->ledger;
  if (atomic_fetch_sub(&task->references, 1) > 1) return;
  task->functions->free(task);
  braze_ledger_release(ledger);
}

int braze_task_submit(struct braze_task *task, const struct braze_wake *wake) {
  struct braze_ledger *ledger = task->ledger;
  int failure;
  braze_lane_refresh(ledger);
  pthread_mutex_lock(&ledger->mutex);
  failure = start_lane(ledger);
  if (failure == 0) {
    atomic_fetch_add(&task->references, 1);
    task->done = task->stirred = task->left = false;
    task->due = 0;
    task->wake = wake && wake->writing >= 0 ? wake : NULL;
    braze_list_append(&ledger->lane->tasks, &task->link);
    pthread_cond_signal(&ledger->lane->work);
  }
  pthread_mutex_unlock(&ledger->mutex);
  return failure;
}

bool braze_task_is_done(struct braze_task *task) {
  bool done;
  pthread_mutex_lock(&task->ledger->mutex);
  done = task->done || task->stirred;
  pthread_mutex_unlock(&task->ledger->mutex);
  return done;
}

bool braze_task_wait(struct braze_task *task, double max_seconds) {
  const struct timespec until = time_of(braze_clock_now() + max_seconds);
  bool done;
  pthread_mutex_lock(&task->ledger->mutex);
  while (!task->done && !task->stirred && pthread_cond_timedwait(&task->ledger->done, &task->ledger->mutex, &until) == 0) continue;
  done = task->done || task->stirred;
  pthread_mutex_unlock(&task->ledger->mutex);
  return done;
}

bool braze_task_leave(struct braze_task *task) {
  bool done;
  braze_lane_refresh(task->ledger);
  pthread_mutex_lock(&task->ledger->mutex);
  done = task->done;
  task->left = true;
  task->wake = NULL;
  pthread_mutex_unlock(&task->ledger->mutex);
  return !done;
}

void braze_task_stir(struct braze_task *task) {
  pthread_mutex_lock(&task->ledger->mutex);
  task->stirred = true;
  if (task->wake) braze_wake_set(task->wake);
  pthread_cond_broadcast(&task->ledger->done);
  pthread_mutex_unlock(&task->ledger->mutex);
}

bool braze_task_is_left(struct braze_task *task) {
  bool left;
  pthread_mutex_lock(&task->ledger->mutex);
  left = task->left;
  pthread_mutex_unlock(&task->ledger->mutex);
  return left;
}

/* --- The thread's store ------------------------------------------------------------------------------ */

void *braze_lane_store(struct braze_lane *lane, double until, enum braze_store_code *code, struct braze_store_words *words) {
  struct braze_ledger *ledger = lane->ledger;
  const struct braze_store_host host = {braze_process_enter, braze_process_leave, braze_clock_now, ledger->workspace, lane->session};
  words->message[0] = words->hint[0] = '\0';
  *code = BRAZE_STORE_FAILED;
  if (lane->store) return lane->store;
  if (!lane->functions) lane->functions = braze_library_load(ledger->kind, ledger->places, words);
  if (!lane->functions) return NULL;
  *code = lane->functions->open(&lane->store, ledger->url, &host, until, words);
  if (*code != BRAZE_STORE_GOOD) lane->store = NULL;
  if (lane->store && words->message[0]) {
    pthread_mutex_lock(&ledger->mutex);
    if (!ledger->warned) braze_text_print(ledger->warning, sizeof ledger->warning, "%s", words->message);
    ledger->warned = true;
    pthread_mutex_unlock(&ledger->mutex);
    words->message[0] = '\0';
  }
  return lane->store;
}

const struct braze_store_functions *braze_lane_functions(const struct braze_lane *lane) {
  return lane->functions;
}

void braze_lane_drop_store(struct braze_lane *lane) {
  if (lane->store) lane->functions->close(lane->store);
  lane->store = NULL;
}

void braze_lane_hold(struct braze_lane *lane, int change) {
  lane->held += change;
}

void braze_lane_hurry(struct braze_lane *lane) {
  struct braze_link *link;
  pthread_mutex_lock(&lane->ledger->mutex);
  for (link = lane->tasks.first; link; link = link->next) BRAZE_OWNER(link, struct braze_task, link)->due = 0;
  pthread_mutex_unlock(&lane->ledger->mutex);
}
