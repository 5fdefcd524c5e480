/* probe: see probe.h. */
#include "http/probe.h"

#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "http/known.h"
#include "http/transfer.h"
#include "process/process.h"
#include "process/sigpipe.h"

/* Copies what stands behind the name in one line of a certificate, as libcurl gives them: "Subject:CN=localhost". */
static void keep_line(char *kept, size_t size, const char *line, const char *name) {
  size_t length = strlen(name);
  if (strncmp(line, name, length) == 0 && line[length] == ':') braze_text_print(kept, size, "%s", line + length + 1);
}

/* The first certificate of the chain is the service's own. */
static void keep_certificate(struct braze_probe *probe, CURL *easy) {
  struct curl_certinfo *chain = NULL;
  const struct curl_slist *line;
  if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain || chain->num_of_certs < 1) return;
  for (line = chain->certinfo[0]; line; line = line->next) {
    keep_line(probe->subject, sizeof probe->subject, line->data, "Subject");
    keep_line(probe->issuer, sizeof probe->issuer, line->data, "Issuer");
    keep_line(probe->starts, sizeof probe->starts, line->data, "Start date");
    keep_line(probe->expires, sizeof probe->expires, line->data, "Expire date");
  }
}

static void keep_facts(struct braze_probe *probe, CURL *easy) {
  const char *address = NULL;
  if (curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &address) == CURLE_OK && address)
    braze_text_print(probe->address, sizeof probe->address, "%s", address);
  curl_easy_getinfo(easy, CURLINFO_PRIMARY_PORT, &probe->port);
  curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME, &probe->name_lookup);
  curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME, &probe->connect);
  curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME, &probe->tls);
  keep_certificate(probe, easy);
}

static void keep_text(char *kept, size_t size, const char *text) {
  if (text) braze_text_print(kept, size, "%s", text);
}

static CURLcode perform(CURL *easy) {
  struct braze_sigpipe sigpipe;
  CURLcode code;
  if (!braze_process_enter()) return CURLE_COULDNT_CONNECT;
  braze_sigpipe_hold(&sigpipe, braze_libcurl_raises_sigpipe());
  code = curl_easy_perform(easy);
  braze_sigpipe_release(&sigpipe);
  braze_process_leave();
  return code;
}

/* One connection, with the handle of an attempt, which libcurl is told to leave before the request. */
static bool connect_once(struct braze_probe *probe, const struct braze_settings *settings, const struct braze_known *known, bool second,
                         struct braze_sockets *sockets, struct braze_call *call) {
  const struct braze_route route = {braze_known_store(known, second), known->addresses, true, true};
  struct braze_transfer *transfer = braze_transfer_new(settings, settings->secrets, sockets);
  CURLcode code;
  if (!transfer) return false;
  keep_text(probe->directory, sizeof probe->directory, route.store->directory);
  keep_text(probe->file, sizeof probe->file, route.store->file);
  call->deadline = braze_clock_now() + call->limits.timeout;
  code = braze_transfer_begin(transfer, call, &route, braze_clock_now());
  if (code == CURLE_OK) code = curl_easy_setopt(transfer->easy, CURLOPT_CONNECT_ONLY, 1L);
  if (code == CURLE_OK) code = curl_easy_setopt(transfer->easy, CURLOPT_CERTINFO, 1L);
  if (code == CURLE_OK) code = perform(transfer->easy);
  keep_facts(probe, transfer->easy);
  probe->connected = code == CURLE_OK;
  if (probe->connected)
    braze_transfer_cancel(transfer);
  else
    braze_transfer_end(transfer, code);
  braze_transfer_free(transfer);
  return true;
}

/* Finds certificates and addresses. False: it did not, and the outcome says why. */
static bool look(struct braze_known *known, struct braze_settings *settings, struct braze_call *call) {
  const double limit = call->limits.connect_timeout;
  if (!braze_look_is_needed(settings)) return true;
  if (!braze_known_look(known, settings, NULL, braze_clock_now(), &call->outcome)) return false;
  braze_look_wait(known->look, limit);
  if (braze_known_update(known, settings, braze_clock_now())) return braze_known_check(known, &call->outcome);
  braze_known_late(known, limit, braze_clock_now(), &call->outcome);
  return false;
}

bool braze_probe_run(struct braze_probe *probe, struct braze_settings *settings, struct braze_call *call) {
  struct braze_known known;
  struct braze_sockets sockets;
  bool good = braze_libcurl_start();
  memset(probe, 0, sizeof *probe);
  memset(&known, 0, sizeof known);
  memset(&sockets, 0, sizeof sockets);
  sockets.secure = settings->secure;
  if (good && look(&known, settings, call)) {
    good = connect_once(probe, settings, &known, false, &sockets, call);
    if (good && call->outcome.trust_failed && braze_known_store(&known, true) != braze_known_store(&known, false)) {
      braze_outcome_clear(&call->outcome);
      memset(probe, 0, sizeof *probe);
      good = connect_once(probe, settings, &known, true, &sockets, call);
    }
  }
  keep_text(probe->addresses, sizeof probe->addresses, known.addresses);
  atomic_store(&call->finished, true);
  braze_known_free(&known);
  braze_sockets_free(&sockets);
  return good;
}

const char *braze_probe_libraries(void) {
  return curl_version();
}
