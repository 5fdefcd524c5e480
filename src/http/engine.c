/* engine: see engine.h. */
#define _GNU_SOURCE /* sigset_t under -std=c11 */
#include "http/engine.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "process/descriptor.h"
#include "http/libcurl.h"
#include "http/known.h"
#include "http/list.h"
#include "process/process.h"
#include "process/sigpipe.h"
#include "base/heap.h"
#include "http/transfer.h"
#include "process/wake.h"

#define LONGEST_WAIT 3600.0
#define LONGEST_WAIT_OF_OWNER 1.0 /* its thread is to learn that the process exits */
#define MOST_IDLE_TRANSFERS 64
#define LONGEST_UNSEEN 1.0
#define QUIET 0.05     /* seconds: what comes behind an answer has come by then */
#define DISTRUST 600.0 /* seconds, after the service has sent what nobody asked for */
#define MOST_VAIN_LOOKS 3u /* one may read a ticket of TLS, or end the sending */
#define MOST_LATE_LOOKS 64 /* at what lies in a socket when the time is up */

/* CURLMOPT_QUICK_EXIT of 8.20: closing must not wait for a name look-up that hangs. By its number, so that what was built for an
   older libcurl has it, too; libcurl leaves alone what it does not know. */
#define MULTI_QUICK_EXIT ((CURLMoption)21)

struct braze_engine {
  struct braze_settings *settings;
  struct braze_secrets *secrets;
  CURLM *multi;
  struct braze_wake wake; /* of an engine that another thread may wake */
  struct braze_known known;
  int max_connections;
  int running_count; /* those that look included */
  struct list waiting; /* for a connection, in order */
  struct list looking; /* attempts that wait for a look; each has the place of one that runs */
  struct list running;
  struct list pausing; /* until a retry */
  struct list done;
  struct braze_timetable timetable; /* of waiting, looking and pausing ones */
  struct braze_timetable ending;    /* of running ones, which end once libcurl has read what is there */
  int late_looks;
  struct braze_sockets sockets;
  double dropped_until;    /* libcurl may not have seen until then that one of them is dead */
  double distrusted_until; /* each attempt has a connection of its own until then */
  bool proven;             /* the service sends nothing behind its answers, as far as was seen */
  bool holding;            /* calls wait for quiet_at */
  double quiet_at;         /* when the first wait for the proof of that ends; 0 = it has not begun */
  struct braze_transfer *idle;
  int idle_count;
};

struct braze_engine *braze_engine_new(struct braze_settings *settings, int max_connections) {
  struct braze_engine *engine = calloc(1, sizeof *engine);
  struct braze_descriptor_fill fill;
  if (!engine) return NULL;
  braze_wake_init(&engine->wake);
  braze_descriptor_fill_low(&fill); /* libcurl opens what it wakes itself with */
  engine->multi = curl_multi_init();
  braze_descriptor_release_low(&fill);
  if (!engine->multi) {
    free(engine);
    return NULL;
  }
  curl_multi_setopt(engine->multi, CURLMOPT_MAXCONNECTS, (long)max_connections);
  curl_multi_setopt(engine->multi, MULTI_QUICK_EXIT, 1L);
  engine->settings = braze_settings_retain(settings);
  engine->secrets = braze_secrets_retain(settings->secrets);
  engine->max_connections = max_connections;
  engine->sockets.secure = settings->secure;
  return engine;
}

static void enter(struct braze_engine *engine, struct list *list, struct braze_call *call, enum braze_call_state state, double due) {
  call->state = state;
  call->due = due;
  append(list, call);
  braze_timetable_add(list == &engine->running ? &engine->ending : &engine->timetable, call);
  if (list == &engine->running || list == &engine->looking) engine->running_count++;
}

static void leave(struct braze_engine *engine, struct list *list, struct braze_call *call) {
  unlink_from(list, call);
  braze_timetable_remove(list == &engine->running ? &engine->ending : &engine->timetable, call);
  if (list == &engine->running || list == &engine->looking) engine->running_count--;
}

static void finish(struct braze_engine *engine, struct braze_call *call, double now) {
  call->state = BRAZE_CALL_DONE;
  call->outcome.elapsed = now - call->started;
  if (call->outcome.answered) braze_bucket_reward(&engine->settings->bucket);
  append(&engine->done, call);
}

/* Ends a call that has no attempt under way. */
static void fail(struct braze_engine *engine, struct braze_call *call, enum braze_kind kind, double now) {
  braze_outcome_clear(&call->outcome);
  braze_outcome_fail(&call->outcome, kind);
  finish(engine, call, now);
}

