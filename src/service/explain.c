/* explain: see explain.h. */
#define _GNU_SOURCE /* gmtime_r under -std=c11 */
#include "service/explain.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "http/look.h"
#include "process/process.h"
#include "base/text.h"
#include "service/operation.h"

#define MOST_OF_A_MESSAGE 500
#define MOST_OF_A_VALUE 128
#define MIBIBYTE ((size_t)1024 * 1024)

/* What the sentences below are made from. */
struct words {
  const struct braze_settings *settings;
  const struct braze_request *request;
  const struct braze_limits *limits;
  const struct braze_outcome *outcome;
  enum braze_answer answer;
  struct braze_said said;
  double epoch;
  struct braze_buffer *message, *hint;
};

/* NULL: what is called is a route, of which nothing is known. */
static const struct braze_operation *operation_of(const struct words *words) {
  return words->request->subject;
}

/* The field that a success must hold; "" = none. */
static const char *field_of(const struct words *words) {
  const struct braze_operation *operation = operation_of(words);
  return operation && operation->success.field ? operation->success.field : "";
}

static void say_service_message(const struct words *words, const char *before) {
  if (!words->said.text) return;
  braze_buffer_print(words->message, "%s", before);
  braze_text_quote(words->message, words->said.text, words->said.length, MOST_OF_A_MESSAGE);
}

static void say_values(const struct words *words) {
  const struct braze_request *request = words->request;
  const char *before = " (";
  int i;
  for (i = 0; i < request->shown_count; i++) {
    const char *name = request->shown[i].name, *text;
    size_t length;
    text = braze_request_value(request, name, &length);
    if (text) {
      braze_buffer_print(words->message, "%s%s ", before, name);
      braze_text_quote(words->message, text, length, MOST_OF_A_VALUE);
    } else {
      braze_buffer_print(words->message, "%sno %s", before, name);
    }
    before = ", ";
  }
  if (request->shown_count > 0) braze_buffer_append(words->message, ")", 1);
}

/* libcurl's number, where our own sentence says all that its words would. */
static void say_curl_code(const struct words *words) {
  if (words->outcome->curl_code != 0) braze_buffer_print(words->message, " (curl %d)", words->outcome->curl_code);
}

static void say_curl(const struct words *words) {
  const struct braze_outcome *outcome = words->outcome;
  if (outcome->curl_code == 0) return;
  braze_buffer_print(words->message, ": ");
  braze_text_escape(words->message, outcome->curl_message, strlen(outcome->curl_message), MOST_OF_A_MESSAGE);
  say_curl_code(words);
}

static void say_duration(struct braze_buffer *out, double seconds) {
  long minutes = (long)(seconds / 60.0);
  if (seconds < 120)
    braze_buffer_print(out, "in %.0f s", seconds < 0 ? 0.0 : seconds);
  else if (minutes < 120)
    braze_buffer_print(out, "in %ld min", minutes);
  else
    braze_buffer_print(out, "in %ld h %ld min", minutes / 60, minutes % 60);
}

static void say_time(const struct words *words, struct braze_buffer *out, double epoch) {
  time_t seconds = (time_t)braze_clock_whole(epoch);
  struct tm parts;
  char text[64];
  if (!gmtime_r(&seconds, &parts) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) return;
  braze_buffer_print(out, "%s (", text);
  if (epoch < words->epoch)
    braze_buffer_print(out, "already past");
  else
    say_duration(out, epoch - words->epoch);
  braze_buffer_print(out, ")");
}

static void explain_rate_limit(const struct words *words) {
  const struct braze_rate_limit *limit = &words->outcome->rate_limit;
  double at = braze_outcome_retry_at(words->outcome, words->epoch), reset = braze_outcome_reset_at(words->outcome, words->epoch);
  braze_buffer_print(words->message, "the rate limit is used up");
  if (limit->limit >= 0 && limit->remaining >= 0)
    braze_buffer_print(words->message, ": %lld of %lld left", (long long)limit->remaining, (long long)limit->limit);
  if (reset >= 0) {
    braze_buffer_print(words->message, ", resets ");
    say_time(words, words->message, reset);
  }
  say_service_message(words, "; the service says ");
  if (at < 0)
    braze_buffer_print(words->hint, "call again later");
  else if (reset >= 0 && at >= reset - 1 && at <= reset + 1)
    braze_buffer_print(words->hint, "call again then");
  braze_buffer_print(words->hint, "%sthe limit is the whole workspace's", words->hint->length > 0 ? "; " : "");
}

