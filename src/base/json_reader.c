/* json_reader: see json_reader.h. */
#include "base/json_reader.h"

#include <string.h>

#include "base/text.h"

#define MAX_DEPTH 1000 /* as lua-cjson */

struct reader {
  const char *at, *end;
  int depth;
};

static bool read_value(struct reader *reader, struct braze_digest *digest);

static void skip_blanks(struct reader *reader) {
  while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\r' || *reader->at == '\n'))
    reader->at++;
}

/* Takes the next character that is no blank, if it is this one. */
static bool take(struct reader *reader, char character) {
  skip_blanks(reader);
  if (reader->at == reader->end || *reader->at != character) return false;
  reader->at++;
  return true;
}

static bool read_escape(struct reader *reader) {
  int i;
  if (reader->at == reader->end) return false;
  if (*reader->at != 'u') return *reader->at != '\0' && strchr("\"\\/bfnrt", *reader->at++) != NULL;
  for (reader->at++, i = 0; i < 4; i++, reader->at++)
    if (reader->at == reader->end || braze_text_hex_value(*reader->at) < 0) return false;
  return true;
}

/* Reads a string, whose first quote is next. */
static bool read_string(struct reader *reader) {
  if (!take(reader, '"')) return false;
  while (reader->at < reader->end) {
    unsigned char character = (unsigned char)*reader->at++;
    if (character == '"') return true;
    if (character < ' ') return false;
    if (character == '\\' && !read_escape(reader)) return false;
  }
  return false;
}

static size_t read_digits(struct reader *reader) {
  const char *start = reader->at;
  while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') reader->at++;
  return (size_t)(reader->at - start);
}

static bool is_next(const struct reader *reader, const char *characters) {
  return reader->at < reader->end && *reader->at != '\0' && strchr(characters, *reader->at) != NULL;
}

static bool read_number(struct reader *reader) {
  const char *start;
  if (is_next(reader, "-")) reader->at++;
  start = reader->at;
  if (read_digits(reader) == 0 || (*start == '0' && reader->at - start > 1)) return false;
  if (is_next(reader, ".")) {
    reader->at++;
    if (read_digits(reader) == 0) return false;
  }
  if (!is_next(reader, "eE")) return true;
  reader->at++;
  if (is_next(reader, "+-")) reader->at++;
  return read_digits(reader) > 0;
}

static bool read_word(struct reader *reader, const char *word) {
  size_t length = strlen(word);
  if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, word, length) != 0) return false;
  reader->at += length;
  return true;
}

static bool read_member(struct reader *reader, struct braze_digest *members) {
  struct braze_digest member;
  const char *name;
  skip_blanks(reader);
  name = reader->at;
  if (!read_string(reader)) return false;
  braze_digest_init(&member);
  braze_digest_add(&member, name, (size_t)(reader->at - name));
  if (!take(reader, ':') || !read_value(reader, &member)) return false;
  braze_digest_join(members, &member);
  return true;
}

static bool read_object(struct reader *reader, struct braze_digest *digest) {
  struct braze_digest members = {0, 0};
  reader->at++;
  if (!take(reader, '}')) {
    do {
      if (!read_member(reader, &members)) return false;
    } while (take(reader, ','));
    if (!take(reader, '}')) return false;
  }
  braze_digest_add(digest, "{", 1);
  braze_digest_add_digest(digest, &members);
  return true;
}

static bool read_array(struct reader *reader, struct braze_digest *digest) {
  reader->at++;
  braze_digest_add(digest, "[", 1);
  if (take(reader, ']')) return true;
  do {
    if (!read_value(reader, digest)) return false;
  } while (take(reader, ','));
  braze_digest_add(digest, "]", 1);
  return take(reader, ']');
}

static bool read_plain(struct reader *reader, struct braze_digest *digest) {
  const char *start = reader->at;
  bool good;
  switch (*start) {
  case '"': good = read_string(reader); break;
  case 't': good = read_word(reader, "true"); break;
  case 'f': good = read_word(reader, "false"); break;
  case 'n': good = read_word(reader, "null"); break;
  default: good = read_number(reader); break;
  }
  if (good) braze_digest_add(digest, start, (size_t)(reader->at - start));
  return good;
}

static bool read_value(struct reader *reader, struct braze_digest *digest) {
  bool good;
  skip_blanks(reader);
  if (reader->at == reader->end || ++reader->depth > MAX_DEPTH) return false;
  good = *reader->at == '{' ? read_object(reader, digest) : *reader->at == '[' ? read_array(reader, digest) : read_plain(reader, digest);
  reader->depth--;
  return good;
}

bool braze_json_digest(struct braze_digest *digest, const char *text, size_t length) {
  struct reader reader = {text, text + length, 0};
  if (!read_value(&reader, digest)) return false;
  skip_blanks(&reader);
  return reader.at == reader.end;
}

bool braze_json_is_valid(const char *text, size_t length) {
  struct braze_digest ignored;
  braze_digest_init(&ignored);
  return braze_json_digest(&ignored, text, length);
}

