/* probe: how far a connection to the service comes, without a request: name look-up, TCP, TLS. Nothing of the key leaves. */
#ifndef BRAZE_PROBE_H
#define BRAZE_PROBE_H

#include <stdbool.h>

#include "http/call.h"
#include "http/settings.h"

/* Texts are "" and times are 0 where the connection did not come so far, or there was nothing to do. */
struct braze_probe {
  bool connected;        /* as far as a request could begin; else the call's outcome says why not */
  char directory[512], file[512]; /* of the certificates that are trusted */
  char addresses[1024];  /* "host:port:address,address" */
  char address[64];      /* of the peer, which is the proxy where there is one */
  long port;
  double name_lookup, connect, tls; /* seconds since the beginning */
  char subject[256], issuer[256], starts[64], expires[64]; /* of the service's certificate */
};

/* Connects as the call would, which is filled in and never sent, within the client's connect_timeout. False: no memory, or libcurl could
   not be initialised. */
bool braze_probe_run(struct braze_probe *probe, struct braze_settings *settings, struct braze_call *call);

/* The libraries that connections are made with: "libcurl/8.5.0 OpenSSL/3.0.13 zlib/1.3". It lives as long as the process. */
const char *braze_probe_libraries(void);

#endif
