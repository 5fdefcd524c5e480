/* global: what is done once in a process: libcurl's initialisation, pinning the shared object, care for exit and fork. */
#ifndef BRAZE_GLOBAL_H
#define BRAZE_GLOBAL_H

#include <stdbool.h>

/* At the first use, never at load; from any thread. False where libcurl could not be initialised. */
bool braze_global_start(void);

/* Whether the libcurl that is loaded may raise SIGPIPE when it sends over TLS: 7.87 was the first that never does. */
bool braze_global_raises_sigpipe(void);

/* Whether an easy handle may serve a second response. libcurl 7.83 to 8.0.1 keeps a pointer into the headers of the last one,
   which it has freed, and writes there when the next one begins with a folded line (curl/curl#11103). No URL is exempt: what
   answers on loopback may be a gateway, and say what others say. */
bool braze_global_reuses_handles(void);

/* Whether libcurl looks only once a second whether an idle connection is alive: 8.22 was the first that does. */
bool braze_global_looks_seldom(void);

#define BRAZE_VERSION "0.1.0"

#endif
