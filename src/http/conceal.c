/* conceal: see conceal.h. */
#include "http/conceal.h"

#include <string.h>

#include "base/redact.h"

#define SHORTEST_KEY 8

/* Masks the secrets in a text from outside. */
static void redact(const struct braze_secrets *secrets, char *text, size_t size) {
  char safe[256];
  struct braze_buffer out;
  if (text[0] == '\0' || !braze_redact_finds(secrets, NULL, text, strlen(text))) return;
  braze_buffer_borrow(&out, safe, size < sizeof safe ? size : sizeof safe);
  braze_redact(secrets, NULL, text, strlen(text), &out);
  memcpy(text, safe, out.length + 1);
}

/* Writes the body without its secrets to *safe; nothing if there is no memory. False: the body has no secrets. */
static bool make_safe(const struct braze_secrets *secrets, const struct braze_own_text *own, const struct braze_buffer *body,
                      struct braze_buffer *safe) {
  if (!braze_redact_finds(secrets, own, braze_buffer_text(body), body->length)) return false;
  braze_buffer_init(safe, body->limit);
  if (!braze_redact(secrets, own, body->bytes, body->length, safe) && safe->length < safe->limit) braze_buffer_clear(safe);
  return true;
}

/* Replaces the body by the safe one: the service's 401 repeats the key. */
static void redact_body(const struct braze_secrets *secrets, const struct braze_own_text *own, struct braze_buffer *body) {
  struct braze_buffer safe;
  if (!make_safe(secrets, own, body, &safe)) return;
  braze_buffer_free(body);
  *body = safe;
}

/* A whole 2xx. A success gives back a value that it was given, which may begin as the key does: that stays as it is. A key so
   short that it would spoil the service's own words is left in. What turns out to be no success is shown by safe_body. */
static void redact_answer(const struct braze_secrets *secrets, const struct braze_call *call, struct braze_outcome *outcome) {
  struct braze_own_text own = {NULL, 0};
  own.text = braze_request_echoed(&call->request, &own.length);
  outcome->has_safe_body = make_safe(secrets, NULL, &outcome->body, &outcome->safe_body);
  if (outcome->has_safe_body && secrets->lengths[BRAZE_SECRET_API_KEY] >= SHORTEST_KEY) redact_body(secrets, &own, &outcome->body);
}

void braze_conceal(const struct braze_secrets *secrets, struct braze_call *call) {
  struct braze_outcome *outcome = &call->outcome;
  redact(secrets, outcome->curl_message, sizeof outcome->curl_message);
  redact(secrets, outcome->request_id, sizeof outcome->request_id);
  redact(secrets, outcome->location, sizeof outcome->location);
  redact(secrets, outcome->coding, sizeof outcome->coding);
  redact_body(secrets, NULL, &outcome->link);
  if (outcome->answered)
    redact_answer(secrets, call, outcome);
  else
    redact_body(secrets, NULL, &outcome->body);
}
