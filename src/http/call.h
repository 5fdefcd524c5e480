/* call: one call: what is asked, its limits, how far it is, what came of it. */
#ifndef BRAZE_CALL_H
#define BRAZE_CALL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/heap.h"
#include "base/list.h"
#include "http/limits.h"
#include "http/outcome.h"
#include "service/operation.h"

enum braze_call_state { BRAZE_CALL_NEW, BRAZE_CALL_WAITING, BRAZE_CALL_LOOKING, BRAZE_CALL_RUNNING, BRAZE_CALL_PAUSING, BRAZE_CALL_DONE, BRAZE_CALL_STATE_COUNT };

/* What the thread that runs a call and the one that may cancel it agree on without waiting for each other: whether the
   request left, whether it still may, and how many did. */
#define BRAZE_GATE_CLOSED 1u  /* cancelled: from here on no request of this call leaves */
#define BRAZE_GATE_SENT 2u    /* one left, and the service may be working on it */
#define BRAZE_GATE_ATTEMPT 4u /* times the number of requests that began to leave */

struct braze_transfer;

struct braze_call {
  atomic_int references;
  atomic_uint gate;
  const struct braze_endpoint *endpoint;
  const char *values[BRAZE_MAX_FIELDS]; /* by the endpoint's fields, NULL = not given */
  size_t value_lengths[BRAZE_MAX_FIELDS];
  char *body; /* the request's JSON, and behind it the values */
  size_t body_length;
  bool repeatable;
  struct braze_limits limits;

  double started; /* monotonic */

  /* The engine's. */
  enum braze_call_state state;
  int tries;
  double deadline;      /* monotonic */
  double connect_by;    /* of this attempt */
  bool trust_retried;
  bool refused_connection; /* a connection that was kept was not fit for the last attempt */
  bool watched;            /* it has waited once to see whether one is */
  bool fresh;              /* this attempt has a connection of its own */
  bool needs_look;         /* no connection that is kept would do */
  struct braze_transfer *transfer;
  struct braze_heap_node next_step; /* in one of the engine's heaps: when it must look at the call again */
  struct braze_outcome outcome;

  /* The worker's and its owner's; see worker.h. */
  atomic_bool finished;
  bool cancelled;
  double cancelled_at;
  int reference; /* the owner's mark */

  struct braze_link engine_link; /* in the worker's inbox, then in the engine's list of its state */
  struct braze_link owner_link;  /* in flight, then in the outbox */
  struct braze_link cancel_link; /* among those that the thread is to cancel */
};

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

struct braze_value {
  const char *text; /* NULL = not given */
  size_t length;
  const char *json; /* the same as a JSON string, quotes and all */
  size_t json_length;
};

/* A call that owns copies of all it needs, with one reference; values stand in the order of the endpoint's fields, as do those
   of the request's JSON object. NULL: no memory. */
struct braze_call *braze_call_new(const struct braze_endpoint *endpoint, const struct braze_value *values);

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
