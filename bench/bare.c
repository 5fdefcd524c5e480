/* bare: what bench/blocking.lua does, on libcurl alone: the limit that braze is compared with.
   bare CALLS WARM_UP USER_AGENT [careful] prints one line of JSON; BRAZE_API_KEY and BRAZE_REST_ENDPOINT are in the
   environment. It keeps one handle. "careful" is the same, but with libcurl 7.83.0 to 8.0.1: there it takes a new handle
   for each response, on one multi handle that keeps the connection, since in these versions a server can make a handle
   that served a response before write into freed memory. */
#define _GNU_SOURCE /* clock_gettime and strncasecmp under -std=c11 */
#include "request.h"

/* One call on the handle that is kept. */
static bool call(CURL *easy, struct answer *answer) {
  ask(easy, answer);
  return is_good(easy, curl_easy_perform(easy), answer);
}

static bool must_renew(void) {
  unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
  return version >= 0x075300 && version < 0x080100;
}

/* One call on a handle of its own. */
static bool call_carefully(CURLM *multi, CURL *easy, struct answer *answer) {
  CURLcode code = CURLE_FAILED_INIT;
  CURLMsg *message;
  int running = 1, left;
  bool good;
  if (!easy) return false;
  ask(easy, answer);
  if (curl_multi_add_handle(multi, easy) != CURLM_OK) running = 0;
  while (running > 0) {
    if (curl_multi_perform(multi, &running) != CURLM_OK) break;
    if (running > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  message = curl_multi_info_read(multi, &left);
  if (message) code = message->data.result;
  good = is_good(easy, code, answer);
  curl_multi_remove_handle(multi, easy);
  curl_easy_cleanup(easy);
  return good;
}

int main(int count, char **words) {
  const char *key = getenv("BRAZE_API_KEY"), *endpoint = getenv("BRAZE_REST_ENDPOINT");
  int calls = count > 3 ? atoi(words[1]) : 0, warm_up = count > 3 ? atoi(words[2]) : 0, bad = 0, number;
  static struct answer answer;
  struct curl_slist *headers;
  char url[512];
  bool careful = count == 5 && strcmp(words[4], "careful") == 0, renews;
  CURLM *multi;
  CURL *easy;
  double wall = 0, cpu = 0;
  if (calls < 1 || warm_up < 0 || (count > 4 && !careful) || !key || !endpoint) {
    fprintf(stderr, "usage: bare CALLS WARM_UP USER_AGENT [careful], with BRAZE_API_KEY and BRAZE_REST_ENDPOINT set\n");
    return 2;
  }
  snprintf(url, sizeof url, "%s/sends/id/create", endpoint);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  renews = careful && must_renew();
  headers = make_headers(key);
  easy = prepare(url, headers, words[3], &answer);
  multi = curl_multi_init();
  if (!headers || !easy || !multi) return 1;
  for (number = 1 - warm_up; number <= calls; number++) {
    if (number == 1) {
      wall = wall_us();
      cpu = cpu_us();
    }
    if (!(renews ? call_carefully(multi, prepare(url, headers, words[3], &answer), &answer)
                 : call(easy, &answer)))
      bad++;
  }
  cpu = cpu_us() - cpu;
  wall = wall_us() - wall;
  printf("{\"peer\":\"%sbare C\",\"version\":\"%s\",\"renews\":%s,\"n\":%d,\"bad\":%d,\"wall_us\":%.3f,"
         "\"cpu_us\":%.3f}\n",
         careful ? "careful " : "", curl_version(), renews ? "true" : "false", calls, bad, wall / calls, cpu / calls);
  curl_easy_cleanup(easy);
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return 0;
}