static struct braze_transfer *take_transfer(struct braze_engine *engine) {
  struct braze_transfer *transfer = engine->idle;
  if (!transfer) return braze_transfer_new(engine->settings, engine->secrets, &engine->sockets);
  engine->idle = transfer->next;
  engine->idle_count--;
  return transfer;
}

static void put_transfer(struct braze_engine *engine, struct braze_transfer *transfer) {
  if (engine->idle_count >= MOST_IDLE_TRANSFERS || !braze_transfer_renew(transfer, &engine->sockets)) {
    braze_transfer_free(transfer);
    return;
  }
  transfer->next = engine->idle;
  engine->idle = transfer;
  engine->idle_count++;
}

/* The store of this attempt: the second one where the first did not do, for this call or for an earlier one. */
static const struct braze_trust_store *choose_store(struct braze_engine *engine, const struct braze_call *call) {
  return braze_known_store(&engine->known, call->trust_retried || atomic_load(&engine->settings->trust_file));
}

/* What comes after an attempt: the same again with the other trust store, a pause, or the end. */
static void settle(struct braze_engine *engine, struct braze_call *call) {
  const struct braze_outcome *outcome = &call->outcome;
  struct braze_retry_call retry = {call->request.repeatable, call->retries, call->tries, call->deadline};
  struct braze_retry_time time;
  double at;
  time.now = braze_clock_now();
  if (outcome->stop == BRAZE_STOP_STALE_CONNECTION) { /* nothing left: it is no try */
    call->refused_connection = true;
    call->tries--;
    enter(engine, &engine->waiting, call, BRAZE_CALL_WAITING, call->deadline);
    return;
  }
  if (outcome->trust_failed && !outcome->left && choose_store(engine, call) != braze_known_store(&engine->known, true)) {
    call->trust_retried = true;
    call->tries--;
    enter(engine, &engine->waiting, call, BRAZE_CALL_WAITING, call->deadline);
    return;
  }
  if (call->trust_retried && !outcome->trust_failed && (outcome->left || outcome->answered))
    atomic_store(&engine->settings->trust_file, true);
  if (!outcome->answered) {
    time.epoch = braze_clock_epoch();
    time.chance = braze_clock_chance();
    if (braze_retry_decide(&retry, outcome, &time, &engine->settings->bucket, &at)) {
      enter(engine, &engine->pausing, call, BRAZE_CALL_PAUSING, at);
      return;
    }
  }
  finish(engine, call, time.now);
}

/* An attempt waits for a look at the disk and the name, in the place of one that runs. */
static void begin_look(struct braze_engine *engine, struct braze_call *call, double now) {
  if (!braze_known_look(&engine->known, engine->settings, &engine->wake, now, &call->outcome)) {
    settle(engine, call);
    return;
  }
  enter(engine, &engine->looking, call, BRAZE_CALL_LOOKING, call->connect_by);
}

static void end_attempt(struct braze_engine *engine, struct braze_transfer *transfer, CURLcode code) {
  struct braze_call *call = transfer->call;
  const bool look = transfer->refused && !call->outcome.left;
  leave(engine, &engine->running, call);
  call->transfer = NULL;
  if (!call->outcome.left && (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT)) braze_known_forget_name(&engine->known);
  call->outcome.no_descriptor = engine->sockets.wanting && (code == CURLE_COULDNT_CONNECT || code == CURLE_SSL_CACERT_BADFILE);
  braze_transfer_end(transfer, code);
  if (!call->outcome.maybe_applied && !call->outcome.answered) braze_call_reopen_gate(call);
  put_transfer(engine, transfer);
  if (!look) {
    settle(engine, call);
    return;
  }
  call->needs_look = true;
  braze_outcome_clear(&call->outcome);
  begin_look(engine, call, braze_clock_now());
}

/* Looks at the connections that are kept, whatever runs on others: one on which bytes or an end wait is not used again. Where
   answers came that nobody asked for, the next one may arrive behind a request, and can't be told from its answer. */
static void look_at_kept(struct braze_engine *engine, double now) {
  struct braze_sockets *sockets = &engine->sockets;
  engine->dropped_until = braze_sockets_drop_dead(sockets, now - QUIET) && braze_global_looks_seldom() ? now + LONGEST_UNSEEN : 0;
  if (sockets->strayed) {
    engine->distrusted_until = now + DISTRUST;
    engine->quiet_at = 0;
  }
  engine->proven = (engine->proven || sockets->quiet) && !sockets->strayed;
  sockets->strayed = sockets->quiet = false;
}

