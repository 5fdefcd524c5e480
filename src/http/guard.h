/* guard: a step of a call before its first request may leave, and one after its outcome is known. Each is made on a thread of the guard's
   own, because it may take as long as it likes: the engine goes on with other calls meanwhile, and waits no longer than the call's
   deadline allows. Nothing here knows what the steps are for. */
#ifndef BRAZE_GUARD_H
#define BRAZE_GUARD_H

#include <stdbool.h>

#include "http/limits.h"
#include "http/outcome.h"
#include "http/request.h"

struct braze_wake;
struct braze_guard;

/* What a guard sees of its call. */
struct braze_guarded {
  struct braze_request *request;
  const struct braze_limits *limits;
  struct braze_outcome *outcome;
  double deadline; /* monotonic */
};

enum braze_guard_answer {
  BRAZE_GUARD_LATER, /* the step is not done yet */
  BRAZE_GUARD_GO,    /* a request of the call may leave now */
  BRAZE_GUARD_END    /* no request may leave: the call's outcome says why, or what is known without one */
};

/* All are called on the engine's thread, and none waits but `wait`. Where there is no `before`, no step is made before the first request,
   and none after the outcome for which a call waits: only `after` and `release` are called. */
struct braze_guard_functions {
  /* Begins the step before the first request; sets the wake (NULL: none) once it is done. */
  void (*before)(struct braze_guard *guard, const struct braze_guarded *call, const struct braze_wake *wake);
  /* What came of it. It may have changed what is to be sent, unless it says that it is not done. */
  enum braze_guard_answer (*ask)(struct braze_guard *guard, const struct braze_guarded *call);
  /* The call's time is up before the step was done: writes the call's outcome. */
  void (*late)(struct braze_guard *guard, const struct braze_guarded *call);
  /* The outcome is known, whether or not a step was made before: begins the step after it, as `before` does. Returns until when the
     call may wait for it (monotonic), 0: there is nothing to wait for. */
  double (*after)(struct braze_guard *guard, const struct braze_guarded *call, const struct braze_wake *wake);
  /* Whether the step after the outcome is done. */
  bool (*is_done)(struct braze_guard *guard);
  /* The call no longer waits for the step that was begun: no wake is set from here on, and what the step does is undone where nobody
     will make use of it. */
  void (*leave)(struct braze_guard *guard);
  /* Blocks until the step is done, for at most so long. */
  void (*wait)(struct braze_guard *guard, double max_seconds);
  /* The call is freed. */
  void (*release)(struct braze_guard *guard);
};

struct braze_guard {
  const struct braze_guard_functions *functions;
};

#endif