static void explain_auth(const struct words *words) {
  const struct braze_operation *operation = operation_of(words);
  bool unknown = words->outcome->status == 401;
  braze_buffer_print(words->message, "%s %s", words->settings->authority,
                     unknown ? "does not accept the API key" : "does not let this API key make the call");
  say_service_message(words, "; it says ");
  if (unknown)
    braze_buffer_print(words->hint, "the key is unknown, or belongs to another instance: take BRAZE_API_KEY (api_key) and BRAZE_REST_ENDPOINT (endpoint) "
                                    "from the same dashboard, page APIs and Identifiers");
  else
    braze_buffer_print(words->hint, "make a new key with %s %s (a key's permissions can't be changed); if it has it, check its list of IP "
                                    "addresses, the plan, and the endpoint's path",
                       operation ? "the permission" : "the permission that this call needs:", operation ? operation->permission : "its page in Braze's documentation names it");
}

static bool has_campaign(const struct words *words) {
  size_t length;
  return braze_request_value(words->request, "campaign_id", &length) != NULL;
}

static void explain_rejected(const struct words *words) {
  int status = words->outcome->status;
  if (words->said.text)
    say_service_message(words, "the service says ");
  else
    braze_buffer_print(words->message, "%s refused the call without saying why", words->settings->authority);
  if (status == 400 || words->outcome->maybe_applied) say_values(words);
  if (status == 400 && !words->said.text)
    braze_buffer_print(words->hint, "is %s Braze, or a proxy in between?", words->settings->url);
  else if (status == 400)
    braze_buffer_print(words->hint, "check the values%s", has_campaign(words) ? "; campaign_id is the Campaign API Identifier of an API campaign, at the foot of its page in the dashboard" : "");
  else if (status == 404)
    /* A service that says what is missing knows the path. */
    braze_buffer_print(words->hint, operation_of(words) ? "the address is wrong: check the endpoint, now %s" : words->said.text ? "check what the path names, then the path, and the endpoint, now %s" : "the address is wrong: check the path and the endpoint, now %s", words->settings->url);
  else if (status != 408)
    braze_buffer_print(words->hint, "the call as it is will be refused again");
}

static void explain_redirect(const struct words *words) {
  const char *location = words->outcome->location;
  if (location[0]) {
    braze_buffer_print(words->message, "%s redirects to ", words->settings->authority);
    braze_text_quote(words->message, location, strlen(location), MOST_OF_A_VALUE);
    braze_buffer_print(words->message, ", which is not followed: the API key would go there");
  } else if (words->outcome->status == 304) {
    braze_buffer_print(words->message, "%s says that nothing has changed, which it was not asked", words->settings->authority);
  } else {
    braze_buffer_print(words->message, "%s redirects, without saying where to", words->settings->authority);
  }
  braze_buffer_print(words->hint, "check the endpoint, now %s", words->settings->url);
}

/* The call's own value stands behind it, with all others. */
static void say_other_value(const struct words *words) {
  braze_buffer_print(words->message, "the answer that came is another call's: it gives ");
  if (words->said.value) {
    braze_buffer_print(words->message, "the send_id ");
    braze_text_quote(words->message, words->said.value, words->said.value_length, MOST_OF_A_VALUE);
  } else {
    braze_buffer_print(words->message, "another send_id");
  }
  braze_buffer_print(words->message, ", not the one that was asked for");
}