/* Whether the attempt is to have a connection of its own, whichever are kept. */
static bool needs_fresh(const struct braze_engine *engine, const struct braze_call *call, double now) {
  return call->refused_connection || now < engine->dropped_until || now < engine->distrusted_until;
}

/* A request leaves on a kept connection only once the service was seen to send nothing behind an answer. */
static bool is_doubtful(const struct braze_engine *engine) {
  return !engine->proven && engine->sockets.kept > 0;
}

/* Whether a call, and with it all that wait behind it, keeps its place until the connections that are kept have been quiet for
   long enough. An engine waits for that once; where the wait has shown nothing, calls take new connections until one has. */
static bool is_held(struct braze_engine *engine, double deadline, double now) {
  if (!is_doubtful(engine)) return false;
  if (engine->quiet_at == 0) engine->quiet_at = now + QUIET;
  if (now >= engine->quiet_at || engine->quiet_at >= deadline) return false;
  engine->holding = true;
  return true;
}

/* Gives an attempt to libcurl. It may make a new connection right after a look. */
static void begin_transfer(struct braze_engine *engine, struct braze_call *call, bool may_connect, double now) {
  /* Before libcurl chooses, a connection on which an attempt runs may become free. */
  const bool fresh = call->fresh || (!engine->proven && (engine->sockets.kept > 0 || engine->running.first));
  const struct braze_route route = {choose_store(engine, call), engine->known.addresses, may_connect, fresh};
  struct braze_transfer *transfer = take_transfer(engine);
  CURLcode code;
  if (!transfer) {
    call->outcome.curl_code = CURLE_OUT_OF_MEMORY;
    strcpy(call->outcome.curl_message, curl_easy_strerror(CURLE_OUT_OF_MEMORY));
    braze_outcome_fail(&call->outcome, BRAZE_NETWORK);
    finish(engine, call, now);
    return;
  }
  call->transfer = transfer;
  enter(engine, &engine->running, call, BRAZE_CALL_RUNNING, call->connect_by);
  code = braze_transfer_begin(transfer, call, &route, now);
  if (!fresh && braze_sockets_spare(&engine->sockets) > 0) braze_sockets_promise(&transfer->connection);
  if (code == CURLE_OK && curl_multi_add_handle(engine->multi, transfer->easy) != CURLM_OK) code = CURLE_OUT_OF_MEMORY;
  if (code != CURLE_OK) end_attempt(engine, transfer, code);
}

/* Begins an attempt of a call that is in no list, right after a look at the connections that are kept. */
static void begin_attempt(struct braze_engine *engine, struct braze_call *call, double now) {
  bool needed = braze_look_is_needed(engine->settings);
  call->fresh = needs_fresh(engine, call, now);
  call->refused_connection = false;
  call->outcome.applied_before = call->outcome.maybe_applied;
  braze_outcome_clear(&call->outcome);
  call->tries++;
  call->connect_by = now + call->connect_timeout < call->deadline ? now + call->connect_timeout : call->deadline;
  if (needed && (call->needs_look || call->fresh || !engine->proven || braze_sockets_spare(&engine->sockets) <= 0 || !braze_known_trust(&engine->known)))
    begin_look(engine, call, now);
  else
    begin_transfer(engine, call, !needed, now);
}

/* Goes on with the attempts that waited for a look. */
static void end_look(struct braze_engine *engine) {
  struct braze_call *call;
  double now;
  if (!engine->known.look) return;
  now = braze_clock_now();
  if (!braze_known_update(&engine->known, engine->settings, now)) return;
  while ((call = engine->looking.first) != NULL) {
    leave(engine, &engine->looking, call);
    call->needs_look = false;
    if (braze_known_judge(&engine->known, &call->outcome))
      begin_transfer(engine, call, true, now);
    else
      settle(engine, call);
  }
}

/* The time of a look is up. */
static void end_looking(struct braze_engine *engine, struct braze_call *call, double now) {
  leave(engine, &engine->looking, call);
  call->outcome.connecting = call->connect_by < call->deadline;
  braze_known_late(&engine->known, call->connect_timeout < call->timeout ? call->connect_timeout : call->timeout, now, &call->outcome);
  settle(engine, call);
}

/* Whether the attempt, which waits for a look, may take a connection that has become free in the meantime: a disk or a name
   server that hangs holds up new ones alone. */
static bool may_skip_look(struct braze_engine *engine, const struct braze_call *call, double now) {
  if (call->needs_look || call->fresh || !braze_known_trust(&engine->known)) return false;
  look_at_kept(engine, now);
  return braze_sockets_spare(&engine->sockets) > 0 && !needs_fresh(engine, call, now) && !is_held(engine, call->connect_by, now) && engine->proven;
}

