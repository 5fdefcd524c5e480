/* store: what the ledger needs of a database: a table of functions, which a shared object of its own gives. A store decides nothing. It
   reads a record, and it writes one if nobody has written it meanwhile. */
#ifndef BRAZE_STORE_H
#define BRAZE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

#define BRAZE_STORE_VERSION 1  /* of what follows; a store of another version is refused */
#define BRAZE_SCHEMA_VERSION 1 /* of what the stores write */
#define BRAZE_MAX_JOB 255
#define BRAZE_MAX_WORKSPACE 255
#define BRAZE_MAX_RECORD (17u * 1024u * 1024u)

enum braze_store_code {
  BRAZE_STORE_GOOD,
  BRAZE_STORE_CHANGED, /* somebody has written the record or the quota meanwhile; nothing was written */
  BRAZE_STORE_USED_UP, /* no unit of the quota is left; nothing was written */
  BRAZE_STORE_BUSY,    /* somebody else is writing; nothing was written, and it is worth another try soon */
  BRAZE_STORE_LOST,    /* the connection broke: what was to be written may have been written */
  BRAZE_STORE_FAILED   /* the words say why; nothing was written */
};

enum braze_record_state {
  BRAZE_RECORD_NONE,
  BRAZE_RECORD_HELD,
  BRAZE_RECORD_UNKNOWN,
  BRAZE_RECORD_DONE,
  BRAZE_RECORD_REFUSED,
  BRAZE_RECORD_STATE_COUNT
};

struct braze_record {
  char job[BRAZE_MAX_JOB + 1];
  enum braze_record_state state;
  bool alive;               /* its owner lives; asked of the store where the record is held */
  int64_t token;            /* another one with each write */
  char owner[96];           /* as the store knows owners */
  char pair[40];            /* the digest of what takes a unit of the quota; "": nothing does */
  int64_t window;           /* of the quota from which it took a unit; 0: it took none */
  struct braze_buffer data; /* JSON */
  struct braze_buffer body; /* of the answer, as it came */
};

struct braze_quota {
  int64_t window; /* a number of its own for each window; 0: none was begun yet */
  double ends;    /* UTC epoch seconds */
  int64_t total, left;
};

/* All that a decision about a job needs, read at one moment. */
struct braze_loaded {
  struct braze_record record;
  struct braze_quota quota;
  bool pair_known; /* another record has the same pair */
  double now;      /* UTC epoch seconds by the store's clock */
};

/* What is to be written, all of it or nothing. */
struct braze_change {
  const char *workspace;
  const char *job;               /* NULL: the quota alone is written */
  int64_t expected;              /* the token of the record as it was read; 0: there was none */
  const struct braze_record *to; /* NULL: the record is removed */
  bool begin;                    /* a window of the quota, in place of the one before it */
  struct braze_quota quota;      /* the new window; or with `learn` what the service said of the window of that number */
  bool take;                     /* one unit of the quota's window */
  bool give;                     /* gives one unit of that window back */
  bool learn;
};

struct braze_store_words {
  char message[512];
  char hint[384];
};

/* What braze gives a store. */
struct braze_store_host {
  bool (*enter)(void); /* process.h: around what holds locks of a library; false: the process exits */
  void (*leave)(void);
  double (*now)(void);   /* monotonic */
  const char *workspace; /* the one that the store is used for; it outlives the store */
  int64_t session;       /* a number of its own for each thread that has a store, the same after it has connected anew */
};

/* Called for each record of a list; the record is the store's. False: no further one is wanted. */
typedef bool braze_store_each(void *data, const struct braze_record *record);

/* All of them may block, but not beyond `until` (monotonic), as far as the system allows. A store belongs to one thread. */
struct braze_store_functions {
  int version; /* BRAZE_STORE_VERSION */
  /* Connects, and makes what is missing of the schema. GOOD with words is a warning. */
  enum braze_store_code (*open)(void **store, const char *url, const struct braze_store_host *host, double until,
                                struct braze_store_words *words);
  void (*close)(void *store);
  /* Who writes through this store, as other processes can tell whether it lives. */
  const char *(*owner)(void *store);
  /* Reads into a loaded whose buffers are empty. */
  enum braze_store_code (*load)(void *store, const char *workspace, const char *job, const char *pair, double until,
                                struct braze_loaded *loaded, struct braze_store_words *words);
  /* Writes so that it is durable. Behind the answer of a call less is enough (`relaxed`): what a power cut may take is then unknown. */
  enum braze_store_code (*swap)(void *store, const struct braze_change *change, bool relaxed, double until,
                                struct braze_store_words *words);
  enum braze_store_code (*list)(void *store, const char *workspace, double until, braze_store_each *each, void *data,
                                struct braze_store_words *words);
  enum braze_store_code (*quota)(void *store, const char *workspace, double until, struct braze_quota *quota, double *now,
                                 struct braze_store_words *words);
  /* Shows the others that the owner lives. Called every `renew_every` seconds while a record is held; NULL: there is no need. */
  enum braze_store_code (*renew)(void *store, double until, struct braze_store_words *words);
  double renew_every;
};

/* The name under which a store's shared object gives its table. */
#define BRAZE_STORE_SYMBOL "braze_store"

#endif
