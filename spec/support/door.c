/* door: a C program without Lua that makes calls through src/client.h alone, for specs: door WHAT URL KEY CAMPAIGN

     call    two calls, one after the other
     start   three calls at a time; the host waits for the descriptor
     cancel  one of two calls is cancelled; the other one is waited for
     close   a client with a call done and one in flight is closed
     hold    a client is freed while it is held
     fork    a client with a call in flight is used on both sides of a fork
     exit    the process ends with calls in flight

   It prints what came of each step, a line each. The status is 7 where it came to its end. */
#define _GNU_SOURCE /* fork, poll under -std=c11 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "client.h"
#include "service/account.h"

#define GOOD 7
#define LONG 30.0 /* seconds: far above what anything here takes */

static const char *campaign;

static void fail(const char *what, int code) {
  printf("%s: %d\n", what, code);
  exit(1);
}

static struct braze_client *new_client(const char *url, const char *key) {
  struct braze_client *client = braze_client_new();
  struct braze_settings *settings = client ? braze_client_settings(client) : NULL;
  struct braze_buffer message, hint;
  braze_buffer_init(&message, BRAZE_MAX_BODY);
  braze_buffer_init(&hint, BRAZE_MAX_BODY);
  if (!settings) fail("no memory for a client", 0);
  if (braze_account_set_endpoint(settings, url, strlen(url), &message, &hint) != 0 ||
      braze_account_set_api_key(settings, key, strlen(key), &message, &hint) != 0)
    fail(braze_buffer_text(&message), 0);
  braze_buffer_free(&message);
  braze_buffer_free(&hint);
  return client;
}

/* A call of POST /sends/id/create, which the stand-in delays for so many milliseconds. */
static struct braze_call *new_call(struct braze_client *client, const char *send_id, int milliseconds) {
  struct braze_call *call = braze_call_new(braze_clock_now());
  struct braze_request *request = call ? braze_call_request(call) : NULL;
  if (!request) fail("no memory for a call", 0);
  *braze_call_limits(call) = braze_client_settings(client)->limits;
  request->method = BRAZE_POST;
  request->max_response = BRAZE_BODY_LIMIT;
  request->name = "POST /sends/id/create";
  braze_buffer_print(&request->built, "/slow/%d/sends/id/create", milliseconds);
  request->target = braze_buffer_text(&request->built);
  braze_buffer_print(&request->body, "{\"campaign_id\":\"%s\",\"send_id\":\"%s\"}", campaign, send_id);
  braze_call_ready(call);
  return call;
}

/* Prints what came of a call, and drops it. */
static void tell(const char *name, struct braze_call *call) {
  struct braze_outcome written, *outcome = braze_call_outcome(call, &written);
  if (outcome->answered)
    printf("%s: %d %s\n", name, outcome->status, braze_buffer_text(&outcome->body));
  else
    printf("%s: %s, attempts %d, maybe applied: %s\n", name, braze_kind_name(outcome->kind), outcome->attempts,
           outcome->maybe_applied ? "yes" : "no");
  braze_call_release(call);
}

static void call(struct braze_client *client, const char *send_id) {
  struct braze_call *made = new_call(client, send_id, 0);
  int failure = braze_client_call(client, made);
  if (failure == 0)
    tell(send_id, made);
  else
    printf("%s: not called, %s\n", send_id, failure == BRAZE_ERROR_CLOSED ? "closed" : strerror(failure));
  if (failure != 0) braze_call_release(made);
}

/* Starts a call and keeps a reference to it. */
static struct braze_call *start(struct braze_client *client, const char *send_id, int milliseconds, int tag) {
  struct braze_call *made = new_call(client, send_id, milliseconds);
  int failure;
  braze_call_set_tag(made, tag);
  failure = braze_client_start(client, made);
  if (failure != 0) fail("not started", failure);
  return made;
}

static void wait_for(struct braze_client *client, struct braze_call *started) {
  while (!braze_call_is_done(started)) braze_client_wait(client, started, LONG);
}

/* Takes all that is there, and prints each. */
static void take_all(struct braze_client *client) {
  struct braze_call *done;
  char name[32];
  while ((done = braze_client_take(client)) != NULL) {
    snprintf(name, sizeof name, "taken %d", braze_call_tag(done));
    tell(name, done);
  }
  braze_client_rearm(client);
}

