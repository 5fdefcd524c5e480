/* descriptor: keeps ours out of 0, 1 and 2. A process may run with those closed; what it then prints, or what a library of its
   prints, would go into a connection that has one of these numbers. */
#ifndef BRAZE_DESCRIPTOR_H
#define BRAZE_DESCRIPTOR_H

#include <stdbool.h>

#define BRAZE_LEAST_DESCRIPTOR 3

/* The same file under a number of 3 or more, close-on-exec; the low number is closed. -1 stays -1, and is what comes back where
   there is no descriptor (errno). */
int braze_descriptor_raise(int descriptor);

/* Fills 0, 1 and 2 as far as they are closed, around a call that opens descriptors which can't be moved afterwards; released
   right behind it. */
struct braze_descriptor_fill {
  bool filled[BRAZE_LEAST_DESCRIPTOR];
};
void braze_descriptor_fill_low(struct braze_descriptor_fill *fill);
void braze_descriptor_release_low(const struct braze_descriptor_fill *fill);

#endif
