/* redact: see redact.h. Of nearly every answer the sieve proves that there is nothing to find. Another text is looked through once as it
   stands, and again with each layer of escapes undone, as long as there are any. */
#include "base/redact.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/layers.h"
#include "base/sieve.h"

#define MASK "***"
#define MIN_PART_AT_END 4

/* The bytes of a text that must be masked, one bit for each. */
struct marks {
  const struct braze_secrets *secrets;
  struct braze_own_text own;
  size_t own_start, own_end, own_next; /* where the own text was found last, and where to search next */
  const char *text;
  size_t length;
  unsigned char *bits; /* NULL: only whether there are any is asked */
  bool any;
};

/* The last characters that count, and their positions. */
struct window {
  uint64_t packed;
  size_t starts[BRAZE_PIECE];
  size_t count, end; /* how many were taken, and where the last one ends that was taken or passed over */
};

static const struct window nothing_taken;

/* Where the caller's own text ends if it begins at this position of the text with `depth` layers undone; 0: it does not. */
static size_t own_end_below(const struct marks *marks, size_t at, int depth) {
  struct braze_layers layers;
  struct braze_character character = {0, 0, 0}; /* an empty own text ends nowhere */
  size_t i;
  braze_layers_init(&layers, marks->text, marks->length, depth);
  layers.at = at;
  for (i = 0; i < marks->own.length; i++)
    if (!braze_layers_next(&layers, &character) || character.value != (unsigned char)marks->own.text[i]) return 0;
  return character.end;
}

/* The same, for the own text plain or as JSON writes it. */
static size_t own_end_at(const struct marks *marks, size_t at) {
  const size_t end = own_end_below(marks, at, 1);
  return end ? end : own_end_below(marks, at, 0);
}

/* Whether what is to be masked lies inside the caller's own text. What is asked for comes in order, so the text is looked through
   once. */
static bool is_own(struct marks *marks, size_t start, size_t end) {
  if (!marks->own.text) return false;
  while (marks->own_end < end && marks->own_next <= start) {
    marks->own_start = marks->own_next++;
    marks->own_end = own_end_at(marks, marks->own_start);
  }
  return marks->own_start <= start && end <= marks->own_end;
}

static void mark(struct marks *marks, size_t start, size_t end) {
  if (is_own(marks, start, end)) return;
  marks->any = true;
  if (!marks->bits) return;
  for (; start < end; start++) marks->bits[start / 8] |= (unsigned char)(1u << start % 8);
}

static bool is_marked(const struct marks *marks, size_t at) {
  return marks->bits[at / 8] >> at % 8 & 1;
}

/* Where the character begins that was taken `back` characters before the last one. */
static size_t start_of(const struct window *window, unsigned before) {
  return window->starts[(window->count - 1 - before) % BRAZE_PIECE];
}

static void take(struct marks *marks, struct window *window, unsigned char folded, size_t start, size_t end) {
  unsigned length;
  window->packed = window->packed << 8 | folded;
  window->starts[window->count++ % BRAZE_PIECE] = start;
  length = braze_secrets_ends_piece(marks->secrets, window->packed);
  if (length > 0 && length <= window->count) mark(marks, start_of(window, length - 1), end);
}

/* The text up to `cut` may end with the first characters of a secret that was cut. */
static void take_end(struct marks *marks, const struct window *window, size_t cut) {
  int which;
  unsigned part;
  if (window->end != cut) return;
  for (which = 0; which < BRAZE_SECRET_COUNT; which++) {
    unsigned length = marks->secrets->start_lengths[which];
    for (part = MIN_PART_AT_END; part < length; part++)
      if (window->count >= part &&
          (window->packed & ((UINT64_C(1) << 8 * part) - 1)) == marks->secrets->starts[which] >> 8 * (length - part))
        mark(marks, start_of(window, part - 1), marks->length);
  }
}

