/* exchange: what a made-up answer or failure leaves in a call's outcome, as a transfer would leave it. */
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "fake/fake.h"
#include "http/call_state.h"
#include "http/conceal.h"
#include "http/headers.h"

#ifdef BRAZE_FAKE /* a host that compiles all of src/ into itself has the real ones */

/* libcurl's numbers, and the words that an error shows. */
static const struct failure {
  enum braze_kind kind;
  bool sent;
  int code;
  const char *message;
} failures[] = {
    {BRAZE_NETWORK, false, 7, "the fake was told that the connection fails"},
    {BRAZE_NETWORK, true, 52, "the fake was told that the answer is lost"},
    {BRAZE_TLS, false, 35, "the fake was told that the handshake fails"},
    {BRAZE_TLS, true, 56, "the fake was told that the service refuses the certificate late"},
    {BRAZE_TIMEOUT, false, 28, "the fake was told that the time runs out"},
    {BRAZE_TIMEOUT, true, 28, "the fake was told that the time runs out"},
};

/* A byte of the request has left. */
static void send_request(struct braze_call *call) {
  if (!braze_call_pass_gate(call)) return;
  call->outcome.request_sent = true;
  call->outcome.attempts++;
}

bool braze_fake_answer(struct braze_client *client, struct braze_call *call, int status, const char *lines, const char *body,
                       size_t length) {
  struct braze_outcome *outcome = &call->outcome;
  const double epoch = braze_clock_epoch();
  struct braze_headers headers;
  char first[32];
  send_request(call);
  braze_headers_init(&headers);
  braze_text_print(first, sizeof first, "HTTP/1.1 %03d X", status);
  braze_headers_line(&headers, first, strlen(first), epoch, outcome);
  while (*lines) {
    size_t line = strcspn(lines, "\n");
    braze_headers_line(&headers, lines, line, epoch, outcome);
    lines += line + (lines[line] == '\n');
  }
  braze_headers_line(&headers, "", 0, epoch, outcome);
  outcome->status = status;
  if (!braze_buffer_append(&outcome->body, body, length)) return false;
  braze_headers_finish(&headers, outcome);
  if (status >= 300)
    braze_outcome_classify_status(outcome);
  else
    outcome->answered = true;
  braze_conceal(braze_client_settings(client)->secrets, call);
  return true;
}

void braze_fake_fail(struct braze_call *call, enum braze_kind kind, bool sent) {
  struct braze_outcome *outcome = &call->outcome;
  size_t i;
  if (sent) send_request(call);
  for (i = 0; i < sizeof failures / sizeof *failures; i++) {
    if (failures[i].kind != kind || failures[i].sent != sent) continue;
    outcome->curl_code = failures[i].code;
    braze_text_print(outcome->curl_message, sizeof outcome->curl_message, "%s", failures[i].message);
  }
  outcome->connecting = kind == BRAZE_TIMEOUT && !sent;
  braze_outcome_fail(outcome, kind);
}

#endif
