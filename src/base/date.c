/* date: see date.h. */
#include "base/date.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A position in a date; NULL after a mistake. */
struct reader {
  const char *at;
  const char *end;
};

static void expect(struct reader *reader, const char *text) {
  size_t length = strlen(text);
  if (reader->at && (size_t)(reader->end - reader->at) >= length && memcmp(reader->at, text, length) == 0)
    reader->at += length;
  else
    reader->at = NULL;
}

/* Some servers write UTC for GMT. */
static void expect_zone(struct reader *reader) {
  struct reader other = *reader;
  expect(reader, " GMT");
  if (reader->at) return;
  expect(&other, " UTC");
  *reader = other;
}

/* Reads exactly `count` digits. `blank`: the first may be a space, which asctime writes for 0. */
static int read_number(struct reader *reader, int count, bool blank) {
  int value = 0, i;
  for (i = 0; i < count && reader->at; i++) {
    char digit = reader->at < reader->end ? *reader->at++ : '\0';
    if (blank && i == 0 && digit == ' ') digit = '0';
    if (digit < '0' || digit > '9') reader->at = NULL;
    value = value * 10 + (digit - '0');
  }
  return value;
}

/* Reads one of the names, which stand in a row, `width` characters each. Returns its index, from 0. */
static int read_name(struct reader *reader, const char *names, int width) {
  int index;
  if (!reader->at || reader->end - reader->at < width) {
    reader->at = NULL;
    return 0;
  }
  for (index = 0; names[index * width]; index++)
    if (memcmp(reader->at, names + index * width, (size_t)width) == 0) {
      reader->at += width;
      return index;
    }
  reader->at = NULL;
  return 0;
}

struct date {
  int year, month, day, hour, minute, second;
};

static void read_time(struct reader *reader, struct date *date) {
  date->hour = read_number(reader, 2, false);
  expect(reader, ":");
  date->minute = read_number(reader, 2, false);
  expect(reader, ":");
  date->second = read_number(reader, 2, false);
}

/* Days from 1970-01-01 to a date of the Gregorian calendar, counted from March so that the leap day comes last. */
static int64_t days_since_1970(int year, int month, int day) {
  int64_t years = month <= 2 ? year - 1 : year;
  int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return years * 365 + years / 4 - years / 100 + years / 400 + day_of_year - 719468;
}

static double date_to_epoch(const struct date *date) {
  static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (date->year % 4 == 0 && date->year % 100 != 0) || date->year % 400 == 0;
  int max_days = month_days[date->month - 1] + (date->month == 2 && leap);
  if (date->day < 1 || date->day > max_days || date->hour > 23 || date->minute > 59 || date->second > 60 || date->year < 1970)
    return -1;
  return (double)(days_since_1970(date->year, date->month, date->day) * 86400 + date->hour * 3600 + date->minute * 60 + date->second);
}

#define DAYS "MonTueWedThuFriSatSun"
#define MONTHS "JanFebMarAprMayJunJulAugSepOctNovDec"

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool read_fixdate(struct reader reader, struct date *date) {
  read_name(&reader, DAYS, 3);
  expect(&reader, ", ");
  date->day = read_number(&reader, 2, false);
  expect(&reader, " ");
  date->month = read_name(&reader, MONTHS, 3) + 1;
  expect(&reader, " ");
  date->year = read_number(&reader, 4, false);
  expect(&reader, " ");
  read_time(&reader, date);
  expect_zone(&reader);
  return reader.at == reader.end;
}

/* Sunday, 06-Nov-94 08:49:37 GMT; a year that would lie more than 50 years ahead belongs to the century before. */
static bool read_rfc850(struct reader reader, struct date *date, double epoch) {
  static const char *const days[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
  int this_year = 1970 + (int)(epoch / 31556952.0);
  struct reader start = reader;
  size_t i;
  for (i = 0; i < sizeof days / sizeof *days; i++) {
    reader = start;
    expect(&reader, days[i]);
    if (reader.at) break;
  }
  expect(&reader, ", ");
  date->day = read_number(&reader, 2, false);
  expect(&reader, "-");
  date->month = read_name(&reader, MONTHS, 3) + 1;
  expect(&reader, "-");
  date->year = this_year / 100 * 100 + read_number(&reader, 2, false);
  if (date->year > this_year + 50) date->year -= 100;
  expect(&reader, " ");
  read_time(&reader, date);
  expect_zone(&reader);
  return reader.at == reader.end;
}

/* Sun Nov  6 08:49:37 1994 */
static bool read_asctime(struct reader reader, struct date *date) {
  read_name(&reader, DAYS, 3);
  expect(&reader, " ");
  date->month = read_name(&reader, MONTHS, 3) + 1;
  expect(&reader, " ");
  date->day = read_number(&reader, 2, true);
  expect(&reader, " ");
  read_time(&reader, date);
  expect(&reader, " ");
  date->year = read_number(&reader, 4, false);
  return reader.at == reader.end;
}

double braze_date_read(const char *text, size_t length, double epoch) {
  const struct reader reader = {text, text + length};
  struct date date;
  if (read_fixdate(reader, &date) || read_rfc850(reader, &date, epoch) || read_asctime(reader, &date)) return date_to_epoch(&date);
  return -1;
}
