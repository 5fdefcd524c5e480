/* fuzz_settings: what a caller gives: endpoints, proxies, keys, values, names that are nearly right, routes and queries. The first byte selects.
   A URL that is taken must mean to libcurl, which connects to it, what it means to us. */
#include <curl/curl.h>

#include "base/buffer.h"
#include "base/text.h"
#include "fuzz.h"
#include "http/settings.h"
#include "service/account.h"
#include "service/instance.h"
#include "service/operation.h"
#include "service/target.h"

#define SECRET "Zq7-secret-Zq7"

struct words {
  struct braze_buffer message, hint;
};

static struct braze_settings *new_settings(struct words *words) {
  struct braze_settings *settings = braze_settings_new();
  CLAIM(settings);
  braze_buffer_init(&words->message, 8192);
  braze_buffer_init(&words->hint, 8192);
  return settings;
}

/* A refusal has its reason and says nothing secret; what is taken is taken without a word. */
static void claim_words(const struct words *words, bool taken) {
  if (taken) CLAIM(words->message.length == 0 && words->hint.length == 0);
  if (!taken) CLAIM(words->message.length > 0 && words->hint.length > 0);
  CLAIM(is_one_line(braze_buffer_text(&words->message), words->message.length));
  CLAIM(is_one_line(braze_buffer_text(&words->hint), words->hint.length));
}

static void claim_secret_hidden(const struct words *words) {
  CLAIM(!holds(braze_buffer_text(&words->message), words->message.length, SECRET, strlen(SECRET)));
  CLAIM(!holds(braze_buffer_text(&words->hint), words->hint.length, SECRET, strlen(SECRET)));
}

static void free_all(struct braze_settings *settings, struct words *words) {
  braze_buffer_free(&words->message);
  braze_buffer_free(&words->hint);
  braze_settings_release(settings);
}

/* The part of a URL as libcurl reads it; freed by curl_free. */
static char *part(CURLU *url, CURLUPart which) {
  char *text = NULL;
  return curl_url_get(url, which, &text, 0) == CURLUE_OK ? text : NULL;
}

static bool same_host(const char *ours, const char *curls) {
  size_t length = strlen(curls);
  if (curls[0] == '[') { /* libcurl may write an IPv6 address anew */
    return strchr(ours, ':') != NULL;
  }
  return braze_text_same(curls, length, ours);
}

static bool is_named(const char *host) {
  return strspn(host, "0123456789.abcdefxABCDEFX") != strlen(host);
}

static void claim_same_to_libcurl(const struct braze_settings *settings) {
  CURLU *url = curl_url();
  char *scheme, *host, *user, *query;
  const char *ours = settings->authority;
  char copy[264];
  size_t length = strlen(ours);
  CLAIM(url && curl_url_set(url, CURLUPART_URL, settings->url, 0) == CURLUE_OK);
  scheme = part(url, CURLUPART_SCHEME);
  host = part(url, CURLUPART_HOST);
  user = part(url, CURLUPART_USER);
  query = part(url, CURLUPART_QUERY);
  CLAIM(scheme && strcmp(scheme, settings->secure ? "https" : "http") == 0);
  CLAIM(host && !user && !query);
  if (ours[0] != '[' && strchr(ours, ':')) length = (size_t)(strchr(ours, ':') - ours);
  CLAIM(length < sizeof copy);
  memcpy(copy, ours, length);
  copy[length] = '\0';
  /* libcurl reads 127.1 and 0x7f.1 as addresses, which we take for names: harmless, unless they lack TLS. */
  if (is_named(copy) || !settings->secure) CLAIM(same_host(copy, host));
  if (!settings->secure)
    CLAIM(strncmp(host, "127.", 4) == 0 || braze_text_same("localhost", 9, host) || strcmp(host, "[::1]") == 0);
  curl_free(scheme);
  curl_free(host);
  curl_free(user);
  curl_free(query);
  curl_url_cleanup(url);
}

