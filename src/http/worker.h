/* worker: an engine on a thread of its own. Calls go in, finished calls come out, and one descriptor tells when. All functions belong
   to the thread that owns the worker, and none of them waits for the network. */
#ifndef BRAZE_WORKER_H
#define BRAZE_WORKER_H

#include <stdbool.h>

#include "http/engine.h"

struct braze_worker;

/* Makes a worker, whose thread starts with the first call. Returns 0; ENOMEM; EMFILE or ENFILE where no descriptor is free; or
   BRAZE_ERROR_LIBCURL. The child of a fork abandons the parent's worker without freeing it: whatever is done to it would be done
   to the parent's connections. */
int braze_worker_new(struct braze_worker **made, struct braze_settings *settings);

/* Closes the worker and releases the calls that were not taken. */
void braze_worker_free(struct braze_worker *worker);

/* A descriptor that is readable while braze_worker_take has something to give. It never changes. */
int braze_worker_descriptor(struct braze_worker *worker);

/* Hands a call over: the worker takes a reference of its own, and the call's deadline counts from call->started. The first call starts
   the thread. Returns 0, or the error of errno.h that kept the thread from starting: then nothing was handed over. */
int braze_worker_submit(struct braze_worker *worker, struct braze_call *call);

/* Cancels a call at once: from here on no request of it is sent. It is taken like any other. False: it had
   been finished or cancelled before. */
bool braze_worker_cancel(struct braze_worker *worker, struct braze_call *call);

/* Cancels all calls and lets the thread end. Finished and cancelled calls can still be taken. */
void braze_worker_close(struct braze_worker *worker);

/* For a process that is exiting, in which the worker's thread does nothing any more: cancels the calls that are past their deadline; on
   the thread that exits, all calls. */
void braze_worker_cancel_overdue(struct braze_worker *worker);

/* Takes the next call that is finished or cancelled, with the worker's reference. NULL: there is none. */
struct braze_call *braze_worker_take(struct braze_worker *worker);

/* Whether braze_worker_take may have something to give. Cheap enough to be asked in every frame of a game. */
bool braze_worker_ready(const struct braze_worker *worker);

/* The number of calls that braze_worker_take would give now. */
int braze_worker_count(struct braze_worker *worker);

/* Makes the descriptor unreadable if nothing remains to be taken; else notifies the host's socket once more. */
void braze_worker_rearm(struct braze_worker *worker);

/* Blocks until the call is finished or cancelled (NULL: until there is something to take), for at most max_seconds, and never for
   longer than a second. False: the time was up. */
bool braze_worker_wait(struct braze_worker *worker, const struct braze_call *call, double max_seconds);

/* Sets a socket (-1: none) to which a byte is written when the worker's descriptor becomes readable. The worker keeps a duplicate,
   because the host may close its own at any time. */
void braze_worker_notify(struct braze_worker *worker, int socket);

#endif
