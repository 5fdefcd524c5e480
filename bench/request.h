/* request: what the programs without Lua share: the request that braze sends and all that is looked at in its answer. The
   request has the same bytes, and options that cost or save something are set as braze sets them. */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>

#define CAMPAIGN "56f2e0a2-6b3c-4b7a-9d5f-1c2d3e4f5a6b"
#define SEND_ID "send_identifier" /* which the answer has: braze takes no other one for a success */
#define RATE_LIMIT "x-ratelimit-"
#define ABSENT (-1)

struct answer {
  char request[256];
  char body[4096];
  size_t length;
  long long limit, remaining, reset;
};

static inline size_t on_body(char *bytes, size_t size, size_t count, void *data) {
  struct answer *answer = data;
  size_t length = size * count;
  if (length >= sizeof answer->body - answer->length) return 0;
  memcpy(answer->body + answer->length, bytes, length);
  answer->length += length;
  return length;
}

/* The number after a header's name; what is not all digits is absent. */
static inline long long number_in(const char *bytes, const char *end) {
  long long number = 0;
  while (bytes < end && *bytes == ' ') bytes++;
  if (bytes == end || *bytes < '0' || *bytes > '9') return ABSENT;
  while (bytes < end && *bytes >= '0' && *bytes <= '9' && number < 1000000000000000)
    number = number * 10 + (*bytes++ - '0');
  return bytes < end && (*bytes == '\r' || *bytes == '\n') ? number : ABSENT;
}

/* Takes the number of a header, if it is the one of that name. */
static inline void take(long long *number, const char *name, const char *bytes, size_t length) {
  size_t name_length = strlen(name);
  if (length > name_length && strncasecmp(bytes, name, name_length) == 0)
    *number = number_in(bytes + name_length, bytes + length);
}

static inline size_t on_header(char *bytes, size_t size, size_t count, void *data) {
  struct answer *answer = data;
  size_t length = size * count;
  if (length < strlen(RATE_LIMIT) || strncasecmp(bytes, RATE_LIMIT, strlen(RATE_LIMIT)) != 0) return length;
  take(&answer->limit, RATE_LIMIT "limit:", bytes, length);
  take(&answer->remaining, RATE_LIMIT "remaining:", bytes, length);
  take(&answer->reset, RATE_LIMIT "reset:", bytes, length);
  return length;
}

/* Gives a handle its next request. */
static inline void ask(CURL *easy, struct answer *answer) {
  int length = snprintf(answer->request, sizeof answer->request,
                        "{\"campaign_id\":\"%s\",\"send_id\":\"%s\"}", CAMPAIGN, SEND_ID);
  answer->length = 0;
  answer->limit = answer->remaining = answer->reset = ABSENT;
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)length);
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, answer->request);
}

/* Whether the answer holds all that it has to. */
static inline bool is_good(CURL *easy, CURLcode code, struct answer *answer) {
  long status = 0;
  if (code != CURLE_OK) return false;
  answer->body[answer->length] = '\0';
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  return status == 201 && answer->limit >= 0 && answer->remaining >= 0 && answer->reset >= 0 &&
         strstr(answer->body, "\"message\":\"success\"") && strstr(answer->body, "\"send_id\":\"");
}

/* The trust store, as braze takes it: a folder takes the bundle's place. Without BRAZE_CA_FILE it is libcurl's own. */
static inline void set_trust(CURL *easy) {
  const char *path = getenv("BRAZE_CA_FILE");
  struct stat status;
  if (!path || stat(path, &status) != 0) return;
  curl_easy_setopt(easy, CURLOPT_CAPATH, S_ISDIR(status.st_mode) ? path : NULL);
  curl_easy_setopt(easy, CURLOPT_CAINFO, S_ISDIR(status.st_mode) ? NULL : path);
}

static inline CURL *prepare(const char *url, struct curl_slist *headers, const char *user_agent, struct answer *answer) {
  CURL *easy = curl_easy_init();
  if (!easy) return NULL;
  curl_easy_setopt(easy, CURLOPT_URL, url);
  curl_easy_setopt(easy, CURLOPT_POST, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(easy, CURLOPT_USERAGENT, user_agent);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOPROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 30000L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, answer);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, answer);
  set_trust(easy);
  return easy;
}

static inline struct curl_slist *make_headers(const char *key) {
  struct curl_slist *headers;
  char *authorization = malloc(strlen("Authorization: Bearer ") + strlen(key) + 1);
  if (!authorization) return NULL;
  strcpy(authorization, "Authorization: Bearer ");
  strcat(authorization, key);
  headers = curl_slist_append(NULL, authorization);
  headers = curl_slist_append(headers, "Accept-Encoding: identity");
  headers = curl_slist_append(headers, "Content-Type: application/json");
  free(authorization);
  return headers;
}

static inline double wall_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* By clock, which is what Lua's os.clock reads. */
static inline double cpu_us(void) {
  return (double)clock() * (1e6 / CLOCKS_PER_SEC);
}

/* KiB of memory, by its name in /proc/self/status; 0 where there is none. */
static inline long memory_kib(const char *name) {
  char line[256];
  long size = 0;
  FILE *file = fopen("/proc/self/status", "r");
  if (!file) return 0;
  while (fgets(line, sizeof line, file))
    if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':') size = atol(line + strlen(name) + 1);
  fclose(file);
  return size;
}

#endif