static void claim_endpoint(const struct braze_settings *settings) {
  const char *at;
  CLAIM(strncmp(settings->url, "https://", 8) == 0 || (strncmp(settings->url, "http://", 7) == 0 && settings->loopback));
  CLAIM(settings->secure == (strncmp(settings->url, "https://", 8) == 0));
  CLAIM(strlen(settings->url) <= 2048 && settings->url[strlen(settings->url) - 1] != '/');
  CLAIM(strpbrk(settings->url, "?#\\\"<>^`{|} ") == NULL && !strchr(settings->authority, '@'));
  for (at = settings->url; *at; at++) CLAIM((unsigned char)*at > 0x20 && (unsigned char)*at < 0x7F);
  claim_same_to_libcurl(settings);
}

static void fuzz_endpoint(struct input *input) {
  static const char *const starts[] = {"", "https://", "http://", ("https://user:" SECRET "@"), ("https://rest.iad-01.braze.com/?key=" SECRET),
                                       "http://127.0.0.1", "http://[::1]", SECRET};
  unsigned choice = take_byte(input) % (sizeof starts / sizeof *starts);
  struct words words;
  struct braze_settings *settings = new_settings(&words);
  size_t start = strlen(starts[choice]), length;
  char *rest = take_text(input, 2200, &length), *text = malloc(start + length + 1);
  bool taken;
  CLAIM(text);
  memcpy(text, starts[choice], start);
  memcpy(text + start, rest, length);
  taken = braze_account_set_endpoint(settings, text, start + length, &words.message, &words.hint) == 0;
  claim_words(&words, taken);
  if (taken) claim_endpoint(settings);
  if (strstr(starts[choice], SECRET) && choice != 7 && !holds(rest, length, SECRET, strlen(SECRET))) {
    CLAIM(!taken);
    claim_secret_hidden(&words);
  }
  /* A key in the endpoint's place, unless what follows makes a URL or one of Braze's hosts of it. */
  if (choice == 7 && !memchr(rest, ':', length) && !holds(rest, length, "raze", 4) && !holds(rest, length, "RAZE", 4) && !memchr(rest, 'r', length) && !memchr(rest, 'R', length))
    claim_secret_hidden(&words);
  free(text);
  free(rest);
  free_all(settings, &words);
}

static void fuzz_proxy(struct input *input) {
  static const char *const starts[] = {"", "http://", "https://", "http://me:" SECRET "@", "me:" SECRET "@", "https://" SECRET "@"};
  unsigned choice = take_byte(input) % (sizeof starts / sizeof *starts);
  struct words words;
  struct braze_settings *settings = new_settings(&words);
  size_t start = strlen(starts[choice]), length;
  char *rest = take_text(input, 1024, &length), *text = malloc(start + length + 1);
  bool taken;
  CLAIM(text);
  memcpy(text, starts[choice], start);
  memcpy(text + start, rest, length);
  taken = braze_settings_set_proxy(settings, text, start + length, "localhost", &words.message, &words.hint) == 0;
  claim_words(&words, taken);
  if (taken && start + length > 0) {
    CURLU *url = curl_url();
    char *user, *host;
    CLAIM(settings->proxy && !strchr(settings->proxy, '@'));
    CLAIM(strncmp(settings->proxy, "http://", 7) == 0 || strncmp(settings->proxy, "https://", 8) == 0);
    CLAIM(url && curl_url_set(url, CURLUPART_URL, settings->proxy, 0) == CURLUE_OK);
    user = part(url, CURLUPART_USER);
    host = part(url, CURLUPART_HOST);
    CLAIM(!user && host);
    curl_free(host);
    curl_url_cleanup(url);
    CLAIM(strcmp(settings->no_proxy, "localhost") == 0);
    if (!holds(rest, length, SECRET, strlen(SECRET))) CLAIM(!strstr(settings->proxy, SECRET));
  }
  if (!holds(rest, length, SECRET, strlen(SECRET))) claim_secret_hidden(&words);
  free(text);
  free(rest);
  free_all(settings, &words);
}

