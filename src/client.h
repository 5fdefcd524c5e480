/* client: the front door. A client makes calls: one after the other on the thread that asks, or started and run on a thread of its own.
   This header and those that it includes are all that a binding for a language needs; there is nothing of Lua and nothing of libcurl in
   them.

   All functions of one client belong to one thread at a time. Each of them first looks whether the process was forked since the last one:
   the child of a fork then leaves the parent's connections and thread alone, and starts with none. Where exit() has begun, nothing waits
   for the network any more. */
#ifndef BRAZE_CLIENT_H
#define BRAZE_CLIENT_H

#include <stdbool.h>

#include "http/call.h"
#include "http/events.h"
#include "http/settings.h"
#include "ledger/ledger.h"
#include "process/channel.h"

struct braze_client;

/* Functions that return a failure return 0; an error of errno.h: ENOMEM, EMFILE or ENFILE where no descriptor is free, or what kept a
   thread from starting; BRAZE_ERROR_LIBCURL; or this: the client is closed. */
#define BRAZE_ERROR_CLOSED (-2)

/* --- A client ------------------------------------------------------------------------------------------- */

/* Makes an open client with default settings. Touches no network, file or thread. NULL: no memory. */
struct braze_client *braze_client_new(void);

/* The client's settings, which live as long as the client. They are filled in before the first call (service/account.h, http/settings.h)
   and only read afterwards. */
struct braze_settings *braze_client_settings(struct braze_client *client);

/* Gives a new client a ledger, with the reference. */
void braze_client_set_ledger(struct braze_client *client, struct braze_ledger *ledger);

/* NULL: it has none. */
struct braze_ledger *braze_client_ledger(const struct braze_client *client);

/* Closes the client: every call that was started and is not done is cancelled at once, no other one is let in, and the key is wiped as
   soon as nothing uses it. What is done can still be taken. Never waits for the network. A second time it does nothing. */
void braze_client_close(struct braze_client *client);

bool braze_client_is_closed(const struct braze_client *client);

/* Closes the client, drops the calls that were not taken, and frees it once nothing holds it. NULL is allowed. */
void braze_client_free(struct braze_client *client);

/* Holds the client: it and its key are there until the hold is dropped, even if it is closed and freed meanwhile. For a binding in which
   nearly anything may run a finalizer. */
void braze_client_hold(struct braze_client *client);

/* Drops a hold. NULL is allowed. */
void braze_client_let_go(struct braze_client *client);

/* A number that changes when the child of a fork starts anew: what a binding keeps of the calls that it has started is the parent's
   then. */
unsigned braze_client_generation(struct braze_client *client);

/* --- Calls ---------------------------------------------------------------------------------------------- */

/* Makes the call and waits until it is done. The caller keeps its reference. Returns a failure: then nothing was sent. */
int braze_client_call(struct braze_client *client, struct braze_call *call);

/* Hands the call over and returns at once. The client has a reference of its own until the call is taken. Returns a failure: then nothing
   was handed over. */
int braze_client_start(struct braze_client *client, struct braze_call *call);

/* Ends a call that was started, at once: from here on no request of it is sent, and it can be taken. Nothing if it is done already. */
void braze_client_cancel(struct braze_client *client, struct braze_call *call);

/* Waits until the call is done (NULL: until there is one to take), for at most max_seconds, and never longer than a second, so that a
   thread that waits notices that the process exits. Call it again until braze_call_is_done. */
void braze_client_wait(struct braze_client *client, struct braze_call *call, double max_seconds);

/* Whether braze_client_take may have something to give. Cheap enough to be asked in every frame of a game. */
bool braze_client_is_ready(struct braze_client *client);

/* How many calls braze_client_take would give now. */
int braze_client_ready_count(struct braze_client *client);

/* Takes the next call that is done, with the client's reference. NULL: there is none. */
struct braze_call *braze_client_take(struct braze_client *client);

/* To be called after taking, whether all was taken or not: the descriptor is no longer readable, or the socket is notified once more. */
void braze_client_rearm(struct braze_client *client);

/* How many calls were started and not taken. */
int braze_client_pending(struct braze_client *client);

/* --- A host's loop --------------------------------------------------------------------------------------- */

/* Writes a descriptor to *descriptor that is readable while there is a call to take. It stays the same, but for the child of a fork.
   Returns a failure. */
int braze_client_descriptor(struct braze_client *client, int *descriptor);

/* Sets a socket (-1: none) to which a byte is written when the descriptor becomes readable. The client keeps a duplicate. Returns a
   failure. process/channel.h makes such a socket for a host that polls only what it has connected itself. */
int braze_client_notify(struct braze_client *client, int socket);

#endif
