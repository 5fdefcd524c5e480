/* headers: see headers.h. */
#include "http/headers.h"

#include <string.h>

#include "base/date.h"
#include "base/text.h"

#define CONTRADICTED (-2)

enum { CONTENT_ENCODING, DATE, LINK, LOCATION, RETRY_AFTER, TRANSFER_ENCODING, LIMIT, REMAINING, RESET, REQUEST_ID, NAME_COUNT };

#define MAX_EXACT INT64_C(9007199254740991)
#define LONGEST_LIST 256

void braze_headers_init(struct braze_headers *headers) {
  memset(headers, 0, sizeof *headers);
  headers->limit = headers->remaining = headers->reset = BRAZE_ABSENT;
  headers->retry_seconds = headers->retry_date = BRAZE_ABSENT;
  headers->last = NAME_COUNT;
}

int64_t braze_headers_number(const char *text, size_t length) {
  int64_t value = 0;
  size_t i;
  if (length == 0) return BRAZE_ABSENT;
  for (i = 0; i < length; i++) {
    unsigned digit = (unsigned char)text[i] - (unsigned)'0';
    if (digit > 9) return BRAZE_ABSENT;
    value = value * 10 + (int64_t)digit;
    if (value > MAX_EXACT) return BRAZE_ABSENT;
  }
  return value;
}

#define SPACES (UINT64_C(1) << '\r' | UINT64_C(1) << '\n' | UINT64_C(1) << '\t' | UINT64_C(1) << ' ')

static inline bool is_space(char character) {
  const unsigned char byte = (unsigned char)character;
  return byte <= ' ' && (SPACES >> byte & 1) != 0;
}

/* A part of a header line. */
struct value {
  const char *text;
  size_t length;
};

static struct value trim(struct value value) {
  while (value.length > 0 && is_space(value.text[value.length - 1])) value.length--;
  for (; value.length > 0 && is_space(*value.text); value.text++) value.length--;
  return value;
}

/* Splits the first value off a list with commas, at the first comma that stands `from` bytes behind its start or later. False: there is
   no comma, or the list is too long to be meant as one. */
static bool split(struct value list, size_t from, struct value *first, struct value *rest) {
  const char *comma = from < list.length && list.length <= LONGEST_LIST ? memchr(list.text + from, ',', list.length - from) : NULL;
  if (!comma) return false;
  first->text = list.text;
  first->length = (size_t)(comma - list.text);
  rest->text = comma + 1;
  rest->length = list.length - first->length - 1;
  *first = trim(*first);
  *rest = trim(*rest);
  return true;
}

/* Reads a number, or a list of equal numbers that a proxy has made of several lines. */
static int64_t read_number(struct value list) {
  struct value first = list, rest;
  int64_t value = braze_headers_number(list.text, list.length);
  if (value >= 0 || !split(list, 0, &first, &rest)) return value;
  value = braze_headers_number(first.text, first.length);
  return value >= 0 && read_number(rest) == value ? value : BRAZE_ABSENT;
}

/* Reads seconds, rounded up to whole ones. Negative: it is no number. */
static double read_seconds(struct value value) {
  double seconds = 0;
  size_t i, digits = 0;
  bool part = false;
  while (digits < value.length && value.text[digits] >= '0' && value.text[digits] <= '9') digits++;
  if (digits == 0 || digits + 1 == value.length) return BRAZE_ABSENT;
  for (i = 0; i < digits && seconds <= (double)MAX_EXACT; i++) seconds = seconds * 10 + (value.text[i] - '0');
  if (seconds > (double)MAX_EXACT) seconds = (double)MAX_EXACT;
  if (digits == value.length) return seconds;
  if (value.text[digits] != '.') return BRAZE_ABSENT;
  for (i = digits + 1; i < value.length; i++) {
    if (value.text[i] < '0' || value.text[i] > '9') return BRAZE_ABSENT;
    part = part || value.text[i] != '0';
  }
  return part ? seconds + 1 : seconds;
}

/* The content of Retry-After: seconds, or a date by the service's clock. */
struct pause {
  double seconds, date; /* negative: not given */
};

/* False: the value can't be read, or contradicts an earlier one; the longer pause is kept. */
static bool read_pause(struct value value, double epoch, struct pause *pause) {
  struct value first, rest;
  size_t from = 0;
  double seconds = read_seconds(value), date;
  if (seconds >= 0) {
    bool same = pause->date < 0 && (pause->seconds < 0 || pause->seconds == seconds);
    if (seconds > pause->seconds) pause->seconds = seconds;
    return same;
  }
  date = braze_date_read(value.text, value.length, epoch);
  if (date >= 0) {
    bool same = pause->seconds < 0 && (pause->date < 0 || pause->date == date);
    if (date > pause->date) pause->date = date;
    return same;
  }
  /* A date has a comma of its own. */
  for (; split(value, from, &first, &rest); from = (size_t)(rest.text - value.text)) {
    double first_date = braze_date_read(first.text, first.length, epoch);
    if (read_seconds(first) < 0 && first_date < 0) continue;
    if (!read_pause(first, epoch, pause)) {
      read_pause(rest, epoch, pause);
      return false;
    }
    return read_pause(rest, epoch, pause);
  }
  return false;
}

