/* operation: see operation.h. Each row names the page of Braze's API documentation that it rests on. */
#include "service/operation.h"

#include <string.h>

#include "base/text.h"

/* --- Fields ------------------------------------------------------------------------------------------ */

#define REQUIRED true
#define OPTIONAL false

/* A field of each type, in the body. */
#define TEXT(name) {name, BRAZE_STRING, BRAZE_IN_BODY, OPTIONAL, false, BRAZE_ANY_TEXT, 0, NULL}
#define FLAG(name) {name, BRAZE_BOOLEAN, BRAZE_IN_BODY, OPTIONAL, false, BRAZE_ANY_TEXT, 0, NULL}
#define OBJECT(name, required, hint) {name, BRAZE_OBJECT, BRAZE_IN_BODY, required, false, BRAZE_ANY_TEXT, 0, hint}
#define LIST(name, max) {name, BRAZE_LIST, BRAZE_IN_BODY, OPTIONAL, false, BRAZE_ANY_TEXT, max, NULL}

/* What identifies something, shown in messages. */
#define ID(name, place, required, hint) {name, BRAZE_STRING, place, required, true, BRAZE_ANY_TEXT, 0, hint}
#define SEND_ID(place, required, hint) {"send_id", BRAZE_STRING, place, required, true, BRAZE_SEND_ID, 0, hint}

/* In the query. */
#define QUERY(name, type, required, hint) {name, type, BRAZE_IN_QUERY, required, false, BRAZE_ANY_TEXT, 0, hint}

#define MAX_RECIPIENTS 50

#define CAMPAIGN_HINT "it is the Campaign API Identifier, at the foot of the campaign's page in the dashboard"
#define NEW_SEND_ID_HINT "leave it out and the service makes one"
#define SEND_ID_HINT "it is a send_id that create_send_id made; leave it out to send without one"
#define SCHEDULE_ID_HINT "it is the schedule_id that the call which made the schedule returned"
#define SCHEDULE_HINT "write schedule = { time = \"2026-03-01T09:00:00Z\" }"
#define TIME_HINT "write a time as ISO 8601 has it: 2026-03-01T09:00:00Z"
#define LOST_SEND "the messages may have been sent, and a second call may send them again: look at get_send_analytics, where the send has a send_id of its own, before you call again"
#define LOST_MESSAGE "the message may have been sent, and a second call may send it again: give your own external_send_id, and a repeat within 24 hours sends none"
#define LOST_SCHEDULE "a schedule may exist, will fire, and stands in no list that the API gives: its schedule_id was in the lost answer. Look in the dashboard before you call again"

/* Messaging > Send messages > Create send IDs */
static const struct braze_field create_send_id_fields[] = {
    ID("campaign_id", BRAZE_IN_BODY, REQUIRED, CAMPAIGN_HINT),
    SEND_ID(BRAZE_IN_BODY, OPTIONAL, NEW_SEND_ID_HINT),
    {0},
};

/* Messaging > Send messages > Send messages immediately via API only */
static const struct braze_field send_messages_fields[] = {
    FLAG("broadcast"),
    LIST("external_user_ids", MAX_RECIPIENTS),
    LIST("user_aliases", MAX_RECIPIENTS),
    TEXT("segment_id"),
    OBJECT("audience", OPTIONAL, NULL),
    ID("campaign_id", BRAZE_IN_BODY, OPTIONAL, CAMPAIGN_HINT),
    SEND_ID(BRAZE_IN_BODY, OPTIONAL, SEND_ID_HINT),
    FLAG("override_frequency_capping"),
    TEXT("recipient_subscription_state"),
    OBJECT("messages", OPTIONAL, NULL),
    {0},
};

/* Messaging > Send messages > Send campaigns via API-triggered delivery */
static const struct braze_field trigger_campaign_fields[] = {
    ID("campaign_id", BRAZE_IN_BODY, REQUIRED, CAMPAIGN_HINT),
    SEND_ID(BRAZE_IN_BODY, OPTIONAL, SEND_ID_HINT),
    OBJECT("trigger_properties", OPTIONAL, NULL),
    FLAG("broadcast"),
    OBJECT("audience", OPTIONAL, NULL),
    LIST("recipients", MAX_RECIPIENTS),
    LIST("attachments", 0),
    {0},
};

