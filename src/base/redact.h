/* redact: finds secrets in text from outside, however they are written there, and takes them out. */
#ifndef BRAZE_REDACT_H
#define BRAZE_REDACT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/secret.h"

/* A text that the caller gave himself, and may be shown again though it has a part of a secret in it; never a whole key. */
struct braze_own_text {
  const char *text; /* NULL = none */
  size_t length;
};

/* Whether a text has something in it that braze_redact would take out. `own` may be NULL. */
bool braze_redact_finds(const struct braze_secrets *secrets, const struct braze_own_text *own, const char *text, size_t length);

/* Appends text with "***" in place of each run of eight or more characters of a secret, from wherever in it, and of a whole
   secret that is shorter; and of four or more that begin a secret where the text ends, since it may have been cut there.
   Capitals count as small letters. Up to four layers of JSON's, a URL's and HTML's escapes are looked through, white space,
   control characters and those without width are passed over, and base64 of the key is found, too.
   A proxy's user or password of fewer than six characters is left in: it stands in innocent text too ("id"), and the service
   never sees it. `own` may be NULL. False: something was left out (the limit of out, or no memory); what was appended is safe
   all the same. */
bool braze_redact(const struct braze_secrets *secrets, const struct braze_own_text *own, const char *text, size_t length,
                  struct braze_buffer *out);

#endif
