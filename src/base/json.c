/* json: see json.h. */
#include "base/json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define LONGEST_ESCAPE 6 /* \u001f */
#define ONES UINT64_C(0x0101010101010101)
#define HIGH_BITS (ONES << 7)
#define HIGHEST_WHOLE 1e14 /* as many digits as are written */
#define DECIMALS 4         /* of the fractions that are written without printf: prices, most of all */
#define SCALE 10000.0

/* --- Strings ----------------------------------------------------------------------------------------- */

/* A high bit for each of the eight bytes that is zero; bits above the first one may be set by mistake. */
static uint64_t zero_bytes(uint64_t bytes) {
  return (bytes - ONES) & ~bytes & HIGH_BITS;
}

/* What a byte needs in a JSON string: nothing, an escape, or a look at the character that it begins. */
enum need { PLAIN, ESCAPE, CHARACTER };

static inline enum need need_of(unsigned char byte) {
  /* A bit for each of the 128: control characters, the double quote, the backslash, and DEL. */
  static const uint32_t escaped[4] = {UINT32_MAX, UINT32_C(1) << ('"' & 31), UINT32_C(1) << ('\\' & 31), UINT32_C(1) << 31};
  if (byte >= 0x80) return CHARACTER;
  return escaped[byte >> 5] >> (byte & 31) & 1 ? ESCAPE : PLAIN;
}

/* Copies what stands in a JSON string as it is, up to the first byte that needs something; eight bytes at a time where all of them do.
   Returns how many bytes that were. */
static size_t copy_plain(char *to, const char *text, size_t length) {
  size_t at = 0;
  uint64_t bytes;
  for (; at + sizeof bytes <= length; at += sizeof bytes) {
    memcpy(&bytes, text + at, sizeof bytes);
    if ((bytes | (bytes - ONES * 0x20) | zero_bytes(bytes ^ (ONES * '"')) | zero_bytes(bytes ^ (ONES * '\\')) | (bytes + ONES)) & HIGH_BITS)
      break;
    memcpy(to + at, &bytes, sizeof bytes);
  }
  for (; at < length && need_of((unsigned char)text[at]) == PLAIN; at++) to[at] = text[at];
  return at;
}

/* Copies whole characters, up to the first one that needs an escape, or is none. Returns how many bytes that were. */
static size_t copy_characters(char *to, const char *text, size_t length) {
  size_t at = 0;
  for (;;) {
    size_t count;
    at += copy_plain(to + at, text + at, length - at);
    if (at == length || need_of((unsigned char)text[at]) == ESCAPE) return at;
    count = braze_text_character_length(text + at, length - at);
    if (count == 0) return at;
    memcpy(to + at, text + at, count);
    at += count;
  }
}

static size_t write_escape(char *out, unsigned char byte) {
  static const char digits[] = "0123456789abcdef", letters[] = "b\bf\fn\nr\rt\t\"\"\\\\";
  const char *letter;
  out[0] = '\\';
  for (letter = letters; *letter; letter += 2)
    if ((unsigned char)letter[1] == byte) {
      out[1] = letter[0];
      return 2;
    }
  memcpy(out + 1, "u00", 3);
  out[4] = digits[byte >> 4];
  out[5] = digits[byte & 15];
  return LONGEST_ESCAPE;
}

bool braze_json_append_string(struct braze_buffer *out, const char *text, size_t length, size_t *bad) {
  char escape[LONGEST_ESCAPE];
  size_t at = 0, escaped = 1;
  escape[0] = '"'; /* the one in front */
  *bad = 0;
  for (;;) {
    size_t plain;
    char *to = braze_buffer_room(out, escaped + (length - at) + 1);
    if (!to) {
      if (braze_buffer_append(out, escape, escaped)) braze_buffer_append(out, text + at, length - at); /* what fits, as append does */
      return false;
    }
    memcpy(to, escape, escaped);
    plain = copy_characters(to + escaped, text + at, length - at);
    braze_buffer_take(out, escaped + plain);
    at += plain;
    if (at == length) break;
    if (need_of((unsigned char)text[at]) == CHARACTER) {
      *bad = at + 1;
      return false;
    }
    escaped = write_escape(escape, (unsigned char)text[at++]);
  }
  out->bytes[out->length] = '"';
  braze_buffer_take(out, 1);
  return true;
}

/* --- Numbers ----------------------------------------------------------------------------------------- */

/* Writes a whole number and, behind a point, as many of its last digits as there are decimals, without zeros at the end. */
static size_t write_decimal(char *text, int64_t number, int decimals) {
  char digits[BRAZE_JSON_NUMBER_SIZE];
  size_t length = 0, count = 0;
  uint64_t rest = number < 0 ? (uint64_t)-number : (uint64_t)number;
  while (decimals > 0 && rest % 10 == 0) {
    rest /= 10;
    decimals--;
  }
  do {
    if (decimals > 0 && count == (size_t)decimals) digits[count++] = '.';
    digits[count++] = (char)('0' + rest % 10);
    rest /= 10;
  } while (rest > 0 || (decimals > 0 && count <= (size_t)decimals));
  if (number < 0) text[length++] = '-';
  while (count > 0) text[length++] = digits[--count];
  return length;
}

/* Writes by printf. A locale's decimal point becomes ".", whatever bytes it has. */
static size_t print_number(char *text, double number) {
  char printed[BRAZE_JSON_NUMBER_SIZE];
  size_t length = 0, i;
  bool in_point = false;
  snprintf(printed, sizeof printed, "%.*g", BRAZE_JSON_DIGITS, number);
  if (strtod(printed, NULL) != number) return 0;
  for (i = 0; printed[i]; i++) {
    bool is_point = !strchr("0123456789+-e", printed[i]);
    if (!is_point) text[length++] = printed[i];
    if (is_point && !in_point) text[length++] = '.';
    in_point = is_point;
  }
  return length;
}

size_t braze_json_write_number(char text[BRAZE_JSON_NUMBER_SIZE], double number) {
  double scaled = number * SCALE;
  if (number > -HIGHEST_WHOLE && number < HIGHEST_WHOLE && (double)(int64_t)number == number) return write_decimal(text, (int64_t)number, 0);
  /* A whole number by a power of ten, rounded once, is what strtod makes of these digits. */
  if (scaled > -HIGHEST_WHOLE && scaled < HIGHEST_WHOLE && (double)(int64_t)scaled == scaled && scaled / SCALE == number)
    return write_decimal(text, (int64_t)scaled, DECIMALS);
  return print_number(text, number);
}
