/* redis: the ledger in Redis, or in what speaks its protocol (Valkey), for any number of machines. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "stores/redis_scripts.h"
#include "stores/redis_wire.h"

#define LEASE 15.0 /* seconds for which an owner is taken to live after it was last heard of, by the server's clock */
#define RENEW_EVERY 4.0
#define LISTED_AT_ONCE 200
#define RECORD_FIELDS 9

struct store {
  struct braze_store_host host;
  struct braze_redis redis;
  struct braze_redis_script load, list, swap, renew;
  char owner[32];
  char key[BRAZE_MAX_WORKSPACE + 16]; /* of the workspace */
};

/* --- Opening ----------------------------------------------------------------------------------------- */

static void write_key(char *key, size_t size, const char *workspace) {
  braze_text_print(key, size, "braze:{%s}", workspace);
}

static const char *owner(void *data) {
  return ((struct store *)data)->owner;
}

static void close_store(void *data) {
  braze_redis_close(&((struct store *)data)->redis);
  free(data);
}

static enum braze_store_code fail(struct braze_store_words *words, const char *message, const char *hint) {
  braze_text_print(words->message, sizeof words->message, "%s", message);
  braze_text_print(words->hint, sizeof words->hint, "%s", hint);
  return BRAZE_STORE_FAILED;
}

/* What a script gave is not what this one gives. */
static enum braze_store_code odd(struct braze_store_words *words) {
  return fail(words, "the server gave an answer that can't be read", "is it Redis 4 or newer, or Valkey?");
}

/* Runs a script that gives a number. */
static enum braze_store_code run(struct store *store, struct braze_redis_script *script, const struct braze_redis_command *arguments,
                                 double until, long long *number, struct braze_store_words *words) {
  redisReply *reply;
  enum braze_store_code code = braze_redis_eval(&store->redis, script, arguments, until, &reply, words);
  if (code != BRAZE_STORE_GOOD) return code;
  *number = reply->integer;
  if (reply->type != REDIS_REPLY_INTEGER) code = odd(words);
  freeReplyObject(reply);
  return code;
}

static enum braze_store_code renew(void *data, double until, struct braze_store_words *words) {
  struct store *store = data;
  struct braze_redis_command arguments = {0};
  long long number;
  braze_redis_text(&arguments, store->key);
  braze_redis_text(&arguments, store->owner);
  braze_redis_integer(&arguments, (int64_t)(LEASE * 1000));
  return run(store, &store->renew, &arguments, until, &number, words);
}

/* The value of one of the server's settings; "": it does not tell. */
static void read_setting(struct store *store, const char *name, double until, char *value, size_t size) {
  struct braze_redis_command command = {0};
  struct braze_store_words ignored = {"", ""};
  redisReply *reply;
  value[0] = '\0';
  braze_redis_text(&command, "CONFIG");
  braze_redis_text(&command, "GET");
  braze_redis_text(&command, name);
  if (braze_redis_run(&store->redis, &command, until, &reply, &ignored) != BRAZE_STORE_GOOD) return;
  if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2 && reply->element[1]->type == REDIS_REPLY_STRING)
    braze_text_print(value, size, "%s", reply->element[1]->str);
  freeReplyObject(reply);
}

/* What the server's settings may lose is said, where it tells them. */
static void warn(struct store *store, double until, struct braze_store_words *words) {
  char policy[32], append[16], sync[16];
  read_setting(store, "maxmemory-policy", until, policy, sizeof policy);
  read_setting(store, "appendonly", until, append, sizeof append);
  read_setting(store, "appendfsync", until, sync, sizeof sync);
  if (policy[0] && strcmp(policy, "noeviction") != 0)
    braze_text_print(words->message, sizeof words->message,
                     "the server forgets keys when its memory is full (maxmemory-policy %s), and with them what was done: set noeviction",
                     policy);
  else if (strcmp(append, "no") == 0)
    braze_text_print(words->message, sizeof words->message,
                     "the server writes no log (appendonly no): what it has not saved when it ends is lost, and with it what was done");
  else if (strcmp(append, "yes") == 0 && strcmp(sync, "always") != 0)
    braze_text_print(words->message, sizeof words->message,
                     "the server may lose the last second when it ends (appendfsync %s): set always, or live with it", sync);
}

