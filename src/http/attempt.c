/* attempt: see attempt.h. */
#include "http/attempt.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/events.h"
#include "http/shared.h"

#define MAX_IDLE_TRANSFERS 64

static struct braze_transfer *take_transfer(struct braze_engine *engine) {
  struct braze_transfer *transfer = engine->idle;
  if (!transfer) return braze_transfer_new(engine->settings, engine->secrets, &engine->connections.sockets);
  engine->idle = transfer->next;
  engine->idle_count--;
  return transfer;
}

static void put_transfer(struct braze_engine *engine, struct braze_transfer *transfer) {
  if (engine->idle_count >= MAX_IDLE_TRANSFERS || !braze_transfer_renew(transfer, &engine->connections.sockets)) {
    braze_transfer_free(transfer);
    return;
  }
  transfer->next = engine->idle;
  engine->idle = transfer;
  engine->idle_count++;
}

void braze_attempt_free_idle(struct braze_engine *engine) {
  while (engine->idle) braze_transfer_free(take_transfer(engine));
}

/* The certificates for this attempt: the second store where the first did not do, for this call or for an earlier one. */
static const struct braze_trust_store *choose_store(struct braze_engine *engine, const struct braze_call *call) {
  return braze_known_store(&engine->known, call->trust_retried || atomic_load(&engine->settings->shared->trust_file));
}

/* The same attempt once more, which counts as no further try. */
static void repeat(struct braze_engine *engine, struct braze_call *call) {
  call->tries--;
  braze_engine_add(engine, call, BRAZE_CALL_WAITING, call->deadline);
}

/* What comes after an attempt: the same once more, a pause, or the end. */
static void decide_next(struct braze_engine *engine, struct braze_call *call) {
  const struct braze_outcome *outcome = &call->outcome;
  struct braze_retry_call retry = {call->request.repeatable, call->limits.retries, call->tries, call->deadline};
  struct braze_retry_time time;
  double at;
  time.now = braze_clock_now();
  if (outcome->stop == BRAZE_STOP_STALE_CONNECTION) {
    call->refused_connection = true;
    repeat(engine, call);
    return;
  }
  braze_events_attempt(call, time.now);
  if (outcome->trust_failed && !outcome->request_sent && choose_store(engine, call) != braze_known_store(&engine->known, true)) {
    call->trust_retried = true;
    repeat(engine, call);
    return;
  }
  if (call->trust_retried && !outcome->trust_failed && (outcome->request_sent || outcome->answered))
    atomic_store(&engine->settings->shared->trust_file, true);
  if (!outcome->answered) {
    time.epoch = braze_clock_epoch();
    time.random = braze_clock_random();
    if (braze_retry_decide(&retry, outcome, &time, &engine->settings->shared->bucket, &at)) {
      braze_events_pause(call, at - time.now);
      braze_engine_add(engine, call, BRAZE_CALL_PAUSING, at);
      return;
    }
  }
  braze_engine_finish(engine, call, time.now);
}

/* The attempt waits for a look at the disk and the name, and has its place among the connections meanwhile. */
static void begin_look(struct braze_engine *engine, struct braze_call *call, double now) {
  if (braze_known_look(&engine->known, engine->settings, &engine->wake, now, &call->outcome))
    braze_engine_add(engine, call, BRAZE_CALL_LOOKING, call->connect_by);
  else
    decide_next(engine, call);
}

void braze_attempt_end(struct braze_engine *engine, struct braze_transfer *transfer, CURLcode code) {
  struct braze_call *call = transfer->call;
  struct braze_outcome *outcome = &call->outcome;
  const bool look = transfer->refused && !outcome->request_sent;
  braze_engine_remove(engine, call);
  call->transfer = NULL;
  if (!outcome->request_sent && (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT)) braze_known_drop_name(&engine->known);
  outcome->no_descriptor = engine->connections.sockets.out_of_descriptors &&
                           (code == CURLE_COULDNT_CONNECT || code == CURLE_SSL_CACERT_BADFILE);
  braze_transfer_end(transfer, code);
  if (!outcome->maybe_applied && !outcome->answered) braze_call_reopen_gate(call);
  braze_events_measure(call, transfer);
  put_transfer(engine, transfer);
  if (!look) {
    decide_next(engine, call);
    return;
  }
  call->needs_look = true;
  braze_outcome_clear(outcome);
  begin_look(engine, call, braze_clock_now());
}

void braze_attempt_cancel(struct braze_engine *engine, struct braze_call *call, double now) {
  struct braze_transfer *transfer = call->transfer;
  if (!transfer) {
    braze_engine_fail(engine, call, BRAZE_CANCELLED, now);
    return;
  }
  curl_multi_remove_handle(engine->multi, transfer->easy);
  braze_transfer_cancel(transfer);
  call->transfer = NULL;
  braze_events_measure(call, transfer);
  braze_events_attempt(call, now);
  put_transfer(engine, transfer);
  braze_engine_finish(engine, call, now);
}

