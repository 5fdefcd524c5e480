/* transfer: see transfer.h. No callback here touches Lua: an error raised through libcurl's frames kills the handle. */
#include "transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "global.h"
#include "parking.h"
#include "wipe.h"

#define SHORTEST_KEY 8
/* CURLE_TOO_LARGE of 8.6: libcurl's own limits of 100 KiB for one header line, and of 5,000 lines with the trailers. Before, it
   says of the first that there is no memory. */
#define TOO_LARGE 100
#define LEAST_LONG_BODY 65536u
#define MOST_CONNECTION_AGE 60L /* seconds idle: fewer dead connections */
#define MOST_CONNECTION_LIFETIME 600L /* seconds in all: changes in DNS are seen */

/* The one moment that at-most-once rests on: libcurl is about to send the request. By itself it sends a POST again when a
   reused connection dies after the whole of it was delivered, so a second time in one attempt is refused. */
static bool request_leaves(struct braze_call *call) {
  struct braze_outcome *outcome = &call->outcome;
  if (outcome->left) {
    outcome->stop = BRAZE_STOP_SECOND_SEND;
    return false;
  }
  if (!braze_call_pass_gate(call)) {
    outcome->stop = BRAZE_STOP_CANCELLED;
    return false;
  }
  outcome->left = true;
  outcome->attempts++;
  return true;
}

/* The same, but not past the deadline, as where the process was stopped during the handshake; and not in the child of a fork in a
   signal handler, whose parent goes on with the same call on the same connection. */
static bool may_leave(struct braze_transfer *transfer) {
  if (braze_clock_now() >= transfer->call->deadline) transfer->call->outcome.stop = BRAZE_STOP_LATE;
  if (transfer->process != braze_parking_forks()) transfer->call->outcome.stop = BRAZE_STOP_CANCELLED;
  return transfer->call->outcome.stop == BRAZE_STOP_NONE && request_leaves(transfer->call);
}

#if BRAZE_LIBCURL_AT_LEAST(7, 80, 0)
static int on_request(void *data, char *their_address, char *our_address, int their_port, int our_port) {
  struct braze_transfer *transfer = data;
  (void)their_address, (void)our_address, (void)their_port, (void)our_port;
  return may_leave(transfer) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}
#endif

static size_t on_read(char *bytes, size_t size, size_t count, void *data) {
  struct braze_transfer *transfer = data;
  const struct braze_call *call = transfer->call;
  size_t length = call->body_length - transfer->body_read;
  if (length > size * count) length = size * count;
  if (transfer->body_read == 0 && !may_leave(transfer)) return CURL_READFUNC_ABORT;
  memcpy(bytes, call->body + transfer->body_read, length);
  transfer->body_read += length;
  return length;
}

static int on_seek(void *data, curl_off_t offset, int origin) {
  struct braze_transfer *transfer = data;
  if (transfer->body_read == 0 && offset == 0 && origin == SEEK_SET) return CURL_SEEKFUNC_OK;
  transfer->call->outcome.stop = BRAZE_STOP_SECOND_SEND;
  return CURL_SEEKFUNC_FAIL;
}

static size_t on_header(char *bytes, size_t size, size_t count, void *data) {
  struct braze_transfer *transfer = data;
  struct braze_outcome *outcome = &transfer->call->outcome;
  size_t length = size * count;
  if (transfer->header_bytes == 0) transfer->response_epoch = braze_clock_epoch();
  transfer->header_bytes += length;
  if (transfer->header_bytes > BRAZE_HEADER_LIMIT) {
    outcome->stop = BRAZE_STOP_HEADERS_TOO_LONG;
    return 0;
  }
  /* What comes behind the body are trailers. */
  if (outcome->body.length == 0) braze_headers_line(&transfer->response, bytes, length, transfer->response_epoch, outcome);
  return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
  struct braze_transfer *transfer = data;
  struct braze_outcome *outcome = &transfer->call->outcome;
  size_t length = size * count;
  if (braze_buffer_append(&outcome->body, bytes, length)) return length;
  outcome->stop = outcome->body.length == outcome->body.limit ? BRAZE_STOP_BODY_TOO_LONG : BRAZE_STOP_NO_MEMORY;
  return 0;
}

