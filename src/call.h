/* call: one call: what is asked, its limits, how far it is, what came of it. */
#ifndef BRAZE_CALL_H
#define BRAZE_CALL_H

#include <stdbool.h>
#include <stddef.h>

#include "endpoint.h"
#include "outcome.h"

enum braze_call_state { BRAZE_CALL_NEW, BRAZE_CALL_WAITING, BRAZE_CALL_RUNNING, BRAZE_CALL_PAUSING, BRAZE_CALL_DONE };

struct braze_transfer;

struct braze_call {
  const struct braze_endpoint *endpoint;
  const char *values[BRAZE_MOST_FIELDS]; /* by the endpoint's fields, NULL = not given */
  size_t value_lengths[BRAZE_MOST_FIELDS];
  const char *body; /* the request's JSON */
  size_t body_length;
  bool repeatable;
  double timeout; /* seconds for all of it */
  double connect_timeout;
  int retries;

  /* The engine's. */
  enum braze_call_state state;
  int tries;
  double started, deadline, due; /* monotonic; due is when a waiting or pausing call must be looked at */
  bool trust_retried;
  struct braze_transfer *transfer;
  struct braze_call *next, *previous;             /* in the engine's list of its state */
  struct braze_call *heap_child, *heap_sibling, *heap_before; /* in the engine's timetable */
  struct braze_outcome outcome;
};

struct braze_value {
  const char *text; /* NULL = not given */
  size_t length;
};

/* A call that owns copies of all it needs; values stand in the order of the endpoint's fields. NULL: no memory. */
struct braze_call *braze_call_new(const struct braze_endpoint *endpoint, const struct braze_value *values, const char *body,
                                  size_t body_length);

void braze_call_free(struct braze_call *call);

#endif
