/* endpoint: the check of a REST endpoint that a caller gives. */
#ifndef BRAZE_ENDPOINT_H
#define BRAZE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct braze_endpoint {
  struct braze_buffer url; /* scheme, host, port and path in front, without a trailing slash */
  char host[256];          /* as in the URL, without brackets */
  char authority[264];     /* host and port as in the URL, for messages */
  bool secure;             /* https */
  bool loopback;
};

void braze_endpoint_free(struct braze_endpoint *origin);

/* Reads an instance's name or a URL. Returns 0; ENOMEM; or EINVAL: message says what is wrong with it and hint what to write instead;
   neither repeats what may be a secret (a user, a query, a text that is no address at all). The endpoint is to be freed in any case. */
int braze_endpoint_read(const char *text, size_t length, struct braze_endpoint *endpoint, struct braze_buffer *message,
                        struct braze_buffer *hint);

#endif
