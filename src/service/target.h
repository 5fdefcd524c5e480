/* target: the target of a request: the path of an operation with its fields filled in, the query, and the check of what a caller
   gives as "METHOD /path". */
#ifndef BRAZE_TARGET_H
#define BRAZE_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "http/request.h"

/* Appends text with every byte percent-encoded that is not unreserved in RFC 3986. False: no room or no memory. */
bool braze_target_encode(struct braze_buffer *out, const char *text, size_t length);

/* Appends a part of a query with its %XX and + undone. False: no room or no memory. */
bool braze_target_decode(struct braze_buffer *out, const char *text, size_t length);

/* Appends "?name=value", or "&name=value" where the target has a query already; both are encoded. */
bool braze_target_add_query(struct braze_buffer *target, const char *name, size_t name_length, const char *value, size_t value_length);

/* Whether a text is meant as a route and not as a name: it begins with a word in capitals and a space, or holds a slash. */
bool braze_target_is_meant(const char *text, size_t length);

struct braze_target {
  enum braze_method method;
  const char *path; /* in the text that was read */
  size_t length;
};

/* Reads "METHOD /path". False: message says what is wrong with it, hint what to write. The path is one on the client's own
   endpoint: never a URL, so that the key goes nowhere else. */
bool braze_target_read(const char *text, size_t length, struct braze_target *target, struct braze_buffer *message,
                       struct braze_buffer *hint);

#endif
