/* lua_braze: what the files of the binding share. Functions that take a lua_State may raise; the stack effect is given as in
   Lua's manual: [-popped, +pushed, may raise: e = a braze error, m = memory]. */
#ifndef LBRAZE_H
#define LBRAZE_H

#include <stdbool.h>
#include <stddef.h>

#include "buffer.h"
#include "call.h"
#include "explain.h"
#include "lua_compat.h"
#include "outcome.h"
#include "settings.h"

/* lua_registry.c: metatables, two functions of cjson's, the client of braze.create_send_id. */
enum lbraze_registered {
  LBRAZE_CLIENT,
  LBRAZE_SAFE_CLIENT,
  LBRAZE_REQUEST,
  LBRAZE_SAFE_REQUEST,
  LBRAZE_CALL,
  LBRAZE_ERROR,
  LBRAZE_ENCODE,
  LBRAZE_DECODE,
  LBRAZE_DEFAULT_CLIENT,
  LBRAZE_REGISTERED_COUNT
};

/* [-0, +1] nil where nothing is registered. */
void lbraze_get_registered(lua_State *L, enum lbraze_registered what);

/* [-1, +0, m] */
void lbraze_register(lua_State *L, enum lbraze_registered what);

/* [-0, +1, m] The metatable, made at the first call, as luaL_newmetatable does: under its name, too, which tostring and Lua's
   own messages use. */
void lbraze_new_metatable(lua_State *L, enum lbraze_registered what, const char *name);

/* Whether it is the value's metatable. */
bool lbraze_has_metatable(lua_State *L, int index, enum lbraze_registered what);

/* Room for the two texts of an error on the C stack, so that raising one leaves nothing behind. */
struct lbraze_words {
  struct braze_buffer message, hint;
  char message_text[BRAZE_MESSAGE_LIMIT];
  char hint_text[BRAZE_MESSAGE_LIMIT];
};

/* lua_error.c */

void lbraze_words_init(struct lbraze_words *words);

/* [-0, +1, m] A new error object with the fields that are always there. The texts are redacted if settings are given. */
void lbraze_push_error(lua_State *L, const struct braze_settings *settings, enum braze_kind kind, const struct lbraze_words *words);

/* What stands at index, with its article: "a string", "nothing". */
const char *lbraze_what(lua_State *L, int index);

/* [-0, +0, e] Raises a usage error; an empty message means that memory ran out. Never returns. */
LBRAZE_RAISES int lbraze_raise_usage(lua_State *L, const struct braze_settings *settings, const struct lbraze_words *words);

/* [-0, +0, e] The same with a text as printf makes it, and a hint or NULL. */
LBRAZE_RAISES int lbraze_usage(lua_State *L, const char *hint, const char *format, ...) BRAZE_PRINTF(3, 4);

/* [-0, +0, m] Creates the metatable. */
void lbraze_open_error(lua_State *L);

/* Whether the value is one of our error objects. */
bool lbraze_is_error(lua_State *L, int index);

int lbraze_error_is_error(lua_State *L);
int lbraze_error_error(lua_State *L);

/* [-0, +1, m] "file.lua:12:" of the nearest Lua code that called us, or "". Without settings the client that was called says what
   is secret. */
void lbraze_push_where(lua_State *L, const struct braze_settings *settings);

/* [-0, +1, m] A table of methods; the safe ones go through lbraze_safe_call. */
void lbraze_push_methods(lua_State *L, const luaL_Reg *methods, bool safe);

/* [-n, +results or nil and an error, m] Calls its first upvalue; a braze error is returned, not raised. */
int lbraze_safe_call(lua_State *L);

/* lua_options.c */

struct lbraze_limits {
  double timeout, connect_timeout;
  int retries;
};

/* [-0, +0, e] Reads options of braze.new (nil is none) and what they leave to the environment. */
void lbraze_read_client_options(lua_State *L, int index, struct braze_settings *settings);

/* [-0, +0, e] Reads options of one call over the client's own. */
void lbraze_read_call_options(lua_State *L, int index, const struct braze_settings *settings, struct lbraze_limits *limits);

/* [-0, +0, e] The same for a call that is started, which may have an on_done too. */
void lbraze_read_start_options(lua_State *L, int index, const struct braze_settings *settings, struct lbraze_limits *limits);

/* [-0, +1] The on_done of options that have been read, or nil. */
void lbraze_push_on_done(lua_State *L, int index);

/* [-0, +0, e] Reads the parameters of a call: values by the endpoint's fields. They stay valid as long as the table does. */
void lbraze_read_parameters(lua_State *L, int index, const struct braze_settings *settings, const struct braze_endpoint *endpoint,
                            struct braze_value *values);

/* lua_json.c */

/* [-0, +n, e] Encodes each value that is given; the strings pushed are what the values point at from then on. */
void lbraze_encode_values(lua_State *L, const struct braze_endpoint *endpoint, struct braze_value *values);

/* [-0, +1 if true, m] The value of a JSON text, without its nulls; false where it is not JSON. */
bool lbraze_decode_json(lua_State *L, struct braze_buffer *text, size_t kept);

/* lua_answer.c */

/* [-0, +1, m] What came of a call that is done: its result (true), or its error object (false). */
bool lbraze_push_answer(lua_State *L, const struct braze_settings *settings, const struct braze_call *call, struct braze_outcome *outcome);

/* lua_client.c */

/* [-0, +0, m] Creates the two metatables. */
void lbraze_open_client(lua_State *L);

/* [-0, +0] The settings of the client, or of the request's client, at index 1; else of the default client, if there is one. NULL
   where there is none, or it is collected. */
const struct braze_settings *lbraze_settings_of_first(lua_State *L);

int lbraze_client_new(lua_State *L);
int lbraze_client_new_safe(lua_State *L);
int lbraze_client_create_send_id_by_default(lua_State *L);

#endif
