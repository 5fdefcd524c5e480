/* advice: what to say of a text that is no endpoint, and what was probably meant. */
#ifndef BRAZE_ADVICE_H
#define BRAZE_ADVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* Whether a host is in one of Braze's own domains. */
bool braze_advice_is_braze(const char *host);

/* Whether it is, and has the form of a REST endpoint, but is none of the list: it may be newer than this version, or misspelt. */
bool braze_advice_is_unknown(const char *host);

/* Says that a host of Braze's is certainly no REST endpoint, and which one belongs to it. False: nothing is said of this host. */
bool braze_advice_refuse_host(const char *host, struct braze_buffer *message, struct braze_buffer *hint);

/* Says what is wrong with a text that has no "://" and is no instance's name, and what to write. The text is shown where it
   can't be a key. */
void braze_advice_refuse_text(const char *text, size_t length, struct braze_buffer *message, struct braze_buffer *hint);

#endif
