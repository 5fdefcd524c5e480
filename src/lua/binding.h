/* binding: what the files of the binding share. Functions that take a lua_State may raise; the stack effect is given as in
   Lua's manual: [-popped, +pushed, may raise: e = a braze error, m = memory]. */
#ifndef LBRAZE_H
#define LBRAZE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "http/call.h"
#include "http/outcome.h"
#include "http/settings.h"
#include "lua/compat.h"
#include "service/explain.h"
#include "service/operation.h"
#include "service/target.h"

struct braze_client;
struct braze_guard;
struct braze_ledger;

/* registry.c: metatables, functions of cjson's, the host's require, the client of braze.create_send_id. */
enum lbraze_registered {
  LBRAZE_CLIENT,
  LBRAZE_SAFE_CLIENT,
  LBRAZE_REQUEST,
  LBRAZE_SAFE_REQUEST,
  LBRAZE_ERROR,
  LBRAZE_ENCODE,
  LBRAZE_DECODE,
  LBRAZE_NEW_INSTANCE,
  LBRAZE_REQUIRE,
  LBRAZE_CHANNEL,
  LBRAZE_DEFAULT_CLIENT,
  LBRAZE_LIST,
  LBRAZE_LEDGER,
  LBRAZE_SAFE_LEDGER,
  LBRAZE_REGISTERED_COUNT
};

/* [-0, +1] nil where nothing is registered. */
void lbraze_get_registered(lua_State *L, enum lbraze_registered what);

/* [-1, +0, m] */
void lbraze_register(lua_State *L, enum lbraze_registered what);

/* [-0, +1, m] The metatable, made at the first call. The name is for tostring and Lua's own messages alone: under it another
   copy of this library in the same state would find the metatable, and replace its functions. */
void lbraze_new_metatable(lua_State *L, enum lbraze_registered what, const char *name);

/* Whether it is the value's metatable. */
bool lbraze_has_metatable(lua_State *L, int index, enum lbraze_registered what);

/* The full userdata at index if it has that metatable, and that size: debug.setmetatable gives a metatable to anything. NULL
   for anything else. Never raises: finalizers use it. */
void *lbraze_test_userdata(lua_State *L, int index, enum lbraze_registered what, size_t size);

/* Room for the two texts of an error on the C stack, so that raising one leaves nothing behind. */
struct lbraze_words {
  struct braze_buffer message, hint;
  char message_text[BRAZE_MESSAGE_LIMIT];
  char hint_text[BRAZE_MESSAGE_LIMIT];
  const char *operation; /* NULL = not known yet */
};

/* What the errors of one call have in common. */
struct lbraze_context {
  const struct braze_settings *settings; /* whose secrets are taken out of the texts; NULL = there are none */
  const char *operation;                 /* NULL = not known yet */
};

/* error.c */

void lbraze_words_init(struct lbraze_words *words);

/* [-0, +1, m] A new error object with the fields that are always there. The texts are redacted if settings are given. */
void lbraze_push_error(lua_State *L, const struct braze_settings *settings, enum braze_kind kind, const struct lbraze_words *words);

/* What stands at index, with its article: "a string", "nothing". */
const char *lbraze_what(lua_State *L, int index);

/* [-0, +0, e] Raises a usage error. Never returns. */
LBRAZE_RAISES int lbraze_raise_usage(lua_State *L, const struct braze_settings *settings, const struct lbraze_words *words);

/* [-0, +0, e] The same with a text as printf makes it, and a hint or NULL. */
LBRAZE_RAISES int lbraze_usage(lua_State *L, const char *hint, const char *format, ...) BRAZE_PRINTF(3, 4);

/* [-0, +0, e] The same for an error of a call: its secrets are taken out of the text, and its operation is set. */
LBRAZE_RAISES int lbraze_refuse(lua_State *L, const struct lbraze_context *context, const char *hint, const char *format, ...)
    BRAZE_PRINTF(4, 5);

/* [-0, +0, m] Creates the metatable. */
void lbraze_open_error(lua_State *L);

/* Whether the value is one of our error objects. */
bool lbraze_is_error(lua_State *L, int index);

int lbraze_error_is_error(lua_State *L);

