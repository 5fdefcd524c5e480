/* retry: decides whether a call that failed is tried again, and when. Time and random numbers are arguments. */
#ifndef BRAZE_RETRY_H
#define BRAZE_RETRY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "http/outcome.h"

/* The tokens that retries cost, so that retries do not make an outage worse. One bucket for each client, shared between threads. */
struct braze_bucket {
  atomic_int tokens;
};

void braze_bucket_init(struct braze_bucket *bucket);

/* Puts one token back, after a success. */
void braze_bucket_reward(struct braze_bucket *bucket);

struct braze_retry_call {
  bool repeatable; /* a second request has no further effect, as with the caller's own send_id */
  int retries;     /* further tries at most */
  int tries;       /* so far, including the failed one, whether or not a request was sent */
  double deadline; /* of the call, monotonic */
};

struct braze_retry_time {
  double now;    /* monotonic */
  double epoch;  /* UTC */
  double random; /* at least 0, less than 1 */
};

/* True: try again at *at (monotonic), which lies before the deadline. The bucket has been charged. */
bool braze_retry_decide(const struct braze_retry_call *call, const struct braze_outcome *outcome,
                        const struct braze_retry_time *time, struct braze_bucket *bucket, double *at);

#endif
