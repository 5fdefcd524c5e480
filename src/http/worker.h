/* worker: an engine on its own thread: calls in, calls out, one descriptor to wait on. All functions are for the one thread
   that owns it, and none of them waits for the network. */
#ifndef BRAZE_WORKER_H
#define BRAZE_WORKER_H

#include <stdbool.h>

#include "http/engine.h"

struct braze_worker;

/* Makes a worker, whose thread starts with the first call. Returns 0; ENOMEM; EMFILE or ENFILE where no descriptor is free; or
   BRAZE_ERROR_LIBCURL. The child of a fork abandons the parent's worker without freeing it: whatever is done to it would be done
   to the parent's connections. */
int braze_worker_new(struct braze_worker **made, struct braze_settings *settings);

/* Closes the worker and drops what was not taken. */
void braze_worker_free(struct braze_worker *worker);

/* Readable while braze_worker_take has something to give; the same for the worker's life. */
int braze_worker_descriptor(const struct braze_worker *worker);

/* Hands a call over: the worker takes a reference of its own, and the call's deadline runs from now. The first call starts the
   thread. Returns 0, or the error of errno.h that kept the thread from starting: then nothing was handed over. */
int braze_worker_submit(struct braze_worker *worker, struct braze_call *call);

/* Ends a call at once; it is taken like any other, with call->cancelled set: what is known of it then is what
   braze_call_describe_cancelled says. False: it was finished or cancelled before. From here on no request of it leaves. */
bool braze_worker_cancel(struct braze_worker *worker, struct braze_call *call);

/* Cancels all and lets the thread end; what is there can still be taken. */
void braze_worker_close(struct braze_worker *worker);

/* Where the process is exiting the thread stands still: cancels what is past its deadline, and all on the thread that exits. */
void braze_worker_cancel_overdue(struct braze_worker *worker);

/* The next call that is finished or cancelled, with the reference that the worker had; NULL: none. */
struct braze_call *braze_worker_take(struct braze_worker *worker);

/* Whether braze_worker_take may have something to give: cheap enough for every frame. */
bool braze_worker_ready(const struct braze_worker *worker);

/* How many braze_worker_take would give now. */
int braze_worker_count(struct braze_worker *worker);

/* Clears the descriptor where nothing is left to take. */
void braze_worker_rearm(struct braze_worker *worker);

/* Blocks this thread until the call is finished or cancelled (NULL: until there is something to take), at most so many
   seconds. True where it came to that. */
bool braze_worker_wait(struct braze_worker *worker, const struct braze_call *call, double max_seconds);

/* Sets a socket to which a byte is written when the worker's descriptor becomes readable; -1 = none. The worker keeps a
   duplicate, since the host may close its own at any time. */
void braze_worker_notify(struct braze_worker *worker, int socket);

#endif
