/* postgresql: the ledger in a PostgreSQL database, for any number of machines. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "stores/postgresql_schema.h"
#include "stores/postgresql_wire.h"

struct store {
  struct braze_store_host host;
  struct braze_wire wire;
  char owner[32]; /* the number of an advisory lock, which the server gives back when this session ends */
};

/* --- Opening ----------------------------------------------------------------------------------------- */

static enum braze_store_code fail(struct braze_store_words *words, const char *message, const char *hint) {
  braze_text_print(words->message, sizeof words->message, "%s", message);
  braze_text_print(words->hint, sizeof words->hint, "%s", hint);
  return BRAZE_STORE_FAILED;
}

static const char *owner(void *data) {
  return ((struct store *)data)->owner;
}

static void close_store(void *data) {
  braze_wire_close(&((struct store *)data)->wire);
  free(data);
}

/* Runs a statement of which nothing is wanted but that it went well. */
static enum braze_store_code run(struct store *store, const char *sql, const struct braze_wire_values *values, double until,
                                 struct braze_store_words *words) {
  PGresult *result;
  enum braze_store_code code = braze_wire_run(&store->wire, sql, values, until, &result, words);
  PQclear(result);
  return code;
}

/* A number that the server's answer has in its first row, as text or, for a bigint, as eight bytes. */
static int64_t integer(const PGresult *result, int row, int column) {
  const unsigned char *bytes = (const unsigned char *)PQgetvalue(result, row, column);
  uint64_t number = 0;
  int i;
  for (i = 0; i < PQgetlength(result, row, column); i++) number = number << 8 | bytes[i];
  return (int64_t)number;
}

static double number(const PGresult *result, int row, int column) {
  return (double)integer(result, row, column) / 1e6; /* asked for as microseconds */
}

/* The version of the schema; 0: there is none. */
static enum braze_store_code read_version(struct store *store, double until, int64_t *version, struct braze_store_words *words) {
  static const char *const questions[] = {BRAZE_POSTGRESQL_HAS_SCHEMA, BRAZE_POSTGRESQL_VERSION};
  const struct braze_wire_values none = {0};
  enum braze_store_code code = BRAZE_STORE_GOOD;
  PGresult *result;
  int i;
  for (i = 0, *version = 1; i < 2 && *version != 0 && code == BRAZE_STORE_GOOD; i++) {
    code = braze_wire_run(&store->wire, questions[i], &none, until, &result, words);
    if (code != BRAZE_STORE_GOOD) break;
    *version = integer(result, 0, 0);
    PQclear(result);
  }
  return code;
}

/* Several processes may do so at the same time: one lock lets them do it one by one. */
static enum braze_store_code make_schema(struct store *store, double until, struct braze_store_words *words) {
  enum braze_store_code code = run(store, braze_postgresql_schema, NULL, until, words);
  if (code == BRAZE_STORE_LOST) return code;
  if (code != BRAZE_STORE_GOOD) {
    struct braze_store_words ignored;
    run(store, "ROLLBACK", NULL, until, &ignored);
  }
  return code;
}

static enum braze_store_code take_owner(struct store *store, double until, struct braze_store_words *words) {
  struct braze_wire_values values = {0};
  braze_wire_integer(&values, store->host.session);
  return run(store, BRAZE_POSTGRESQL_TAKE_OWNER, &values, until, words);
}

static enum braze_store_code set_up(struct store *store, double until, struct braze_store_words *words) {
  int64_t version = 0;
  enum braze_store_code code = read_version(store, until, &version, words);
  if (code == BRAZE_STORE_GOOD && version == 0) code = make_schema(store, until, words);
  if (code == BRAZE_STORE_GOOD && version > BRAZE_SCHEMA_VERSION)
    return fail(words, "the ledger was made by a newer version of braze", "use that version in every process");
  if (code == BRAZE_STORE_GOOD) code = take_owner(store, until, words);
  return code == BRAZE_STORE_LOST ? BRAZE_STORE_FAILED : code;
}

static enum braze_store_code open_store(void **opened, const char *url, const struct braze_store_host *host, double until,
                                        struct braze_store_words *words) {
  struct store *store = calloc(1, sizeof *store);
  enum braze_store_code code;
  if (!store) return fail(words, "there is no memory for it", "");
  store->host = *host;
  store->wire.host = &store->host;
  braze_text_print(store->owner, sizeof store->owner, "%lld", (long long)host->session);
  code = braze_wire_open(&store->wire, url, until, words);
  if (code == BRAZE_STORE_GOOD) code = set_up(store, until, words);
  if (code == BRAZE_STORE_GOOD)
    *opened = store;
  else
    close_store(store);
  return code == BRAZE_STORE_CHANGED ? BRAZE_STORE_BUSY : code; /* another one made the schema meanwhile */
}

/* --- Reading ----------------------------------------------------------------------------------------- */

