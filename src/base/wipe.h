/* wipe: overwrites memory that held a secret. */
#ifndef BRAZE_WIPE_H
#define BRAZE_WIPE_H

#include <stddef.h>
#include <string.h>

/* In a way that no compiler may drop. */
static inline void braze_wipe(void *memory, size_t length) {
#ifdef __GNUC__
  if (length > 0) memset(memory, 0, length);
  __asm__ __volatile__("" : : "r"(memory) : "memory"); /* something may read it here, as far as the compiler knows */
#else
  volatile unsigned char *bytes = memory;
  while (length-- > 0) *bytes++ = 0;
#endif
}

#endif
