/* wipe: overwrites memory that held a secret. */
#ifndef BRAZE_WIPE_H
#define BRAZE_WIPE_H

#include <stddef.h>

/* Sets the bytes to 0 in a way that no compiler may drop. `memory` may be NULL where the length is 0. */
void braze_wipe(void *memory, size_t length);

#endif
