/* transfer_state: what an attempt consists of. For the files of http/ that make one. */
#ifndef BRAZE_TRANSFER_STATE_H
#define BRAZE_TRANSFER_STATE_H

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
  bool is_named;              /* the handle has a method of another name than libcurl's own */
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

#endif
