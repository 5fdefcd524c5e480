/* sqlite: the ledger in a file of SQLite's, for the processes of one machine. */
#include <string.h>

#include "base/text.h"
#include "stores/sqlite_state.h"

static const char *const statements[BRAZE_SQLITE_STATEMENTS] = {
    [BEGIN] = "BEGIN IMMEDIATE",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [FULL] = "PRAGMA synchronous = FULL",
    [NORMAL] = "PRAGMA synchronous = NORMAL",
    [LOAD] = "SELECT job, state, token, owner, pair, quota_window, data, body FROM braze_job WHERE workspace = ?1 AND job = ?2",
    [PAIR] = "SELECT 1 FROM braze_job WHERE workspace = ?1 AND pair = ?2 AND job <> ?3 LIMIT 1",
    [QUOTA] = "SELECT quota_window, ends, total, remaining FROM braze_quota WHERE workspace = ?1",
    [INSERT] = ("INSERT OR IGNORE INTO braze_job (workspace, job, state, token, owner, pair, quota_window, data, body)"
                " VALUES (?1, ?2, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"),
    [UPDATE] = ("UPDATE braze_job SET state = ?4, token = ?5, owner = ?6, pair = ?7, quota_window = ?8, data = ?9, body = ?10"
                " WHERE workspace = ?1 AND job = ?2 AND token = ?3"),
    [DELETE_] = "DELETE FROM braze_job WHERE workspace = ?1 AND job = ?2 AND token = ?3",
    [FIRST_WINDOW] = "INSERT OR IGNORE INTO braze_quota (workspace, quota_window, ends, total, remaining) VALUES (?1, ?2, ?3, ?4, ?5)",
    [NEXT_WINDOW] =
        "UPDATE braze_quota SET quota_window = ?2, ends = ?3, total = ?4, remaining = ?5 WHERE workspace = ?1 AND quota_window = ?2 - 1",
    [TAKE] = "UPDATE braze_quota SET remaining = remaining - 1 WHERE workspace = ?1 AND quota_window = ?2 AND remaining > 0",
    [GIVE] = "UPDATE braze_quota SET remaining = remaining + 1 WHERE workspace = ?1 AND quota_window = ?2",
    [LEARN] = ("UPDATE braze_quota SET ends = ?3, total = CASE WHEN ?4 > 0 THEN ?4 ELSE total END, remaining = min(remaining, ?5)"
               " WHERE workspace = ?1 AND quota_window = ?2"),
    [LIST] = "SELECT job, state, token, owner, pair, quota_window, data, body FROM braze_job WHERE workspace = ?1 ORDER BY job",
};

/* --- Statements -------------------------------------------------------------------------------------- */

static int prepare(struct braze_sqlite *store, int which, sqlite3_stmt **statement) {
  int code = SQLITE_OK;
  if (!store->statements[which])
    code = sqlite3_prepare_v3(store->database, statements[which], -1, SQLITE_PREPARE_PERSISTENT, &store->statements[which], NULL);
  *statement = store->statements[which];
  return code;
}

/* Runs a prepared statement that gives no row. */
static int finish(sqlite3_stmt *statement) {
  int code = sqlite3_step(statement);
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
  return code == SQLITE_DONE || code == SQLITE_ROW ? SQLITE_OK : code;
}

static int run(struct braze_sqlite *store, int which) {
  sqlite3_stmt *statement;
  int code = prepare(store, which, &statement);
  return code == SQLITE_OK ? finish(statement) : code;
}

