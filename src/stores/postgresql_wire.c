/* postgresql_wire: see postgresql_wire.h. */
#define _GNU_SOURCE /* poll under -std=c11 */
#include "stores/postgresql_wire.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void braze_wire_text(struct braze_wire_values *values, const char *text) {
  values->texts[values->count++] = text;
}

void braze_wire_integer(struct braze_wire_values *values, int64_t number) {
  braze_text_print(values->room[values->count], sizeof values->room[0], "%lld", (long long)number);
  braze_wire_text(values, values->room[values->count]);
}

/* Microseconds; the point is a point in any locale. */
void braze_wire_number(struct braze_wire_values *values, double number) {
  const long long whole = (long long)number;
  braze_text_print(values->room[values->count], sizeof values->room[0], "%lld.%06lld", whole, (long long)((number - (double)whole) * 1e6));
  braze_wire_text(values, values->room[values->count]);
}

void braze_wire_bytes(struct braze_wire_values *values, const struct braze_buffer *bytes) {
  values->lengths[values->count] = (int)bytes->length;
  values->binary[values->count] = 1;
  braze_wire_text(values, braze_buffer_text(bytes));
}

/* The first line of what PostgreSQL says. */
static void say(struct braze_store_words *words, const char *message, const char *hint) {
  braze_text_print(words->message, sizeof words->message, "%.*s", (int)strcspn(message, "\n"), message);
  braze_text_print(words->hint, sizeof words->hint, "%s", hint);
}

static enum braze_store_code exiting(struct braze_store_words *words) {
  say(words, "the process is exiting", "");
  return BRAZE_STORE_FAILED;
}

/* Waits for the socket. False: the time is up, or the socket is gone. */
static bool wait_for(const struct braze_wire *wire, short events, double until) {
  struct pollfd socket = {PQsocket(wire->connection), events, 0};
  for (;;) {
    const double seconds = until - wire->host->now();
    int ready;
    if (seconds <= 0 || socket.fd < 0) return false;
    ready = poll(&socket, 1, seconds > 60 ? 60000 : (int)(seconds * 1000) + 1);
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

/* --- Connecting -------------------------------------------------------------------------------------- */

static enum braze_store_code fail_to_connect(struct braze_wire *wire, bool late, struct braze_store_words *words) {
  static const char hint[] = "check that the server runs, and host, user, database and password in the ledger's URL (or ~/.pgpass)";
  if (late)
    say(words, "the server did not answer in time", hint);
  else
    say(words, PQerrorMessage(wire->connection), hint);
  braze_wire_close(wire);
  return BRAZE_STORE_FAILED;
}

/* libpq looks up the server's name in here, which may take its time: so outside of what a fork waits for. OpenSSL comes later. */
static bool start(struct braze_wire *wire, const char *url) {
  const char *const names[] = {"client_encoding", "tcp_user_timeout", "fallback_application_name", "dbname", NULL};
  const char *const values[] = {"UTF8", "20000", "braze", url, NULL};
  wire->connection = PQconnectStartParams(names, values, 1);
  return wire->connection && PQstatus(wire->connection) != CONNECTION_BAD;
}

static PostgresPollingStatusType go_on(struct braze_wire *wire) {
  PostgresPollingStatusType status;
  if (!wire->host->enter()) return PGRES_POLLING_FAILED;
  status = PQconnectPoll(wire->connection);
  wire->host->leave();
  return status;
}

static void ignore_notice(void *data, const PGresult *result) {
  (void)data, (void)result;
}

enum braze_store_code braze_wire_open(struct braze_wire *wire, const char *url, double until, struct braze_store_words *words) {
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  if (!start(wire, url)) return fail_to_connect(wire, false, words);
  while (status != PGRES_POLLING_OK) {
    if (!wait_for(wire, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, until)) return fail_to_connect(wire, true, words);
    status = go_on(wire);
    if (status == PGRES_POLLING_FAILED) return fail_to_connect(wire, false, words);
  }
  PQsetnonblocking(wire->connection, 1);
  PQsetNoticeReceiver(wire->connection, ignore_notice, NULL);
  return BRAZE_STORE_GOOD;
}

/* Ends the connection without a word that would have to wait: libpq's PQfinish sends one, on a socket that does not block. */
void braze_wire_close(struct braze_wire *wire) {
  if (wire->connection && wire->host->enter()) {
    PQfinish(wire->connection);
    wire->host->leave();
  }
  wire->connection = NULL;
}

/* --- Statements -------------------------------------------------------------------------------------- */

static enum braze_store_code lose(struct braze_wire *wire, bool late, struct braze_store_words *words) {
  static const char hint[] = "look at the server and the network between";
  if (late)
    say(words, "the server did not answer in time", hint);
  else
    say(words, PQerrorMessage(wire->connection)[0] ? PQerrorMessage(wire->connection) : "the connection broke", hint);
  return BRAZE_STORE_LOST;
}

static bool is_state(const char *state, const char *const *states, size_t count) {
  size_t i;
  for (i = 0; i < count; i++)
    if (strncmp(state, states[i], strlen(states[i])) == 0) return true;
  return false;
}

/* What an error of the server's means, by the first letters of its state. */
static enum braze_store_code fail(const PGresult *result, struct braze_store_words *words) {
  static const char *const again[] = {"40", "23505"}, *const locked[] = {"55P03"}, *const gone[] = {"57P", "08"};
  const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE), *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY), *hint;
  if (!state) state = "";
  if (is_state(state, again, 2)) return BRAZE_STORE_CHANGED;
  if (is_state(state, locked, 1)) return BRAZE_STORE_BUSY;
  hint = strncmp(state, "53", 2) == 0 ? "the server is out of disk, memory or connections"
         : strncmp(state, "42501", 5) == 0
             ? "let the ledger's user make tables and functions in its schema, or make them once by another user"
         : strncmp(state, "25006", 5) == 0
             ? "the server is read-only, as a standby is: give the URL of the one that takes writes (target_session_attrs=read-write)"
             : "look at the server's log";
  say(words, message ? message : PQresultErrorMessage(result), hint);
  return is_state(state, gone, 2) ? BRAZE_STORE_LOST : BRAZE_STORE_FAILED;
}

