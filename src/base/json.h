/* json: strings and numbers as JSON has them. */
#ifndef BRAZE_JSON_H
#define BRAZE_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* Digits of a number that are written; with more, what a reader gets may be another number. */
#define BRAZE_JSON_DIGITS 14

#define BRAZE_JSON_NUMBER_SIZE 32

/* Appends a text as a JSON string. False: the limit was reached, or there is no memory; or the text is not UTF-8: then *bad is where,
   counted from 1, and else 0. */
bool braze_json_append_string(struct braze_buffer *out, const char *text, size_t length, size_t *bad);

/* Writes a finite number, with "." as its decimal point in any locale. Returns its length; 0 where its digits do not suffice. */
size_t braze_json_write_number(char text[BRAZE_JSON_NUMBER_SIZE], double number);

#endif