/* False: it does not fit. */
static bool copy(const PGresult *result, int row, int column, char *text, size_t size) {
  return braze_text_copy(text, size, PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

static bool append(struct braze_buffer *out, const PGresult *result, int row, int column) {
  braze_buffer_clear(out);
  return braze_buffer_append(out, PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

/* The columns from `first` on are those of a record. */
static enum braze_store_code read_record(const PGresult *result, int row, int first, struct braze_record *record,
                                         struct braze_store_words *words) {
  if (!copy(result, row, first, record->job, sizeof record->job) || !copy(result, row, first + 3, record->owner, sizeof record->owner) ||
      !copy(result, row, first + 4, record->pair, sizeof record->pair))
    return fail(words, BRAZE_STORE_ODD, BRAZE_STORE_ODD_HINT);
  record->state = (enum braze_record_state)integer(result, row, first + 1);
  record->token = integer(result, row, first + 2);
  record->window = integer(result, row, first + 5);
  record->alive = integer(result, row, first + 8) != 0;
  if (append(&record->data, result, row, first + 6) && append(&record->body, result, row, first + 7)) return BRAZE_STORE_GOOD;
  return fail(words, "there is no memory for what is in it", "");
}

/* The columns from `first` on are those of the quota, behind them the time. */
static void read_quota(const PGresult *result, int first, struct braze_quota *quota, double *now) {
  if (!PQgetisnull(result, 0, first)) {
    quota->window = integer(result, 0, first);
    quota->ends = number(result, 0, first + 1);
    quota->total = integer(result, 0, first + 2);
    quota->left = integer(result, 0, first + 3);
  }
  *now = number(result, 0, first + 4);
}

static enum braze_store_code load(void *data, const char *workspace, const char *job, const char *pair, double until,
                                  struct braze_loaded *loaded, struct braze_store_words *words) {
  struct store *store = data;
  struct braze_wire_values values = {0};
  PGresult *result;
  enum braze_store_code code;
  braze_wire_text(&values, workspace);
  braze_wire_text(&values, job);
  braze_wire_text(&values, pair);
  code = braze_wire_run(&store->wire, BRAZE_POSTGRESQL_LOAD, &values, until, &result, words);
  if (code != BRAZE_STORE_GOOD) return code;
  read_quota(result, 0, &loaded->quota, &loaded->now);
  loaded->pair_known = integer(result, 0, 5) != 0;
  if (!PQgetisnull(result, 0, 6)) code = read_record(result, 0, 6, &loaded->record, words);
  PQclear(result);
  return code;
}

static enum braze_store_code quota(void *data, const char *workspace, double until, struct braze_quota *found, double *now,
                                   struct braze_store_words *words) {
  struct braze_loaded loaded;
  enum braze_store_code code;
  memset(&loaded, 0, sizeof loaded);
  braze_buffer_init(&loaded.record.data, BRAZE_MAX_RECORD);
  braze_buffer_init(&loaded.record.body, BRAZE_MAX_RECORD);
  code = load(data, workspace, "", "", until, &loaded, words);
  *found = loaded.quota;
  *now = loaded.now;
  braze_buffer_free(&loaded.record.data);
  braze_buffer_free(&loaded.record.body);
  return code;
}

static enum braze_store_code list(void *data, const char *workspace, double until, braze_store_each *each, void *context,
                                  struct braze_store_words *words) {
  struct store *store = data;
  struct braze_wire_values values = {0};
  struct braze_record record;
  PGresult *result;
  enum braze_store_code code;
  int row;
  braze_wire_text(&values, workspace);
  code = braze_wire_run(&store->wire, BRAZE_POSTGRESQL_LIST, &values, until, &result, words);
  if (code != BRAZE_STORE_GOOD) return code;
  memset(&record, 0, sizeof record);
  braze_buffer_init(&record.data, BRAZE_MAX_RECORD);
  braze_buffer_init(&record.body, BRAZE_MAX_RECORD);
  for (row = 0; row < PQntuples(result) && code == BRAZE_STORE_GOOD; row++) {
    code = read_record(result, row, 0, &record, words);
    if (code == BRAZE_STORE_GOOD && !each(context, &record)) break;
  }
  braze_buffer_free(&record.data);
  braze_buffer_free(&record.body);
  PQclear(result);
  return code;
}

/* --- Writing ----------------------------------------------------------------------------------------- */

/* What the function of the schema says. */
static enum braze_store_code read_code(const PGresult *result) {
  switch (integer(result, 0, 0)) {
  case 0: return BRAZE_STORE_GOOD;
  case 2: return BRAZE_STORE_USED_UP;
  default: return BRAZE_STORE_CHANGED;
  }
}

static enum braze_store_code swap(void *data, const struct braze_change *change, bool relaxed, double until,
                                  struct braze_store_words *words) {
  static const struct braze_record none = {.state = BRAZE_RECORD_NONE};
  struct store *store = data;
  const struct braze_record *to = change->to ? change->to : &none;
  struct braze_wire_values values = {0};
  PGresult *result;
  enum braze_store_code code;
  (void)relaxed; /* it is one round trip either way */
  braze_wire_text(&values, change->workspace);
  braze_wire_text(&values, change->job ? change->job : "");
  braze_wire_integer(&values, change->expected);
  braze_wire_integer(&values, to->state);
  braze_wire_integer(&values, to->token);
  braze_wire_text(&values, to->owner);
  braze_wire_text(&values, to->pair);
  braze_wire_integer(&values, to->window);
  braze_wire_text(&values, braze_buffer_text(&to->data));
  braze_wire_bytes(&values, &to->body);
  braze_wire_integer(&values, change->begin | change->take << 1 | change->give << 2 | change->learn << 3);
  braze_wire_integer(&values, change->quota.window);
  braze_wire_number(&values, change->quota.ends);
  braze_wire_integer(&values, change->quota.total);
  braze_wire_integer(&values, change->quota.left);
  code = braze_wire_run(&store->wire, BRAZE_POSTGRESQL_SWAP, &values, until, &result, words);
  if (code != BRAZE_STORE_GOOD) return code;
  code = read_code(result);
  PQclear(result);
  return code;
}

/* A session that is gone must be made anew, or the others take its owner for gone; and one that did not get its lock yet may get it now. */
static enum braze_store_code renew(void *data, double until, struct braze_store_words *words) {
  return take_owner(data, until, words);
}

BRAZE_STORE_EXPORT const struct braze_store_functions braze_store = {
    BRAZE_STORE_VERSION, open_store, close_store, owner, load, swap, list, quota, renew, 5,
};