struct braze_json braze_json_member(const char *text, size_t length, const char *name) {
  struct reader reader = {text, text + length, 0};
  struct braze_json found = {NULL, 0}, key;
  struct braze_digest ignored;
  const char *start;
  braze_digest_init(&ignored);
  if (!take(&reader, '{')) return found;
  do {
    skip_blanks(&reader);
    key.text = reader.at;
    if (!read_string(&reader)) return found;
    key.length = (size_t)(reader.at - key.text);
    if (!take(&reader, ':')) return found;
    skip_blanks(&reader);
    start = reader.at;
    if (!read_value(&reader, &ignored)) return found;
    if (!braze_json_is_string(key, name)) continue;
    found.text = start;
    found.length = (size_t)(reader.at - start);
  } while (take(&reader, ','));
  return found;
}

/* The four hexadecimal digits at `at`. */
static unsigned read_unit(const char *at) {
  unsigned unit = 0;
  int i;
  for (i = 0; i < 4; i++) unit = unit * 16 + (unsigned)braze_text_hex_value(at[i]);
  return unit;
}

static bool append_character(struct braze_buffer *out, unsigned code) {
  char bytes[4];
  size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4, i;
  static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (i = length - 1; i > 0; i--, code >>= 6) bytes[i] = (char)(0x80 | (code & 0x3F));
  bytes[0] = (char)(marks[length] | code);
  return braze_buffer_append(out, bytes, length);
}

/* Appends the character of an escape, of which *at is behind the backslash; *at goes behind it. Two halves of a pair are one. */
static bool append_escaped(struct braze_buffer *out, const char **at, const char *end) {
  static const char names[] = "bfnrt", meant[] = "\b\f\n\r\t";
  const char *name = strchr(names, **at);
  unsigned code, second;
  if (**at != 'u') return braze_buffer_append(out, name ? &meant[name - names] : *at, 1) && ++*at;
  code = read_unit(*at + 1);
  *at += 5;
  if (code >= 0xD800 && code < 0xDC00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
    second = read_unit(*at + 2);
    if (second >= 0xDC00 && second < 0xE000) {
      *at += 6;
      code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
    }
  }
  return append_character(out, code);
}

bool braze_json_read_string(struct braze_json value, struct braze_buffer *out) {
  const char *at, *end;
  if (!value.text || value.length < 2 || value.text[0] != '"') return false;
  for (at = value.text + 1, end = value.text + value.length - 1; at < end;) {
    const char *plain = at;
    while (at < end && *at != '\\') at++;
    if (!braze_buffer_append(out, plain, (size_t)(at - plain))) return false;
    if (at == end) break;
    at++;
    if (!append_escaped(out, &at, end)) return false;
  }
  return true;
}

bool braze_json_is_string(struct braze_json value, const char *expected) {
  struct braze_buffer text;
  char memory[256];
  braze_buffer_borrow(&text, memory, sizeof memory);
  return braze_json_read_string(value, &text) && text.length == strlen(expected) && memcmp(memory, expected, text.length) == 0;
}

double braze_json_number(struct braze_json value, double absent) {
  const char *at = value.text, *end = value.text ? value.text + value.length : NULL;
  double number = 0, unit = 1;
  bool negative = at && *at == '-', point = false;
  if (!at || at == end) return absent;
  for (at += negative; at < end; at++) {
    if (*at == '.' && !point) {
      point = true;
    } else if (*at >= '0' && *at <= '9') {
      number = number * 10 + (*at - '0');
      if (point) unit *= 10;
    } else {
      return absent;
    }
  }
  return (negative ? -number : number) / unit;
}

/* Appends what needs no escape, from `at` to `end`; where it is not UTF-8, a replacement for its first wrong byte. Returns how far it
   came; `at`: the buffer is full. */
static size_t write_plain(struct braze_buffer *out, const char *text, size_t at, size_t end) {
  size_t good = braze_text_utf8_length(text + at, end - at);
  if (good == 0) return braze_buffer_append(out, "\xEF\xBF\xBD", 3) ? at + 1 : at;
  return braze_buffer_append(out, text + at, good) ? at + good : at;
}

static bool is_plain(char character) {
  return (unsigned char)character >= ' ' && character != '"' && character != '\\';
}

bool braze_json_write_string(struct braze_buffer *out, const char *text, size_t length) {
  size_t at = 0, end, next;
  if (!braze_buffer_append(out, "\"", 1)) return false;
  while (at < length) {
    for (end = at; end < length && is_plain(text[end]);) end++;
    if (end > at) {
      next = write_plain(out, text, at, end);
      if (next == at) return false;
      at = next;
    } else {
      const bool control = (unsigned char)text[at] < ' ';
      if (!braze_buffer_print(out, control ? "\\u%04x" : "\\%c", (unsigned char)text[at++])) return false;
    }
  }
  return braze_buffer_append(out, "\"", 1);
}
