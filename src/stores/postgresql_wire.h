/* postgresql_wire: a connection to PostgreSQL on which nothing waits beyond its time. */
#ifndef BRAZE_POSTGRESQL_WIRE_H
#define BRAZE_POSTGRESQL_WIRE_H

#include <libpq-fe.h>

#include "stores/stores.h"

struct braze_wire {
  const struct braze_store_host *host;
  PGconn *connection;
};

#define BRAZE_WIRE_MOST_VALUES 20

/* The values of one statement, each as text, or where `lengths` has a number as bytes. */
struct braze_wire_values {
  int count;
  const char *texts[BRAZE_WIRE_MOST_VALUES];
  int lengths[BRAZE_WIRE_MOST_VALUES];
  int binary[BRAZE_WIRE_MOST_VALUES];
  char room[BRAZE_WIRE_MOST_VALUES][40];
};

void braze_wire_text(struct braze_wire_values *values, const char *text);
void braze_wire_integer(struct braze_wire_values *values, int64_t number);
void braze_wire_number(struct braze_wire_values *values, double number);
void braze_wire_bytes(struct braze_wire_values *values, const struct braze_buffer *bytes);

/* Connects. */
enum braze_store_code braze_wire_open(struct braze_wire *wire, const char *url, double until, struct braze_store_words *words);

void braze_wire_close(struct braze_wire *wire);

/* Runs a statement, whose result is the caller's to clear; NULL unless the code is GOOD. A state of PostgreSQL's that means that somebody
   else was faster is CHANGED. */
enum braze_store_code braze_wire_run(struct braze_wire *wire, const char *sql, const struct braze_wire_values *values, double until,
                                     PGresult **result, struct braze_store_words *words);

#endif
