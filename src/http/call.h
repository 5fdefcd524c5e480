/* call: one call: what is asked, its limits, how far it is, what came of it. */
#ifndef BRAZE_CALL_H
#define BRAZE_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/outcome.h"
#include "http/request.h"

enum braze_call_state { BRAZE_CALL_NEW, BRAZE_CALL_WAITING, BRAZE_CALL_LOOKING, BRAZE_CALL_RUNNING, BRAZE_CALL_PAUSING, BRAZE_CALL_DONE };

/* What the thread that runs a call and the one that may cancel it agree on without waiting for each other: whether the
   request left, whether it still may, and how many did. */
#define BRAZE_GATE_CLOSED 1u  /* cancelled: from here on no request of this call leaves */
#define BRAZE_GATE_LEFT 2u    /* one left, and the service may be working on it */
#define BRAZE_GATE_ATTEMPT 4u /* times the number of requests that began to leave */

struct braze_transfer;

struct braze_call {
  atomic_int references;
  atomic_uint gate;
  struct braze_request request;
  double timeout; /* seconds for all of it */
  double connect_timeout;
  int retries;

  double started; /* monotonic */

  /* The engine's. */
  enum braze_call_state state;
  int tries;
  double deadline, due; /* monotonic; due is when the call must be looked at */
  double connect_by;    /* of this attempt */
  bool trust_retried;
  bool refused_connection; /* a connection that was kept was not fit for the last attempt */
  bool fresh;              /* this attempt has a connection of its own */
  bool needs_look;         /* no connection that is kept would do */
  struct braze_transfer *transfer;
  struct braze_call *next, *previous;             /* in the engine's list of its state */
  struct braze_call *heap_child, *heap_sibling, *heap_before; /* in the engine's timetable */
  struct braze_outcome outcome;

  /* The worker's and its owner's; see worker.h. */
  atomic_bool finished;
  bool cancelled;
  double cancelled_at;
  int reference; /* the owner's mark */
  struct braze_call *inbox_next, *cancel_next, *outbox_next, *flight_next, *flight_previous;
};

/* A call with an empty request, which is to be filled in before the call is handed over, and one reference. NULL: no memory. */
struct braze_call *braze_call_new(void);

/* The request is filled in: sets what follows from it. */
void braze_call_ready(struct braze_call *call);

struct braze_call *braze_call_retain(struct braze_call *call);

/* Gives a reference back (NULL is nothing). */
void braze_call_release(struct braze_call *call);

/* The request is about to leave. False: it must not, the call was cancelled before. */
bool braze_call_pass_gate(struct braze_call *call);

/* Whether it was, by whichever thread. */
static inline bool braze_call_is_cancelled(const struct braze_call *call) {
  return atomic_load(&call->gate) & BRAZE_GATE_CLOSED;
}

/* What is known of a call that was cancelled while another thread ran it: its own outcome may not be read. */
void braze_call_describe_cancelled(const struct braze_call *call, struct braze_outcome *outcome);

/* The attempt is over and nothing of it can have been applied. */
void braze_call_reopen_gate(struct braze_call *call);

#endif