static void bind_text(sqlite3_stmt *statement, int index, const char *text) {
  sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

static bool append_column(sqlite3_stmt *statement, int column, struct braze_buffer *out) {
  const void *bytes = sqlite3_column_blob(statement, column);
  const int length = sqlite3_column_bytes(statement, column);
  return length == 0 || (bytes && braze_buffer_append(out, bytes, (size_t)length));
}

/* False: it does not fit. */
static bool copy_column(sqlite3_stmt *statement, int column, char *text, size_t size) {
  const unsigned char *found = sqlite3_column_text(statement, column);
  return braze_text_copy(text, size, found ? (const char *)found : "", (size_t)sqlite3_column_bytes(statement, column));
}

/* Returns OK; NOMEM; or MISMATCH for a record that braze did not write. */
static int read_record(sqlite3_stmt *statement, struct braze_record *record) {
  if (!copy_column(statement, 0, record->job, sizeof record->job) || !copy_column(statement, 3, record->owner, sizeof record->owner) ||
      !copy_column(statement, 4, record->pair, sizeof record->pair))
    return SQLITE_MISMATCH;
  record->state = (enum braze_record_state)sqlite3_column_int(statement, 1);
  record->token = sqlite3_column_int64(statement, 2);
  record->window = sqlite3_column_int64(statement, 5);
  record->alive = record->state == BRAZE_RECORD_HELD && braze_machine_is_alive(record->owner);
  braze_buffer_clear(&record->data);
  braze_buffer_clear(&record->body);
  return append_column(statement, 6, &record->data) && append_column(statement, 7, &record->body) ? SQLITE_OK : SQLITE_NOMEM;
}

static double now(const struct braze_sqlite *store) {
  return store->began + braze_machine_uptime();
}

/* --- Reading ----------------------------------------------------------------------------------------- */

static const char *owner(void *data) {
  return ((struct braze_sqlite *)data)->owner;
}

static int read_quota(struct braze_sqlite *store, const char *workspace, struct braze_quota *quota) {
  sqlite3_stmt *statement;
  int code = prepare(store, QUOTA, &statement);
  if (code != SQLITE_OK) return code;
  bind_text(statement, 1, workspace);
  code = sqlite3_step(statement);
  if (code == SQLITE_ROW) {
    quota->window = sqlite3_column_int64(statement, 0);
    quota->ends = sqlite3_column_double(statement, 1);
    quota->total = sqlite3_column_int64(statement, 2);
    quota->left = sqlite3_column_int64(statement, 3);
  }
  sqlite3_reset(statement);
  return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static int load_record(struct braze_sqlite *store, const char *workspace, const char *job, struct braze_record *record) {
  sqlite3_stmt *statement;
  int code = prepare(store, LOAD, &statement);
  if (code != SQLITE_OK) return code;
  bind_text(statement, 1, workspace);
  bind_text(statement, 2, job);
  code = sqlite3_step(statement);
  if (code == SQLITE_ROW) code = read_record(statement, record);
  sqlite3_reset(statement);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

static int load_pair(struct braze_sqlite *store, const char *workspace, const char *job, const char *pair, bool *known) {
  sqlite3_stmt *statement;
  int code = prepare(store, PAIR, &statement);
  if (code != SQLITE_OK) return code;
  bind_text(statement, 1, workspace);
  bind_text(statement, 2, pair);
  bind_text(statement, 3, job);
  code = sqlite3_step(statement);
  *known = code == SQLITE_ROW;
  sqlite3_reset(statement);
  return code == SQLITE_ROW || code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum braze_store_code load(void *data, const char *workspace, const char *job, const char *pair, double until,
                                  struct braze_loaded *loaded, struct braze_store_words *words) {
  struct braze_sqlite *store = data;
  int code;
  (void)until;
  if (!store->host->enter()) return braze_sqlite_exiting(words);
  code = load_record(store, workspace, job, &loaded->record);
  if (code == SQLITE_OK && pair[0]) code = load_pair(store, workspace, job, pair, &loaded->pair_known);
  if (code == SQLITE_OK) code = read_quota(store, workspace, &loaded->quota);
  store->host->leave();
  loaded->now = now(store);
  return code == SQLITE_OK ? BRAZE_STORE_GOOD : braze_sqlite_fail(store, code, words);
}

static enum braze_store_code quota(void *data, const char *workspace, double until, struct braze_quota *found, double *at,
                                   struct braze_store_words *words) {
  struct braze_sqlite *store = data;
  int code;
  (void)until;
  if (!store->host->enter()) return braze_sqlite_exiting(words);
  code = read_quota(store, workspace, found);
  store->host->leave();
  *at = now(store);
  return code == SQLITE_OK ? BRAZE_STORE_GOOD : braze_sqlite_fail(store, code, words);
}

static int list_entered(struct braze_sqlite *store, const char *workspace, braze_store_each *each, void *context) {
  struct braze_record record;
  sqlite3_stmt *statement;
  int code = prepare(store, LIST, &statement);
  if (code != SQLITE_OK) return code;
  memset(&record, 0, sizeof record);
  braze_buffer_init(&record.data, BRAZE_MAX_RECORD);
  braze_buffer_init(&record.body, BRAZE_MAX_RECORD);
  bind_text(statement, 1, workspace);
  while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
    code = read_record(statement, &record);
    if (code != SQLITE_OK || !each(context, &record)) break;
  }
  sqlite3_reset(statement);
  braze_buffer_free(&record.data);
  braze_buffer_free(&record.body);
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

static enum braze_store_code list(void *data, const char *workspace, double until, braze_store_each *each, void *context,
                                  struct braze_store_words *words) {
  struct braze_sqlite *store = data;
  int code;
  (void)until;
  if (!store->host->enter()) return braze_sqlite_exiting(words);
  code = list_entered(store, workspace, each, context);
  store->host->leave();
  return code == SQLITE_OK ? BRAZE_STORE_GOOD : braze_sqlite_fail(store, code, words);
}

/* --- Writing ----------------------------------------------------------------------------------------- */

/* Runs a statement that must change one row. */
static enum braze_store_code change_one(struct braze_sqlite *store, sqlite3_stmt *statement, enum braze_store_code otherwise,
                                        struct braze_store_words *words) {
  int code = finish(statement);
  if (code != SQLITE_OK) return braze_sqlite_fail(store, code, words);
  return sqlite3_changes(store->database) == 1 ? BRAZE_STORE_GOOD : otherwise;
}

static enum braze_store_code write_record(struct braze_sqlite *store, const struct braze_change *change, struct braze_store_words *words) {
  const struct braze_record *to = change->to;
  sqlite3_stmt *statement;
  int code = prepare(store, change->expected == 0 ? INSERT : to ? UPDATE : DELETE_, &statement);
  if (code != SQLITE_OK) return braze_sqlite_fail(store, code, words);
  bind_text(statement, 1, change->workspace);
  bind_text(statement, 2, change->job);
  if (change->expected != 0) sqlite3_bind_int64(statement, 3, change->expected);
  if (to) {
    sqlite3_bind_int(statement, 4, (int)to->state);
    sqlite3_bind_int64(statement, 5, to->token);
    bind_text(statement, 6, to->owner);
    bind_text(statement, 7, to->pair);
    sqlite3_bind_int64(statement, 8, to->window);
    bind_text(statement, 9, braze_buffer_text(&to->data));
    sqlite3_bind_blob(statement, 10, braze_buffer_text(&to->body), (int)to->body.length, SQLITE_STATIC);
  }
  return change_one(store, statement, BRAZE_STORE_CHANGED, words);
}

static enum braze_store_code write_quota(struct braze_sqlite *store, int which, const struct braze_change *change,
                                         enum braze_store_code otherwise, struct braze_store_words *words) {
  const struct braze_quota *to = &change->quota;
  sqlite3_stmt *statement;
  int code = prepare(store, which, &statement);
  if (code != SQLITE_OK) return braze_sqlite_fail(store, code, words);
  bind_text(statement, 1, change->workspace);
  sqlite3_bind_int64(statement, 2, to->window);
  if (which != TAKE && which != GIVE) {
    sqlite3_bind_double(statement, 3, to->ends);
    sqlite3_bind_int64(statement, 4, to->total);
    sqlite3_bind_int64(statement, 5, to->left);
  }
  return change_one(store, statement, otherwise, words);
}

static enum braze_store_code write_all(struct braze_sqlite *store, const struct braze_change *change, struct braze_store_words *words) {
  enum braze_store_code code = change->job ? write_record(store, change, words) : BRAZE_STORE_GOOD;
  if (code == BRAZE_STORE_GOOD && change->begin)
    code = write_quota(store, change->quota.window == 1 ? FIRST_WINDOW : NEXT_WINDOW, change, BRAZE_STORE_CHANGED, words);
  if (code == BRAZE_STORE_GOOD && change->take) code = write_quota(store, TAKE, change, BRAZE_STORE_USED_UP, words);
  if (code == BRAZE_STORE_GOOD && change->give) code = write_quota(store, GIVE, change, BRAZE_STORE_GOOD, words);
  if (code == BRAZE_STORE_GOOD && change->learn) code = write_quota(store, LEARN, change, BRAZE_STORE_GOOD, words);
  return code;
}

static enum braze_store_code swap_entered(struct braze_sqlite *store, const struct braze_change *change, bool relaxed,
                                          struct braze_store_words *words) {
  enum braze_store_code result;
  int code = SQLITE_OK;
  if (relaxed != store->relaxed) code = run(store, relaxed ? NORMAL : FULL);
  if (code == SQLITE_OK) store->relaxed = relaxed;
  if (code == SQLITE_OK) code = run(store, BEGIN);
  if (code != SQLITE_OK) return braze_sqlite_fail(store, code, words);
  result = write_all(store, change, words);
  if (result == BRAZE_STORE_GOOD) {
    code = run(store, COMMIT);
    if (code == SQLITE_OK) return BRAZE_STORE_GOOD;
    result = braze_sqlite_fail(store, code, words);
  }
  if (!sqlite3_get_autocommit(store->database)) run(store, ROLLBACK);
  return result;
}

static enum braze_store_code swap(void *data, const struct braze_change *change, bool relaxed, double until,
                                  struct braze_store_words *words) {
  struct braze_sqlite *store = data;
  enum braze_store_code code;
  (void)until;
  if (!store->host->enter()) return braze_sqlite_exiting(words);
  code = swap_entered(store, change, relaxed, words);
  store->host->leave();
  return code;
}

BRAZE_STORE_EXPORT const struct braze_store_functions braze_store = {
    BRAZE_STORE_VERSION, braze_sqlite_open, braze_sqlite_close, owner, load, swap, list, quota, NULL, 0,
};
