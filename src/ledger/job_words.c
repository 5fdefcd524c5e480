/* job_words: what a user is told of a job. See job.h. */
#define _GNU_SOURCE /* gmtime_r under -std=c11 */
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "ledger/job.h"
#include "ledger/job_state.h"

#define MOST_OF_A_NAME 255
#define MOST_OF_A_REASON 600

static const struct braze_job *job_of(const struct braze_guard *guard) {
  return (const struct braze_job *)(const void *)guard;
}

bool braze_job_is_replayed(const struct braze_guard *guard) {
  return job_of(guard)->replayed;
}

bool braze_job_is_settled(const struct braze_guard *guard) {
  return braze_job_is_replayed(guard) && job_of(guard)->entry.settled;
}

struct braze_ledger *braze_job_ledger(const struct braze_guard *guard) {
  return job_of(guard)->ledger;
}

const char *braze_job_failure(const struct braze_guard *guard) {
  return job_of(guard)->failure[0] ? job_of(guard)->failure : NULL;
}

static void say_job(const struct braze_job *job, struct braze_buffer *out) {
  braze_buffer_print(out, "the job ");
  braze_text_quote(out, job->wish.job, strlen(job->wish.job), MOST_OF_A_NAME);
}

static void say_time(struct braze_buffer *out, double epoch) {
  time_t seconds = (time_t)epoch;
  struct tm parts;
  char text[64];
  if (gmtime_r(&seconds, &parts) && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0) braze_buffer_print(out, "%s", text);
}

static void say_reason(const struct braze_job *job, struct braze_buffer *message, struct braze_buffer *hint) {
  const struct braze_store_words *said = &job->said;
  braze_buffer_print(message, "the ledger %s can't be used: ", braze_ledger_shown(job->ledger));
  braze_text_escape(message, said->message, strlen(said->message), MOST_OF_A_REASON);
  if (!said->message[0]) braze_buffer_print(message, "it did not answer in time");
  braze_buffer_print(message, "; nothing was sent");
  braze_text_escape(hint, said->hint, strlen(said->hint), MOST_OF_A_REASON);
  if (!said->hint[0]) braze_buffer_print(hint, "look at the ledger's server or disk, or raise timeout");
}

static void say_used_up(const struct braze_job *job, const struct braze_outcome *outcome, struct braze_buffer *message,
                        struct braze_buffer *hint) {
  braze_buffer_print(message, "the day's %lld send IDs of the workspace ", (long long)outcome->rate_limit.limit);
  braze_text_quote(message, braze_ledger_workspace(job->ledger), strlen(braze_ledger_workspace(job->ledger)), MOST_OF_A_NAME);
  braze_buffer_print(message, " are used up, as the ledger %s has counted; nothing was sent", braze_ledger_shown(job->ledger));
  braze_buffer_print(hint, "call again after ");
  say_time(hint, (double)outcome->rate_limit.reset);
}

static void say_unknown(const struct braze_job *job, struct braze_buffer *message, struct braze_buffer *hint) {
  const struct braze_entry *entry = &job->entry;
  say_job(job, message);
  braze_buffer_print(message, " may have been done: %s began it at ", entry->holder[0] ? entry->holder : "another process");
  say_time(message, entry->claimed);
  if (!entry->failed)
    braze_buffer_print(message, " and ended before the answer was known");
  else
    braze_buffer_print(message, " and its answer was lost (%s", braze_kind_name(entry->kind));
  if (entry->failed && entry->status > 0) braze_buffer_print(message, " %d", entry->status);
  if (entry->failed && entry->message[0]) {
    braze_buffer_print(message, ": ");
    braze_text_escape(message, entry->message, strlen(entry->message), MOST_OF_A_REASON);
  }
  braze_buffer_print(message, "%s; nothing was sent now", entry->failed ? ")" : "");
  braze_buffer_print(
      hint,
      "find out whether it was done, then say so: braze.ledger(url):settle(job, \"done\"), or \"not_done\", after which it is done anew");
}

bool braze_job_explain(const struct braze_guard *guard, const struct braze_outcome *outcome, struct braze_buffer *message,
                       struct braze_buffer *hint) {
  const struct braze_job *job = job_of(guard);
  if (job->taken || job->phase == BRAZE_JOB_TAKEN) return false;
  if (job->held && outcome->kind == BRAZE_BUSY) {
    say_job(job, message);
    braze_buffer_print(message, " is being done by %s, and was not done within %g s; nothing was sent by this call", job->said.message,
                       job->timeout);
    braze_buffer_print(hint, "call again later: the answer is then told from the ledger");
    return true;
  }
  if (outcome->kind == BRAZE_LEDGER && job->verdict != BRAZE_CLAIM_NEWER) {
    say_reason(job, message, hint);
    return true;
  }
  switch (job->verdict) {
  case BRAZE_CLAIM_OTHER:
    say_job(job, message);
    braze_buffer_print(message, " was for other parameters (%s, at ", job->entry.operation);
    say_time(message, job->entry.claimed);
    braze_buffer_print(message, "); nothing was sent");
    braze_buffer_print(hint, "give each thing that is to be done once a name of its own; or forget the job: braze.ledger(url):forget(job)");
    return true;
  case BRAZE_CLAIM_NEWER:
    say_job(job, message);
    braze_buffer_print(message, " was written by a newer version of braze, which this one can't read; nothing was sent");
    braze_buffer_print(hint, "use the newer version everywhere");
    return true;
  case BRAZE_CLAIM_USED_UP: say_used_up(job, outcome, message, hint); return true;
  case BRAZE_CLAIM_UNKNOWN: say_unknown(job, message, hint); return true;
  default: return false;
  }
}

void braze_job_advise(const struct braze_guard *guard, struct braze_buffer *hint) {
  const struct braze_job *job = job_of(guard);
  if (job->verdict == BRAZE_CLAIM_REFUSED && !job->taken) {
    braze_buffer_print(hint, "%sthis is what the service said at ", hint->length > 0 ? "; " : "");
    say_time(hint, job->entry.changed);
    braze_buffer_print(hint, ", from the ledger: nothing was sent now; forget the job to try again: braze.ledger(url):forget(job)");
  }
  if (!job->failure[0]) return;
  braze_buffer_print(hint, "%s", hint->length > 0 ? "; " : "");
  braze_text_escape(hint, job->failure, strlen(job->failure), MOST_OF_A_REASON);
}
