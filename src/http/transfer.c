/* transfer: see transfer.h. */
#include "http/transfer.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/version.h"
#include "base/wipe.h"
#include "http/conceal.h"
#include "http/failure.h"
#include "http/receiving.h"
#include "http/sending.h"
#include "process/process.h"

#define MAX_URL (BRAZE_MAX_TARGET + 4096u)
#define MIN_LONG_BODY 65536u
#define UPLOAD_BUFFER 32768L /* bytes */
#define MAX_CONNECTION_AGE 60L /* seconds idle: fewer dead connections */
#define MAX_CONNECTION_LIFETIME 600L /* seconds in all: changes in DNS are seen */

/* Refuses a new connection without a look: the attempt begins once more after one. It ends where libcurl wants the connection only to
   send the request a second time. */
static curl_socket_t on_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
  struct braze_transfer *transfer = data;
  if (transfer->may_connect) return braze_sockets_open(&transfer->connection, purpose, address);
  transfer->refused = true;
  if (transfer->call->outcome.request_sent) transfer->call->outcome.stop = BRAZE_STOP_SECOND_SEND;
  return CURL_SOCKET_BAD;
}

static void set_headers(struct braze_transfer *transfer) {
  static char content_type[] = "Content-Type: application/json", expect[] = "Expect:";
  /* Without it a server may choose any coding of the body. We read none: a small body may inflate without end. */
  static char accept_encoding[] = "Accept-Encoding: identity";
  /* As a header of ours: libcurl would format its own option twice for each transfer. */
  static char user_agent[] = "User-Agent: braze-lua/" BRAZE_VERSION;
  char *const lines[] = {user_agent, transfer->secrets->authorization, accept_encoding, content_type, expect};
  size_t i, count = sizeof lines / sizeof *lines;
  for (i = 0; i < count; i++) {
    transfer->headers[i].data = lines[i];
    transfer->headers[i].next = i + 1 < count ? &transfer->headers[i + 1] : NULL;
  }
}

/* A request without a body has no content type. libcurl asks the service before it sends a large body, which costs a round trip. An
   empty Expect stops it, where that is worth its cost. */
static void choose_headers(struct braze_transfer *transfer, size_t body_length) {
  transfer->headers[2].next = body_length == 0 ? NULL : &transfer->headers[3];
  transfer->headers[3].next = body_length < MIN_LONG_BODY ? NULL : &transfer->headers[4];
}

/* Sets an option unless one failed before; the first failure stays in `code`. */
#define SET(option, value) \
  do { \
    if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value); \
  } while (0)

static CURLcode set_limits_of_trust(CURL *easy, const struct braze_settings *settings) {
  CURLcode code = braze_libcurl_set_protocol(easy, settings->secure);
  SET(CURLOPT_FOLLOWLOCATION, 0L); /* the key would travel with it */
  SET(CURLOPT_UNRESTRICTED_AUTH, 0L);
  SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
  SET(CURLOPT_HTTP09_ALLOWED, 0L);
  SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  if (settings->secure) {
    SET(CURLOPT_SSL_VERIFYPEER, 1L);
    SET(CURLOPT_SSL_VERIFYHOST, 2L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  }
  return code;
}

/* An empty text keeps libcurl from looking for a proxy in the environment. */
static CURLcode set_proxy(CURL *easy, const struct braze_settings *settings, const struct braze_secrets *secrets) {
  CURLcode code = CURLE_OK;
  SET(CURLOPT_PROXY, settings->proxy ? settings->proxy : "");
  SET(CURLOPT_NOPROXY, settings->no_proxy ? settings->no_proxy : "");
  if (!settings->proxy) return code;
  SET(CURLOPT_HTTPPROXYTUNNEL, 1L);
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  if (secrets->texts[BRAZE_SECRET_PROXY_USER])
    SET(CURLOPT_PROXYUSERNAME, secrets->texts[BRAZE_SECRET_PROXY_USER]);
  if (secrets->texts[BRAZE_SECRET_PROXY_PASSWORD])
    SET(CURLOPT_PROXYPASSWORD, secrets->texts[BRAZE_SECRET_PROXY_PASSWORD]);
  return code;
}

/* Over TLS libcurl takes a buffer for each request whose body is long. Half as large as its own choice, it keeps a request of 50 KB below
   128 KB in all: the C library gives what is more back to the kernel, and asks for it with the next call again, page by page. */
static CURLcode set_upload(CURL *easy) {
  return curl_easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, UPLOAD_BUFFER);
}

