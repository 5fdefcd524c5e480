/* job: see job.h. This is the engine's side; what runs on the ledger's thread is in job_steps.c. */
#define _GNU_SOURCE /* gethostname under -std=c11 */
#include "ledger/job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/chance.h"
#include "base/clock.h"
#include "base/json_reader.h"
#include "base/text.h"
#include "ledger/job_state.h"
#include "ledger/ledger.h"
#include "ledger/ledger_state.h"
#include "service/answer.h"
#include "service/operation.h"

#define LONGEST_END 5.0    /* a call whose outcome is known waits no longer for the ledger, nor past its deadline, */
#define SHORTEST_END 0.025 /* but at least for so long: a call that ended at its deadline is recorded too */
#define MOST_BODY 4096u    /* of an answer that is no success, as an error shows it */
#define LONGEST_AHEAD (366 * 86400.0)

/* --- What is asked for ------------------------------------------------------------------------------- */

/* The order of a query's parts does not count: Lua gives them in any. */
static void add_target(struct braze_digest *digest, const char *target) {
  const size_t path = strcspn(target, "?");
  struct braze_digest parts = {0, 0}, part;
  const char *at = target + path;
  braze_digest_add(digest, target, path);
  while (*at) {
    const size_t length = strcspn(at + 1, "&");
    braze_digest_init(&part);
    braze_digest_add(&part, at + 1, length);
    braze_digest_join(&parts, &part);
    at += 1 + length;
  }
  braze_digest_add_digest(digest, &parts);
}

static void digest_request(const struct braze_request *request, char text[BRAZE_DIGEST_TEXT]) {
  struct braze_digest digest;
  const char *method = braze_method_name(request->method);
  braze_digest_init(&digest);
  braze_digest_add(&digest, method, strlen(method));
  add_target(&digest, request->target);
  if (request->body.length > 0 && !braze_json_digest(&digest, request->body.bytes, request->body.length))
    braze_digest_add(&digest, request->body.bytes, request->body.length);
  braze_digest_print(&digest, text);
}

static struct braze_json member(const struct braze_request *request, const char *name) {
  return braze_json_member(braze_buffer_text(&request->body), request->body.length, name);
}

static bool makes_send_id(const struct braze_request *request) {
  const struct braze_operation *operation = braze_answer_operation(request);
  return operation && operation->makes && strcmp(operation->makes, "send_id") == 0;
}

/* Adds a send_id to the body, which is an object that has none, and is not empty. */
static bool give_send_id(struct braze_request *request, struct braze_wish *wish) {
  braze_text_print(wish->send_id, sizeof wish->send_id, "%016llx%016llx", (unsigned long long)braze_chance_number(),
                   (unsigned long long)braze_chance_number());
  braze_buffer_shorten(&request->body, request->body.length - 1);
  if (!braze_buffer_print(&request->body, ",\"send_id\":\"%s\"}", wish->send_id) || !braze_request_give(request, "send_id", wish->send_id))
    return false;
  request->repeatable = true;
  return true;
}

/* What takes one of the day's send IDs. */
static void digest_pair(const struct braze_request *request, char text[BRAZE_DIGEST_TEXT]) {
  const struct braze_json campaign = member(request, "campaign_id"), send = member(request, "send_id");
  struct braze_digest digest;
  braze_digest_init(&digest);
  if (campaign.text) braze_digest_add(&digest, campaign.text, campaign.length);
  if (send.text) braze_digest_add(&digest, send.text, send.length);
  braze_digest_print(&digest, text);
}

static bool wish(struct braze_request *request, struct braze_wish *wish, const char *name, size_t length) {
  char host[128] = "";
  braze_text_print(wish->job, sizeof wish->job, "%.*s", (int)length, name);
  braze_text_print(wish->operation, sizeof wish->operation, "%.200s", request->name);
  if (gethostname(host, sizeof host - 1) != 0 || !host[0]) braze_text_print(host, sizeof host, "this machine");
  braze_text_print(wish->holder, sizeof wish->holder, "process %ld on %s", (long)getpid(), host);
  digest_request(request, wish->digest);
  if (makes_send_id(request)) {
    const bool open_object = request->body.length > 2 && request->body.bytes[request->body.length - 1] == '}';
    if (open_object && !member(request, "send_id").text && !give_send_id(request, wish)) return false;
    digest_pair(request, wish->pair);
  }
  wish->repeatable = request->repeatable;
  return true;
}

