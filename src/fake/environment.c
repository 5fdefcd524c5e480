/* environment: a fake client reads none. */
#include <stddef.h>

#include "lua/binding.h"

#ifdef BRAZE_FAKE /* a host that compiles all of src/ into itself has the real ones */

const char *lbraze_environment(const char *name) {
  (void)name;
  return NULL;
}

#endif
