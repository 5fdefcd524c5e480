/* retry: whether a call that failed is tried again, and when. Pure decisions; time and chance are arguments. */
#ifndef BRAZE_RETRY_H
#define BRAZE_RETRY_H

#include <stdatomic.h>
#include <stdbool.h>

#include "http/outcome.h"

/* Tokens that retries cost, so that an outage is not multiplied. One for each client, shared between threads. */
struct braze_bucket {
  atomic_int tokens;
};

void braze_bucket_init(struct braze_bucket *bucket);

/* Gives one token back after a success. */
void braze_bucket_reward(struct braze_bucket *bucket);

struct braze_retry_call {
  bool repeatable; /* a second request makes nothing new: the caller's own send_id is in it */
  int retries;     /* most further tries */
  int tries;       /* tries so far, the failed one included, whether or not a request left */
  double deadline; /* of the call, on the monotonic clock */
};

struct braze_retry_time {
  double now;    /* monotonic */
  double epoch;  /* UTC */
  double random; /* from 0 up to 1 */
};

/* True: try again at *at (monotonic), which is before the deadline; the bucket has been charged. */
bool braze_retry_decide(const struct braze_retry_call *call, const struct braze_outcome *outcome,
                        const struct braze_retry_time *time, struct braze_bucket *bucket, double *at);

/* When the service said that it may be asked again, by this machine's clock: Retry-After, else on a 429 the reset; negative = it did
   not say, or what it said is no time that it can mean: long past, or more than a year ahead. `epoch` is the time now. */
double braze_retry_at(const struct braze_outcome *outcome, double epoch);

/* When the rate limit is reset, by this machine's clock; negative as above. */
double braze_retry_reset(const struct braze_outcome *outcome, double epoch);

/* The first whole second that is not before a time that is not negative. */
int64_t braze_retry_whole(double epoch);

#endif
