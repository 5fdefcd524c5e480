/* fuzz_response: what comes from the service: lines of a header, dates, numbers, secrets in text, text for a terminal, links, JSON,
   and what an outcome leads to. The first byte selects; each is held against a second, simple writing of the same rule. */
#define _GNU_SOURCE /* gmtime_r under -std=c11 */
#include <math.h>
#include <strings.h>
#include <time.h>

#include "base/buffer.h"
#include "base/json_reader.h"
#include "fuzz.h"
#include "http/headers.h"
#include "http/link.h"
#include "http/outcome.h"
#include "http/retry.h"
#include "base/redact.h"
#include "base/secret.h"
#include "base/text.h"

#define MAX_EXACT INT64_C(9007199254740991)
#define END_OF_9999 253402300800.0

/* --- headers ------------------------------------------------------------------------------------------ */

static void claim_number(int64_t value) {
  CLAIM(value == BRAZE_ABSENT || (value >= 0 && value <= MAX_EXACT));
}

static void claim_time(double at, double epoch) {
  CLAIM(isfinite(at));
  CLAIM(at < 0 ? at == BRAZE_ABSENT : at <= END_OF_9999 + epoch || at <= epoch + (double)MAX_EXACT);
}

static void feed(const char *text, size_t length, double epoch, struct braze_headers *headers, struct braze_outcome *outcome) {
  size_t start = 0, end;
  for (; start < length; start = end) {
    char *line;
    for (end = start; end < length && text[end] != '\n'; end++) continue;
    if (end < length) end++;
    line = malloc(end - start);
    CLAIM(line);
    memcpy(line, text + start, end - start);
    braze_headers_line(headers, line, end - start, epoch, outcome);
    free(line);
  }
  braze_headers_finish(headers, outcome);
  claim_number(outcome->rate_limit.limit);
  claim_number(outcome->rate_limit.remaining);
  claim_number(outcome->rate_limit.reset);
  claim_time(outcome->retry_after, epoch);
  CLAIM(memchr(outcome->request_id, '\0', sizeof outcome->request_id));
  CLAIM(memchr(outcome->location, '\0', sizeof outcome->location));
  CLAIM(memchr(outcome->coding, '\0', sizeof outcome->coding));
  CLAIM(isfinite(outcome->clock_ahead));
}

/* The same lines twice over say the same, unless they begin with a folded one: that would go on with the last one. Lines with a status line
   among them are read once: behind the end of a final response it is a trailer. */
static void fuzz_lines(struct input *input) {
  const double epoch = 1800000000;
  struct braze_headers headers;
  struct braze_outcome once, twice;
  size_t length;
  char *text = take_text(input, 4096, &length);
  braze_outcome_init(&once);
  braze_headers_init(&headers);
  feed(text, length, epoch, &headers, &once);
  if (holds(text, length, "HTTP/", 5)) {
    free(text);
    return;
  }
  twice = once;
  if (length > 0 && (text[0] == ' ' || text[0] == '\t')) braze_headers_init(&headers);
  feed(text, length, epoch, &headers, &twice);
  CLAIM(twice.rate_limit.limit == once.rate_limit.limit);
  CLAIM(twice.rate_limit.remaining == once.rate_limit.remaining);
  CLAIM(twice.rate_limit.reset == once.rate_limit.reset);
  CLAIM(twice.retry_after == once.retry_after && twice.retry_after_unread == once.retry_after_unread);
  CLAIM(twice.clock_ahead == once.clock_ahead && strcmp(twice.coding, once.coding) == 0);
  CLAIM(strcmp(twice.request_id, once.request_id) == 0 && strcmp(twice.location, once.location) == 0);
  free(text);
}

static void fuzz_retry_after(struct input *input) {
  static const double epochs[] = {0, 1, 951782400, 1800000000, 4102444800.0, 253402300799.0};
  double epoch = epochs[take_byte(input) % (sizeof epochs / sizeof *epochs)];
  size_t length;
  char *text = take_text(input, 256, &length);
  claim_time(braze_headers_retry_after(text, length, epoch), epoch);
  free(text);
}

