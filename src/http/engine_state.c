/* engine_state: see engine_state.h. */
#include "http/engine_state.h"

#include "http/shared.h"

static struct braze_heap *heap_of(struct braze_engine *engine, enum braze_call_state state) {
  return state == BRAZE_CALL_RUNNING ? &engine->endings : &engine->next_steps;
}

static bool has_place(enum braze_call_state state) {
  return state == BRAZE_CALL_LOOKING || state == BRAZE_CALL_RUNNING;
}

void braze_engine_add(struct braze_engine *engine, struct braze_call *call, enum braze_call_state state, double due) {
  call->state = state;
  call->next_step.due = due;
  braze_list_append(&engine->calls[state], &call->engine_link);
  braze_heap_add(heap_of(engine, state), &call->next_step);
  if (has_place(state)) engine->attempt_count++;
}

void braze_engine_remove(struct braze_engine *engine, struct braze_call *call) {
  braze_list_remove(&engine->calls[call->state], &call->engine_link);
  braze_heap_remove(heap_of(engine, call->state), &call->next_step);
  if (has_place(call->state)) engine->attempt_count--;
  if (!call->asks) return;
  engine->asking_count--;
  call->asks = false;
}

void braze_engine_complete(struct braze_engine *engine, struct braze_call *call, double now) {
  call->state = BRAZE_CALL_DONE;
  call->outcome.elapsed = call->outcome.kind == BRAZE_USAGE && !call->outcome.answered ? 0 : now - call->started;
  braze_list_append(&engine->calls[BRAZE_CALL_DONE], &call->engine_link);
}

/* Tells the guard what came of the call. Nobody waits for that where the call was cancelled. True: the call waits. */
static bool tell_guard(struct braze_engine *engine, struct braze_call *call) {
  const struct braze_guard_functions *guard = call->guard->functions;
  const struct braze_guarded guarded = braze_call_guarded(call);
  double until = guard->after(call->guard, &guarded, &engine->wake);
  if (until <= 0) return false;
  if (call->outcome.kind == BRAZE_CANCELLED && !call->outcome.answered) {
    guard->leave(call->guard);
    return false;
  }
  braze_engine_add(engine, call, BRAZE_CALL_TELLING, until);
  return true;
}

void braze_engine_finish(struct braze_engine *engine, struct braze_call *call, double now) {
  if (call->outcome.answered) braze_bucket_reward(&engine->settings->shared->bucket);
  if (call->guard && tell_guard(engine, call)) return;
  braze_engine_complete(engine, call, now);
}

void braze_engine_fail(struct braze_engine *engine, struct braze_call *call, enum braze_kind kind, double now) {
  braze_outcome_clear(&call->outcome);
  braze_outcome_fail(&call->outcome, kind);
  braze_engine_finish(engine, call, now);
}
