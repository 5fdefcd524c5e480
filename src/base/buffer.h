/* buffer: bytes that grow up to a fixed limit. Running out of room or of memory is a return value. What is removed is wiped. */
#ifndef BRAZE_BUFFER_H
#define BRAZE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

struct braze_buffer {
  char *bytes; /* with a NUL behind them, which length does not count; NULL before the first append */
  size_t length;
  size_t capacity;
  size_t limit; /* on length */
  bool borrowed; /* the memory belongs to the caller */
  bool open;     /* no secret comes in: it may leave a copy behind when it grows */
};

#define BRAZE_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))

void braze_buffer_init(struct braze_buffer *buffer, size_t limit);

/* Makes a buffer in the caller's memory, for example on its stack. It never grows beyond that memory and never frees it. */
void braze_buffer_borrow(struct braze_buffer *buffer, char *memory, size_t size);

/* Appends what fits. False: the limit was reached, or there is no memory, and a part is missing. */
bool braze_buffer_append(struct braze_buffer *buffer, const char *bytes, size_t length);

/* Makes room for so many bytes behind the text, and for the NUL, even if the limit does not allow them. An open buffer gets some more, so
   that the next time is not soon. False: there is no memory. */
bool braze_buffer_reserve(struct braze_buffer *buffer, size_t more);

/* Appends a text in the format of printf, at most 1,023 bytes of it. Returns as above. */
bool braze_buffer_print(struct braze_buffer *buffer, const char *format, ...) BRAZE_PRINTF(2, 3);

/* The bytes as a C string; "" for an empty buffer. */
const char *braze_buffer_text(const struct braze_buffer *buffer);

/* Empties the buffer. It keeps its memory if that is small. */
void braze_buffer_clear(struct braze_buffer *buffer);

/* Removes what follows the first `length` bytes. */
void braze_buffer_shorten(struct braze_buffer *buffer, size_t length);

/* The same, and frees its memory. */
void braze_buffer_cut(struct braze_buffer *buffer, size_t length);

/* Frees the memory. The buffer is empty then, and may be used again. */
void braze_buffer_free(struct braze_buffer *buffer);

#endif
