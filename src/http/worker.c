/* worker: see worker.h. The owner and the thread share one struct, which the last of the two frees. */
#define _GNU_SOURCE /* clocks and signals under -std=c11 */
#include "http/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "process/condition.h"
#include "process/descriptor.h"
#include "http/call_state.h"
#include "http/engine.h"
#include "process/process.h"
#include "process/thread.h"
#include "process/wake.h"

#define LONGEST_WAIT 3600.0
#define LONGEST_WAIT_OF_OWNER 1.0 /* its thread must notice that the process exits */

struct braze_worker {
  atomic_int references; /* the owner's and the thread's */
  pthread_mutex_t mutex; /* guards all below up to the blank line */
  pthread_cond_t finished;
  struct braze_list inbox;   /* by engine_link: submitted, not yet seen by the thread */
  struct braze_list cancels; /* by cancel_link: cancelled, not yet seen by the thread; each with a reference */
  struct braze_list flight;  /* by owner_link: neither finished nor cancelled, the oldest first */
  struct braze_list outbox;  /* by owner_link: finished or cancelled, not yet taken */
  int outbox_count;
  bool closing;
  bool asleep; /* the thread waits, or is about to, and must be woken for anything new */
  bool waited_for;
  bool polled; /* the descriptor has been asked for: it takes two system calls each time that something finishes */
  int notify;

  atomic_bool ready; /* something can be taken, and the descriptor is readable */
  struct braze_wake wake;
  bool started;
  struct braze_engine *engine;
};

static void release(struct braze_worker *worker) {
  if (atomic_fetch_sub(&worker->references, 1) > 1) return;
  pthread_mutex_destroy(&worker->mutex);
  pthread_cond_destroy(&worker->finished);
  braze_wake_close(&worker->wake);
  if (worker->notify >= 0) close(worker->notify);
  free(worker);
}

/* The descriptor for the owner, and an engine that the owner can wake. Returns 0 or an error. */
static int open_engine(struct braze_worker *worker, struct braze_settings *settings) {
  int failure = braze_wake_open(&worker->wake);
  if (failure == 0) failure = braze_engine_new(&worker->engine, settings, settings->max_connections);
  if (failure != 0) return failure;
  failure = braze_engine_open_wake(worker->engine);
  if (failure != 0) braze_engine_free(worker->engine);
  return failure;
}

int braze_worker_new(struct braze_worker **made, struct braze_settings *settings) {
  struct braze_worker *worker = calloc(1, sizeof *worker);
  int failure;
  if (!worker) return ENOMEM;
  atomic_init(&worker->references, 1);
  atomic_init(&worker->ready, false);
  worker->notify = -1;
  braze_wake_init(&worker->wake);
  pthread_mutex_init(&worker->mutex, NULL);
  if (!braze_condition_init(&worker->finished)) {
    pthread_mutex_destroy(&worker->mutex);
    free(worker);
    return ENOMEM;
  }
  failure = open_engine(worker, settings);
  if (failure == 0)
    *made = worker;
  else
    release(worker);
  return failure;
}

/* Under the mutex: moves a call from the flight to the outbox, where it can be taken. */
static void push_outbox(struct braze_worker *worker, struct braze_call *call) {
  braze_list_remove(&worker->flight, &call->owner_link);
  braze_list_append(&worker->outbox, &call->owner_link);
  worker->outbox_count++;
  atomic_store(&call->finished, true);
  if (!atomic_exchange(&worker->ready, true)) {
    if (worker->polled) braze_wake_set(&worker->wake);
    braze_wake_notify(worker->notify);
  }
}

/* Under the mutex, after something new has come: whether the thread must be woken. A thread at work looks by itself before it waits. */
static bool rouse(struct braze_worker *worker) {
  bool asleep = worker->asleep;
  worker->asleep = false;
  return asleep;
}

/* On the thread: whether nothing has come in meanwhile. If so, whoever brings something wakes the thread. */
static bool may_sleep(struct braze_worker *worker) {
  bool nothing_new;
  pthread_mutex_lock(&worker->mutex);
  nothing_new = !worker->inbox.first && !worker->cancels.first && !worker->closing;
  worker->asleep = nothing_new;
  pthread_mutex_unlock(&worker->mutex);
  return nothing_new;
}

