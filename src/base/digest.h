/* digest: 128 bits that tell whether two things are the same, in every process and on every machine. Not for secrets: who wants to can
   make two things with the same digest. */
#ifndef BRAZE_DIGEST_H
#define BRAZE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct braze_digest {
  uint64_t left, right;
};

#define BRAZE_DIGEST_TEXT 33 /* bytes of a digest as text, with its NUL */

void braze_digest_init(struct braze_digest *digest);

/* Takes in bytes. What was taken in before, and in which order, counts. */
void braze_digest_add(struct braze_digest *digest, const char *bytes, size_t length);

/* Takes in another digest, in the same way. */
void braze_digest_add_digest(struct braze_digest *digest, const struct braze_digest *other);

/* Takes in another digest as one of a set: the order among those does not count. */
void braze_digest_join(struct braze_digest *digest, const struct braze_digest *member);

/* Writes the digest as 32 hexadecimal digits. */
void braze_digest_print(const struct braze_digest *digest, char text[BRAZE_DIGEST_TEXT]);

#endif
