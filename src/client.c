/* client: see client.h. Calls of the caller's thread go to an engine, started ones to a worker; either is made when it is first needed. */
#include "client.h"

#include <errno.h>
#include <stdlib.h>

#include "http/engine.h"
#include "http/worker.h"
#include "process/process.h"

struct braze_client {
  struct braze_settings *settings;
  struct braze_ledger *ledger; /* NULL: none */
  int holds;
  bool closed;
  bool freed;                  /* by its owner: the last hold destroys it */
  unsigned process;            /* that all below belongs to, by braze_process_forks */
  struct braze_engine *engine; /* for calls on the caller's thread; NULL before the first */
  struct braze_worker *worker; /* for started calls; NULL before it is needed */
  int pending;                 /* started and not taken */
};

struct braze_client *braze_client_new(void) {
  struct braze_client *client = calloc(1, sizeof *client);
  if (!client) return NULL;
  client->process = braze_process_forks();
  client->settings = braze_settings_new();
  if (client->settings) return client;
  free(client);
  return NULL;
}

struct braze_settings *braze_client_settings(struct braze_client *client) {
  return client->settings;
}

void braze_client_set_ledger(struct braze_client *client, struct braze_ledger *ledger) {
  client->ledger = ledger;
}

struct braze_ledger *braze_client_ledger(const struct braze_client *client) {
  return client->ledger;
}

bool braze_client_is_closed(const struct braze_client *client) {
  return client->closed;
}

/* In the child of a fork: the parent's engine and worker are left as they are, because cleaning them up would write on the parent's
   connections. The secrets that they hold references to are the child's to wipe. */
static void refresh(struct braze_client *client) {
  const unsigned process = braze_process_forks();
  if (client->process == process) return;
  client->process = process;
  client->engine = NULL;
  client->worker = NULL;
  client->pending = 0;
  braze_settings_after_fork(client->settings);
}

unsigned braze_client_generation(struct braze_client *client) {
  refresh(client);
  if (client->worker && braze_process_is_exiting()) braze_worker_cancel_overdue(client->worker);
  return client->process;
}

/* --- Its end -------------------------------------------------------------------------------------------- */

static void drop_secrets(struct braze_client *client) {
  if (client->closed && client->holds == 0) braze_settings_drop_secrets(client->settings);
}

static void destroy(struct braze_client *client) {
  if (!client->freed || client->holds > 0) return;
  braze_settings_release(client->settings);
  braze_ledger_release(client->ledger);
  free(client);
}

void braze_client_close(struct braze_client *client) {
  refresh(client);
  if (client->closed) return;
  client->closed = true;
  if (client->worker) braze_worker_close(client->worker);
  if (client->engine) braze_engine_retire(client->engine);
  client->engine = NULL;
  drop_secrets(client);
}

void braze_client_free(struct braze_client *client) {
  if (!client) return;
  braze_client_close(client);
  braze_worker_free(client->worker);
  client->worker = NULL;
  client->pending = 0;
  client->freed = true;
  destroy(client);
}

void braze_client_hold(struct braze_client *client) {
  client->holds++;
}

void braze_client_let_go(struct braze_client *client) {
  if (!client) return;
  client->holds--;
  drop_secrets(client);
  destroy(client);
}

/* --- Calls ---------------------------------------------------------------------------------------------- */

int braze_client_call(struct braze_client *client, struct braze_call *call) {
  int failure;
  refresh(client);
  if (client->closed) return BRAZE_ERROR_CLOSED;
  failure = client->engine ? 0 : braze_engine_new(&client->engine, client->settings, 1);
  if (failure == 0) braze_engine_run(client->engine, call);
  return failure;
}

/* A closed client may need one as well: its descriptor can be asked for. */
static int make_worker(struct braze_client *client) {
  refresh(client);
  return client->worker ? 0 : braze_worker_new(&client->worker, client->settings);
}

int braze_client_start(struct braze_client *client, struct braze_call *call) {
  int failure = client->closed ? BRAZE_ERROR_CLOSED : make_worker(client);
  if (failure == 0) failure = braze_worker_submit(client->worker, call);
  if (failure == 0) client->pending++;
  return failure;
}

void braze_client_cancel(struct braze_client *client, struct braze_call *call) {
  refresh(client);
  if (client->worker && !braze_call_is_done(call)) braze_worker_cancel(client->worker, call);
}

void braze_client_wait(struct braze_client *client, struct braze_call *call, double max_seconds) {
  braze_client_generation(client);
  if (client->worker && !(call && braze_call_is_done(call))) braze_worker_wait(client->worker, call, max_seconds);
}

bool braze_client_is_ready(struct braze_client *client) {
  refresh(client);
  return client->worker && braze_worker_ready(client->worker);
}

int braze_client_ready_count(struct braze_client *client) {
  refresh(client);
  return client->worker ? braze_worker_count(client->worker) : 0;
}

struct braze_call *braze_client_take(struct braze_client *client) {
  struct braze_call *call;
  refresh(client);
  call = client->worker ? braze_worker_take(client->worker) : NULL;
  if (call) client->pending--;
  return call;
}

void braze_client_rearm(struct braze_client *client) {
  refresh(client);
  if (client->worker) braze_worker_rearm(client->worker);
}

int braze_client_pending(struct braze_client *client) {
  refresh(client);
  return client->pending;
}

/* --- A host's loop --------------------------------------------------------------------------------------- */

int braze_client_descriptor(struct braze_client *client, int *descriptor) {
  int failure = make_worker(client);
  if (failure == 0) *descriptor = braze_worker_descriptor(client->worker);
  return failure;
}

int braze_client_notify(struct braze_client *client, int socket) {
  int failure = make_worker(client);
  if (failure == 0) braze_worker_notify(client->worker, socket);
  return failure;
}
