/* redis_tls: see redis_tls.h. */
#include "stores/redis_tls.h"

#include "base/text.h"

static enum braze_store_code fail(struct braze_store_words *words, const char *message, const char *hint) {
  braze_text_print(words->message, sizeof words->message, "%s", message);
  braze_text_print(words->hint, sizeof words->hint, "%s", hint);
  return BRAZE_STORE_FAILED;
}

#ifdef BRAZE_REDIS_TLS

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

enum braze_store_code braze_redis_tls_here(struct braze_store_words *words) {
  (void)words;
  return BRAZE_STORE_GOOD;
}

/* No key with a password: OpenSSL would ask for it at the terminal. */
static int no_password(char *out, int size, int writing, void *context) {
  (void)out, (void)size, (void)writing, (void)context;
  return 0;
}

/* A FIFO would be waited for without an end. */
static bool is_file(const char *path) {
  struct stat state;
  return stat(path, &state) == 0 && S_ISREG(state.st_mode);
}

static bool read_files(SSL_CTX *context, const struct braze_redis_tls *tls, struct braze_store_words *words) {
  if (tls->ca_file[0]) {
    if (is_file(tls->ca_file) && SSL_CTX_load_verify_locations(context, tls->ca_file, NULL) == 1) return true;
    fail(words, "the certificates to trust can't be read from its ca_file",
       "give the path of a file of certificates (PEM) that this user may read");
    return false;
  }
  if (SSL_CTX_set_default_verify_paths(context) == 1) return true;
  fail(words, "the system's store of trusted certificates can't be read",
       "name a file of certificates: rediss://host?ca_file=/path/ca.pem");
  return false;
}

static bool read_own(SSL_CTX *context, const struct braze_redis_tls *tls, struct braze_store_words *words) {
  const char *key = tls->key_file[0] ? tls->key_file : tls->cert_file;
  if (!tls->cert_file[0]) return true;
  if (is_file(tls->cert_file) && is_file(key) && SSL_CTX_use_certificate_chain_file(context, tls->cert_file) == 1 &&
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) == 1 && SSL_CTX_check_private_key(context) == 1)
    return true;
  fail(words, "the certificate of its cert_file, or the private key of its key_file, can't be read, or they are no pair",
       "give files of PEM that this user may read, the key without a password");
  return false;
}

/* hiredis itself checks no name: who has any certificate of an authority that is trusted could be the server. */
static SSL *new_session(SSL_CTX *context, const char *host) {
  unsigned char address[sizeof(struct in6_addr)];
  SSL *session = SSL_new(context);
  bool good;
  if (!session) return NULL;
  if (inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1)
    good = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) == 1;
  else
    good = SSL_set1_host(session, host) == 1 && SSL_set_tlsext_host_name(session, host) == 1;
  if (good) return session;
  SSL_free(session);
  return NULL;
}

static enum braze_store_code explain(const redisContext *connection, long verified, struct braze_store_words *words) {
  if (verified == X509_V_OK) {
    braze_text_print(words->message, sizeof words->message, "the TLS handshake failed: %s",
                     connection->errstr[0] ? connection->errstr : "the connection broke");
    braze_text_print(words->hint, sizeof words->hint,
                     "check that the port is the one for TLS, and whether the server wants a certificate of its clients (cert_file)");
    return BRAZE_STORE_FAILED;
  }
  braze_text_print(words->message, sizeof words->message, "the server's certificate was refused: %s",
                   X509_verify_cert_error_string(verified));
  braze_text_print(words->hint, sizeof words->hint, "%s",
                   verified == X509_V_ERR_HOSTNAME_MISMATCH || verified == X509_V_ERR_IP_ADDRESS_MISMATCH
                       ? "write the host as the certificate names it"
                       : "if an authority of your own made it: rediss://host?ca_file=/path/ca.pem");
  return BRAZE_STORE_FAILED;
}

static SSL_CTX *new_context(const struct braze_redis_tls *tls, struct braze_store_words *words) {
  SSL_CTX *context = SSL_CTX_new(TLS_client_method());
  if (!context) {
    fail(words, "there is no memory for TLS", "");
    return NULL;
  }
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_default_passwd_cb(context, no_password);
  if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 && read_files(context, tls, words) && read_own(context, tls, words))
    return context;
  SSL_CTX_free(context);
  return NULL;
}

enum braze_store_code braze_redis_secure(redisContext *connection, const char *host, const struct braze_redis_tls *tls,
                                         struct braze_store_words *words) {
  SSL_CTX *context;
  SSL *session;
  enum braze_store_code code = BRAZE_STORE_GOOD;
  ERR_clear_error(); /* this thread is the ledger's own: nobody else's errors stand there */
  context = new_context(tls, words);
  session = context ? new_session(context, host) : NULL;
  if (!context) {
    code = BRAZE_STORE_FAILED;
  } else if (!session) {
    code = fail(words, "there is no memory for TLS", "");
  } else if (redisInitiateSSL(connection, session) != REDIS_OK) { /* from then on it is the connection's */
    code = explain(connection, SSL_get_verify_result(session), words);
    SSL_free(session);
  }
  SSL_CTX_free(context); /* the session has a reference of its own */
  ERR_clear_error();
  return code;
}

#else

enum braze_store_code braze_redis_tls_here(struct braze_store_words *words) {
  return fail(words, "this build speaks no TLS with Redis: it had no hiredis_ssl (hiredis before 1.0 has none), or no OpenSSL",
              "build it where both have their headers, or use redis:// and a tunnel such as stunnel on this machine");
}

enum braze_store_code braze_redis_secure(redisContext *connection, const char *host, const struct braze_redis_tls *tls,
                                         struct braze_store_words *words) {
  (void)connection, (void)host, (void)tls;
  return braze_redis_tls_here(words);
}

#endif
