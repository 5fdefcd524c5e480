/* redis_wire: see redis_wire.h. */
#define _GNU_SOURCE /* struct timeval under -std=c11 */
#include "stores/redis_wire.h"

#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/text.h"
#include "stores/redis_tls.h"

#define MOST_OF_A_NAME BRAZE_REDIS_MOST_OF_A_NAME

static enum braze_store_code refuse(struct braze_store_words *words, const char *message, const char *hint) {
  braze_text_print(words->message, sizeof words->message, "%s", message);
  braze_text_print(words->hint, sizeof words->hint, "%s", hint);
  return BRAZE_STORE_FAILED;
}

/* --- The URL ----------------------------------------------------------------------------------------- */

struct address {
  char user[MOST_OF_A_NAME], password[MOST_OF_A_NAME], host[MOST_OF_A_NAME];
  int port;
  int database;
  bool tls;
  struct braze_redis_tls files;
};

static int hex_value(char digit) {
  return digit >= '0' && digit <= '9'   ? digit - '0'
         : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
         : digit >= 'A' && digit <= 'F' ? digit - 'A' + 10
                                        : -1;
}

/* Copies a part with its %XX decoded. False: it is too long. */
static bool decode(char *out, const char *text, size_t length) {
  size_t i, used = 0;
  for (i = 0; i < length; i++) {
    if (used + 1 >= MOST_OF_A_NAME) return false;
    if (text[i] == '%' && i + 2 < length && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out[used++] = (char)(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out[used++] = text[i];
    }
  }
  out[used] = '\0';
  return true;
}

/* A number up to the end; `otherwise` where nothing stands there, -1 where it is none. */
static int read_number(const char *text, size_t length, int otherwise, int most) {
  long number = 0;
  size_t i;
  for (i = 0; i < length; i++) {
    if (text[i] < '0' || text[i] > '9' || number > most) return -1;
    number = number * 10 + (text[i] - '0');
  }
  return length == 0 ? otherwise : number > most ? -1 : (int)number;
}

/* user:password@ */
static bool read_user(struct address *address, const char *text, size_t length) {
  const char *colon = memchr(text, ':', length);
  const size_t user = colon ? (size_t)(colon - text) : length;
  return decode(address->user, text, user) && (!colon || decode(address->password, colon + 1, length - user - 1));
}

/* ca_file=/path&cert_file=/path&key_file=/path */
static bool read_files(struct braze_redis_tls *files, const char *query) {
  const struct {
    const char *name;
    char *value;
  } known[] = {{"ca_file=", files->ca_file}, {"cert_file=", files->cert_file}, {"key_file=", files->key_file}};
  while (*query) {
    const size_t length = strcspn(query, "&");
    size_t i, name = 0;
    for (i = 0; i < sizeof known / sizeof *known; i++) {
      name = strlen(known[i].name);
      if (length > name && strncmp(query, known[i].name, name) == 0) break;
    }
    if (i == sizeof known / sizeof *known || !decode(known[i].value, query + name, length - name)) return false;
    query += length + (query[length] == '&');
  }
  return !files->key_file[0] || files->cert_file[0];
}

/* redis://user:password@host:port/database, or rediss with files in its query */
static bool read_url(struct address *address, const char *url) {
  const char *start = strstr(url, "://") + 3, *end = start + strcspn(start, "/?#"), *at, *user_end = NULL, *colon = NULL;
  const char *query = strchr(end, '?');
  memset(address, 0, sizeof *address);
  address->tls = strncmp(url, "rediss:", 7) == 0;
  if (query && (!address->tls || !read_files(&address->files, query + 1))) return false;
  for (at = start; at < end; at++)
    if (*at == '@') user_end = at;
  if (user_end && !read_user(address, start, (size_t)(user_end - start))) return false;
  if (user_end) start = user_end + 1;
  if (*start == '[') { /* of IPv6 */
    at = memchr(start, ']', (size_t)(end - start));
    if (!at || !decode(address->host, start + 1, (size_t)(at - start - 1))) return false;
    colon = at[1] == ':' ? at + 1 : NULL;
  } else {
    colon = memchr(start, ':', (size_t)(end - start));
    if (!decode(address->host, start, (size_t)((colon ? colon : end) - start))) return false;
  }
  address->port = read_number(colon ? colon + 1 : end, colon ? (size_t)(end - colon - 1) : 0, 6379, 65535);
  address->database = *end == '/' ? read_number(end + 1, strcspn(end + 1, "?#"), 0, 1000000) : 0;
  return address->host[0] && address->port > 0 && address->database >= 0;
}

/* --- Commands ---------------------------------------------------------------------------------------- */

void braze_redis_text(struct braze_redis_command *command, const char *text) {
  command->lengths[command->count] = strlen(text);
  command->words[command->count++] = text;
}

void braze_redis_bytes(struct braze_redis_command *command, const struct braze_buffer *bytes) {
  command->lengths[command->count] = bytes->length;
  command->words[command->count++] = braze_buffer_text(bytes);
}

void braze_redis_integer(struct braze_redis_command *command, int64_t number) {
  braze_text_print(command->room[command->count], sizeof command->room[0], "%lld", (long long)number);
  braze_redis_text(command, command->room[command->count]);
}

static struct timeval time_until(const struct braze_redis *redis, double until) {
  double seconds = until - redis->host->now();
  struct timeval time;
  if (seconds < 0.001) seconds = 0.001; /* 0 would mean for ever */
  if (seconds > 3600) seconds = 3600;
  time.tv_sec = (time_t)seconds;
  time.tv_usec = (suseconds_t)((seconds - (double)time.tv_sec) * 1e6);
  return time;
}

static enum braze_store_code lose(const struct braze_redis *redis, struct braze_store_words *words) {
  refuse(words, redis->connection->errstr[0] ? redis->connection->errstr : "the connection broke",
         "look at the server and the network between");
  return BRAZE_STORE_LOST;
}

/* What an error of the server's means: its first word says. */
static void explain(const redisReply *reply, struct braze_store_words *words) {
  static const struct {
    const char *start, *hint;
  } hints[] = {
      {"NOAUTH", "give user and password in the ledger's URL: redis://user:password@host"},
      {"WRONGPASS", "check user and password in the ledger's URL"},
      {"ERR invalid password", "check the password in the ledger's URL"},
      {"NOPERM", "let the ledger's user run EVAL, EVALSHA and the commands on keys braze:*"},
      {"OOM", "the server is full: raise maxmemory"},
      {"READONLY", "the server is a replica: give the URL of its primary"},
      {"MISCONF", "the server can't write to its disk"},
      {"LOADING", "the server is starting"},
      {"BUSY ", "a script keeps the server busy"},
      {"CLUSTERDOWN", "the cluster has no majority"},
      {"MOVED", "the key is on another server of the cluster: give the URL of the one named"},
  };
  size_t i;
  refuse(words, reply->str, "look at the server's log");
  for (i = 0; i < sizeof hints / sizeof *hints; i++)
    if (strncmp(reply->str, hints[i].start, strlen(hints[i].start)) == 0)
      braze_text_print(words->hint, sizeof words->hint, "%s", hints[i].hint);
}

enum braze_store_code braze_redis_run(struct braze_redis *redis, const struct braze_redis_command *command, double until,
                                      redisReply **reply, struct braze_store_words *words) {
  *reply = NULL;
  if (redis->host->now() >= until) {
    refuse(words, "the server did not answer in time", "look at the server and the network between");
    return BRAZE_STORE_LOST;
  }
  redisSetTimeout(redis->connection, time_until(redis, until));
  *reply = redisCommandArgv(redis->connection, command->count, (const char **)(uintptr_t)command->words, command->lengths);
  if (!*reply) return lose(redis, words);
  if ((*reply)->type != REDIS_REPLY_ERROR) return BRAZE_STORE_GOOD;
  explain(*reply, words);
  freeReplyObject(*reply);
  *reply = NULL;
  return BRAZE_STORE_FAILED;
}

/* EVALSHA or EVAL, and what stands in the arguments. */
static enum braze_store_code eval(struct braze_redis *redis, const char *name, const char *script,
                                  const struct braze_redis_command *arguments, double until, redisReply **reply,
                                  struct braze_store_words *words) {
  struct braze_redis_command command = {0};
  int i;
  braze_redis_text(&command, name);
  braze_redis_text(&command, script);
  braze_redis_text(&command, "1");
  for (i = 0; i < arguments->count; i++) {
    command.words[command.count] = arguments->words[i];
    command.lengths[command.count++] = arguments->lengths[i];
  }
  return braze_redis_run(redis, &command, until, reply, words);
}

/* Asks the server for the digest of a script, which it keeps. */
static enum braze_store_code give_script(struct braze_redis *redis, struct braze_redis_script *script, double until,
                                         struct braze_store_words *words) {
  struct braze_redis_command command = {0};
  redisReply *reply;
  enum braze_store_code code;
  braze_redis_text(&command, "SCRIPT");
  braze_redis_text(&command, "LOAD");
  braze_redis_text(&command, script->text);
  code = braze_redis_run(redis, &command, until, &reply, words);
  if (code != BRAZE_STORE_GOOD) return code;
  braze_text_print(script->digest, sizeof script->digest, "%s", reply->type == REDIS_REPLY_STRING ? reply->str : "");
  freeReplyObject(reply);
  return code;
}

enum braze_store_code braze_redis_eval(struct braze_redis *redis, struct braze_redis_script *script,
                                       const struct braze_redis_command *arguments, double until, redisReply **reply,
                                       struct braze_store_words *words) {
  enum braze_store_code code = script->digest[0] ? BRAZE_STORE_GOOD : give_script(redis, script, until, words);
  if (code != BRAZE_STORE_GOOD) return code;
  code = eval(redis, "EVALSHA", script->digest, arguments, until, reply, words);
  if (code != BRAZE_STORE_FAILED || strncmp(words->message, "NOSCRIPT", 8) != 0) return code;
  return eval(redis, "EVAL", script->text, arguments, until, reply, words);
}

/* --- Connecting -------------------------------------------------------------------------------------- */

/* A command of words that do not matter once they are sent. */
static enum braze_store_code say(struct braze_redis *redis, const char *name, const char *first, const char *second, double until,
                                 struct braze_store_words *words) {
  struct braze_redis_command command = {0};
  redisReply *reply;
  enum braze_store_code code;
  braze_redis_text(&command, name);
  if (first) braze_redis_text(&command, first);
  if (second) braze_redis_text(&command, second);
  code = braze_redis_run(redis, &command, until, &reply, words);
  if (code == BRAZE_STORE_GOOD) freeReplyObject(reply);
  return code == BRAZE_STORE_LOST ? BRAZE_STORE_FAILED : code;
}

static enum braze_store_code greet(struct braze_redis *redis, const struct address *address, double until,
                                   struct braze_store_words *words) {
  enum braze_store_code code = BRAZE_STORE_GOOD;
  char database[16];
  if (address->password[0] && address->user[0])
    code = say(redis, "AUTH", address->user, address->password, until, words);
  else if (address->password[0])
    code = say(redis, "AUTH", address->password, NULL, until, words);
  braze_text_print(database, sizeof database, "%d", address->database);
  if (code == BRAZE_STORE_GOOD && address->database > 0) code = say(redis, "SELECT", database, NULL, until, words);
  return code == BRAZE_STORE_GOOD ? say(redis, "PING", NULL, NULL, until, words) : code;
}

static enum braze_store_code connect_to(struct braze_redis *redis, const struct address *address, double until,
                                        struct braze_store_words *words) {
  redis->connection = redisConnectWithTimeout(address->host, address->port, time_until(redis, until));
  if (!redis->connection) return refuse(words, "there is no memory for a connection", "");
  if (redis->connection->err)
    return refuse(words, redis->connection->errstr, "check that the server runs, and host and port in the ledger's URL");
  redisEnableKeepAlive(redis->connection);
  redisSetTimeout(redis->connection, time_until(redis, until));
  return address->tls ? braze_redis_secure(redis->connection, address->host, &address->files, words) : BRAZE_STORE_GOOD;
}

enum braze_store_code braze_redis_open(struct braze_redis *redis, const char *url, double until, struct braze_store_words *words) {
  struct address address;
  enum braze_store_code code;
  if (!read_url(&address, url))
    return refuse(words, "its URL can't be read",
                  strncmp(url, "rediss:", 7) == 0
                      ? "write rediss://user:password@host:port/0, then ?ca_file=/path where the authority is your own, cert_file and key_file "
                        "where the server wants a certificate; in a password write @ : / as %40 %3A %2F"
                      : "write redis://user:password@host:port/0; characters such as @ : / in a password as %40 %3A %2F");
  code = address.tls ? braze_redis_tls_here(words) : BRAZE_STORE_GOOD;
  if (code == BRAZE_STORE_GOOD) code = connect_to(redis, &address, until, words);
  if (code == BRAZE_STORE_GOOD) {
    code = greet(redis, &address, until, words);
    if (code != BRAZE_STORE_GOOD && redis->connection->err && redis->host->now() < until && address.tls && !address.files.cert_file[0])
      braze_text_print(words->hint, sizeof words->hint,
                       "the server may want a certificate of its clients: rediss://host?cert_file=/path/a.pem&key_file=/path/a.key");
  }
  if (code != BRAZE_STORE_GOOD) braze_redis_close(redis);
  return code;
}

void braze_redis_close(struct braze_redis *redis) {
  if (redis->connection) redisFree(redis->connection);
  redis->connection = NULL;
}