static CURLcode set_all(struct braze_transfer *transfer, struct braze_sockets *sockets) {
  CURL *easy = transfer->easy;
  CURLcode code = set_limits_of_trust(easy, transfer->settings);
  if (code == CURLE_OK) code = set_proxy(easy, transfer->settings, transfer->secrets);
  if (code == CURLE_OK) code = braze_sending_set(transfer);
  if (code == CURLE_OK) code = braze_receiving_set(transfer);
  if (code == CURLE_OK) code = set_upload(easy);
  SET(CURLOPT_HTTPHEADER, transfer->headers);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
  SET(CURLOPT_OPENSOCKETDATA, transfer);
  SET(CURLOPT_CLOSESOCKETFUNCTION, braze_sockets_close);
  SET(CURLOPT_CLOSESOCKETDATA, sockets);
  SET(CURLOPT_ERRORBUFFER, transfer->error);
  SET(CURLOPT_PRIVATE, transfer);
  return code == CURLE_OK ? braze_libcurl_set_connection_limits(easy, MAX_CONNECTION_AGE, MAX_CONNECTION_LIFETIME) : code;
}

struct braze_transfer *braze_transfer_new(const struct braze_settings *settings, const struct braze_secrets *secrets,
                                          struct braze_sockets *sockets) {
  struct braze_transfer *transfer = calloc(1, sizeof *transfer);
  if (!transfer) return NULL;
  braze_sockets_begin(&transfer->connection, sockets);
  transfer->settings = settings;
  braze_buffer_init(&transfer->target, BRAZE_MAX_TARGET);
  transfer->secrets = secrets;
  transfer->easy = curl_easy_init();
  set_headers(transfer);
  if (transfer->easy && set_all(transfer, sockets) == CURLE_OK) return transfer;
  braze_transfer_free(transfer);
  return NULL;
}

bool braze_transfer_renew(struct braze_transfer *transfer, struct braze_sockets *sockets) {
  if (braze_libcurl_reuses_handles()) return true;
  curl_easy_cleanup(transfer->easy);
  transfer->easy = curl_easy_init();
  transfer->url_is_set = transfer->is_fresh = transfer->has_body = transfer->is_plain = transfer->is_named = false;
  transfer->addresses[0] = '\0';
  memset(&transfer->store, 0, sizeof transfer->store);
  return transfer->easy && set_all(transfer, sockets) == CURLE_OK;
}

void braze_transfer_free(struct braze_transfer *transfer) {
  if (!transfer) return;
  curl_easy_cleanup(transfer->easy);
  curl_url_cleanup(transfer->url);
  braze_buffer_free(&transfer->target);
  braze_wipe(transfer->error, sizeof transfer->error);
  braze_wipe(&transfer->response, sizeof transfer->response);
  free(transfer);
}

/* Whether the URL is that of the target already. */
static bool has_target(const struct braze_transfer *transfer, const char *target) {
  return transfer->target.length > 0 && strcmp(braze_buffer_text(&transfer->target), target) == 0;
}

static bool make_url(struct braze_transfer *transfer, const char *target) {
  struct braze_buffer text;
  bool good;
  braze_buffer_init(&text, MAX_URL);
  braze_buffer_clear(&transfer->target);
  if (!transfer->url) transfer->url = curl_url();
  good = transfer->url && braze_buffer_append(&text, transfer->settings->url, strlen(transfer->settings->url)) &&
         braze_buffer_append(&text, target, strlen(target)) &&
         curl_url_set(transfer->url, CURLUPART_URL, text.bytes, CURLU_DISALLOW_USER) == CURLUE_OK &&
         braze_buffer_append(&transfer->target, target, strlen(target));
  braze_buffer_free(&text);
  return good;
}

/* The URL of a target is parsed once, as long as the transfer keeps the target, and set on each of its handles. */
static CURLcode set_url(struct braze_transfer *transfer, const char *target) {
  CURLcode code = CURLE_OK;
  bool same = has_target(transfer, target);
  if (same && transfer->url_is_set) return CURLE_OK;
  if (!same && !make_url(transfer, target)) return CURLE_OUT_OF_MEMORY;
  code = curl_easy_setopt(transfer->easy, CURLOPT_CURLU, transfer->url);
  transfer->url_is_set = code == CURLE_OK;
  return code;
}

/* Sets method and body. For libcurl a request with a body is a POST, and one without is a GET, whatever its method is called. */
static CURLcode set_request(struct braze_transfer *transfer, const struct braze_request *request) {
  CURL *easy = transfer->easy;
  CURLcode code = CURLE_OK;
  bool has_body = request->body.length > 0;
  bool plain = request->method == (has_body ? BRAZE_POST : BRAZE_GET);
  if (transfer->has_body != has_body || transfer->is_plain != plain || !plain) {
    if (has_body)
      SET(CURLOPT_POST, 1L);
    else
      SET(CURLOPT_HTTPGET, 1L);
    if (!plain || transfer->is_named) SET(CURLOPT_CUSTOMREQUEST, plain ? NULL : braze_method_name(request->method));
    transfer->is_named = !plain;
    transfer->has_body = has_body;
    transfer->is_plain = plain;
  }
  if (!has_body) return code;
  SET(CURLOPT_POSTFIELDSIZE, (long)request->body.length);
  if (!braze_libcurl_marks_by_read()) SET(CURLOPT_POSTFIELDS, request->body.bytes);
  return code;
}

