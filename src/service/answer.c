/* answer: see answer.h. */
#include "service/answer.h"

#include <string.h>

#include "base/json_reader.h"
#include "service/operation.h"

const struct braze_operation *braze_answer_operation(const struct braze_request *request) {
  if (request->subject) return request->subject;
  return braze_operation_match(request->method, request->target, strcspn(request->target, "?"));
}

static bool is_text(struct braze_json value, const char *text, size_t length) {
  struct braze_buffer read;
  bool same;
  braze_buffer_init(&read, BRAZE_MAX_BODY);
  same = braze_json_read_string(value, &read) && read.length == length && memcmp(braze_buffer_text(&read), text, length) == 0;
  braze_buffer_free(&read);
  return same;
}

static bool has_field(const struct braze_json value, enum braze_field_type type) {
  if (!value.text) return false;
  return type == BRAZE_STRING ? value.text[0] == '"' && value.length > 2 : value.text[0] == '[' || value.text[0] == '{';
}

bool braze_answer_is_success(const struct braze_request *request, const struct braze_outcome *outcome) {
  const struct braze_operation *operation = request->subject;
  const char *body = braze_buffer_text(&outcome->body), *given;
  const size_t length = outcome->body.length;
  struct braze_json said;
  size_t given_length;
  if (!operation) return length == 0 || braze_json_is_valid(body, length);
  if (!braze_json_is_valid(body, length)) return false;
  said = braze_json_member(body, length, "message");
  if (braze_json_is_string(said, "queued") || (operation->success.says_success && !braze_json_is_string(said, "success"))) return false;
  if (operation->success.field && !has_field(braze_json_member(body, length, operation->success.field), operation->success.type))
    return false;
  said = braze_json_member(body, length, "send_id");
  given = braze_request_value(request, "send_id", &given_length);
  return !said.text || said.text[0] != '"' || !given || outcome->has_safe_body || is_text(said, given, given_length);
}
