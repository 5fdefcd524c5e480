/* call: see call.h. */
#include "http/call.h"

#include <stdlib.h>
#include <string.h>

struct braze_call *braze_call_new(void) {
  struct braze_call *call = malloc(sizeof *call);
  if (!call) return NULL;
  memset(call, 0, sizeof *call);
  atomic_init(&call->references, 1);
  atomic_init(&call->gate, 0);
  atomic_init(&call->finished, false);
  braze_request_init(&call->request);
  braze_outcome_init(&call->outcome);
  return call;
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
  braze_outcome_free(&call->outcome);
  braze_request_free(&call->request);
  free(call);
}

bool braze_call_pass_gate(struct braze_call *call) {
  unsigned gate = atomic_load(&call->gate);
  do {
    if (gate & BRAZE_GATE_CLOSED) return false;
  } while (!atomic_compare_exchange_weak(&call->gate, &gate, (gate | BRAZE_GATE_SENT) + BRAZE_GATE_ATTEMPT));
  return true;
}

/* A closed gate keeps what was true when it was closed. */
void braze_call_reopen_gate(struct braze_call *call) {
  unsigned gate = atomic_load(&call->gate);
  while (!(gate & BRAZE_GATE_CLOSED) && !atomic_compare_exchange_weak(&call->gate, &gate, gate & ~BRAZE_GATE_SENT)) continue;
}

void braze_call_describe_cancelled(const struct braze_call *call, struct braze_outcome *outcome) {
  unsigned gate = atomic_load(&call->gate);
  braze_outcome_init(outcome);
  outcome->reads = braze_request_reads(&call->request);
  outcome->request_sent = (gate & BRAZE_GATE_SENT) != 0;
  outcome->maybe_applied = outcome->request_sent && !outcome->reads;
  outcome->kind = BRAZE_CANCELLED;
  outcome->attempts = (int)(gate / BRAZE_GATE_ATTEMPT);
  outcome->elapsed = call->cancelled_at - call->started;
}
