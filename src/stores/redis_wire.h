/* redis_wire: a connection to Redis, and its scripts. */
#ifndef BRAZE_REDIS_WIRE_H
#define BRAZE_REDIS_WIRE_H

#include <hiredis/hiredis.h>

#include "stores/stores.h"

struct braze_redis {
  const struct braze_store_host *host;
  redisContext *connection;
};

#define BRAZE_REDIS_MOST_WORDS 32

/* A command: its words, as bytes. */
struct braze_redis_command {
  int count;
  const char *words[BRAZE_REDIS_MOST_WORDS];
  size_t lengths[BRAZE_REDIS_MOST_WORDS];
  char room[BRAZE_REDIS_MOST_WORDS][32];
};

/* A script, and its digest once the server has told it. */
struct braze_redis_script {
  const char *text;
  char digest[41];
};

void braze_redis_text(struct braze_redis_command *command, const char *text);
void braze_redis_bytes(struct braze_redis_command *command, const struct braze_buffer *bytes);
void braze_redis_integer(struct braze_redis_command *command, int64_t number);

/* Connects, and says who we are. */
enum braze_store_code braze_redis_open(struct braze_redis *redis, const char *url, double until, struct braze_store_words *words);

void braze_redis_close(struct braze_redis *redis);

/* Runs a command, whose reply is the caller's to free; NULL unless the code is GOOD. */
enum braze_store_code braze_redis_run(struct braze_redis *redis, const struct braze_redis_command *command, double until,
                                      redisReply **reply, struct braze_store_words *words);

/* Runs a script with one key, which stands first among the words, and arguments behind it. A server that does not know the script is given
 * it. */
enum braze_store_code braze_redis_eval(struct braze_redis *redis, struct braze_redis_script *script,
                                       const struct braze_redis_command *arguments, double until, redisReply **reply,
                                       struct braze_store_words *words);

#endif