/* Ends what is due, and begins what waits while there is room for it. True where an attempt was begun. */
static bool advance(struct braze_engine *engine) {
  struct braze_call *call;
  bool begun = false;
  double now;
  engine->holding = false;
  if (!engine->timetable.first) return false; /* nothing waits, and nothing pauses */
  now = braze_clock_now();
  while ((call = engine->timetable.first) != NULL && call->due <= now) {
    if (call->state == BRAZE_CALL_PAUSING) {
      leave(engine, &engine->pausing, call);
      enter(engine, &engine->waiting, call, BRAZE_CALL_WAITING, call->deadline);
    } else if (call->state == BRAZE_CALL_LOOKING) {
      end_looking(engine, call, now);
    } else {
      leave(engine, &engine->waiting, call);
      fail(engine, call, BRAZE_TIMEOUT, now);
    }
  }
  while ((call = engine->looking.first) != NULL && may_skip_look(engine, call, now)) {
    leave(engine, &engine->looking, call);
    begin_transfer(engine, call, false, now);
    begun = true;
  }
  while ((call = engine->waiting.first) != NULL && engine->running_count < engine->max_connections) {
    if (braze_call_is_cancelled(call)) {
      leave(engine, &engine->waiting, call);
      fail(engine, call, BRAZE_CANCELLED, now);
      continue;
    }
    look_at_kept(engine, now);
    if (!needs_fresh(engine, call, now) && is_held(engine, call->deadline, now)) break;
    leave(engine, &engine->waiting, call);
    begin_attempt(engine, call, now);
    begun = true;
  }
  return begun;
}

static void harvest(struct braze_engine *engine) {
  CURLMsg *message;
  int left;
  while ((message = curl_multi_info_read(engine->multi, &left)) != NULL) {
    CURL *easy = message->easy_handle;
    CURLcode code = message->data.result; /* the message is gone with the handle */
    char *transfer = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
    if (code != CURLE_OK) braze_sockets_spoil(easy);
    curl_multi_remove_handle(engine->multi, easy);
    end_attempt(engine, (struct braze_transfer *)(void *)transfer, code);
  }
}

/* libcurl could not go on at all: nothing that runs will ever be reported. */
static void end_running(struct braze_engine *engine, CURLcode code) {
  struct braze_call *call;
  while ((call = engine->running.first) != NULL) {
    curl_multi_remove_handle(engine->multi, call->transfer->easy);
    end_attempt(engine, call->transfer, code);
  }
}

/* Ends a running call whose time is up, once libcurl has read what lies in its socket: its own timer comes before its reading, and
   a process that was stopped past a deadline would lose an answer that is there. True: libcurl is to look again. */
static bool end_late(struct braze_engine *engine) {
  struct braze_call *call;
  double now = engine->ending.first ? braze_clock_now() : 0;
  size_t received;
  while ((call = engine->ending.first) != NULL && call->due <= now) {
    if (call->outcome.left && call->deadline > now) { /* its connection was there in time */
      leave(engine, &engine->running, call);
      enter(engine, &engine->running, call, BRAZE_CALL_RUNNING, call->deadline);
      continue;
    }
    received = braze_transfer_received(call->transfer);
    call->transfer->vain_looks = received == call->transfer->seen ? call->transfer->vain_looks + 1 : 0;
    if (call->transfer->vain_looks > MOST_VAIN_LOOKS || engine->late_looks++ >= MOST_LATE_LOOKS) {
      curl_multi_remove_handle(engine->multi, call->transfer->easy);
      end_attempt(engine, call->transfer, CURLE_OPERATION_TIMEDOUT);
    } else {
      call->transfer->seen = received;
    }
    return true;
  }
  return false;
}

void braze_engine_step(struct braze_engine *engine) {
  int running;
  struct braze_sigpipe sigpipe;
  braze_sigpipe_hold(&sigpipe);
  engine->late_looks = 0;
  end_look(engine);
  advance(engine);
  do {
    if (curl_multi_perform(engine->multi, &running) != CURLM_OK) end_running(engine, CURLE_OUT_OF_MEMORY);
    harvest(engine);
  } while (end_late(engine) || advance(engine));
  braze_sigpipe_release(&sigpipe);
}

/* The seconds until a moment, at most so many. */
static double until(double seconds, double moment, bool busy) {
  double left = braze_clock_wait(moment, busy);
  return left < seconds ? left : seconds;
}

/* When the first call of the timetable is due, or the wait for quiet ends, whichever comes first. */
static double next_due(const struct braze_engine *engine) {
  double due = engine->timetable.first->due;
  return engine->holding && engine->quiet_at < due ? engine->quiet_at : due;
}

