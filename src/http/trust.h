/* trust: where the certificates are that a connection may rest on. */
#ifndef BRAZE_TRUST_H
#define BRAZE_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "http/settings.h"

#define BRAZE_LONGEST_PATH 512

/* A directory or a file; both NULL: what libcurl was built with, untouched. */
struct braze_trust_store {
  const char *directory;
  const char *file;
  unsigned round; /* how many times the store was another one than the time before */
};

struct braze_trust {
  struct braze_trust_store first;
  struct braze_trust_store second; /* for one more try where `first` alone does not verify; both NULL = there is none */
  char member[BRAZE_LONGEST_PATH]; /* a file of the directory, where libcurl wants one */
  const char *refusal;             /* why the ca_file can't be read, NULL = it is a file or a directory, or is not there */
  uint64_t print;                  /* of the files on disk: another one once one of them was changed */
  char *spelled[3];                /* paths of our own */
};

/* Looks at the disk, which may take for ever: on a thread that nobody waits for. The texts are the settings', libcurl's own, or
   the trust's. */
void braze_trust_find(const struct braze_settings *settings, struct braze_trust *trust);

/* Compares with what was found before (NULL: nothing). libcurl keeps parsed certificates, sessions of TLS and connections by the
   path that it was given: where the files are others now, the same paths are spelled in another way. False: no memory. */
bool braze_trust_follow(struct braze_trust *trust, const struct braze_trust *before);

/* Frees what it owns. */
void braze_trust_free(struct braze_trust *trust);

/* Whether `openssl rehash` (or c_rehash) has been over the directory. */
bool braze_trust_is_hashed(const char *directory);

#endif
