/* record: see record.h. */
#include "ledger/record.h"

#include <stdio.h>
#include <string.h>

#include "base/json_reader.h"

#define MAX_DATA 8192u

const char *braze_record_state_name(enum braze_record_state state) {
  static const char *const names[BRAZE_RECORD_STATE_COUNT] = {"none", "held", "unknown", "done", "refused"};
  return names[state];
}

void braze_record_init(struct braze_record *record) {
  memset(record, 0, sizeof *record);
  braze_buffer_init(&record->data, MAX_DATA);
  braze_buffer_init(&record->body, BRAZE_MAX_RECORD);
}

void braze_record_free(struct braze_record *record) {
  braze_buffer_free(&record->data);
  braze_buffer_free(&record->body);
}

static bool write_text(struct braze_buffer *out, const char *name, const char *text) {
  if (!text[0]) return true;
  return braze_buffer_print(out, ",\"%s\":", name) && braze_json_write_string(out, text, strlen(text));
}

/* Microseconds are enough; the point is a point in any locale. */
static bool write_time(struct braze_buffer *out, const char *name, double epoch) {
  long long whole = (long long)epoch;
  return braze_buffer_print(out, ",\"%s\":%lld.%06lld", name, whole, (long long)((epoch - (double)whole) * 1e6));
}

bool braze_record_write(struct braze_record *record, const struct braze_entry *entry) {
  struct braze_buffer *out = &record->data;
  braze_buffer_clear(out);
  return braze_buffer_print(out, "{\"v\":%d", BRAZE_SCHEMA_VERSION) && write_text(out, "operation", entry->operation) &&
         write_text(out, "params", entry->digest) && write_text(out, "send_id", entry->send_id) &&
         write_text(out, "holder", entry->holder) && write_time(out, "claimed", entry->claimed) &&
         write_time(out, "changed", entry->changed) && (!entry->settled || braze_buffer_print(out, ",\"settled\":true")) &&
         (!entry->failed || write_text(out, "kind", braze_kind_name(entry->kind))) &&
         (entry->status == 0 || braze_buffer_print(out, ",\"status\":%d", entry->status)) &&
         write_text(out, "request_id", entry->request_id) && write_text(out, "message", entry->message) && braze_buffer_append(out, "}", 1);
}

static void read_text(const struct braze_record *record, const char *name, char *text, size_t size) {
  struct braze_buffer out;
  braze_buffer_borrow(&out, text, size);
  braze_json_read_string(braze_json_member(braze_buffer_text(&record->data), record->data.length, name), &out);
}

static double read_number(const struct braze_record *record, const char *name) {
  return braze_json_number(braze_json_member(braze_buffer_text(&record->data), record->data.length, name), 0);
}

/* 0 for what is no status: another program may have written it. */
static int read_status(const struct braze_record *record) {
  const double status = read_number(record, "status");
  return status >= 100 && status <= 999 ? (int)status : 0;
}

static void read_kind(const struct braze_record *record, struct braze_entry *entry) {
  char name[32];
  int kind;
  read_text(record, "kind", name, sizeof name);
  for (kind = 0; kind < BRAZE_KIND_COUNT; kind++)
    if (strcmp(name, braze_kind_name((enum braze_kind)kind)) == 0) {
      entry->failed = true;
      entry->kind = (enum braze_kind)kind;
    }
}

bool braze_record_read(const struct braze_record *record, struct braze_entry *entry) {
  memset(entry, 0, sizeof *entry);
  read_text(record, "operation", entry->operation, sizeof entry->operation);
  read_text(record, "params", entry->digest, sizeof entry->digest);
  read_text(record, "send_id", entry->send_id, sizeof entry->send_id);
  read_text(record, "holder", entry->holder, sizeof entry->holder);
  read_text(record, "request_id", entry->request_id, sizeof entry->request_id);
  read_text(record, "message", entry->message, sizeof entry->message);
  entry->claimed = read_number(record, "claimed");
  entry->changed = read_number(record, "changed");
  entry->status = read_status(record);
  entry->settled = braze_json_member(braze_buffer_text(&record->data), record->data.length, "settled").text != NULL;
  read_kind(record, entry);
  return read_number(record, "v") == BRAZE_SCHEMA_VERSION;
}