static bool send(struct braze_wire *wire, const char *sql, const struct braze_wire_values *values) {
  bool good;
  if (!wire->host->enter()) return false;
  if (values)
    good = PQsendQueryParams(wire->connection, sql, values->count, NULL, values->texts, values->lengths, values->binary, 1) == 1;
  else
    good = PQsendQuery(wire->connection, sql) == 1;
  wire->host->leave();
  return good;
}

/* Sends what is left, and reads until the answer is whole. */
static enum braze_store_code exchange(struct braze_wire *wire, double until, struct braze_store_words *words) {
  for (;;) {
    int left, good, busy;
    if (!wire->host->enter()) return exiting(words);
    left = PQflush(wire->connection);
    good = PQconsumeInput(wire->connection);
    busy = good && left >= 0 && PQisBusy(wire->connection);
    wire->host->leave();
    if (!good || left < 0) return lose(wire, false, words);
    if (!busy && left == 0) return BRAZE_STORE_GOOD;
    if (!wait_for(wire, (short)(left > 0 ? POLLIN | POLLOUT : POLLIN), until)) return lose(wire, true, words);
  }
}

/* The last result that has rows or says what is wrong; of several statements the first that failed. */
static enum braze_store_code collect(struct braze_wire *wire, double until, PGresult **kept, struct braze_store_words *words) {
  PGresult *result;
  *kept = NULL;
  for (;;) {
    enum braze_store_code code = exchange(wire, until, words);
    if (code != BRAZE_STORE_GOOD) return code;
    if (!wire->host->enter()) return exiting(words);
    result = PQgetResult(wire->connection);
    wire->host->leave();
    if (!result) return *kept ? BRAZE_STORE_GOOD : lose(wire, false, words);
    if (*kept && PQresultStatus(*kept) == PGRES_FATAL_ERROR) {
      PQclear(result);
      continue;
    }
    PQclear(*kept);
    *kept = result;
  }
}

enum braze_store_code braze_wire_run(struct braze_wire *wire, const char *sql, const struct braze_wire_values *values, double until,
                                     PGresult **result, struct braze_store_words *words) {
  enum braze_store_code code;
  PGresult *kept = NULL;
  *result = NULL;
  if (!send(wire, sql, values)) return lose(wire, false, words);
  code = collect(wire, until, &kept, words);
  if (code == BRAZE_STORE_GOOD && PQresultStatus(kept) != PGRES_TUPLES_OK && PQresultStatus(kept) != PGRES_COMMAND_OK)
    code = PQstatus(wire->connection) == CONNECTION_BAD ? lose(wire, false, words) : fail(kept, words);
  if (code != BRAZE_STORE_GOOD) {
    PQclear(kept);
    return code;
  }
  *result = kept;
  return code;
}
