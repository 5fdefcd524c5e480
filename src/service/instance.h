/* instance: Braze's instances and their REST endpoints. */
#ifndef BRAZE_INSTANCE_H
#define BRAZE_INSTANCE_H

#include <stddef.h>

struct braze_instance {
  const char *name;
  const char *url;       /* REST endpoint */
  const char *dashboard; /* host of its dashboard: the address people copy by mistake */
};

/* The instance at an index, NULL behind the last. */
const struct braze_instance *braze_instance_at(size_t index);

#endif
