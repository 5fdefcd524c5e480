/* ledger: where the jobs are: a store, a workspace in it, and the thread that works with it. */
#ifndef BRAZE_LEDGER_LEDGER_H
#define BRAZE_LEDGER_LEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

struct braze_ledger;

/* Makes a ledger of the URL, or path, in which the workspace's jobs are; it opens nothing yet. `places` are templates such as package.cpath
   has, where stores are looked for that are not beside braze.so. False: the message says why, or is empty for want of memory. */
bool braze_ledger_new(struct braze_ledger **made, const char *url, size_t length, const char *places, struct braze_buffer *message,
                      struct braze_buffer *hint);

/* Sets the workspace. False as above. */
bool braze_ledger_set_workspace(struct braze_ledger *ledger, const char *text, size_t length, struct braze_buffer *message,
                                struct braze_buffer *hint);

struct braze_ledger *braze_ledger_retain(struct braze_ledger *ledger);

/* Drops a reference; NULL is allowed. With the last one the thread ends, once it has done what it has to do. Never waits. */
void braze_ledger_release(struct braze_ledger *ledger);

/* Appends what the store warns of, once. False: nothing. */
bool braze_ledger_take_warning(struct braze_ledger *ledger, struct braze_buffer *out);

const char *braze_ledger_workspace(const struct braze_ledger *ledger);

/* The URL without user and password, for messages. */
const char *braze_ledger_shown(const struct braze_ledger *ledger);

#endif
