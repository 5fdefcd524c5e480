/* result: makes the result table or the error object that a user sees, from a call that is done. */
#include <string.h>

#include "base/clock.h"
#include "lua/binding.h"
#include "base/redact.h"
#include "ledger/job.h"
#include "base/text.h"

#define MOST_BODY 4096u

/* Errors are kept longer than results, in a log or a list. So the JSON of an error is read and kept only up to this size: an empty table
   has two bytes in JSON, and 56 or more in Lua. */
#define MOST_VALUES_OF_ERROR 1000u
#define MOST_BYTES_OF_ERROR 65536u

/* [-0, +0, m] Sets a field of the table on top of the stack unless the value is absent. */
static void set_integer(lua_State *L, const char *name, int64_t value) {
  if (value < 0) return;
  lbraze_push_integer(L, value);
  lua_setfield(L, -2, name);
}

void lbraze_push_rate_limit(lua_State *L, const struct braze_rate_limit *rate_limit) {
  lua_createtable(L, 0, 3);
  set_integer(L, "limit", rate_limit->limit);
  set_integer(L, "remaining", rate_limit->remaining);
  set_integer(L, "reset", rate_limit->reset);
}

/* [-0, +0, m] Sets what results and errors both have. */
static void set_shared_fields(lua_State *L, const struct braze_outcome *outcome) {
  lbraze_push_rate_limit(L, &outcome->rate_limit);
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

/* A decoded body, on the stack. */
struct decoded {
  bool is_json, is_object, is_empty;
  bool fits; /* an error may have what is in it */
};

/* Whether the text is a JSON object, if it is JSON at all: to Lua an array is a table too. It ends in a NUL. */
static bool begins_object(const char *text) {
  return text[strspn(text, " \t\r\n")] == '{';
}

/* [-0, +0] The string field of the table at index; NULL where there is none. */
static const char *text_field(lua_State *L, int index, const char *name, size_t *length) {
  const char *text = NULL;
  *length = 0;
  lua_getfield(L, index, name);
  if (lua_type(L, -1) == LUA_TSTRING) text = lua_tolstring(L, -1, length);
  lua_pop(L, 1); /* the table keeps it */
  return text;
}

/* Whether the answer's value is the one that the call gave, if it gave one. In a success the key is masked, so a value that
   holds it comes back as another one. */
static bool is_own_value(const struct braze_settings *settings, const struct braze_request *request, bool is_masked, const char *name,
                         const char *text, size_t length) {
  size_t given_length;
  const char *given = braze_request_value(request, name, &given_length);
  if (!given || (length == given_length && memcmp(text, given, length) == 0)) return true;
  return is_masked && (!settings->secrets || braze_redact_finds(settings->secrets, NULL, given, given_length));
}

static bool is_text(const char *text, size_t length, const char *expected) {
  return text && length == strlen(expected) && memcmp(text, expected, length) == 0;
}

/* Whether the object at index has the field that a success of the operation holds. */
static bool has_field(lua_State *L, int index, const struct braze_success *success) {
  bool there;
  if (!success->field) return true;
  lua_getfield(L, index, success->field);
  there = success->type == BRAZE_STRING ? lua_type(L, -1) == LUA_TSTRING && lbraze_raw_length(L, -1) > 0 : lua_istable(L, -1);
  lua_pop(L, 1);
  return there;
}

/* What came with a call, from which it is told what the answer is. */
struct answer {
  const struct braze_settings *settings;
  const struct braze_request *request;
  bool has_safe_body;
  const struct decoded *decoded;
  int index; /* of the decoded body */
};

/* What a whole 2xx says. A send_id that is another one than the call's goes to *said; the object keeps it. */
static enum braze_answer classify_operation(lua_State *L, const struct answer *answer, const struct braze_operation *operation,
                                            struct braze_said *said) {
  size_t length = 0;
  const char *text;
  if (!answer->decoded->is_object) return answer->decoded->is_json ? BRAZE_ANSWER_NOT_OBJECT : BRAZE_ANSWER_NOT_JSON;
  text = text_field(L, answer->index, "message", &length);
  if (is_text(text, length, "queued")) return BRAZE_ANSWER_QUEUED;
  if (operation->success.says_success && !is_text(text, length, "success")) return BRAZE_ANSWER_OTHER_MESSAGE;
  if (!has_field(L, answer->index, &operation->success)) return BRAZE_ANSWER_NO_FIELD;
  text = text_field(L, answer->index, "send_id", &length);
  if (!text || is_own_value(answer->settings, answer->request, answer->has_safe_body, "send_id", text, length)) return BRAZE_ANSWER_SUCCESS;
  said->value = text;
  said->value_length = length;
  return BRAZE_ANSWER_OTHER_VALUE;
}

/* A route succeeds with any JSON, or with no body at all. */
static enum braze_answer classify_answer(lua_State *L, const struct answer *answer, struct braze_said *said) {
  const struct braze_operation *operation = answer->request->subject;
  if (operation) return classify_operation(L, answer, operation, said);
  return answer->decoded->is_json || answer->decoded->is_empty ? BRAZE_ANSWER_SUCCESS : BRAZE_ANSWER_NOT_JSON;
}

bool lbraze_has_names(lua_State *L, int index) {
  if (lbraze_raw_length(L, index) > 0) return false;
  lua_pushnil(L);
  if (!lua_next(L, index)) return false;
  lua_pop(L, 2);
  return true;
}

/* [-0, +0, m] Copies the body's `errors` to the error on top of the stack, always as a list. */
static void set_errors(lua_State *L, int index) {
  lua_getfield(L, index, "errors");
  if (lua_type(L, -1) == LUA_TSTRING || (lua_istable(L, -1) && lbraze_has_names(L, lua_gettop(L)))) {
    lua_createtable(L, 1, 0);
    lua_insert(L, -2);
    lua_rawseti(L, -2, 1);
  }
  if (lua_istable(L, -1))
    lua_setfield(L, -2, "errors");
  else
    lua_pop(L, 1);
}

/* [-0, +0, m] Sets the error's body, if it is text that may be shown. */
static void set_body(lua_State *L, const struct braze_outcome *outcome, const struct braze_buffer *body) {
  size_t length = body->length < MOST_BODY ? body->length : MOST_BODY;
  if (length == 0 || outcome->coding[0] || !braze_text_is_plain(braze_buffer_text(body), &length)) return;
  lua_pushlstring(L, braze_buffer_text(body), length);
  lua_setfield(L, -2, "body");
}

/* [-0, +0, m] Sets what the error on top of the stack has beyond the shared fields. */
static void set_error_fields(lua_State *L, const struct braze_outcome *outcome, const struct braze_buffer *body, double epoch) {
  double retry_at = braze_outcome_retry_at(outcome, epoch);
  lua_pushboolean(L, outcome->maybe_applied);
  lua_setfield(L, -2, "maybe_applied");
  if (retry_at >= 0) set_integer(L, "retry_at", braze_clock_whole(retry_at));
  set_body(L, outcome, body);
  if (outcome->curl_code == 0) return;
  set_integer(L, "curl_code", outcome->curl_code);
  lua_pushstring(L, outcome->curl_message);
  lua_setfield(L, -2, "curl_message");
}

/* Whether a body is small enough for an error: it counts the values of a JSON text, about. */
static bool fits_error(const char *text, size_t length) {
  size_t count = 0, i;
  bool quoted = false;
  if (length <= MOST_VALUES_OF_ERROR) return true; /* each has a byte at least */
  if (length > MOST_BYTES_OF_ERROR) return false;
  for (i = 0; i < length; i++) {
    if (quoted && text[i] == '\\')
      i++;
    else if (text[i] == '"')
      quoted = !quoted;
    else if (!quoted && (text[i] == ',' || text[i] == '{' || text[i] == '['))
      count++;
  }
  return count <= MOST_VALUES_OF_ERROR;
}

/* [-0, +1, m] The body as Lua's string. Decoding takes as much memory again, so of a long body no more is kept in C than an error
   shows. `shared`: a table, or 0. Whoever asks the same of the same call meanwhile finds the string there, at `place`. Lua 5.1 may
   run a finalizer before it copies: while a true stands there, only who set it may cut the body. */
static void push_text(lua_State *L, struct braze_buffer *body, int shared, int place) {
  const bool told = shared && body->length > MOST_BODY;
  bool mine = true;
  if (told) {
    lua_rawgeti(L, shared, place);
    mine = lua_isnil(L, -1);
    lua_pop(L, 1);
  }
  if (told && mine) {
    lua_pushboolean(L, true);
    lua_rawseti(L, shared, place);
  }
  lua_pushlstring(L, body->bytes, body->length);
  if (!mine) return;
  if (told) {
    lua_pushvalue(L, -1);
    lua_rawseti(L, shared, place);
  }
  braze_buffer_cut(body, MOST_BODY);
}

/* [-0, +1 if true] The string that push_text has left in the table. */
static bool push_shared_text(lua_State *L, int shared, int place) {
  if (!shared) return false;
  lua_rawgeti(L, shared, place);
  if (lua_type(L, -1) == LUA_TSTRING) return true;
  lua_pop(L, 1);
  return false;
}

/* [-0, +1, e] The decoded body, or nil where it is not JSON, or too much for an error. */
static struct decoded push_body(lua_State *L, const struct braze_outcome *outcome, struct braze_buffer *body, int shared) {
  const int place = body == &outcome->safe_body ? LBRAZE_SHARED_SAFE_BODY : LBRAZE_SHARED_BODY;
  const bool found = push_shared_text(L, shared, place);
  size_t length = body->length;
  const char *text = found ? lua_tolstring(L, -1, &length) : braze_buffer_text(body);
  struct decoded decoded = {false, false, length == 0, fits_error(text, length)};
  const bool begins = begins_object(text);
  if (outcome->status <= 0 || length == 0 || (!outcome->answered && !decoded.fits)) {
    if (!shared) braze_buffer_cut(body, MOST_BODY);
    lua_pushnil(L);
    return decoded;
  }
  if (!found) push_text(L, body, shared, place);
  decoded.is_json = lbraze_decode_json(L);
  decoded.is_object = decoded.is_json && lua_istable(L, -1) && begins;
  if (!decoded.is_json) lua_pushnil(L);
  return decoded;
}

/* [-1, +1, m] Makes the result of a success from the decoded body on top of the stack. */
static void push_result(lua_State *L, const struct braze_settings *settings, const struct decoded *decoded,
                        const struct braze_outcome *outcome) {
  static const char *const ours[] = {"next", "replayed", "ledger_error"};
  size_t i;
  if (!decoded->is_object) {
    lua_createtable(L, 0, 6);
    lua_insert(L, -2);
    if (lua_islightuserdata(L, -1)) { /* a JSON null is an absent field */
      lua_pop(L, 1);
      lua_pushnil(L);
    }
    lua_setfield(L, -2, "body"); /* no field where the body was empty */
  }
  set_shared_fields(L, outcome);
  for (i = 0; i < sizeof ours / sizeof *ours; i++) { /* what the service calls so means something else */
    lua_pushnil(L);
    lua_setfield(L, -2, ours[i]);
  }
  lbraze_set_next(L, settings, &outcome->link);
}

bool lbraze_push_answer(lua_State *L, const struct braze_settings *settings, struct braze_call *call, struct braze_outcome *outcome,
                        int shared) {
  struct lbraze_words words;
  struct braze_said said = {NULL, 0, NULL, 0};
  enum braze_answer kind = BRAZE_ANSWER_NOT_JSON;
  struct braze_buffer *body = &outcome->body;
  double epoch;
  struct decoded decoded = push_body(L, outcome, body, shared);
  const struct braze_request *request = braze_call_request(call);
  const struct braze_guard *guard = braze_call_guard(call);
  const struct answer answer = {settings, request, outcome->has_safe_body, &decoded, lua_gettop(L)};
  if (decoded.is_json) outcome->coding[0] = '\0'; /* whatever the header says, it is text */
  if (outcome->answered) {
    kind = guard && braze_job_is_settled(guard) ? BRAZE_ANSWER_SUCCESS : classify_answer(L, &answer, &said);
    if (kind == BRAZE_ANSWER_SUCCESS) {
      push_result(L, settings, &decoded, outcome);
      if (guard) lbraze_set_ledger_fields(L, guard);
      return true;
    }
    braze_outcome_reject_answer(outcome);
    if (outcome->has_safe_body) {
      body = &outcome->safe_body;
      lua_pop(L, 1);
      decoded = push_body(L, outcome, body, shared);
      said.value = decoded.is_object ? text_field(L, answer.index, "send_id", &said.value_length) : NULL;
    }
  }
  if (decoded.is_object) said.text = text_field(L, answer.index, "message", &said.length);
  epoch = braze_clock_epoch();
  lbraze_words_init(&words);
  words.operation = request->name;
  if (!guard || !braze_job_explain(guard, outcome, &words.message, &words.hint))
    braze_explain(settings, request, braze_call_limits(call), outcome, kind, said, epoch, &words.message, &words.hint);
  if (guard) braze_job_advise(guard, &words.hint);
  lbraze_push_error(L, settings, outcome->kind, &words);
  if (decoded.is_object && decoded.fits) set_errors(L, answer.index);
  set_shared_fields(L, outcome);
  set_error_fields(L, outcome, body, epoch);
  lua_remove(L, answer.index);
  return false;
}
