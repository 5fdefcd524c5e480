/* endpoint: see endpoint.h. The facts are those of the endpoint's page in Braze's API documentation
   (Messaging > Send messages > Create send IDs) and of its page on identifier types. */
#include "service/operation.h"

#include <string.h>

#include "base/text.h"

static const struct braze_endpoint endpoints[] = {
    {"create_send_id",
     "/sends/id/create",
     "sends.id.create",
     "send_id",
     "send_id",
     2,
     {{"campaign_id", "\"campaign_id\":", true, false, 0}, {"send_id", "\"send_id\":", false, true, 64}}},
};

const struct braze_endpoint *braze_endpoint_at(size_t index) {
  return index < sizeof endpoints / sizeof *endpoints ? &endpoints[index] : NULL;
}

const struct braze_endpoint *braze_endpoint_find(const char *name, size_t length) {
  const struct braze_endpoint *endpoint;
  size_t i;
  for (i = 0; (endpoint = braze_endpoint_at(i)) != NULL; i++)
    if (strlen(endpoint->name) == length && memcmp(endpoint->name, name, length) == 0) return endpoint;
  return NULL;
}

/* Number of bytes at the start that are printable ASCII. */
static size_t printable_length(const char *text, size_t length) {
  size_t at = 0;
  while (at < length && text[at] >= ' ' && text[at] <= '~') at++;
  return at;
}

enum braze_field_fault braze_field_check(const struct braze_field *field, const char *text, size_t length, size_t *position) {
  size_t good = field->ascii ? printable_length(text, length) : braze_text_utf8_length(text, length);
  *position = good + 1;
  if (length == 0) return BRAZE_FIELD_EMPTY;
  if (good < length) return field->ascii ? BRAZE_FIELD_NOT_PRINTABLE : BRAZE_FIELD_NOT_UTF8;
  if (field->max_length > 0 && length > field->max_length) return BRAZE_FIELD_TOO_LONG;
  if (!field->ascii || (text[0] != ' ' && text[length - 1] != ' ')) return BRAZE_FIELD_GOOD;
  *position = text[0] == ' ' ? 1 : length;
  return BRAZE_FIELD_SPACE_AT_END;
}