/* --- Before the first request ------------------------------------------------------------------------ */

/* Keeps what was in the way, for messages. What it was at a job that is held has no hint. */
static void keep_words(struct braze_job *job) {
  pthread_mutex_lock(&job->ledger->mutex);
  if (job->obstructed || job->failed) job->said = job->words;
  job->held = job->obstructed && !job->failed && !job->words.hint[0];
  pthread_mutex_unlock(&job->ledger->mutex);
}

/* A step could not be handed to the thread. */
static void note_no_thread(struct braze_job *job) {
  braze_text_print(job->words.message, sizeof job->words.message, "there is no thread or memory for it");
  braze_text_print(job->words.hint, sizeof job->words.hint, "look at the process's limits (ulimit -u, cgroup pids.max)");
}

static void before(struct braze_guard *guard, const struct braze_guarded *call, const struct braze_wake *wake) {
  struct braze_job *job = braze_job_of_guard(guard);
  job->phase = BRAZE_JOB_CLAIMING;
  job->deadline = call->deadline;
  job->timeout = call->limits->timeout;
  job->task.functions = &braze_job_claiming;
  if (braze_task_submit(&job->task, wake) == 0) return;
  note_no_thread(job);
  job->failed = true;
  job->task.done = true;
}

/* An earlier call may have done it: its send_id is sent again. One that was made up has always the same length. */
static void repeat(struct braze_job *job, const struct braze_guarded *call) {
  struct braze_request *request = call->request;
  const char *recorded = job->entry.send_id;
  struct braze_json own = member(request, "send_id");
  call->outcome->maybe_applied = true;
  if (!job->wish.send_id[0] || strlen(recorded) != strlen(job->wish.send_id) || !own.text) return;
  memcpy(request->body.bytes + (own.text + 1 - request->body.bytes), recorded, strlen(recorded));
  braze_request_replace(request, "send_id", recorded);
}

/* The send_id that is on record, or in the call. */
static void write_settled(const struct braze_job *job, const struct braze_guarded *call, struct braze_buffer *body) {
  const struct braze_json given = member(call->request, "send_id");
  braze_buffer_print(body, "{\"message\":\"success\"");
  if (job->entry.send_id[0])
    braze_buffer_print(body, ",\"send_id\":\"%s\"", job->entry.send_id);
  else if (given.text)
    braze_buffer_print(body, ",\"send_id\":%.*s", (int)given.length, given.text);
  braze_buffer_print(body, "}");
}

/* The answer that is on record becomes the call's. */
static void replay(struct braze_job *job, const struct braze_guarded *call) {
  struct braze_outcome *outcome = call->outcome;
  outcome->status = job->entry.status;
  memcpy(outcome->request_id, job->entry.request_id, sizeof outcome->request_id);
  braze_buffer_append(&outcome->body, braze_buffer_text(&job->record.body), job->record.body.length);
  if (job->entry.send_id[0] && job->wish.send_id[0]) braze_request_replace(call->request, "send_id", job->entry.send_id);
  if (job->verdict == BRAZE_CLAIM_REPLAY) {
    outcome->answered = job->replayed = true;
    if (job->entry.settled) {
      outcome->status = 200;
      write_settled(job, call, &outcome->body);
    }
  } else if (job->verdict == BRAZE_CLAIM_REFUSED) {
    braze_outcome_classify_status(outcome);
  } else {
    outcome->kind = job->entry.failed ? job->entry.kind : BRAZE_CANCELLED;
    outcome->maybe_applied = true;
  }
}

static void use_up(const struct braze_job *job, struct braze_outcome *outcome) {
  const double at = braze_clock_epoch() + (job->quota.ends - job->store_now);
  outcome->kind = BRAZE_RATE_LIMITED;
  outcome->rate_limit.limit = job->quota.total;
  outcome->rate_limit.remaining = 0;
  outcome->rate_limit.reset = (int64_t)ceil(at);
  outcome->retry_after = at;
}

/* No request leaves: what is known goes to the outcome. */
static void end_without_request(struct braze_job *job, const struct braze_guarded *call) {
  struct braze_outcome *outcome = call->outcome;
  if (job->failed) {
    keep_words(job);
    outcome->kind = BRAZE_LEDGER;
    return;
  }
  switch (job->verdict) {
  case BRAZE_CLAIM_OTHER: outcome->kind = BRAZE_USAGE; break;
  case BRAZE_CLAIM_NEWER: outcome->kind = BRAZE_LEDGER; break;
  case BRAZE_CLAIM_USED_UP: use_up(job, outcome); break;
  default: replay(job, call); break;
  }
}

