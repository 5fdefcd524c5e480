/* keeper: see keeper.h. */
#include "ledger/keeper.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/chance.h"
#include "base/clock.h"
#include "base/text.h"
#include "ledger/claim.h"
#include "ledger/lane.h"

#define PAUSE 0.002
#define LONGEST_PAUSE 0.1

struct braze_inquiry {
  struct braze_task task;
  struct braze_ledger *ledger;
  enum braze_question question;
  char job[BRAZE_MAX_JOB + 1];
  double deadline;
  int tries;
  struct braze_reply reply; /* the thread's until the task is done */
  struct braze_reply late;  /* in its place where it never was */
  const struct braze_reply *given;
};

static struct braze_inquiry *inquiry_of(struct braze_task *task) {
  return BRAZE_OWNER(task, struct braze_inquiry, task);
}

static double refuse(struct braze_inquiry *inquiry, enum braze_kind kind, const char *message, const char *hint) {
  inquiry->reply.kind = kind;
  braze_text_print(inquiry->reply.words.message, sizeof inquiry->reply.words.message, "%s", message);
  braze_text_print(inquiry->reply.words.hint, sizeof inquiry->reply.words.hint, "%s", hint);
  return 0;
}

static double succeed(struct braze_inquiry *inquiry) {
  inquiry->reply.good = true;
  return 0;
}

static double again(struct braze_inquiry *inquiry) {
  double pause = fmin(PAUSE * exp2(inquiry->tries++), LONGEST_PAUSE);
  return braze_clock_now() + pause * (0.5 + braze_clock_random() / 2);
}

/* What to do after a function of the store that did not do what it should. */
static double after_code(struct braze_inquiry *inquiry, struct braze_lane *lane, enum braze_store_code code,
                         const struct braze_store_words *words) {
  if (code == BRAZE_STORE_LOST) braze_lane_drop_store(lane);
  if (code != BRAZE_STORE_FAILED && inquiry->tries < 100 && braze_clock_now() < inquiry->deadline &&
      (code != BRAZE_STORE_LOST || inquiry->tries == 0))
    return again(inquiry);
  return refuse(inquiry, BRAZE_LEDGER, words->message[0] ? words->message : "it is locked, or others write in it all the time",
                words->hint);
}

/* Moves the record to the reply. False: no memory. */
static bool keep(struct braze_inquiry *inquiry, struct braze_record *record) {
  struct braze_reply *reply = &inquiry->reply;
  struct braze_record *more;
  if ((reply->count & (reply->count + 1)) == 0) { /* grows at 0, 1, 3, 7, ... */
    more = realloc(reply->records, (reply->count * 2 + 1) * sizeof *more);
    if (!more) return false;
    reply->records = more;
  }
  reply->records[reply->count++] = *record;
  braze_record_init(record);
  return true;
}

/* A copy without the answer, which may be long. */
static bool keep_each(void *data, const struct braze_record *record) {
  struct braze_record copy = *record;
  bool good;
  braze_buffer_init(&copy.data, record->data.limit);
  braze_buffer_init(&copy.body, record->body.limit);
  good = braze_buffer_append(&copy.data, braze_buffer_text(&record->data), record->data.length) && keep(data, &copy);
  if (!good) {
    braze_record_free(&copy);
    refuse(data, BRAZE_LEDGER, "there is no memory for the list", "");
  }
  return good;
}

static double list(struct braze_inquiry *inquiry, struct braze_lane *lane, void *store) {
  struct braze_store_words words = {"", ""};
  enum braze_store_code code =
      braze_lane_functions(lane)->list(store, braze_ledger_workspace(inquiry->ledger), inquiry->deadline, keep_each, inquiry, &words);
  if (code == BRAZE_STORE_GOOD) return inquiry->reply.words.message[0] ? 0 : succeed(inquiry);
  while (inquiry->reply.count > 0) braze_record_free(&inquiry->reply.records[--inquiry->reply.count]);
  free(inquiry->reply.records);
  inquiry->reply.records = NULL;
  return after_code(inquiry, lane, code, &words);
}

static double ask_quota(struct braze_inquiry *inquiry, struct braze_lane *lane, void *store) {
  struct braze_quota *quota = &inquiry->reply.quota;
  struct braze_store_words words = {"", ""};
  double now = 0;
  enum braze_store_code code =
      braze_lane_functions(lane)->quota(store, braze_ledger_workspace(inquiry->ledger), inquiry->deadline, quota, &now, &words);
  if (code != BRAZE_STORE_GOOD) return after_code(inquiry, lane, code, &words);
  if (now >= quota->ends) quota->window = 0;
  quota->ends += braze_clock_epoch() - now;
  return succeed(inquiry);
}

/* What a person said becomes of the record. */
static void settle(enum braze_question question, struct braze_record *record, struct braze_change *change) {
  struct braze_entry entry;
  change->to = NULL;
  change->quota.window = record->window;
  change->give = question == BRAZE_SETTLE_NOT_DONE && record->window != 0;
  if (question != BRAZE_SETTLE_DONE) return;
  braze_record_read(record, &entry);
  entry.settled = true;
  entry.failed = false;
  entry.status = 0;
  entry.message[0] = entry.request_id[0] = '\0';
  record->state = BRAZE_RECORD_DONE;
  record->token = braze_chance_number();
  braze_buffer_clear(&record->body);
  if (braze_record_write(record, &entry)) change->to = record;
}

