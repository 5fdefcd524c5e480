/* core_explain: explain.h as a Lua function for specs. core.c alone includes it, behind its helpers. */
#ifndef BRAZE_SPEC_CORE_EXPLAIN_H
#define BRAZE_SPEC_CORE_EXPLAIN_H

#include "core_objects.h"
#include "http/request.h"
#include "service/explain.h"
#include "service/operation.h"

/* [-0, +0, e] The text of that field of the table at index 1, which keeps it; NULL where there is none. */
static char *text_of(lua_State *L, const char *name) {
  char *text;
  lua_getfield(L, 1, name);
  text = (char *)(size_t)lua_tostring(L, -1);
  lua_pop(L, 1);
  return text;
}

/* The index of the text of that field in a list of names; 0 where it is not given. */
static int choice_of(lua_State *L, const char *name, const char *const choices[]) {
  const char *text = text_of(L, name);
  int i;
  if (!text) return 0;
  for (i = 0; choices[i]; i++)
    if (strcmp(choices[i], text) == 0) return i;
  return luaL_error(L, "%s is no %s", text, name);
}

/* explain.words({ outcome, and what the client and the call are like, in one table }) -> message, hint */
static int explain_words(lua_State *L) {
  static const char *const lacks[] = {"nothing", "store", "name", "looks", "thread", NULL};
  static const char *const stops[] = {"none", "body too long", "headers too long", "too much received", "second send", NULL};
  static const char *const answers[] = {"success", "not json", "not object", "queued", "other message", "no field", "other value", NULL};
  static const char *const kinds[] = {"usage",    "network",  "tls",         "timeout", "rate_limited", "auth", "rejected", "server",
                                      "protocol", "cancelled", NULL};
  static const enum braze_kind kind_values[] = {BRAZE_USAGE, BRAZE_NETWORK,  BRAZE_TLS,    BRAZE_TIMEOUT,  BRAZE_RATE_LIMITED,
                                                BRAZE_AUTH,  BRAZE_REJECTED, BRAZE_SERVER, BRAZE_PROTOCOL, BRAZE_CANCELLED};
  static const enum braze_answer answer_values[] = {BRAZE_ANSWER_SUCCESS, BRAZE_ANSWER_NOT_JSON,      BRAZE_ANSWER_NOT_OBJECT, BRAZE_ANSWER_QUEUED,
                                                    BRAZE_ANSWER_OTHER_MESSAGE, BRAZE_ANSWER_NO_FIELD, BRAZE_ANSWER_OTHER_VALUE};
  const double epoch = number_field(L, "epoch", 1800000000);
  struct braze_settings settings;
  struct braze_request request;
  struct braze_outcome outcome;
  const struct braze_limits limits = {number_field(L, "timeout", 30), number_field(L, "connect_timeout", 10), 0};
  struct braze_said said = {NULL, 0, NULL, 0};
  struct words words;
  memset(&settings, 0, sizeof settings);
  settings.url = text_of(L, "url");
  settings.authority = text_of(L, "authority");
  settings.ca_file = text_of(L, "ca_file");
  settings.proxy = text_of(L, "proxy");
  settings.unknown_host = boolean_field(L, "unknown_host");
  settings.max_connections = (int)number_field(L, "max_connections", 16);
  braze_request_init(&request);
  request.name = text_of(L, "operation");
  request.subject = request.name ? braze_operation_find(request.name, strlen(request.name)) : NULL;
  request.repeatable = boolean_field(L, "repeatable");
  request.max_response = (size_t)1 << 20;
  braze_outcome_init(&outcome);
  outcome.kind = kind_values[choice_of(L, "kind", kinds)];
  outcome.status = (int)number_field(L, "status", 0);
  outcome.lack = (enum braze_lack)choice_of(L, "lack", lacks);
  outcome.stop = (enum braze_stop)choice_of(L, "stop", stops);
  outcome.answered = boolean_field(L, "answered");
  outcome.connecting = boolean_field(L, "connecting");
  outcome.crowded = boolean_field(L, "crowded");
  outcome.request_sent = boolean_field(L, "request_sent");
  outcome.maybe_applied = boolean_field(L, "maybe_applied");
  outcome.applied_before = boolean_field(L, "applied_before");
  outcome.curl_code = (int)number_field(L, "curl_code", 0);
  outcome.retry_after = number_field(L, "retry_after", BRAZE_ABSENT);
  outcome.rate_limit.reset = (int64_t)number_field(L, "reset", BRAZE_ABSENT);
  if (text_of(L, "coding")) snprintf(outcome.coding, sizeof outcome.coding, "%s", text_of(L, "coding"));
  if (text_of(L, "body")) braze_buffer_append(&outcome.body, text_of(L, "body"), strlen(text_of(L, "body")));
  words_init(&words);
  braze_explain(&settings, &request, &limits, &outcome, answer_values[choice_of(L, "answer", answers)], said, epoch, &words.message, &words.hint);
  braze_outcome_free(&outcome);
  lua_pushlstring(L, words.message.bytes, words.message.length);
  lua_pushlstring(L, words.hint.bytes, words.hint.length);
  return 2;
}

#endif
