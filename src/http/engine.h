/* engine: calls in flight on one multi handle of libcurl, their deadlines and retries. It belongs to whoever steps it; only
   braze_engine_wake may come from another thread. */
#ifndef BRAZE_ENGINE_H
#define BRAZE_ENGINE_H

#include "http/call.h"
#include "http/settings.h"

struct braze_engine;

/* An error beside those of errno.h: libcurl could not be initialised. */
#define BRAZE_ERROR_LIBCURL (-1)

/* Makes an engine with at most so many connections at a time; further calls wait in its queue. The first engine of a process
   initialises libcurl. The engine keeps a reference to the settings. Returns 0; ENOMEM; EMFILE or ENFILE where libcurl needs a
   descriptor and none is free; or BRAZE_ERROR_LIBCURL. */
int braze_engine_new(struct braze_engine **made, struct braze_settings *settings, int max_connections);

/* Ends what is in flight without waiting for the network. Calls that were submitted and not taken are forgotten, not
   released: the reference is its that submitted them. */
void braze_engine_free(struct braze_engine *engine);

/* The same outside of work (process.h); does nothing once the process is exiting. */
void braze_engine_retire(struct braze_engine *engine);

/* Hands a call over; its deadline runs from call->started. */
void braze_engine_submit(struct braze_engine *engine, struct braze_call *call);

/* Ends a call at once, kind `cancelled`; it is taken as any other. One that is done is left as it is. */
void braze_engine_cancel(struct braze_engine *engine, struct braze_call *call);

/* Does what can be done now; never waits. */
void braze_engine_step(struct braze_engine *engine);

/* Waits until there is something to do, at most so many seconds. */
void braze_engine_wait(struct braze_engine *engine, double max_seconds);

/* The same for all that are not done. */
void braze_engine_cancel_all(struct braze_engine *engine);

/* A call that is done, in the order they were; NULL: none. */
struct braze_call *braze_engine_take(struct braze_engine *engine);

/* Lets another thread wake this engine. By a descriptor of ours: libcurl's own wake-up is a socket, whose send may find no
   memory, and is silently left out where there are no descriptors. Returns 0 or an error of errno.h. */
int braze_engine_open_wake(struct braze_engine *engine);

/* Ends a braze_engine_wait, also one that has not begun. */
void braze_engine_wake(struct braze_engine *engine);

/* Submits a call and steps until it is done: the blocking call, on the caller's thread. It ends as cancelled where the process
   exits meanwhile: at once on the thread that exits, with its deadline on any other. And at once in the child of a fork in a signal
   handler: its parent goes on with the call. */
void braze_engine_run(struct braze_engine *engine, struct braze_call *call);

#endif