static double refuse_to_settle(struct braze_inquiry *inquiry, const struct braze_record *record) {
  struct braze_entry entry;
  char message[400];
  braze_record_read(record, &entry);
  if (record->state == BRAZE_RECORD_NONE)
    return refuse(inquiry, BRAZE_USAGE, "there is no such job in the ledger", "ledger:list() has those that are");
  if (record->state == BRAZE_RECORD_HELD) {
    braze_text_print(message, sizeof message, "the job is being done by %s", entry.holder);
    return refuse(inquiry, BRAZE_BUSY, message, "wait until it has ended; settle is for what nobody knows");
  }
  braze_text_print(message, sizeof message, "the job is not unknown: it is %s", braze_record_state_name(record->state));
  return refuse(inquiry, BRAZE_USAGE, message, "settle is for what nobody knows; to have it done again, forget the job");
}

static double write(struct braze_inquiry *inquiry, struct braze_lane *lane, void *store, struct braze_record *record) {
  struct braze_change change;
  struct braze_store_words words = {"", ""};
  enum braze_store_code code;
  memset(&change, 0, sizeof change);
  change.workspace = braze_ledger_workspace(inquiry->ledger);
  change.job = inquiry->job;
  change.expected = record->token;
  settle(inquiry->question, record, &change);
  if (inquiry->question == BRAZE_SETTLE_DONE && !change.to) return refuse(inquiry, BRAZE_LEDGER, "there is no memory to write in it", "");
  code = braze_lane_functions(lane)->swap(store, &change, false, inquiry->deadline, &words);
  if (code != BRAZE_STORE_GOOD) return after_code(inquiry, lane, code, &words);
  braze_lane_hurry(lane);
  return succeed(inquiry);
}

static double act(struct braze_inquiry *inquiry, struct braze_lane *lane, void *store, struct braze_record *record) {
  if (inquiry->question == BRAZE_FIND || inquiry->question == BRAZE_FORGET) {
    bool there = record->state != BRAZE_RECORD_NONE;
    if (!there) return succeed(inquiry);
    if (inquiry->question == BRAZE_FORGET) {
      double next = write(inquiry, lane, store, record);
      if (inquiry->reply.good && !keep(inquiry, record)) inquiry->reply.good = false;
      return next;
    }
    return keep(inquiry, record) ? succeed(inquiry) : refuse(inquiry, BRAZE_LEDGER, "there is no memory for the record", "");
  }
  return braze_claim_state(record) == BRAZE_RECORD_UNKNOWN ? write(inquiry, lane, store, record) : refuse_to_settle(inquiry, record);
}

static double run(struct braze_task *task, struct braze_lane *lane) {
  struct braze_inquiry *inquiry = inquiry_of(task);
  struct braze_store_words words = {"", ""};
  struct braze_loaded loaded;
  enum braze_store_code code;
  void *store;
  double next;
  if (braze_task_is_left(task)) return 0;
  store = braze_lane_store(lane, inquiry->deadline, &code, &words);
  if (!store) return after_code(inquiry, lane, code, &words);
  if (inquiry->question == BRAZE_LIST_ALL) return list(inquiry, lane, store);
  if (inquiry->question == BRAZE_ASK_QUOTA) return ask_quota(inquiry, lane, store);
  memset(&loaded, 0, sizeof loaded);
  braze_record_init(&loaded.record);
  code = braze_lane_functions(lane)->load(store, braze_ledger_workspace(inquiry->ledger), inquiry->job, "", inquiry->deadline, &loaded,
                                          &words);
  next = code == BRAZE_STORE_GOOD ? act(inquiry, lane, store, &loaded.record) : after_code(inquiry, lane, code, &words);
  braze_record_free(&loaded.record);
  return next;
}

static void free_inquiry(struct braze_task *task) {
  struct braze_inquiry *inquiry = inquiry_of(task);
  while (inquiry->reply.count > 0) braze_record_free(&inquiry->reply.records[--inquiry->reply.count]);
  free(inquiry->reply.records);
  free(inquiry);
}

struct braze_inquiry *braze_keeper_ask(struct braze_ledger *ledger, enum braze_question question, const char *job, double seconds) {
  static const struct braze_task_functions functions = {run, free_inquiry};
  struct braze_inquiry *inquiry = calloc(1, sizeof *inquiry);
  if (!inquiry) return NULL;
  inquiry->ledger = ledger;
  inquiry->question = question;
  inquiry->deadline = braze_clock_now() + seconds;
  if (job) braze_text_print(inquiry->job, sizeof inquiry->job, "%s", job);
  braze_task_init(&inquiry->task, &functions, ledger);
  inquiry->given = &inquiry->late;
  inquiry->late.kind = BRAZE_LEDGER;
  if (braze_task_submit(&inquiry->task, NULL) != 0) {
    braze_text_print(inquiry->late.words.message, sizeof inquiry->late.words.message, "there is no thread or memory for it");
    return inquiry;
  }
  braze_task_wait(&inquiry->task, seconds);
  if (!braze_task_leave(&inquiry->task)) {
    inquiry->given = &inquiry->reply;
    return inquiry;
  }
  braze_lane_late(ledger, seconds);
  braze_text_print(inquiry->late.words.message, sizeof inquiry->late.words.message, "it did not answer within %g s", seconds);
  return inquiry;
}

const struct braze_reply *braze_keeper_reply(const struct braze_inquiry *inquiry) {
  return inquiry->given;
}

void braze_keeper_free(struct braze_inquiry *inquiry) {
  braze_task_release(&inquiry->task);
}
