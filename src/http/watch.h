/* watch: the sockets that libcurl waits for. One poll asks for all of them, and libcurl looks only at those on which something happened. By
   itself it would look at each call that runs, whenever anything came for one of them. */
#ifndef BRAZE_WATCH_H
#define BRAZE_WATCH_H

#include <poll.h>
#include <stdbool.h>

#include "http/libcurl.h"

struct braze_watch {
  struct pollfd *sockets;
  int count, capacity;
  bool polled;  /* what the last poll has seen is still to be told to libcurl */
  bool missing; /* there was no memory for one: whatever runs may wait for it in vain */
};

/* Has libcurl tell the watch what it waits for. The watch must outlive the multi handle. */
void braze_watch_open(struct braze_watch *watch, CURLM *multi);

/* Makes room for what one more attempt needs, and for the descriptor of a wait. False: there is no memory. */
bool braze_watch_reserve(struct braze_watch *watch);

/* Waits until something happens on a socket, libcurl's own time is up, or `seconds` have passed. True: `descriptor` is readable; -1: none. */
bool braze_watch_wait(struct braze_watch *watch, CURLM *multi, int descriptor, double seconds);

/* Has libcurl go on with what it waited for; with `look`, after a look at the sockets if there was none since the last time. False: libcurl
   can't go on, and will never report what runs. */
bool braze_watch_act(struct braze_watch *watch, CURLM *multi, bool look);

void braze_watch_free(struct braze_watch *watch);

#endif