/* Messaging > Schedule messages > Create scheduled messages */
static const struct braze_field schedule_messages_fields[] = {
    FLAG("broadcast"),
    LIST("external_user_ids", MAX_RECIPIENTS),
    LIST("user_aliases", MAX_RECIPIENTS),
    TEXT("segment_id"),
    OBJECT("audience", OPTIONAL, NULL),
    ID("campaign_id", BRAZE_IN_BODY, OPTIONAL, CAMPAIGN_HINT),
    SEND_ID(BRAZE_IN_BODY, OPTIONAL, SEND_ID_HINT),
    FLAG("override_messaging_limits"),
    TEXT("recipient_subscription_state"),
    OBJECT("schedule", REQUIRED, SCHEDULE_HINT),
    OBJECT("messages", OPTIONAL, NULL),
    {0},
};

/* Messaging > Schedule messages > Update scheduled messages */
static const struct braze_field update_scheduled_messages_fields[] = {
    ID("schedule_id", BRAZE_IN_BODY, REQUIRED, SCHEDULE_ID_HINT),
    OBJECT("schedule", OPTIONAL, SCHEDULE_HINT),
    OBJECT("messages", OPTIONAL, NULL),
    {0},
};

/* Messaging > Schedule messages > Delete scheduled messages */
static const struct braze_field delete_scheduled_messages_fields[] = {
    ID("schedule_id", BRAZE_IN_BODY, REQUIRED, SCHEDULE_ID_HINT),
    {0},
};

/* Messaging > Schedule messages > Schedule API-triggered campaigns */
static const struct braze_field schedule_campaign_fields[] = {
    ID("campaign_id", BRAZE_IN_BODY, REQUIRED, CAMPAIGN_HINT),
    SEND_ID(BRAZE_IN_BODY, OPTIONAL, SEND_ID_HINT),
    LIST("recipients", MAX_RECIPIENTS),
    OBJECT("audience", OPTIONAL, NULL),
    FLAG("broadcast"),
    OBJECT("trigger_properties", OPTIONAL, NULL),
    OBJECT("schedule", REQUIRED, SCHEDULE_HINT),
    {0},
};

/* Messaging > Schedule messages > Update scheduled API-triggered campaigns */
static const struct braze_field update_scheduled_campaign_fields[] = {
    ID("campaign_id", BRAZE_IN_BODY, REQUIRED, CAMPAIGN_HINT),
    ID("schedule_id", BRAZE_IN_BODY, REQUIRED, SCHEDULE_ID_HINT),
    OBJECT("schedule", REQUIRED, SCHEDULE_HINT),
    {0},
};

/* Messaging > Schedule messages > Delete scheduled API-triggered campaigns */
static const struct braze_field delete_scheduled_campaign_fields[] = {
    ID("campaign_id", BRAZE_IN_BODY, REQUIRED, CAMPAIGN_HINT),
    ID("schedule_id", BRAZE_IN_BODY, REQUIRED, SCHEDULE_ID_HINT),
    {0},
};

/* Export > Campaigns > Export send analytics */
static const struct braze_field get_send_analytics_fields[] = {
    ID("campaign_id", BRAZE_IN_QUERY, REQUIRED, CAMPAIGN_HINT),
    SEND_ID(BRAZE_IN_QUERY, REQUIRED, "it is the send_id whose numbers are asked for"),
    {"length", BRAZE_INTEGER, BRAZE_IN_QUERY, REQUIRED, false, BRAZE_ANY_TEXT, 100, "it is the number of days, 1 to 100"},
    QUERY("ending_at", BRAZE_STRING, OPTIONAL, TIME_HINT),
    {0},
};

/* Export > Campaigns > Export campaigns list */
static const struct braze_field list_campaigns_fields[] = {
    QUERY("page", BRAZE_INTEGER, OPTIONAL, "pages are counted from 0"),
    QUERY("include_archived", BRAZE_BOOLEAN, OPTIONAL, NULL),
    QUERY("sort_direction", BRAZE_STRING, OPTIONAL, "write \"asc\" or \"desc\""),
    QUERY("last_edit.time[gt]", BRAZE_STRING, OPTIONAL, TIME_HINT),
    {0},
};

/* Export > Campaigns > Export campaign details */
static const struct braze_field get_campaign_fields[] = {
    ID("campaign_id", BRAZE_IN_QUERY, REQUIRED, CAMPAIGN_HINT),
    QUERY("post_launch_draft_version", BRAZE_BOOLEAN, OPTIONAL, NULL),
    QUERY("include_has_translatable_content", BRAZE_BOOLEAN, OPTIONAL, NULL),
    {0},
};

/* Messaging > Schedule messages > List upcoming scheduled campaigns and Canvases */
static const struct braze_field list_scheduled_broadcasts_fields[] = {
    QUERY("end_time", BRAZE_STRING, REQUIRED, TIME_HINT),
    {0},
};

