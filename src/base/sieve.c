/* sieve: see sieve.h. A text is read in words of eight characters. A piece of a secret is as long, so wherever it stands, it covers the
   first or the second half of a word: four characters that are known to occur in a piece. Only where that is so are pieces looked for. */
#include "base/sieve.h"

#include <string.h>

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The characters of a text that count, in lower case, the first of them in the lowest byte. */
struct stream {
  const struct braze_secrets *secrets;
  uint64_t held, last; /* those that fill no word yet, and the word before them */
  unsigned count;      /* how many are held, 0 to 7 */
  bool doubt;          /* half of the last word is known */
};

static inline bool has_known_half(const struct braze_secrets *secrets, uint64_t word) {
  return braze_secrets_has_half(secrets, (uint32_t)word) || braze_secrets_has_half(secrets, (uint32_t)(word >> 32));
}

static uint64_t load(const char *text) {
  uint64_t word;
  memcpy(&word, text, sizeof word);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* Whether all eight are visible ASCII, and none can begin an escape. Each sum has the high bit of a byte set where the byte is good: those
   from "!" on, all but DEL, all but the three that begin escapes. As long as no byte is above 0x7F, no sum carries into the next one. */
static inline bool is_plain(uint64_t word) {
  const uint64_t high = EACH(0x80);
  uint64_t visible = (word + EACH(0x80 - '!')) & ~(word + EACH(0x80 - 0x7F));
  uint64_t harmless = ((word ^ EACH('\\')) + EACH(0x7F)) & ((word ^ EACH('%')) + EACH(0x7F)) & ((word ^ EACH('&')) + EACH(0x7F));
  return (word & high) == 0 && (visible & harmless & high) == high;
}

/* In lower case: the capitals are those with the high bit in the first sum and not in the second. */
static uint64_t fold(uint64_t word) {
  uint64_t capitals = (word + EACH(0x80 - 'A')) & ~(word + EACH(0x80 - 'Z' - 1)) & EACH(0x80);
  return word | capitals >> 2;
}

/* Whether a piece ends in the word, which follows the other one. In a piece the first character is in the highest byte. */
static bool ends_piece(const struct braze_secrets *secrets, uint64_t before, uint64_t word) {
  uint64_t packed = 0;
  int i;
  for (i = 0; i < 8; i++) packed = packed << 8 | (before >> 8 * i & 0xFF);
  for (i = 0; i < 8; i++) {
    packed = packed << 8 | (word >> 8 * i & 0xFF);
    if (braze_secrets_has_piece(secrets, packed)) return true;
  }
  return false;
}

/* True: a piece ends in this word. One that goes on behind it is found with the next. */
static inline bool take_word(struct stream *stream, uint64_t word) {
  const uint64_t before = stream->last;
  const bool doubted = stream->doubt;
  stream->last = word;
  stream->doubt = has_known_half(stream->secrets, word);
  return (doubted || stream->doubt) && ends_piece(stream->secrets, before, word);
}

/* Adds eight characters. True: there is a piece. */
static inline bool add_word(struct stream *stream, uint64_t word) {
  const uint64_t held = stream->held;
  if (stream->count == 0) return take_word(stream, word);
  stream->held = word >> 8 * (8 - stream->count);
  return take_word(stream, held | word << 8 * stream->count);
}

/* Whether the byte may begin an escape, or a character without width. */
static bool is_special(unsigned char byte) {
  return byte == '\\' || byte == '%' || byte == '&' || byte == 0xC2 || byte == 0xE2 || byte == 0xEF;
}

/* Adds bytes one by one. True: there is a piece, or what they say is not known here. */
static bool add_bytes(struct stream *stream, const char *text, size_t length) {
  size_t i;
  for (i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)text[i];
    uint64_t folded = braze_secrets_fold(byte);
    if (is_special(byte)) return true;
    if (folded == 0) continue;
    stream->held |= folded << 8 * stream->count;
    if (++stream->count < 8) continue;
    stream->count = 0;
    if (take_word(stream, stream->held)) return true;
    stream->held = 0;
  }
  return false;
}

/* Whether the text may end with a piece that began in the last word, or with four characters or more that begin a secret. */
static bool may_end(const struct stream *stream) {
  if (stream->doubt || stream->count == 0) return stream->doubt;
  return has_known_half(stream->secrets, stream->last >> 8 * stream->count | stream->held << 8 * (8 - stream->count));
}

bool braze_sieve_may_hold(const struct braze_secrets *secrets, const char *text, size_t length) {
  struct stream stream = {secrets, 0, 0, 0, false};
  const char *end = text + length;
  if (secrets->any_short) return length > 0;
  if (secrets->piece_room == 0) return false;
  for (; end - text >= 8; text += 8) {
    uint64_t word = load(text);
    if (is_plain(word) ? add_word(&stream, fold(word)) : add_bytes(&stream, text, 8)) return true;
  }
  /* Mostly the last eight bytes are the last eight characters, too, whether or not they lie across two words. */
  if (length >= 8 && stream.count == 0 && is_plain(load(end - 8))) return stream.doubt || has_known_half(secrets, fold(load(end - 8)));
  return add_bytes(&stream, text, (size_t)(end - text)) || may_end(&stream);
}