static enum braze_store_code open_store(void **opened, const char *url, const struct braze_store_host *host, double until,
                                        struct braze_store_words *words) {
  struct store *store = calloc(1, sizeof *store);
  enum braze_store_code code;
  if (!store) return fail(words, "there is no memory for it", "");
  store->host = *host;
  store->redis.host = &store->host;
  store->load.text = BRAZE_REDIS_LOAD;
  store->list.text = BRAZE_REDIS_LIST;
  store->swap.text = BRAZE_REDIS_SWAP;
  store->renew.text = BRAZE_REDIS_RENEW;
  write_key(store->key, sizeof store->key, host->workspace);
  braze_text_print(store->owner, sizeof store->owner, "%lld", (long long)host->session);
  code = braze_redis_open(&store->redis, url, until, words);
  if (code == BRAZE_STORE_GOOD) code = renew(store, until, words); /* what was held before it connected anew is still held */
  if (code == BRAZE_STORE_GOOD) {
    warn(store, until, words);
    *opened = store;
  } else {
    close_store(store);
  }
  return code == BRAZE_STORE_LOST ? BRAZE_STORE_FAILED : code;
}

/* --- Reading ----------------------------------------------------------------------------------------- */

static const char *text_at(const redisReply *list, size_t index) {
  return index < list->elements && list->element[index]->str ? list->element[index]->str : "";
}

static bool append_at(const redisReply *list, size_t index, struct braze_buffer *out) {
  braze_buffer_clear(out);
  return list->element[index]->len == 0 || braze_buffer_append(out, list->element[index]->str, (size_t)list->element[index]->len);
}

/* False: none stands there, or one that is too great. */
static bool number_at(const redisReply *list, size_t index, int64_t *number) {
  const char *text = text_at(list, index);
  char *end;
  errno = 0;
  *number = strtoll(text, &end, 10);
  return end != text && *end == '\0' && errno == 0;
}

/* False: it does not fit. */
static bool copy_at(const redisReply *list, size_t index, char *text, size_t size) {
  return braze_text_copy(text, size, text_at(list, index), strlen(text_at(list, index)));
}

/* A list that is empty is no record. */
static enum braze_store_code read_record(const redisReply *list, struct braze_record *record, struct braze_store_words *words) {
  int64_t state = 0;
  if (list->type != REDIS_REPLY_ARRAY || list->elements < RECORD_FIELDS) return BRAZE_STORE_GOOD;
  if (!copy_at(list, 0, record->job, sizeof record->job) || !number_at(list, 1, &state) || !number_at(list, 2, &record->token) ||
      !copy_at(list, 3, record->owner, sizeof record->owner) || !copy_at(list, 4, record->pair, sizeof record->pair) ||
      !number_at(list, 5, &record->window))
    return fail(words, BRAZE_STORE_ODD, BRAZE_STORE_ODD_HINT);
  record->state = (enum braze_record_state)state;
  record->alive = strcmp(text_at(list, 8), "1") == 0;
  if (append_at(list, 6, &record->data) && append_at(list, 7, &record->body)) return BRAZE_STORE_GOOD;
  return fail(words, "there is no memory for what is in it", "");
}

/* The first six numbers of a list: the time and the quota. */
static bool read_quota(const redisReply *list, struct braze_quota *quota, double *now) {
  int64_t seconds = 0, microseconds = 0, ends = 0;
  if (!number_at(list, 0, &seconds) || !number_at(list, 1, &microseconds) || !number_at(list, 2, &quota->window) ||
      !number_at(list, 3, &ends) || !number_at(list, 4, &quota->total) || !number_at(list, 5, &quota->left))
    return false;
  *now = (double)seconds + (double)microseconds / 1e6;
  quota->ends = (double)ends / 1e6;
  return true;
}

static enum braze_store_code load(void *data, const char *workspace, const char *job, const char *pair, double until,
                                  struct braze_loaded *loaded, struct braze_store_words *words) {
  struct store *store = data;
  struct braze_redis_command arguments = {0};
  char key[sizeof store->key];
  redisReply *reply;
  enum braze_store_code code;
  write_key(key, sizeof key, workspace);
  braze_redis_text(&arguments, key);
  braze_redis_text(&arguments, job);
  braze_redis_text(&arguments, pair);
  code = braze_redis_eval(&store->redis, &store->load, &arguments, until, &reply, words);
  if (code != BRAZE_STORE_GOOD) return code;
  if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 8 && read_quota(reply, &loaded->quota, &loaded->now)) {
    loaded->pair_known = strcmp(text_at(reply, 6), "1") == 0;
    code = read_record(reply->element[7], &loaded->record, words);
  } else {
    code = odd(words);
  }
  freeReplyObject(reply);
  return code;
}