/* Without a look first the attempt is begun once more, after one; but where libcurl would send again what it lost, it ends. */
static curl_socket_t on_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address) {
  struct braze_transfer *transfer = data;
  if (transfer->may_connect) return braze_sockets_open(transfer->sockets, purpose, address);
  transfer->refused = true;
  if (transfer->call->outcome.left) transfer->call->outcome.stop = BRAZE_STOP_SECOND_SEND;
  return CURL_SOCKET_BAD;
}

static void set_headers(struct braze_transfer *transfer) {
  static char content_type[] = "Content-Type: application/json", expect[] = "Expect:";
  /* As a node of ours: libcurl would format its own option anew, twice over, for each transfer. */
  static char user_agent[] = "User-Agent: braze-lua/" BRAZE_VERSION;
  char *const lines[] = {user_agent, transfer->secrets->authorization, content_type, expect};
  size_t i, count = sizeof lines / sizeof *lines;
  for (i = 0; i < count; i++) {
    transfer->headers[i].data = lines[i];
    transfer->headers[i].next = i + 1 < count ? &transfer->headers[i + 1] : NULL;
  }
}

/* libcurl asks the service before it sends a megabyte, which costs a round trip. The header that stops it costs too. */
static void choose_headers(struct braze_transfer *transfer, size_t body_length) {
  transfer->headers[2].next = body_length < LEAST_LONG_BODY ? NULL : &transfer->headers[3];
}

/* Sets an option unless one failed before; the first failure stays in `code`. */
#define SET(option, value) \
  do { \
    if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value); \
  } while (0)

/* The same for one that an older library that is loaded may not know. */
#define SET_IF_KNOWN(option, value) \
  do { \
    if (code == CURLE_OK) code = curl_easy_setopt(easy, option, value); \
    if (code == CURLE_UNKNOWN_OPTION) code = CURLE_OK; \
  } while (0)

static CURLcode set_limits_of_trust(CURL *easy, const struct braze_settings *settings) {
  CURLcode code = CURLE_OK;
#if BRAZE_LIBCURL_AT_LEAST(7, 85, 0)
  code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, settings->secure ? "https" : "http");
#else
  code = curl_easy_setopt(easy, CURLOPT_PROTOCOLS, settings->secure ? (long)CURLPROTO_HTTPS : (long)CURLPROTO_HTTP);
#endif
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

/* libcurl never looks at the environment for a proxy: an empty text says that there is none. */
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

/* Marks the moment when the request leaves. */
static CURLcode set_mark(struct braze_transfer *transfer) {
  CURL *easy = transfer->easy;
  CURLcode code = CURLE_UNKNOWN_OPTION;
#if BRAZE_LIBCURL_AT_LEAST(7, 80, 0)
  code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
  SET(CURLOPT_PREREQDATA, transfer);
#endif
  if (code != CURLE_UNKNOWN_OPTION) return code;
  transfer->by_reading = true;
  code = curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  SET(CURLOPT_READDATA, transfer);
  SET(CURLOPT_SEEKFUNCTION, on_seek);
  SET(CURLOPT_SEEKDATA, transfer);
  return code;
}

static CURLcode set_all(struct braze_transfer *transfer, struct braze_sockets *sockets) {
  CURL *easy = transfer->easy;
  CURLcode code = set_limits_of_trust(easy, transfer->settings);
  transfer->sockets = sockets;
  if (code == CURLE_OK) code = set_proxy(easy, transfer->settings, transfer->secrets);
  if (code == CURLE_OK) code = set_mark(transfer);
  SET(CURLOPT_POST, 1L);
  SET(CURLOPT_HTTPHEADER, transfer->headers);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_NOSIGNAL, 1L);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, transfer);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, transfer);
  SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
  SET(CURLOPT_OPENSOCKETDATA, transfer);
  SET(CURLOPT_CLOSESOCKETFUNCTION, braze_sockets_close);
  SET(CURLOPT_CLOSESOCKETDATA, sockets);
  SET(CURLOPT_ERRORBUFFER, transfer->error);
  SET(CURLOPT_PRIVATE, transfer);
  SET(CURLOPT_MAXAGE_CONN, MOST_CONNECTION_AGE);