/* On the thread: submits new calls, and ends those that were cancelled. False: the thread must end. */
static bool receive(struct braze_worker *worker) {
  struct braze_list submitted, cancels;
  struct braze_call *call;
  bool closing;
  pthread_mutex_lock(&worker->mutex);
  worker->asleep = false;
  closing = worker->closing;
  submitted = braze_list_take_all(&worker->inbox);
  cancels = braze_list_take_all(&worker->cancels);
  pthread_mutex_unlock(&worker->mutex);
  while ((call = braze_call_of_engine_link(braze_list_take(&submitted))) != NULL) {
    if (braze_call_is_cancelled(call))
      braze_call_release(call);
    else
      braze_engine_submit(worker->engine, call);
  }
  while ((call = braze_call_of_cancel_link(braze_list_take(&cancels))) != NULL) {
    braze_engine_cancel(worker->engine, call);
    braze_call_release(call);
  }
  return !closing;
}

/* On the thread: hands over the calls that are done, with the thread's references. */
static void deliver(struct braze_worker *worker) {
  struct braze_call *call = braze_engine_take(worker->engine);
  bool waited_for;
  if (!call) return;
  pthread_mutex_lock(&worker->mutex);
  waited_for = worker->waited_for;
  for (; call; call = braze_engine_take(worker->engine)) {
    if (call->cancelled)
      braze_call_release(call);
    else
      push_outbox(worker, call);
  }
  pthread_mutex_unlock(&worker->mutex);
  if (waited_for) pthread_cond_signal(&worker->finished); /* not under the mutex, which the owner takes first */
}

/* Does not return once the process is exiting: the thread sleeps until it ends with the process. */
static void begin_work(void) {
  while (!braze_process_enter()) pause();
}

static void *work(void *data) {
  struct braze_worker *worker = data;
  for (begin_work(); receive(worker); begin_work()) {
    braze_engine_step(worker->engine);
    deliver(worker);
    braze_process_leave();
    if (may_sleep(worker)) braze_engine_wait(worker->engine, LONGEST_WAIT);
  }
  braze_engine_cancel_all(worker->engine);
  deliver(worker);
  braze_engine_free(worker->engine);
  release(worker);
  braze_process_leave_at_thread_end();
  return NULL;
}

/* Starts the worker's thread once. Returns 0 or an error. */
static int start_thread(struct braze_worker *worker) {
  int failure;
  if (worker->started) return 0;
  atomic_fetch_add(&worker->references, 1);
  failure = braze_thread_start(work, worker);
  if (failure != 0) atomic_fetch_sub(&worker->references, 1);
  worker->started = failure == 0;
  return failure;
}

int braze_worker_submit(struct braze_worker *worker, struct braze_call *call) {
  bool asleep;
  int failure = start_thread(worker);
  if (failure != 0) return failure;
  call->process = braze_process_forks();
  braze_call_retain(call);
  pthread_mutex_lock(&worker->mutex);
  braze_list_append(&worker->inbox, &call->engine_link);
  braze_list_append(&worker->flight, &call->owner_link);
  asleep = rouse(worker);
  pthread_mutex_unlock(&worker->mutex);
  if (asleep) braze_engine_wake(worker->engine); /* not under the mutex, which the thread takes first */
  return 0;
}

/* Under the mutex. The outbox gets a reference of its own; the thread keeps its own until it has dropped the call. */
static void cancel(struct braze_worker *worker, struct braze_call *call) {
  atomic_fetch_or(&call->gate, BRAZE_GATE_CLOSED);
  call->cancelled = true;
  call->cancelled_at = braze_clock_now();
  push_outbox(worker, braze_call_retain(call));
}

bool braze_worker_cancel(struct braze_worker *worker, struct braze_call *call) {
  bool fresh;
  pthread_mutex_lock(&worker->mutex);
  fresh = !atomic_load(&call->finished);
  if (fresh) {
    cancel(worker, call);
    braze_list_append(&worker->cancels, &braze_call_retain(call)->cancel_link);
    if (rouse(worker))
      braze_engine_wake(worker->engine); /* under the mutex: while it is held, a thread that sleeps does not free its engine */
  }
  pthread_mutex_unlock(&worker->mutex);
  return fresh;
}

