/* call: one call, as the one who makes it sees it: its request, its limits, and its outcome once it is done. */
#ifndef BRAZE_CALL_H
#define BRAZE_CALL_H

#include <stdbool.h>

#include "http/limits.h"
#include "http/outcome.h"
#include "http/request.h"

struct braze_call;
struct braze_events;
struct braze_guard;

/* Makes a call with an empty request and one reference. `began` is when the caller began it, a time of braze_clock_now: the deadline and
   the elapsed time count from there. NULL: no memory. */
struct braze_call *braze_call_new(double began);

/* Its request and its limits, which are filled in before the call is handed over, and read afterwards. */
struct braze_request *braze_call_request(struct braze_call *call);
struct braze_limits *braze_call_limits(struct braze_call *call);

/* The request is filled in: sets what follows from it. */
void braze_call_ready(struct braze_call *call);

struct braze_call *braze_call_retain(struct braze_call *call);

/* Drops a reference. NULL is allowed. */
void braze_call_release(struct braze_call *call);

/* The owner's own number for the call. */
void braze_call_set_tag(struct braze_call *call, int tag);
int braze_call_tag(const struct braze_call *call);

/* Gives the call a guard, which it owns from then on; see guard.h. */
void braze_call_set_guard(struct braze_call *call, struct braze_guard *guard);

/* The guard of a call that is done. NULL: it has none, or another thread or the parent of a fork may still work on the call. */
const struct braze_guard *braze_call_guard(const struct braze_call *call);

/* What happened on the way of a call that is done. NULL: nobody asked, or another thread or the parent of a fork may still work on it. */
const struct braze_events *braze_call_events(const struct braze_call *call);

/* Whether the outcome of a call that was handed over is known. In the child of a fork it is, also while the parent goes on with the
   call: the child will never learn more. */
bool braze_call_is_done(const struct braze_call *call);

/* The outcome of a call that is done: the call's own; or, where another thread or the parent of a fork may still work on the call, what is
   known of it, which is written to *written and owns nothing. */
struct braze_outcome *braze_call_outcome(struct braze_call *call, struct braze_outcome *written);

#endif
