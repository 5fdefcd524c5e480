/* lua_params: the parameters of a call, read from a table and checked before anything is sent. */
#include <string.h>

#include "lua/binding.h"
#include "base/text.h"

#define MOST_SHOWN 64
#define CAMPAIGN_HINT "it is the Campaign API Identifier, at the foot of the campaign's page in the dashboard"

/* Raises for a value that breaks its field's rule. */
LBRAZE_RAISES static void refuse_value(lua_State *L, const struct lbraze_context *context, const struct braze_field *field, enum braze_field_fault fault,
                         const struct braze_value *value, size_t position) {
  struct lbraze_words words;
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "%s ", field->name);
  if (fault != BRAZE_FIELD_EMPTY) braze_text_quote(&words.message, value->text, value->length, MOST_SHOWN);
  switch (fault) {
  case BRAZE_FIELD_EMPTY: braze_buffer_print(&words.message, "is empty"); break;
  case BRAZE_FIELD_TOO_LONG: braze_buffer_print(&words.message, " has %zu characters: at most %zu are taken", value->length, field->max_length); break;
  case BRAZE_FIELD_NOT_UTF8: braze_buffer_print(&words.message, " is not UTF-8, at byte %zu of %zu", position, value->length); break;
  case BRAZE_FIELD_SPACE_AT_END: braze_buffer_print(&words.message, position == 1 ? " begins with a space" : " ends with a space"); break;
  default:
    braze_buffer_print(&words.message, " holds ");
    braze_text_name_character(&words.message, (unsigned char)value->text[position - 1]);
    braze_buffer_print(&words.message, ", at byte %zu of %zu", position, value->length);
  }
  if (field->required && fault == BRAZE_FIELD_EMPTY)
    braze_buffer_print(&words.hint, CAMPAIGN_HINT);
  else if (!field->required && fault == BRAZE_FIELD_EMPTY)
    braze_buffer_print(&words.hint, "leave it out and the service makes one");
  else if (field->ascii)
    braze_buffer_print(&words.hint, "a %s is 1 to %zu printable ASCII characters, with no space at either end", field->name, field->max_length);
  words.operation = context->operation;
  lbraze_raise_usage(L, context->settings, &words);
}

static void read_value(lua_State *L, const struct lbraze_context *context, const struct braze_field *field, struct braze_value *value) {
  enum braze_field_fault fault;
  size_t position;
  if (lua_type(L, -1) != LUA_TSTRING) lbraze_refuse_type(L, context, field->name, "a string", field->required ? CAMPAIGN_HINT : NULL);
  value->text = lua_tolstring(L, -1, &value->length);
  if (value->length > BRAZE_REQUEST_LIMIT) /* before anything looks at each byte of it */
    lbraze_refuse(L, context, BRAZE_REQUEST_LIMIT_HINT, "%s has %.0f bytes: a whole request may have %u", field->name, (double)value->length, BRAZE_REQUEST_LIMIT);
  fault = braze_field_check(field, value->text, value->length, &position);
  if (fault != BRAZE_FIELD_GOOD) refuse_value(L, context, field, fault, value, position);
}

void lbraze_check_parameters(lua_State *L, int index, const struct lbraze_context *context) {
  struct lbraze_words words;
  lbraze_check_dot(L, index, context->operation);
  if (lua_istable(L, index)) return;
  lbraze_words_init(&words);
  braze_buffer_print(&words.message, "%s takes a table of parameters, not ", context->operation);
  if (lua_isnoneornil(L, index))
    braze_buffer_print(&words.message, "nothing");
  else
    lbraze_say_value(L, index, &words.message);
  braze_buffer_print(&words.hint, "write %s%s{campaign_id = \"...\"}", lua_isuserdata(L, index) ? "client:" : "", context->operation);
  words.operation = context->operation;
  lbraze_raise_usage(L, context->settings, &words);
}

void lbraze_read_parameters(lua_State *L, int index, const struct braze_settings *settings, const struct braze_endpoint *endpoint,
                            struct braze_value *values) {
  const struct lbraze_context context = {settings, endpoint->name};
  const char *known[BRAZE_MAX_FIELDS];
  const struct lbraze_names names = {"parameter", endpoint->name, known, (int)endpoint->field_count};
  int field;
  memset(values, 0, BRAZE_MAX_FIELDS * sizeof *values);
  for (field = 0; field < names.count; field++) known[field] = endpoint->fields[field].name;
  if (lbraze_find_unknown(L, index, &names)) lbraze_refuse_unknown(L, &context, &names, lbraze_option_among_parameters(L, -1));
  for (field = 0; field < names.count; field++) {
    lua_pushstring(L, known[field]);
    lua_rawget(L, index);
    if (!lua_isnil(L, -1)) read_value(L, &context, &endpoint->fields[field], &values[field]);
  }
  for (field = 0; field < names.count; field++)
    if (endpoint->fields[field].required && !values[field].text) lbraze_refuse(L, &context, CAMPAIGN_HINT, "%s is missing", known[field]);
}
