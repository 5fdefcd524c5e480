/* engine_state: what an engine consists of, and its calls by how far they are. For the engine's own files alone. */
#ifndef BRAZE_ENGINE_STATE_H
#define BRAZE_ENGINE_STATE_H

#include "http/call_state.h"
#include "http/connections.h"
#include "http/known.h"
#include "http/transfer.h"
#include "http/watch.h"
#include "process/wake.h"

struct braze_engine {
  struct braze_settings *settings;
  struct braze_secrets *secrets;
  CURLM *multi;
  bool spoiled; /* memory ended while libcurl worked: no transfer may begin with this multi handle */
  struct braze_watch watch;
  struct braze_wake wake; /* of an engine that another thread may wake */
  struct braze_known known;
  struct braze_connections connections;
  int max_connections;
  int attempt_count;                               /* calls that look or run; each has a place among the connections */
  double crowded_at;                               /* when a call last found no place */
  int asking_count;                                /* calls whose guard was asked and has not answered */
  struct braze_list calls[BRAZE_CALL_STATE_COUNT]; /* by state, in the order in which they came to it */
  struct braze_heap next_steps;                    /* of calls that wait, ask, look, pause or tell */
  struct braze_heap endings;                       /* of calls that run: each ends only after libcurl has read what is there */
  int late_looks;                                  /* of this step, at what lies in a socket when the time is up */
  struct braze_transfer *idle;
  int idle_count;
};

static inline struct braze_call *braze_engine_first(const struct braze_engine *engine, enum braze_call_state state) {
  return braze_call_of_engine_link(engine->calls[state].first);
}

/* Adds a call, which is in no list, to those in this state. The engine goes on with it at `due` (monotonic) at the latest. */
void braze_engine_add(struct braze_engine *engine, struct braze_call *call, enum braze_call_state state, double due);

/* Removes a call that is not done from its list. */
void braze_engine_remove(struct braze_engine *engine, struct braze_call *call);

/* A call that is in no list has its outcome, which its guard is told before the call is done. */
void braze_engine_finish(struct braze_engine *engine, struct braze_call *call, double now);

/* A call that is in no list is done, and there is nobody left to tell. */
void braze_engine_complete(struct braze_engine *engine, struct braze_call *call, double now);

/* As braze_engine_finish for a call that has no attempt under way, with an outcome of this kind. */
void braze_engine_fail(struct braze_engine *engine, struct braze_call *call, enum braze_kind kind, double now);

#endif
