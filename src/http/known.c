/* known: see known.h. */
#define _GNU_SOURCE /* gai_strerror under -std=c11 */
#include "http/known.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/text.h"
#include "http/libcurl.h"
#include "http/shared.h"

#define NAME_LIFETIME 60.0 /* seconds: as long as libcurl keeps names */

static void fail(struct braze_outcome *outcome, enum braze_kind kind, CURLcode code, enum braze_lack lack) {
  outcome->curl_code = (int)code;
  outcome->lack = lack;
  braze_outcome_fail(outcome, kind);
}

bool braze_known_look(struct braze_known *known, struct braze_settings *settings, const struct braze_wake *wake, double now,
                      struct braze_outcome *outcome) {
  bool with_name = now >= known->name_until && braze_look_wants_name(settings);
  int failure;
  if (known->look) return true;
  failure = braze_look_begin(&known->look, settings, with_name, wake);
  known->begun = now;
  if (failure == 0) return true;
  fail(outcome, BRAZE_NETWORK, CURLE_OK, failure == EAGAIN ? BRAZE_LACK_LOOKS : BRAZE_LACK_THREAD);
  return false;
}

bool braze_known_update(struct braze_known *known, struct braze_settings *settings, double now) {
  struct braze_look *look = known->look;
  const struct braze_trust *before = braze_known_trust(known);
  struct braze_found *found;
  if (!look || braze_look_stage(look) != BRAZE_LOOK_DONE) return false;
  found = braze_look_found(look);
  if (!braze_trust_follow(&found->trust, before)) found->trust.refusal = "there is no memory for its path";
  if (before && before->first.round != found->trust.first.round) atomic_store(&settings->shared->trust_file, false);
  if (found->has_name) {
    known->name_until = found->name_failure == 0 ? now + NAME_LIFETIME : 0;
    braze_text_print(known->addresses, sizeof known->addresses, "%s", found->addresses);
  }
  braze_look_release(known->found);
  known->found = look;
  known->look = NULL;
  return true;
}

bool braze_known_check(const struct braze_known *known, struct braze_outcome *outcome) {
  const struct braze_found *found = braze_look_found(known->found);
  if (found->trust.refusal) {
    braze_text_print(outcome->curl_message, sizeof outcome->curl_message, "%s", found->trust.refusal);
    fail(outcome, BRAZE_TLS, CURLE_SSL_CACERT_BADFILE, BRAZE_LACK_NOTHING);
    outcome->bad_store = true;
    return false;
  }
  if (found->has_name && found->name_failure != 0) {
    braze_text_print(outcome->curl_message, sizeof outcome->curl_message, "Could not resolve %s: %.150s (%.60s)",
                     found->of_proxy ? "proxy" : "host", found->name, gai_strerror(found->name_failure));
    outcome->no_descriptor = found->no_descriptor;
    outcome->no_proxy = found->of_proxy;
    fail(outcome, BRAZE_NETWORK, found->of_proxy ? CURLE_COULDNT_RESOLVE_PROXY : CURLE_COULDNT_RESOLVE_HOST, BRAZE_LACK_NOTHING);
    return false;
  }
  return true;
}

void braze_known_late(struct braze_known *known, double seconds, double now, struct braze_outcome *outcome) {
  if (known->look) known->at_disk = braze_look_stage(known->look) == BRAZE_LOOK_AT_DISK;
  fail(outcome, BRAZE_TIMEOUT, CURLE_OK, known->at_disk ? BRAZE_LACK_STORE : BRAZE_LACK_NAME);
  if (now - known->begun < seconds / 2) return;
  braze_look_release(known->look);
  known->look = NULL;
}

void braze_known_drop_name(struct braze_known *known) {
  known->name_until = 0;
}

const struct braze_trust *braze_known_trust(const struct braze_known *known) {
  return known->found ? &braze_look_found(known->found)->trust : NULL;
}

const struct braze_trust_store *braze_known_store(const struct braze_known *known, bool second) {
  static const struct braze_trust_store none = {NULL, NULL, 0};
  const struct braze_trust *trust = braze_known_trust(known);
  if (!trust) return &none;
  return second && trust->second.file ? &trust->second : &trust->first;
}

void braze_known_free(struct braze_known *known) {
  braze_look_release(known->look);
  braze_look_release(known->found);
  known->look = known->found = NULL;
}
