/* client: client.h without a network and without a thread of its own: in place of src/client.c. A call on the caller's thread goes through
   at once. A started one has sent its first request, and ends when it is told to. A pause of a call moves the time. */
#include "client.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "fake/clock.h"
#include "fake/fake.h"
#include "http/call_state.h"
#include "http/retry.h"
#include "http/shared.h"
#include "process/process.h"
#include "process/wake.h"

#ifdef BRAZE_FAKE /* a host that compiles all of src/ into itself has the real ones */

#define GUARD_WAIT 0.02 /* seconds for which a guard is waited for at a time, and by which the time moves then */

struct braze_client {
  struct braze_settings *settings;
  struct braze_ledger *ledger; /* NULL: none */
  int holds;
  bool closed, freed;
  int pending; /* started and not taken */
  int ready;   /* of them, those that are done */
  struct braze_list flight, done;
  struct braze_wake wake; /* readable while something is done; opened when it is asked for */
  braze_fake_exchange exchange;
};

struct braze_client *braze_client_new(void) {
  struct braze_client *client = calloc(1, sizeof *client);
  if (!client) return NULL;
  braze_wake_init(&client->wake);
  client->settings = braze_settings_new();
  if (client->settings) return client;
  free(client);
  return NULL;
}

struct braze_settings *braze_client_settings(struct braze_client *client) {
  return client->settings;
}

void braze_client_set_ledger(struct braze_client *client, struct braze_ledger *ledger) {
  client->ledger = ledger;
}

struct braze_ledger *braze_client_ledger(const struct braze_client *client) {
  return client->ledger;
}

bool braze_client_is_closed(const struct braze_client *client) {
  return client->closed;
}

unsigned braze_client_generation(struct braze_client *client) {
  (void)client;
  return braze_process_forks();
}

void braze_fake_set_exchange(struct braze_client *client, braze_fake_exchange exchange) {
  client->exchange = exchange;
}

/* --- The way of a call ---------------------------------------------------------------------------------- */

static void wait_for_guard(struct braze_call *call) {
  call->guard->functions->wait(call->guard, GUARD_WAIT);
  braze_fake_clock_move(GUARD_WAIT);
}

/* Lets the guard make its step before the first request. False: the call is over without one. */
static bool pass_guard(struct braze_call *call) {
  const struct braze_guarded guarded = braze_call_guarded(call);
  const struct braze_guard_functions *functions = call->guard ? call->guard->functions : NULL;
  enum braze_guard_answer answer;
  if (!functions || !functions->before) return true;
  functions->before(call->guard, &guarded, NULL);
  while ((answer = functions->ask(call->guard, &guarded)) == BRAZE_GUARD_LATER) {
    if (braze_clock_now() >= call->deadline) {
      functions->late(call->guard, &guarded);
      functions->leave(call->guard);
      return false;
    }
    wait_for_guard(call);
  }
  return answer == BRAZE_GUARD_GO;
}

/* Tells the guard what came of the call, and waits as long as it may. */
static void tell_guard(struct braze_call *call) {
  const struct braze_guarded guarded = braze_call_guarded(call);
  const struct braze_guard_functions *functions;
  double until;
  if (!call->guard) return;
  functions = call->guard->functions;
  until = functions->after(call->guard, &guarded, NULL);
  if (until <= 0) return;
  while (braze_clock_now() < until && !functions->is_done(call->guard)) wait_for_guard(call);
  if (!functions->is_done(call->guard)) functions->leave(call->guard);
}

/* One request, and what comes of it. False: it was not expected. */
static bool request(struct braze_client *client, struct braze_call *call) {
  call->outcome.applied_before = call->outcome.maybe_applied;
  braze_outcome_clear(&call->outcome);
  call->tries++;
  braze_events_begin(call, braze_clock_now());
  return client->exchange && client->exchange(client, call, call->tries);
}

/* A request that got no answer in time: the time is up. */
static void wait_in_vain(const struct braze_call *call) {
  const double left = call->deadline - braze_clock_now();
  if (call->outcome.kind == BRAZE_TIMEOUT && !call->outcome.answered && left > 0) braze_fake_clock_move(left);
}

/* Whether the call is tried again: then the pause before it is over. */
static bool pause_and_go_on(struct braze_client *client, struct braze_call *call) {
  const struct braze_retry_call retry = {call->request.repeatable, call->limits.retries, call->tries, call->deadline};
  const struct braze_retry_time time = {braze_clock_now(), braze_clock_epoch(), braze_clock_random()};
  double at;
  braze_events_attempt(call, time.now);
  if (!call->outcome.maybe_applied && !call->outcome.answered) braze_call_reopen_gate(call);
  if (!braze_retry_decide(&retry, &call->outcome, &time, &client->settings->shared->bucket, &at)) return false;
  braze_events_pause(call, at - time.now);
  if (at > time.now) braze_fake_clock_move(at - time.now);
  return true;
}

/* The call is over, and its outcome is known. */
static void complete(struct braze_call *call) {
  struct braze_outcome *outcome = &call->outcome;
  outcome->elapsed = outcome->kind == BRAZE_USAGE && !outcome->answered ? 0 : braze_clock_now() - call->started;
  call->state = BRAZE_CALL_DONE;
  atomic_store(&call->finished, true);
}

/* Goes on after the first request, to the call's end. */
static void go_to_end(struct braze_client *client, struct braze_call *call) {
  bool expected = true;
  wait_in_vain(call);
  while (expected && pause_and_go_on(client, call)) {
    expected = request(client, call);
    wait_in_vain(call);
  }
  if (call->outcome.answered) braze_bucket_reward(&client->settings->shared->bucket);
  tell_guard(call);
  complete(call);
}

