/* target: see target.h. */
#include "service/target.h"

#include <string.h>

#include "base/text.h"

#define MAX_SHOWN 80
#define SHORTEST_KEY 20
#define HINT "write \"POST /users/track\": GET, POST, PUT, PATCH or DELETE, one space, and a path that begins with one \"/\""

static bool is_unreserved(unsigned char byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '.' ||
         byte == '_' || byte == '~';
}

bool braze_target_encode(struct braze_buffer *out, const char *text, size_t length) {
  static const char digits[] = "0123456789ABCDEF";
  size_t i;
  for (i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)text[i];
    char encoded[3] = {'%', digits[byte >> 4], digits[byte & 15]};
    if (!braze_buffer_append(out, is_unreserved(byte) ? text + i : encoded, is_unreserved(byte) ? 1 : 3)) return false;
  }
  return true;
}

bool braze_target_decode(struct braze_buffer *out, const char *text, size_t length) {
  size_t i;
  for (i = 0; i < length; i++) {
    int high = text[i] == '%' && i + 2 < length ? braze_text_hex_value(text[i + 1]) : -1;
    int low = high >= 0 ? braze_text_hex_value(text[i + 2]) : -1;
    char byte = low >= 0 ? (char)(high * 16 + low) : text[i] == '+' ? ' ' : text[i];
    if (low >= 0) i += 2;
    if (!braze_buffer_append(out, &byte, 1)) return false;
  }
  return true;
}

bool braze_target_add_query(struct braze_buffer *target, const char *name, size_t name_length, const char *value, size_t value_length) {
  const char *before = memchr(braze_buffer_text(target), '?', target->length) ? "&" : "?";
  return braze_buffer_append(target, before, 1) && braze_target_encode(target, name, name_length) && braze_buffer_append(target, "=", 1) &&
         braze_target_encode(target, value, value_length);
}

bool braze_target_is_meant(const char *text, size_t length) {
  return memchr(text, '/', length) || memchr(text, ' ', length);
}

/* NULL, or what is wrong with a path. */
static const char *check_path(const char *path, size_t length) {
  size_t i, part = 0;
  if (length == 0 || path[0] != '/') return "has a path that does not begin with \"/\"";
  for (i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)path[i];
    if (byte <= ' ' || byte >= 0x7F) return "has a space, a control character or a character that is not ASCII in its path";
    if (byte == '?') return "has a query in its path: give it as options.query, or as the parameters of a GET";
    if (byte == '#') return "has a fragment in its path";
    if (byte == '\\') return "has a \"\\\" in its path";
    if (byte == '/' && i + 1 < length && path[i + 1] == '/') return "has \"//\" in its path";
  }
  while (part < length) { /* "." and ".." (or %2e) would be folded away, and the request would go elsewhere than written */
    size_t end = ++part, dots = 0;
    while (end < length && path[end] != '/') end++;
    while (part < end) {
      size_t step = path[part] == '.' ? 1 : end - part >= 3 && braze_text_same(path + part, 3, "%2e") ? 3 : 0;
      if (step == 0) break;
      part += step;
      dots++;
    }
    if (part == end && (dots == 1 || dots == 2)) return "has \".\" or \"..\" in its path";
    part = end;
  }
  return NULL;
}

/* Whether a key may stand in a text that is no route: a long word with a digit in it. Whose key it would be is not known here. */
static bool may_hold_key(const char *text, size_t length) {
  size_t i, word = 0;
  bool digit = false;
  for (i = 0; i < length; i++) {
    bool inside = is_unreserved((unsigned char)text[i]);
    word = inside ? word + 1 : 0;
    digit = inside && (digit || (text[i] >= '0' && text[i] <= '9'));
    if (word >= SHORTEST_KEY && digit) return true;
  }
  return false;
}

bool braze_target_read(const char *text, size_t length, struct braze_target *target, struct braze_buffer *message,
                       struct braze_buffer *hint) {
  const char *space = memchr(text, ' ', length), *wrong = NULL;
  size_t word = space ? (size_t)(space - text) : 0;
  int method = 0;
  if (length > BRAZE_MAX_TARGET / 2) wrong = "is too long";
  for (; method < BRAZE_METHOD_COUNT; method++) {
    const char *name = braze_method_name((enum braze_method)method);
    if (strlen(name) == word && memcmp(name, text, word) == 0) break;
  }
  if (!wrong && (!space || method == BRAZE_METHOD_COUNT)) wrong = "does not begin with GET, POST, PUT, PATCH or DELETE and a space";
  if (!wrong) wrong = check_path(space + 1, length - word - 1);
  if (wrong) {
    if (may_hold_key(text, length)) {
      braze_buffer_print(message, "the route (%zu characters; not shown, it may hold a key) %s", length, wrong);
    } else {
      braze_text_quote(message, text, length, MAX_SHOWN);
      braze_buffer_print(message, " %s", wrong);
    }
    braze_buffer_print(hint, HINT);
    return false;
  }
  target->method = (enum braze_method)method;
  target->path = space + 1;
  target->length = length - word - 1;
  return true;
}
