/* secret: keeps what must never be shown (the API key, a proxy's user and password), and wipes it. redact.h finds it in text. */
#ifndef BRAZE_SECRET_H
#define BRAZE_SECRET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { BRAZE_SECRET_API_KEY, BRAZE_SECRET_PROXY_USER, BRAZE_SECRET_PROXY_PASSWORD, BRAZE_SECRET_COUNT };

/* The length of a piece of a secret: eight characters in a row, in lower case, without those that are not visible. */
#define BRAZE_PIECE 8

struct braze_secrets {
  atomic_int references;
  char *texts[BRAZE_SECRET_COUNT]; /* NULL: there is no such secret */
  size_t lengths[BRAZE_SECRET_COUNT];
  uint64_t *pieces;  /* a hash table of all pieces; 0: a free place */
  size_t piece_room; /* places in it, a power of two; 0: there is no table */
  size_t piece_count;
  uint64_t *halves;    /* behind the pieces: a bit for each four characters in a row of one, half a word for each place of a piece */
  unsigned half_shift; /* 32 less the binary logarithm of the number of these bits */
  uint64_t starts[BRAZE_SECRET_COUNT];        /* the first characters of each, at most eight, packed like a piece */
  unsigned start_lengths[BRAZE_SECRET_COUNT]; /* how many; 0: no such secret, or one that is not searched for */
  bool any_short;                             /* one of them has fewer than eight characters */
  char *authorization; /* "Authorization: Bearer " and the key. texts[BRAZE_SECRET_API_KEY] points into it: there is one copy */
};

/* Makes empty secrets with one reference. NULL: no memory. */
struct braze_secrets *braze_secrets_new(void);

struct braze_secrets *braze_secrets_retain(struct braze_secrets *secrets);

/* Drops a reference; NULL is allowed. The last one wipes and frees the secrets. */
void braze_secrets_release(struct braze_secrets *secrets);

/* Keeps the key, as the header line in which it is sent. False: no memory. */
bool braze_secrets_set_api_key(struct braze_secrets *secrets, const char *key, size_t length);

/* Keeps a copy of another secret, unless it is empty. False: no memory. */
bool braze_secrets_set(struct braze_secrets *secrets, int which, const char *text, size_t length);

/* The character in lower case, as the search sees it; 0: the search ignores it. White space and control characters are ignored, because
   a key that is broken into lines is still a key. */
static inline unsigned char braze_secrets_fold(unsigned char character) {
  if (character >= 'A' && character <= 'Z') return (unsigned char)(character - 'A' + 'a');
  return character > ' ' && character != 0x7F ? character : 0;
}

/* Where the search for a piece begins in a table with `room` places. */
static inline size_t braze_secrets_place(uint64_t piece, size_t room) {
  return (size_t)((piece * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (room - 1);
}

static inline bool braze_secrets_has_piece(const struct braze_secrets *secrets, uint64_t piece) {
  size_t place;
  if (secrets->piece_room == 0) return false;
  for (place = braze_secrets_place(piece, secrets->piece_room); secrets->pieces[place] != 0;
       place = (place + 1) & (secrets->piece_room - 1))
    if (secrets->pieces[place] == piece) return true;
  return false;
}

/* Where the bit of four characters is, of which the first is in the lowest byte. */
static inline uint32_t braze_secrets_half_place(const struct braze_secrets *secrets, uint32_t half) {
  return half * UINT32_C(0x9E3779B1) >> secrets->half_shift;
}

/* Whether four characters in a row are in a piece. True is not sure: about one other in a hundred has the same place. */
static inline bool braze_secrets_has_half(const struct braze_secrets *secrets, uint32_t half) {
  uint32_t place = braze_secrets_half_place(secrets, half);
  return secrets->halves[place / 64] >> place % 64 & 1;
}

/* The length of the piece, or of the short secret, with which the characters in `packed` end (the newest in the lowest byte); 0: they
   end with none. */
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
