/* redis_tls: TLS on a connection to Redis, where the build has hiredis's part for it (from hiredis 1.0) and OpenSSL. */
#ifndef BRAZE_REDIS_TLS_H
#define BRAZE_REDIS_TLS_H

#include <hiredis/hiredis.h>

#include "stores/stores.h"

#define BRAZE_REDIS_MOST_OF_A_NAME 512

/* Paths of files of PEM; empty: the system's authorities, and no certificate of our own. */
struct braze_redis_tls {
  char ca_file[BRAZE_REDIS_MOST_OF_A_NAME], cert_file[BRAZE_REDIS_MOST_OF_A_NAME], key_file[BRAZE_REDIS_MOST_OF_A_NAME];
};

/* GOOD, or FAILED with words where this build has no TLS. */
enum braze_store_code braze_redis_tls_here(struct braze_store_words *words);

/* The handshake, which ends at the connection's timeout. The server's certificate must name `host`, a name or an address. */
enum braze_store_code braze_redis_secure(redisContext *connection, const char *host, const struct braze_redis_tls *tls,
                                         struct braze_store_words *words);

#endif