/* When the pause ends, by the clock that showed `epoch` when a response with this Date came. Negative: it does not say. */
static double time_of_pause(const struct pause *pause, double service_date, double epoch) {
  double by_seconds = pause->seconds >= 0 ? epoch + pause->seconds : BRAZE_ABSENT, by_date = pause->date;
  if (by_date >= 0 && service_date >= 0) by_date = epoch + (pause->date - service_date);
  if (by_date < 0 && pause->date >= 0) by_date = 0;
  return by_seconds > by_date ? by_seconds : by_date;
}

double braze_headers_retry_after(const char *text, size_t length, double epoch) {
  const struct value value = {text, length};
  struct pause pause = {BRAZE_ABSENT, BRAZE_ABSENT};
  return read_pause(value, epoch, &pause) ? time_of_pause(&pause, BRAZE_ABSENT, epoch) : BRAZE_ABSENT;
}

/* A second line of the same name must have the same value. */
static void take_number(int64_t *kept, bool seen, int64_t value) {
  if (!seen)
    *kept = value;
  else if (*kept != value)
    *kept = CONTRADICTED;
}

static void take_retry_after(struct braze_headers *headers, struct value value, double epoch) {
  struct pause pause = {headers->retry_seconds, headers->retry_date};
  if (value.length == 0) return; /* asks for nothing */
  if (!read_pause(value, epoch, &pause)) headers->retry_unread = true;
  headers->retry_seconds = pause.seconds;
  headers->retry_date = pause.date;
}

static void copy_text(char *kept, size_t size, struct value value) {
  if (value.length >= size) value.length = size - 1;
  memcpy(kept, value.text, value.length);
  kept[value.length] = '\0';
}

/* Negative: there is none, or it can't be read. */
static double read_date(const struct braze_headers *headers) {
  return braze_date_read(headers->date, strlen(headers->date), headers->epoch);
}

/* Keeps the date as it came, since most answers have no use for it. What is cut is too long for a date. Two that differ say nothing. */
static void take_date(struct braze_headers *headers, struct value value) {
  if (headers->date_seen && braze_date_read(value.text, value.length, headers->epoch) != read_date(headers)) value.length = 0;
  copy_text(headers->date, sizeof headers->date, value);
  headers->date_seen = true;
}

/* Several lines are one list. What is too long is cut, and then names no page. */
static void take_link(struct value value, struct braze_outcome *outcome) {
  if (outcome->link.length > 0) braze_buffer_append(&outcome->link, ",", 1);
  braze_buffer_append(&outcome->link, value.text, value.length);
}

/* The first of the names that begins with a letter in lower case; NAME_COUNT: none does. The names stand in their alphabetical order. */
static int first_name(char letter) {
  switch (letter) {
  case 'c': return CONTENT_ENCODING;
  case 'd': return DATE;
  case 'l': return LINK;
  case 'r': return RETRY_AFTER;
  case 't': return TRANSFER_ENCODING;
  case 'x': return LIMIT;
  default: return NAME_COUNT;
  }
}

/* Which of the headers we read a line is, in any case; NAME_COUNT = none of them. *value is where its value begins. Most lines are none of
   ours, which their first character says; limit and reset differ in the third from the end. */
static int find(struct value line, size_t *value) {
  static const struct {
    unsigned char length;
    char text[23];
  } names[NAME_COUNT] = {{17, "content-encoding:"}, {5, "date:"},                  {5, "link:"},
                         {9, "location:"},          {12, "retry-after:"},          {18, "transfer-encoding:"},
                         {18, "x-ratelimit-limit:"}, {22, "x-ratelimit-remaining:"}, {18, "x-ratelimit-reset:"},
                         {13, "x-request-id:"}};
  const char first = (char)(line.text[0] | 0x20); /* in lower case, if it is a letter */
  int i;
  for (i = first_name(first); i < NAME_COUNT && names[i].text[0] == first; i++) {
    const size_t length = names[i].length;
    if (line.length < length || line.text[length - 1] != ':') continue;
    if ((line.text[length - 3] | 0x20) != names[i].text[length - 3]) continue;
    if (memcmp(line.text, names[i].text, length) != 0 && !braze_text_same(line.text, length, names[i].text)) continue;
    *value = length;
    return i;
  }
  return NAME_COUNT;
}

