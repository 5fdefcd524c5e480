/* lua_answer: a call that is done to the result table or the error object that a user sees. */
#include <string.h>

#include "clock.h"
#include "lua_braze.h"
#include "retry.h"

#define MOST_BODY 4096u

/* [-0, +0, m] Sets a field of the table on top of the stack unless the value is absent. */
static void set_integer(lua_State *L, const char *name, int64_t value) {
  if (value < 0) return;
  lbraze_push_integer(L, value);
  lua_setfield(L, -2, name);
}

/* [-0, +0, m] Sets what results and errors both have. */
static void set_shared_fields(lua_State *L, const struct braze_outcome *outcome) {
  lua_createtable(L, 0, 3);
  set_integer(L, "limit", outcome->rate_limit.limit);
  set_integer(L, "remaining", outcome->rate_limit.remaining);
  set_integer(L, "reset", outcome->rate_limit.reset);
  lua_setfield(L, -2, "rate_limit");
  if (outcome->request_id[0])
    lua_pushstring(L, outcome->request_id);
  else
    lua_pushnil(L);
  lua_setfield(L, -2, "request_id");
  set_integer(L, "attempts", outcome->attempts);
  lua_pushnumber(L, outcome->elapsed);
  lua_setfield(L, -2, "elapsed");
  set_integer(L, "status", outcome->status > 0 ? outcome->status : BRAZE_ABSENT);
}

/* Whether the text is a JSON object, if it is JSON at all: to Lua an array is a table too. */
static bool begins_object(const struct braze_buffer *body) {
  const char *text = braze_buffer_text(body);
  return text[strspn(text, " \t\r\n")] == '{';
}

/* [-0, +0] The string field of the table at index; NULL where there is none. */
static const char *text_field(lua_State *L, int index, const char *name, size_t *length) {
  const char *text = NULL;
  lua_getfield(L, index, name);
  if (lua_type(L, -1) == LUA_TSTRING) text = lua_tolstring(L, -1, length);
  lua_pop(L, 1); /* the table keeps it */
  return text;
}

/* Whether the answer's value is the one that the call gave, if it gave one. In a success the whole key is masked, so a value that
   holds it comes back as another one. */
static bool is_own_value(const struct braze_settings *settings, const struct braze_call *call, bool is_masked, const char *text, size_t length) {
  const struct braze_endpoint *endpoint = call->endpoint;
  size_t i;
  for (i = 0; i < endpoint->field_count && strcmp(endpoint->fields[i].name, endpoint->answer_field) != 0; i++) continue;
  if (i == endpoint->field_count || !call->values[i]) return true;
  if (length == call->value_lengths[i] && memcmp(text, call->values[i], length) == 0) return true;
  return is_masked && braze_secrets_found(settings->secrets, BRAZE_WHOLE_ONLY, call->values[i], call->value_lengths[i]);
}

/* What a whole 2xx says; its decoded object, if it is one, is at index. A value that is another one than the call's goes to
   *said; the object keeps it. */
static enum braze_answer judge(lua_State *L, int index, bool is_json, bool is_object, const struct braze_settings *settings,
                               const struct braze_call *call, bool is_masked, struct braze_said *said) {
  const struct braze_endpoint *endpoint = call->endpoint;
  size_t length = 0;
  const char *text;
  if (!is_object) return is_json ? BRAZE_ANSWER_NOT_OBJECT : BRAZE_ANSWER_NOT_JSON;
  text = text_field(L, index, "message", &length);
  if (text && length == strlen("queued") && memcmp(text, "queued", length) == 0) return BRAZE_ANSWER_QUEUED;
  if (!text || length != strlen("success") || memcmp(text, "success", length) != 0) return BRAZE_ANSWER_OTHER_MESSAGE;
  text = text_field(L, index, endpoint->answer_field, &length);
  if (!text || length == 0) return BRAZE_ANSWER_NO_FIELD;
  if (is_own_value(settings, call, is_masked, text, length)) return BRAZE_ANSWER_SUCCESS;
  said->value = text;
  said->value_length = length;
  return BRAZE_ANSWER_OTHER_VALUE;
}

/* [-0, +0, m] Copies the body's `errors` to the error on top of the stack, always as a list. */
static void set_errors(lua_State *L, int index) {
  lua_getfield(L, index, "errors");
  if (lua_type(L, -1) == LUA_TSTRING) {
    lua_createtable(L, 1, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
  }
  if (lua_istable(L, -1))
    lua_setfield(L, -2, "errors");
  else
    lua_pop(L, 1);
}

/* [-0, +0, m] Sets what the error on top of the stack has beyond the shared fields. */
static void set_error_fields(lua_State *L, const struct braze_outcome *outcome, const struct braze_buffer *body) {
  double retry_at = braze_retry_at(outcome);
  size_t length = body->length < MOST_BODY ? body->length : MOST_BODY;
  lua_pushboolean(L, outcome->maybe_applied);
  lua_setfield(L, -2, "maybe_applied");
  if (retry_at >= 0) set_integer(L, "retry_at", braze_retry_whole(retry_at));
  if (length > 0) {
    lua_pushlstring(L, braze_buffer_text(body), length);
    lua_setfield(L, -2, "body");
  }
  if (outcome->curl_code == 0) return;
  set_integer(L, "curl_code", outcome->curl_code);
  lua_pushstring(L, outcome->curl_message);
  lua_setfield(L, -2, "curl_message");
}

/* [-0, +1, e] The decoded body, or nil. Returns whether it is JSON. */
static bool push_body(lua_State *L, struct braze_outcome *outcome, struct braze_buffer *body, bool *is_object) {
  bool begins = begins_object(body);
  bool is_json = outcome->status > 0 && body->length > 0 && lbraze_decode_json(L, body, MOST_BODY);
  *is_object = is_json && lua_istable(L, -1) && begins;
  if (!is_json) lua_pushnil(L);
  return is_json;
}

bool lbraze_push_answer(lua_State *L, const struct braze_settings *settings, const struct braze_call *call, struct braze_outcome *outcome) {
  struct lbraze_words words;
  struct braze_said said = {NULL, 0, NULL, 0};
  enum braze_answer answer = BRAZE_ANSWER_NOT_JSON;
  struct braze_buffer *body = &outcome->body;
  bool is_object, is_json = push_body(L, outcome, body, &is_object);
  int index = lua_gettop(L);
  if (outcome->answered) {
    answer = judge(L, index, is_json, is_object, settings, call, outcome->has_safe_body, &said);
    if (answer == BRAZE_ANSWER_SUCCESS) {
      set_shared_fields(L, outcome);
      return true;
    }
    braze_outcome_reject_answer(outcome);
    if (outcome->has_safe_body) {
      body = &outcome->safe_body;
      lua_pop(L, 1);
      push_body(L, outcome, body, &is_object);
      if (said.value) said.value = is_object ? text_field(L, index, call->endpoint->answer_field, &said.value_length) : NULL;
    }
  }
  if (is_object) said.text = text_field(L, index, "message", &said.length);
  lbraze_words_init(&words);
  braze_explain(settings, call, outcome, answer, said, braze_clock_epoch(), &words.message, &words.hint);
  lbraze_push_error(L, settings, outcome->kind, &words);
  if (is_object) set_errors(L, index);
  set_shared_fields(L, outcome);
  set_error_fields(L, outcome, body);
  lua_remove(L, index);
  return false;
}
