/* text: what can be said of a piece of text without knowing what it is for. */
#ifndef BRAZE_TEXT_H
#define BRAZE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

/* Number of bytes at the start that are well-formed UTF-8; equal to length when all of them are. */
size_t braze_text_utf8_length(const char *text, size_t length);

/* Number of bytes at the start that are ASCII. */
size_t braze_text_ascii_length(const char *text, size_t length);

/* Whether a text is one to read: well-formed UTF-8 without control characters but tab, CR and LF. A last character that is cut is
   taken off *length. */
bool braze_text_is_plain(const char *text, size_t *length);

/* Appends text so that it is safe in one line of a terminal or a log: control characters and bytes that are not
   UTF-8 become \n, \t or \xNN. At most `most` bytes are written, whole characters only, however little room there is;
   "..." behind them shows a cut. */
void braze_text_escape(struct braze_buffer *out, const char *text, size_t length, size_t most);

/* The same with a double quote on each side. */
void braze_text_quote(struct braze_buffer *out, const char *text, size_t length, size_t most);

/* Appends the name of a character: a line feed, a space, the character "<". */
void braze_text_name_character(struct braze_buffer *out, unsigned char character);

/* Whether a text may be an API key, and so is not shown: nine or more characters without a space between them. */
bool braze_text_may_be_key(const char *text, size_t length);

/* Whether two texts are the same but for the case of ASCII letters (no locale is asked). */
bool braze_text_same(const char *left, size_t left_length, const char *right);

/* The value of a hexadecimal digit, -1 for anything else. */
int braze_text_hex_value(char digit);

/* The index of the name nearest to text by edit distance, or -1 where none is, or two are, near enough to be what was meant. Where
   none is near, it is the longest one that stands in the text as a whole. `name_at` gives the names by index. */
int braze_text_nearest(const char *text, size_t length, const char *(*name_at)(const void *names, int index),
                       const void *names, int count);

#endif