static enum braze_guard_answer ask(struct braze_guard *guard, const struct braze_guarded *call) {
  struct braze_job *job = braze_job_of_guard(guard);
  if (!braze_task_is_done(&job->task)) return BRAZE_GUARD_LATER;
  job->phase = job->taken ? BRAZE_JOB_TAKEN : BRAZE_JOB_OVER;
  if (job->taken) {
    if (job->repeated) repeat(job, call);
    return BRAZE_GUARD_GO;
  }
  braze_outcome_clear(call->outcome);
  end_without_request(job, call);
  return BRAZE_GUARD_END;
}

/* --- After the outcome ------------------------------------------------------------------------------- */

static enum braze_record_state state_of(const struct braze_job *job, const struct braze_guarded *call) {
  const struct braze_outcome *outcome = call->outcome;
  if (outcome->answered) return braze_answer_is_success(call->request, outcome) ? BRAZE_RECORD_DONE : BRAZE_RECORD_UNKNOWN;
  if (outcome->maybe_applied || job->repeated) return BRAZE_RECORD_UNKNOWN;
  return outcome->kind == BRAZE_REJECTED ? BRAZE_RECORD_REFUSED : BRAZE_RECORD_NONE;
}

/* When the service's quota is reset, by the store's clock: the time until then is the same on every clock. */
static double resets_at(const struct braze_job *job, const struct braze_outcome *outcome) {
  const double in = (double)outcome->rate_limit.reset + outcome->clock_ahead - braze_clock_epoch();
  if (outcome->rate_limit.reset < 0 || in > LONGEST_AHEAD) return BRAZE_ABSENT;
  return job->store_now + (braze_clock_now() - job->read_at) + in;
}

/* Writes what came of the call to the job's record and entry. */
static void note_outcome(struct braze_job *job, const struct braze_guarded *call) {
  const struct braze_outcome *outcome = call->outcome;
  size_t length = outcome->body.length;
  job->became.state = state_of(job, call);
  job->became.repeated = job->repeated;
  job->became.rate_limit = outcome->rate_limit;
  job->became.resets_at = resets_at(job, outcome);
  braze_record_read(&job->record, &job->entry);
  job->entry.failed = job->became.state != BRAZE_RECORD_DONE;
  job->entry.kind = outcome->answered ? BRAZE_PROTOCOL : outcome->kind;
  job->entry.status = outcome->status;
  memcpy(job->entry.request_id, outcome->request_id, sizeof outcome->request_id);
  braze_text_print(job->entry.message, sizeof job->entry.message, "%s", outcome->curl_message);
  braze_buffer_clear(&job->record.body);
  if (job->entry.failed) {
    const struct braze_buffer *body = outcome->has_safe_body ? &outcome->safe_body : &outcome->body;
    length = body->length < MOST_BODY ? body->length : MOST_BODY;
    if (outcome->coding[0] || !braze_text_is_plain(braze_buffer_text(body), &length)) length = 0;
    braze_buffer_append(&job->record.body, braze_buffer_text(body), length);
  } else if (!braze_buffer_append(&job->record.body, braze_buffer_text(&outcome->body), length)) {
    job->became.state = BRAZE_RECORD_UNKNOWN; /* no memory for the answer */
    job->entry.failed = true;
    job->entry.kind = BRAZE_PROTOCOL;
  }
}

static double after(struct braze_guard *guard, const struct braze_guarded *call, const struct braze_wake *wake) {
  struct braze_job *job = braze_job_of_guard(guard);
  const double now = braze_clock_now();
  if (job->phase == BRAZE_JOB_CLAIMING && braze_task_leave(&job->task)) return 0; /* the thread gives back what it takes */
  if (job->phase == BRAZE_JOB_CLAIMING && job->taken) job->phase = BRAZE_JOB_TAKEN;
  if (job->phase != BRAZE_JOB_TAKEN) return 0;
  note_outcome(job, call);
  job->phase = BRAZE_JOB_ENDING;
  job->obstructed = job->lost = false;
  job->tries = 0;
  job->task.functions = &braze_job_ending;
  if (braze_task_submit(&job->task, wake) != 0) {
    note_no_thread(job);
    braze_text_print(job->failure, sizeof job->failure, "%s", job->words.message);
    return 0;
  }
  return fmax(fmin(call->deadline, now + LONGEST_END), now + SHORTEST_END);
}