#if BRAZE_LIBCURL_AT_LEAST(7, 80, 0)
  SET_IF_KNOWN(CURLOPT_MAXLIFETIME_CONN, MOST_CONNECTION_LIFETIME);
#endif
#if BRAZE_LIBCURL_AT_LEAST(7, 87, 0)
  SET_IF_KNOWN(CURLOPT_QUICK_EXIT, 1L); /* giving up a name look-up must not wait for it */
#endif
  return code;
}

struct braze_transfer *braze_transfer_new(const struct braze_settings *settings, const struct braze_secrets *secrets, struct braze_sockets *sockets) {
  struct braze_transfer *transfer = calloc(1, sizeof *transfer);
  if (!transfer) return NULL;
  transfer->settings = settings;
  transfer->secrets = secrets;
  transfer->easy = curl_easy_init();
  set_headers(transfer);
  if (transfer->easy && set_all(transfer, sockets) == CURLE_OK) return transfer;
  braze_transfer_free(transfer);
  return NULL;
}

bool braze_transfer_renew(struct braze_transfer *transfer, struct braze_sockets *sockets) {
  /* http:// is loopback: nobody from outside writes there. */
  if (braze_global_reuses_handles() || !transfer->settings->secure) return true;
  curl_easy_cleanup(transfer->easy);
  transfer->easy = curl_easy_init();
  transfer->url_is_set = false;
  memset(&transfer->store, 0, sizeof transfer->store);
  return transfer->easy && set_all(transfer, sockets) == CURLE_OK;
}

void braze_transfer_free(struct braze_transfer *transfer) {
  if (!transfer) return;
  curl_easy_cleanup(transfer->easy);
  curl_url_cleanup(transfer->url);
  free(transfer);
}

static bool make_url(struct braze_transfer *transfer, const struct braze_endpoint *endpoint) {
  struct braze_buffer text;
  bool good;
  if (transfer->endpoint == endpoint) return true;
  braze_buffer_init(&text, 4096);
  if (!transfer->url) transfer->url = curl_url();
  good = transfer->url && braze_buffer_append(&text, transfer->settings->url, strlen(transfer->settings->url)) &&
         braze_buffer_append(&text, endpoint->path, strlen(endpoint->path)) &&
         curl_url_set(transfer->url, CURLUPART_URL, text.bytes, CURLU_DISALLOW_USER) == CURLUE_OK;
  braze_buffer_free(&text);
  if (good) transfer->endpoint = endpoint;
  return good;
}

/* The URL is parsed once for a transfer; each of its handles is given what came of it. */
static CURLcode set_url(struct braze_transfer *transfer, const struct braze_endpoint *endpoint) {
  CURLcode code = CURLE_OK;
  if (transfer->endpoint == endpoint && transfer->url_is_set) return CURLE_OK;
  if (!make_url(transfer, endpoint)) return CURLE_OUT_OF_MEMORY;
  code = curl_easy_setopt(transfer->easy, CURLOPT_CURLU, transfer->url);
  transfer->url_is_set = code == CURLE_OK;
  return code;
}

static bool is_same(const struct braze_trust_store *one, const struct braze_trust_store *other) {
  return one->round == other->round && one->file == other->file && one->directory == other->directory;
}

/* Without either, both stay as libcurl was built. */
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
  return whole > 0 ? whole : 1; /* 0 would mean: for ever */
}

/* Gives libcurl the addresses that were found. It keeps them until it gets others, which is before each new connection. */
static CURLcode set_addresses(struct braze_transfer *transfer, const char *addresses) {
  snprintf(transfer->addresses, sizeof transfer->addresses, "%s", addresses);
  transfer->resolve.data = transfer->addresses;
  return curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, addresses[0] ? &transfer->resolve : NULL);
}