/* A time that the C library writes in each of the three forms is the time that is read. */
static void fuzz_dates(struct input *input) {
  static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"};
  time_t seconds = (time_t)(take_number(input, 5) % (uint64_t)END_OF_9999);
  /* Of a year in two digits: within the 49 years before and 50 after. */
  double epoch = (double)seconds + ((double)(take_number(input, 2) % 98) - 49) * 31556952.0;
  struct tm parts;
  char text[64];
  size_t form, length;
  CLAIM(gmtime_r(&seconds, &parts));
  for (form = 0; form < 3; form++) {
    if (form == 1 && (epoch < 0 || seconds < 0)) continue;
    length = strftime(text, sizeof text, forms[form], &parts);
    CLAIM(length > 0);
    if (form == 1) {
      /* Two digits mean a year of this century, or of the one before where that would be more than 50 years ahead. */
      int year = 1970 + (int)(epoch / 31556952.0), meant = year / 100 * 100 + parts.tm_year % 100;
      if (meant > year + 50) meant -= 100;
      if (parts.tm_year + 1900 != meant) continue;
    }
    CLAIM(braze_headers_retry_after(text, length, epoch) == (double)seconds);
  }
}

static void fuzz_numbers(struct input *input) {
  size_t length, i;
  char *text = take_text(input, 64, &length);
  int64_t value = braze_headers_number(text, length);
  long double expected = 0;
  bool plain = length > 0;
  for (i = 0; i < length; i++) {
    plain = plain && text[i] >= '0' && text[i] <= '9';
    expected = expected * 10 + (text[i] - '0');
  }
  if (plain && expected <= (long double)MAX_EXACT)
    CLAIM((long double)value == expected);
  else
    CLAIM(value == BRAZE_ABSENT);
  free(text);
}

/* --- redaction ---------------------------------------------------------------------------------------- */

static bool is_hex(const char *text, size_t count, unsigned value) {
  char digits[5] = "";
  memcpy(digits, text, count);
  return strspn(digits, "0123456789abcdefABCDEF") == count && strtoul(digits, NULL, 16) == value;
}

/* Whether the secret stands at the start of text, each character plain or in any escape: all ways are tried. */
static bool stands(const char *secret, size_t secret_length, const char *text, size_t length) {
  if (secret_length == 0) return true;
  if (length == 0) return false;
  if (text[0] == secret[0] && stands(secret + 1, secret_length - 1, text + 1, length - 1)) return true;
  if (length >= 2 && text[0] == '\\' && text[1] == secret[0] && (secret[0] == '/' || secret[0] == '"') &&
      stands(secret + 1, secret_length - 1, text + 2, length - 2))
    return true;
  if (length >= 6 && text[0] == '\\' && text[1] == 'u' && is_hex(text + 2, 4, (unsigned char)secret[0]) &&
      stands(secret + 1, secret_length - 1, text + 6, length - 6))
    return true;
  return length >= 3 && text[0] == '%' && is_hex(text + 1, 2, (unsigned char)secret[0]) &&
         stands(secret + 1, secret_length - 1, text + 3, length - 3);
}

static void claim_hidden(const char *secret, size_t secret_length, const char *text, size_t length) {
  size_t at;
  for (at = 0; at < length; at++) CLAIM(!stands(secret, secret_length, text + at, length - at));
}

/* A key from printable ASCII, but for what the mask and the escapes are made of: "***" in a key may stand where text and mask
   meet, and a key with "%41" or "&#65;" in it is one that no service gives. */
static size_t take_key(struct input *input, char *key, size_t most) {
  size_t length = 1 + take_byte(input) % most, i;
  for (i = 0; i < length; i++) {
    key[i] = (char)('!' + take_byte(input) % ('~' - '!' + 1));
    if (strchr("*%\\&", key[i])) key[i] = '-';
  }
  return length;
}

/* The rest of the input with the key in it wherever a byte of it says so: whole, cut, escaped. */
static size_t fill_text(struct input *input, const char *key, size_t key_length, char *text, size_t room) {
  size_t length = 0, i, count;
  while (input->left > 0 && length + 6 * key_length + 1 < room) {
    unsigned byte = take_byte(input);
    if (byte < 0xF8) {
      text[length++] = (char)byte;
      continue;
    }
    count = byte & 1 ? key_length : take_byte(input) % (key_length + 1);
    for (i = 0; i < count; i++) {
      unsigned way = byte == 0xFF ? take_byte(input) % 4 : (byte >> 1) & 3;
      if (way == 1)
        length += (size_t)sprintf(text + length, "%%%02X", (unsigned)(unsigned char)key[i]);
      else if (way == 2)
        length += (size_t)sprintf(text + length, "\\u%04x", (unsigned)(unsigned char)key[i]);
      else
        text[length++] = key[i];
    }
  }
  return length;
}

