/* events: what happened on the way of a call, its attempts and pauses: written down by the thread that runs the call, and read when the
   call is done. Only a call whose maker asked for them has any. */
#ifndef BRAZE_EVENTS_H
#define BRAZE_EVENTS_H

#include <stdbool.h>

#include "http/call.h"
#include "http/outcome.h"

/* Durations are seconds. A negative one is absent: the attempt ended before that part. 0: the part was not needed. */
struct braze_event {
  double pause; /* of a pause before the next attempt, which began at `time`; negative: this is an attempt, which ended then */
  double time;  /* UTC epoch seconds */
  bool succeeded;       /* a whole 2xx; kind has no meaning then */
  enum braze_kind kind; /* what the attempt ended in */
  int status;           /* 0: none */
  int resend_count;     /* attempts before this one */
  double elapsed, name_lookup, connect, tls, first_byte;
  bool connection_reused, sent;
  char request_id[128];
  struct braze_rate_limit rate_limit;
};

struct braze_transfer;

struct braze_events {
  int count, room;
  double began;      /* monotonic: the attempt that is under way */
  double looked;     /* seconds that it waited for addresses and certificates; negative: it has not got them yet */
  struct braze_event next; /* how long its parts took */
  struct braze_event list[];
};

/* Gives the call room for all that may happen to it, by its limits. False: no memory. */
bool braze_events_ask(struct braze_call *call);

/* The functions below do nothing for a call that has no events. */

/* An attempt begins, and goes on to its transfer. */
void braze_events_begin(struct braze_call *call, double now);
void braze_events_transfer(struct braze_call *call, double now);

/* Keeps what libcurl has measured of the attempt, before its transfer is used for another one. */
void braze_events_measure(struct braze_call *call, const struct braze_transfer *transfer);

/* The attempt has ended as the call's outcome says. */
void braze_events_attempt(struct braze_call *call, double now);

/* A pause before the next attempt begins. */
void braze_events_pause(struct braze_call *call, double seconds);

#endif
