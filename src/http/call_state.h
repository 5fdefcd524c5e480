/* call_state: what a call consists of, and its gate. For the files of http/ that run calls. */
#ifndef BRAZE_CALL_STATE_H
#define BRAZE_CALL_STATE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/heap.h"
#include "base/list.h"
#include "http/guard.h"
#include "http/limits.h"
#include "http/outcome.h"
#include "http/request.h"

enum braze_call_state {
  BRAZE_CALL_NEW,
  BRAZE_CALL_WAITING, /* for a place among the connections */
  BRAZE_CALL_ASKING,  /* its guard must let it pass before the first attempt */
  BRAZE_CALL_LOOKING, /* an attempt waits for a look */
  BRAZE_CALL_RUNNING, /* libcurl has an attempt */
  BRAZE_CALL_PAUSING, /* before the next attempt */
  BRAZE_CALL_TELLING, /* its outcome is known, and its guard is told */
  BRAZE_CALL_DONE,
  BRAZE_CALL_STATE_COUNT
};

/* The gate tells the thread that runs a call and the thread that may cancel it, without a lock, whether a request was sent, whether one
   still may be, and how many were. */
#define BRAZE_GATE_CLOSED 1u  /* cancelled: from here on no request of this call is sent */
#define BRAZE_GATE_SENT 2u    /* a request was sent, and the service may be working on it */
#define BRAZE_GATE_ATTEMPT 4u /* one request; the upper bits count them */

struct braze_events;
struct braze_transfer;

struct braze_call {
  atomic_int references;
  atomic_uint gate;
  struct braze_request request;
  struct braze_limits limits;
  struct braze_guard *guard;   /* owned; NULL: none */
  struct braze_events *events; /* owned; NULL: nobody asked for them */

  double started; /* monotonic: when the caller began it. The deadline and the elapsed time count from there */

  /* For the engine. */
  enum braze_call_state state;
  int tries;
  double deadline;      /* monotonic */
  double connect_by;    /* monotonic, for this attempt */
  bool trust_retried;
  bool refused_connection; /* the last attempt found its kept connection unfit */
  bool fresh;              /* this attempt makes a connection of its own */
  bool needs_look;         /* no kept connection can be used */
  bool asks;               /* its guard was asked, and has not answered */
  bool passed;             /* its guard let it pass */
  struct braze_transfer *transfer;
  struct braze_heap_node next_step; /* in one of the engine's heaps: when it must look at the call again */
  struct braze_outcome outcome;

  /* For the worker and the call's owner; see worker.h. */
  atomic_bool finished;
  bool cancelled;
  double cancelled_at;
  unsigned process; /* in which it was handed over, by braze_process_forks */
  int tag;

  struct braze_link engine_link; /* in the worker's inbox, then in the engine's list of its state */
  struct braze_link owner_link;  /* in flight, then in the outbox */
  struct braze_link cancel_link; /* among those that the thread is to cancel */
};

/* The call as its guard sees it. */
static inline struct braze_guarded braze_call_guarded(struct braze_call *call) {
  const struct braze_guarded guarded = {&call->request, &call->limits, &call->outcome, call->deadline};
  return guarded;
}

static inline struct braze_call *braze_call_of_engine_link(struct braze_link *link) {
  return link ? BRAZE_OWNER(link, struct braze_call, engine_link) : NULL;
}

static inline struct braze_call *braze_call_of_owner_link(struct braze_link *link) {
  return link ? BRAZE_OWNER(link, struct braze_call, owner_link) : NULL;
}

static inline struct braze_call *braze_call_of_cancel_link(struct braze_link *link) {
  return link ? BRAZE_OWNER(link, struct braze_call, cancel_link) : NULL;
}

static inline struct braze_call *braze_call_of_next_step(struct braze_heap_node *node) {
  return node ? BRAZE_OWNER(node, struct braze_call, next_step) : NULL;
}

/* A request is about to be sent. False: it must not be, because the call was cancelled before. */
bool braze_call_pass_gate(struct braze_call *call);

/* Whether the call was cancelled, by whichever thread. */
static inline bool braze_call_is_cancelled(const struct braze_call *call) {
  return atomic_load(&call->gate) & BRAZE_GATE_CLOSED;
}

/* Writes what is known of a call that was cancelled at a time while another thread ran it: its own outcome must not be read then. */
void braze_call_describe_cancelled(const struct braze_call *call, double at, struct braze_outcome *outcome);

/* The attempt is over, and it can have had no effect. */
void braze_call_reopen_gate(struct braze_call *call);

#endif
