/* trust: where the certificates are that a connection may trust. */
#ifndef BRAZE_TRUST_H
#define BRAZE_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include "http/settings.h"

#define BRAZE_LONGEST_PATH 512

/* A directory or a file. Both NULL: libcurl's own defaults. */
struct braze_trust_store {
  const char *directory;
  const char *file;
  unsigned round; /* how many times the certificates have changed */
};

struct braze_trust {
  struct braze_trust_store first;
  struct braze_trust_store second; /* for one more try where the first does not verify; both NULL: there is none */
  char member[BRAZE_LONGEST_PATH]; /* a file of the directory, where libcurl needs one */
  const char *refusal;             /* why the ca_file can't be read; NULL: it is a file or a directory, or does not exist */
  uint64_t print;                  /* a fingerprint of the files on disk, which changes with any of them */
  char *spelled[3];                /* paths that this owns */
};

/* Looks at the disk, which may never answer: runs on a thread that nobody waits for. The paths belong to the settings, to libcurl or to the
   trust. */
void braze_trust_find(const struct braze_settings *settings, struct braze_trust *trust);

/* Compares with what was found before (NULL: nothing). libcurl keeps parsed certificates, TLS sessions and connections by the path that it
   was given: if the files have changed, the same paths are spelled in another way. False: no memory. */
bool braze_trust_follow(struct braze_trust *trust, const struct braze_trust *before);

/* Frees what it owns. */
void braze_trust_free(struct braze_trust *trust);

/* Whether `openssl rehash` or c_rehash was run on the directory. */
bool braze_trust_is_hashed(const char *directory);

#endif
