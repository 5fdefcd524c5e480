/* fuzz: what the fuzz targets share: a claim that ends the process, and the reader of an input. */
#ifndef BRAZE_PROOF_FUZZ_H
#define BRAZE_PROOF_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What the code under test promises. Not assert, which a build may leave out. */
#define CLAIM(what) \
  do { \
    if (!(what)) { \
      fprintf(stderr, "%s:%d: claim broken: %s\n", __FILE__, __LINE__, #what); \
      abort(); \
    } \
  } while (0)

/* What is left of an input. */
struct input {
  const uint8_t *at;
  size_t left;
};

static inline unsigned take_byte(struct input *input) {
  if (input->left == 0) return 0;
  input->left--;
  return *input->at++;
}

static inline uint64_t take_number(struct input *input, int bytes) {
  uint64_t value = 0;
  while (bytes-- > 0) value = value << 8 | take_byte(input);
  return value;
}

/* A copy of the next bytes, at most so many, in memory that ends where they end: a byte read too far is seen. */
static inline char *take_text(struct input *input, size_t most, size_t *length) {
  char *copy;
  *length = input->left < most ? input->left : most;
  copy = malloc(*length ? *length : 1);
  CLAIM(copy);
  if (*length > 0) memcpy(copy, input->at, *length);
  input->at += *length;
  input->left -= *length;
  return copy;
}

static inline bool holds(const char *text, size_t length, const char *part, size_t part_length) {
  size_t at;
  for (at = 0; at + part_length <= length; at++)
    if (memcmp(text + at, part, part_length) == 0) return true;
  return false;
}

/* The length of the UTF-8 character at text, 0 where none stands; written apart from src/base/text.c on purpose. */
static inline size_t utf8_character(const char *text, size_t length) {
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  const unsigned char *bytes = (const unsigned char *)text;
  size_t count = 0, i;
  uint32_t point;
  if (length == 0) return 0;
  while (count < 8 && bytes[0] & 0x80u >> count) count++;
  if (count == 0) return 1;
  if (count == 1 || count > 4 || count > length) return 0;
  point = bytes[0] & (0x7Fu >> count);
  for (i = 1; i < count; i++) {
    if ((bytes[i] & 0xC0) != 0x80) return 0;
    point = point << 6 | (bytes[i] & 0x3F);
  }
  return point >= least[count] && point <= 0x10FFFF && !(point >= 0xD800 && point <= 0xDFFF) ? count : 0;
}

/* Whether a text is one line that a terminal or a log can show: UTF-8 without control characters. */
static inline bool is_one_line(const char *text, size_t length) {
  while (length > 0) {
    size_t count = utf8_character(text, length);
    unsigned char first = (unsigned char)text[0];
    if (count == 0 || first < 0x20 || first == 0x7F) return false;
    if (first == 0xC2 && (unsigned char)text[1] < 0xA0) return false;
    text += count;
    length -= count;
  }
  return true;
}

#endif
