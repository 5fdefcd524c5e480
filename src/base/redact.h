/* redact: finds secrets in text from outside, however they are written there, and masks them. */
#ifndef BRAZE_REDACT_H
#define BRAZE_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/secret.h"

/* A text of the caller's own. It may be shown although it contains a part of a secret, but never with the whole key. */
struct braze_own_text {
  const char *text; /* NULL = none */
  size_t length;
};

/* Whether the text contains something that braze_redact would mask. `own` may be NULL. */
bool braze_redact_finds(const struct braze_secrets *secrets, const struct braze_own_text *own, const char *text, size_t length);

/* Appends the text with "***" in place of
   - each run of eight or more characters of a secret, from anywhere in it;
   - each whole secret that is shorter;
   - four or more characters that begin a secret at the end of the text, which may have been cut there.
   Case does not matter. Up to four layers of escapes (of JSON, a URL, HTML) are looked through; white space, control characters and
   characters without width are ignored; the key is found in base64 as well. A proxy's user or password of fewer than six characters
   is not masked: it occurs in innocent text, too ("id"), and the service never sees it.
   `own` may be NULL. False: a part is missing, because of the limit of `out` or for lack of memory. What was appended is safe. */
bool braze_redact(const struct braze_secrets *secrets, const struct braze_own_text *own, const char *text, size_t length,
                  struct braze_buffer *out);

#endif
