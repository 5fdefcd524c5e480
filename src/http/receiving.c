/* receiving: see receiving.h. */
#include "http/receiving.h"

#include "base/clock.h"

#define LONG_BODY 65536u
#define ROUNDS_BEFORE_A_LOOK 24u /* more than an ordinary call takes */
#define ROUNDS_BETWEEN_LOOKS 4u  /* libcurl reads 1.6 MB in one of them at most */

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
  /* Lines behind the body are trailers. */
  if (outcome->body.length == 0) braze_headers_line(&transfer->response, bytes, length, transfer->response_epoch, outcome);
  return length;
}

/* Makes room for all that is to come of a long body, as far as the header says how long it is: growing by and by, a body is copied as often
   as it doubles, and the kernel clears memory for each copy. Not before LONG_BODY has arrived: a header alone is to cost nothing. */
__attribute__((noinline)) static void reserve_rest(const struct braze_transfer *transfer, struct braze_buffer *body) {
  curl_off_t length = -1;
  curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  if (length > (curl_off_t)body->length && length <= (curl_off_t)body->limit) (void)braze_buffer_reserve(body, (size_t)length - body->length);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
  struct braze_transfer *transfer = data;
  struct braze_outcome *outcome = &transfer->call->outcome;
  size_t length = size * count;
  if (outcome->body.length >= LONG_BODY) reserve_rest(transfer, &outcome->body);
  if (braze_buffer_append(&outcome->body, bytes, length)) return length;
  outcome->stop = outcome->body.length == outcome->body.limit ? BRAZE_STOP_BODY_TOO_LONG : BRAZE_STOP_NO_MEMORY;
  return 0;
}

/* Whether more has arrived than belongs to an answer, whether or not libcurl passes it on. */
__attribute__((noinline)) static bool has_too_much(struct braze_transfer *transfer) {
  const struct braze_call *call = transfer->call;
  const size_t limit = call->outcome.request_sent ? call->request.max_response + BRAZE_RECEIVE_LIMIT : BRAZE_RECEIVE_LIMIT_BEFORE;
  return braze_sockets_received(&transfer->connection) > limit;
}

/* Limits what arrives: libcurl would read endless extensions of a chunk, or an endless answer of a proxy, until the deadline. libcurl calls
   this some twenty times in a call, and most calls end before the first look: so what looks is not compiled into it. */
static int on_progress(void *data, curl_off_t to_receive, curl_off_t received, curl_off_t to_send, curl_off_t sent) {
  struct braze_transfer *transfer = data;
  (void)to_receive, (void)received, (void)to_send, (void)sent;
  if (++transfer->rounds < ROUNDS_BEFORE_A_LOOK || transfer->rounds % ROUNDS_BETWEEN_LOOKS != 0) return 0;
  if (!has_too_much(transfer)) return 0;
  transfer->call->outcome.stop = BRAZE_STOP_TOO_MUCH_RECEIVED;
  return 1;
}

CURLcode braze_receiving_set(struct braze_transfer *transfer) {
  CURL *easy = transfer->easy;
  CURLcode code = curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_XFERINFODATA, transfer);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
  return code;
}

void braze_receiving_begin(struct braze_transfer *transfer) {
  transfer->header_bytes = 0;
  transfer->rounds = 0;
  braze_headers_init(&transfer->response);
}

/* Whether nothing says that an answer without a body is complete: its end is that of the connection. It may have been cut behind its
   header. A status of 204 or 205 says that no body comes. */
static bool may_be_cut(const struct braze_transfer *transfer) {
  const struct braze_outcome *outcome = &transfer->call->outcome;
  curl_off_t length = -1;
  if (outcome->body.length > 0 || transfer->response.transfer_coded || outcome->status == 204 || outcome->status == 205) return false;
  return curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) == CURLE_OK && length < 0;
}

bool braze_receiving_is_whole(const struct braze_transfer *transfer) {
  return transfer->response.ended && !may_be_cut(transfer);
}