static void fuzz_key(struct input *input) {
  struct words words;
  struct braze_settings *settings = new_settings(&words);
  bool planted = take_byte(input) & 1;
  size_t start = planted ? strlen(SECRET) : 0, length, i;
  char *rest = take_text(input, 9000, &length), *key = malloc(start + length + 1);
  bool taken;
  CLAIM(key);
  memcpy(key, SECRET, start);
  memcpy(key + start, rest, length);
  length += start;
  taken = braze_account_set_api_key(settings, key, length, &words.message, &words.hint) == 0;
  claim_words(&words, taken);
  if (planted) claim_secret_hidden(&words);
  if (taken) {
    const char *line = settings->secrets->authorization;
    CLAIM(strncmp(line, "Authorization: Bearer ", 22) == 0 && strlen(line) == 22 + length && memcmp(line + 22, key, length) == 0);
    for (i = 0; i < length; i++) CLAIM((unsigned char)key[i] > 0x20 && (unsigned char)key[i] < 0x7F);
  }
  free(key);
  free(rest);
  free_all(settings, &words);
}

/* --- names -------------------------------------------------------------------------------------------- */

static const char *const names[] = {"api_key", "endpoint", "timeout", "connect_timeout", "retries", "max_connections",
                                    "ca_file", "proxy",    "on_done", "US-01",           "EU-02",   "campaign_id"};

static const char *name_at(const void *list, int index) {
  return ((const char *const *)list)[index];
}

static void fuzz_nearest(struct input *input) {
  const int count = (int)(sizeof names / sizeof *names);
  size_t length;
  char *text = take_text(input, 80, &length);
  int found = braze_text_nearest(text, length, name_at, names, count), i;
  CLAIM(found >= -1 && found < count);
  if (found >= 0) CLAIM(length > 0 && length <= 64);
  for (i = 0; i < count; i++)
    if (braze_text_same(text, length, names[i])) CLAIM(found == i);
  free(text);
}

static bool is_printable(char character) {
  return character >= ' ' && character <= '~';
}

/* The fault of a send_id, found apart from src/service/operation.c on purpose. */
static enum braze_text_fault expect_send_id(const char *text, size_t length, size_t *position) {
  size_t good = 0;
  while (good < length && is_printable(text[good])) good++;
  *position = good + 1;
  if (length == 0) return BRAZE_TEXT_EMPTY;
  if (good < length) return BRAZE_TEXT_NOT_PRINTABLE;
  if (length > BRAZE_MAX_SEND_ID) return BRAZE_TEXT_TOO_LONG;
  *position = text[0] == ' ' ? 1 : length;
  return text[0] == ' ' || text[length - 1] == ' ' ? BRAZE_TEXT_SPACE_AT_END : BRAZE_TEXT_GOOD;
}

static enum braze_text_fault expect_text(const char *text, size_t length, bool required, size_t *position) {
  size_t good = 0, count;
  while (good < length && (count = utf8_character(text + good, length - good)) > 0) good += count;
  *position = good + 1;
  if (good < length) return BRAZE_TEXT_NOT_UTF8;
  return length == 0 && required ? BRAZE_TEXT_EMPTY : BRAZE_TEXT_GOOD;
}

static void fuzz_field(struct input *input) {
  struct braze_field field = {.name = "field"};
  unsigned flags = take_byte(input);
  size_t length, position = 0, expected_position;
  char *text;
  enum braze_text_fault fault, expected;
  field.rule = flags & 1 ? BRAZE_SEND_ID : BRAZE_ANY_TEXT;
  field.required = (flags & 2) != 0;
  text = take_text(input, 256, &length);
  expected = flags & 1 ? expect_send_id(text, length, &expected_position) : expect_text(text, length, field.required, &expected_position);
  fault = braze_field_check(&field, text, length, &position);
  CLAIM(fault == expected);
  if (fault == BRAZE_TEXT_NOT_PRINTABLE || fault == BRAZE_TEXT_NOT_UTF8 || fault == BRAZE_TEXT_SPACE_AT_END) CLAIM(position == expected_position);
  free(text);
}