/* [-0, +1, m] "file.lua:12:" of the nearest Lua code that called us, or "". Without settings it is redacted
   by those of the client that was called. */
void lbraze_push_where(lua_State *L, const struct braze_settings *settings);

/* [-0, +1, m] A text in which the key is masked, where it holds the key; it may be cut then. */
void lbraze_push_safe_text(lua_State *L, const struct braze_settings *settings, const char *text, size_t length);

/* [-0, +1, m] A table of methods; the safe ones go through lbraze_safe_call. */
void lbraze_push_methods(lua_State *L, const luaL_Reg *methods, bool safe);

/* [-n, +results or nil and an error, m] Calls its first upvalue; what it raises, whatever it is, is returned. */
int lbraze_safe_call(lua_State *L);

/* made_error.c */

int lbraze_error_error(lua_State *L);

/* names.c */

/* The names that are allowed as the keys of a table. */
struct lbraze_names {
  const char *what;  /* "option" */
  const char *called; /* "braze.new" */
  const char *const *names;
  int count;
};

/* [-0, +1 if true] Pushes a key of the table at index that is none of the names; of several, the same one each time. */
bool lbraze_find_unknown(lua_State *L, int index, const struct lbraze_names *names);

/* [-0, +0, e] Raises for the key on top of the stack. The hint is the advice; without one (NULL), the name that was probably
   meant, or all of them. */
LBRAZE_RAISES void lbraze_refuse_unknown(lua_State *L, const struct lbraze_context *context, const struct lbraze_names *names,
                                         const char *advice);

/* Appends an unknown name in quotes, unless it may be a key. `meant` is the known name that was probably meant (NULL: none); a name that
   is close to a known one is no key. */
void lbraze_say_name(struct braze_buffer *out, const char *name, size_t length, const char *meant);

/* Appends what stands at index, with its value: the number 5, the string "5s", a table. What may be a key is not shown. */
void lbraze_say_value(lua_State *L, int index, struct braze_buffer *out);

/* [-0, +0, e] Raises for the value on top of the stack, which is not what is expected ("a number"). */
LBRAZE_RAISES void lbraze_refuse_type(lua_State *L, const struct lbraze_context *context, const char *name, const char *expected,
                                      const char *hint);

/* [-0, +0, e] Raises for the argument of a method, at index: "step takes a whole number, not the string ...". Without settings it is
   redacted by those of the client that was called. */
LBRAZE_RAISES void lbraze_refuse_argument(lua_State *L, int index, const struct braze_settings *settings, const char *method,
                                          const char *expected, const char *hint);

/* Whether the value is the module, its safe style, or a host's module. */
bool lbraze_is_module(lua_State *L, int index);

/* [-0, +0, e] Raises where the first argument of a function, at index, is the module: it was called with ":". */
void lbraze_check_dot(lua_State *L, int index, const char *function);

/* options.c */

/* Where options stand. */
enum lbraze_scope { LBRAZE_FOR_CLIENT = 1, LBRAZE_FOR_CALL = 2, LBRAZE_FOR_START = 4, LBRAZE_FOR_EACH = 8 };

/* The options of one call. Four are values on the stack, nil where they were not given. */
struct lbraze_call_options {
  struct braze_limits limits;
  bool repeatable;
  int max_pages;
  int on_done, query, items, job; /* where on the stack */
  int on_event;                   /* the same, of a client */
};

#define LBRAZE_OPTION_SLOTS 4

/* [-0, +1, e] Reads options of braze.new (nil is none) and what they leave to the environment into a new client. Pushes on_event, or
   nil. */
void lbraze_read_client_options(lua_State *L, int index, struct braze_client *client);

/* [-0, +0, e] Raises where the options of a call are no table, or have a name that does not belong there. Called before anything
   else of a call is checked, and before the default client is made. */
void lbraze_check_call_options(lua_State *L, int index, enum lbraze_scope scope, const struct lbraze_context *context);

/* [-0, +LBRAZE_OPTION_SLOTS, e] Reads options of one call over the client's own, the context's settings. */
void lbraze_read_call_options(lua_State *L, int index, enum lbraze_scope scope, const struct lbraze_context *context,
                              struct lbraze_call_options *call);

