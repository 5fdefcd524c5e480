/* clock: see clock.h. The time begins at the second in which it is first asked for; random numbers are the middle ones. */
#define _GNU_SOURCE /* time_t of time() under -std=c11 */
#include "fake/clock.h"

#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"

#ifdef BRAZE_FAKE /* a host that compiles all of src/ into itself has the real ones */

#define MOVES_PER_SECOND 1000000.0

static _Atomic int64_t first_epoch; /* seconds; 0: not asked for yet */
static _Atomic int64_t moved;       /* microseconds since then */

static double moved_seconds(void) {
  return (double)atomic_load(&moved) / MOVES_PER_SECOND;
}

void braze_fake_clock_move(double seconds) {
  atomic_fetch_add(&moved, (int64_t)(seconds * MOVES_PER_SECOND));
}

double braze_clock_now(void) {
  return 1000.0 + moved_seconds();
}

double braze_clock_epoch(void) {
  int64_t none = 0;
  atomic_compare_exchange_strong(&first_epoch, &none, (int64_t)time(NULL));
  return (double)atomic_load(&first_epoch) + moved_seconds();
}

double braze_clock_random(void) {
  return 0.5;
}

double braze_clock_wait(double due, bool busy) {
  double wait = due - braze_clock_now();
  (void)busy;
  return wait > 0 ? wait : 0;
}

#endif
