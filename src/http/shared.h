/* shared: what the engines of a client share and change, on whichever thread; beside the settings, which stay as they are. */
#ifndef BRAZE_SHARED_H
#define BRAZE_SHARED_H

#include <stdatomic.h>
#include <stdbool.h>

#include "http/retry.h"

struct braze_shared {
  struct braze_bucket bucket;
  atomic_int looks;       /* under way for the client; see look.h */
  atomic_bool trust_file; /* a certificate was trusted by the default file and not by the default directory */
};

#endif