/* Keeps why the end could not be written, if it was not. The thread may still try. */
static void keep_failure(struct braze_job *job) {
  struct braze_store_words words = {"", ""};
  bool ended;
  pthread_mutex_lock(&job->ledger->mutex);
  ended = job->task.done && job->ended;
  if (job->obstructed) words = job->words;
  pthread_mutex_unlock(&job->ledger->mutex);
  if (ended) return;
  braze_text_print(job->failure, sizeof job->failure, "what came of the job could not be written to the ledger %s: %s",
                   braze_ledger_shown(job->ledger), words.message[0] ? words.message : "it has not answered yet");
}

static bool is_done(struct braze_guard *guard) {
  struct braze_job *job = braze_job_of_guard(guard);
  if (!braze_task_is_done(&job->task)) return false;
  keep_failure(job);
  return true;
}

static void leave(struct braze_guard *guard) {
  struct braze_job *job = braze_job_of_guard(guard);
  if (job->phase == BRAZE_JOB_ENDING) keep_failure(job);
  if (job->phase == BRAZE_JOB_ENDING || job->phase == BRAZE_JOB_CLAIMING) braze_task_leave(&job->task);
}

/* A claim that came at the last moment is given back. */
static void late(struct braze_guard *guard, const struct braze_guarded *call) {
  struct braze_job *job = braze_job_of_guard(guard);
  const bool left = job->phase == BRAZE_JOB_CLAIMING && braze_task_leave(&job->task);
  braze_lane_late(job->ledger, call->limits->timeout);
  braze_outcome_clear(call->outcome);
  keep_words(job);
  call->outcome->kind = job->held ? BRAZE_BUSY : BRAZE_LEDGER;
  if (left || job->phase == BRAZE_JOB_NEW) return;
  if (job->taken)
    after(guard, call, NULL);
  else
    end_without_request(job, call);
  job->phase = BRAZE_JOB_OVER;
}

static void wait_for_step(struct braze_guard *guard, double max_seconds) {
  braze_task_wait(&braze_job_of_guard(guard)->task, max_seconds);
}

static void release(struct braze_guard *guard) {
  braze_task_release(&braze_job_of_guard(guard)->task);
}

/* --- Calls without a job ------------------------------------------------------------------------------ */

/* store_now and read_at are 0 here: the time of the reset is one of the monotonic clock. Without a thread the count stays as it is: it is
   no part of what the call was to do. */
static double learn(struct braze_guard *guard, const struct braze_guarded *call, const struct braze_wake *wake) {
  struct braze_job *job = braze_job_of_guard(guard);
  (void)wake;
  job->became.rate_limit = call->outcome->rate_limit;
  job->became.resets_at = resets_at(job, call->outcome);
  if (job->became.rate_limit.remaining >= 0 && job->became.resets_at >= 0) braze_task_submit(&job->task, NULL);
  return 0;
}

bool braze_job_attach_lesson(struct braze_call *call, struct braze_ledger *ledger) {
  static const struct braze_guard_functions functions = {.after = learn, .release = release};
  struct braze_job *job;
  if (!makes_send_id(braze_call_request(call))) return true;
  job = calloc(1, sizeof *job);
  if (!job) return false;
  job->guard.functions = &functions;
  job->ledger = ledger;
  job->taken = true;
  braze_record_init(&job->record);
  braze_task_init(&job->task, &braze_job_learning, ledger);
  braze_call_set_guard(call, &job->guard);
  return true;
}

bool braze_job_attach(struct braze_call *call, struct braze_ledger *ledger, const char *name, size_t length) {
  static const struct braze_guard_functions functions = {before, ask, late, after, is_done, leave, wait_for_step, release};
  struct braze_job *job = calloc(1, sizeof *job);
  if (!job) return false;
  job->guard.functions = &functions;
  job->ledger = ledger;
  braze_record_init(&job->record);
  braze_task_init(&job->task, &braze_job_claiming, ledger);
  braze_call_set_guard(call, &job->guard);
  return wish(braze_call_request(call), &job->wish, name, length);
}
