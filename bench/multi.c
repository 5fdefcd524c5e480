/* multi: what bench/started.lua does, on curl's multi interface alone and on one thread: the limit of calls side by side.
   multi CALLS BATCHES WARM_UP IN_FLIGHT MAX_CONNECTIONS USER_AGENT prints one line of JSON. A batch is so many calls, at
   most IN_FLIGHT and MAX_CONNECTIONS of them at a time; the warm-up is a batch of its own that is not counted.
   BRAZE_API_KEY and BRAZE_REST_ENDPOINT are in the environment. */
#define _GNU_SOURCE /* clock_gettime and strncasecmp under -std=c11 */
#include "request.h"

#define MAX_CONNECTIONS 1000

struct slot {
  CURL *easy;
  struct answer answer;
};

static CURLM *multi;
static struct slot *slots[MAX_CONNECTIONS]; /* made where they are needed, as braze makes its own */
static int bad;

static void begin(struct slot *slot) {
  ask(slot->easy, &slot->answer);
  if (curl_multi_add_handle(multi, slot->easy) != CURLM_OK) bad++;
}

static struct slot *make_slot(const char *url, struct curl_slist *headers, const char *user_agent) {
  struct slot *slot = calloc(1, sizeof *slot);
  if (!slot || (slot->easy = prepare(url, headers, user_agent, &slot->answer)) == NULL) exit(1);
  curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot);
  return slot;
}

/* The calls that are finished make room for the next ones. */
static int harvest(int *begun, int calls) {
  int finished = 0, left;
  CURLMsg *message;
  while ((message = curl_multi_info_read(multi, &left)) != NULL) {
    CURLcode code = message->data.result;
    char *data = NULL;
    struct slot *slot;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data);
    slot = (struct slot *)(void *)data;
    curl_multi_remove_handle(multi, slot->easy);
    if (!is_good(slot->easy, code, &slot->answer)) bad++;
    finished++;
    if (*begun < calls) {
      begin(slot);
      ++*begun;
    }
  }
  return finished;
}

static void run(int calls, int at_once, const char *url, struct curl_slist *headers, const char *user_agent) {
  int begun = 0, finished = 0, running, news;
  while (begun < calls && begun < at_once) {
    if (!slots[begun]) slots[begun] = make_slot(url, headers, user_agent);
    begin(slots[begun]);
    begun++;
  }
  while (finished < calls) {
    curl_multi_perform(multi, &running);
    news = harvest(&begun, calls);
    finished += news;
    if (news == 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
}

int main(int count, char **words) {
  const char *key = getenv("BRAZE_API_KEY"), *endpoint = getenv("BRAZE_REST_ENDPOINT");
  int numbers[6] = {0}, i, calls, batches, warm_up, at_once, connections;
  struct curl_slist *headers;
  char url[512];
  double wall, cpu;
  long before;
  for (i = 1; i < 6 && i < count; i++) numbers[i] = atoi(words[i]);
  calls = numbers[1], batches = numbers[2], warm_up = numbers[3], at_once = numbers[4], connections = numbers[5];
  if (count != 7 || calls < 1 || batches < 1 || at_once < 1 || connections < 1 || connections > MAX_CONNECTIONS || !key || !endpoint) {
    fprintf(stderr, "usage: multi CALLS BATCHES WARM_UP IN_FLIGHT MAX_CONNECTIONS USER_AGENT, at most %d connections\n",
            MAX_CONNECTIONS);
    return 2;
  }
  if (at_once > connections) at_once = connections;
  snprintf(url, sizeof url, "%s/sends/id/create", endpoint);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  headers = make_headers(key);
  multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)connections);
  run(1, 1, url, headers, words[6]);
  before = memory_kib("VmRSS");
  if (warm_up > 0) run(warm_up, at_once, url, headers, words[6]);
  wall = wall_us();
  cpu = cpu_us();
  for (i = 0; i < batches; i++) run(calls, at_once, url, headers, words[6]);
  cpu = cpu_us() - cpu;
  wall = wall_us() - wall;
  calls *= batches;
  printf("{\"peer\":\"bare C, multi\",\"version\":\"%s\",\"n\":%d,\"bad\":%d,\"wall_us\":%.3f,\"cpu_us\":%.3f,"
         "\"memory_kib\":%ld}\n",
         curl_version(), calls, bad, wall / calls, cpu / calls, memory_kib("VmHWM") - before);
  for (i = 0; i < MAX_CONNECTIONS && slots[i]; i++) {
    curl_easy_cleanup(slots[i]->easy);
    free(slots[i]);
  }
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return 0;
}
