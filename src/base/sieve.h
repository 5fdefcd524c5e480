/* sieve: proves of most texts that no part of a secret is in them, eight bytes at a time, so that few are looked through by character. */
#ifndef BRAZE_SIEVE_H
#define BRAZE_SIEVE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/secret.h"

/* Whether redact.h may find something in the text. False is sure. A text with escapes, or with what may be characters without width, is
   not read any further: true. */
bool braze_sieve_may_hold(const struct braze_secrets *secrets, const char *text, size_t length);

#endif
