/* outcome: see outcome.h. */
#include "outcome.h"

#include <string.h>

const char *braze_kind_name(enum braze_kind kind) {
  static const char *const names[BRAZE_KIND_COUNT] = {"usage",    "network", "tls",      "timeout",   "rate_limited", "auth",
                                                      "rejected", "server",  "protocol", "cancelled"};
  return names[kind];
}

void braze_outcome_init(struct braze_outcome *outcome) {
  memset(outcome, 0, sizeof *outcome);
  braze_buffer_init(&outcome->body, BRAZE_BODY_LIMIT);
  braze_buffer_init(&outcome->safe_body, BRAZE_BODY_LIMIT);
  braze_outcome_clear(outcome);
}

void braze_outcome_free(struct braze_outcome *outcome) {
  braze_buffer_free(&outcome->body);
  braze_buffer_free(&outcome->safe_body);
}

void braze_outcome_clear(struct braze_outcome *outcome) {
  outcome->answered = false;
  outcome->kind = BRAZE_NETWORK;
  outcome->status = 0;
  outcome->rate_limit.limit = outcome->rate_limit.remaining = outcome->rate_limit.reset = BRAZE_ABSENT;
  outcome->retry_after = BRAZE_ABSENT;
  outcome->request_id[0] = '\0';
  outcome->location[0] = '\0';
  outcome->curl_code = 0;
  outcome->curl_message[0] = '\0';
  outcome->proxy_status = 0;
  outcome->stop = BRAZE_STOP_NONE;
  outcome->lack = BRAZE_LACK_NOTHING;
  outcome->no_descriptor = false;
  outcome->trust_failed = false;
  outcome->connecting = false;
  outcome->left = false;
  outcome->has_safe_body = false;
  braze_buffer_clear(&outcome->body);
  braze_buffer_clear(&outcome->safe_body);
}

void braze_outcome_judge_status(struct braze_outcome *outcome) {
  int status = outcome->status;
  bool applied = true;
  outcome->kind = BRAZE_PROTOCOL;
  if (status >= 500 && status <= 599) {
    outcome->kind = BRAZE_SERVER;
  } else if (status >= 400 && status <= 499) {
    outcome->kind = status == 429                    ? BRAZE_RATE_LIMITED
                    : status == 401 || status == 403 ? BRAZE_AUTH
                                                     : BRAZE_REJECTED;
    applied = status == 408;
  } else if (status >= 300 && status <= 399) {
    applied = status == 303;
  }
  if (applied) outcome->maybe_applied = true;
}

void braze_outcome_reject_answer(struct braze_outcome *outcome) {
  outcome->kind = BRAZE_PROTOCOL;
  outcome->maybe_applied = true;
}

void braze_outcome_fail(struct braze_outcome *outcome, enum braze_kind kind) {
  outcome->kind = kind;
  if (outcome->left) outcome->maybe_applied = true;
}