/* Messaging > Send messages > Send transactional email via API-triggered delivery */
static const struct braze_field send_transactional_fields[] = {
    ID("campaign_id", BRAZE_IN_PATH, REQUIRED, CAMPAIGN_HINT),
    ID("external_send_id", BRAZE_IN_BODY, OPTIONAL, "it is a name of your own for this message; with it a repeat within 24 hours sends no second one"),
    OBJECT("trigger_properties", OPTIONAL, NULL),
    OBJECT("recipient", REQUIRED, "write recipient = { external_user_id = \"...\" }"),
    {0},
};

/* --- Operations -------------------------------------------------------------------------------------- */

#define SAYS_SUCCESS {.says_success = true}
#define KIBIBYTE ((size_t)1024)
#define USUAL_RESPONSE (1024 * KIBIBYTE)
#define LONG_RESPONSE (16 * 1024 * KIBIBYTE) /* a year of series */

static const struct braze_operation operations[] = {
    {.name = "create_send_id", .method = BRAZE_POST, .path = "/sends/id/create", .permission = "sends.id.create",
     .repeat = BRAZE_WITH_KEY, .key = "send_id", .makes = "send_id",
     .success = {.says_success = true, .field = "send_id", .type = BRAZE_STRING},
     .max_response = USUAL_RESPONSE, .fields = create_send_id_fields},
    {.name = "send_messages", .method = BRAZE_POST, .path = "/messages/send", .permission = "messages.send",
     .repeat = BRAZE_NEVER_AGAIN, .lost = LOST_SEND, .success = SAYS_SUCCESS,
     .max_response = USUAL_RESPONSE, .fields = send_messages_fields},
    {.name = "trigger_campaign", .method = BRAZE_POST, .path = "/campaigns/trigger/send", .permission = "campaigns.trigger.send",
     .repeat = BRAZE_NEVER_AGAIN, .lost = LOST_SEND, .success = SAYS_SUCCESS,
     .max_response = USUAL_RESPONSE, .fields = trigger_campaign_fields},
    {.name = "schedule_messages", .method = BRAZE_POST, .path = "/messages/schedule/create", .permission = "messages.schedule.create",
     .repeat = BRAZE_NEVER_AGAIN, .lost = LOST_SCHEDULE,
     .success = {.says_success = true, .field = "schedule_id", .type = BRAZE_STRING},
     .max_response = USUAL_RESPONSE, .fields = schedule_messages_fields},
    {.name = "update_scheduled_messages", .method = BRAZE_POST, .path = "/messages/schedule/update", .permission = "messages.schedule.update",
     .repeat = BRAZE_SAME_STATE, .success = SAYS_SUCCESS,
     .max_response = USUAL_RESPONSE, .fields = update_scheduled_messages_fields},
    {.name = "delete_scheduled_messages", .method = BRAZE_POST, .path = "/messages/schedule/delete", .permission = "messages.schedule.delete",
     .repeat = BRAZE_SAME_STATE, .success = SAYS_SUCCESS,
     .max_response = USUAL_RESPONSE, .fields = delete_scheduled_messages_fields},
    {.name = "schedule_campaign", .method = BRAZE_POST, .path = "/campaigns/trigger/schedule/create", .permission = "campaigns.trigger.schedule.create",
     .repeat = BRAZE_NEVER_AGAIN, .lost = LOST_SCHEDULE,
     .success = {.says_success = true, .field = "schedule_id", .type = BRAZE_STRING},
     .max_response = USUAL_RESPONSE, .fields = schedule_campaign_fields},
    {.name = "update_scheduled_campaign", .method = BRAZE_POST, .path = "/campaigns/trigger/schedule/update", .permission = "campaigns.trigger.schedule.update",
     .repeat = BRAZE_SAME_STATE, .success = SAYS_SUCCESS,
     .max_response = USUAL_RESPONSE, .fields = update_scheduled_campaign_fields},
    {.name = "delete_scheduled_campaign", .method = BRAZE_POST, .path = "/campaigns/trigger/schedule/delete", .permission = "campaigns.trigger.schedule.delete",
     .repeat = BRAZE_SAME_STATE, .success = SAYS_SUCCESS,
     .max_response = USUAL_RESPONSE, .fields = delete_scheduled_campaign_fields},
    {.name = "get_send_analytics", .method = BRAZE_GET, .path = "/sends/data_series", .permission = "sends.data_series",
     .repeat = BRAZE_READS, .success = {.says_success = true, .field = "data", .type = BRAZE_LIST}, .items = "data",
     .max_response = LONG_RESPONSE, .fields = get_send_analytics_fields},
    {.name = "list_campaigns", .method = BRAZE_GET, .path = "/campaigns/list", .permission = "campaigns.list",
     .repeat = BRAZE_READS, .success = {.says_success = true, .field = "campaigns", .type = BRAZE_LIST}, .items = "campaigns", .page = "page", .page_size = 100,
     .max_response = LONG_RESPONSE, .fields = list_campaigns_fields},
    {.name = "get_campaign", .method = BRAZE_GET, .path = "/campaigns/details", .permission = "campaigns.details",
     .repeat = BRAZE_READS, .success = SAYS_SUCCESS,
     .max_response = LONG_RESPONSE, .fields = get_campaign_fields},
    {.name = "list_scheduled_broadcasts", .method = BRAZE_GET, .path = "/messages/scheduled_broadcasts", .permission = "messages.schedule_broadcasts",
     .repeat = BRAZE_READS, .success = {.says_success = false, .field = "scheduled_broadcasts", .type = BRAZE_LIST}, .items = "scheduled_broadcasts",
     .max_response = LONG_RESPONSE, .fields = list_scheduled_broadcasts_fields},
    {.name = "send_transactional", .method = BRAZE_POST, .path = "/transactional/v1/campaigns/{campaign_id}/send", .permission = "transactional.send",
     .repeat = BRAZE_WITH_KEY, .key = "external_send_id", .makes = "message", .lost = LOST_MESSAGE,
     .success = {.says_success = false, .field = "dispatch_id", .type = BRAZE_STRING},
     .max_response = USUAL_RESPONSE, .fields = send_transactional_fields},
#ifdef BRAZE_STRANGE_OPERATIONS /* spec/support/strange_operations.c: rows that Braze does not have, for a spec */
    BRAZE_STRANGE_OPERATIONS
#endif
};

