/* strange_operations: the operations of the module, and a dozen more that are as odd as a row may be. A build of specs alone has them, in
   place of src/service/operation.c: spec/service/strange_operations_spec.lua calls each. */
#include "service/operation.h"

#define SMALL_RESPONSE 2000

static const struct braze_field no_fields[] = {{0}};
static const struct braze_field every_type_in_query[] = {
    {.name = "text", .type = BRAZE_STRING, .place = BRAZE_IN_QUERY},
    {.name = "number", .type = BRAZE_INTEGER, .place = BRAZE_IN_QUERY, .max = 3},
    {.name = "flag", .type = BRAZE_BOOLEAN, .place = BRAZE_IN_QUERY},
    {0},
};
static const struct braze_field two_in_path[] = {
    {.name = "first", .type = BRAZE_STRING, .place = BRAZE_IN_PATH, .required = true},
    {.name = "second", .type = BRAZE_STRING, .place = BRAZE_IN_PATH, .required = true},
    {0},
};
static const struct braze_field everywhere[] = {
    {.name = "id", .type = BRAZE_STRING, .place = BRAZE_IN_PATH, .required = true},
    {.name = "mode", .type = BRAZE_STRING, .place = BRAZE_IN_QUERY},
    {.name = "thing", .type = BRAZE_OBJECT, .place = BRAZE_IN_BODY, .required = true},
    {.name = "list", .type = BRAZE_LIST, .place = BRAZE_IN_BODY, .max = 2},
    {.name = "number", .type = BRAZE_INTEGER, .place = BRAZE_IN_BODY},
    {0},
};
static const struct braze_field with_key[] = {
    {.name = "once", .type = BRAZE_STRING, .place = BRAZE_IN_BODY},
    {0},
};
static const struct braze_field paged[] = {
    {.name = "number_of_page", .type = BRAZE_INTEGER, .place = BRAZE_IN_QUERY},
    {0},
};

#define ROW(the_name, the_method, the_path, the_repeat, the_fields) \
  .name = the_name, .method = the_method, .path = the_path, .permission = "strange", .repeat = the_repeat, .max_response = SMALL_RESPONSE, \
  .fields = the_fields

#define BRAZE_STRANGE_OPERATIONS \
  {ROW("strange_nothing", BRAZE_POST, "/strange/nothing", BRAZE_NEVER_AGAIN, no_fields)}, \
  {ROW("strange_read", BRAZE_GET, "/strange/read", BRAZE_READS, every_type_in_query), .success = {.field = "data", .type = BRAZE_OBJECT}}, \
  {ROW("strange_read_without_fields", BRAZE_GET, "/strange/both", BRAZE_READS, no_fields)}, \
  {ROW("strange_write_at_same_path", BRAZE_POST, "/strange/both", BRAZE_NEVER_AGAIN, with_key)}, \
  {ROW("strange_path", BRAZE_GET, "/strange/{first}/and/{second}", BRAZE_READS, two_in_path)}, \
  {ROW("strange_path_alone", BRAZE_DELETE, "/{first}/{second}", BRAZE_SAME_STATE, two_in_path)}, \
  {ROW("strange_put", BRAZE_PUT, "/strange/put/{id}", BRAZE_SAME_STATE, everywhere)}, \
  {ROW("strange_patch", BRAZE_PATCH, "/strange/patch/{id}", BRAZE_NEVER_AGAIN, everywhere), .success = {.says_success = true}}, \
  {ROW("strange_delete", BRAZE_DELETE, "/strange/delete/{id}", BRAZE_SAME_STATE, everywhere)}, \
  {ROW("strange_post", BRAZE_POST, "/strange/post/{id}", BRAZE_NEVER_AGAIN, everywhere), .makes = "thing", .success = {.field = "list", .type = BRAZE_LIST}}, \
  {ROW("strange_key", BRAZE_POST, "/strange/key", BRAZE_WITH_KEY, with_key), .key = "once", .success = {.field = "text", .type = BRAZE_STRING}}, \
  {ROW("strange_pages", BRAZE_GET, "/strange/pages", BRAZE_READS, paged), .items = "things", .page = "number_of_page", .page_size = 2, \
   .success = {.field = "things", .type = BRAZE_LIST}},

#include "service/operation.c"
