/* claim: what a job may do now, and what is written of it. It decides by what a store has read, and knows no store, no thread and no
   clock. */
#ifndef BRAZE_CLAIM_H
#define BRAZE_CLAIM_H

#include "base/digest.h"
#include "ledger/record.h"

/* What a call with a job asks for. */
struct braze_wish {
  char job[BRAZE_MAX_JOB + 1];
  char operation[BRAZE_MAX_SHOWN_OPERATION + 1];
  char digest[BRAZE_DIGEST_TEXT];
  char pair[BRAZE_DIGEST_TEXT]; /* "": it takes no unit of the quota */
  char send_id[80];             /* made up for this job; "": none */
  bool repeatable;              /* a second request does no harm */
  char holder[200];
};

enum braze_verdict {
  BRAZE_CLAIM_TAKE,    /* nobody has done it */
  BRAZE_CLAIM_REPEAT,  /* it may have been done, and doing it again does no harm */
  BRAZE_CLAIM_REPLAY,  /* it is done: the answer is in the record */
  BRAZE_CLAIM_REFUSED, /* the service has refused it: the answer is in the record */
  BRAZE_CLAIM_HELD,    /* somebody is doing it */
  BRAZE_CLAIM_UNKNOWN, /* it may have been done, and must not be done again */
  BRAZE_CLAIM_OTHER,   /* the job was for something else */
  BRAZE_CLAIM_USED_UP, /* no unit of the quota is left */
  BRAZE_CLAIM_NEWER    /* the record is one of a newer version */
};

/* Whether a held record's owner is gone counts as unknown, for whoever asks. */
enum braze_record_state braze_claim_state(const struct braze_record *record);

/* What the job may do. The entry is that of the record. */
enum braze_verdict braze_claim_judge(const struct braze_wish *wish, const struct braze_loaded *loaded, const struct braze_entry *entry);

/* Fills in what takes the job, for TAKE and REPEAT. `to` is an empty record, which the change refers to; `token` a new one. False: no
   memory. */
bool braze_claim_take(const struct braze_wish *wish, const char *workspace, const struct braze_loaded *loaded,
                      const struct braze_entry *entry, const char *owner, int64_t token, struct braze_record *to,
                      struct braze_change *change);

/* What became of the call of a job that was taken. */
struct braze_became {
  enum braze_record_state state; /* NONE: certainly nothing was done */
  bool repeated;                 /* an earlier call may have done it */
  double now;                    /* by the store's clock */
  struct braze_rate_limit rate_limit;
  double resets_at; /* by the store's clock; negative: not known */
};

/* Fills in what ends the job: `to` is the record that was taken, whose body and entry are filled in. False: no memory. */
bool braze_claim_end(const struct braze_became *became, const char *workspace, int64_t token, struct braze_record *to,
                     const struct braze_entry *entry, struct braze_change *change);

/* What the service said of its quota in a call that has no job. Fills in what corrects the count; false: it is right as it is. */
bool braze_claim_learn(const struct braze_became *became, const char *workspace, const struct braze_loaded *loaded,
                       struct braze_change *change);

#endif
