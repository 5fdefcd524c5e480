/* engine: see engine.h. */
#define _GNU_SOURCE /* sigset_t under -std=c11 */
#include "http/engine.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "http/attempt.h"
#include "http/call_state.h"
#include "http/guarded.h"
#include "process/descriptor.h"
#include "process/process.h"
#include "process/sigpipe.h"

#define LONGEST_WAIT 3600.0
#define LONGEST_WAIT_OF_OWNER 1.0 /* its thread must notice that the process exits */
#define MAX_VAIN_LOOKS 3u  /* one may read a ticket of TLS, or end the sending */
#define MAX_LATE_LOOKS 64

/* Makes a multi handle. libcurl opens descriptors to wake itself, which must not be low ones. Returns 0 or an error. */
static int open_multi(struct braze_engine *engine, CURLM **opened) {
  struct braze_descriptor_fill fill;
  int failure;
  braze_descriptor_fill_low(&fill);
  errno = 0;
  *opened = curl_multi_init();
  failure = errno == EMFILE || errno == ENFILE ? errno : ENOMEM; /* libcurl 8.22 needs a descriptor */
  braze_descriptor_release_low(&fill);
  if (!*opened) return failure;
  curl_multi_setopt(*opened, CURLMOPT_MAXCONNECTS, (long)engine->max_connections);
  curl_multi_setopt(*opened, BRAZE_CURLMOPT_QUICK_EXIT, 1L);
  braze_watch_open(&engine->watch, *opened);
  return 0;
}

/* Where libcurl had no memory for a socket that it waits for, it keeps what it has made of it: 7.88 divides by zero once another socket has
   that number. So another multi handle takes the place of this one, in which nothing runs, and with it go the kept connections. */
static void renew_multi(struct braze_engine *engine) {
  CURLM *opened;
  engine->spoiled = open_multi(engine, &opened) != 0;
  if (engine->spoiled) return;
  curl_multi_cleanup(engine->multi);
  engine->multi = opened;
}

bool braze_engine_prepare(void) {
  return braze_libcurl_start();
}

int braze_engine_new(struct braze_engine **made, struct braze_settings *settings, int max_connections) {
  struct braze_engine *engine;
  int failure;
  if (!braze_libcurl_start()) return BRAZE_ERROR_LIBCURL;
  engine = calloc(1, sizeof *engine);
  if (!engine) return ENOMEM;
  braze_wake_init(&engine->wake);
  engine->max_connections = max_connections;
  failure = braze_watch_reserve(&engine->watch) ? open_multi(engine, &engine->multi) : ENOMEM;
  if (failure != 0) {
    braze_watch_free(&engine->watch);
    free(engine);
    return failure;
  }
  engine->settings = braze_settings_retain(settings);
  engine->secrets = braze_secrets_retain(settings->secrets);
  engine->connections.sockets.secure = settings->secure;
  *made = engine;
  return 0;
}

/* A pause is over. Where the deadline has passed meanwhile, since the process was stopped, what ended the last attempt ends the call. */
static void end_pause(struct braze_engine *engine, struct braze_call *call, double now) {
  braze_engine_remove(engine, call);
  if (call->deadline <= now)
    braze_engine_finish(engine, call, now);
  else
    braze_engine_add(engine, call, BRAZE_CALL_WAITING, call->deadline);
}

/* The deadline of a call that waits for its turn has passed. */
static void end_waiting(struct braze_engine *engine, struct braze_call *call, double now) {
  braze_engine_remove(engine, call);
  braze_engine_fail(engine, call, BRAZE_TIMEOUT, now);
  call->outcome.crowded = engine->crowded_at >= call->started;
}

/* Goes on with calls whose time in their state is over. */
static void advance_due(struct braze_engine *engine, double now) {
  struct braze_call *call;
  while ((call = braze_call_of_next_step(engine->next_steps.first)) != NULL && call->next_step.due <= now) {
    if (call->state == BRAZE_CALL_PAUSING)
      end_pause(engine, call, now);
    else if (call->state == BRAZE_CALL_ASKING || call->state == BRAZE_CALL_TELLING)
      braze_guarded_end_late(engine, call, now);
    else if (call->state == BRAZE_CALL_LOOKING)
      braze_attempt_end_late_look(engine, call, now);
    else
      end_waiting(engine, call, now);
  }
}

