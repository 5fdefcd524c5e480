/* json_reader: reads a JSON text where there is no Lua to read it. */
#ifndef BRAZE_JSON_READER_H
#define BRAZE_JSON_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/digest.h"

/* A piece of a JSON text: one value as it is written. */
struct braze_json {
  const char *text; /* NULL: there is none */
  size_t length;
};

/* Takes in the value of a JSON text: the order of an object's members does not count, nor do blanks. False: it is not JSON; then part
   of it was taken in. */
bool braze_json_digest(struct braze_digest *digest, const char *text, size_t length);

/* Whether the text is one JSON value. */
bool braze_json_is_valid(const char *text, size_t length);

/* The member of that name of an object, the last one where there are several. None where the text is no object. */
struct braze_json braze_json_member(const char *text, size_t length, const char *name);

/* Appends what a JSON string stands for. False: it is no string, or the buffer does not take all of it. */
bool braze_json_read_string(struct braze_json value, struct braze_buffer *out);

/* Whether the value is this string. */
bool braze_json_is_string(struct braze_json value, const char *expected);

/* The value as a number; `absent` where it is none. */
double braze_json_number(struct braze_json value, double absent);

/* Appends the text as a JSON string. What is not UTF-8 becomes U+FFFD. */
bool braze_json_write_string(struct braze_buffer *out, const char *text, size_t length);

#endif
