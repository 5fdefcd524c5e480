/* endpoint: the service as data. A new endpoint is one row in endpoint.c. */
#ifndef BRAZE_ENDPOINT_H
#define BRAZE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#define BRAZE_MAX_FIELDS 4

/* Bytes of a whole request: 4 MB on most endpoints, says the page on API limits. Beyond them the service answers 413. */
#define BRAZE_REQUEST_LIMIT 4000000u
#define BRAZE_REQUEST_LIMIT_HINT "the service takes requests of at most 4 MB; nothing was sent"

struct braze_field {
  const char *name;
  const char *json; /* the same as it stands in front of the value in a request */
  bool required;
  bool ascii;         /* printable ASCII with no space at either end; else UTF-8 */
  size_t max_length; /* in bytes; 0 = the service decides */
};

struct braze_endpoint {
  const char *name; /* the Lua method, and the first argument of start */
  const char *path;
  const char *permission;   /* that the REST key must have */
  const char *answer_field; /* a non-empty string in every success */
  const char *repeat_field; /* where the caller gives it, a second request makes nothing new */
  size_t field_count;
  struct braze_field fields[BRAZE_MAX_FIELDS];
};

/* The endpoint of that name, or NULL. */
const struct braze_endpoint *braze_endpoint_find(const char *name, size_t length);

/* The endpoint at an index, NULL behind the last. */
const struct braze_endpoint *braze_endpoint_at(size_t index);

enum braze_field_fault { BRAZE_FIELD_GOOD, BRAZE_FIELD_EMPTY, BRAZE_FIELD_TOO_LONG, BRAZE_FIELD_NOT_PRINTABLE, BRAZE_FIELD_SPACE_AT_END, BRAZE_FIELD_NOT_UTF8 };

/* Checks a value against its field's rule. *position is the 1-based byte where a rule about characters is broken. */
enum braze_field_fault braze_field_check(const struct braze_field *field, const char *text, size_t length, size_t *position);

#endif
