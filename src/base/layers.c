/* layers: see layers.h. Each layer reads from the one below it, a few characters ahead, so a text takes a time that grows with
   its length alone, and no memory. */
#include "base/layers.h"

#include <string.h>

#include "base/text.h"

void braze_layers_init(struct braze_layers *layers, const char *text, size_t length, int depth) {
  int i;
  layers->text = text;
  layers->length = layers->cut = length;
  layers->at = 0;
  layers->depth = depth;
  layers->decoded = false;
  for (i = 0; i < depth; i++) layers->below[i].count = 0;
}

static bool next_at(struct braze_layers *layers, int depth, struct braze_character *character);

/* The character `index` places ahead in what a layer reads. Its value is -1 behind the end of the text. */
static int peek(struct braze_layers *layers, int depth, size_t index) {
  struct braze_layer *below = &layers->below[depth - 1];
  while (below->count <= index) {
    if (!next_at(layers, depth - 1, &below->ahead[below->count])) return -1;
    below->count++;
  }
  return below->ahead[index].value;
}

/* Replaces the next characters by one of this value. */
static void take(struct braze_layers *layers, int depth, size_t count, int value, struct braze_character *character) {
  struct braze_layer *below = &layers->below[depth - 1];
  character->value = value;
  character->start = below->ahead[0].start;
  character->end = below->ahead[count - 1].end;
  below->count -= count;
  memmove(below->ahead, below->ahead + count, below->count * sizeof *below->ahead);
}

/* The number of `count` digits that lies ahead; -1: there is none, -2: the text ends before its last digit. */
static int number_ahead(struct braze_layers *layers, int depth, size_t index, size_t count, int base) {
  int value = 0;
  size_t i;
  for (i = 0; i < count; i++) {
    int next = peek(layers, depth, index + i);
    int digit = next < 0 || next > 0x7F ? -1 : braze_text_hex_value((char)next);
    if (next < 0) return -2;
    if (digit < 0 || digit >= base) return -1;
    value = value * base + digit;
  }
  return value;
}

static int named(int number) {
  return number < 0x80 ? number : BRAZE_NAMED + number;
}

/* The character for which the escape ahead stands, and its length in *count. -1: there is no escape, -2: the end of the text cuts it. */
static int backslash_escape(struct braze_layers *layers, int depth, size_t *count) {
  int kind = peek(layers, depth, 1), number;
  static const char letters[] = "nrtbf", meant[] = "\n\r\t\b\f";
  const char *letter;
  *count = 2;
  if (kind < 0) return -2;
  if (kind == '"' || kind == '\\' || kind == '/') return kind;
  if (kind == 'u' || kind == 'x') {
    size_t digits = kind == 'u' ? 4 : 2;
    number = number_ahead(layers, depth, 2, digits, 16);
    *count = 2 + digits;
    return number < 0 ? number : named(number);
  }
  letter = kind > 0 && kind < 0x80 ? strchr(letters, kind) : NULL;
  return letter ? meant[letter - letters] : -1;
}

static int percent_escape(struct braze_layers *layers, int depth, size_t *count) {
  *count = 3;
  return number_ahead(layers, depth, 1, 2, 16);
}

static int numeric_entity(struct braze_layers *layers, int depth, size_t *count) {
  int next = peek(layers, depth, 2), base = next == 'x' || next == 'X' ? 16 : 10, value = 0;
  size_t index = base == 16 ? 3 : 2, first = index;
  for (; index + 1 < BRAZE_LONGEST_ESCAPE; index++) {
    int digit = number_ahead(layers, depth, index, 1, base);
    if (digit == -2) return -2;
    if (digit < 0) break;
    value = value > 0x10FFFF ? value : value * base + digit;
  }
  *count = index + 1;
  next = peek(layers, depth, index);
  if (next < 0) return -2;
  return next == ';' && index > first ? named(value) : -1;
}

static int entity(struct braze_layers *layers, int depth, size_t *count) {
  static const struct {
    const char *name;
    int value;
  } names[] = {{"amp;", '&'}, {"quot;", '"'}, {"apos;", '\''}, {"lt;", '<'}, {"gt;", '>'}, {"sol;", '/'}, {"bsol;", '\\'}};
  int next = peek(layers, depth, 1);
  size_t i, length;
  if (next < 0) return -2;
  if (next == '#') return numeric_entity(layers, depth, count);
  for (i = 0; i < sizeof names / sizeof *names; i++) {
    for (length = 0; names[i].name[length] && peek(layers, depth, 1 + length) == names[i].name[length]; length++) continue;
    *count = 1 + length;
    if (!names[i].name[length]) return names[i].value;
    if (length > 0 && peek(layers, depth, 1 + length) < 0) return -2;
  }
  return -1;
}

static bool next_at(struct braze_layers *layers, int depth, struct braze_character *character) {
  size_t count = 1;
  int first, value = -1;
  if (depth == 0) {
    if (layers->at == layers->length) return false;
    character->value = (unsigned char)layers->text[layers->at];
    character->start = layers->at++;
    character->end = layers->at;
    return true;
  }
  first = peek(layers, depth, 0);
  if (first < 0) return false;
  if (first == '\\') value = backslash_escape(layers, depth, &count);
  if (first == '%') value = percent_escape(layers, depth, &count);
  if (first == '&') value = entity(layers, depth, &count);
  if (value == -2 && layers->below[depth - 1].ahead[0].start < layers->cut) layers->cut = layers->below[depth - 1].ahead[0].start;
  if (value >= 0 && depth == layers->depth) layers->decoded = true;
  take(layers, depth, value >= 0 ? count : 1, value >= 0 ? value : first, character);
  return true;
}

bool braze_layers_next(struct braze_layers *layers, struct braze_character *character) {
  return next_at(layers, layers->depth, character);
}
