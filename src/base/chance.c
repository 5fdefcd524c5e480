/* chance: see chance.h. */
#define _GNU_SOURCE /* getentropy under -std=c11 */
#include "base/chance.h"

#include <unistd.h>
#ifdef __APPLE__
#include <sys/random.h>
#endif

#include "base/clock.h"

int64_t braze_chance_number(void) {
  uint64_t number = 0;
  if (getentropy(&number, sizeof number) != 0)
    number = (uint64_t)(braze_clock_random() * 0x1p53) << 11 ^ (uint64_t)(braze_clock_random() * 0x1p53);
  number &= INT64_MAX;
  return number > 0 ? (int64_t)number : 1;
}
