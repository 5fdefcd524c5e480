/* sending: see sending.h. */
#include "http/sending.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "process/process.h"

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

/* Not past the deadline, as where the process was stopped during the handshake; and not in the child of a fork in a signal handler,
   whose parent goes on with the same call on the same connection. */
static bool is_in_time(struct braze_transfer *transfer) {
  struct braze_outcome *outcome = &transfer->call->outcome;
  if (outcome->left) return true; /* a second time: refused for that */
  if (braze_clock_now() >= transfer->call->deadline) outcome->stop = BRAZE_STOP_LATE;
  if (transfer->process != braze_parking_forks()) outcome->stop = BRAZE_STOP_CANCELLED;
  return outcome->stop == BRAZE_STOP_NONE;
}

/* The last look at the connection before the request leaves on it. False: it is not to be used, and nothing left. */
static bool may_use_connection(struct braze_transfer *transfer, long local_port, const char *peer) {
  struct braze_outcome *outcome = &transfer->call->outcome;
  if (outcome->left) return true; /* a second time: refused for that */
  if (!braze_sockets_enter(&transfer->connection, local_port, peer)) outcome->stop = BRAZE_STOP_STALE_CONNECTION;
  outcome->used_before = transfer->connection.used_before;
  return outcome->stop != BRAZE_STOP_STALE_CONNECTION;
}

#if BRAZE_LIBCURL_AT_LEAST(7, 80, 0)
static int on_request(void *data, char *their_address, char *our_address, int their_port, int our_port) {
  struct braze_transfer *transfer = data;
  (void)our_address, (void)their_port;
  if (!is_in_time(transfer) || !may_use_connection(transfer, our_port, their_address)) return CURL_PREREQFUNC_ABORT;
  return request_leaves(transfer->call) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}
#endif

/* The same where the head of the request has left already: without its body the service can't do what is asked. */
static bool may_send_body(struct braze_transfer *transfer) {
  long local_port = 0;
  char *peer = NULL;
  curl_easy_getinfo(transfer->easy, CURLINFO_LOCAL_PORT, &local_port);
  curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &peer);
  return is_in_time(transfer) && may_use_connection(transfer, local_port, peer ? peer : "") && request_leaves(transfer->call);
}

static size_t on_read(char *bytes, size_t size, size_t count, void *data) {
  struct braze_transfer *transfer = data;
  const struct braze_call *call = transfer->call;
  size_t length = call->request.body.length - transfer->body_read;
  if (length > size * count) length = size * count;
  if (transfer->body_read == 0 && !may_send_body(transfer)) return CURL_READFUNC_ABORT;
  memcpy(bytes, call->request.body.bytes + transfer->body_read, length);
  transfer->body_read += length;
  return length;
}

static int on_seek(void *data, curl_off_t offset, int origin) {
  struct braze_transfer *transfer = data;
  if (transfer->body_read == 0 && offset == 0 && origin == SEEK_SET) return CURL_SEEKFUNC_OK;
  transfer->call->outcome.stop = BRAZE_STOP_SECOND_SEND;
  return CURL_SEEKFUNC_FAIL;
}

CURLcode braze_sending_set(struct braze_transfer *transfer) {
  CURL *easy = transfer->easy;
  CURLcode code = CURLE_UNKNOWN_OPTION;
#if BRAZE_LIBCURL_AT_LEAST(7, 80, 0)
  code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer);
#endif
  if (code != CURLE_UNKNOWN_OPTION) return code;
  transfer->by_reading = true;
  code = curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
  return code;
}

/* Without the mark of libcurl 7.80 the head may have left before the body was read. What libcurl counted as sent may be a
   CONNECT to a proxy; then only a finished handshake with the service (or a connection used before) tells. */
void braze_sending_end(struct braze_transfer *transfer) {
  long sent = 0, connections = 0;
  double handshake = 0;
  if (!transfer->by_reading || transfer->call->outcome.left || transfer->call->outcome.stop == BRAZE_STOP_STALE_CONNECTION) return;
  curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
  curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connections);
  curl_easy_getinfo(transfer->easy, CURLINFO_APPCONNECT_TIME, &handshake);
  if (sent > 0 && (!transfer->settings->proxy || connections == 0 || handshake > 0)) request_leaves(transfer->call);
}