static void fuzz_redaction(struct input *input) {
  char key[48], password[16], text[4096], *exact;
  unsigned choice = take_byte(input);
  size_t key_length = take_key(input, key, sizeof key), run = take_byte(input), password_length = 0, length;
  /* The caller's own text: what is left of the key after its first character, so that the whole key is not in it. */
  struct braze_own_text own = {choice & 128 ? key + 1 : NULL, key_length - 1};
  struct braze_secrets *secrets = braze_secrets_new();
  struct braze_buffer out;
  bool found, whole;
  CLAIM(secrets && braze_secrets_set_api_key(secrets, key, key_length));
  if (choice & 1) {
    password_length = take_key(input, password, sizeof password);
    CLAIM(braze_secrets_set(secrets, BRAZE_SECRET_PROXY_PASSWORD, password, password_length));
  }
  length = fill_text(input, key, key_length, text, sizeof text - 1);
  exact = malloc(length ? length : 1);
  CLAIM(exact);
  memcpy(exact, text, length);
  braze_buffer_init(&out, choice & 2 ? choice >> 2 : 1 << 20);
  found = braze_redact_finds(secrets, &own, exact, length);
  whole = braze_redact(secrets, &own, exact, length, &out);
  CLAIM(whole || choice & 2);
  if (!own.text) claim_hidden(key, key_length, braze_buffer_text(&out), out.length);
  if (!own.text && password_length >= 6) claim_hidden(password, password_length, braze_buffer_text(&out), out.length);
  if (!own.text && key_length >= 8) claim_hidden(key + run % (key_length - 7), 8, braze_buffer_text(&out), out.length);
  if (whole && !found) CLAIM(out.length == length && memcmp(braze_buffer_text(&out), exact, length) == 0);
  if (whole && found) CLAIM(holds(out.bytes, out.length, "***", 3));
  braze_buffer_free(&out);
  free(exact);
  braze_secrets_release(secrets);
}

/* --- text --------------------------------------------------------------------------------------------- */

/* Written apart from src/base/text.c on purpose: a text without its last character, if that is cut, or not plain. */
static void claim_plain(const char *text, size_t length) {
  size_t plain = length, at = 0, count;
  bool is_plain = braze_text_is_plain(text, &plain);
  CLAIM(plain <= length && length - plain < 4);
  while (at < length && (count = utf8_character(text + at, length - at)) > 0) {
    if ((count == 1 && (unsigned char)text[at] < 0x20 && !strchr("\t\r\n", text[at])) || text[at] == '\0' || text[at] == 0x7F) break;
    if ((unsigned char)text[at] == 0xC2 && (unsigned char)text[at + 1] < 0xA0) break;
    at += count;
  }
  if (is_plain) CLAIM(at == plain);
  if (at == length) CLAIM(is_plain);
  if (!is_plain) CLAIM(at < length);
}

static void fuzz_text(struct input *input) {
  size_t most = take_byte(input) * 4, room = take_byte(input) * 8, length, good = 0, count, ascii = 0;
  char *text = take_text(input, 1024, &length);
  struct braze_buffer out;
  while (good < length && (count = utf8_character(text + good, length - good)) > 0) good += count;
  while (ascii < length && !((unsigned char)text[ascii] & 0x80)) ascii++;
  CLAIM(braze_text_utf8_length(text, length) == good);
  CLAIM(braze_text_ascii_length(text, length) == ascii);
  claim_plain(text, length);
  braze_buffer_init(&out, room);
  braze_text_escape(&out, text, length, most);
  CLAIM(is_one_line(braze_buffer_text(&out), out.length));
  CLAIM(out.length <= most + 3 && out.length <= room);
  if (length > most && room >= most + 3) CLAIM(out.length >= 3 && memcmp(out.bytes + out.length - 3, "...", 3) == 0);
  braze_buffer_free(&out);
  free(text);
}