#define OPERATION_COUNT (sizeof operations / sizeof *operations)

const struct braze_operation *braze_operation_at(size_t index) {
  return index < OPERATION_COUNT ? &operations[index] : NULL;
}

const struct braze_operation *braze_operation_find(const char *name, size_t length) {
  const struct braze_operation *operation;
  size_t i;
  for (i = 0; (operation = braze_operation_at(i)) != NULL; i++)
    if (strlen(operation->name) == length && memcmp(operation->name, name, length) == 0) return operation;
  return NULL;
}

/* Whether a path is one of the pattern's: a part "{name}" stands for any part that is not empty. */
static bool matches(const char *pattern, const char *path, size_t length) {
  const char *end = path + length;
  while (*pattern && path < end) {
    if (*pattern == '{') {
      const char *part = path;
      while (path < end && *path != '/') path++;
      if (path == part) return false;
      pattern = strchr(pattern, '}') + 1;
    } else if (*pattern++ != *path++) {
      return false;
    }
  }
  return *pattern == '\0' && path == end;
}

const struct braze_operation *braze_operation_match(enum braze_method method, const char *path, size_t length) {
  const struct braze_operation *operation;
  size_t i;
  for (i = 0; (operation = braze_operation_at(i)) != NULL; i++)
    if (operation->method == method && matches(operation->path, path, length)) return operation;
  return NULL;
}

int braze_operation_field_count(const struct braze_operation *operation) {
  int count = 0;
  while (operation->fields[count].name) count++;
  return count;
}

int braze_operation_field(const struct braze_operation *operation, const char *name, size_t length) {
  int i;
  for (i = 0; operation->fields[i].name; i++)
    if (strlen(operation->fields[i].name) == length && memcmp(operation->fields[i].name, name, length) == 0) return i;
  return -1;
}

static enum braze_text_fault check_send_id(const char *text, size_t length, size_t *position) {
  size_t i;
  for (i = 0; i < length; i++)
    if ((unsigned char)text[i] < ' ' || (unsigned char)text[i] > '~') {
      *position = i + 1;
      return BRAZE_TEXT_NOT_PRINTABLE;
    }
  if (length > BRAZE_MAX_SEND_ID) return BRAZE_TEXT_TOO_LONG;
  *position = text[0] == ' ' ? 1 : length;
  return text[0] == ' ' || text[length - 1] == ' ' ? BRAZE_TEXT_SPACE_AT_END : BRAZE_TEXT_GOOD;
}

enum braze_text_fault braze_field_check(const struct braze_field *field, const char *text, size_t length, size_t *position) {
  size_t good;
  *position = 0;
  if (length == 0) return field->required || field->rule == BRAZE_SEND_ID ? BRAZE_TEXT_EMPTY : BRAZE_TEXT_GOOD;
  if (field->rule == BRAZE_SEND_ID) return check_send_id(text, length, position);
  good = braze_text_utf8_length(text, length);
  *position = good + 1;
  return good < length ? BRAZE_TEXT_NOT_UTF8 : BRAZE_TEXT_GOOD;
}
