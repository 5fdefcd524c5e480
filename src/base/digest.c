/* digest: see digest.h. Each half is FNV-1a with a constant of its own, and the mixing function of splitmix64 behind it. */
#include "base/digest.h"

#include "base/text.h"


#define FIRST UINT64_C(0x00000100000001B3)
#define SECOND UINT64_C(0x9E3779B97F4A7C15)

static uint64_t mix(uint64_t number) {
  number = (number ^ (number >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
  number = (number ^ (number >> 27)) * UINT64_C(0x94D049BB133111EB);
  return number ^ (number >> 31);
}

void braze_digest_init(struct braze_digest *digest) {
  digest->left = UINT64_C(0xCBF29CE484222325);
  digest->right = UINT64_C(0x6C62272E07BB0142);
}

static void add_number(struct braze_digest *digest, uint64_t number) {
  digest->left = mix((digest->left ^ number) * FIRST);
  digest->right = mix((digest->right + number) * SECOND);
}

/* The length goes in too, so that "ab" and "c" differ from "a" and "bc". */
void braze_digest_add(struct braze_digest *digest, const char *bytes, size_t length) {
  size_t i;
  for (i = 0; i < length; i++) {
    digest->left = (digest->left ^ (unsigned char)bytes[i]) * FIRST;
    digest->right = ((digest->right << 7 | digest->right >> 57) ^ (unsigned char)bytes[i]) * SECOND;
  }
  add_number(digest, length);
}

void braze_digest_add_digest(struct braze_digest *digest, const struct braze_digest *other) {
  add_number(digest, other->left);
  add_number(digest, other->right);
}

void braze_digest_join(struct braze_digest *digest, const struct braze_digest *member) {
  digest->left += mix(member->left);
  digest->right += mix(member->right);
}

void braze_digest_print(const struct braze_digest *digest, char text[BRAZE_DIGEST_TEXT]) {
  braze_text_print(text, BRAZE_DIGEST_TEXT, "%016llx%016llx", (unsigned long long)digest->left, (unsigned long long)digest->right);
}
