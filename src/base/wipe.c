/* wipe: see wipe.h. */
#include "base/wipe.h"

#include <string.h>

/* As far as the compiler knows it may have become another function, so it must be called, whatever happens to the memory afterwards. */
static void *(*const volatile set_bytes)(void *, int, size_t) = memset;

void braze_wipe(void *memory, size_t length) {
  if (length > 0) set_bytes(memory, 0, length);
}
