/* descriptor: keeps our descriptors out of 0, 1 and 2. A process may run with those closed. What it then prints, or what one of its
   libraries prints, would go into a connection that has such a number. */
#ifndef BRAZE_DESCRIPTOR_H
#define BRAZE_DESCRIPTOR_H

#include <stdbool.h>

#define BRAZE_MIN_DESCRIPTOR 3

/* Takes what open(), socket() and the like have just returned. Returns the same file under a number of 3 or more, close-on-exec,
   and closes the low one; or, where either call failed, the negative error of errno.h. */
int braze_descriptor_raise(int descriptor);

/* Opens those of 0, 1 and 2 that are closed, for the time of a call that opens descriptors which can't be moved afterwards. */
struct braze_descriptor_fill {
  bool filled[BRAZE_MIN_DESCRIPTOR];
};
void braze_descriptor_fill_low(struct braze_descriptor_fill *fill);
void braze_descriptor_release_low(const struct braze_descriptor_fill *fill);

#endif
