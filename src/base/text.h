/* text: functions on text that do not depend on what the text is for. */
#ifndef BRAZE_TEXT_H
#define BRAZE_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* The number of bytes at the start that are well-formed UTF-8; `length` if all are. */
size_t braze_text_utf8_length(const char *text, size_t length);

/* The number of bytes at the start that are ASCII. */
size_t braze_text_ascii_length(const char *text, size_t length);

/* Whether the text is readable: well-formed UTF-8 without control characters other than tab, CR and LF. If the last character is cut,
   *length is set to where it begins. */
bool braze_text_is_plain(const char *text, size_t *length);

/* Appends the text so that it is safe in one line of a terminal or a log: control characters and bytes that are not UTF-8 become \n,
   \t or \xNN. Writes at most `max` bytes, whole characters only, and "..." behind them if the text is cut. */
void braze_text_escape(struct braze_buffer *out, const char *text, size_t length, size_t max);

/* Appends the text in the same way, with a double quote on each side. */
void braze_text_quote(struct braze_buffer *out, const char *text, size_t length, size_t max);

/* Appends a name for the character, for example "a line feed" or "the character \"<\"". */
void braze_text_name_character(struct braze_buffer *out, unsigned char character);

/* Whether the text might be an API key, and must not be shown: it has nine or more characters in a row without a space. */
bool braze_text_may_be_key(const char *text, size_t length);

/* Whether two texts are equal except for the case of ASCII letters, in any locale. */
bool braze_text_same(const char *left, size_t left_length, const char *right);

/* The value of a hexadecimal digit; -1 for any other character. */
int braze_text_hex_value(char digit);

/* Writes a text in the format of printf, as much of it as fits into `size` bytes with the NUL. What does not fit is cut. */
void braze_text_print(char *text, size_t size, const char *format, ...) BRAZE_PRINTF(3, 4);
void braze_text_print_list(char *text, size_t size, const char *format, va_list arguments);

/* Copies a text, and a NUL behind it. False: it does not fit, or has a NUL inside; the copy is empty then. */
bool braze_text_copy(char *copy, size_t size, const char *text, size_t length);

/* Writes what errno's `code` means, cut in the same way. */
void braze_text_print_error(char *text, size_t size, int code);

/* The index of the name that was probably meant: the nearest by edit distance; where none is near, the longest that occurs in the text.
   -1: there is none, or two are equally near. `name_at` returns the names by index. */
int braze_text_nearest(const char *text, size_t length, const char *(*name_at)(const void *names, int index),
                       const void *names, int count);

#endif
