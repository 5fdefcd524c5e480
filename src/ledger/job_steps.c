/* job_steps: the two steps of a job, on the ledger's thread: the claim, and the end. See job_state.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/chance.h"
#include "base/clock.h"
#include "base/text.h"
#include "ledger/job_state.h"
#include "ledger/ledger.h"
#include "ledger/ledger_state.h"

#define MOST_LOSSES 3      /* connections in a row that break during one claim */
#define LOCKED_PAUSE 0.002 /* first pause after another one was writing */
#define HELD_PAUSE 0.02    /* first look again at a job that another one does */
#define LONGEST_PAUSE 0.25
#define LAST_MOMENT 0.05   /* before the deadline: a store that fails then may have had too little time */
#define FAILED_PAUSE 0.1 /* first pause before what came of a call is written again */
#define LONGEST_FAILED_PAUSE 5.0
#define TIME_TO_END 10.0 /* one try to write it */
#define TIME_TO_LEARN 2.0
#define MOST_LESSONS 12 /* tries to correct the count of the quota */

/* A time to try again: with jitter, because those who wait for the same lock began at the same time. */
static double again(struct braze_job *job, double first, double longest) {
  double pause = first * exp2(job->tries < 16 ? job->tries : 16);
  job->tries++;
  if (pause > longest) pause = longest;
  return braze_clock_now() + pause * (0.5 + braze_clock_random() / 2);
}

/* Notes what is in the way. */
static void obstruct(struct braze_job *job, const char *message, const char *hint) {
  pthread_mutex_lock(&job->ledger->mutex);
  job->obstructed = true;
  braze_text_print(job->words.message, sizeof job->words.message, "%s", message);
  braze_text_print(job->words.hint, sizeof job->words.hint, "%s", hint);
  pthread_mutex_unlock(&job->ledger->mutex);
}

#define LOCKED "another process writes in it, or holds it locked"
#define LOCKED_HINT "raise timeout, or look which process keeps the ledger locked"

/* --- The claim --------------------------------------------------------------------------------------- */

static double fail_claim(struct braze_job *job, const struct braze_store_words *words) {
  obstruct(job, words->message, words->hint);
  job->failed = true;
  return 0;
}

/* What to do after a function of the store that did not do what it should. */
static double after_code(struct braze_job *job, struct braze_lane *lane, enum braze_store_code code,
                         const struct braze_store_words *words) {
  if (job->verdict == BRAZE_CLAIM_HELD && (code == BRAZE_STORE_LOST || code == BRAZE_STORE_FAILED) &&
      braze_clock_now() > job->deadline - LAST_MOMENT) {
    /* What was in the way until the time was up is who does the job. */
    if (code == BRAZE_STORE_LOST) braze_lane_drop_store(lane);
    return again(job, LONGEST_PAUSE, LONGEST_PAUSE);
  }
  switch (code) {
  case BRAZE_STORE_BUSY: obstruct(job, LOCKED, LOCKED_HINT); return again(job, LOCKED_PAUSE, LONGEST_PAUSE);
  case BRAZE_STORE_LOST:
    braze_lane_drop_store(lane);
    job->lost = true;
    if (job->tries >= MOST_LOSSES) return fail_claim(job, words);
    obstruct(job, words->message, words->hint);
    return again(job, LOCKED_PAUSE, LONGEST_PAUSE);
  case BRAZE_STORE_CHANGED:
  case BRAZE_STORE_USED_UP: return again(job, LOCKED_PAUSE / 8, LONGEST_PAUSE); /* another look says what there is now */
  default: return fail_claim(job, words);
  }
}

/* The job is this call's. Where nobody waits for it any more, it is given back. */
static double take(struct braze_job *job, struct braze_lane *lane) {
  job->taken = true;
  braze_lane_hold(lane, 1);
  if (!braze_task_is_left(&job->task)) return 0;
  job->became.state = job->repeated ? BRAZE_RECORD_UNKNOWN : BRAZE_RECORD_NONE;
  job->became.repeated = job->repeated;
  job->became.rate_limit.remaining = BRAZE_ABSENT;
  job->tries = 0;
  job->lost = false;
  job->task.functions = &braze_job_ending;
  return braze_clock_now();
}

/* Keeps what was read for the engine, which tells it instead of making the call. */
static double keep_verdict(struct braze_job *job, struct braze_loaded *loaded) {
  braze_record_free(&job->record);
  job->record = loaded->record;
  job->quota = loaded->quota;
  braze_record_init(&loaded->record);
  return 0;
}

