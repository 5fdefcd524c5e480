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

void braze_call_free(struct braze_call *call) {
  if (!call) return;
  braze_outcome_free(&call->outcome);
  free(call);
}