/* Makes the first request. 0, or that it was not expected; *over: there is none, since the guard knows the outcome. */
static int begin(struct braze_client *client, struct braze_call *call, bool *over) {
  call->process = braze_process_forks();
  call->deadline = call->started + call->limits.timeout;
  *over = !pass_guard(call);
  if (*over || request(client, call)) return 0;
  braze_outcome_clear(&call->outcome);
  braze_outcome_fail(&call->outcome, BRAZE_CANCELLED);
  tell_guard(call);
  return BRAZE_FAKE_UNEXPECTED;
}

int braze_client_call(struct braze_client *client, struct braze_call *call) {
  bool over;
  int failure = client->closed ? BRAZE_ERROR_CLOSED : begin(client, call, &over);
  if (failure != 0) return failure;
  if (over)
    complete(call);
  else
    go_to_end(client, call);
  return 0;
}

/* --- Started calls -------------------------------------------------------------------------------------- */

/* A call that is under way can be taken. */
static void hand_out(struct braze_client *client, struct braze_call *call) {
  braze_list_remove(&client->flight, &call->owner_link);
  braze_list_append(&client->done, &call->owner_link);
  client->ready++;
  if (client->wake.writing >= 0) braze_wake_set(&client->wake);
}

int braze_client_start(struct braze_client *client, struct braze_call *call) {
  bool over;
  int failure = client->closed ? BRAZE_ERROR_CLOSED : begin(client, call, &over);
  if (failure != 0) return failure;
  braze_call_retain(call);
  client->pending++;
  braze_list_append(&client->flight, &call->owner_link);
  if (!over) return 0;
  complete(call);
  hand_out(client, call);
  return 0;
}

/* Ends a call that is under way in this way, whatever its answer would have been. */
static void end(struct braze_client *client, struct braze_call *call, enum braze_kind kind) {
  braze_outcome_free(&call->outcome);
  braze_call_describe_cancelled(call, braze_clock_now(), &call->outcome);
  call->outcome.kind = kind;
  braze_events_attempt(call, braze_clock_now());
  tell_guard(call);
  complete(call);
  hand_out(client, call);
}

static void finish(struct braze_client *client, struct braze_call *call) {
  go_to_end(client, call);
  hand_out(client, call);
}

bool braze_fake_finish(struct braze_client *client, int n) {
  struct braze_link *link = client->flight.first;
  while (link && --n > 0) link = link->next;
  if (!link || n < 0) return false;
  finish(client, braze_call_of_owner_link(link));
  return true;
}

void braze_fake_advance(struct braze_client *client, double seconds) {
  struct braze_link *link, *next;
  braze_fake_clock_move(seconds);
  for (link = client->flight.first; link; link = next) {
    struct braze_call *call = braze_call_of_owner_link(link);
    next = link->next;
    if (call->deadline <= braze_clock_now()) end(client, call, BRAZE_TIMEOUT);
  }
}

void braze_client_cancel(struct braze_client *client, struct braze_call *call) {
  if (!braze_call_is_done(call)) end(client, call, BRAZE_CANCELLED);
}

void braze_client_wait(struct braze_client *client, struct braze_call *call, double max_seconds) {
  (void)max_seconds;
  if (call && !braze_call_is_done(call))
    finish(client, call);
  else if (!call)
    braze_fake_finish(client, 1);
}

bool braze_client_is_ready(struct braze_client *client) {
  return client->ready > 0;
}

int braze_client_ready_count(struct braze_client *client) {
  return client->ready;
}

struct braze_call *braze_client_take(struct braze_client *client) {
  struct braze_call *call = braze_call_of_owner_link(braze_list_take(&client->done));
  if (!call) return NULL;
  client->ready--;
  client->pending--;
  return call;
}

void braze_client_rearm(struct braze_client *client) {
  if (client->ready == 0 && client->wake.reading >= 0) braze_wake_clear(&client->wake);
}

int braze_client_pending(struct braze_client *client) {
  return client->pending;
}

int braze_client_descriptor(struct braze_client *client, int *descriptor) {
  int failure = client->wake.reading >= 0 ? 0 : braze_wake_open(&client->wake);
  if (failure != 0) return failure;
  if (client->ready > 0) braze_wake_set(&client->wake);
  *descriptor = client->wake.reading;
  return 0;
}

/* A fake client belongs to no host's loop. */
int braze_client_notify(struct braze_client *client, int socket) {
  (void)client, (void)socket;
  return ENOSYS;
}

/* --- Its end -------------------------------------------------------------------------------------------- */

static void drop_secrets(struct braze_client *client) {
  if (client->closed && client->holds == 0) braze_settings_drop_secrets(client->settings);
}

static void destroy(struct braze_client *client) {
  if (!client->freed || client->holds > 0) return;
  braze_wake_close(&client->wake);
  braze_settings_release(client->settings);
  braze_ledger_release(client->ledger);
  free(client);
}

void braze_client_close(struct braze_client *client) {
  if (client->closed) return;
  client->closed = true;
  while (client->flight.first) end(client, braze_call_of_owner_link(client->flight.first), BRAZE_CANCELLED);
  drop_secrets(client);
}

void braze_client_free(struct braze_client *client) {
  struct braze_call *call;
  if (!client) return;
  client->exchange = NULL;
  braze_client_close(client);
  while ((call = braze_client_take(client)) != NULL) braze_call_release(call);
  client->freed = true;
  destroy(client);
}

void braze_client_hold(struct braze_client *client) {
  client->holds++;
}

void braze_client_let_go(struct braze_client *client) {
  if (!client) return;
  client->holds--;
  drop_secrets(client);
  destroy(client);
}

#endif
