/* request: what one call asks of a server, as plain HTTP. It owns its texts and knows nothing of who made it. */
#ifndef BRAZE_REQUEST_H
#define BRAZE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum braze_method { BRAZE_GET, BRAZE_POST, BRAZE_PUT, BRAZE_PATCH, BRAZE_DELETE, BRAZE_METHOD_COUNT };

/* "GET" and so on. */
const char *braze_method_name(enum braze_method method);

/* A value of the caller's that messages may show. */
struct braze_shown {
  const char *name; /* not owned: it outlives the request */
  bool given;
  bool echoed;           /* a success gives it back */
  size_t offset, length; /* in the request's buffer `values` */
};

#define BRAZE_MAX_SHOWN 4
#define BRAZE_MAX_TARGET (32u * 1024u)
#define BRAZE_MAX_BODY (4u * 1000u * 1000u) /* bytes; the service answers 413 to more */

struct braze_request {
  enum braze_method method;
  const char *target;         /* path and query, behind the base URL: the text of `built`, or one that outlives the request */
  struct braze_buffer built;  /* the target, where it was built for this request */
  struct braze_buffer body;   /* JSON; none where it is empty */
  bool repeatable;            /* a second request does no harm */
  size_t max_response;        /* bytes of a response's body */
  const char *name;           /* what is called, for messages: the text of `named`, or one that outlives the request */
  struct braze_buffer named;
  const void *subject; /* what is called, for the use of the one who made the request; not read in http/ */
  struct braze_buffer values;
  int shown_count;
  struct braze_shown shown[BRAZE_MAX_SHOWN];
};

void braze_request_init(struct braze_request *request);

/* Keeps a copy of a value to show; text is NULL where it was not given. False: no memory. What comes after BRAZE_MAX_SHOWN is
   left out. */
bool braze_request_show(struct braze_request *request, const char *name, const char *text, size_t length, bool echoed);

/* Gives a value to one that was kept as not given; nothing where none of that name was kept. False: no memory. */
bool braze_request_give(struct braze_request *request, const char *name, const char *text);

/* Puts another text of the same length in the place of a value that was given. */
void braze_request_replace(struct braze_request *request, const char *name, const char *text);

/* The value to show of that name, *length bytes and a NUL; NULL where none was given. */
const char *braze_request_value(const struct braze_request *request, const char *name, size_t *length);

/* The value that a success gives back; NULL where there is none, or it was not given. */
const char *braze_request_echoed(const struct braze_request *request, size_t *length);

/* Whether it only reads: then nothing can have been applied, whatever happens. */
static inline bool braze_request_reads(const struct braze_request *request) {
  return request->method == BRAZE_GET;
}

/* Frees all that the request owns. */
void braze_request_free(struct braze_request *request);

#endif
