/* secret: keeps what must never be seen (the API key, a proxy's user and password), finds it in text from outside, wipes it. */
#ifndef BRAZE_SECRET_H
#define BRAZE_SECRET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"

enum { BRAZE_SECRET_API_KEY, BRAZE_SECRET_PROXY_USER, BRAZE_SECRET_PROXY_PASSWORD, BRAZE_SECRET_COUNT };

struct braze_secrets {
  atomic_int references;
  char *texts[BRAZE_SECRET_COUNT]; /* each NULL or one block of memory that nothing else points to */
  size_t lengths[BRAZE_SECRET_COUNT];
  bool begins[256]; /* by byte: whether one of them, or an escape in one, may begin with it. Nearly every byte of an answer does not */
  char *authorization; /* "Authorization: Bearer " and the key: texts[BRAZE_SECRET_API_KEY] points into it, so there is one copy */
};

/* Empty secrets, one reference; NULL: no memory. */
struct braze_secrets *braze_secrets_new(void);

struct braze_secrets *braze_secrets_retain(struct braze_secrets *secrets);

/* Gives a reference back (NULL is nothing); the last one wipes and frees them. */
void braze_secrets_release(struct braze_secrets *secrets);

/* Keeps the key as the header line it is sent in. False: no memory. */
bool braze_secrets_set_api_key(struct braze_secrets *secrets, const char *key, size_t length);

/* Keeps a copy of another secret; an empty one is no secret. False: no memory. */
bool braze_secrets_set(struct braze_secrets *secrets, int which, const char *text, size_t length);

/* Whether only whole secrets count: a part of eight characters may stand in innocent text that begins as the key does. */
enum braze_parts { BRAZE_WHOLE_ONLY, BRAZE_PARTS_TOO };

/* Whether a secret, or a part of one that braze_secrets_redact would remove, stands in text. */
bool braze_secrets_found(const struct braze_secrets *secrets, enum braze_parts parts, const char *text, size_t length);

/* Appends text with "***" in place of each secret: whole, cut after eight or more of its characters, or cut by the end of
   the text after four; its characters plain, escaped as JSON does (\/ \" \u002f), or as URLs do (%2F).
   A proxy's user or password of fewer than six characters is left in: it stands in innocent text too ("id"), and the service
   never sees it. False: something was left out (the limit of out, or no memory); what was appended is safe all the same. */
bool braze_secrets_redact(const struct braze_secrets *secrets, enum braze_parts parts, const char *text, size_t length,
                          struct braze_buffer *out);

#endif
