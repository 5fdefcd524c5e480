/* buffer: bytes that grow up to a hard cap. Running out, of room or of memory, is a return value. What is forgotten is wiped. */
#ifndef BRAZE_BUFFER_H
#define BRAZE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct braze_buffer {
  char *bytes; /* ends with a NUL that length does not count; NULL while nothing was appended */
  size_t length;
  size_t capacity;
  size_t limit; /* most bytes it takes */
  bool borrowed; /* the memory is the caller's */
};

#define BRAZE_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))

void braze_buffer_init(struct braze_buffer *buffer, size_t limit);

/* A buffer on memory of the caller's (on its stack, say), which it never outgrows and never frees: what does not fit is cut. */
void braze_buffer_borrow(struct braze_buffer *buffer, char *memory, size_t size);

/* Appends what fits below the limit. False when something was left out: the limit, or no memory. */
bool braze_buffer_append(struct braze_buffer *buffer, const char *bytes, size_t length);

/* The same for a text made as printf makes it. */
bool braze_buffer_print(struct braze_buffer *buffer, const char *format, ...) BRAZE_PRINTF(2, 3);

/* The bytes as a C string, "" where there are none. */
const char *braze_buffer_text(const struct braze_buffer *buffer);

/* Forgets the bytes, keeps the memory if it is small. */
void braze_buffer_clear(struct braze_buffer *buffer);

/* Forgets what is behind the first `length` bytes, and gives its memory back. */
void braze_buffer_cut(struct braze_buffer *buffer, size_t length);

/* Gives the memory back; the buffer is empty and usable afterwards. */
void braze_buffer_free(struct braze_buffer *buffer);

#endif
