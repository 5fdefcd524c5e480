/* guarded: calls that wait for their guard. For the engine's own files alone. */
#ifndef BRAZE_GUARDED_H
#define BRAZE_GUARDED_H

#include "http/engine_state.h"

/* Asks the guard of a call that waits, and has a place, to let it pass. */
void braze_guarded_begin(struct braze_engine *engine, struct braze_call *call);

/* Goes on with the calls whose guard has done what they wait for. */
void braze_guarded_go_on(struct braze_engine *engine);

/* The time of a call that waits for its guard is up. */
void braze_guarded_end_late(struct braze_engine *engine, struct braze_call *call, double now);

/* For an engine with one call: waits for the call's guard, if that is what it waits for. */
bool braze_guarded_wait(struct braze_engine *engine, double max_seconds);

#endif
