/* guarded: see guarded.h. */
#include "http/guarded.h"

#include "base/clock.h"
#include "http/call_state.h"

/* As many guards are asked at a time as there may be connections, beside those that have one: a guard that does not answer holds up no
   call without one. */
static void ask_next(struct braze_engine *engine) {
  struct braze_link *link;
  for (link = engine->calls[BRAZE_CALL_ASKING].first; link && engine->asking_count < engine->max_connections; link = link->next) {
    struct braze_call *call = braze_call_of_engine_link(link);
    struct braze_guarded guarded;
    if (call->asks) continue;
    guarded = braze_call_guarded(call);
    call->asks = true;
    engine->asking_count++;
    call->guard->functions->before(call->guard, &guarded, &engine->wake);
  }
}

void braze_guarded_begin(struct braze_engine *engine, struct braze_call *call) {
  braze_engine_remove(engine, call);
  braze_engine_add(engine, call, BRAZE_CALL_ASKING, call->deadline);
  ask_next(engine);
}

/* The call may go on, before those that wait: it was its turn. */
static void let_pass(struct braze_engine *engine, struct braze_call *call) {
  call->passed = true;
  braze_engine_remove(engine, call);
  braze_engine_add(engine, call, BRAZE_CALL_WAITING, call->deadline);
  braze_list_remove(&engine->calls[BRAZE_CALL_WAITING], &call->engine_link);
  braze_list_prepend(&engine->calls[BRAZE_CALL_WAITING], &call->engine_link);
}

static void go_on_asking(struct braze_engine *engine) {
  struct braze_link *link, *next;
  for (link = engine->calls[BRAZE_CALL_ASKING].first; link; link = next) {
    struct braze_call *call = braze_call_of_engine_link(link);
    const struct braze_guarded guarded = braze_call_guarded(call);
    next = link->next; /* before the call goes to another list */
    if (!call->asks) continue;
    switch (call->guard->functions->ask(call->guard, &guarded)) {
    case BRAZE_GUARD_LATER: break;
    case BRAZE_GUARD_GO: let_pass(engine, call); break;
    case BRAZE_GUARD_END:
      braze_engine_remove(engine, call);
      braze_engine_complete(engine, call, braze_clock_now());
      break;
    }
  }
}

static void go_on_telling(struct braze_engine *engine) {
  struct braze_link *link, *next;
  for (link = engine->calls[BRAZE_CALL_TELLING].first; link; link = next) {
    struct braze_call *call = braze_call_of_engine_link(link);
    next = link->next;
    if (!call->guard->functions->is_done(call->guard)) continue;
    braze_engine_remove(engine, call);
    braze_engine_complete(engine, call, braze_clock_now());
  }
}

void braze_guarded_go_on(struct braze_engine *engine) {
  if (engine->calls[BRAZE_CALL_ASKING].first) {
    go_on_asking(engine);
    ask_next(engine);
  }
  if (engine->calls[BRAZE_CALL_TELLING].first) go_on_telling(engine);
}

void braze_guarded_end_late(struct braze_engine *engine, struct braze_call *call, double now) {
  const bool asking = call->state == BRAZE_CALL_ASKING;
  const struct braze_guarded guarded = braze_call_guarded(call);
  braze_engine_remove(engine, call);
  if (asking) call->guard->functions->late(call->guard, &guarded);
  call->guard->functions->leave(call->guard);
  braze_engine_complete(engine, call, now);
}

bool braze_guarded_wait(struct braze_engine *engine, double max_seconds) {
  struct braze_call *call = braze_engine_first(engine, BRAZE_CALL_ASKING);
  if (!call) call = braze_engine_first(engine, BRAZE_CALL_TELLING);
  if (!call) return false;
  call->guard->functions->wait(call->guard, max_seconds);
  return true;
}
