/* transfer: one attempt of a call on one easy handle of libcurl. */
#ifndef BRAZE_TRANSFER_H
#define BRAZE_TRANSFER_H

#include "http/call_state.h"
#include "http/headers.h"
#include "http/libcurl.h"
#include "http/settings.h"
#include "http/sockets.h"
#include "http/trust.h"

struct braze_transfer {
  CURL *easy;
  CURLU *url; /* parsed once for each target: libcurl would parse a text again for each transfer */
  struct braze_buffer target; /* of that URL; empty: none yet */
  bool has_body, is_plain;    /* what the handle was told of the request; both false on a new one */
  bool url_is_set; /* on the handle */
  bool is_fresh;   /* the handle must use no kept connection */
  const struct braze_settings *settings;
  const struct braze_secrets *secrets;
  struct braze_trust_store store; /* set on the handle */
  struct curl_slist headers[5];   /* our own nodes, so that libcurl makes no copy of the key before it sends it */
  size_t body_read;
  struct braze_call *call; /* NULL while idle */
  struct braze_connection connection;
  unsigned rounds;   /* calls of the progress callback */
  unsigned process;  /* in which the attempt began, by braze_process_forks */
  bool may_connect;  /* certificates and addresses are known for a new connection */
  bool refused;      /* libcurl wanted a new connection although it may not have one */
  size_t vain_looks; /* of the engine, after the time was up */
  size_t seen;       /* bytes of the response when the engine last looked */
  struct curl_slist resolve;
  char addresses[1024]; /* the text of resolve */
  struct braze_headers response;
  size_t header_bytes;
  double response_epoch; /* when the response began to arrive */
  char error[CURL_ERROR_SIZE];
  struct braze_transfer *next; /* among the engine's idle ones */
};

/* Makes an idle transfer with all options that do not depend on the call. NULL: out of memory, or a required option is unsupported. */
struct braze_transfer *braze_transfer_new(const struct braze_settings *settings, const struct braze_secrets *secrets, struct braze_sockets *sockets);

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
