/* clock: time and random numbers. Nothing else in braze asks the system for them, so that specs need not sleep: a test build puts
   another file in the place of clock.c. */
#ifndef BRAZE_CLOCK_H
#define BRAZE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds on a monotonic clock, which never jumps. Only differences have a meaning. */
double braze_clock_now(void);

/* Seconds since 1970, UTC. */
double braze_clock_epoch(void);

/* A number from 0 up to, but not including, 1. Good enough to spread retries, not for secrets. */
double braze_clock_random(void);

/* The time, which is not negative, rounded up to a whole second. */
static inline int64_t braze_clock_whole(double epoch) {
  int64_t whole = (int64_t)epoch;
  return whole + ((double)whole < epoch);
}

/* How many seconds an engine may wait until `due`, a time of braze_clock_now. `busy`: a transfer is under way. */
double braze_clock_wait(double due, bool busy);

#endif