/* Searches the text as it stands. */
static void look(struct marks *marks) {
  struct window window = nothing_taken;
  size_t at;
  for (at = 0; at < marks->length; at++) {
    unsigned char folded = braze_secrets_fold((unsigned char)marks->text[at]);
    if (folded) take(marks, &window, folded, at, at + 1);
  }
  window.end = marks->length;
  take_end(marks, &window, marks->length);
}

/* Whether a character has no width: a soft hyphen, a joiner or a mark of direction, a byte order mark. */
static bool is_invisible(int number) {
  return number == 0xAD || (number >= 0x200B && number <= 0x200F) || (number >= 0x2028 && number <= 0x202E) ||
         (number >= 0x2060 && number <= 0x2064) || number == 0xFEFF;
}

/* Reads the characters of a layer, including those of UTF-8, of which only the ones without width matter. */
struct reader {
  struct braze_layers layers;
  struct braze_character bytes[3];
  size_t count;
};

static bool fill(struct reader *reader, size_t count) {
  while (reader->count < count && braze_layers_next(&reader->layers, &reader->bytes[reader->count])) reader->count++;
  return reader->count >= count;
}

/* Whether a byte continues a character of UTF-8. */
static bool continues(int value) {
  return value < BRAZE_NAMED && (value & 0xC0) == 0x80;
}

/* The length in bytes of the next character if it has no width, else 0. */
static size_t invisible_ahead(struct reader *reader) {
  const struct braze_character *bytes = reader->bytes;
  int first = bytes[0].value;
  if (first >= BRAZE_NAMED) return is_invisible(first - BRAZE_NAMED) ? 1 : 0;
  if (first == 0xC2) return fill(reader, 2) && bytes[1].value == 0xAD ? 2 : 0;
  if (first != 0xE2 && first != 0xEF) return 0;
  return fill(reader, 3) && continues(bytes[1].value) && continues(bytes[2].value) &&
                 is_invisible((first & 15) << 12 | (bytes[1].value & 63) << 6 | (bytes[2].value & 63))
             ? 3
             : 0;
}

/* Takes the next character, or the next one that has no width. */
static void advance(struct marks *marks, struct reader *reader, struct window *window) {
  const struct braze_character first = reader->bytes[0];
  size_t passed = invisible_ahead(reader), taken = passed > 0 ? passed : 1;
  unsigned char folded = first.value < BRAZE_NAMED ? braze_secrets_fold((unsigned char)first.value) : 0xFF;
  if (passed == 0 && folded) take(marks, window, folded, first.start, first.end);
  window->end = reader->bytes[taken - 1].end;
  reader->count -= taken;
  memmove(reader->bytes, reader->bytes + taken, reader->count * sizeof *reader->bytes);
}

/* Whether the first four characters of a piece may have been taken. */
static bool may_begin_piece(const struct braze_secrets *secrets, const struct window *window) {
  return secrets->any_short || braze_secrets_has_half(secrets, __builtin_bswap32((uint32_t)window->packed));
}

/* Searches for one piece that begins at this very place, inside of what was read as an escape: "%51n2", in a text that has no such escape,
   is a "%" in front of "51n2". */
static void look_inside(struct marks *marks, int depth, size_t at) {
  const struct marks before = *marks;
  struct window window = nothing_taken;
  struct reader reader;
  reader.count = 0;
  braze_layers_init(&reader.layers, marks->text, marks->length, depth);
  reader.layers.at = at;
  while (window.count < BRAZE_PIECE && fill(&reader, 1)) {
    advance(marks, &reader, &window);
    if (window.count == BRAZE_PIECE / 2 && !may_begin_piece(marks->secrets, &window)) break;
  }
  take_end(marks, &window, marks->length);
  marks->own_start = before.own_start; /* the walk around this one goes on from there */
  marks->own_end = before.own_end;
  marks->own_next = before.own_next;
}

