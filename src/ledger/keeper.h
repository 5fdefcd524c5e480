/* keeper: what a person asks of a ledger, or tells it. Each function waits until the ledger has answered. */
#ifndef BRAZE_KEEPER_H
#define BRAZE_KEEPER_H

#include "ledger/ledger.h"
#include "ledger/record.h"

enum braze_question { BRAZE_FIND, BRAZE_LIST_ALL, BRAZE_SETTLE_DONE, BRAZE_SETTLE_NOT_DONE, BRAZE_FORGET, BRAZE_ASK_QUOTA };

struct braze_reply {
  bool good;
  enum braze_kind kind; /* of the error, where it is not good */
  struct braze_store_words words;
  struct braze_record *records; /* those found, in the order of their names */
  size_t count;
  struct braze_quota quota; /* window 0: none is known, or the last one is over */
};

struct braze_inquiry;

/* Asks, and waits for at most so many seconds. `job` may be NULL for the list and the quota. NULL: no memory. Free what is returned. */
struct braze_inquiry *braze_keeper_ask(struct braze_ledger *ledger, enum braze_question question, const char *job, double seconds);

/* The reply to one that was asked. */
const struct braze_reply *braze_keeper_reply(const struct braze_inquiry *inquiry);

void braze_keeper_free(struct braze_inquiry *inquiry);

#endif
