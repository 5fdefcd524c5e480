/* call: see call.h. */
#include "call.h"

#include <stdlib.h>
#include <string.h>

struct braze_call *braze_call_new(const struct braze_endpoint *endpoint, const struct braze_value *values, const char *body,
                                  size_t body_length) {
  struct braze_call *call;
  size_t size = sizeof *call + body_length, i;
  char *text;
  for (i = 0; i < endpoint->field_count; i++) size += values[i].length;
  call = malloc(size);
  if (!call) return NULL;
  memset(call, 0, sizeof *call);
  atomic_init(&call->references, 1);
  atomic_init(&call->gate, 0);
  atomic_init(&call->finished, false);
  call->endpoint = endpoint;
  text = (char *)(call + 1);
  memcpy(text, body, body_length);
  call->body = text;
  call->body_length = body_length;
  text += body_length;
  for (i = 0; i < endpoint->field_count; i++) {
    if (!values[i].text) continue;
    memcpy(text, values[i].text, values[i].length);
    call->values[i] = text;
    call->value_lengths[i] = values[i].length;
    text += values[i].length;
    if (endpoint->repeat_field && strcmp(endpoint->fields[i].name, endpoint->repeat_field) == 0) call->repeatable = true;
  }
  braze_outcome_init(&call->outcome);
  return call;
}

struct braze_call *braze_call_retain(struct braze_call *call) {
  atomic_fetch_add(&call->references, 1);
  return call;
}

void braze_call_release(struct braze_call *call) {
  if (!call || atomic_fetch_sub(&call->references, 1) > 1) return;
  braze_outcome_free(&call->outcome);
  free(call);
}

bool braze_call_pass_gate(struct braze_call *call) {
  unsigned gate = atomic_load(&call->gate);
  do {
    if (gate & BRAZE_GATE_CLOSED) return false;
  } while (!atomic_compare_exchange_weak(&call->gate, &gate, (gate | BRAZE_GATE_LEFT) + BRAZE_GATE_ATTEMPT));
  return true;
}

/* A closed gate keeps what was true when it was closed. */
void braze_call_reopen_gate(struct braze_call *call) {
  unsigned gate = atomic_load(&call->gate);
  while (!(gate & BRAZE_GATE_CLOSED) && !atomic_compare_exchange_weak(&call->gate, &gate, gate & ~BRAZE_GATE_LEFT)) continue;
}

void braze_call_describe_cancelled(const struct braze_call *call, struct braze_outcome *outcome) {
  unsigned gate = atomic_load(&call->gate);
  braze_outcome_init(outcome);
  outcome->left = outcome->maybe_applied = (gate & BRAZE_GATE_LEFT) != 0;
  outcome->kind = BRAZE_CANCELLED;
  outcome->attempts = (int)(gate / BRAZE_GATE_ATTEMPT);
  outcome->elapsed = call->cancelled_at - call->started;
}