/* What to do with the name at index, if it is an option that stands among a call's parameters; else NULL. */
const char *lbraze_option_among_parameters(lua_State *L, int index);

/* environment.c */

/* The variable of the environment; NULL where it is not set, is empty, or must not be trusted. */
const char *lbraze_environment(const char *name);

/* target.c */

/* What a call calls: an operation, or a route of which nothing is known. */
struct lbraze_target {
  const struct braze_operation *operation; /* NULL = a route */
  struct braze_target route;
  const char *name; /* as messages have it: of the operation, or the text at the index it was read from */
};

/* [-0, +0, e] What the string at index names: an operation, or "METHOD /path". `method` is the function that was called. */
void lbraze_read_target(lua_State *L, int index, const struct braze_settings *settings, const char *method, struct lbraze_target *target);

/* value.c */

/* Tables one inside the other, that of the parameters counted in. */
#define LBRAZE_MAX_DEPTH 32

/* How many digits of a number lua-cjson is told to write: as many as every build of it can. */
#define LBRAZE_JSON_DIGITS 14

/* [-0, +0, e] Checks that the value at index can be JSON as it is; raises with the path of what can't. The name, with which the path
   begins, is that of a field of the table of parameters at `params`; NULL: the value is that table. Returns how many bytes the JSON has
   at least. *composed: lua-cjson alone can't write it. */
size_t lbraze_check_value(lua_State *L, int index, const char *name, int params, const struct lbraze_context *context, bool *composed);

/* [-0, +0, e] Raises for what has so many bytes: a field, or "the request". */
LBRAZE_RAISES void lbraze_raise_too_large(lua_State *L, const struct lbraze_context *context, const char *what, size_t bytes);

/* encode.c */

/* [-0, +0, e] Appends the JSON of the checked value at index. False: the buffer is full, or there is no memory. */
bool lbraze_append_json(lua_State *L, int index, bool composed, const struct lbraze_context *context, struct braze_buffer *out);

/* params.c */

/* Most fields that an operation has. */
#define LBRAZE_MAX_FIELDS 16

/* The parameters of a call, checked. */
struct lbraze_params {
  const struct lbraze_target *target;
  const struct lbraze_context *context;
  const struct lbraze_call_options *options;
  int index;                        /* of their table; what is there may be nil for a route */
  int slots[LBRAZE_MAX_FIELDS];     /* where each field's value is on the stack, 0 = not given */
  bool composed[LBRAZE_MAX_FIELDS]; /* lua-cjson alone can't write it; of a route, the first is the whole table's */
  bool fractions;                   /* there may be one among them */
  size_t bytes;
};

/* [-0, +0, e] Raises where the parameters of an operation are no table, or are the module itself, which was called with ":". */
void lbraze_check_params(lua_State *L, int index, const struct lbraze_context *context);

/* [-0, +n, e] Checks the parameters, which are a table, or nil for a route. What the slots name is pushed: the table may be changed by
   whatever runs next. */
void lbraze_read_params(lua_State *L, int index, const struct lbraze_target *target, const struct lbraze_context *context,
                        const struct lbraze_call_options *options, struct lbraze_params *params);

/* [-0, +0, e] Writes them to a request that is empty. */
void lbraze_write_request(lua_State *L, const struct lbraze_params *params, struct braze_request *request);

/* json.c */

/* [-0, +0, m] Takes the host's require, unless it was taken before: a sandbox may remove it afterwards. */
void lbraze_take_require(lua_State *L);

/* [-0, +1] The host's require, or nil. */
void lbraze_push_require(lua_State *L);

/* [-0, +0, e] Makes sure that there is an instance of lua-cjson that fits the current locale. Called before anything is sent. `fractions`:
   there may be one in what is sent. */
void lbraze_check_json(lua_State *L, bool fractions);

/* [-0, +0, e] Raises: what require "cjson" gives is not lua-cjson. */
LBRAZE_RAISES void lbraze_refuse_cjson(lua_State *L, const char *why);

/* [-0, +1] lua-cjson's encode. */
void lbraze_push_encode(lua_State *L);

/* [-1, +1 if true, m] The value of the JSON text on top of the stack, without its nulls; false where it is not JSON. */
bool lbraze_decode_json(lua_State *L);