static void try_start(struct braze_client *client) {
  struct pollfd host = {-1, POLLIN, 0};
  int failure = braze_client_descriptor(client, &host.fd), i;
  if (failure != 0) fail("no descriptor", failure);
  for (i = 1; i <= 3; i++) braze_call_release(start(client, "door-started", 50 * i, i));
  printf("pending %d, readable %d\n", braze_client_pending(client), poll(&host, 1, 0));
  while (braze_client_pending(client) > 0) {
    poll(&host, 1, (int)(LONG * 1000));
    take_all(client);
  }
  printf("pending %d, readable %d\n", braze_client_pending(client), poll(&host, 1, 0));
}

static void try_cancel(struct braze_client *client) {
  struct braze_call *first = start(client, "door-cancelled", 60000, 1), *second = start(client, "door-whole", 0, 2);
  wait_for(client, second);
  braze_client_cancel(client, first);
  braze_client_cancel(client, first);
  braze_client_wait(client, second, LONG);
  printf("ready: %d\n", braze_client_ready_count(client));
  tell("first", first);
  tell("second", second);
  take_all(client);
}

static void try_close(struct braze_client *client) {
  struct braze_call *done = start(client, "door-done", 0, 1);
  wait_for(client, done);
  braze_call_release(done);
  braze_call_release(start(client, "door-flight", 60000, 2));
  braze_client_close(client);
  braze_client_close(client);
  printf("closed: %d, pending: %d, key: %s\n", braze_client_is_closed(client), braze_client_pending(client),
         braze_client_settings(client)->secrets ? "kept" : "dropped");
  take_all(client);
  call(client, "door-late");
}

/* All that can be asked of a client that has started nothing, and of one that is closed. */
static void try_idle(struct braze_client *client) {
  struct braze_call *made = new_call(client, "door-idle", 0);
  int failure;
  braze_client_cancel(client, made);
  braze_client_wait(client, NULL, 0);
  braze_client_rearm(client);
  printf("ready: %d %d, taken: %s, pending: %d\n", braze_client_is_ready(client), braze_client_ready_count(client),
         braze_client_take(client) ? "one" : "none", braze_client_pending(client));
  braze_client_close(client);
  failure = braze_client_start(client, made);
  printf("started late: %s\n", failure == BRAZE_ERROR_CLOSED ? "closed" : "no");
  braze_call_release(made);
  braze_client_free(NULL);
  braze_client_let_go(NULL);
}

static void try_hold(struct braze_client *client) {
  braze_client_hold(client);
  braze_client_free(client);
  printf("closed: %d, key: %s\n", braze_client_is_closed(client), braze_client_settings(client)->secrets ? "kept" : "dropped");
  braze_client_let_go(client);
}

static void try_fork(struct braze_client *client) {
  struct braze_call *parents = start(client, "door-parents", 300, 1);
  const unsigned generation = braze_client_generation(client);
  int status = 0;
  pid_t child;
  call(client, "door-before");
  fflush(stdout);
  child = fork();
  if (child == 0) {
    printf("child: the same generation: %d, pending: %d\n", braze_client_generation(client) == generation, braze_client_pending(client));
    tell("the parent's", parents);
    call(client, "door-child");
    braze_call_release(start(client, "door-childs", 0, 2));
    while (!braze_client_is_ready(client)) braze_client_wait(client, NULL, LONG);
    take_all(client);
    braze_client_free(client);
    fflush(stdout);
    _exit(GOOD);
  }
  waitpid(child, &status, 0);
  printf("parent: the child ended with %d, the same generation: %d\n", WEXITSTATUS(status), braze_client_generation(client) == generation);
  wait_for(client, parents);
  braze_call_release(parents);
  take_all(client);
}

int main(int count, char **arguments) {
  static const struct {
    const char *name;
    void (*run)(struct braze_client *client);
  } all[] = {{"start", try_start}, {"cancel", try_cancel}, {"close", try_close}, {"idle", try_idle}, {"fork", try_fork}};
  struct braze_client *client;
  size_t i;
  if (count != 5) return 2;
  campaign = arguments[4];
  client = new_client(arguments[2], arguments[3]);
  for (i = 0; i < sizeof all / sizeof *all; i++)
    if (strcmp(arguments[1], all[i].name) == 0) all[i].run(client);
  if (strcmp(arguments[1], "hold") == 0) {
    try_hold(client);
    return GOOD;
  }
  if (strcmp(arguments[1], "exit") == 0) {
    for (i = 0; i < 4; i++) start(client, "door-exit", 60000, 0);
    printf("pending %d\n", braze_client_pending(client));
    exit(GOOD);
  }
  if (strcmp(arguments[1], "call") == 0) {
    call(client, "door-one");
    call(client, "door-two");
  }
  braze_client_free(client);
  return GOOD;
}
