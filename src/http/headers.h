/* headers: reads numbers and times from the lines of a response's header. What is not exactly right is absent, never 0. */
#ifndef BRAZE_HEADERS_H
#define BRAZE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/outcome.h"

/* What has been read of one response so far. */
struct braze_headers {
  int64_t limit, remaining, reset; /* a value, BRAZE_ABSENT, or a mark that two lines contradict each other */
  bool limit_seen, remaining_seen, reset_seen;
  double retry_seconds, retry_date; /* of Retry-After; the longest and the latest where there are several */
  bool retry_unread;                /* one of them can't be read, or they contradict each other */
  bool date_seen;
  char date[40]; /* the header Date as it came, the time by the service's clock; "": there is none */
  double epoch; /* by this machine's clock, when the response came */
  bool transfer_coded; /* the header Transfer-Encoding came: the body says itself where it ends */
  bool is_final; /* the status line was not that of an interim response */
  int last;   /* which header the last line was: a folded line continues it */
  bool ended; /* the empty line came: what follows are trailers, which are ignored */
};

void braze_headers_init(struct braze_headers *headers);

/* Reads one line, with or without its line end. The status line behind an interim response starts again, so that only the final response
   counts. The request ID, the target of a redirect and the coding of the body go straight to the outcome. `epoch` is the time now, UTC. */
void braze_headers_line(struct braze_headers *headers, const char *text, size_t length, double epoch,
                        struct braze_outcome *outcome);

/* Writes the numbers and times that were found to the outcome. Its status is known: clock_ahead is left out of a success, which has no use
   for it. */
void braze_headers_finish(const struct braze_headers *headers, struct braze_outcome *outcome);

/* Reads a number of decimal digits up to 2^53 - 1, which every Lua holds exactly. BRAZE_ABSENT: it is none. */
int64_t braze_headers_number(const char *text, size_t length);

/* Reads the value of Retry-After: seconds, rounded up, or a date in one of the three forms of RFC 9110. Returns UTC epoch seconds;
   negative: it is neither. */
double braze_headers_retry_after(const char *text, size_t length, double epoch);

#endif
