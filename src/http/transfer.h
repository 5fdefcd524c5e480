/* transfer: one attempt of a call on one easy handle of libcurl. */
#ifndef BRAZE_TRANSFER_H
#define BRAZE_TRANSFER_H

#include "http/call.h"
#include "http/headers.h"
#include "http/libcurl_version.h"
#include "http/settings.h"
#include "http/sockets.h"
#include "http/trust.h"

struct braze_transfer {
  CURL *easy;
  CURLU *url; /* parsed once for each target: libcurl parses a text anew for each transfer */
  struct braze_buffer target; /* whose URL that is; empty: none yet */
  bool has_body, is_plain;    /* what the handle was told of the request: both false on a new one */
  bool url_is_set; /* the handle has it */
  bool is_fresh;   /* the handle is told to take no connection that is kept */
  const struct braze_settings *settings;
  const struct braze_secrets *secrets;
  struct braze_trust_store store;        /* that the handle has */
  struct curl_slist headers[5];          /* our own nodes, so that libcurl keeps no copy of the key before it sends it */
  bool by_reading;                       /* libcurl before 7.80: the body is read by a callback that can't go back */
  size_t body_read;
  struct braze_call *call; /* NULL while idle */
  struct braze_connection connection;
  unsigned rounds; /* in which libcurl went on with the attempt */
  unsigned process; /* in which the attempt began, by braze_parking_forks */
  bool may_connect; /* trust and name are known for a new connection */
  bool refused;     /* one was wanted all the same */
  size_t vain_looks; /* of the engine, once the time was up */
  size_t seen;      /* bytes of the response when the engine last looked */
  struct curl_slist resolve;
  char addresses[1024]; /* of which it is the list */
  struct braze_headers response;
  size_t header_bytes;
  double response_epoch; /* when the response began to arrive */
  char error[CURL_ERROR_SIZE];
  struct braze_transfer *next; /* in the engine's list of idle ones */
};

/* An idle transfer with everything set that no call changes. NULL: no memory, or libcurl lacks what we can't do without. */
struct braze_transfer *braze_transfer_new(const struct braze_settings *settings, const struct braze_secrets *secrets, struct braze_sockets *sockets);

/* Makes an idle transfer fit for another attempt: a new easy handle, where libcurl's may serve one response only. False: no
   memory. */
bool braze_transfer_renew(struct braze_transfer *transfer, struct braze_sockets *sockets);

void braze_transfer_free(struct braze_transfer *transfer);

/* How an attempt may connect. */
struct braze_route {
  const struct braze_trust_store *store;
  const char *addresses; /* as CURLOPT_RESOLVE has them; "" = libcurl looks the name up */
  bool may_connect;      /* else only a connection that is kept may be taken */
  bool fresh;            /* a connection of its own, none that is kept */
};

/* Makes the handle ready for an attempt of the call. When its time is up the engine ends it, after libcurl has read what is
   there. */
CURLcode braze_transfer_begin(struct braze_transfer *transfer, struct braze_call *call, const struct braze_route *route, double now);

/* How many bytes of the response have come. */
static inline size_t braze_transfer_received(const struct braze_transfer *transfer) {
  return transfer->header_bytes + transfer->call->outcome.body.length;
}

/* Writes what came of the attempt to the call's outcome and makes the transfer idle. */
void braze_transfer_end(struct braze_transfer *transfer, CURLcode code);

/* The same for an attempt that was cancelled. */
void braze_transfer_cancel(struct braze_transfer *transfer);

#endif
