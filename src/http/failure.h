/* failure: what it means for an attempt that libcurl failed. */
#ifndef BRAZE_FAILURE_H
#define BRAZE_FAILURE_H

#include "http/libcurl.h"
#include "http/outcome.h"
#include "http/settings.h"

/* The kind of an attempt that ended with a code of libcurl's, and without a response that decides it. */
enum braze_kind braze_failure_kind(CURLcode code, const struct braze_outcome *outcome);

/* Writes what is known of a failure to the outcome. `error` is libcurl's own text; "": it gave none. */
void braze_failure_keep(const struct braze_settings *settings, CURLcode code, const char *error, struct braze_outcome *outcome);

#endif
