/* headers: see headers.h. */
#include "headers.h"

#include <string.h>

#include "text.h"

#define CONTRADICTED (-2)

enum { LIMIT, REMAINING, RESET, RETRY_AFTER, REQUEST_ID, LOCATION, NAME_COUNT };

#define MOST_EXACT INT64_C(9007199254740991)

void braze_headers_init(struct braze_headers *headers) {
  memset(headers, 0, sizeof *headers);
  headers->limit = headers->remaining = headers->reset = BRAZE_ABSENT;
  headers->retry_after = BRAZE_ABSENT;
  headers->last = NAME_COUNT;
}

int64_t braze_headers_number(const char *text, size_t length) {
  int64_t value = 0;
  size_t i;
  if (length == 0) return BRAZE_ABSENT;
  for (i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9') return BRAZE_ABSENT;
    value = value * 10 + (text[i] - '0');
    if (value > MOST_EXACT) return BRAZE_ABSENT;
  }
  return value;
}

/* A position in a date that is being read; NULL once something was wrong. */
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

/* Exactly `count` digits; a leading blank stands for a zero where asctime writes one. */
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

/* The 0-based index of one of the names, which stand one after the other in a text, `width` characters each. */
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
  int most_days = month_days[date->month - 1] + (date->month == 2 && leap);
  if (date->day < 1 || date->day > most_days || date->hour > 23 || date->minute > 59 || date->second > 60 || date->year < 1970)
    return BRAZE_ABSENT;
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
  expect(&reader, " GMT");
  return reader.at == reader.end;
}

/* Sunday, 06-Nov-94 08:49:37 GMT; a year that would be more than 50 years ahead is of the century before. */
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
  expect(&reader, " GMT");
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

double braze_headers_retry_after(const char *text, size_t length, double epoch) {
  struct reader reader = {text, text + length};
  struct date date;
  int64_t seconds = braze_headers_number(text, length);
  /* A wait of more than ten years is no wait that anybody meant. */
  if (seconds >= 0) return seconds <= INT64_C(315360000) ? epoch + (double)seconds : BRAZE_ABSENT;
  if (read_fixdate(reader, &date) || read_rfc850(reader, &date, epoch) || read_asctime(reader, &date)) return date_to_epoch(&date);
  return BRAZE_ABSENT;
}

/* A second line of the same name must say the same. */
static void take_number(int64_t *kept, bool seen, int64_t value) {
  if (!seen)
    *kept = value;
  else if (*kept != value)
    *kept = CONTRADICTED;
}

static void take_retry_after(struct braze_headers *headers, double at) {
  bool same = !headers->retry_after_seen || (at >= 0 && at - headers->retry_after < 1 && headers->retry_after - at < 1);
  headers->retry_after = same ? at : BRAZE_ABSENT;
  headers->retry_after_seen = true;
}

static void copy_text(char *kept, size_t size, const char *text, size_t length) {
  if (length >= size) length = size - 1;
  memcpy(kept, text, length);
  kept[length] = '\0';
}

/* Which of the headers we read a line is, in any case; NAME_COUNT = none of them. *value is where its value begins,
   or the line's end. */
static int find(const char *line, size_t length, size_t *value) {
  static const char *const names[NAME_COUNT] = {"x-ratelimit-limit:", "x-ratelimit-remaining:", "x-ratelimit-reset:",
                                                "retry-after:",       "x-request-id:",          "location:"};
  static const unsigned char lengths[NAME_COUNT] = {18, 22, 18, 12, 13, 9};
  int i;
  for (i = 0; i < NAME_COUNT; i++) {
    *value = lengths[i];
    if (length >= *value && line[*value - 1] == ':' && braze_text_same(line, *value, names[i])) return i;
  }
  *value = length;
  return NAME_COUNT;
}

/* Most lines are none of ours, which their first character says. */
static bool may_be_read(char first) {
  switch (first) {
  case 'x':
  case 'X':
  case 'r':
  case 'R':
  case 'l':
  case 'L':
  case ' ':
  case '\t':
  case '\r':
  case '\n': return true;
  default: return false;
  }
}

/* Takes the value of the header that was the last. */
static void take(struct braze_headers *headers, const char *value, size_t length, double epoch, struct braze_outcome *outcome) {
  switch (headers->last) {
  case LIMIT:
    take_number(&headers->limit, headers->limit_seen, braze_headers_number(value, length));
    headers->limit_seen = true;
    break;
  case REMAINING:
    take_number(&headers->remaining, headers->remaining_seen, braze_headers_number(value, length));
    headers->remaining_seen = true;
    break;
  case RESET:
    take_number(&headers->reset, headers->reset_seen, braze_headers_number(value, length));
    headers->reset_seen = true;
    break;
  case RETRY_AFTER: take_retry_after(headers, braze_headers_retry_after(value, length, epoch)); break;
  case REQUEST_ID: copy_text(outcome->request_id, sizeof outcome->request_id, value, length); break;
  case LOCATION: copy_text(outcome->location, sizeof outcome->location, value, length); break;
  default: break;
  }
}

/* A folded line: what it goes on with is no number or date. */
static void spoil(struct braze_headers *headers) {
  switch (headers->last) {
  case LIMIT: headers->limit = CONTRADICTED; break;
  case REMAINING: headers->remaining = CONTRADICTED; break;
  case RESET: headers->reset = CONTRADICTED; break;
  case RETRY_AFTER: headers->retry_after = BRAZE_ABSENT; break;
  default: break;
  }
}

static bool is_space(char character) {
  return character == '\r' || character == '\n' || character == '\t' || character == ' ';
}

void braze_headers_line(struct braze_headers *headers, const char *line, size_t length, double epoch,
                        struct braze_outcome *outcome) {
  size_t at;
  if (length > 0 && !may_be_read(line[0])) {
    headers->last = NAME_COUNT;
    if (length < 5 || memcmp(line, "HTTP/", 5) != 0) return;
    braze_headers_init(headers);
    outcome->request_id[0] = '\0';
    outcome->location[0] = '\0';
    return;
  }
  while (length > 0 && is_space(line[length - 1])) length--;
  if (length == 0) headers->ended = true;
  if (headers->ended) return;
  if (line[0] == ' ' || line[0] == '\t') {
    spoil(headers);
    return;
  }
  headers->last = find(line, length, &at);
  while (at < length && (line[at] == ' ' || line[at] == '\t')) at++;
  take(headers, line + at, length - at, epoch, outcome);
}

static int64_t finished(int64_t kept) {
  return kept == CONTRADICTED ? BRAZE_ABSENT : kept;
}

void braze_headers_finish(const struct braze_headers *headers, struct braze_outcome *outcome) {
  outcome->rate_limit.limit = finished(headers->limit);
  outcome->rate_limit.remaining = finished(headers->remaining);
  outcome->rate_limit.reset = finished(headers->reset);
  outcome->retry_after = headers->retry_after;
}