/* --- what an outcome leads to -------------------------------------------------------------------------- */

/* Section 1 of the rules, written down once more: 0 never, 1 with a send_id of the caller's, 2 always, 3 when told. */
static int rule(const struct braze_outcome *outcome) {
  int status = outcome->status;
  if (status == 429) return 3;
  if (status == 408 || status == 500 || (status >= 502 && status <= 504) || (status >= 520 && status <= 524)) return 1;
  if (status >= 300) return 0;
  if (outcome->proxy_status >= 400 && outcome->proxy_status < 500) return 0;
  if (outcome->kind == BRAZE_TLS) return outcome->trust_failed || outcome->request_sent ? 0 : 2;
  if (outcome->kind == BRAZE_NETWORK || outcome->kind == BRAZE_TIMEOUT) return outcome->request_sent ? 1 : 2;
  return 0;
}

static void fuzz_retry(struct input *input) {
  struct braze_retry_call call;
  struct braze_retry_time time = {1000, 1800000000, 0};
  struct braze_outcome outcome;
  struct braze_bucket bucket;
  unsigned flags = take_byte(input);
  int tokens = (int)(take_number(input, 2) % 501), cost;
  double at = -1, told;
  braze_outcome_init(&outcome);
  outcome.status = (int)(take_number(input, 2) % 1000);
  outcome.proxy_status = flags & 1 ? (int)(take_number(input, 2) % 600) : 0;
  outcome.request_sent = flags & 2 || outcome.status > 0;
  outcome.trust_failed = (flags & 4) != 0;
  outcome.answered = (flags & 8) != 0;
  if (flags & 16) outcome.retry_after = (double)take_number(input, 6) / 256;
  outcome.retry_after_unread = (flags & 16) != 0 && take_byte(input) % 4 == 0;
  if (flags & 32) outcome.rate_limit.reset = (int64_t)take_number(input, 5);
  if (flags & 32) outcome.clock_ahead = (double)(int)take_byte(input) - 128;
  braze_outcome_fail(&outcome, (enum braze_kind)(take_byte(input) % BRAZE_KIND_COUNT));
  if (outcome.status == 0 || outcome.status >= 300) {
    if (outcome.status) braze_outcome_classify_status(&outcome);
  }
  call.repeatable = (flags & 64) != 0;
  call.retries = (int)(take_byte(input) % 11);
  call.tries = 1 + (int)(take_byte(input) % 11);
  call.deadline = time.now + (double)take_number(input, 2) / 64;
  time.random = (double)take_byte(input) / 256;
  cost = outcome.kind == BRAZE_TIMEOUT ? 10 : 5;
  told = braze_outcome_retry_at(&outcome, time.epoch);
  atomic_init(&bucket.tokens, tokens);
  if (!braze_retry_decide(&call, &outcome, &time, &bucket, &at)) {
    CLAIM(atomic_load(&bucket.tokens) == tokens);
    return;
  }
  CLAIM(!outcome.answered && call.tries <= call.retries);
  CLAIM(rule(&outcome) != 0 && (rule(&outcome) != 1 || call.repeatable));
  if (rule(&outcome) == 3) CLAIM(told >= time.epoch - 1);
  CLAIM(at >= time.now && at < call.deadline);
  /* What lies inside the deadline is plausible, so it is told. */
  if (outcome.retry_after_unread)
    CLAIM(at >= time.now + 8 && at >= time.now + (outcome.retry_after - time.epoch));
  else
    CLAIM(told > time.epoch ? at == time.now + (told - time.epoch) : at <= time.now + 8);
  CLAIM(atomic_load(&bucket.tokens) == tokens - cost && tokens >= cost);
}

/* --- the header Link ------------------------------------------------------------------------------------ */

