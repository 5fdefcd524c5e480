/* retry: see retry.h. The numbers are those of the AWS SDKs' standard mode: 500 tokens, 5 a retry, 10 after a timeout. */
#include "http/retry.h"

#define FULL_BUCKET 500
#define COST 5
#define COST_AFTER_TIMEOUT 10
#define FIRST_PAUSE 0.5
#define LONGEST_PAUSE 8.0

/* When a call that failed may be tried again. */
enum rule { NEVER, WHERE_REPEATABLE, ALWAYS, WHEN_TOLD };

void braze_bucket_init(struct braze_bucket *bucket) {
  atomic_init(&bucket->tokens, FULL_BUCKET);
}

void braze_bucket_reward(struct braze_bucket *bucket) {
  int tokens = atomic_load(&bucket->tokens);
  while (tokens < FULL_BUCKET && !atomic_compare_exchange_weak(&bucket->tokens, &tokens, tokens + 1)) continue;
}

static bool charge(struct braze_bucket *bucket, int cost) {
  int tokens = atomic_load(&bucket->tokens);
  do {
    if (tokens < cost) return false;
  } while (!atomic_compare_exchange_weak(&bucket->tokens, &tokens, tokens - cost));
  return true;
}

static enum rule rule_for_status(int status) {
  if (status == 429) return WHEN_TOLD;
  if (status == 408 || status == 500 || (status >= 502 && status <= 504)) return WHERE_REPEATABLE;
  /* Cloudflare's own: the answer of the service behind it was lost or never came. */
  if (status >= 520 && status <= 524) return WHERE_REPEATABLE;
  return NEVER;
}

static enum rule rule_for(const struct braze_outcome *outcome) {
  if (outcome->status >= 300) return rule_for_status(outcome->status);
  if (outcome->proxy_status >= 400 && outcome->proxy_status <= 499) return NEVER;
  switch (outcome->kind) {
  case BRAZE_NETWORK:
  case BRAZE_TIMEOUT: return outcome->request_sent ? WHERE_REPEATABLE : ALWAYS;
  case BRAZE_TLS: return outcome->request_sent || outcome->trust_failed ? NEVER : ALWAYS;
  default: return NEVER;
  }
}

static double jitter(int tries, double random) {
  double pause = FIRST_PAUSE;
  while (--tries > 0 && pause < LONGEST_PAUSE) pause *= 2;
  return random * (pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE);
}

static double longer(double one, double other) {
  return one > other ? one : other;
}

bool braze_retry_decide(const struct braze_retry_call *call, const struct braze_outcome *outcome,
                        const struct braze_retry_time *time, struct braze_bucket *bucket, double *at) {
  enum rule rule = rule_for(outcome);
  double told = braze_outcome_told_time(outcome);
  double pause = jitter(call->tries, time->random);
  if (outcome->answered || call->tries > call->retries) return false;
  if (rule == NEVER || (rule == WHERE_REPEATABLE && !call->repeatable)) return false;
  /* On a connection that was used before a 429 may be the answer to another request, and this one may have been obeyed. */
  if (rule == WHEN_TOLD && outcome->used_before && !call->repeatable) return false;
  /* A reset is given in whole seconds: one of the current second may have passed by a fraction. */
  if (rule == WHEN_TOLD && (told < 0 || told < time->epoch - 1)) return false;
  if (told > time->epoch) pause = told - time->epoch;
  if (outcome->retry_after_unread) pause = longer(pause, longer(LONGEST_PAUSE, outcome->retry_after - time->epoch));
  *at = time->now + pause;
  if (*at >= call->deadline) return false;
  return charge(bucket, outcome->kind == BRAZE_TIMEOUT ? COST_AFTER_TIMEOUT : COST);
}
