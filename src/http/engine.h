/* engine: runs calls on one multi handle of libcurl, with their deadlines and retries. All functions belong to the thread that steps
   the engine, except braze_engine_wake. */
#ifndef BRAZE_ENGINE_H
#define BRAZE_ENGINE_H

#include "http/call.h"
#include "http/settings.h"

struct braze_engine;

/* Initialises libcurl, once in a process, and with it what keeps threads out of libraries while the process forks or exits (process.h). The
   first engine does so by itself. False: it could not. */
bool braze_engine_prepare(void);

/* Makes an engine with at most so many connections at a time; further calls wait in its queue. The first engine of a process
   initialises libcurl. The engine keeps a reference to the settings. Returns 0; ENOMEM; EMFILE or ENFILE where libcurl needs a
   descriptor and none is free; or BRAZE_ERROR_LIBCURL. */
int braze_engine_new(struct braze_engine **made, struct braze_settings *settings, int max_connections);

/* Frees the engine without waiting for the network. Calls not yet taken stay owned by their submitter. */
void braze_engine_free(struct braze_engine *engine);

/* Frees the engine from outside of a piece of work (process.h). A no-op once exit() has begun. */
void braze_engine_retire(struct braze_engine *engine);

/* Hands a call over. Its deadline counts from call->started. */
void braze_engine_submit(struct braze_engine *engine, struct braze_call *call);

/* Ends a call at once, with the kind `cancelled`; it is taken like any other. A call that is done stays as it is. */
void braze_engine_cancel(struct braze_engine *engine, struct braze_call *call);

/* Does all that can be done now. Never waits. */
void braze_engine_step(struct braze_engine *engine);

/* Waits until there is something to do, for at most max_seconds. */
void braze_engine_wait(struct braze_engine *engine, double max_seconds);

/* Cancels every unfinished call. */
void braze_engine_cancel_all(struct braze_engine *engine);

/* Takes the next call that is done, in the order in which they were done. NULL: there is none. */
struct braze_call *braze_engine_take(struct braze_engine *engine);

/* Lets another thread wake this engine, through a descriptor of ours: libcurl's own wake-up is a socket, which may fail for lack of
   memory, and which libcurl silently does without if no descriptor is free. Returns 0 or an error of errno.h. */
int braze_engine_open_wake(struct braze_engine *engine);

/* Ends the current braze_engine_wait, or the next one. May be called on any thread. */
void braze_engine_wake(struct braze_engine *engine);

/* Submits a call and steps until it is done: the blocking call, on the caller's thread. Its deadline counts from call->started. If the
   process exits meanwhile, the call ends as cancelled: at once on the thread that exits, at its deadline on any other. It ends at once in
   the child of a fork in a signal handler as well, where the parent goes on with it. */
void braze_engine_run(struct braze_engine *engine, struct braze_call *call);

#endif
