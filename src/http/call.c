/* call: see call.h. */
#include "http/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/call_state.h"
#include "process/process.h"

struct braze_call *braze_call_new(double began) {
  struct braze_call *call = malloc(sizeof *call);
  if (!call) return NULL;
  memset(call, 0, sizeof *call);
  call->started = began;
  atomic_init(&call->references, 1);
  atomic_init(&call->gate, 0);
  atomic_init(&call->finished, false);
  braze_request_init(&call->request);
  braze_outcome_init(&call->outcome);
  return call;
}

struct braze_request *braze_call_request(struct braze_call *call) {
  return &call->request;
}

struct braze_limits *braze_call_limits(struct braze_call *call) {
  return &call->limits;
}

void braze_call_ready(struct braze_call *call) {
  call->outcome.reads = braze_request_reads(&call->request);
  call->outcome.body.limit = call->outcome.safe_body.limit = call->request.max_response;
}

struct braze_call *braze_call_retain(struct braze_call *call) {
  atomic_fetch_add(&call->references, 1);
  return call;
}

void braze_call_release(struct braze_call *call) {
  if (!call || atomic_fetch_sub(&call->references, 1) > 1) return;
  if (call->guard) call->guard->functions->release(call->guard);
  free(call->events);
  braze_outcome_free(&call->outcome);
  braze_request_free(&call->request);
  free(call);
}

void braze_call_set_guard(struct braze_call *call, struct braze_guard *guard) {
  call->guard = guard;
}

void braze_call_set_tag(struct braze_call *call, int tag) {
  call->tag = tag;
}

int braze_call_tag(const struct braze_call *call) {
  return call->tag;
}

/* Whether the call is under way in a process that this one was forked from. */
static bool is_parents(const struct braze_call *call) {
  return call->process != braze_process_forks() && !atomic_load(&call->finished);
}

bool braze_call_is_done(const struct braze_call *call) {
  return atomic_load(&call->finished) || is_parents(call);
}

const struct braze_guard *braze_call_guard(const struct braze_call *call) {
  return call->guard && !call->cancelled && !is_parents(call) ? call->guard : NULL;
}

const struct braze_events *braze_call_events(const struct braze_call *call) {
  return call->events && !call->cancelled && !is_parents(call) ? call->events : NULL;
}

struct braze_outcome *braze_call_outcome(struct braze_call *call, struct braze_outcome *written) {
  if (is_parents(call)) {
    braze_call_describe_cancelled(call, braze_clock_now(), written);
    written->maybe_applied = !written->reads; /* the parent goes on with it */
    return written;
  }
  if (!call->cancelled) return &call->outcome;
  braze_call_describe_cancelled(call, call->cancelled_at, written);
  return written;
}