static double write_claim(struct braze_job *job, struct braze_lane *lane, const struct braze_loaded *loaded) {
  const struct braze_store_functions *functions = braze_lane_functions(lane);
  struct braze_store_words words = {"", ""};
  struct braze_change change;
  enum braze_store_code code;
  void *store = braze_lane_store(lane, job->deadline, &code, &words);
  job->token = braze_chance_number();
  if (!braze_claim_take(&job->wish, braze_ledger_workspace(job->ledger), loaded, &job->entry, functions->owner(store), job->token,
                        &job->record, &change)) {
    braze_text_print(words.message, sizeof words.message, "there is no memory to write in it");
    return fail_claim(job, &words);
  }
  job->repeated = job->verdict == BRAZE_CLAIM_REPEAT;
  code = functions->swap(store, &change, false, job->deadline, &words);
  if (code != BRAZE_STORE_GOOD) return after_code(job, lane, code, &words);
  return take(job, lane);
}

static double judge(struct braze_job *job, struct braze_lane *lane, struct braze_loaded *loaded) {
  const bool readable = braze_record_read(&loaded->record, &job->entry);
  job->store_now = loaded->now;
  job->read_at = braze_clock_now();
  if (job->lost && job->token != 0 && loaded->record.token == job->token) return take(job, lane); /* it had been written */
  job->lost = false;
  job->verdict =
      loaded->record.state != BRAZE_RECORD_NONE && !readable ? BRAZE_CLAIM_NEWER : braze_claim_judge(&job->wish, loaded, &job->entry);
  switch (job->verdict) {
  case BRAZE_CLAIM_TAKE:
  case BRAZE_CLAIM_REPEAT: return write_claim(job, lane, loaded);
  case BRAZE_CLAIM_HELD: obstruct(job, job->entry.holder, ""); return again(job, HELD_PAUSE, LONGEST_PAUSE);
  default: return keep_verdict(job, loaded);
  }
}

static double run_claim(struct braze_task *task, struct braze_lane *lane) {
  struct braze_job *job = braze_job_of_task(task);
  struct braze_store_words words;
  struct braze_loaded loaded;
  enum braze_store_code code;
  void *store;
  double next;
  if (braze_task_is_left(task) && !job->lost) return 0;
  store = braze_lane_store(lane, job->deadline, &code, &words);
  if (!store) return after_code(job, lane, code, &words);
  memset(&loaded, 0, sizeof loaded);
  braze_record_init(&loaded.record);
  code = braze_lane_functions(lane)->load(store, braze_ledger_workspace(job->ledger), job->wish.job, job->wish.pair, job->deadline, &loaded,
                                          &words);
  next = code == BRAZE_STORE_GOOD ? judge(job, lane, &loaded) : after_code(job, lane, code, &words);
  braze_record_free(&loaded.record);
  return next;
}

/* --- The end ----------------------------------------------------------------------------------------- */

static double store_now(const struct braze_job *job) {
  return job->store_now + (braze_clock_now() - job->read_at);
}

static double end(struct braze_job *job, struct braze_lane *lane) {
  job->ended = true;
  braze_lane_hold(lane, -1);
  braze_lane_hurry(lane);
  return 0;
}

/* It is tried for as long as the process lives: until then the record is held, and says so. The call waits no longer. */
static double try_later(struct braze_job *job, const char *message, const char *hint) {
  obstruct(job, message, hint);
  braze_task_stir(&job->task);
  return again(job, FAILED_PAUSE, LONGEST_FAILED_PAUSE);
}

/* Somebody wrote the record after it was taken; or this job did, on a connection that broke. */
static double end_changed(struct braze_job *job, struct braze_lane *lane, int64_t read) {
  if (job->lost && (read == job->token || (read == 0 && job->became.state == BRAZE_RECORD_NONE))) return end(job, lane);
  obstruct(job, "the job's record was changed by somebody else meanwhile", "look at it with ledger:find");
  braze_lane_hold(lane, -1);
  return 0;
}

static double look_at_record(struct braze_job *job, struct braze_lane *lane, void *store, double until) {
  struct braze_store_words words;
  struct braze_loaded loaded;
  enum braze_store_code code;
  double next;
  memset(&loaded, 0, sizeof loaded);
  braze_record_init(&loaded.record);
  code = braze_lane_functions(lane)->load(store, braze_ledger_workspace(job->ledger), job->wish.job, "", until, &loaded, &words);
  if (code == BRAZE_STORE_LOST) braze_lane_drop_store(lane);
  next = code == BRAZE_STORE_GOOD ? end_changed(job, lane, loaded.record.token) : try_later(job, words.message, words.hint);
  braze_record_free(&loaded.record);
  return next;
}

