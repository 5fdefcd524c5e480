/* date: a date as HTTP writes it. */
#ifndef BRAZE_DATE_H
#define BRAZE_DATE_H

#include <stddef.h>

/* One of the three forms of RFC 9110, with GMT or UTC, as UTC epoch seconds; negative where it is none, or before 1970. `epoch` is
   the time now: a year in two digits that would be more than 50 years ahead is of the century before. */
double braze_date_read(const char *text, size_t length, double epoch);

#endif
