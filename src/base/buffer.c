/* buffer: see buffer.h. */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"

/* Most answers are some 50 bytes long: a buffer keeps no more memory than this between calls. */
#define KEPT_CAPACITY 4096u
#define FIRST_CAPACITY 256u

void braze_buffer_init(struct braze_buffer *buffer, size_t limit) {
  memset(buffer, 0, sizeof *buffer);
  buffer->limit = limit;
}

void braze_buffer_borrow(struct braze_buffer *buffer, char *memory, size_t size) {
  braze_buffer_init(buffer, size - 1);
  buffer->bytes = memory;
  buffer->capacity = size;
  buffer->borrowed = true;
  memory[0] = '\0';
}

/* More memory for an open buffer, in place where that is possible: a long request is not held twice. */
static char *extend(const struct braze_buffer *buffer, size_t capacity) {
  char *bytes = realloc(buffer->bytes, capacity);
  if (bytes) memset(bytes + buffer->length, 0, capacity - buffer->length); /* it may hold the key from an earlier use */
  return bytes;
}

/* The same for any other one. Not by realloc: the bytes may be an answer with the key in it, and realloc would leave a copy behind. By
   calloc, because the new memory may hold the key from an earlier use. */
static char *move(const struct braze_buffer *buffer, size_t capacity) {
  char *bytes = calloc(1, capacity);
  if (!bytes || !buffer->bytes) return bytes;
  memcpy(bytes, buffer->bytes, buffer->length + 1);
  braze_wipe(buffer->bytes, buffer->length);
  free(buffer->bytes);
  return bytes;
}

/* Makes room for length bytes in all and the NUL, and for no more if that is told of a buffer that is not open. Called seldom: most appends
   find room. */
__attribute__((noinline)) static bool grow(struct braze_buffer *buffer, size_t length, bool exact) {
  size_t capacity = buffer->capacity ? buffer->capacity : FIRST_CAPACITY;
  char *bytes;
  while (capacity <= length) capacity *= 2;
  if (exact) capacity = length + 1;
  if (buffer->open) capacity = length + length / 4 + FIRST_CAPACITY;
  bytes = buffer->open ? extend(buffer, capacity) : move(buffer, capacity);
  if (!bytes) return false;
  buffer->bytes = bytes;
  buffer->capacity = capacity;
  return true;
}

bool braze_buffer_append(struct braze_buffer *buffer, const char *bytes, size_t length) {
  size_t room = buffer->limit - buffer->length;
  size_t taken = length < room ? length : room;
  if (taken == 0) return length == 0;
  if (buffer->length + taken >= buffer->capacity && !grow(buffer, buffer->length + taken, false)) return false;
  memcpy(buffer->bytes + buffer->length, bytes, taken);
  buffer->length += taken;
  buffer->bytes[buffer->length] = '\0';
  return taken == length;
}

bool braze_buffer_reserve(struct braze_buffer *buffer, size_t more) {
  return buffer->length + more < buffer->capacity || grow(buffer, buffer->length + more, true);
}

bool braze_buffer_print(struct braze_buffer *buffer, const char *format, ...) {
  char text[1024];
  va_list arguments;
  int length;
  va_start(arguments, format);
  length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  if (length < 0) return false;
  if ((size_t)length >= sizeof text) {
    braze_buffer_append(buffer, text, sizeof text - 1);
    return false;
  }
  return braze_buffer_append(buffer, text, (size_t)length);
}

const char *braze_buffer_text(const struct braze_buffer *buffer) {
  return buffer->bytes ? buffer->bytes : "";
}

/* Here and below, what was appended is wiped when it is removed: it may be an answer with the key in it. */
void braze_buffer_clear(struct braze_buffer *buffer) {
  if (buffer->bytes) braze_wipe(buffer->bytes, buffer->length);
  if (buffer->capacity > KEPT_CAPACITY && !buffer->borrowed) braze_buffer_free(buffer);
  buffer->length = 0;
}

void braze_buffer_free(struct braze_buffer *buffer) {
  size_t limit = buffer->limit;
  bool open = buffer->open;
  if (buffer->borrowed) return;
  if (buffer->bytes) braze_wipe(buffer->bytes, buffer->length);
  free(buffer->bytes);
  braze_buffer_init(buffer, limit);
  buffer->open = open;
}

void braze_buffer_shorten(struct braze_buffer *buffer, size_t length) {
  if (buffer->length <= length) return;
  braze_wipe(buffer->bytes + length, buffer->length - length);
  buffer->length = length;
}

void braze_buffer_cut(struct braze_buffer *buffer, size_t length) {
  char *bytes;
  if (buffer->length <= length || buffer->borrowed) return;
  braze_wipe(buffer->bytes + length, buffer->length - length);
  buffer->length = length;
  /* Not by realloc, for the reason above. */
  bytes = malloc(length + 1);
  if (!bytes) return;
  memcpy(bytes, buffer->bytes, length + 1);
  braze_wipe(buffer->bytes, length);
  free(buffer->bytes);
  buffer->bytes = bytes;
  buffer->capacity = length + 1;
}