/* The record that was taken stays as it is, so that the same can be tried again. */
static enum braze_store_code write_end(struct braze_job *job, struct braze_lane *lane, void *store, double until,
                                       struct braze_store_words *words) {
  struct braze_record to = job->record;
  struct braze_entry entry = job->entry;
  struct braze_change change;
  enum braze_store_code code = BRAZE_STORE_FAILED;
  if (!job->lost) job->token = braze_chance_number();
  braze_buffer_init(&to.data, job->record.data.limit);
  entry.changed = job->became.now = store_now(job);
  if (braze_claim_end(&job->became, braze_ledger_workspace(job->ledger), job->token, &to, &entry, &change))
    code = braze_lane_functions(lane)->swap(store, &change, true, until, words);
  else
    braze_text_print(words->message, sizeof words->message, "there is no memory to write in it");
  braze_buffer_free(&to.data);
  return code;
}

static double run_end(struct braze_task *task, struct braze_lane *lane) {
  struct braze_job *job = braze_job_of_task(task);
  const double until = braze_clock_now() + TIME_TO_END;
  struct braze_store_words words;
  enum braze_store_code code;
  void *store = braze_lane_store(lane, until, &code, &words);
  if (!store && code != BRAZE_STORE_BUSY) return try_later(job, words.message, words.hint);
  if (store) code = write_end(job, lane, store, until, &words);
  switch (code) {
  case BRAZE_STORE_GOOD: return end(job, lane);
  case BRAZE_STORE_BUSY: obstruct(job, LOCKED, LOCKED_HINT); return again(job, LOCKED_PAUSE, LONGEST_PAUSE);
  case BRAZE_STORE_LOST:
    braze_lane_drop_store(lane);
    job->lost = true;
    return job->tries == 0 ? again(job, LOCKED_PAUSE, LONGEST_PAUSE) : try_later(job, words.message, words.hint);
  case BRAZE_STORE_CHANGED: return look_at_record(job, lane, store, until);
  default: return try_later(job, words.message, words.hint);
  }
}

static void free_job(struct braze_task *task) {
  struct braze_job *job = braze_job_of_task(task);
  braze_record_free(&job->record);
  free(job);
}

/* --- What the service says of its quota in a call without a job ---------------------------------------- */

static enum braze_store_code learn(const struct braze_job *job, struct braze_lane *lane, void *store, double until,
                                   struct braze_store_words *words) {
  const struct braze_store_functions *functions = braze_lane_functions(lane);
  const char *workspace = braze_ledger_workspace(job->ledger);
  struct braze_became became = job->became;
  struct braze_loaded loaded;
  struct braze_change change;
  enum braze_store_code code;
  memset(&loaded, 0, sizeof loaded);
  code = functions->quota(store, workspace, until, &loaded.quota, &loaded.now, words);
  if (code != BRAZE_STORE_GOOD) return code;
  became.now = loaded.now;
  became.resets_at += loaded.now - braze_clock_now();
  return braze_claim_learn(&became, workspace, &loaded, &change) ? functions->swap(store, &change, true, until, words) : BRAZE_STORE_GOOD;
}

/* Nobody waits for it. Where it can't be written, the next answer says the same. */
static double run_lesson(struct braze_task *task, struct braze_lane *lane) {
  struct braze_job *job = braze_job_of_task(task);
  const double until = braze_clock_now() + TIME_TO_LEARN;
  struct braze_store_words words;
  enum braze_store_code code;
  void *store = braze_lane_store(lane, until, &code, &words);
  if (store) code = learn(job, lane, store, until, &words);
  if (code == BRAZE_STORE_LOST) braze_lane_drop_store(lane);
  if (job->tries >= MOST_LESSONS || (code != BRAZE_STORE_BUSY && code != BRAZE_STORE_CHANGED)) return 0;
  return again(job, LOCKED_PAUSE, LONGEST_PAUSE);
}

const struct braze_task_functions braze_job_learning = {run_lesson, free_job};
const struct braze_task_functions braze_job_claiming = {run_claim, free_job};
const struct braze_task_functions braze_job_ending = {run_end, free_job};