/* An escape begins here that the end of the text cuts. A secret may end before it, or in it. */
static void take_cut(struct marks *marks, const struct window *window, size_t cut) {
  if (marks->bits && cut > 0 && is_marked(marks, cut - 1)) mark(marks, cut, marks->length);
  take_end(marks, window, cut);
}

/* Searches the text with `depth` layers undone. False: the last of these layers had nothing to undo. */
static bool look_below(struct marks *marks, int depth) {
  struct window window = nothing_taken;
  struct reader reader;
  reader.count = 0;
  braze_layers_init(&reader.layers, marks->text, marks->length, depth);
  while (fill(&reader, 1)) {
    const struct braze_character first = reader.bytes[0];
    size_t at = first.start;
    if (at == reader.layers.cut) take_cut(marks, &window, at);
    advance(marks, &reader, &window);
    while (++at < first.end) look_inside(marks, depth, at);
  }
  take_end(marks, &window, marks->length);
  return depth == 0 || reader.layers.decoded;
}

/* Whether one of these bytes is in the text. */
static bool has_any(const struct marks *marks, const char *bytes) {
  while (*bytes)
    if (memchr(marks->text, *bytes++, marks->length)) return true;
  return false;
}

/* As it stands, then without what has no width in UTF-8, then with one layer of escapes undone after the other, as far as there are any. */
static void look_everywhere(struct marks *marks) {
  const int last = has_any(marks, "\\%&") ? BRAZE_MAX_LAYERS : 0;
  bool more = true;
  int depth;
  look(marks);
  for (depth = has_any(marks, "\xC2\xE2\xEF") ? 0 : 1; more && depth <= last && (marks->bits || !marks->any); depth++) {
    marks->own_start = marks->own_end = marks->own_next = 0;
    more = look_below(marks, depth);
  }
}

static bool has_whole_key(const struct braze_secrets *secrets, const struct braze_own_text *own) {
  const size_t length = secrets->lengths[BRAZE_SECRET_API_KEY];
  size_t at;
  for (at = 0; length > 0 && at + length <= own->length; at++)
    if (memcmp(own->text + at, secrets->texts[BRAZE_SECRET_API_KEY], length) == 0) return true;
  return false;
}

static void init(struct marks *marks, const struct braze_secrets *secrets, const struct braze_own_text *own, const char *text,
                 size_t length) {
  memset(marks, 0, sizeof *marks);
  marks->secrets = secrets;
  marks->text = text;
  marks->length = length;
  if (own && own->text && own->length >= BRAZE_PIECE && !has_whole_key(secrets, own)) marks->own = *own;
}

bool braze_redact_finds(const struct braze_secrets *secrets, const struct braze_own_text *own, const char *text, size_t length) {
  struct marks marks;
  if (!braze_sieve_may_hold(secrets, text, length)) return false;
  init(&marks, secrets, own, text, length);
  look_everywhere(&marks);
  return marks.any;
}

/* Appends the text with a mask in place of each run of marked bytes. */
static bool write_masked(const struct marks *marks, struct braze_buffer *out) {
  size_t at = 0, end;
  bool whole = true;
  for (; at < marks->length; at = end) {
    bool marked = is_marked(marks, at);
    for (end = at; end < marks->length && is_marked(marks, end) == marked; end++) continue;
    whole = (marked ? braze_buffer_append(out, MASK, sizeof MASK - 1) : braze_buffer_append(out, marks->text + at, end - at)) && whole;
  }
  return whole;
}

bool braze_redact(const struct braze_secrets *secrets, const struct braze_own_text *own, const char *text, size_t length,
                  struct braze_buffer *out) {
  struct marks marks;
  bool whole;
  if (!braze_sieve_may_hold(secrets, text, length)) return braze_buffer_append(out, text, length);
  init(&marks, secrets, own, text, length);
  marks.bits = calloc(length / 8 + 1, sizeof *marks.bits);
  if (!marks.bits) return false;
  look_everywhere(&marks);
  whole = write_masked(&marks, out);
  free(marks.bits);
  return whole;
}
