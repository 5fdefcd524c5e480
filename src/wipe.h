/* wipe: overwrites memory that held a secret. */
#ifndef BRAZE_WIPE_H
#define BRAZE_WIPE_H

#include <stddef.h>

/* In a way that no compiler may drop. */
static inline void braze_wipe(void *memory, size_t length) {
  volatile unsigned char *bytes = memory;
  while (length-- > 0) *bytes++ = 0;
}

#endif