/* Whether a target without its query leads to the host: written apart from src/http/link.c on purpose. */
static bool leads_to(const char *target, size_t length, const char *authority) {
  const char *host = target, *end = target + length, *port = "";
  size_t i;
  for (i = 0; i + 3 <= length && !strchr("/:?", target[i]); i++) continue;
  if (i + 3 <= length && memcmp(target + i, "://", 3) == 0) {
    port = i == 5 ? ":443" : ":80";
    host = target + i + 3;
    if (!(i == 5 && strncasecmp(target, "https", 5) == 0) && !(i == 4 && strncasecmp(target, "http", 4) == 0)) return false;
  } else if (length >= 2 && memcmp(target, "//", 2) == 0) {
    host = target + 2;
  } else { /* a path */
    return !memchr(target, ':', length) || (memchr(target, '/', length) && memchr(target, '/', length) < memchr(target, ':', length)) || memchr(target, '\0', length);
  }
  for (i = 0; host + i < end && host[i] != '/'; i++) continue;
  if (i == strlen(authority)) return strncasecmp(host, authority, i) == 0;
  return i == strlen(authority) + strlen(port) && strncasecmp(host, authority, strlen(authority)) == 0 && memcmp(host + strlen(authority), port, strlen(port)) == 0;
}

/* The next page's query comes from a link, and from no other host's. */
static void fuzz_link(struct input *input) {
  static const char *const hosts[] = {"rest.iad-01.braze.com", "127.0.0.1:8080", "[::1]", "[::1]:80"};
  const char *host = hosts[take_byte(input) % 4], *query = NULL, *at;
  size_t length, query_length = 0;
  char *text = take_text(input, 1024, &length);
  bool good = false;
  if (braze_link_next(text, length, host, &query, &query_length)) {
    CLAIM(query > text + 1 && query_length > 0 && query + query_length < text + length && query[-1] == '?');
    CLAIM(!memchr(query, '>', query_length) && !memchr(query, '#', query_length));
    /* A target may have "<" in it: one of them begins it. */
    for (at = query - 2; at >= text && *at != '>'; at--) good = good || (*at == '<' && leads_to(at + 1, (size_t)(query - 1 - (at + 1)), host));
    CLAIM(good);
  }
  free(text);
}

static bool is_utf8(const char *text, size_t length) {
  size_t at = 0, count;
  while (at < length && (count = utf8_character(text + at, length - at)) > 0) at += count;
  return at == length;
}

/* A JSON text is read without reading too far; what is valid has members that are valid, and keeps its digest behind blanks. What was
   written as a string is read as the same. */
static void fuzz_json(struct input *input) {
  struct braze_buffer meant, written;
  struct braze_digest digest, again;
  struct braze_json value;
  size_t length;
  char *text = take_text(input, 1024, &length);
  bool valid;
  braze_digest_init(&digest);
  braze_digest_init(&again);
  braze_buffer_init(&meant, 8192);
  braze_buffer_init(&written, 8192);
  valid = braze_json_digest(&digest, text, length);
  CLAIM(valid == braze_json_is_valid(text, length));
  value = braze_json_member(text, length, "message");
  if (value.text) CLAIM(value.text > text && value.text + value.length <= text + length && braze_json_is_valid(value.text, value.length));
  if (value.text && value.text[0] == '"') CLAIM(braze_json_read_string(value, &meant) && meant.length <= value.length);
  if (valid) {
    CLAIM(braze_buffer_append(&written, " \n", 2) && braze_buffer_append(&written, text, length) && braze_buffer_append(&written, "\t", 1));
    CLAIM(braze_json_digest(&again, written.bytes, written.length) && again.left == digest.left && again.right == digest.right);
  }
  braze_buffer_free(&written);
  braze_buffer_clear(&meant);
  CLAIM(braze_json_write_string(&written, text, length) && braze_json_is_valid(written.bytes, written.length));
  value.text = written.bytes;
  value.length = written.length;
  CLAIM(braze_json_read_string(value, &meant));
  if (is_utf8(text, length)) CLAIM(meant.length == length && (length == 0 || memcmp(meant.bytes, text, length) == 0));
  braze_buffer_free(&written);
  braze_buffer_free(&meant);
  free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const targets[])(struct input *) = {fuzz_lines,     fuzz_retry_after, fuzz_dates, fuzz_numbers,
                                                    fuzz_redaction, fuzz_text,        fuzz_retry, fuzz_link};
  struct input input = {data, size};
  const unsigned which = take_byte(&input);
  (which == 0xFF ? fuzz_json : targets[which % (sizeof targets / sizeof *targets)])(&input);
  return 0;
}
