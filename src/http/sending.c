/* sending: see sending.h. */
#include "http/sending.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "process/process.h"

/* libcurl is about to send the request; that no request is sent twice rests on this moment. libcurl by itself sends a POST again when a
   reused connection dies after all of it was delivered, so a second time in one attempt is refused. */
static bool mark_sent(struct braze_call *call) {
  struct braze_outcome *outcome = &call->outcome;
  if (outcome->request_sent) {
    outcome->stop = BRAZE_STOP_SECOND_SEND;
    return false;
  }
  if (!braze_call_pass_gate(call)) {
    outcome->stop = BRAZE_STOP_CANCELLED;
    return false;
  }
  outcome->request_sent = true;
  outcome->attempts++;
  return true;
}

/* Whether it is not too late: the process may have been stopped during the handshake; or this may be the child of a fork in a signal
   handler, whose parent goes on with the same call on the same connection. */
static bool is_in_time(struct braze_transfer *transfer) {
  struct braze_outcome *outcome = &transfer->call->outcome;
  if (outcome->request_sent) return true; /* a second time: refused for that */
  if (braze_clock_now() >= transfer->call->deadline) outcome->stop = BRAZE_STOP_LATE;
  if (transfer->process != braze_process_forks()) outcome->stop = BRAZE_STOP_CANCELLED;
  return outcome->stop == BRAZE_STOP_NONE;
}

/* The last look at the connection before the request is sent on it. False: it must not be used, and nothing was sent. */
static bool may_use_connection(struct braze_transfer *transfer, long local_port, const char *peer) {
  struct braze_outcome *outcome = &transfer->call->outcome;
  if (outcome->request_sent) return true; /* a second time: refused for that */
  if (!braze_sockets_enter(&transfer->connection, local_port, peer)) outcome->stop = BRAZE_STOP_STALE_CONNECTION;
  outcome->used_before = transfer->connection.used_before;
  return outcome->stop != BRAZE_STOP_STALE_CONNECTION;
}

#if BRAZE_LIBCURL_AT_LEAST(7, 80, 0)
static int on_request(void *data, char *their_address, char *our_address, int their_port, int our_port) {
  struct braze_transfer *transfer = data;
  (void)our_address, (void)their_port;
  if (!is_in_time(transfer) || !may_use_connection(transfer, our_port, their_address)) return CURL_PREREQFUNC_ABORT;
  return mark_sent(transfer->call) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}
#endif

/* The same moment for libcurl before 7.80, when the head of the request may have been sent: without its body it has no effect. */
static bool may_send_body(struct braze_transfer *transfer) {
  long local_port = 0;
  char *peer = NULL;
  curl_easy_getinfo(transfer->easy, CURLINFO_LOCAL_PORT, &local_port);
  curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &peer);
  return is_in_time(transfer) && may_use_connection(transfer, local_port, peer ? peer : "") && mark_sent(transfer->call);
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
  CURLcode code;
#if BRAZE_LIBCURL_AT_LEAST(7, 80, 0)
  if (!braze_libcurl_marks_by_read()) {
    code = curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request);
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) : code;
  }
#endif
  code = curl_easy_setopt(easy, CURLOPT_READFUNCTION, on_read);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_READDATA, transfer);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, on_seek);
  if (code == CURLE_OK) code = curl_easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
  return code;
}

/* libcurl before 7.80 may have sent the head before it read the body. What it counts as sent may be a CONNECT to a proxy: then only a
   finished handshake with the service, or a connection that was used before, shows that the head was sent. */
void braze_sending_end(struct braze_transfer *transfer) {
  long sent = 0, connections = 0;
  double handshake = 0;
  if (!braze_libcurl_marks_by_read() || transfer->call->outcome.request_sent || transfer->call->outcome.stop == BRAZE_STOP_STALE_CONNECTION)
    return;
  curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
  curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connections);
  curl_easy_getinfo(transfer->easy, CURLINFO_APPCONNECT_TIME, &handshake);
  if (sent > 0 && (!transfer->settings->proxy || connections == 0 || handshake > 0)) mark_sent(transfer->call);
}
