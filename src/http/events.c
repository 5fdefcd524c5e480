/* events: see events.h. */
#include "http/events.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/transfer_state.h"

/* Each try is an attempt and a pause; once in a call an attempt is repeated with the other certificates, and once it is cancelled. */
#define MORE_THAN_TRIES 2

bool braze_events_ask(struct braze_call *call) {
  const int room = 2 * (call->limits.retries + 1) + MORE_THAN_TRIES;
  struct braze_events *events = calloc(1, sizeof *events + (size_t)room * sizeof *events->list);
  if (!events) return false;
  events->room = room;
  call->events = events;
  return true;
}

/* The parts of an attempt of which nothing is known. */
static void forget_parts(struct braze_event *event) {
  event->name_lookup = event->connect = event->tls = event->first_byte = BRAZE_ABSENT;
}

void braze_events_begin(struct braze_call *call, double now) {
  struct braze_events *events = call->events;
  if (!events) return;
  events->began = now;
  events->looked = BRAZE_ABSENT;
  forget_parts(&events->next);
}

void braze_events_transfer(struct braze_call *call, double now) {
  if (call->events) call->events->looked = now - call->events->began;
}

static double measured(CURL *easy, CURLINFO info) {
  double seconds = 0;
  curl_easy_getinfo(easy, info, &seconds);
  return seconds;
}

/* From one of libcurl's moments to the next one; absent where that was not reached. */
static double between(double from, double to) {
  return to <= 0 ? BRAZE_ABSENT : to > from ? to - from : 0;
}

void braze_events_measure(struct braze_call *call, const struct braze_transfer *transfer) {
  const struct braze_outcome *outcome = &call->outcome;
  struct braze_events *events = call->events;
  struct braze_event *next;
  CURL *easy = transfer->easy;
  double name, connect, tls, sending;
  if (!events) return;
  next = &events->next;
  name = measured(easy, CURLINFO_NAMELOOKUP_TIME);
  connect = measured(easy, CURLINFO_CONNECT_TIME);
  tls = measured(easy, CURLINFO_APPCONNECT_TIME);
  sending = measured(easy, CURLINFO_PRETRANSFER_TIME);
  next->name_lookup = outcome->used_before ? 0 : (events->looked > 0 ? events->looked : 0) + name;
  next->connect = outcome->used_before ? 0 : between(name, connect);
  next->tls = outcome->used_before ? 0 : between(connect, tls);
  if (next->tls < 0 && outcome->request_sent) next->tls = 0; /* plain HTTP */
  if (outcome->status > 0) next->first_byte = between(sending, measured(easy, CURLINFO_STARTTRANSFER_TIME));
}

static struct braze_event *add(struct braze_call *call) {
  struct braze_events *events = call->events;
  const struct braze_outcome *outcome = &call->outcome;
  struct braze_event *event;
  if (events->count == events->room) return NULL;
  event = &events->list[events->count++];
  *event = events->next;
  event->time = braze_clock_epoch();
  event->succeeded = outcome->answered;
  event->kind = outcome->kind;
  event->status = outcome->status;
  return event;
}

void braze_events_attempt(struct braze_call *call, double now) {
  const struct braze_outcome *outcome = &call->outcome;
  struct braze_event *event = call->events ? add(call) : NULL;
  if (!event) return;
  event->pause = BRAZE_ABSENT;
  event->resend_count = call->tries - 1;
  event->elapsed = now - call->events->began;
  if (call->events->looked < 0) event->name_lookup = event->elapsed;
  event->connection_reused = outcome->used_before;
  event->sent = outcome->request_sent;
  event->rate_limit = outcome->rate_limit;
  memcpy(event->request_id, outcome->request_id, sizeof event->request_id);
}

void braze_events_pause(struct braze_call *call, double seconds) {
  struct braze_event *event = call->events ? add(call) : NULL;
  if (event) event->pause = seconds > 0 ? seconds : 0;
}