/* Begins attempts of calls that wait, as long as there is room. True: at least one was begun. */
static bool begin_waiting(struct braze_engine *engine, double now) {
  struct braze_call *call;
  bool begun = false;
  while ((call = braze_engine_first(engine, BRAZE_CALL_WAITING)) != NULL && engine->attempt_count < engine->max_connections) {
    if (braze_call_is_cancelled(call)) {
      braze_engine_remove(engine, call);
      braze_engine_fail(engine, call, BRAZE_CANCELLED, now);
      continue;
    }
    if (call->guard && call->guard->functions->before && !call->passed) {
      braze_guarded_begin(engine, call);
      begun = true;
      continue;
    }
    braze_connections_look(&engine->connections, now);
    if (!braze_attempt_needs_new(engine, call, now) && braze_connections_hold(&engine->connections, call->deadline, now)) break;
    braze_engine_remove(engine, call);
    braze_attempt_begin(engine, call, now);
    begun = true;
  }
  if (call && engine->attempt_count >= engine->max_connections) engine->crowded_at = now;
  return begun;
}

/* Does what is due now for calls that do not run. True: at least one attempt was given to libcurl. */
static bool advance(struct braze_engine *engine) {
  double now;
  bool used_kept;
  engine->connections.holding = engine->connections.looked = false;
  if (!engine->next_steps.first) return false;
  now = braze_clock_now();
  advance_due(engine, now);
  used_kept = braze_attempt_use_kept(engine, now);
  return begin_waiting(engine, now) || used_kept;
}

/* Ends the attempts that libcurl reports as done. */
static void harvest(struct braze_engine *engine) {
  CURLMsg *message;
  int remaining;
  while ((message = curl_multi_info_read(engine->multi, &remaining)) != NULL) {
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result; /* the message is gone with the handle */
    char *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (code != CURLE_OK) braze_sockets_shut_down(easy);
    curl_multi_remove_handle(engine->multi, easy);
    braze_attempt_end(engine, (struct braze_transfer *)(void *)transfer, code);
  }
}

static void end_running(struct braze_engine *engine, struct braze_call *call, CURLcode code) {
  curl_multi_remove_handle(engine->multi, call->transfer->easy);
  braze_attempt_end(engine, call->transfer, code);
}

/* Ends a running call whose time is up, once libcurl has read what lies in its socket. libcurl looks at its own timer before it
   reads: a process that was stopped past a deadline would lose an answer that has arrived. True: libcurl must look again. */
static bool end_late(struct braze_engine *engine) {
  struct braze_call *call;
  double now = engine->endings.first ? braze_clock_now() : 0;
  size_t received;
  while ((call = braze_call_of_next_step(engine->endings.first)) != NULL && call->next_step.due <= now) {
    if (call->outcome.request_sent && call->deadline > now) { /* its connection was there in time */
      braze_engine_remove(engine, call);
      braze_engine_add(engine, call, BRAZE_CALL_RUNNING, call->deadline);
      continue;
    }
    received = braze_transfer_received(call->transfer);
    call->transfer->vain_looks = received == call->transfer->seen ? call->transfer->vain_looks + 1 : 0;
    call->transfer->seen = received;
    if (call->transfer->vain_looks > MAX_VAIN_LOOKS || engine->late_looks++ >= MAX_LATE_LOOKS)
      end_running(engine, call, CURLE_OPERATION_TIMEDOUT);
    return true;
  }
  return false;
}

void braze_engine_step(struct braze_engine *engine) {
  struct braze_sigpipe sigpipe;
  struct braze_call *call;
  bool look = true;
  braze_sigpipe_hold(&sigpipe, braze_libcurl_raises_sigpipe());
  engine->late_looks = 0;
  if (engine->spoiled) renew_multi(engine);
  braze_attempt_end_look(engine);
  if (engine->calls[BRAZE_CALL_ASKING].first || engine->calls[BRAZE_CALL_TELLING].first) braze_guarded_go_on(engine);
  advance(engine);
  do {
    /* Where libcurl could not go on at all, it will never report what runs. */
    if (!braze_watch_act(&engine->watch, engine->multi, look)) {
      while ((call = braze_engine_first(engine, BRAZE_CALL_RUNNING)) != NULL) end_running(engine, call, CURLE_OUT_OF_MEMORY);
      renew_multi(engine);
    }
    harvest(engine);
    look = end_late(engine);
  } while (look || advance(engine));
  braze_sigpipe_release(&sigpipe);
}

/* The seconds until a time, but at most `max_seconds`. */
static double seconds_until(double time, double max_seconds, bool busy) {
  double seconds = braze_clock_wait(time, busy);
  return seconds < max_seconds ? seconds : max_seconds;
}