static void explain_protocol(const struct words *words) {
  const enum braze_answer answer = words->answer;
  const struct braze_outcome *outcome = words->outcome;
  const char *host = words->settings->authority;
  if (outcome->status >= 300 && outcome->status <= 399) {
    explain_redirect(words);
    return;
  }
  if (outcome->stop == BRAZE_STOP_BODY_TOO_LONG)
    braze_buffer_print(words->message, "the answer of %s is longer than %zu MiB and was cut off", host, words->request->max_response / MIBIBYTE);
  else if (outcome->stop == BRAZE_STOP_TOO_MUCH_RECEIVED)
    braze_buffer_print(words->message, "the answer of %s is longer than %zu MiB with all that is around it, and was cut off", host, (words->request->max_response + BRAZE_RECEIVE_LIMIT) / MIBIBYTE);
  else if (outcome->stop == BRAZE_STOP_HEADERS_TOO_LONG)
    braze_buffer_print(words->message, "the headers of %s are longer than 64 KiB", host);
  else if (!outcome->answered)
    braze_buffer_print(words->message, "what %s sent is no answer of a web service", host);
  else if (answer == BRAZE_ANSWER_QUEUED && field_of(words)[0])
    braze_buffer_print(words->message, "the service queued the call and gave no %s: it may be made later", field_of(words));
  else if (answer == BRAZE_ANSWER_QUEUED)
    braze_buffer_print(words->message, "the service queued the call: it may be done later");
  else if (answer == BRAZE_ANSWER_NOT_JSON && outcome->coding[0])
    braze_buffer_print(words->message, "the answer of %s can't be read", host);
  else if (answer == BRAZE_ANSWER_OTHER_VALUE)
    say_other_value(words);
  else if (answer == BRAZE_ANSWER_NOT_JSON || answer == BRAZE_ANSWER_NOT_OBJECT)
    braze_buffer_print(words->message, "the answer of %s is %s", host, answer == BRAZE_ANSWER_NOT_JSON ? "not JSON" : "JSON, but no object");
  else
    braze_buffer_print(words->message, answer == BRAZE_ANSWER_NO_FIELD ? "the service says success, but gives no %s" : "the service does not say success", field_of(words));
  if (answer == BRAZE_ANSWER_OTHER_MESSAGE) say_service_message(words, " but ");
  if (outcome->stop == BRAZE_STOP_NONE)
    say_curl(words);
  else
    say_curl_code(words);
  if (outcome->status == 0 || answer == BRAZE_ANSWER_NOT_JSON) braze_buffer_print(words->hint, "is %s Braze, or a proxy in between?", words->settings->url);
}

#define TOO_MANY_FILES ": too many open files"

static void say_how_to_free_descriptors(const struct words *words) {
  braze_buffer_print(words->hint, "the process has as many files and sockets open as it may: raise the limit (ulimit -n), or close some");
}

static void explain_tls(const struct words *words) {
  const struct braze_outcome *outcome = words->outcome;
  const char *ca_file = words->settings->ca_file;
  bool bad_file = outcome->bad_store;
  if (bad_file)
    braze_buffer_print(words->message, "the certificates to trust can't be read from ");
  else if (outcome->trust_failed)
    braze_buffer_print(words->message, "the certificate of %s is not trusted", words->settings->authority);
  else
    braze_buffer_print(words->message, "the TLS handshake with %s failed", words->settings->authority);
  if (bad_file && ca_file)
    braze_text_quote(words->message, ca_file, strlen(ca_file), MOST_OF_A_MESSAGE);
  else if (bad_file)
    braze_buffer_print(words->message, "the system's store");
  if (outcome->no_descriptor)
    braze_buffer_print(words->message, TOO_MANY_FILES);
  else
    say_curl(words);
  if (outcome->no_descriptor)
    say_how_to_free_descriptors(words);
  else if (bad_file)
    braze_buffer_print(words->hint, ca_file ? "ca_file (BRAZE_CA_FILE) must be a readable PEM bundle, or a directory made by `openssl rehash`"
                                            : "install the system's certificates (package ca-certificates), or give a PEM bundle as ca_file (BRAZE_CA_FILE)");
  else if (outcome->trust_failed)
    braze_buffer_print(words->hint, "if its CA is your own or a company proxy's, give the CA's PEM file as ca_file (BRAZE_CA_FILE); else check the "
                                    "endpoint's name, this machine's clock and its package ca-certificates");
  else
    braze_buffer_print(words->hint, "check that the endpoint's host and port speak TLS 1.2 or newer%s%s", words->settings->proxy ? ", and the proxy " : "",
                       words->settings->proxy ? words->settings->proxy : "");
}

