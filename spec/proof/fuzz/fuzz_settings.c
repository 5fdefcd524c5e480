/* fuzz_settings: what a caller gives: endpoints, proxies, keys, values, names that are nearly right. The first byte selects.
   A URL that is taken must mean to libcurl, which connects to it, what it means to us. */
#include <curl/curl.h>

#include "base/buffer.h"
#include "service/operation.h"
#include "fuzz.h"
#include "service/instance.h"
#include "http/settings.h"
#include "base/text.h"

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
  const char *ours = settings->host;
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
  CLAIM(strpbrk(settings->url, "?#\\\"<>^`{|} ") == NULL && !strchr(settings->host, '@'));
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
  taken = braze_settings_set_endpoint(settings, text, start + length, &words.message, &words.hint);
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
  taken = braze_settings_set_proxy(settings, text, start + length, "localhost", &words.message, &words.hint);
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
  taken = braze_settings_set_api_key(settings, key, length, &words.message, &words.hint);
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

static void fuzz_field(struct input *input) {
  struct braze_field field = {.name = "field"};
  unsigned flags = take_byte(input);
  size_t length, position = 0, expected_position, good = 0, count;
  char *text;
  enum braze_field_fault fault, expected = BRAZE_FIELD_GOOD;
  field.ascii = flags & 1;
  field.most_length = flags >> 1;
  text = take_text(input, 256, &length);
  while (good < length && (count = utf8_character(text + good, length - good)) > 0 && (!field.ascii || is_printable(text[good]))) good += count;
  expected_position = good + 1;
  if (field.ascii && length > 0 && good == length && (text[0] == ' ' || text[length - 1] == ' ')) {
    expected = BRAZE_FIELD_SPACE_AT_END;
    expected_position = text[0] == ' ' ? 1 : length;
  }
  if (field.most_length > 0 && length > field.most_length) expected = BRAZE_FIELD_TOO_LONG;
  if (good < length) expected = field.ascii ? BRAZE_FIELD_NOT_PRINTABLE : BRAZE_FIELD_NOT_UTF8;
  if (length == 0) expected = BRAZE_FIELD_EMPTY;
  fault = braze_field_check(&field, text, length, &position);
  CLAIM(fault == expected);
  if (fault == BRAZE_FIELD_NOT_PRINTABLE || fault == BRAZE_FIELD_NOT_UTF8 || fault == BRAZE_FIELD_SPACE_AT_END) CLAIM(position == expected_position);
  CLAIM(braze_endpoint_find(text, length) == (length == 14 && memcmp(text, "create_send_id", 14) == 0 ? braze_endpoint_at(0) : NULL));
  free(text);
}

static void fuzz_ca_file(struct input *input) {
  struct words words;
  struct braze_settings *settings = new_settings(&words);
  size_t length;
  char *text = take_text(input, 512, &length);
  bool taken = braze_settings_set_ca_file(settings, text, length, &words.message, &words.hint);
  CLAIM(taken == (length > 0 && !memchr(text, '\0', length)));
  claim_words(&words, taken);
  if (taken) CLAIM(strlen(settings->ca_file) == length && memcmp(settings->ca_file, text, length) == 0);
  free(text);
  free_all(settings, &words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static void (*const targets[])(struct input *) = {fuzz_endpoint, fuzz_proxy, fuzz_key, fuzz_nearest, fuzz_field, fuzz_ca_file};
  struct input input = {data, size};
  targets[take_byte(&input) % (sizeof targets / sizeof *targets)](&input);
  return 0;
}