/* When the first of next_steps is due, or the wait for quiet connections ends, whichever comes first. */
static double next_due(const struct braze_engine *engine) {
  double due = engine->next_steps.first->due;
  return engine->connections.holding && engine->connections.quiet_at < due ? engine->connections.quiet_at : due;
}

void braze_engine_wait(struct braze_engine *engine, double max_seconds) {
  double seconds = max_seconds < LONGEST_WAIT ? max_seconds : LONGEST_WAIT;
  const int wake = engine->wake.reading;
  if (engine->next_steps.first) seconds = seconds_until(next_due(engine), seconds, engine->attempt_count > 0);
  if (engine->endings.first) seconds = seconds_until(engine->endings.first->due, seconds, true);
  if (engine->known.look && wake < 0 && seconds > 0) { /* the one call of such an engine waits for nothing else */
    braze_look_wait(engine->known.look, seconds);
    return;
  }
  if (wake < 0 && seconds > 0 && braze_guarded_wait(engine, seconds)) return;
  if (braze_watch_wait(&engine->watch, engine->multi, wake, seconds > 0 ? seconds : 0)) braze_wake_clear(&engine->wake);
}

void braze_engine_submit(struct braze_engine *engine, struct braze_call *call) {
  call->deadline = call->started + call->limits.timeout;
  braze_engine_add(engine, call, BRAZE_CALL_WAITING, call->deadline);
}

void braze_engine_cancel(struct braze_engine *engine, struct braze_call *call) {
  double now = braze_clock_now();
  if (call->state == BRAZE_CALL_NEW || call->state == BRAZE_CALL_DONE) return;
  if (call->state == BRAZE_CALL_TELLING) {
    braze_guarded_end_late(engine, call, now);
    return;
  }
  braze_engine_remove(engine, call);
  braze_attempt_cancel(engine, call, now);
}

void braze_engine_cancel_all(struct braze_engine *engine) {
  struct braze_call *call;
  int state;
  for (state = BRAZE_CALL_WAITING; state < BRAZE_CALL_DONE; state++)
    while ((call = braze_engine_first(engine, (enum braze_call_state)state)) != NULL) braze_engine_cancel(engine, call);
}

struct braze_call *braze_engine_take(struct braze_engine *engine) {
  return braze_call_of_engine_link(braze_list_take(&engine->calls[BRAZE_CALL_DONE]));
}

int braze_engine_open_wake(struct braze_engine *engine) {
  return braze_wake_open(&engine->wake);
}

void braze_engine_wake(struct braze_engine *engine) {
  braze_wake_set(&engine->wake);
}

/* Steps until the call is done. False: the process is exiting, or the child of a fork in a signal handler goes on here. */
static bool run_to_end(struct braze_engine *engine, struct braze_call *call, unsigned process) {
  while (process == braze_process_forks() && braze_process_enter()) {
    braze_engine_step(engine);
    braze_process_leave();
    if (call->state == BRAZE_CALL_DONE) {
      braze_list_remove(&engine->calls[BRAZE_CALL_DONE], &call->engine_link);
      return true;
    }
    braze_engine_wait(engine, LONGEST_WAIT_OF_OWNER);
  }
  return false;
}

void braze_engine_run(struct braze_engine *engine, struct braze_call *call) {
  const unsigned process = braze_process_forks();
  braze_engine_submit(engine, call);
  if (!run_to_end(engine, call, process)) {
    braze_engine_remove(engine, call); /* without a call of libcurl, which must not be touched any more */
    if (process == braze_process_forks()) braze_process_sleep(call->deadline - braze_clock_now());
    braze_outcome_free(&call->outcome);
    braze_call_describe_cancelled(call, braze_clock_now(), &call->outcome);
  }
  atomic_store(&call->finished, true);
}

void braze_engine_free(struct braze_engine *engine) {
  struct braze_sigpipe sigpipe;
  braze_sigpipe_hold(&sigpipe, braze_libcurl_raises_sigpipe());
  braze_engine_cancel_all(engine);
  braze_attempt_free_idle(engine);
  curl_multi_cleanup(engine->multi);
  braze_watch_free(&engine->watch);
  braze_known_free(&engine->known);
  braze_connections_free(&engine->connections);
  braze_wake_close(&engine->wake);
  braze_sigpipe_release(&sigpipe);
  braze_secrets_release(engine->secrets);
  braze_settings_release(engine->settings);
  free(engine);
}

void braze_engine_retire(struct braze_engine *engine) {
  if (!braze_process_enter()) return;
  braze_engine_free(engine);
  braze_process_leave();
}
