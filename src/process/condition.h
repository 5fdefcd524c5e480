/* condition: a condition variable that waits by the monotonic clock, whatever is done to the time of day meanwhile. */
#ifndef BRAZE_CONDITION_H
#define BRAZE_CONDITION_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

/* False: no memory. It is destroyed by pthread_cond_destroy. */
bool braze_condition_init(pthread_cond_t *condition);

/* The time that lies so many seconds ahead, by the clock of such a condition. */
struct timespec braze_condition_time(double seconds);

#endif
