/* secret: keeps what must never be seen (the API key, a proxy's user and password), and wipes it. redact.h finds it in text. */
#ifndef BRAZE_SECRET_H
#define BRAZE_SECRET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BRAZE_SECRET_API_KEY, BRAZE_SECRET_PROXY_USER, BRAZE_SECRET_PROXY_PASSWORD, BRAZE_SECRET_COUNT };

/* Eight characters in a row of a secret, or all of a shorter one, in small letters and without what is not seen. */
#define BRAZE_PIECE 8

struct braze_secrets {
  atomic_int references;
  char *texts[BRAZE_SECRET_COUNT]; /* each NULL or one block of memory that nothing else points to */
  size_t lengths[BRAZE_SECRET_COUNT];
  uint64_t *pieces;  /* a hash table of all pieces of eight characters, a power of two of places; 0 is a free one */
  size_t piece_room; /* places in it; 0 = no table */
  size_t piece_count;
  uint64_t starts[BRAZE_SECRET_COUNT];        /* the first characters of each, at most eight, packed as a piece is */
  unsigned start_lengths[BRAZE_SECRET_COUNT]; /* how many; 0 = no such secret, or one that is not looked for */
  bool any_short;                             /* one of them has fewer than eight characters */
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

/* What becomes of a character before it is looked for: it is made a small letter; 0 = it is passed over. White space and control
   characters are: a key that is broken into lines is a key all the same. */
static inline unsigned char braze_secrets_fold(unsigned char character) {
  if (character >= 'A' && character <= 'Z') return (unsigned char)(character - 'A' + 'a');
  return character > ' ' && character != 0x7F ? character : 0;
}

/* Where the search for a piece begins in a table of so many places. */
static inline size_t braze_secrets_place(uint64_t piece, size_t room) {
  return (size_t)((piece * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (room - 1);
}

static inline bool braze_secrets_has_piece(const struct braze_secrets *secrets, uint64_t piece) {
  size_t place;
  if (secrets->piece_room == 0) return false;
  for (place = braze_secrets_place(piece, secrets->piece_room); secrets->pieces[place] != 0; place = (place + 1) & (secrets->piece_room - 1))
    if (secrets->pieces[place] == piece) return true;
  return false;
}

/* Whether the characters that were packed last (the newest in the lowest byte) end with a piece of a secret, or with a short
   secret; the number of characters of it, 0 where they do not. */
static inline unsigned braze_secrets_ends_piece(const struct braze_secrets *secrets, uint64_t packed) {
  int which;
  if (braze_secrets_has_piece(secrets, packed)) return BRAZE_PIECE;
  for (which = 0; secrets->any_short && which < BRAZE_SECRET_COUNT; which++) {
    unsigned length = secrets->start_lengths[which];
    if (length > 0 && length < BRAZE_PIECE && (packed & ((UINT64_C(1) << 8 * length) - 1)) == secrets->starts[which]) return length;
  }
  return 0;
}

#endif