static enum braze_store_code quota(void *data, const char *workspace, double until, struct braze_quota *found, double *now,
                                   struct braze_store_words *words) {
  struct braze_loaded loaded;
  enum braze_store_code code;
  memset(&loaded, 0, sizeof loaded);
  code = load(data, workspace, "", "", until, &loaded, words);
  *found = loaded.quota;
  *now = loaded.now;
  return code;
}

/* Hands over the records of one part of the list. The name of the last goes to `from`, empty where it was the last part. */
static enum braze_store_code hand_over(const redisReply *reply, struct braze_record *record, braze_store_each *each, void *context,
                                       char *from, size_t size, struct braze_store_words *words) {
  enum braze_store_code code;
  size_t i;
  from[0] = '\0';
  for (i = 0; i < reply->elements; i++) {
    if (reply->element[i]->elements < RECORD_FIELDS) continue;
    code = read_record(reply->element[i], record, words);
    if (code != BRAZE_STORE_GOOD) return code;
    if (!each(context, record)) return BRAZE_STORE_GOOD;
  }
  if (reply->elements == LISTED_AT_ONCE) braze_text_print(from, size, "(%s", record->job);
  return BRAZE_STORE_GOOD;
}

static enum braze_store_code list(void *data, const char *workspace, double until, braze_store_each *each, void *context,
                                  struct braze_store_words *words) {
  struct store *store = data;
  enum braze_store_code code = BRAZE_STORE_GOOD;
  struct braze_record record;
  char key[sizeof store->key], from[BRAZE_MAX_JOB + 2] = "-";
  memset(&record, 0, sizeof record);
  braze_buffer_init(&record.data, BRAZE_MAX_RECORD);
  braze_buffer_init(&record.body, BRAZE_MAX_RECORD);
  write_key(key, sizeof key, workspace);
  while (code == BRAZE_STORE_GOOD && from[0]) {
    struct braze_redis_command arguments = {0};
    redisReply *reply;
    braze_redis_text(&arguments, key);
    braze_redis_text(&arguments, from);
    braze_redis_integer(&arguments, LISTED_AT_ONCE);
    code = braze_redis_eval(&store->redis, &store->list, &arguments, until, &reply, words);
    if (code != BRAZE_STORE_GOOD) break;
    code = reply->type == REDIS_REPLY_ARRAY ? hand_over(reply, &record, each, context, from, sizeof from, words) : odd(words);
    freeReplyObject(reply);
  }
  braze_buffer_free(&record.data);
  braze_buffer_free(&record.body);
  return code;
}

/* --- Writing ----------------------------------------------------------------------------------------- */

static enum braze_store_code swap(void *data, const struct braze_change *change, bool relaxed, double until,
                                  struct braze_store_words *words) {
  static const struct braze_record none = {.state = BRAZE_RECORD_NONE};
  struct store *store = data;
  const struct braze_record *to = change->to ? change->to : &none;
  struct braze_redis_command arguments = {0};
  enum braze_store_code code;
  long long number = 0;
  (void)relaxed; /* the server's settings decide */
  braze_redis_text(&arguments, store->key);
  braze_redis_text(&arguments, change->job ? change->job : "");
  braze_redis_integer(&arguments, change->expected);
  braze_redis_integer(&arguments, to->state);
  braze_redis_integer(&arguments, to->token);
  braze_redis_text(&arguments, to->owner);
  braze_redis_text(&arguments, to->pair);
  braze_redis_integer(&arguments, to->window);
  braze_redis_bytes(&arguments, &to->data);
  braze_redis_bytes(&arguments, &to->body);
  braze_redis_integer(&arguments, change->begin);
  braze_redis_integer(&arguments, change->take);
  braze_redis_integer(&arguments, change->give);
  braze_redis_integer(&arguments, change->learn);
  braze_redis_integer(&arguments, change->quota.window);
  braze_redis_integer(&arguments, (int64_t)(change->quota.ends * 1e6));
  braze_redis_integer(&arguments, change->quota.total);
  braze_redis_integer(&arguments, change->quota.left);
  braze_redis_integer(&arguments, (int64_t)(LEASE * 1000));
  code = run(store, &store->swap, &arguments, until, &number, words);
  if (code != BRAZE_STORE_GOOD) return code;
  return number == 0 ? BRAZE_STORE_GOOD : number == 2 ? BRAZE_STORE_USED_UP : BRAZE_STORE_CHANGED;
}

BRAZE_STORE_EXPORT const struct braze_store_functions braze_store = {
    BRAZE_STORE_VERSION, open_store, close_store, owner, load, swap, list, quota, renew, RENEW_EVERY,
};