/* hold.c */

/* [-0, +0, e] Makes room on Lua's stack, or raises: a usage error, or that there is no memory, for want of which lua_checkstack
   is false as well. */
void lbraze_check_stack(lua_State *L, int slots, const char *method);

/* result.c */

/* [-0, +0] Whether the table at index has names and no list: a JSON object, as far as Lua can tell. */
bool lbraze_has_names(lua_State *L, int index);

/* Places in the table of those who may ask for the same answer at the same time. */
enum { LBRAZE_SHARED_BODY = 5, LBRAZE_SHARED_SAFE_BODY };

/* [-0, +1, m] A table of what is known. */
void lbraze_push_rate_limit(lua_State *L, const struct braze_rate_limit *rate_limit);

/* [-0, +1, m] What came of a call that is done: its result (true), or its error object (false). The caller holds references
   to all three. `shared`: where Lua code that runs meanwhile may ask the same of the same call, the index of a table in which
   the places above are free at first, and are to be emptied with the answer; else 0. */
bool lbraze_push_answer(lua_State *L, const struct braze_settings *settings, struct braze_call *call, struct braze_outcome *outcome,
                        int shared);

/* client.c */

/* [-0, +0, m] Creates the two metatables. */
void lbraze_open_client(lua_State *L);

/* [-0, +0] The settings of the client, or of the request's client, at index; else of the default client, if there is one. NULL
   where there is none, or it is collected. */
const struct braze_settings *lbraze_settings_of(lua_State *L, int index);

int lbraze_client_new(lua_State *L);
int lbraze_client_new_safe(lua_State *L);
int lbraze_default_call(lua_State *L);

/* Called with the operation's name as its upvalue. */
int lbraze_default_operation(lua_State *L);

/* [-0, +0, m] Adds a function for each operation to the table on top of the stack, each with the operation's name as its upvalue. */
void lbraze_set_operations(lua_State *L, lua_CFunction function, bool safe);

/* next.c */

/* [-0, +0, m] Sets the field "next" of the result on top of the stack where the header Link names a next page. */
void lbraze_set_next(lua_State *L, const struct braze_settings *settings, const struct braze_buffer *link);

/* pages.c */

int lbraze_client_each(lua_State *L);
int lbraze_pages_open(lua_State *L);
int lbraze_pages_item(lua_State *L);
int lbraze_pages_ask(lua_State *L);
int lbraze_pages_take(lua_State *L);

/* job.c */

/* [-0, +0, e] Raises where the value on top of the stack is no name of a job. */
void lbraze_check_job(lua_State *L, const struct lbraze_context *context);

/* [-0, +0, e] Reads the options `ledger` and `workspace`, whose types are checked, and what they leave to the environment into a new
 * client. */
void lbraze_read_ledger_options(lua_State *L, int index, struct braze_client *client);

/* [-0, +1, m] Where the stores of a ledger may lie: package.cpath, or NULL. */
const char *lbraze_push_places(lua_State *L);

/* [-0, +0, e] Gives the call, whose request is written, the job whose name is at an index. */
void lbraze_set_job(lua_State *L, const struct lbraze_context *context, int name, struct braze_ledger *ledger, struct braze_call *call);

/* [-0, +0, m] The call has no job; what the service says of its quota goes to the ledger, if there is one. */
void lbraze_set_no_job(lua_State *L, struct braze_ledger *ledger, struct braze_call *call);

/* [-0, +0, m] Adds to the result on top of the stack what the ledger has to say of the call. */
void lbraze_set_ledger_fields(lua_State *L, const struct braze_guard *guard);

/* ledger.c */

/* braze.ledger([url [, workspace]]) -> ledger, and the same in the style of braze.safe */
int lbraze_ledger_new(lua_State *L);
int lbraze_ledger_new_safe(lua_State *L);

/* [-0, +0, m] Creates the two metatables. */
void lbraze_open_ledger(lua_State *L);

/* operations.c */

/* [-0, +0, m] Adds braze.operations, braze.null and braze.list to the table on top of the stack. */
void lbraze_open_operations(lua_State *L, bool safe);

#endif