/* A route that is taken goes to the client's own endpoint, at the path that was written. */
static void fuzz_route(struct input *input) {
  static const char *const starts[] = {"", "GET /", "POST /", "DELETE /", "PATCH ", "GET https://"};
  unsigned choice = take_byte(input) % (sizeof starts / sizeof *starts);
  struct braze_buffer message, hint;
  struct braze_target target;
  size_t start = strlen(starts[choice]), length, i;
  char *rest = take_text(input, 300, &length), *text = malloc(start + length + 1);
  bool taken;
  CLAIM(text);
  memcpy(text, starts[choice], start);
  memcpy(text + start, rest, length);
  length += start;
  braze_buffer_init(&message, 8192);
  braze_buffer_init(&hint, 8192);
  taken = braze_target_read(text, length, &target, &message, &hint);
  CLAIM(taken == (message.length == 0 && hint.length == 0));
  CLAIM(is_one_line(braze_buffer_text(&message), message.length) && is_one_line(braze_buffer_text(&hint), hint.length));
  if (taken) {
    const struct braze_operation *operation = braze_operation_find(text, length);
    CLAIM(!operation && target.path > text && target.path + target.length == text + length && target.path[0] == '/');
    CLAIM(!holds(target.path, target.length, "//", 2) && !holds(target.path, target.length, "/../", 4));
    for (i = 0; i < target.length; i++)
      CLAIM((unsigned char)target.path[i] > 0x20 && (unsigned char)target.path[i] < 0x7F && !strchr("?#\\", target.path[i]));
  }
  free(text);
  free(rest);
  braze_buffer_free(&message);
  braze_buffer_free(&hint);
}

/* What was encoded is decoded to the same text. */
static void fuzz_query(struct input *input) {
  struct braze_buffer encoded, decoded;
  size_t length, i;
  char *text = take_text(input, 300, &length);
  braze_buffer_init(&encoded, 1024);
  braze_buffer_init(&decoded, 1024);
  CLAIM(braze_target_encode(&encoded, text, length));
  for (i = 0; i < encoded.length; i++) CLAIM(is_printable(braze_buffer_text(&encoded)[i]) && !strchr(" &=?#/+", braze_buffer_text(&encoded)[i]));
  CLAIM(braze_target_decode(&decoded, braze_buffer_text(&encoded), encoded.length));
  CLAIM(decoded.length == length && (length == 0 || memcmp(braze_buffer_text(&decoded), text, length) == 0));
  free(text);
  braze_buffer_free(&encoded);
  braze_buffer_free(&decoded);
}

static void fuzz_ca_file(struct input *input) {
  struct words words;
  struct braze_settings *settings = new_settings(&words);
  size_t length;
  char *text = take_text(input, 512, &length);
  bool taken = braze_settings_set_ca_file(settings, text, length, &words.message, &words.hint) == 0;
  CLAIM(taken == (length > 0 && !memchr(text, '\0', length)));
  claim_words(&words, taken);
  if (taken) CLAIM(strlen(settings->ca_file) == length && memcmp(settings->ca_file, text, length) == 0);
  free(text);
  free_all(settings, &words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const targets[])(struct input *) = {fuzz_endpoint, fuzz_proxy, fuzz_key, fuzz_nearest, fuzz_field, fuzz_ca_file, fuzz_route, fuzz_query};
  struct input input = {data, size};
  targets[take_byte(&input) % (sizeof targets / sizeof *targets)](&input);
  return 0;
}
