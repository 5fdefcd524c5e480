/* trust: where the certificates are that a connection may rest on. */
#ifndef BRAZE_TRUST_H
#define BRAZE_TRUST_H

#include <stdbool.h>

#include "settings.h"

#define BRAZE_LONGEST_PATH 512

/* A directory or a file; both NULL: what libcurl was built with, untouched. */
struct braze_trust_store {
  const char *directory;
  const char *file;
  unsigned round; /* of looking at the disk */
};

struct braze_trust {
  struct braze_trust_store first;
  struct braze_trust_store second; /* for one more try where `first` alone does not verify; both NULL = there is none */
  char member[BRAZE_LONGEST_PATH]; /* a file of the directory, where libcurl wants one */
};

/* Looks at the disk, for the first time or again (mostly once for each engine: not a thing for a frame). The texts are the
   settings', libcurl's own, or the trust's. */
void braze_trust_find(const struct braze_settings *settings, struct braze_trust *trust);

/* Whether `openssl rehash` (or c_rehash) has been over the directory. */
bool braze_trust_is_hashed(const char *directory);

#endif
