/* sqlite_state: what the store in a file consists of. For its own files alone. */
#ifndef BRAZE_SQLITE_STATE_H
#define BRAZE_SQLITE_STATE_H

#include <sqlite3.h>

#include "stores/machine.h"
#include "stores/stores.h"

enum braze_sqlite_statement {
  BEGIN,
  COMMIT,
  ROLLBACK,
  FULL,
  NORMAL,
  LOAD,
  PAIR,
  QUOTA,
  INSERT,
  UPDATE,
  DELETE_,
  FIRST_WINDOW,
  NEXT_WINDOW,
  TAKE,
  GIVE,
  LEARN,
  LIST,
  BRAZE_SQLITE_STATEMENTS
};

struct braze_sqlite {
  const struct braze_store_host *host;
  struct braze_store_host own_host;
  sqlite3 *database;
  sqlite3_stmt *statements[BRAZE_SQLITE_STATEMENTS];
  bool relaxed;
  double began; /* the epoch at which this machine's uptime was 0, as the first process wrote it */
  char owner[96];
  struct braze_sqlite *next; /* of those that are open in this process */
};

/* Opens the file, and makes it and its tables where they are missing. */
enum braze_store_code braze_sqlite_open(void **opened, const char *path, const struct braze_store_host *host, double until,
                                        struct braze_store_words *words);

void braze_sqlite_close(void *store);

/* Says what SQLite's code means. */
enum braze_store_code braze_sqlite_fail(const struct braze_sqlite *store, int code, struct braze_store_words *words);

enum braze_store_code braze_sqlite_exiting(struct braze_store_words *words);

#endif
