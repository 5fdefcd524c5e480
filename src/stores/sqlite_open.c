/* sqlite_open: the file of a ledger: made, checked, opened and closed; and what SQLite's errors mean. See sqlite_state.h. */
#define _GNU_SOURCE /* O_CLOEXEC under -std=c11 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "stores/sqlite_state.h"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS braze_job ("
    " workspace TEXT NOT NULL, job TEXT NOT NULL, state INTEGER NOT NULL, token INTEGER NOT NULL, owner TEXT NOT NULL,"
    " pair TEXT NOT NULL, quota_window INTEGER NOT NULL, data TEXT NOT NULL, body BLOB NOT NULL,"
    " PRIMARY KEY (workspace, job)) WITHOUT ROWID;"
    "CREATE INDEX IF NOT EXISTS braze_job_pair ON braze_job (workspace, pair) WHERE pair <> '';"
    "CREATE TABLE IF NOT EXISTS braze_quota ("
    " workspace TEXT NOT NULL PRIMARY KEY, quota_window INTEGER NOT NULL, ends REAL NOT NULL, total INTEGER NOT NULL,"
    " remaining INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS braze_clock (boot TEXT NOT NULL PRIMARY KEY, began REAL NOT NULL) WITHOUT ROWID;";

#define APPLICATION_ID 0x42726C67 /* "Brlg" */

/* --- Errors ------------------------------------------------------------------------------------------ */

static const char *hint_for(int code, int system_error) {
  switch (code & 0xFF) {
  case SQLITE_FULL: return "the disk is full: free some space; braze will go on by itself";
  case SQLITE_READONLY: return "the file, or its folder, is read-only: let this process write both";
  case SQLITE_CANTOPEN:
    return system_error == ENOENT ? "make the folder of the file first" : "let this process write the file and its folder";
  case SQLITE_NOTADB: return "give a path of its own to the ledger: it makes the file";
  case SQLITE_CORRUPT: return "the file is damaged: put it aside and look at it with sqlite3; without it braze does not know what was done";
  case SQLITE_IOERR: return "look at the disk";
  default: return "look at the file with sqlite3";
  }
}

static enum braze_store_code refuse(struct braze_store_words *words, const char *message, const char *hint) {
  braze_text_print(words->message, sizeof words->message, "%s", message);
  braze_text_print(words->hint, sizeof words->hint, "%s", hint);
  return BRAZE_STORE_FAILED;
}

static enum braze_store_code explain(int code, int system_error, struct braze_store_words *words) {
  char reason[128] = "";
  if (system_error) braze_text_print_error(reason, sizeof reason, system_error);
  braze_text_print(words->message, sizeof words->message, "%.200s%s%.100s", sqlite3_errstr(code), system_error ? ": " : "", reason);
  braze_text_print(words->hint, sizeof words->hint, "%s", hint_for(code, system_error));
  return BRAZE_STORE_FAILED;
}

enum braze_store_code braze_sqlite_fail(const struct braze_sqlite *store, int code, struct braze_store_words *words) {
  const int extended = store->database ? sqlite3_extended_errcode(store->database) : code;
  const int system_error = store->database ? sqlite3_system_errno(store->database) : 0;
  if ((code & 0xFF) == SQLITE_BUSY || (code & 0xFF) == SQLITE_LOCKED) return BRAZE_STORE_BUSY;
  if (code == SQLITE_MISMATCH) return refuse(words, BRAZE_STORE_ODD, BRAZE_STORE_ODD_HINT);
  explain(code, system_error, words);
  if (extended == SQLITE_READONLY_DIRECTORY) braze_text_print(words->message, sizeof words->message, "its folder is read-only");
  return BRAZE_STORE_FAILED;
}

enum braze_store_code braze_sqlite_exiting(struct braze_store_words *words) {
  return refuse(words, "the process is exiting", "");
}

/* --- Opening ----------------------------------------------------------------------------------------- */

static int exec(struct braze_sqlite *store, const char *sql) {
  return sqlite3_exec(store->database, sql, NULL, NULL, NULL);
}

