/* text: see text.h. */
#define _POSIX_C_SOURCE 200809L /* strerror_r */
#include "base/text.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_NAME 64
#define MIN_PART 3
#define MIN_WHOLE 5
#define SHORTEST_KEY 9

/* Length of the well-formed UTF-8 sequence at the start of bytes, 0 where there is none (Unicode 15, table 3-7). */
static size_t sequence_length(const unsigned char *bytes, size_t length) {
  unsigned char first = bytes[0];
  unsigned char min = 0x80, max = 0xBF;
  size_t count, i;
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  count = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (first == 0xE0) min = 0xA0;
  if (first == 0xED) max = 0x9F;
  if (first == 0xF0) min = 0x90;
  if (first == 0xF4) max = 0x8F;
  if (length < count || bytes[1] < min || bytes[1] > max) return 0;
  for (i = 2; i < count; i++)
    if (bytes[i] < 0x80 || bytes[i] > 0xBF) return 0;
  return count;
}

size_t braze_text_ascii_length(const char *text, size_t length) {
  size_t at = 0;
  uint64_t eight;
  for (; length - at >= sizeof eight; at += sizeof eight) {
    memcpy(&eight, text + at, sizeof eight);
    if (eight & UINT64_C(0x8080808080808080)) break;
  }
  while (at < length && (unsigned char)text[at] < 0x80) at++;
  return at;
}

size_t braze_text_utf8_length(const char *text, size_t length) {
  size_t at = braze_text_ascii_length(text, length);
  while (at < length) {
    size_t count = sequence_length((const unsigned char *)text + at, length - at);
    if (count == 0) break;
    at += count;
  }
  return at;
}

/* Whether these last bytes of a text are the beginning of a longer character. */
static bool is_cut(const unsigned char *bytes, size_t length) {
  static const unsigned char rests[][3] = {{0x80, 0x80, 0x80}, {0xBF, 0xBF, 0xBF}};
  unsigned char whole[2][4];
  size_t i;
  if (length > 3) return false;
  /* One of two continuations fits any character, because only the range of the second byte depends on the first. */
  for (i = 0; i < 2; i++) {
    memcpy(whole[i], bytes, length);
    memcpy(whole[i] + length, rests[i], 4 - length);
    if (sequence_length(whole[i], 4) > length) return true;
  }
  return false;
}

static bool is_control(const unsigned char *bytes, size_t count) {
  return bytes[0] < 0x20 || bytes[0] == 0x7F || (count == 2 && bytes[0] == 0xC2 && bytes[1] < 0xA0);
}

bool braze_text_is_plain(const char *text, size_t *length) {
  size_t at = 0;
  while (at < *length) {
    const unsigned char *bytes = (const unsigned char *)text + at;
    size_t count = sequence_length(bytes, *length - at);
    if (count == 0) {
      if (!is_cut(bytes, *length - at)) return false;
      *length = at;
      return true;
    }
    if (is_control(bytes, count) && !strchr("\t\r\n", bytes[0])) return false;
    if (bytes[0] == '\0') return false;
    at += count;
  }
  return true;
}

/* Characters that change the direction or the line of the text around them, so that a log shows something else than it holds: U+2028 to
   U+202E and U+2066 to U+2069. */
static bool is_format(const unsigned char *bytes, size_t count) {
  if (count != 3 || bytes[0] != 0xE2) return false;
  return (bytes[1] == 0x80 && bytes[2] >= 0xA8 && bytes[2] <= 0xAE) || (bytes[1] == 0x81 && bytes[2] >= 0xA6 && bytes[2] <= 0xA9);
}

/* Writes the character at `bytes`, whose sequence_length is `count`, in its safe form. Returns the length of that. */
static size_t write_unit(char unit[9], const unsigned char *bytes, size_t count) {
  bool control = is_control(bytes, count);
  if (bytes[0] == '\n') return (size_t)snprintf(unit, 9, "\\n");
  if (bytes[0] == '\r') return (size_t)snprintf(unit, 9, "\\r");
  if (bytes[0] == '\t') return (size_t)snprintf(unit, 9, "\\t");
  if (count == 2 && control) return (size_t)snprintf(unit, 9, "\\x%02X\\x%02X", bytes[0], bytes[1]);
  if (count == 0 || control) return (size_t)snprintf(unit, 9, "\\x%02X", bytes[0]);
  if (is_format(bytes, count)) return (size_t)snprintf(unit, 9, "\\u20%02X", (bytes[1] == 0x80 ? 0x00 : 0x40) + (bytes[2] & 0x3F));
  memcpy(unit, bytes, count);
  return count;
}

void braze_text_escape(struct braze_buffer *out, const char *text, size_t length, size_t max) {
  size_t room = out->limit - out->length, written = 0, at = 0;
  if (max > room) max = room;
  while (at < length) {
    const unsigned char *bytes = (const unsigned char *)text + at;
    size_t count = sequence_length(bytes, length - at);
    char unit[9];
    size_t unit_length = write_unit(unit, bytes, count);
    if (written + unit_length > max) {
      braze_buffer_append(out, "...", 3);
      return;
    }
    braze_buffer_append(out, unit, unit_length);
    written += unit_length;
    at += count ? count : 1;
  }
}