/* Says what there was no connection for: certificates or a name that did not come. False: it was something else. */
static bool explain_lack(const struct words *words) {
  const struct braze_settings *settings = words->settings;
  const char *peer = settings->proxy ? settings->proxy : settings->authority;
  double seconds = words->outcome->connecting ? words->limits->connect_timeout : words->limits->timeout;
  switch (words->outcome->lack) {
  case BRAZE_LACK_NOTHING: return false;
  case BRAZE_LACK_STORE:
    braze_buffer_print(words->message, "the certificates to trust could not be read within %g s from ", seconds);
    if (settings->ca_file)
      braze_text_quote(words->message, settings->ca_file, strlen(settings->ca_file), MOST_OF_A_MESSAGE);
    else
      braze_buffer_print(words->message, "the system's store");
    braze_buffer_print(words->message, ": its file system does not answer; nothing was sent");
    braze_buffer_print(words->hint, "look at the mount (df hangs, too), or give a ca_file (BRAZE_CA_FILE) on a local disk");
    return true;
  case BRAZE_LACK_NAME:
    braze_buffer_print(words->message, "no connection to %s within %g s: the name server did not answer for %s; nothing was sent", settings->authority, seconds, peer);
    braze_buffer_print(words->hint, "check network, DNS and /etc/resolv.conf, or raise %s", words->outcome->connecting ? "connect_timeout" : "timeout (BRAZE_TIMEOUT)");
    return true;
  case BRAZE_LACK_LOOKS:
    braze_buffer_print(words->message, "no connection to %s: earlier look-ups of names, or of files with certificates, get no answer, and no further one is begun (at most %d of a client, %d of a process); nothing was sent",
                       settings->authority, BRAZE_MAX_LOOKS_OF_CLIENT, BRAZE_MAX_LOOKS);
    braze_buffer_print(words->hint, "check DNS, /etc/resolv.conf and the file system of ca_file; calls go out again once one of them ends");
    return true;
  case BRAZE_LACK_THREAD: break;
  }
  braze_buffer_print(words->message, "no connection to %s: there is no thread or memory to look up its name; nothing was sent", settings->authority);
  braze_buffer_print(words->hint, "look at the process's limits (ulimit -u, cgroup pids.max)");
  return true;
}

static void explain_timeout(const struct words *words) {
  const struct braze_limits *limits = words->limits;
  const struct braze_outcome *outcome = words->outcome;
  const char *host = words->settings->authority;
  if (explain_lack(words)) return;
  if (outcome->request_sent)
    braze_buffer_print(words->message, "no whole answer from %s within %g s; the request had left", host, limits->timeout);
  else if (outcome->connecting)
    braze_buffer_print(words->message, "no connection to %s within %g s", host, limits->connect_timeout);
  else if (outcome->crowded && words->settings->max_connections == 1)
    braze_buffer_print(words->message, "the only connection to %s did not become free within %g s", host, limits->timeout);
  else if (outcome->crowded)
    braze_buffer_print(words->message, "none of the %d connections to %s became free within %g s", words->settings->max_connections, host, limits->timeout);
  else if (outcome->curl_code == 0)
    braze_buffer_print(words->message, "the call to %s had no time to begin within %g s%s", host, limits->timeout, outcome->maybe_applied ? " once more" : "; nothing was sent");
  else
    braze_buffer_print(words->message, "no connection to %s within %g s", host, limits->timeout);
  say_curl_code(words);
  if (outcome->request_sent || outcome->maybe_applied) return;
  if (outcome->crowded)
    braze_buffer_print(words->hint, "raise max_connections or timeout, or start fewer calls at a time");
  else if (outcome->curl_code == 0)
    braze_buffer_print(words->hint, "the process, or its whole machine, was stopped or has too much to do: call again");
  else
    braze_buffer_print(words->hint, "check network, DNS and firewall%s%s, or raise %s", words->settings->proxy ? ", and the proxy " : "",
                       words->settings->proxy ? words->settings->proxy : "", outcome->connecting ? "connect_timeout" : "timeout (BRAZE_TIMEOUT)");
}

