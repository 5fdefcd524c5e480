/* date: reads dates as HTTP writes them. */
#ifndef BRAZE_DATE_H
#define BRAZE_DATE_H

#include <stddef.h>

/* Reads a date in one of the three forms of RFC 9110, with GMT or UTC. Returns UTC epoch seconds; negative: it is no such date, or one
   before 1970. `epoch` is the time now: a year of two digits that would lie more than 50 years ahead belongs to the century before. */
double braze_date_read(const char *text, size_t length, double epoch);

#endif