void braze_text_quote(struct braze_buffer *out, const char *text, size_t length, size_t max) {
  braze_buffer_append(out, "\"", 1);
  braze_text_escape(out, text, length, max);
  braze_buffer_append(out, "\"", 1);
}

void braze_text_name_character(struct braze_buffer *out, unsigned char character) {
  switch (character) {
  case '\0': braze_buffer_print(out, "a NUL"); break;
  case '\n': braze_buffer_print(out, "a line feed"); break;
  case '\r': braze_buffer_print(out, "a carriage return"); break;
  case '\t': braze_buffer_print(out, "a tab"); break;
  case ' ': braze_buffer_print(out, "a space"); break;
  case '"': braze_buffer_print(out, "a double quote"); break;
  default:
    if (character >= 0x80)
      braze_buffer_print(out, "a character that is not ASCII");
    else if (character < ' ' || character == 0x7F)
      braze_buffer_print(out, "a control character");
    else
      braze_buffer_print(out, "the character \"%c\"", character);
  }
}

bool braze_text_may_be_key(const char *text, size_t length) {
  size_t i, run = 0;
  for (i = 0; i < length; i++) {
    run = (unsigned char)text[i] > ' ' ? run + 1 : 0;
    if (run >= SHORTEST_KEY) return true;
  }
  return false;
}

static char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

bool braze_text_same(const char *left, size_t left_length, const char *right) {
  size_t i;
  if (strlen(right) != left_length) return false;
  if (memcmp(left, right, left_length) == 0) return true; /* mostly the case is equal as well */
  for (i = 0; i < left_length; i++)
    if (left[i] != right[i] && lower(left[i]) != lower(right[i])) return false;
  return true;
}

int braze_text_hex_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  digit = lower(digit);
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

void braze_text_print_list(char *text, size_t size, const char *format, va_list arguments) {
  text[0] = '\0'; /* for a caller whose text vsnprintf could not write */
  (void)vsnprintf(text, size, format, arguments);
}

void braze_text_print(char *text, size_t size, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  braze_text_print_list(text, size, format, arguments);
  va_end(arguments);
}

bool braze_text_copy(char *copy, size_t size, const char *text, size_t length) {
  const bool fits = length < size && !memchr(text, '\0', length);
  if (fits) memcpy(copy, text, length);
  copy[fits ? length : 0] = '\0';
  return fits;
}

void braze_text_print_error(char *text, size_t size, int code) {
  text[0] = '\0';
  (void)strerror_r(code, text, size); /* it writes a text for a code that it does not know, too */
}

/* Levenshtein distance, ignoring case. Both texts have at most LONGEST_NAME characters. */
static size_t distance(const char *left, size_t left_length, const char *right, size_t right_length) {
  size_t row[LONGEST_NAME + 1];
  size_t i, j;
  for (j = 0; j <= right_length; j++) row[j] = j;
  for (i = 1; i <= left_length; i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (j = 1; j <= right_length; j++) {
      size_t best = diagonal + (lower(left[i - 1]) != lower(right[j - 1]));
      if (row[j] + 1 < best) best = row[j] + 1;
      if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
      diagonal = row[j];
      row[j] = best;
    }
  }
  return row[right_length];
}

static bool is_part(const char *text, size_t length, const char *name, size_t name_length) {
  size_t start, i;
  for (start = 0; start + length <= name_length; start++) {
    for (i = 0; i < length && lower(text[i]) == lower(name[start + i]); i++) continue;
    if (i == length) return true;
  }
  return false;
}

/* The longest name that occurs in the text: "max_retries" means retries, and "timeout_ms" means timeout. */
static int longest_within(const char *text, size_t length, const char *(*name_at)(const void *names, int index), const void *names,
                          int count) {
  size_t longest = MIN_WHOLE - 1;
  int best = -1, i;
  for (i = 0; i < count; i++) {
    size_t name_length = strlen(name_at(names, i));
    if (name_length <= longest || !is_part(name_at(names, i), name_length, text, length)) continue;
    longest = name_length;
    best = i;
  }
  return best;
}

int braze_text_nearest(const char *text, size_t length, const char *(*name_at)(const void *names, int index),
                       const void *names, int count) {
  size_t best_distance = LONGEST_NAME;
  int best = -1, i;
  bool tie = false;
  if (length == 0 || length > LONGEST_NAME) return -1;
  for (i = 0; i < count; i++) {
    const char *name = name_at(names, i);
    size_t name_length = strlen(name);
    size_t far = name_length > LONGEST_NAME ? LONGEST_NAME : distance(text, length, name, name_length);
    /* "send" means send_id, and "key" means api_key, however many letters are missing. */
    if (far > 1 && length >= MIN_PART && is_part(text, length, name, name_length)) far = 1;
    if (far == best_distance) tie = true;
    if (far < best_distance) {
      tie = false;
      best_distance = far;
      best = i;
    }
  }
  /* Up to half of the name may be wrong: "retry" means retries, "colour" means nothing. Of two that are equally near, neither counts. */
  if (best < 0 || tie || best_distance * 2 > strlen(name_at(names, best))) return longest_within(text, length, name_at, names, count);
  return best;
}
