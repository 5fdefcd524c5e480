/* request: see request.h. */
#include "http/request.h"

#include <string.h>

const char *braze_method_name(enum braze_method method) {
  static const char *const names[BRAZE_METHOD_COUNT] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
  return names[method];
}

void braze_request_init(struct braze_request *request) {
  memset(request, 0, sizeof *request);
  braze_buffer_init(&request->built, BRAZE_MAX_TARGET);
  braze_buffer_init(&request->body, BRAZE_MAX_BODY);
  request->body.open = true; /* what a user sends is not ours to hide, and may be long */
  braze_buffer_init(&request->named, BRAZE_MAX_TARGET);
  braze_buffer_init(&request->values, BRAZE_MAX_BODY + BRAZE_MAX_SHOWN);
}

bool braze_request_show(struct braze_request *request, const char *name, const char *text, size_t length, bool echoed) {
  struct braze_shown *shown = &request->shown[request->shown_count];
  if (request->shown_count == BRAZE_MAX_SHOWN) return true;
  shown->name = name;
  shown->given = text != NULL;
  shown->echoed = echoed;
  shown->offset = request->values.length;
  shown->length = length;
  request->shown_count++;
  return !text || (braze_buffer_append(&request->values, text, length) && braze_buffer_append(&request->values, "", 1));
}

static struct braze_shown *find_shown(struct braze_request *request, const char *name) {
  int i;
  for (i = 0; i < request->shown_count; i++)
    if (strcmp(request->shown[i].name, name) == 0) return &request->shown[i];
  return NULL;
}

bool braze_request_give(struct braze_request *request, const char *name, const char *text) {
  struct braze_shown *shown = find_shown(request, name);
  if (!shown) return true;
  shown->given = true;
  shown->offset = request->values.length;
  shown->length = strlen(text);
  return braze_buffer_append(&request->values, text, shown->length + 1);
}

void braze_request_replace(struct braze_request *request, const char *name, const char *text) {
  const struct braze_shown *shown = find_shown(request, name);
  if (shown && shown->given && shown->length == strlen(text)) memcpy(request->values.bytes + shown->offset, text, shown->length);
}

static const char *text_of(const struct braze_request *request, const struct braze_shown *shown, size_t *length) {
  *length = shown->length;
  return braze_buffer_text(&request->values) + shown->offset;
}

const char *braze_request_value(const struct braze_request *request, const char *name, size_t *length) {
  int i;
  for (i = 0; i < request->shown_count; i++)
    if (request->shown[i].given && strcmp(request->shown[i].name, name) == 0) return text_of(request, &request->shown[i], length);
  return NULL;
}

const char *braze_request_echoed(const struct braze_request *request, size_t *length) {
  int i;
  for (i = 0; i < request->shown_count; i++)
    if (request->shown[i].given && request->shown[i].echoed) return text_of(request, &request->shown[i], length);
  return NULL;
}

void braze_request_free(struct braze_request *request) {
  braze_buffer_free(&request->built);
  braze_buffer_free(&request->body);
  braze_buffer_free(&request->named);
  braze_buffer_free(&request->values);
}
