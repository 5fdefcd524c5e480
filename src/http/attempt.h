/* attempt: one attempt of a call, from the choice of its connection to what comes after it. For the engine's own files alone. */
#ifndef BRAZE_ATTEMPT_H
#define BRAZE_ATTEMPT_H

#include "http/engine_state.h"

/* Whether the next attempt of the call must make a new connection, by the last look at the kept ones. */
bool braze_attempt_needs_new(const struct braze_engine *engine, const struct braze_call *call, double now);

/* Begins an attempt of a call that is in no list, right after a look at the kept connections. */
void braze_attempt_begin(struct braze_engine *engine, struct braze_call *call, double now);

/* Ends the attempt that runs on the transfer, whose handle libcurl no longer has. The call goes on or is done. */
void braze_attempt_end(struct braze_engine *engine, struct braze_transfer *transfer, CURLcode code);

/* Ends the attempt of a call that is in no list, and finishes the call as cancelled. */
void braze_attempt_cancel(struct braze_engine *engine, struct braze_call *call, double now);

/* Goes on with the attempts that waited for a look, if it is done. */
void braze_attempt_end_look(struct braze_engine *engine);

/* Ends an attempt that waited in vain for a look. */
void braze_attempt_end_late_look(struct braze_engine *engine, struct braze_call *call, double now);

/* Goes on with attempts that wait for a look where a kept connection has become free meanwhile: a disk or a name server that hangs
   holds up new connections alone. True: at least one went on. */
bool braze_attempt_use_kept(struct braze_engine *engine, double now);

/* Frees the transfers that no attempt uses. */
void braze_attempt_free_idle(struct braze_engine *engine);

#endif
