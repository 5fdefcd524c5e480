/* outcome: see outcome.h. */
#include "http/outcome.h"

#include <string.h>

#include "base/wipe.h"

/* Limits of a plausible time. Seconds from now, or milliseconds, in place of epoch seconds lie far outside. */
#define LONGEST_PAST 3600.0
#define LONGEST_AHEAD (366 * 86400.0)

const char *braze_kind_name(enum braze_kind kind) {
  static const char *const names[BRAZE_KIND_COUNT] = {"usage",    "network", "tls",      "timeout",   "rate_limited", "auth",
                                                      "rejected", "server",  "protocol", "cancelled", "busy",         "ledger"};
  return names[kind];
}

/* What is not 0 before an attempt. */
static void begin(struct braze_outcome *outcome) {
  outcome->kind = BRAZE_NETWORK;
  outcome->rate_limit.limit = outcome->rate_limit.remaining = outcome->rate_limit.reset = BRAZE_ABSENT;
  outcome->retry_after = BRAZE_ABSENT;
}

void braze_outcome_init(struct braze_outcome *outcome) {
  memset(outcome, 0, sizeof *outcome);
  braze_buffer_init(&outcome->body, BRAZE_BODY_LIMIT);
  braze_buffer_init(&outcome->safe_body, BRAZE_BODY_LIMIT);
  braze_buffer_init(&outcome->link, BRAZE_LINK_LIMIT);
  begin(outcome);
}

/* In a cancelled attempt these texts are as they came, and may contain the key. */
static void wipe_texts(struct braze_outcome *outcome) {
  braze_wipe(outcome->request_id, sizeof outcome->request_id);
  braze_wipe(outcome->location, sizeof outcome->location);
  braze_wipe(outcome->coding, sizeof outcome->coding);
  braze_wipe(outcome->curl_message, sizeof outcome->curl_message);
}

void braze_outcome_free(struct braze_outcome *outcome) {
  wipe_texts(outcome);
  braze_buffer_free(&outcome->body);
  braze_buffer_free(&outcome->safe_body);
  braze_buffer_free(&outcome->link);
}

void braze_outcome_clear(struct braze_outcome *outcome) {
  begin(outcome);
  outcome->answered = false;
  outcome->status = 0;
  outcome->retry_after_unread = false;
  outcome->clock_ahead = 0;
  wipe_texts(outcome);
  outcome->curl_code = 0;
  outcome->proxy_status = 0;
  outcome->stop = BRAZE_STOP_NONE;
  outcome->lack = BRAZE_LACK_NOTHING;
  outcome->no_descriptor = false;
  outcome->trust_failed = outcome->bad_store = outcome->no_proxy = false;
  outcome->connecting = outcome->crowded = false;
  outcome->request_sent = false;
  outcome->used_before = false;
  outcome->has_safe_body = false;
  braze_buffer_clear(&outcome->body);
  braze_buffer_clear(&outcome->safe_body);
  braze_buffer_clear(&outcome->link);
}

void braze_outcome_classify_status(struct braze_outcome *outcome) {
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
  if (applied && !outcome->reads) outcome->maybe_applied = true;
}

void braze_outcome_reject_answer(struct braze_outcome *outcome) {
  outcome->kind = BRAZE_PROTOCOL;
  if (!outcome->reads) outcome->maybe_applied = true;
}

void braze_outcome_fail(struct braze_outcome *outcome, enum braze_kind kind) {
  outcome->kind = kind;
  if (outcome->request_sent && !outcome->reads) outcome->maybe_applied = true;
}

double braze_outcome_told_time(const struct braze_outcome *outcome) {
  if (outcome->retry_after >= 0 && !outcome->retry_after_unread) return outcome->retry_after;
  if (outcome->status == 429 && outcome->rate_limit.reset >= 0) return (double)outcome->rate_limit.reset + outcome->clock_ahead;
  return BRAZE_ABSENT;
}

static double if_plausible(double at, double epoch) {
  return at >= 0 && at >= epoch - LONGEST_PAST && at <= epoch + LONGEST_AHEAD ? at : BRAZE_ABSENT;
}

double braze_outcome_retry_at(const struct braze_outcome *outcome, double epoch) {
  return if_plausible(braze_outcome_told_time(outcome), epoch);
}

double braze_outcome_reset_at(const struct braze_outcome *outcome, double epoch) {
  const int64_t reset = outcome->rate_limit.reset;
  return reset >= 0 ? if_plausible((double)reset + outcome->clock_ahead, epoch) : BRAZE_ABSENT;
}