static void explain_network(const struct words *words) {
  const struct braze_outcome *outcome = words->outcome;
  const char *host = words->settings->authority;
  if (explain_lack(words)) return;
  if (!outcome->request_sent && outcome->proxy_status >= 300) {
    braze_buffer_print(words->message, "the proxy answered %d to CONNECT and did not let the call through to %s", outcome->proxy_status, host);
    braze_buffer_print(words->hint, outcome->proxy_status == 407 ? "check user and password in the proxy's URL (proxy, https_proxy): they are missing, or the proxy does not take them" : "ask who runs the proxy, or reach the host without it (proxy = \"\", no_proxy)");
  } else if (outcome->stop == BRAZE_STOP_TOO_MUCH_RECEIVED) {
    braze_buffer_print(words->message, "more than 256 KiB came from %s before the request could leave; nothing was sent", words->settings->proxy ? "the proxy" : host);
    say_curl_code(words);
    if (words->settings->proxy)
      braze_buffer_print(words->hint, "check the proxy (proxy, https_proxy): its answer to CONNECT has no end");
    else
      braze_buffer_print(words->hint, "check that the endpoint is Braze, now %s", words->settings->url);
  } else if (outcome->stop == BRAZE_STOP_SECOND_SEND) {
    braze_buffer_print(words->message, "the connection to %s was closed after the request had left, and it was not sent a second time", host);
    say_curl_code(words);
  } else if (outcome->request_sent) {
    braze_buffer_print(words->message, "the connection to %s broke after the request had left", host);
    say_curl(words);
  } else if (outcome->no_descriptor) {
    braze_buffer_print(words->message, "%s could not be reached" TOO_MANY_FILES "; nothing was sent", host);
    say_how_to_free_descriptors(words);
  } else if (outcome->no_proxy) {
    braze_buffer_print(words->message, "the proxy %s could not be reached; nothing was sent", words->settings->proxy);
    braze_buffer_print(words->hint, "check that the proxy (proxy, https_proxy) is the right one and runs, or reach %s without it (proxy = \"\", no_proxy)", host);
    say_curl(words);
  } else {
    braze_buffer_print(words->message, "%s could not be reached; nothing was sent", host);
    braze_buffer_print(words->hint, "check network, DNS, firewall and the endpoint's name%s%s, then call again", words->settings->proxy ? ", and the proxy " : "", words->settings->proxy ? words->settings->proxy : "");
    say_curl(words);
  }
}

static void explain_server(const struct words *words) {
  braze_buffer_print(words->message, "%s failed to handle the call", words->settings->authority);
  say_service_message(words, "; it says ");
}

static void explain_cancelled(const struct words *words) {
  braze_buffer_print(words->message, words->outcome->reads ? "cancelled; it only reads, so nothing was changed" : words->outcome->attempts > 0 || words->outcome->maybe_applied ? "cancelled after the request had left" : "cancelled before the request left: nothing was sent");
  if (braze_process_is_exiting()) braze_buffer_print(words->hint, "the process is exiting");
}

/* Each kind that a call can end with; "usage" is raised before there is one. */
static void (*const explain_kind[BRAZE_KIND_COUNT])(const struct words *words) = {
  [BRAZE_RATE_LIMITED] = explain_rate_limit,
  [BRAZE_AUTH] = explain_auth,
  [BRAZE_REJECTED] = explain_rejected,
  [BRAZE_SERVER] = explain_server,
  [BRAZE_TIMEOUT] = explain_timeout,
  [BRAZE_NETWORK] = explain_network,
  [BRAZE_TLS] = explain_tls,
  [BRAZE_PROTOCOL] = explain_protocol,
  [BRAZE_CANCELLED] = explain_cancelled,
};

