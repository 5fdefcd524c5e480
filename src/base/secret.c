/* secret: see secret.h. */
#include "base/secret.h"

#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"

#define HEADER "Authorization: Bearer "
#define MIN_OTHER 6

struct braze_secrets *braze_secrets_new(void) {
  struct braze_secrets *secrets = calloc(1, sizeof *secrets);
  if (secrets) atomic_init(&secrets->references, 1);
  return secrets;
}

struct braze_secrets *braze_secrets_retain(struct braze_secrets *secrets) {
  if (secrets) atomic_fetch_add(&secrets->references, 1);
  return secrets;
}

/* The words of a table with so many places: one for each, and the bits of the halves. */
static size_t words_for(size_t room) {
  return room + room / 2;
}

static void free_pieces(struct braze_secrets *secrets) {
  if (secrets->pieces) braze_wipe(secrets->pieces, words_for(secrets->piece_room) * sizeof *secrets->pieces);
  free(secrets->pieces);
}

void braze_secrets_release(struct braze_secrets *secrets) {
  int which;
  if (!secrets || atomic_fetch_sub(&secrets->references, 1) > 1) return;
  for (which = 0; which < BRAZE_SECRET_COUNT; which++) {
    if (!secrets->texts[which]) continue;
    braze_wipe(secrets->texts[which], secrets->lengths[which]);
    free(which == BRAZE_SECRET_API_KEY ? secrets->authorization : secrets->texts[which]);
  }
  free_pieces(secrets);
  braze_wipe(secrets, sizeof *secrets);
  free(secrets);
}

/* --- pieces ------------------------------------------------------------------------------------------- */

static void put_halves(struct braze_secrets *secrets, uint64_t piece) {
  int first, i;
  for (first = 0; first <= BRAZE_PIECE - 4; first++) {
    uint32_t half = 0, place;
    for (i = 3; i >= 0; i--) half = half << 8 | (uint32_t)(piece >> 8 * (BRAZE_PIECE - 1 - first - i) & 0xFF);
    place = braze_secrets_half_place(secrets, half);
    secrets->halves[place / 64] |= UINT64_C(1) << place % 64;
  }
}

static void put_piece(struct braze_secrets *secrets, uint64_t piece) {
  size_t place = braze_secrets_place(piece, secrets->piece_room);
  if (piece == 0 || braze_secrets_has_piece(secrets, piece)) return;
  while (secrets->pieces[place] != 0) place = (place + 1) & (secrets->piece_room - 1);
  secrets->pieces[place] = piece;
  secrets->piece_count++;
  put_halves(secrets, piece);
}

/* Makes room for `count` more pieces. At least half of the places stay free. */
static bool reserve_pieces(struct braze_secrets *secrets, size_t count) {
  struct braze_secrets old = {.pieces = secrets->pieces, .piece_room = secrets->piece_room};
  size_t room = secrets->piece_room ? secrets->piece_room : 64, place;
  uint64_t *pieces, bits;
  while (room < 2 * (secrets->piece_count + count)) room *= 2;
  if (room == secrets->piece_room) return true;
  pieces = calloc(words_for(room), sizeof *pieces);
  if (!pieces) return false;
  secrets->pieces = pieces;
  secrets->piece_room = room;
  secrets->halves = pieces + room;
  for (bits = room / 2 * 64, secrets->half_shift = 32; bits > 1; bits /= 2) secrets->half_shift--;
  secrets->piece_count = 0;
  for (place = 0; place < old.piece_room; place++) put_piece(secrets, old.pieces[place]);
  free_pieces(&old);
  return true;
}

/* Puts the pieces of a text in the table, which has room for them. Returns how many of its characters count. */
static size_t put_pieces(struct braze_secrets *secrets, const char *text, size_t length, size_t first) {
  uint64_t packed = 0;
  size_t count = 0, i;
  for (i = first; i < length; i++) {
    unsigned char folded = braze_secrets_fold((unsigned char)text[i]);
    if (folded == 0) continue;
    packed = packed << 8 | folded;
    if (++count >= BRAZE_PIECE) put_piece(secrets, packed);
  }
  return count;
}

/* Writes base64 of a text that follows `before` other bytes, without the characters that depend on those bytes or on the bytes behind the
   text. Returns the length. */
static size_t write_base64(const char *text, size_t length, size_t before, const char *last_two, char *out) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  size_t written = 0, bit = before == 0 ? 0 : before == 1 ? 4 : 2;
  for (; bit + 6 <= 8 * length; bit += 6) {
    unsigned pair = (unsigned)(unsigned char)text[bit / 8] << 8 | (bit / 8 + 1 < length ? (unsigned char)text[bit / 8 + 1] : 0u);
    unsigned digit = pair >> (10 - bit % 8) & 63;
    out[written++] = digit < 62 ? digits[digit] : last_two[digit - 62];
  }
  return written;
}

/* Puts the pieces of its base64 in the table: for each of the three positions at which it may begin, in both alphabets. */
static bool put_base64(struct braze_secrets *secrets, const char *text, size_t length) {
  const size_t most = length / 3 * 4 + 4;
  char *written = malloc(most);
  size_t before, i;
  if (!written) return false;
  for (before = 0; before < 3; before++)
    for (i = 0; i < 2; i++) put_pieces(secrets, written, write_base64(text, length, before, i == 0 ? "+/" : "-_", written), 0);
  braze_wipe(written, most);
  free(written);
  return true;
}

static void note_start(struct braze_secrets *secrets, int which) {
  uint64_t packed = 0;
  size_t i;
  unsigned count = 0;
  for (i = 0; i < secrets->lengths[which] && count < BRAZE_PIECE; i++) {
    unsigned char folded = braze_secrets_fold((unsigned char)secrets->texts[which][i]);
    if (folded == 0) continue;
    packed = packed << 8 | folded;
    count++;
  }
  secrets->starts[which] = packed;
  secrets->start_lengths[which] = count;
}

/* Prepares what redact.h searches for. It does not search for a short secret of a proxy. */
static bool note_pieces(struct braze_secrets *secrets, int which) {
  const char *text = secrets->texts[which];
  const size_t length = secrets->lengths[which];
  if (which != BRAZE_SECRET_API_KEY && length < MIN_OTHER) return true;
  note_start(secrets, which);
  if (secrets->start_lengths[which] < BRAZE_PIECE) {
    secrets->any_short = true;
    return true;
  }
  if (!reserve_pieces(secrets, length + 6 * (length / 3 * 4 + 4))) return false;
  put_pieces(secrets, text, length, 0);
  return put_base64(secrets, text, length);
}

/* --- setting ------------------------------------------------------------------------------------------ */

bool braze_secrets_set_api_key(struct braze_secrets *secrets, const char *key, size_t length) {
  const size_t header = sizeof HEADER - 1;
  char *line = malloc(header + length + 1);
  if (!line) return false;
  memcpy(line, HEADER, header);
  memcpy(line + header, key, length);
  line[header + length] = '\0';
  secrets->authorization = line;
  secrets->texts[BRAZE_SECRET_API_KEY] = line + header;
  secrets->lengths[BRAZE_SECRET_API_KEY] = length;
  return note_pieces(secrets, BRAZE_SECRET_API_KEY);
}

bool braze_secrets_set(struct braze_secrets *secrets, int which, const char *text, size_t length) {
  char *copy;
  if (length == 0) return true;
  copy = malloc(length + 1);
  if (!copy) return false;
  memcpy(copy, text, length);
  copy[length] = '\0';
  secrets->texts[which] = copy;
  secrets->lengths[which] = length;
  return note_pieces(secrets, which);
}