void braze_engine_wait(struct braze_engine *engine, double most_seconds) {
  double seconds = most_seconds < LONGEST_WAIT ? most_seconds : LONGEST_WAIT;
  struct curl_waitfd wake = {engine->wake.reading, CURL_WAIT_POLLIN, 0};
  if (engine->timetable.first) seconds = until(seconds, next_due(engine), engine->running_count > 0);
  if (engine->ending.first) seconds = until(seconds, engine->ending.first->due, true);
  if (engine->known.look && wake.fd < 0 && seconds > 0) { /* the one call of such an engine waits for nothing else */
    braze_look_wait(engine->known.look, seconds);
    return;
  }
  if (seconds > 0) curl_multi_poll(engine->multi, &wake, wake.fd >= 0, (int)(seconds * 1000.0 + 0.999), NULL);
  if (wake.revents) braze_wake_clear(&engine->wake);
}

void braze_engine_submit(struct braze_engine *engine, struct braze_call *call) {
  call->deadline = call->started + call->timeout;
  enter(engine, &engine->waiting, call, BRAZE_CALL_WAITING, call->deadline);
}

/* Takes a call that is not done out of its list, and touches nothing of libcurl's. */
static void forget(struct braze_engine *engine, struct braze_call *call) {
  struct list *const lists[] = {
      [BRAZE_CALL_WAITING] = &engine->waiting, [BRAZE_CALL_LOOKING] = &engine->looking, [BRAZE_CALL_RUNNING] = &engine->running, [BRAZE_CALL_PAUSING] = &engine->pausing};
  leave(engine, lists[call->state], call);
}

void braze_engine_cancel(struct braze_engine *engine, struct braze_call *call) {
  double now = braze_clock_now();
  struct braze_transfer *transfer = call->transfer;
  if (call->state == BRAZE_CALL_NEW || call->state == BRAZE_CALL_DONE) return;
  forget(engine, call);
  if (!transfer) {
    fail(engine, call, BRAZE_CANCELLED, now);
    return;
  }
  curl_multi_remove_handle(engine->multi, transfer->easy);
  braze_transfer_cancel(transfer);
  call->transfer = NULL;
  put_transfer(engine, transfer);
  finish(engine, call, now);
}

struct braze_call *braze_engine_take(struct braze_engine *engine) {
  struct braze_call *call = engine->done.first;
  if (call) unlink_from(&engine->done, call);
  return call;
}

bool braze_engine_open_wake(struct braze_engine *engine) {
  return braze_wake_open(&engine->wake);
}

void braze_engine_wake(struct braze_engine *engine) {
  braze_wake_set(&engine->wake);
}

void braze_engine_run(struct braze_engine *engine, struct braze_call *call) {
  const unsigned process = braze_parking_forks();
  call->started = braze_clock_now();
  braze_engine_submit(engine, call);
  while (process == braze_parking_forks() && braze_parking_begin_work()) {
    braze_engine_step(engine);
    braze_parking_end_work();
    if (call->state == BRAZE_CALL_DONE) {
      unlink_from(&engine->done, call);
      return;
    }
    braze_engine_wait(engine, LONGEST_WAIT_OF_OWNER);
  }
  forget(engine, call);
  if (process == braze_parking_forks()) braze_parking_stand_still(call->deadline - braze_clock_now());
  braze_outcome_free(&call->outcome);
  call->cancelled_at = braze_clock_now();
  braze_call_describe_cancelled(call, &call->outcome);
}

void braze_engine_cancel_all(struct braze_engine *engine) {
  struct list *lists[] = {&engine->waiting, &engine->looking, &engine->running, &engine->pausing};
  size_t i;
  for (i = 0; i < sizeof lists / sizeof *lists; i++)
    while (lists[i]->first) braze_engine_cancel(engine, lists[i]->first);
}

void braze_engine_free(struct braze_engine *engine) {
  struct braze_sigpipe sigpipe;
  braze_sigpipe_hold(&sigpipe);
  braze_engine_cancel_all(engine);
  while (engine->idle) braze_transfer_free(take_transfer(engine));
  curl_multi_cleanup(engine->multi);
  braze_known_free(&engine->known);
  braze_sockets_free(&engine->sockets);
  braze_wake_close(&engine->wake);
  braze_sigpipe_release(&sigpipe);
  braze_secrets_release(engine->secrets);
  braze_settings_release(engine->settings);
  free(engine);
}

void braze_engine_retire(struct braze_engine *engine) {
  if (!braze_parking_begin_work()) return;
  braze_engine_free(engine);
  braze_parking_end_work();
}
