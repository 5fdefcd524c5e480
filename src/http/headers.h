/* headers: lines of a response's header to numbers and times. What is not exactly right is absent, never 0. */
#ifndef BRAZE_HEADERS_H
#define BRAZE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/outcome.h"

/* What has been read of one response so far. */
struct braze_headers {
  int64_t limit, remaining, reset; /* BRAZE_ABSENT, a value, or a mark that two lines contradict each other */
  bool limit_seen, remaining_seen, reset_seen;
  double retry_seconds, retry_date; /* of Retry-After; where there are more of them, the longest and the latest */
  bool retry_unread;                /* one of them can't be read, or they say more than one thing */
  double date;                      /* of the service's clock, from the header Date */
  bool date_seen;
  double epoch; /* of this machine's clock, when the response came */
  int last;   /* which of the headers that are read the last line was: a folded line goes on with it */
  bool ended; /* the empty line came: what follows are trailers, which may say nothing here */
};

void braze_headers_init(struct braze_headers *headers);

/* Takes one line, with or without its line end. A status line starts anew, so that only the final response counts.
   The request id, a redirect's target and the body's coding go straight to the outcome. `epoch` is the time now, UTC. */
void braze_headers_line(struct braze_headers *headers, const char *line, size_t length, double epoch,
                        struct braze_outcome *outcome);

/* Writes what was found to the outcome. */
void braze_headers_finish(const struct braze_headers *headers, struct braze_outcome *outcome);

/* A number of plain decimal digits up to 2^53 - 1 (what every Lua holds exactly), else BRAZE_ABSENT. */
int64_t braze_headers_number(const char *text, size_t length);

/* The value of Retry-After, seconds (a part of one counts as a whole one) or one of the three date forms of RFC 9110, as UTC epoch
   seconds; negative where it is neither. */
double braze_headers_retry_after(const char *text, size_t length, double epoch);

#endif