static bool is_same(const struct braze_trust_store *one, const struct braze_trust_store *other) {
  return one->round == other->round && one->file == other->file && one->directory == other->directory;
}

/* A store without file and directory leaves both at libcurl's defaults. */
static CURLcode set_store(struct braze_transfer *transfer, const struct braze_trust_store *store) {
  CURL *easy = transfer->easy;
  CURLcode code = CURLE_OK;
  if (!store->file && !store->directory) return CURLE_OK;
  if (is_same(store, &transfer->store)) return CURLE_OK;
  SET(CURLOPT_CAINFO, store->file);
  SET(CURLOPT_CAPATH, store->directory);
  if (code == CURLE_OK) transfer->store = *store;
  return code;
}

static long milliseconds(double seconds) {
  long whole = (long)(seconds * 1000.0 + 0.999);
  return whole > 0 ? whole : 1; /* 0 would mean no limit */
}

/* Sets the addresses that were found. libcurl keeps them until it is given others, which happens before each new connection. */
static CURLcode set_addresses(struct braze_transfer *transfer, const char *addresses) {
  if (!addresses[0] && !transfer->addresses[0]) return CURLE_OK;
  braze_text_print(transfer->addresses, sizeof transfer->addresses, "%s", addresses);
  transfer->resolve.data = transfer->addresses;
  return curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, addresses[0] ? &transfer->resolve : NULL);
}

CURLcode braze_transfer_begin(struct braze_transfer *transfer, struct braze_call *call, const struct braze_route *route, double now) {
  CURL *easy = transfer->easy;
  double remaining = call->deadline - now;
  CURLcode code = set_url(transfer, call->request.target);
  if (code == CURLE_OK) code = set_store(transfer, route->store);
  if (code == CURLE_OK) code = set_addresses(transfer, route->addresses);
  transfer->call = call;
  transfer->may_connect = route->may_connect;
  transfer->refused = false;
  transfer->process = braze_process_forks();
  transfer->vain_looks = transfer->seen = transfer->body_read = 0;
  transfer->error[0] = '\0';
  braze_sockets_begin(&transfer->connection, transfer->connection.sockets);
  braze_receiving_begin(transfer);
  call->outcome.connecting = call->limits.connect_timeout < remaining;
  SET(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(call->limits.connect_timeout < remaining ? call->limits.connect_timeout : remaining));
  if (code == CURLE_OK) code = set_request(transfer, &call->request);
  if (route->fresh != transfer->is_fresh) SET(CURLOPT_FRESH_CONNECT, (long)route->fresh);
  transfer->is_fresh = route->fresh;
  choose_headers(transfer, call->request.body.length);
  return code;
}

/* A final response of 300 or more counts whether or not it is complete; a 2xx only if it is. */
static void classify(struct braze_transfer *transfer, CURLcode code, struct braze_outcome *outcome) {
  if (outcome->status >= 300 || (code == CURLE_OK && outcome->status == 0))
    braze_outcome_classify_status(outcome);
  else if (code == CURLE_OK && braze_receiving_is_whole(transfer))
    outcome->answered = true;
  else
    braze_outcome_fail(outcome, code == CURLE_OK ? BRAZE_NETWORK : braze_failure_kind(code, outcome));
}

void braze_transfer_end(struct braze_transfer *transfer, CURLcode code) {
  struct braze_outcome *outcome = &transfer->call->outcome;
  long status = 0, proxy_status = 0;
  braze_sending_end(transfer);
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  if (transfer->settings->proxy) curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  outcome->proxy_status = (int)proxy_status;
  outcome->status = outcome->request_sent && status >= 200 ? (int)status : 0;
  if (outcome->status > 0) braze_headers_finish(&transfer->response, outcome);
  if (outcome->status == 0) { /* an interim response's */
    outcome->request_id[0] = outcome->location[0] = outcome->coding[0] = '\0';
    braze_buffer_clear(&outcome->link);
  }
  if (outcome->request_sent && outcome->stop == BRAZE_STOP_NONE && code == BRAZE_CURLE_TOO_LARGE)
    outcome->stop = BRAZE_STOP_HEADERS_TOO_LONG;
  if (code != CURLE_OK) {
    braze_failure_keep(transfer->settings, code, transfer->error, outcome);
    braze_wipe(transfer->error, sizeof transfer->error); /* what it quotes may have the key in it */
  }
  outcome->connecting = outcome->connecting && !outcome->request_sent;
  classify(transfer, code, outcome);
  braze_conceal(transfer->secrets, transfer->call);
  braze_sockets_end(&transfer->connection, braze_clock_now());
  transfer->call = NULL;
}

void braze_transfer_cancel(struct braze_transfer *transfer) {
  braze_sending_end(transfer);
  braze_outcome_fail(&transfer->call->outcome, BRAZE_CANCELLED);
  braze_sockets_end(&transfer->connection, braze_clock_now());
  transfer->call = NULL;
}