CURLcode braze_transfer_begin(struct braze_transfer *transfer, struct braze_call *call, const struct braze_route *route, double now) {
  CURL *easy = transfer->easy;
  double left = call->deadline - now;
  CURLcode code = set_url(transfer, call->endpoint);
  if (code == CURLE_OK) code = set_store(transfer, route->store);
  if (code == CURLE_OK) code = set_addresses(transfer, route->addresses);
  transfer->call = call;
  transfer->may_connect = route->may_connect;
  transfer->refused = false;
  transfer->process = braze_parking_forks();
  transfer->vain_looks = transfer->seen = transfer->body_read = transfer->header_bytes = 0;
  transfer->error[0] = '\0';
  braze_headers_init(&transfer->response);
  call->outcome.connecting = call->connect_timeout < left;
  SET(CURLOPT_CONNECTTIMEOUT_MS, milliseconds(call->connect_timeout < left ? call->connect_timeout : left));
  SET(CURLOPT_POSTFIELDSIZE, (long)call->body_length);
  if (!transfer->by_reading) SET(CURLOPT_POSTFIELDS, call->body);
  if (braze_global_looks_seldom()) SET(CURLOPT_FRESH_CONNECT, (long)route->dropped);
  choose_headers(transfer, call->body_length);
  return code;
}

/* Without the mark of libcurl 7.80 the head may have left before the body was read. What libcurl counted as sent may be a
   CONNECT to a proxy; then only a finished handshake with the service (or a connection used before) tells. */
static void look_for_head(struct braze_transfer *transfer) {
  long sent = 0, connections = 0;
  double handshake = 0;
  if (transfer->call->outcome.left) return;
  curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
  curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connections);
  curl_easy_getinfo(transfer->easy, CURLINFO_APPCONNECT_TIME, &handshake);
  if (sent > 0 && (!transfer->settings->proxy || connections == 0 || handshake > 0)) request_leaves(transfer->call);
}

static enum braze_kind kind_of(CURLcode code, const struct braze_outcome *outcome) {
  if (outcome->stop == BRAZE_STOP_BODY_TOO_LONG || outcome->stop == BRAZE_STOP_HEADERS_TOO_LONG) return BRAZE_PROTOCOL;
  if (outcome->stop == BRAZE_STOP_LATE) return BRAZE_TIMEOUT;
  if (outcome->stop == BRAZE_STOP_CANCELLED) return BRAZE_CANCELLED;
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT: return BRAZE_TIMEOUT;
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_ENGINE_NOTFOUND:
  case CURLE_SSL_ENGINE_SETFAILED:
  case CURLE_SSL_ENGINE_INITFAILED:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_USE_SSL_FAILED: return BRAZE_TLS;
  case CURLE_UNSUPPORTED_PROTOCOL: /* what arrived is not HTTP/1.x */
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_BAD_FUNCTION_ARGUMENT: /* libcurl's store of headers says so of a line that is none */
  case CURLE_BAD_CONTENT_ENCODING: return outcome->left ? BRAZE_PROTOCOL : BRAZE_NETWORK;
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
    /* With TLS 1.3 a server refuses a client only after the client has sent its request. */
    return outcome->left && strstr(outcome->curl_message, "alert") ? BRAZE_TLS : BRAZE_NETWORK;
  default: return BRAZE_NETWORK;
  }
}

/* Takes what is secret out of a text that came from outside, before anything else sees it. */
static void redact(const struct braze_secrets *secrets, char *text, size_t size) {
  char safe[256];
  struct braze_buffer out;
  if (!braze_secrets_found(secrets, BRAZE_PARTS_TOO, text, strlen(text))) return;
  braze_buffer_borrow(&out, safe, size < sizeof safe ? size : sizeof safe);
  braze_secrets_redact(secrets, BRAZE_PARTS_TOO, text, strlen(text), &out);
  braze_wipe(text, size);
  memcpy(text, safe, out.length + 1);
}

/* The text of body without secrets, in *safe. False: there was none in it. Without memory for the safe text it is empty. */
static bool make_safe(const struct braze_secrets *secrets, enum braze_parts parts, const struct braze_buffer *body, struct braze_buffer *safe) {
  if (!braze_secrets_found(secrets, parts, braze_buffer_text(body), body->length)) return false;
  braze_buffer_init(safe, body->limit);
  if (!braze_secrets_redact(secrets, parts, body->bytes, body->length, safe) && safe->length < safe->limit) braze_buffer_clear(safe);
  return true;
}

