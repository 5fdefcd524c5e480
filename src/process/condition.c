/* condition: see condition.h. */
#define _GNU_SOURCE /* clocks under -std=c11 */
#include "process/condition.h"

#ifdef __APPLE__ /* where a condition knows no other clock */
#define CLOCK CLOCK_REALTIME
#else
#define CLOCK CLOCK_MONOTONIC
#endif

bool braze_condition_init(pthread_cond_t *condition) {
  pthread_condattr_t attributes;
  bool good;
  if (pthread_condattr_init(&attributes) != 0) return false;
#ifndef __APPLE__
  pthread_condattr_setclock(&attributes, CLOCK);
#endif
  good = pthread_cond_init(condition, &attributes) == 0;
  pthread_condattr_destroy(&attributes);
  return good;
}

struct timespec braze_condition_time(double seconds) {
  struct timespec time = {0, 0};
  const double whole = (double)(time_t)seconds;
  clock_gettime(CLOCK, &time);
  time.tv_sec += (time_t)whole;
  time.tv_nsec += (long)((seconds - whole) * 1e9);
  if (time.tv_nsec >= 1000000000L) {
    time.tv_nsec -= 1000000000L;
    time.tv_sec++;
  }
  return time;
}