/* Whether a status line is that of an interim response, 100 to 199. */
static bool is_interim(struct value line) {
  const char *space = memchr(line.text, ' ', line.length);
  return space && space + 1 < line.text + line.length && space[1] == '1';
}

/* Takes the value of the header that was the last. */
static void take(struct braze_headers *headers, struct value value, double epoch, struct braze_outcome *outcome) {
  switch (headers->last) {
  case LIMIT:
    take_number(&headers->limit, headers->limit_seen, read_number(value));
    headers->limit_seen = true;
    break;
  case REMAINING:
    take_number(&headers->remaining, headers->remaining_seen, read_number(value));
    headers->remaining_seen = true;
    break;
  case RESET:
    take_number(&headers->reset, headers->reset_seen, read_number(value));
    headers->reset_seen = true;
    break;
  case RETRY_AFTER: take_retry_after(headers, value, epoch); break;
  case REQUEST_ID: copy_text(outcome->request_id, sizeof outcome->request_id, value); break;
  case LOCATION: copy_text(outcome->location, sizeof outcome->location, value); break;
  case DATE: take_date(headers, value); break;
  case CONTENT_ENCODING:
    if (!braze_text_same(value.text, value.length, "identity")) copy_text(outcome->coding, sizeof outcome->coding, value);
    break;
  case LINK: take_link(value, outcome); break;
  default: headers->transfer_coded = true; break; /* TRANSFER_ENCODING */
  }
}

/* A folded line came: the header that it continues is no longer a number or a date. */
static void invalidate(struct braze_headers *headers) {
  switch (headers->last) {
  case LIMIT: headers->limit = CONTRADICTED; break;
  case REMAINING: headers->remaining = CONTRADICTED; break;
  case RESET: headers->reset = CONTRADICTED; break;
  case RETRY_AFTER: headers->retry_unread = true; break;
  case DATE: headers->date[0] = '\0'; break;
  default: break;
  }
}

/* Behind the final response a line that looks like a status line is a trailer. */
static void begin_response(struct braze_headers *headers, struct value line, struct braze_outcome *outcome) {
  if (headers->ended && headers->is_final) return;
  braze_headers_init(headers);
  headers->is_final = !is_interim(line);
  outcome->request_id[0] = '\0';
  outcome->location[0] = outcome->coding[0] = '\0';
  braze_buffer_clear(&outcome->link);
}

/* A line that begins with a blank: the empty one that ends the header, or one that continues the line before it. */
static void take_blank(struct braze_headers *headers, struct value line) {
  if (trim(line).length == 0) headers->ended = true;
  if (headers->ended) return;
  if (line.text[0] == ' ' || line.text[0] == '\t')
    invalidate(headers);
  else
    headers->last = NAME_COUNT;
}

void braze_headers_line(struct braze_headers *headers, const char *text, size_t length, double epoch,
                        struct braze_outcome *outcome) {
  const struct value line = {text, length};
  struct value value;
  size_t at;
  headers->epoch = epoch;
  if (length == 0 || is_space(text[0])) {
    take_blank(headers, line);
    return;
  }
  if (text[0] == 'H' && length >= 5 && memcmp(text, "HTTP/", 5) == 0) begin_response(headers, line, outcome);
  if (headers->ended) return;
  headers->last = find(line, &at);
  if (headers->last == NAME_COUNT) return;
  value.text = text + at;
  value.length = length - at;
  take(headers, trim(value), epoch, outcome);
}

static int64_t finished(int64_t kept) {
  return kept == CONTRADICTED ? BRAZE_ABSENT : kept;
}

/* What the service's clock shows is of use where a pause depends on it. Negative: it is not known. */
static double date_for(const struct braze_headers *headers, const struct braze_outcome *outcome) {
  const bool success = outcome->status >= 200 && outcome->status < 300;
  return success && headers->retry_date < 0 ? BRAZE_ABSENT : read_date(headers);
}

void braze_headers_finish(const struct braze_headers *headers, struct braze_outcome *outcome) {
  const struct pause pause = {headers->retry_seconds, headers->retry_date};
  const double date = date_for(headers, outcome);
  outcome->rate_limit.limit = finished(headers->limit);
  outcome->rate_limit.remaining = finished(headers->remaining);
  outcome->rate_limit.reset = finished(headers->reset);
  outcome->retry_after = time_of_pause(&pause, date, headers->epoch);
  outcome->retry_after_unread = headers->retry_unread;
  if (date >= 0) outcome->clock_ahead = (double)(int64_t)headers->epoch - date;
}