/* What to do after a refusal that answers a second try, the first of which may have been applied. */
static void say_refused_repeat(const struct words *words) {
  const struct braze_operation *operation = operation_of(words);
  if (operation && operation->makes)
    braze_buffer_print(words->hint, "an earlier try of this call got no answer and may have made the %s; this refusal is the repeat's", operation->makes);
  else
    braze_buffer_print(words->hint, "an earlier try of this call got no answer and may have done it; this refusal is the repeat's, and may say no more than that nothing is left to do");
}

/* What to do where a repeat does no harm. */
static void say_repeat(const struct words *words) {
  const struct braze_operation *operation = operation_of(words);
  if (operation && operation->repeat == BRAZE_WITH_KEY)
    braze_buffer_print(words->hint, "the %s may have been made: call again with the same %s, which names no second one", operation->makes, operation->key);
  else
    braze_buffer_print(words->hint, "it may have been done: call again with the same values, which leaves the same state");
}

/* What to do where a repeat may do it twice. */
static void say_lost(const struct words *words) {
  const struct braze_operation *operation = operation_of(words);
  if (operation && operation->lost)
    braze_buffer_print(words->hint, "%s", operation->lost);
  else if (operation && operation->key)
    braze_buffer_print(words->hint, "a %s may have been made, and its name is lost: a second call may make another one. Give your own %s, and a repeat names the same one", operation->makes, operation->key);
  else
    braze_buffer_print(words->hint, "it may have been done, and a second call may do it again: find out first");
}

/* The advice that counts most: whether to repeat. */
static void explain_maybe_applied(const struct words *words) {
  const struct braze_outcome *outcome = words->outcome;
  if (!outcome->maybe_applied) return;
  if (outcome->kind != BRAZE_REJECTED) say_values(words);
  if (words->hint->length > 0) braze_buffer_print(words->hint, "; ");
  if (outcome->applied_before && outcome->status >= 400 && outcome->status <= 499)
    say_refused_repeat(words);
  else if (words->request->repeatable)
    say_repeat(words);
  else
    say_lost(words);
}

/* A Retry-After on anything but a 429, whose own words say it. */
static void explain_when(const struct words *words) {
  double at = braze_outcome_retry_at(words->outcome, words->epoch);
  if (at < 0 || words->outcome->kind == BRAZE_RATE_LIMITED) return;
  braze_buffer_print(words->hint, "%sthe service asks to be called after ", words->hint->length > 0 ? "; " : "");
  say_time(words, words->hint, at);
}

/* Where the call came to nothing, and the host is one of Braze's that is not known, its name is the first thing to look at. */
static void explain_unknown_host(const struct words *words) {
  const struct braze_outcome *outcome = words->outcome;
  bool nothing_there = !outcome->request_sent && (outcome->kind == BRAZE_NETWORK || outcome->kind == BRAZE_TLS || outcome->kind == BRAZE_TIMEOUT);
  if (!words->settings->unknown_host || !(nothing_there || outcome->kind == BRAZE_PROTOCOL || outcome->status == 401 || outcome->status == 404)) return;
  braze_buffer_print(words->hint, "%s%s is no REST endpoint that this version of braze knows: compare it with braze.instances", words->hint->length > 0 ? "; " : "", words->settings->authority);
}

/* A body that came in a coding, and is not shown. */
static void explain_coding(const struct words *words) {
  const char *coding = words->outcome->coding;
  if (!coding[0] || words->outcome->body.length == 0) return;
  braze_buffer_print(words->message, "; its body is in the Content-Encoding ");
  braze_text_quote(words->message, coding, strlen(coding), MOST_OF_A_VALUE);
  braze_buffer_print(words->message, ", which was not asked for, and is not shown");
}

void braze_explain(const struct braze_settings *settings, const struct braze_request *request, const struct braze_limits *limits, const struct braze_outcome *outcome,
                   enum braze_answer answer, struct braze_said said, double epoch, struct braze_buffer *message, struct braze_buffer *hint) {
  const struct words words = {settings, request, limits, outcome, answer, said, epoch, message, hint};
  explain_kind[outcome->kind](&words);
  explain_unknown_host(&words);
  explain_coding(&words);
  explain_maybe_applied(&words);
  explain_when(&words);
}