bool braze_attempt_needs_new(const struct braze_engine *engine, const struct braze_call *call, double now) {
  return call->refused_connection || braze_connections_need_new(&engine->connections, now);
}

/* Whether libcurl must make a new connection. It chooses later, when one on which an attempt now runs may have become free. */
static bool is_fresh(const struct braze_engine *engine, const struct braze_call *call) {
  const struct braze_connections *connections = &engine->connections;
  if (call->fresh) return true;
  return !connections->proven && (connections->sockets.kept > 0 || engine->calls[BRAZE_CALL_RUNNING].first);
}

/* Gives the attempt to libcurl. It may make a new connection only right after a look. */
static void begin_transfer(struct braze_engine *engine, struct braze_call *call, bool may_connect, double now) {
  const struct braze_route route = {choose_store(engine, call), engine->known.addresses, may_connect, is_fresh(engine, call)};
  struct braze_transfer *transfer = !engine->spoiled && braze_watch_reserve(&engine->watch) ? take_transfer(engine) : NULL;
  CURLcode code;
  if (!transfer) {
    call->outcome.curl_code = CURLE_OUT_OF_MEMORY;
    braze_text_print(call->outcome.curl_message, sizeof call->outcome.curl_message, "%s", curl_easy_strerror(CURLE_OUT_OF_MEMORY));
    braze_outcome_fail(&call->outcome, BRAZE_NETWORK);
    braze_engine_finish(engine, call, now);
    return;
  }
  call->transfer = transfer;
  braze_events_transfer(call, now);
  braze_engine_add(engine, call, BRAZE_CALL_RUNNING, call->connect_by);
  code = braze_transfer_begin(transfer, call, &route, now);
  if (!route.fresh && braze_sockets_spare(&engine->connections.sockets) > 0) braze_sockets_promise(&transfer->connection);
  if (code == CURLE_OK && curl_multi_add_handle(engine->multi, transfer->easy) != CURLM_OK) code = CURLE_OUT_OF_MEMORY;
  if (code != CURLE_OK) braze_attempt_end(engine, transfer, code);
}

/* Whether an attempt that is given to libcurl now finds a kept connection. */
static bool has_kept(const struct braze_engine *engine, const struct braze_call *call) {
  return !call->needs_look && !call->fresh && engine->connections.proven && braze_sockets_spare(&engine->connections.sockets) > 0 &&
         braze_known_trust(&engine->known);
}

void braze_attempt_begin(struct braze_engine *engine, struct braze_call *call, double now) {
  const bool look = braze_look_is_needed(engine->settings);
  const double connect_by = now + call->limits.connect_timeout;
  call->fresh = braze_attempt_needs_new(engine, call, now);
  call->refused_connection = false;
  call->outcome.applied_before = call->outcome.maybe_applied;
  braze_outcome_clear(&call->outcome);
  call->tries++;
  braze_events_begin(call, now);
  call->connect_by = connect_by < call->deadline ? connect_by : call->deadline;
  if (look && !has_kept(engine, call))
    begin_look(engine, call, now);
  else
    begin_transfer(engine, call, !look, now);
}

void braze_attempt_end_look(struct braze_engine *engine) {
  struct braze_call *call;
  double now;
  if (!engine->known.look) return;
  now = braze_clock_now();
  if (!braze_known_update(&engine->known, engine->settings, now)) return;
  while ((call = braze_engine_first(engine, BRAZE_CALL_LOOKING)) != NULL) {
    braze_engine_remove(engine, call);
    call->needs_look = false;
    if (braze_known_check(&engine->known, &call->outcome))
      begin_transfer(engine, call, true, now);
    else
      decide_next(engine, call);
  }
}

void braze_attempt_end_late_look(struct braze_engine *engine, struct braze_call *call, double now) {
  const struct braze_limits *limits = &call->limits;
  braze_engine_remove(engine, call);
  call->outcome.connecting = call->connect_by < call->deadline;
  braze_known_late(&engine->known, limits->connect_timeout < limits->timeout ? limits->connect_timeout : limits->timeout, now,
                   &call->outcome);
  decide_next(engine, call);
}

/* Whether an attempt that waits for a look may take a connection that has become free meanwhile. */
static bool may_skip_look(struct braze_engine *engine, const struct braze_call *call, double now) {
  struct braze_connections *connections = &engine->connections;
  if (call->needs_look || call->fresh || !braze_known_trust(&engine->known)) return false;
  braze_connections_look(connections, now);
  if (braze_sockets_spare(&connections->sockets) <= 0 || braze_attempt_needs_new(engine, call, now)) return false;
  return !braze_connections_hold(connections, call->connect_by, now) && connections->proven;
}

bool braze_attempt_use_kept(struct braze_engine *engine, double now) {
  struct braze_call *call;
  bool begun = false;
  while ((call = braze_engine_first(engine, BRAZE_CALL_LOOKING)) != NULL && may_skip_look(engine, call, now)) {
    braze_engine_remove(engine, call);
    begin_transfer(engine, call, false, now);
    begun = true;
  }
  return begun;
}
