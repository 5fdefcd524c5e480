/* call: see call.h. */
#include "http/call.h"

#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"

/* Two braces, and for each value its name, what it is as JSON, and a comma. */
static size_t max_body(const struct braze_endpoint *endpoint, const struct braze_value *values) {
  size_t size = 2, i;
  for (i = 0; i < endpoint->field_count; i++)
    if (values[i].text) size += strlen(endpoint->fields[i].json) + values[i].json_length + 1;
  return size;
}

static char *append(char *end, const char *text, size_t length) {
  memcpy(end, text, length);
  return end + length;
}

/* Writes the request's body; returns its end. */
static char *write_body(char *body, const struct braze_endpoint *endpoint, const struct braze_value *values) {
  char *end = body;
  size_t i;
  *end++ = '{';
  for (i = 0; i < endpoint->field_count; i++) {
    if (!values[i].text) continue;
    if (end > body + 1) *end++ = ',';
    end = append(end, endpoint->fields[i].json, strlen(endpoint->fields[i].json));
    end = append(end, values[i].json, values[i].json_length);
  }
  *end++ = '}';
  return end;
}

struct braze_call *braze_call_new(const struct braze_endpoint *endpoint, const struct braze_value *values) {
  struct braze_call *call = malloc(sizeof *call);
  size_t size = max_body(endpoint, values), i;
  char *body, *text;
  for (i = 0; i < endpoint->field_count; i++) size += values[i].length;
  /* Apart, both are of sizes that glibc keeps at hand: one block of more than 1,032 bytes costs as much as forty of those. */
  body = malloc(size);
  if (!call || !body) {
    free(call);
    free(body);
    return NULL;
  }
  memset(call, 0, sizeof *call);
  atomic_init(&call->references, 1);
  atomic_init(&call->gate, 0);
  atomic_init(&call->finished, false);
  call->endpoint = endpoint;
  call->body = body;
  text = write_body(body, endpoint, values);
  call->body_length = (size_t)(text - body);
  for (i = 0; i < endpoint->field_count; i++) {
    if (!values[i].text) continue;
    call->values[i] = text;
    call->value_lengths[i] = values[i].length;
    text = append(text, values[i].text, values[i].length);
    if (endpoint->repeat_field && strcmp(endpoint->fields[i].name, endpoint->repeat_field) == 0) call->repeatable = true;
  }
  braze_outcome_init(&call->outcome);
  return call;
}

struct braze_call *braze_call_retain(struct braze_call *call) {
  atomic_fetch_add(&call->references, 1);
  return call;
}

/* A value may be the key in the wrong place. */
static void wipe_body(struct braze_call *call) {
  size_t i;
  for (i = 0; i < call->endpoint->field_count; i++)
    if (call->values[i]) braze_wipe(call->body + (call->values[i] - call->body), call->value_lengths[i]);
  braze_wipe(call->body, call->body_length);
}

void braze_call_release(struct braze_call *call) {
  if (!call || atomic_fetch_sub(&call->references, 1) > 1) return;
  braze_outcome_free(&call->outcome);
  wipe_body(call);
  free(call->body);
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
  outcome->request_sent = outcome->maybe_applied = (gate & BRAZE_GATE_SENT) != 0;
  outcome->kind = BRAZE_CANCELLED;
  outcome->attempts = (int)(gate / BRAZE_GATE_ATTEMPT);
  outcome->elapsed = call->cancelled_at - call->started;
}
