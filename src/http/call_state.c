/* call_state: see call_state.h. */
#include "http/call_state.h"

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

void braze_call_describe_cancelled(const struct braze_call *call, double at, struct braze_outcome *outcome) {
  unsigned gate = atomic_load(&call->gate);
  braze_outcome_init(outcome);
  outcome->reads = braze_request_reads(&call->request);
  outcome->request_sent = (gate & BRAZE_GATE_SENT) != 0;
  outcome->maybe_applied = outcome->request_sent && !outcome->reads;
  outcome->kind = BRAZE_CANCELLED;
  outcome->attempts = (int)(gate / BRAZE_GATE_ATTEMPT);
  outcome->elapsed = at - call->started;
}
