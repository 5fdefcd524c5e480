/* bare: what bench/blocking.lua does, on libcurl alone: the limit that braze is compared with.
   bare CALLS WARM_UP USER_AGENT prints one line of JSON; BRAZE_API_KEY and BRAZE_REST_ENDPOINT are in the environment. */
#define _GNU_SOURCE /* clock_gettime and strncasecmp under -std=c11 */
#include "request.h"

int main(int count, char **words) {
  const char *key = getenv("BRAZE_API_KEY"), *endpoint = getenv("BRAZE_REST_ENDPOINT");
  int calls = count > 3 ? atoi(words[1]) : 0, warm_up = count > 3 ? atoi(words[2]) : 0, bad = 0, number;
  static struct answer answer;
  struct curl_slist *headers;
  char url[512];
  CURL *easy;
  double wall = 0, cpu = 0;
  if (calls < 1 || warm_up < 0 || !key || !endpoint) {
    fprintf(stderr, "usage: bare CALLS WARM_UP USER_AGENT, with BRAZE_API_KEY and BRAZE_REST_ENDPOINT set\n");
    return 2;
  }
  snprintf(url, sizeof url, "%s/sends/id/create", endpoint);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  headers = make_headers(key);
  easy = prepare(url, headers, words[3], &answer);
  if (!headers || !easy) return 1;
  for (number = 1 - warm_up; number <= calls; number++) {
    if (number == 1) {
      wall = wall_us();
      cpu = cpu_us();
    }
    ask(easy, &answer, number);
    if (!is_good(easy, curl_easy_perform(easy), &answer)) bad++;
  }
  cpu = cpu_us() - cpu;
  wall = wall_us() - wall;
  printf("{\"peer\":\"bare C\",\"version\":\"%s\",\"n\":%d,\"bad\":%d,\"wall_us\":%.3f,\"cpu_us\":%.3f}\n", curl_version(),
         calls, bad, wall / calls, cpu / calls);
  curl_easy_cleanup(easy);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return 0;
}
