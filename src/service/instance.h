/* instance: Braze's instances and their REST endpoints, and the check of an endpoint that a caller gives. */
#ifndef BRAZE_INSTANCE_H
#define BRAZE_INSTANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct braze_instance {
  const char *name;
  const char *url;       /* REST endpoint */
  const char *dashboard; /* host of its dashboard: the address people copy by mistake */
};

/* The instance at an index, NULL behind the last. */
const struct braze_instance *braze_instance_at(size_t index);

struct braze_origin {
  struct braze_buffer url; /* scheme, host, port and path in front, without a trailing slash */
  char host[256];          /* as in the URL, without brackets */
  char authority[264];     /* host and port as in the URL, for messages */
  bool secure;             /* https */
  bool loopback;
};

void braze_origin_free(struct braze_origin *origin);

/* Reads an instance's name or a URL. False: message says what is wrong with it and hint what to write instead; neither
   repeats what may be a secret (a user, a query, a text that is no address at all). False with an empty message: no memory. */
bool braze_instance_resolve(const char *text, size_t length, struct braze_origin *origin, struct braze_buffer *message,
                            struct braze_buffer *hint);

#endif
