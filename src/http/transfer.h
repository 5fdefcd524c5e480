/* transfer: one attempt of a call on one easy handle of libcurl. */
#ifndef BRAZE_TRANSFER_H
#define BRAZE_TRANSFER_H

#include "http/transfer_state.h"
#include "http/trust.h"

/* Makes an idle transfer with all options that do not depend on the call. NULL: out of memory, or a required option is unsupported. */
struct braze_transfer *braze_transfer_new(const struct braze_settings *settings, const struct braze_secrets *secrets,
                                          struct braze_sockets *sockets);

/* Prepares an idle transfer for another attempt, with a new easy handle where one may serve a single response only. False: no memory. */
bool braze_transfer_renew(struct braze_transfer *transfer, struct braze_sockets *sockets);

void braze_transfer_free(struct braze_transfer *transfer);

/* How an attempt may connect. */
struct braze_route {
  const struct braze_trust_store *store;
  const char *addresses; /* in the format of CURLOPT_RESOLVE; "": libcurl looks the name up */
  bool may_connect;      /* false: only a kept connection may be used */
  bool fresh;            /* no kept connection may be used */
};

/* Prepares the handle for an attempt of the call. The deadline is the engine's: it ends the attempt after libcurl has read what has
   arrived. */
CURLcode braze_transfer_begin(struct braze_transfer *transfer, struct braze_call *call, const struct braze_route *route, double now);

/* The number of bytes of the response so far. */
static inline size_t braze_transfer_received(const struct braze_transfer *transfer) {
  return transfer->header_bytes + transfer->call->outcome.body.length;
}

/* Writes the result of the attempt to the call's outcome, and makes the transfer idle. */
void braze_transfer_end(struct braze_transfer *transfer, CURLcode code);

/* Makes the outcome a cancelled one, and the transfer idle. */
void braze_transfer_cancel(struct braze_transfer *transfer);

#endif