/* The body is the safe one from here on: the service's 401 repeats the key. */
static void redact_body(const struct braze_secrets *secrets, enum braze_parts parts, struct braze_buffer *body) {
  struct braze_buffer safe;
  if (!make_safe(secrets, parts, body, &safe)) return;
  braze_wipe(body->bytes, body->length);
  braze_buffer_free(body);
  *body = safe;
}

/* A whole 2xx. A success gives back what it was given, and a send_id may begin as the key does, so only whole secrets are
   taken out of it, and no key so short that it would spoil the service's own words. What turns out to be no success is shown
   by safe_body. */
static void redact_answer(const struct braze_secrets *secrets, struct braze_outcome *outcome) {
  outcome->has_safe_body = make_safe(secrets, BRAZE_PARTS_TOO, &outcome->body, &outcome->safe_body);
  if (outcome->has_safe_body && secrets->lengths[BRAZE_SECRET_API_KEY] >= SHORTEST_KEY) redact_body(secrets, BRAZE_WHOLE_ONLY, &outcome->body);
}

static void redact_all(const struct braze_secrets *secrets, struct braze_outcome *outcome) {
  redact(secrets, outcome->curl_message, sizeof outcome->curl_message);
  redact(secrets, outcome->request_id, sizeof outcome->request_id);
  redact(secrets, outcome->location, sizeof outcome->location);
  if (outcome->answered)
    redact_answer(secrets, outcome);
  else
    redact_body(secrets, BRAZE_PARTS_TOO, &outcome->body);
}

static void keep_failure(struct braze_transfer *transfer, CURLcode code, struct braze_outcome *outcome) {
  const char *text = transfer->error[0] ? transfer->error : curl_easy_strerror(code);
  outcome->curl_code = (int)code;
  snprintf(outcome->curl_message, sizeof outcome->curl_message, "%s", text);
  outcome->curl_message[strcspn(outcome->curl_message, "\r\n")] = '\0';
  outcome->trust_failed = kind_of(code, outcome) == BRAZE_TLS && code != CURLE_SSL_CONNECT_ERROR;
}

/* A final response of 300 or more decides by itself; a 2xx only when all of it is there. libcurl takes a response for whole
   that ends inside its header. */
static void judge(struct braze_transfer *transfer, CURLcode code, struct braze_outcome *outcome) {
  if (outcome->status >= 300 || (code == CURLE_OK && outcome->status == 0))
    braze_outcome_judge_status(outcome);
  else if (code == CURLE_OK && transfer->response.ended)
    outcome->answered = true;
  else
    braze_outcome_fail(outcome, code == CURLE_OK ? BRAZE_NETWORK : kind_of(code, outcome));
}

void braze_transfer_end(struct braze_transfer *transfer, CURLcode code) {
  struct braze_outcome *outcome = &transfer->call->outcome;
  long status = 0, proxy_status = 0;
  if (transfer->by_reading) look_for_head(transfer);
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  if (transfer->settings->proxy) curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &proxy_status);
  outcome->proxy_status = (int)proxy_status;
  outcome->status = outcome->left && status >= 200 ? (int)status : 0;
  if (outcome->status > 0) braze_headers_finish(&transfer->response, outcome);
  if (outcome->status == 0) outcome->request_id[0] = outcome->location[0] = '\0'; /* an interim response's */
  if (outcome->left && outcome->stop == BRAZE_STOP_NONE && (int)code == TOO_LARGE) outcome->stop = BRAZE_STOP_HEADERS_TOO_LONG;
  if (code != CURLE_OK) keep_failure(transfer, code, outcome);
  outcome->connecting = outcome->connecting && !outcome->left;
  judge(transfer, code, outcome);
  redact_all(transfer->secrets, outcome);
  transfer->call = NULL;
}

void braze_transfer_cancel(struct braze_transfer *transfer) {
  if (transfer->by_reading) look_for_head(transfer);
  braze_outcome_fail(&transfer->call->outcome, BRAZE_CANCELLED);
  transfer->call = NULL;
}
