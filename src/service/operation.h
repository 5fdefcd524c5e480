/* operation: the service as data. A new operation is one row in operation.c; methods, checks, retries, annotations and
   documentation follow from it. */
#ifndef BRAZE_OPERATION_H
#define BRAZE_OPERATION_H

#include <stdbool.h>
#include <stddef.h>

#include "http/request.h"

enum braze_field_type { BRAZE_STRING, BRAZE_INTEGER, BRAZE_BOOLEAN, BRAZE_OBJECT, BRAZE_LIST };

/* Where a field goes in the request. */
enum braze_field_place { BRAZE_IN_BODY, BRAZE_IN_QUERY, BRAZE_IN_PATH };

/* What a string must look like. Every string is UTF-8; a required one is not empty. */
enum braze_field_rule { BRAZE_ANY_TEXT, BRAZE_SEND_ID /* 1 to 64 printable ASCII characters, no space at either end */ };

struct braze_field {
  const char *name;
  enum braze_field_type type;
  enum braze_field_place place;
  bool required;
  bool shown;   /* messages about a call that may have been applied show its value */
  enum braze_field_rule rule;
  long max;     /* most items of a list, highest value of an integer; 0 = the service decides */
  const char *hint; /* what to do where it is missing or empty; NULL = nothing to add */
};

/* When a request may be sent again although the service may have got it. */
enum braze_repeat {
  BRAZE_NEVER_AGAIN, /* no key exists: a second one may send a second message */
  BRAZE_READS,       /* it changes nothing */
  BRAZE_WITH_KEY,    /* where the caller gave the field `key` */
  BRAZE_SAME_STATE   /* the second one leaves the same state as the first */
};

/* What a success holds beside a status of 2xx and a JSON body. */
struct braze_success {
  bool says_success;            /* "message" is "success" */
  const char *field;            /* this field is there; NULL = none has to be */
  enum braze_field_type type;   /* of that field; a string is not empty */
};

struct braze_operation {
  const char *name; /* the Lua method, and the first argument of start and call */
  enum braze_method method;
  const char *path; /* {name} stands for a field in the path */
  const char *permission; /* that the REST API key must have */
  enum braze_repeat repeat;
  const char *key;   /* field that makes a repeat harmless; NULL = none */
  const char *makes; /* what a call makes, for sentences: "send_id"; NULL = nothing */
  const char *lost;  /* what to do where the answer is lost and the call may not be repeated; NULL = the general words */
  struct braze_success success;
  const char *items; /* list field of a success that client:each walks through; NULL = none */
  const char *page;  /* field of the page's number, counted from 0; NULL = one answer has all */
  int page_size;     /* items of a full page; 0 = not known */
  size_t max_response;
  const struct braze_field *fields; /* ends with a field without a name */
};

/* The operation at an index, NULL behind the last. */
const struct braze_operation *braze_operation_at(size_t index);

/* The operation of that name, or NULL. */
const struct braze_operation *braze_operation_find(const char *name, size_t length);

/* The operation whose method and path these are, or NULL. Fields in a path stand for one part each. */
const struct braze_operation *braze_operation_match(enum braze_method method, const char *path, size_t length);

/* The index of the field of that name in operation->fields, or -1. */
int braze_operation_field(const struct braze_operation *operation, const char *name, size_t length);

int braze_operation_field_count(const struct braze_operation *operation);

enum braze_text_fault {
  BRAZE_TEXT_GOOD,
  BRAZE_TEXT_EMPTY,
  BRAZE_TEXT_TOO_LONG,
  BRAZE_TEXT_NOT_PRINTABLE,
  BRAZE_TEXT_SPACE_AT_END,
  BRAZE_TEXT_NOT_UTF8
};

/* Checks a string against its field's rule. *position is the 1-based byte where a rule about characters is broken. */
enum braze_text_fault braze_field_check(const struct braze_field *field, const char *text, size_t length, size_t *position);

#define BRAZE_MAX_SEND_ID 64

/* Bytes of the body that a route may answer with: it may be anything. */
#define BRAZE_MAX_ROUTE_RESPONSE ((size_t)16 * 1024 * 1024)

#endif
