/* clock: see clock.h. */
#define _GNU_SOURCE /* clock_gettime and getpid under -std=c11 */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t clock) {
  static _Atomic double last[2]; /* what a clock that fails shows */
  _Atomic double *known = &last[clock == CLOCK_MONOTONIC];
  struct timespec time;
  if (clock_gettime(clock, &time) == 0)
    atomic_store_explicit(known, (double)time.tv_sec + (double)time.tv_nsec / 1e9, memory_order_relaxed);
  return atomic_load_explicit(known, memory_order_relaxed);
}

double braze_clock_now(void) {
  return seconds(CLOCK_MONOTONIC);
}

double braze_clock_epoch(void) {
  return seconds(CLOCK_REALTIME);
}

double braze_clock_random(void) {
  static _Atomic uint64_t drawn;
  /* The process id and the time make parent and child differ. The rest is the mixing function of splitmix64. */
  uint64_t number = atomic_fetch_add(&drawn, UINT64_C(0x9E3779B97F4A7C15)) + ((uint64_t)getpid() << 32);
  number += (uint64_t)(braze_clock_now() * 1e9);
  number = (number ^ (number >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  number = (number ^ (number >> 27)) * UINT64_C(0x94D049BB133111EB);
  number ^= number >> 31;
  return (double)(number >> 11) / (double)(UINT64_C(1) << 53);
}

double braze_clock_wait(double due, bool busy) {
  double wait = due - braze_clock_now();
  (void)busy;
  return wait > 0 ? wait : 0;
}