/* Under the mutex: cancels all calls with this deadline or an earlier one, in the order in which they were started. */
static void cancel_flight(struct braze_worker *worker, double deadline) {
  struct braze_link *link, *next;
  for (link = worker->flight.first; link; link = next) {
    struct braze_call *call = braze_call_of_owner_link(link);
    next = link->next; /* before the call goes to the outbox */
    if (call->started + call->limits.timeout <= deadline) cancel(worker, call);
  }
}

void braze_worker_close(struct braze_worker *worker) {
  pthread_mutex_lock(&worker->mutex);
  if (!worker->closing) {
    worker->closing = true;
    cancel_flight(worker, HUGE_VAL);
    if (rouse(worker)) braze_engine_wake(worker->engine);
  }
  pthread_mutex_unlock(&worker->mutex);
}

void braze_worker_cancel_overdue(struct braze_worker *worker) {
  double deadline = braze_process_is_exiting_here() ? HUGE_VAL : braze_clock_now();
  pthread_mutex_lock(&worker->mutex);
  cancel_flight(worker, deadline);
  pthread_mutex_unlock(&worker->mutex);
}

void braze_worker_free(struct braze_worker *worker) {
  struct braze_call *call;
  if (!worker) return;
  braze_worker_close(worker);
  while ((call = braze_worker_take(worker)) != NULL) braze_call_release(call);
  if (!worker->started) braze_engine_retire(worker->engine);
  release(worker);
}

struct braze_call *braze_worker_take(struct braze_worker *worker) {
  struct braze_call *call;
  if (!atomic_load(&worker->ready)) return NULL;
  pthread_mutex_lock(&worker->mutex);
  call = braze_call_of_owner_link(braze_list_take(&worker->outbox));
  if (call) worker->outbox_count--;
  pthread_mutex_unlock(&worker->mutex);
  return call;
}

int braze_worker_count(struct braze_worker *worker) {
  int count;
  pthread_mutex_lock(&worker->mutex);
  count = worker->outbox_count;
  pthread_mutex_unlock(&worker->mutex);
  return count;
}

bool braze_worker_ready(const struct braze_worker *worker) {
  return atomic_load(&worker->ready);
}

void braze_worker_rearm(struct braze_worker *worker) {
  if (!atomic_load(&worker->ready)) return;
  pthread_mutex_lock(&worker->mutex);
  if (!worker->outbox.first) {
    if (worker->polled) braze_wake_clear(&worker->wake);
    atomic_store(&worker->ready, false);
  } else {
    braze_wake_notify(worker->notify); /* its byte was read, and no other one is written while the descriptor stays readable */
  }
  pthread_mutex_unlock(&worker->mutex);
}

int braze_worker_descriptor(struct braze_worker *worker) {
  pthread_mutex_lock(&worker->mutex);
  if (!worker->polled && atomic_load(&worker->ready)) braze_wake_set(&worker->wake);
  worker->polled = true;
  pthread_mutex_unlock(&worker->mutex);
  return worker->wake.reading;
}

void braze_worker_notify(struct braze_worker *worker, int socket) {
  int own = socket >= 0 ? fcntl(socket, F_DUPFD_CLOEXEC, BRAZE_MIN_DESCRIPTOR) : -1, before;
  pthread_mutex_lock(&worker->mutex);
  before = worker->notify;
  worker->notify = own;
  pthread_mutex_unlock(&worker->mutex);
  if (before >= 0) close(before);
}

bool braze_worker_wait(struct braze_worker *worker, const struct braze_call *call, double max_seconds) {
  const double seconds = max_seconds < 0 ? 0 : max_seconds < LONGEST_WAIT_OF_OWNER ? max_seconds : LONGEST_WAIT_OF_OWNER;
  const struct timespec until = braze_condition_time(seconds);
  bool there;
  pthread_mutex_lock(&worker->mutex);
  worker->waited_for = true;
  for (;;) {
    there = call ? atomic_load(&call->finished) : worker->outbox.first != NULL;
    if (there || pthread_cond_timedwait(&worker->finished, &worker->mutex, &until) != 0) break;
  }
  there = call ? atomic_load(&call->finished) : worker->outbox.first != NULL;
  worker->waited_for = false;
  pthread_mutex_unlock(&worker->mutex);
  return there;
}
