/* record: a record of the ledger, as text in a store and in its parts. */
#ifndef BRAZE_RECORD_H
#define BRAZE_RECORD_H

#include "http/outcome.h"
#include "ledger/store.h"

#define BRAZE_MAX_SHOWN_OPERATION 200

/* What stands in a record's data. */
struct braze_entry {
  char operation[BRAZE_MAX_SHOWN_OPERATION + 1];
  char digest[40];         /* of all that is asked of the service */
  char send_id[80];        /* made up for the job; "": the caller gave one, or there is none */
  char holder[200];        /* who does or did it, in words */
  double claimed, changed; /* UTC epoch seconds */
  bool settled;            /* by a person */
  bool failed;             /* the four below are there */
  enum braze_kind kind;
  int status; /* also of an answer; 0: none */
  char request_id[128];
  char message[256]; /* what libcurl said of a connection that broke */
};

const char *braze_record_state_name(enum braze_record_state state);

void braze_record_init(struct braze_record *record);
void braze_record_free(struct braze_record *record);

/* Writes the entry to the record's data, in the place of what is there. False: no memory. */
bool braze_record_write(struct braze_record *record, const struct braze_entry *entry);

/* Reads the record's data. False: it is not what this version writes. */
bool braze_record_read(const struct braze_record *record, struct braze_entry *entry);

#endif