static int read_number(struct braze_sqlite *store, const char *sql, int64_t *number) {
  sqlite3_stmt *statement;
  int code = sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL);
  if (code != SQLITE_OK) return code;
  code = sqlite3_step(statement);
  *number = sqlite3_column_int64(statement, 0);
  sqlite3_finalize(statement);
  return code == SQLITE_ROW ? SQLITE_OK : code;
}

/* All processes of one boot share a clock, which no change of the system's time moves: what the first of them wrote, and the uptime. */
static int share_clock(struct braze_sqlite *store) {
  sqlite3_stmt *statement;
  int code = sqlite3_prepare_v2(store->database, "INSERT OR IGNORE INTO braze_clock VALUES (?1, ?2)", -1, &statement, NULL);
  if (code != SQLITE_OK) return code;
  sqlite3_bind_text(statement, 1, braze_machine_boot(), -1, SQLITE_TRANSIENT);
  sqlite3_bind_double(statement, 2, braze_machine_epoch() - braze_machine_uptime());
  code = sqlite3_step(statement);
  sqlite3_finalize(statement);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int read_clock(struct braze_sqlite *store) {
  sqlite3_stmt *statement;
  int code = sqlite3_prepare_v2(store->database, "SELECT began FROM braze_clock WHERE boot = ?1", -1, &statement, NULL);
  if (code != SQLITE_OK) return code;
  sqlite3_bind_text(statement, 1, braze_machine_boot(), -1, SQLITE_TRANSIENT);
  code = sqlite3_step(statement);
  store->began = code == SQLITE_ROW ? sqlite3_column_double(statement, 0) : 0;
  sqlite3_finalize(statement);
  return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Whether the file is a ledger, or empty. Another process may make it one between two of the questions: who sees its tables sees its marks
   afterwards, for they come with one transaction. */
static enum braze_store_code check_file(struct braze_sqlite *store, int64_t *version, struct braze_store_words *words) {
  int64_t application = 0, tables = 0;
  int code = read_number(store, "SELECT count(*) FROM sqlite_master", &tables);
  if (code == SQLITE_OK) code = read_number(store, "PRAGMA application_id", &application);
  if (code == SQLITE_OK) code = read_number(store, "PRAGMA user_version", version);
  if (code != SQLITE_OK) return braze_sqlite_fail(store, code, words);
  if (tables > 0 && application != APPLICATION_ID)
    return refuse(words, "the file is a database of another program", "give a path of its own to the ledger: it makes the file");
  if (*version > BRAZE_SCHEMA_VERSION)
    return refuse(words, "the ledger was made by a newer version of braze", "use that version in every process");
  return BRAZE_STORE_GOOD;
}

/* In a transaction that writes: makes what is missing. Another process may have made it since the file was looked at. */
static enum braze_store_code make_schema(struct braze_sqlite *store, struct braze_store_words *words) {
  enum braze_store_code result;
  int64_t version = 0;
  char sql[128];
  int code = exec(store, "BEGIN IMMEDIATE");
  if (code != SQLITE_OK) return braze_sqlite_fail(store, code, words);
  result = check_file(store, &version, words);
  if (result != BRAZE_STORE_GOOD) {
    exec(store, "ROLLBACK");
    return result;
  }
  braze_text_print(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID, BRAZE_SCHEMA_VERSION);
  code = exec(store, schema);
  if (code == SQLITE_OK && version == 0) code = exec(store, sql);
  if (code == SQLITE_OK) code = share_clock(store);
  if (code == SQLITE_OK) code = exec(store, "COMMIT");
  if (code == SQLITE_OK) return BRAZE_STORE_GOOD;
  exec(store, "ROLLBACK");
  return braze_sqlite_fail(store, code, words);
}

static enum braze_store_code set_up(struct braze_sqlite *store, struct braze_store_words *words) {
  int64_t version = 0;
  enum braze_store_code result = check_file(store, &version, words);
  int code;
  if (result != BRAZE_STORE_GOOD) return result;
  code = exec(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  if (code != SQLITE_OK) return braze_sqlite_fail(store, code, words);
  code = version == 0 ? SQLITE_OK : read_clock(store);
  if (code != SQLITE_OK) return braze_sqlite_fail(store, code, words);
  if (store->began != 0) return BRAZE_STORE_GOOD;
  result = make_schema(store, words);
  if (result != BRAZE_STORE_GOOD) return result;
  code = read_clock(store);
  return code == SQLITE_OK ? BRAZE_STORE_GOOD : braze_sqlite_fail(store, code, words);
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* never held while the process forks: only between enter and leave */
static struct braze_sqlite *open_stores;
static pid_t process; /* in which they were opened */

static void finish(struct braze_sqlite *store) {
  int i;
  for (i = 0; i < BRAZE_SQLITE_STATEMENTS; i++) sqlite3_finalize(store->statements[i]);
  sqlite3_close(store->database);
}

/* Under the mutex: in the child of a fork, closes what the parent had open, without a byte written. SQLite would take the parent's locks
   for the child's own, and take none: then another process that closes the file removes what the child still writes to. No transaction was
   open: a fork waits until every store has been left. */
static void drop_inherited(void) {
  struct braze_sqlite *store;
  if (process == getpid()) return;
  for (store = open_stores; store; store = store->next) {
    sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    finish(store);
  }
  open_stores = NULL;
  process = getpid();
}

static void add(struct braze_sqlite *store) {
  pthread_mutex_lock(&mutex);
  store->next = open_stores;
  open_stores = store;
  pthread_mutex_unlock(&mutex);
}

static void take_out(struct braze_sqlite *store) {
  struct braze_sqlite **at;
  pthread_mutex_lock(&mutex);
  for (at = &open_stores; *at; at = &(*at)->next)
    if (*at == store) {
      *at = store->next;
      break;
    }
  pthread_mutex_unlock(&mutex);
}

/* Makes the file for this user alone, before SQLite would make it for all. Nothing is open in this process then. Returns why there is none
   now, which SQLite can't tell; 0: there is one. */
static int make_file(const char *path) {
  int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return errno == EEXIST ? 0 : errno;
  close(file);
  return 0;
}

void braze_sqlite_close(void *data) {
  struct braze_sqlite *store = data;
  if (store->host->enter()) {
    take_out(store);
    finish(store);
    store->host->leave();
  }
  free(store);
}

static enum braze_store_code open_entered(struct braze_sqlite *store, const char *path, struct braze_store_words *words) {
  int code, not_made;
  if (braze_machine_is_remote(path))
    return refuse(words, "the file is on a network file system, where SQLite's locks can't be relied on",
                  "put it on a local disk; for several machines use PostgreSQL or Redis");
  pthread_mutex_lock(&mutex);
  drop_inherited();
  pthread_mutex_unlock(&mutex);
  not_made = make_file(path);
  code = sqlite3_open_v2(path, &store->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  add(store);
  if (code != SQLITE_OK && not_made) return explain(code, not_made, words);
  if (code != SQLITE_OK) return braze_sqlite_fail(store, code, words);
  sqlite3_extended_result_codes(store->database, 1);
  return set_up(store, words);
}

enum braze_store_code braze_sqlite_open(void **opened, const char *path, const struct braze_store_host *host, double until,
                                        struct braze_store_words *words) {
  struct braze_sqlite *store = calloc(1, sizeof *store);
  enum braze_store_code code;
  (void)until;
  if (!store) return refuse(words, "there is no memory for it", "");
  store->own_host = *host;
  store->host = &store->own_host;
  braze_machine_name_owner(store->owner, sizeof store->owner);
  if (!host->enter()) {
    free(store);
    return braze_sqlite_exiting(words);
  }
  code = open_entered(store, path, words);
  host->leave();
  if (code == BRAZE_STORE_GOOD)
    *opened = store;
  else
    braze_sqlite_close(store);
  return code;
}
