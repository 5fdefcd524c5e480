/* worker: what bench/started.lua does, without Lua: a thread that has the connections, a queue to it, a queue back and an
   eventfd that the main thread waits for. Every option of libcurl that braze sets is set.
   worker CALLS WARM_UP IN_FLIGHT USER_AGENT prints one line of JSON; BRAZE_API_KEY and BRAZE_REST_ENDPOINT are in the
   environment. */
#define _GNU_SOURCE /* clock_gettime and strncasecmp under -std=c11 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "request.h"

struct job {
  struct job *next;
  CURL *easy;
  CURLcode code;
  bool left;
  char error[CURL_ERROR_SIZE];
  struct answer answer;
};

struct queue {
  struct job *first, *last;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* of the queues and of ending */
static struct queue asked, answered;
static bool ending;
static CURLM *multi;
static int wake;
static int bad;

static void append(struct queue *queue, struct job *job) {
  job->next = NULL;
  if (queue->last)
    queue->last->next = job;
  else
    queue->first = job;
  queue->last = job;
}

static struct job *take_all(struct queue *queue) {
  struct job *first;
  pthread_mutex_lock(&mutex);
  first = queue->first;
  queue->first = queue->last = NULL;
  pthread_mutex_unlock(&mutex);
  return first;
}

static int on_request(void *data, char *their_address, char *our_address, int their_port, int our_port) {
  struct job *job = data;
  (void)their_address, (void)our_address, (void)their_port, (void)our_port;
  if (job->left) return CURL_PREREQFUNC_ABORT;
  job->left = true;
  return CURL_PREREQFUNC_OK;
}

static curl_socket_t open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)data, (void)purpose;
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static int close_socket(void *data, curl_socket_t socket) {
  (void)data;
  return close(socket);
}

static struct job *make_job(const char *url, struct curl_slist *headers, const char *user_agent) {
  struct job *job = calloc(1, sizeof *job);
  CURL *easy = job ? prepare(url, headers, user_agent, &job->answer) : NULL;
  if (!easy) exit(1);
  job->easy = easy;
  curl_easy_setopt(easy, CURLOPT_PRIVATE, job);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, job->error);
  curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, job);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
  curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, 60L);
  curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, 600L);
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  return job;
}

/* --- The thread ---------------------------------------------------------------------------------------------------- */

static void begin_all(void) {
  struct job *job = take_all(&asked), *next;
  for (; job; job = next) {
    next = job->next;
    ask(job->easy, &job->answer);
    job->left = false;
    curl_multi_add_handle(multi, job->easy);
  }
}

static bool finish_all(void) {
  struct queue done = {NULL, NULL};
  const uint64_t one = 1;
  CURLMsg *message;
  bool was_empty;
  int left;
  while ((message = curl_multi_info_read(multi, &left)) != NULL) {
    CURLcode code = message->data.result;
    char *data = NULL;
    struct job *job;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &data);
    job = (struct job *)(void *)data;
    job->code = code;
    curl_multi_remove_handle(multi, job->easy);
    append(&done, job);
  }
  if (!done.first) return false;
  pthread_mutex_lock(&mutex);
  was_empty = answered.first == NULL;
  if (was_empty)
    answered.first = done.first;
  else
    answered.last->next = done.first;
  answered.last = done.last;
  pthread_mutex_unlock(&mutex);
  return !was_empty || write(wake, &one, sizeof one) == (ssize_t)sizeof one;
}

static bool is_ending(void) {
  bool result;
  pthread_mutex_lock(&mutex);
  result = ending;
  pthread_mutex_unlock(&mutex);
  return result;
}

static void *work(void *data) {
  int running;
  while (!is_ending()) {
    begin_all();
    curl_multi_perform(multi, &running);
    finish_all();
    curl_multi_poll(multi, NULL, 0, 10000, NULL);
  }
  return data;
}

/* --- The main thread ----------------------------------------------------------------------------------------------- */

static void submit(struct job *job) {
  bool was_empty;
  pthread_mutex_lock(&mutex);
  was_empty = asked.first == NULL;
  append(&asked, job);
  pthread_mutex_unlock(&mutex);
  if (was_empty) curl_multi_wakeup(multi);
}

static void run(struct job **jobs, int calls, int at_once) {
  int begun = 0, finished = 0;
  for (; begun < calls && begun < at_once; begun++) submit(jobs[begun]);
  while (finished < calls) {
    struct pollfd descriptor = {wake, POLLIN, 0};
    struct job *job, *next;
    uint64_t number;
    poll(&descriptor, 1, -1);
    if (read(wake, &number, sizeof number) < 0) continue;
    for (job = take_all(&answered); job; job = next) {
      next = job->next;
      finished++;
      if (!is_good(job->easy, job->code, &job->answer)) bad++;
      if (begun < calls) {
        submit(job);
        begun++;
      }
    }
  }
}

int main(int count, char **words) {
  const char *key = getenv("BRAZE_API_KEY"), *endpoint = getenv("BRAZE_REST_ENDPOINT");
  int calls = count > 4 ? atoi(words[1]) : 0, warm_up = count > 4 ? atoi(words[2]) : 0, i;
  int at_once = count > 4 ? atoi(words[3]) : 0;
  struct curl_slist *headers;
  struct job **jobs;
  pthread_t thread;
  char url[512];
  double wall, cpu;
  if (calls < 1 || at_once < 1 || !key || !endpoint || (jobs = calloc((size_t)at_once, sizeof *jobs)) == NULL) {
    fprintf(stderr, "usage: worker CALLS WARM_UP IN_FLIGHT USER_AGENT, with BRAZE_API_KEY and BRAZE_REST_ENDPOINT set\n");
    return 2;
  }
  snprintf(url, sizeof url, "%s/sends/id/create", endpoint);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  headers = make_headers(key);
  multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)at_once);
  wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  for (i = 0; i < at_once; i++) jobs[i] = make_job(url, headers, words[4]);
  if (wake < 0 || pthread_create(&thread, NULL, work, NULL) != 0) return 1;
  if (warm_up > 0) run(jobs, warm_up, at_once);
  wall = wall_us();
  cpu = cpu_us();
  run(jobs, calls, at_once);
  cpu = cpu_us() - cpu;
  wall = wall_us() - wall;
  printf("{\"peer\":\"C with a worker\",\"version\":\"%s\",\"n\":%d,\"bad\":%d,\"wall_us\":%.3f,\"cpu_us\":%.3f}\n",
         curl_version(), calls, bad, wall / calls, cpu / calls);
  pthread_mutex_lock(&mutex);
  ending = true;
  pthread_mutex_unlock(&mutex);
  curl_multi_wakeup(multi);
  pthread_join(thread, NULL);
  for (i = 0; i < at_once; i++) {
    curl_easy_cleanup(jobs[i]->easy);
    free(jobs[i]);
  }
  free(jobs);
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  curl_global_cleanup();
  return 0;
}
