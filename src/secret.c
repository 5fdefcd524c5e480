/* secret: see secret.h. */
#include "secret.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "wipe.h"

#define HEADER "Authorization: Bearer "
#define MASK "***"
#define LEAST_PART 8
#define LEAST_OTHER 6
#define LEAST_PART_AT_END 4

struct braze_secrets *braze_secrets_new(void) {
  struct braze_secrets *secrets = calloc(1, sizeof *secrets);
  if (secrets) atomic_init(&secrets->references, 1);
  return secrets;
}

struct braze_secrets *braze_secrets_retain(struct braze_secrets *secrets) {
  if (secrets) atomic_fetch_add(&secrets->references, 1);
  return secrets;
}

void braze_secrets_release(struct braze_secrets *secrets) {
  int which;
  if (!secrets || atomic_fetch_sub(&secrets->references, 1) > 1) return;
  for (which = 0; which < BRAZE_SECRET_COUNT; which++) {
    if (!secrets->texts[which]) continue;
    braze_wipe(secrets->texts[which], secrets->lengths[which]);
    free(which == BRAZE_SECRET_API_KEY ? secrets->authorization : secrets->texts[which]);
  }
  free(secrets);
}

static void note_beginning(struct braze_secrets *secrets, char first) {
  secrets->begins[(unsigned char)first] = secrets->begins['\\'] = secrets->begins['%'] = true;
}

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
  note_beginning(secrets, key[0]);
  return true;
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
  note_beginning(secrets, text[0]);
  return true;
}

static int hex_number(const char *text, size_t count) {
  int value = 0;
  size_t i;
  for (i = 0; i < count; i++) {
    int digit = braze_text_hex_value(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/* How many bytes at text stand for the character, plain or escaped; 0 = something else stands there.
   *cut is set where the text ends inside what may be its escape. */
static size_t stands_for(unsigned char character, const char *text, size_t length, bool *cut) {
  if (length == 0) return 0;
  if (text[0] == '\\' && length >= 2) {
    if (text[1] == (char)character && strchr("\"\\/", (char)character)) return 2;
    if (text[1] == 'u') {
      if (length < 6) *cut = true;
      else if (hex_number(text + 2, 4) == character) return 6;
    }
  }
  if (text[0] == '%') {
    if (length < 3) *cut = true;
    else if (hex_number(text + 1, 2) == character) return 3;
  }
  if (text[0] == '\\' && length == 1) *cut = true;
  return text[0] == (char)character;
}

/* Length in text of the secret or of a part of it that must not be shown, 0 where there is none. */
static size_t match(const char *secret, size_t secret_length, enum braze_parts parts, const char *text, size_t length) {
  size_t at = 0, matched = 0;
  bool cut = false;
  if (length >= secret_length && memcmp(text, secret, secret_length) == 0) return secret_length;
  while (matched < secret_length) {
    size_t taken = stands_for((unsigned char)secret[matched], text + at, length - at, &cut);
    if (taken == 0) break;
    at += taken;
    matched++;
  }
  if (matched == secret_length) return at;
  if (parts == BRAZE_WHOLE_ONLY) return 0;
  if (cut) at = length;
  if (matched >= LEAST_PART || (at == length && matched >= LEAST_PART_AT_END)) return at;
  return 0;
}

static size_t match_here(const struct braze_secrets *secrets, enum braze_parts parts, const char *text, size_t length) {
  size_t longest = 0;
  int which;
  if (!secrets->begins[(unsigned char)text[0]]) return 0;
  for (which = 0; which < BRAZE_SECRET_COUNT; which++) {
    size_t found = 0;
    if (which != BRAZE_SECRET_API_KEY && secrets->lengths[which] < LEAST_OTHER) continue;
    if (secrets->texts[which]) found = match(secrets->texts[which], secrets->lengths[which], parts, text, length);
    if (found > longest) longest = found;
  }
  return longest;
}

/* The same with what overlaps it: the start of a key that repeats itself must not hide the key. */
static size_t match_any(const struct braze_secrets *secrets, enum braze_parts parts, const char *text, size_t length) {
  size_t end = match_here(secrets, parts, text, length), at;
  for (at = 1; at < end; at++) {
    size_t more = match_here(secrets, parts, text + at, length - at);
    if (more > 0 && at + more > end) end = at + more;
  }
  return end;
}

bool braze_secrets_found(const struct braze_secrets *secrets, enum braze_parts parts, const char *text, size_t length) {
  const char *end = text + length;
  for (; text < end; text++)
    if (secrets->begins[(unsigned char)*text] && match_here(secrets, parts, text, (size_t)(end - text)) > 0) return true;
  return false;
}

bool braze_secrets_redact(const struct braze_secrets *secrets, enum braze_parts parts, const char *text, size_t length,
                          struct braze_buffer *out) {
  size_t at = 0, plain = 0;
  bool whole = true;
  while (at < length) {
    size_t found = match_any(secrets, parts, text + at, length - at);
    if (found == 0) {
      at++;
      continue;
    }
    whole = braze_buffer_append(out, text + plain, at - plain) && braze_buffer_append(out, MASK, sizeof MASK - 1) && whole;
    at += found;
    plain = at;
  }
  return braze_buffer_append(out, text + plain, length - plain) && whole;
}
